#!/usr/bin/env python3
"""Makes examples/banking/{train,valid}.tsv from Banking77: pairs of questions that ask the same (1) or not (0).

    tools/make_banking_pairs.py FOLDER [OUT]

FOLDER holds Banking77's train.csv and test.csv; training pairs come from the first, validation pairs from the second. The same input gives
the same files. Two thirds of the pairs that are not duplicates are hard: their questions have intents that use much the same words.
"""
import collections
import csv
import math
import os
import random
import re
import sys

SEED = 77
PAIRS = {"train": 6000, "valid": 1000}
SAME = 0.4          # share of pairs with the same intent
HARD = 2 / 3        # share of the others whose intents are near
NEAR = 5            # an intent's near ones: so many
LONGEST = 160       # characters of a question


def read_questions(path, seen):
    """Questions by intent; white space made single, and none that is long, holds a quote or is in `seen`, which grows."""
    questions = collections.defaultdict(list)
    with open(path, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            text = " ".join(row["text"].split())
            key = " ".join(words(text))
            if key and key not in seen and '"' not in text and len(text) <= LONGEST:
                seen.add(key)
                questions[row["category"]].append(text)
    return {intent: questions[intent] for intent in sorted(questions)}


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def near_intents(questions):
    """The NEAR intents whose words are most like each intent's: cosine of TF-IDF vectors, an intent's questions taken as one text."""
    counts = {intent: collections.Counter(w for q in texts for w in words(q)) for intent, texts in questions.items()}
    intents_with = collections.Counter(w for c in counts.values() for w in c)
    vectors = {}
    for intent, count in counts.items():
        vector = {w: n * math.log(len(counts) / intents_with[w]) for w, n in count.items()}
        norm = math.sqrt(math.fsum(v * v for v in vector.values()))
        vectors[intent] = {w: v / norm for w, v in vector.items()}

    def likeness(a, b):
        return math.fsum(v * vectors[b].get(w, 0) for w, v in vectors[a].items())

    return {a: sorted((b for b in vectors if b != a), key=lambda b: (-round(likeness(a, b), 9), b))[:NEAR] for a in vectors}


class Draw:
    """Draws that do not depend on Python's version: random() alone is promised to stay."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def of(self, items):
        return items[int(self.random() * len(items))]

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = int(self.random() * (i + 1))
            items[i], items[j] = items[j], items[i]


def make_pairs(questions, near, n, draw):
    """n rows (question, question, 0 or 1), none twice whichever way round."""
    intents, rows, seen = list(questions), [], set()
    n_same, n_hard = round(n * SAME), round(n * (1 - SAME) * HARD)
    while len(rows) < n:
        a = draw.of(intents)
        if len(rows) < n_same:
            b = a
        elif len(rows) < n_same + n_hard:
            b = draw.of(near[a])
        else:
            b = draw.of([i for i in intents if i != a])
        first, second = draw.of(questions[a]), draw.of(questions[b])
        pair = (min(first, second), max(first, second))
        if first != second and pair not in seen:
            seen.add(pair)
            rows.append((first, second, int(a == b)))
    draw.shuffle(rows)
    return rows


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write("question1\tquestion2\tis_duplicate\n")
        f.writelines("%s\t%s\t%d\n" % row for row in rows)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = sys.argv[1]
    out = sys.argv[2] if len(sys.argv) == 3 else os.path.join(os.path.dirname(__file__), "..", "examples", "banking")
    seen = set()  # across both files: no question is in training and in validation
    questions = {"train": read_questions(os.path.join(folder, "train.csv"), seen),
                 "valid": read_questions(os.path.join(folder, "test.csv"), seen)}
    near = near_intents(questions["train"])
    draw = Draw(SEED)
    for name, n in PAIRS.items():
        rows = make_pairs(questions[name], near, n, draw)
        write_rows(os.path.join(out, name + ".tsv"), rows)
        print("%s: %d pairs, %d of them the same, %d different questions" %
              (name, n, sum(r[2] for r in rows), len({q for r in rows for q in r[:2]})))


if __name__ == "__main__":
    main()
