#!/usr/bin/env python3
"""Loads a module folder with transformers and sentence-transformers as it is, and compares it with the checkpoint that it was made from:
the same ids, the same vectors, nothing missing and nothing left over. Needs torch, transformers and sentence-transformers.

    bert import SOURCE -o MODULE && python3 tests/hf/check_module.py MODULE SOURCE
"""
import argparse
import sys

import numpy
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer

TEXTS = ["How do I save my hair from getting thin?", "Zürich's naïve café: 日本!", "a", "tab\tnew\nline  spaces", "İstanbul ΑΣ", "[MASK] [CLS]",
         "x" * 90 + " end", "", "1,234.5 e-mails; don't"]
PAIRS = [("British Army: what is SAS selection like?", "How secretive is the SAS?"), ("a " * 600, "b"), ("a", "")]


def ids(tokenizer):
    """What the model would read, for every text and pair, cut at the model's length."""
    return [tokenizer(*(t if isinstance(t, tuple) else (t,)), truncation=True).data for t in TEXTS + PAIRS]


def load(folder):
    """The encoder, after a check that every weight of it was in the file and every weight of the file is in it."""
    model, info = AutoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    wrong = {key: sorted(names) for key, names in info.items() if names}
    return model.float().eval(), wrong


def outputs(model, tokenizer):
    for text in TEXTS + PAIRS:
        batch = tokenizer(*(text if isinstance(text, tuple) else (text,)), return_tensors="pt", truncation=True)
        with torch.no_grad():
            y = model(**batch)
        yield y.last_hidden_state
        if y.pooler_output is not None:
            yield y.pooler_output


def largest_difference(a, b):
    return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("source")
    parser.add_argument("--tolerance", type=float, default=1e-6, help="of a vector's element (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folders = options.module, options.source
    tokenizers = [AutoTokenizer.from_pretrained(f, local_files_only=True) for f in folders]
    (ours, wrong), (theirs, _) = (load(f) for f in folders)
    sentences = [SentenceTransformer(f, device="cpu", local_files_only=True).encode(TEXTS, normalize_embeddings=True) for f in folders]
    difference = largest_difference(outputs(ours, tokenizers[0]), outputs(theirs, tokenizers[1]))
    vectors = float(numpy.abs(sentences[0] - sentences[1]).max())
    checks = {
        "every weight is there, none is left over": not wrong,
        "ids are equal": ids(tokenizers[0]) == ids(tokenizers[1]),
        "transformers: outputs differ by %.2g" % difference: difference <= options.tolerance,
        "sentence-transformers: vectors differ by %.2g" % vectors: vectors <= options.tolerance,
    }
    for words, fine in checks.items():
        print("ok    " if fine else "FAILED", words)
    if wrong:
        print(wrong)
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
