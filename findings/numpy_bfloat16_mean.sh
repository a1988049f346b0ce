#!/bin/bash
# numpy 2.4.6 with ml_dtypes 0.6.0: the mean of a thousand ones in bfloat16 is 0.256.
#
# numpy adds its own float16 in float32, and its matrix product adds these bfloat16 exactly enough, so one expects as much of mean() and sum(). Those add
# in bfloat16 itself, one after the other: with 8 bits the sum of ones stands still at 256, along either axis. Nothing overflows and nothing warns; a mean of a
# hundred vectors is right to two digits, a mean of a thousand is wrong by a factor. dtype=np.float32 makes it right.
#
# Seen:   mean of 1000 ones: bfloat16 0.255859, float16 1.0, bfloat16 by dot product 1.0, bfloat16 with dtype=np.float32 1.0
# Hurts:  who averages vectors or weights read from a bf16 file (mean pooling, centring, averaging checkpoints) without another type in between.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 ml_dtypes==0.6.0
cd "$folder"
venv/bin/python - <<'PROGRAM'
import ml_dtypes
import numpy as np

n = 1000
ones = np.ones(n, dtype=ml_dtypes.bfloat16)
means = {"bfloat16": ones.mean(), "columns": np.ones((n, 4), dtype=ones.dtype).mean(axis=0)[0], "float16": ones.astype(np.float16).mean(),
         "by dot product": (ones @ ones) / n, "with dtype=np.float32": ones.mean(dtype=np.float32)}
print("mean of 1000 ones:", {name: round(float(mean), 6) for name, mean in means.items()})
assert means["bfloat16"] == means["columns"] == ml_dtypes.bfloat16(0.256)
assert all(means[name] == 1 for name in ("float16", "by dot product", "with dtype=np.float32"))
PROGRAM
