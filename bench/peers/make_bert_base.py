"""Writes a model of BERT-base's shape with random weights, as a Hugging Face folder that transformers and `bert import` read: for speed alone.

    make_bert_base.py VOCABULARY_FOLDER OUT      vocab.txt and tokenizer.json are copied from the first
"""
import json
import os
import shutil
import sys

import torch
from transformers import BertConfig, BertModel


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, out = sys.argv[1:]
    torch.manual_seed(1)
    BertModel(BertConfig()).save_pretrained(out + ".part")
    with open(out + ".part/config.json", "r+", encoding="utf-8") as f:
        config = json.load(f) | {"position_embedding_type": "absolute"}  # CTranslate2's converter asks for it
        f.seek(0)
        f.write(json.dumps(config, indent=2) + "\n")
        f.truncate()
    for name in ("vocab.txt", "tokenizer.json"):
        shutil.copy(os.path.join(source, name), out + ".part")
    os.rename(out + ".part", out)


if __name__ == "__main__":
    main()
