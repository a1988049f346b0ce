#!/bin/bash
# transformers 5.24.0 beside tokenizers 0.23.3: one folder, two tokenisations.
#
# tokenizer.json is a whole pipeline, and `tokenizers` (and what is built on it: text-embeddings-inference, fastembed, browsers) obeys it. For
# tokenizer_class BertTokenizer, transformers takes the vocabulary from it and makes the normaliser anew from tokenizer_config.json, where an absent
# do_lower_case means true. So a cased tokenizer.json is lower-cased by one reader and not by the other, without a word.
#
# Seen:   "Paris": tokenizers ['Paris'], transformers ['paris']
# Hurts:  who trains with one library and serves with another: other ids for every word with a capital.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.24.0 tokenizers==0.23.3
cd "$folder"
venv/bin/python - <<'PROGRAM'
import json
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer

words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Paris", "paris"]
tokenizer = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
os.mkdir("model")
tokenizer.save("model/tokenizer.json")
json.dump({"tokenizer_class": "BertTokenizer"}, open("model/tokenizer_config.json", "w"))
json.dump({"model_type": "bert", "vocab_size": len(words)}, open("model/config.json", "w"))
one = Tokenizer.from_file("model/tokenizer.json").encode("Paris").tokens
other = AutoTokenizer.from_pretrained("./model").tokenize("Paris")
print(f'"Paris": tokenizers {one}, transformers {other}')
assert one == ["Paris"] and other == ["paris"]
PROGRAM
