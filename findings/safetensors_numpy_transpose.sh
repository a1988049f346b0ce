#!/bin/bash
# safetensors 0.8.0 with numpy 2.4.6: what its numpy writer stores of a transposed array has the right shape and other values.
#
# A transposed array is a view: the same bytes, read column by column. save() takes the shape from the view and the bytes from memory, in the order in
# which they lie there, so the file says (3, 2) and holds the rows of the (2, 3) original. Nothing fails, and nothing tells; np.ascontiguousarray first
# gives what was meant.
#
# Seen:   stored [[0, 3], [1, 4], [2, 5]], read back [[0, 1], [2, 3], [4, 5]]
# Hurts:  converters of checkpoints, which transpose most matrices between frameworks: the model loads, and answers at random.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PROGRAM'
import numpy as np
from safetensors.numpy import load, save

kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
read = load(save({"weight": kernel.T}))["weight"]
print("stored", kernel.T.astype(int).tolist(), "read back", read.astype(int).tolist())
assert read.shape == (3, 2) and (read == kernel.reshape(3, 2)).all() and not (read == kernel.T).all()
assert (load(save({"weight": np.ascontiguousarray(kernel.T)}))["weight"] == kernel.T).all()
PROGRAM
