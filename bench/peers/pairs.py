"""Pairs of texts as the peers read them: a table's rows, their ids, and batches padded to their longest."""
import csv
import itertools

import numpy as np
from tokenizers import Tokenizer

MOST_TOKENS = 64


def read_pairs(path, n):
    """The first n rows of a tab-separated table with question1 and question2."""
    with open(path, newline="", encoding="utf-8") as f:
        rows = csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(r["question1"], r["question2"]) for r in itertools.islice(rows, n)]


def tokenizer_of(folder, most=MOST_TOKENS):
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    return tokenizer


def encode(tokenizer, texts):
    """-> (ids, segments) of each text."""
    return [(e.ids, e.type_ids) for e in tokenizer.encode_batch(texts)]


def batches(rows, size):
    """Rows of like length together -> [(their numbers, (ids, mask, segments) of shape (rows, longest))]."""
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i][0]))
    out = []
    for numbers in (order[i:i + size] for i in range(0, len(order), size)):
        longest = len(rows[numbers[0]][0])
        ids, mask, segments = (np.zeros((len(numbers), longest), np.int64) for _ in range(3))
        for k, i in enumerate(numbers):
            n = len(rows[i][0])
            ids[k, :n], segments[k, :n], mask[k, :n] = rows[i][0], rows[i][1], 1
        out.append((numbers, (ids, mask, segments)))
    return out
