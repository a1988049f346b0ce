#!/bin/bash
# transformers 4.57.6: BertTokenizer and BertTokenizerFast cut the same pair at other places.
#
# A pair of equally long texts that must become an odd number of tokens: the slow one takes the last token from the second text, the fast one from the first.
# Same class of model, same folder, same arguments; the ids differ for every pair that is cut to an odd length.
#
# Seen:   6 + 6 tokens into 5: slow 3 + 2, fast 2 + 3
# Hurts:  cross-encoders that were trained with one and are served with the other: scores of long pairs move.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==4.57.6
cd "$folder"
venv/bin/python - <<'PROGRAM'
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import BertTokenizer, BertTokenizerFast

open("vocab.txt", "w").write("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]) + "\n")
cut = {}
for name, kind in ("slow", BertTokenizer), ("fast", BertTokenizerFast):
    tokenizer = kind("vocab.txt")
    ids = tokenizer("a a a a a a", "b b b b b b", truncation="longest_first", max_length=8)["input_ids"]
    tokens = tokenizer.convert_ids_to_tokens(ids)
    cut[name] = (tokens.count("a"), tokens.count("b"))
print("6 + 6 tokens into 5:", cut)
assert cut == {"slow": (3, 2), "fast": (2, 3)}
PROGRAM
