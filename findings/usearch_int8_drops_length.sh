#!/bin/bash
# usearch 2.26.6: an index of int8 vectors brings each vector to one length, also where the metric is the inner product or the Euclidean distance.
#
# dtype="i8" reads as a smaller memory for the same index. Each vector, of the corpus and of the query, is scaled to the same length before it is rounded, so
# what both metrics measure becomes the cosine: with f32, f16 and bf16 the long vector wins an inner product, with i8 the one of the best direction. What
# comes back as distances is of another scale, and an index built with one dtype ranks otherwise than with another, by more than rounding.
#
# Seen:   inner product, f32 and bf16: [2, 1, 0]; i8: [0, 2, 1]; Euclidean distance, f32 and bf16: [0, 1, 2]; i8: [0, 2, 1]
# Hurts:  models that were trained for the inner product (their lengths carry how much a passage says), and Euclidean search over anything not normalised.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check usearch==2.26.6 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PROGRAM'
import numpy as np
from usearch.index import Index

corpus = np.array([[1, 0, 0, 0], [3, 3, 0, 0], [10, 2, 0, 0]], dtype=np.float32)
query = np.array([1, 0.1, 0, 0], dtype=np.float32)
for metric, right in ("ip", [2, 1, 0]), ("l2sq", [0, 1, 2]):
    found = {}
    for dtype in "f32", "bf16", "i8":
        index = Index(ndim=4, metric=metric, dtype=dtype)
        index.add(np.arange(3), corpus)
        found[dtype] = index.search(query, 3).keys.tolist()
    print(metric, found)
    assert found == {"f32": right, "bf16": right, "i8": [0, 2, 1]}
PROGRAM
