#!/bin/bash
# faiss-cpu 1.15.1: of equal vectors the flat index by inner product gives the last ones first, the flat index by L2 the first ones first.
#
# Both are exact, and over unit vectors both order by the same thing. Among ties they differ: asked for the best three of five equal vectors, one answers
# 2, 1, 0, the other 0, 1, 2. So a corpus with duplicates gives other ids, and other first hits, by the choice of a metric that changes no distance.
#
# Seen:   IndexFlatIP [2, 1, 0], IndexFlatL2 [0, 1, 2]
# Hurts:  tests and evaluations that compare ids (recall at k over corpora with repeated passages), and who moves from one metric to the other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check faiss-cpu==1.15.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PROGRAM'
import faiss
import numpy as np

x = np.full((5, 4), 0.5, dtype=np.float32)
ids = {}
for index in faiss.IndexFlatIP(4), faiss.IndexFlatL2(4):
    index.add(x)
    ids[type(index).__name__] = index.search(x[:1], 3)[1][0].tolist()
print(", ".join(f"{name} {found}" for name, found in ids.items()))
assert ids == {"IndexFlatIP": [2, 1, 0], "IndexFlatL2": [0, 1, 2]}
PROGRAM
