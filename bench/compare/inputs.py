"""What both builds read: pairs, long texts, a table for each task whose labels are functions of its texts, a checkpoint of BERT-base's shape."""
import collections
import itertools
import json
import os
import random
import shutil
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../peers"), os.path.join(HERE, "../../tools")]

import make_toy
from environment import MINILM, pairs_folder

WIKI = "../shared/data/wiki/wiki-00.txt"
LONG = range(600, 1500)  # characters
TOPICS = "what how why is can do the to best i".split()
SENTENCE = "how do i get a new card for my old bank account in the"  # with both special tokens 16

# name: of --task. pair: whether a row has two texts.
Task = collections.namedtuple("Task", "name pair label pooling", defaults=["mean"])
Inputs = collections.namedtuple("Inputs", "data long_data pairs texts long short tables base")


def words(text):
    return text.lower().rstrip("?").split()


def overlap(a, b):
    """Share of the words of two texts that both have, 0 .. 5."""
    a, b = set(words(a)), set(words(b))
    return f"{5 * len(a & b) / max(1, len(a | b)):.3f}"


TASKS = (
    Task("binary", True, lambda a, b, label: label),
    Task("multiclass", False, lambda a, b, label: next((w for w in words(a) if w in ("what", "how", "why", "is")), "other")),
    Task("multilabel", False, lambda a, b, label: ",".join(sorted(set(words(a)) & set(TOPICS)) or ["other"])),
    Task("regression", True, lambda a, b, label: str(len(words(a)) + len(words(b)))),
    Task("similarity", True, lambda a, b, label: overlap(a, b)),
    Task("tokens", False, None, "none"),
)


def read_pairs(path, n):
    with open(path, encoding="utf-8") as f:
        rows = (line.rstrip("\n").split("\t") for line in itertools.islice(f, 1, None))
        return list(itertools.islice((row for row in rows if len(row) == 3 and '"' not in row[0] + row[1]), n))


def write(path, lines):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(line + "\n" for line in lines)
    return path


def tagged(text):
    """A line a word: one that begins with a capital is a name, where it does not begin the sentence."""
    before = "O"
    for i, word in enumerate(text.split()):
        name = i and word[0].isupper()
        before = ("I-NAME" if before != "O" else "B-NAME") if name else "O"
        yield f"{word}\t{before}"
    yield ""


def table_of(task, rows, folder):
    if task.name == "tokens":
        return write(f"{folder}/tokens.conll", (line for a, *_ in rows for line in tagged(a)))
    head = "text\ttext_pair\tlabel" if task.pair else "text\tlabel"
    return write(f"{folder}/{task.name}.tsv", [head, *("\t".join([a, b, task.label(a, b, y)] if task.pair else [a, task.label(a, b, y)]) for a, b, y in rows)])


def long_texts(rows, n):
    """Of Wikipedia, or several texts of the pairs one after the other."""
    if os.path.exists(WIKI):
        with open(WIKI, encoding="utf-8") as f:
            return "Wikipedia", list(itertools.islice((line.rstrip("\n") for line in f if len(line) in LONG), n))
    texts = [text for a, b, _ in rows for text in (a, b)]
    return "pairs behind one another", [" ".join(texts[(17 * i + k) % len(texts)] for k in range(20)) for i in range(n)]


def make_base(folder):
    """A Hugging Face folder of BERT-base's shape with random weights, for speed alone."""
    if os.path.isdir(folder):
        return folder
    part, source, signs = folder + ".part", random.Random(1), bytes(0x3C | b & 0x80 for b in range(256))  # so a float is between 2^-7 and 2^-5
    os.makedirs(part, exist_ok=True)
    shape = make_toy.Shape(768, 12, 12, 3072, 512, 30522)
    header, end = {}, 0
    for name, size in make_toy.tensors(shape):
        start, end = end, end + 4 * size[0] * (size[1] if len(size) > 1 else 1)
        header[name] = {"dtype": "F32", "shape": list(size), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(f"{part}/model.safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for start in range(0, end, 1 << 20):
            piece = bytearray(source.randbytes(min(1 << 20, end - start)))
            piece[3::4] = piece[3::4].translate(signs)
            f.write(piece)
    write(f"{part}/config.json", [json.dumps(make_toy.config(shape))])
    shutil.copy(f"{MINILM}/vocab.txt", part)
    os.rename(part, folder)
    return folder


def prepare(folder, pairs, long, train):
    """Writes them; pairs, long, train: how many of each."""
    os.makedirs(folder, exist_ok=True)
    data, source = pairs_folder()
    rows, learn = read_pairs(f"{source}/valid.tsv", pairs), read_pairs(f"{source}/train.tsv", train)
    long_data, texts = long_texts(rows, long)
    return Inputs(data, long_data, write(f"{folder}/pairs.tsv", ["text\ttext_pair", *(f"{a}\t{b}" for a, b, _ in rows)]),
                  write(f"{folder}/texts.tsv", ["text", *(a for a, *_ in rows)]), write(f"{folder}/long.txt", texts),
                  write(f"{folder}/short.txt", [SENTENCE] * 64), {task.name: table_of(task, learn, folder) for task in TASKS}, f"{folder}/bert-base")
