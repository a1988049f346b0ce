#!/bin/bash
# The demo on Quora question pairs: 34,000 pairs to learn from, 4,000 to measure by.
#
#     examples/qqp.sh [FOLDER]     FOLDER holds train.tsv and valid.tsv: question1, question2, is_duplicate
#     EPOCHS=1 POOLING=cls examples/qqp.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export DATA OUT NAME TRAINING PAIR
DATA=$(cd "${1:-$root/../shared/data/qqp}" && pwd)
OUT=demo/qqp NAME=qqp
TRAINING="--pooling ${POOLING:-mean} --epochs ${EPOCHS:-5}"
PAIR="How do I learn to cook? ||| What is the best way to learn cooking?"
[ -d "$root/.cache/all-MiniLM-L6-v2" ] || make -C "$root" model
exec "$root/tools/demo.sh"
