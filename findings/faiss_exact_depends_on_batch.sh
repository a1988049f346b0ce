#!/bin/bash
# faiss-cpu 1.15.1: what a flat L2 index finds for a query depends on how many queries are asked together.
#
# IndexFlatL2 is the exact one. A few queries are compared by differences; many at once by |x|^2 + |y|^2 - 2xy and a matrix product, which loses the
# last digits where two vectors are close. Each vector here has a near twin in the index (squared distance 4e-8, both about of length 1); asked one at a
# time each finds itself, asked together many find the twin.
#
# Seen:   200 queries, one at a time: 200 find themselves; all at once: about 140
# Hurts:  deduplication and nearest neighbours among near copies, and ground truth that is made in batches to judge approximate indexes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check faiss-cpu==1.15.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PROGRAM'
import faiss
import numpy as np

random = np.random.default_rng(0)
d, n = 1024, 2000
x = random.standard_normal((n, d)).astype(np.float32)
x /= np.linalg.norm(x, axis=1, keepdims=True)
twins = x + (2e-4 / np.sqrt(d)) * random.standard_normal((n, d)).astype(np.float32)
index = faiss.IndexFlatL2(d)
index.add(np.vstack([x, twins]))
own = np.arange(200)
alone = sum(index.search(x[i : i + 1], 1)[1][0, 0] == i for i in own)
together = int((index.search(x[:200], 1)[1][:, 0] == own).sum())
print(f"200 queries, one at a time: {alone} find themselves; all at once: {together}")
assert alone == 200 and together < 190
PROGRAM
