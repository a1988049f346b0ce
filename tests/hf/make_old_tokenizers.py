"""Writes the folders of tests/imports/tokenizer_classes.c: tokenisers as folders of before tokenizer.json have them, with what transformers
(5.24.0) makes of texts and pairs.

make_old_tokenizers.py FOLDER
"""
import json
import os
import struct
import sys
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers.pre_tokenizers import ByteLevel  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

TEXTS = ["", " ", "the cat", " the cat", "The cats, and the dog.", "don't the  cat\n\nthe", "a <mask> b", "a<mask>b", "<s>the</s> cat", "[CLS] the [MASK]",
         "``the'' cat", "é É ½ ﬁ", "the1,2", "中文 the", "the\tcat\u00a0dog", "x" * 40, "thethe catcat", "▁the ▁", "[SEP]x", "<pad> <unk>"]
PAIRS = [("the cat", "the dog"), ("the", ""), ("", "the"), ("the cat and the dog and the cat", "dog"), ("dog", "the cat and the dog and the cat")]
LENGTH = 12


def field(number, wire, payload):
    return varint(number << 3 | wire) + payload


def varint(n):
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def message(number, payload):
    return field(number, 2, varint(len(payload)) + payload)


def spm(pieces, model_type=1, unknown=0, charsmap=b""):
    """A SentencePiece model: (text, score, type) each."""
    out = b""
    for text, score, kind in pieces:
        out += message(1, message(1, text.encode()) + field(2, 5, struct.pack("<f", score)) + field(3, 0, varint(kind)))
    trainer = field(3, 0, varint(model_type)) + field(40, 0, varint(unknown))
    return out + message(2, trainer) + message(3, message(2, charsmap) if charsmap else b"")


WORDS = ["▁the", "▁cat", "▁dog", "the", "cat", "s", "▁", "a", "b", "c", "d", "e", "é", "t", "h", "o", "g", "x", ",", ".", "'", "n", "▁and", "fi", "1", "2", "▁a", "\"", "中", "k", "m"]


def scores(words):
    return [(w, -1.0 - 0.37 * i, 1) for i, w in enumerate(words)]


def byte_level(folder):
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    for c in sorted(ByteLevel.alphabet()):
        vocabulary[c] = len(vocabulary)
    merges = ["t h", "th e", "Ġ the", "c a", "ca t", "Ġ cat", "Ġ d", "Ġd o", "Ġdo g", "a n", "Ġ a", "Ġa n", "x x", "xx xx"]
    for merge in merges:
        vocabulary[merge.replace(" ", "")] = len(vocabulary)
    vocabulary["<mask>"] = len(vocabulary)
    json.dump(vocabulary, open(f"{folder}/vocab.json", "w"), ensure_ascii=False)
    open(f"{folder}/merges.txt", "w").write("#version: 0.2\n" + "\n".join(merges) + "\n")
    return {"model_max_length": 512}


def fairseq(folder):
    pieces = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)] + scores(WORDS)
    open(f"{folder}/sentencepiece.bpe.model", "wb").write(spm(pieces))
    return {}


def camembert(folder):
    pieces = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)] + scores(WORDS)
    open(f"{folder}/sentencepiece.bpe.model", "wb").write(spm(pieces))
    return {}


def albert(folder):
    pieces = [("<pad>", 0, 3), ("<unk>", 0, 2), ("[CLS]", 0, 3), ("[SEP]", 0, 3), ("[MASK]", 0, 3), ("(c)", 0, 4)] + scores(WORDS)
    open(f"{folder}/spiece.model", "wb").write(spm(pieces, unknown=1))
    return {"do_lower_case": True}


def mpnet(folder):
    words = ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "the", "cat", "dog", "##s", "and", ",", ".", "a", "b", "'", "don", "t", "e", "x", "##x", "中", "<mask>"]
    open(f"{folder}/vocab.txt", "w").write("\n".join(words) + "\n")
    return {"do_lower_case": True}


KINDS = {"roberta": ("RobertaTokenizer", byte_level), "xlm-roberta": ("XLMRobertaTokenizer", fairseq), "camembert": ("CamembertTokenizer", camembert),
         "albert": ("AlbertTokenizer", albert), "mpnet": ("MPNetTokenizer", mpnet)}


def main():
    for name, (kind, make) in KINDS.items():
        folder = os.path.join(sys.argv[1], name)
        os.makedirs(folder, exist_ok=True)
        settings = {"tokenizer_class": kind} | make(folder)
        json.dump(settings, open(f"{folder}/tokenizer_config.json", "w"))
        json.dump({"model_type": name}, open(f"{folder}/config.json", "w"))
        t = AutoTokenizer.from_pretrained(folder)
        os.remove(f"{folder}/config.json")
        golden = {"length": LENGTH, "texts": [], "pairs": []}
        for text in TEXTS:
            golden["texts"].append([text, t.encode(text, truncation=True, max_length=LENGTH)])
        for a, b in PAIRS:
            golden["pairs"].append([a, b, t.encode(a, b, truncation=True, max_length=LENGTH)])
        json.dump(golden, open(f"{folder}/golden.json", "w"), ensure_ascii=False, indent=0)
        with tempfile.TemporaryDirectory() as saved:
            t.save_pretrained(saved)
            print(name, type(t).__name__, {k: v for k, v in json.load(open(f"{saved}/tokenizer.json")).items() if k not in ("model", "added_tokens")})
            print([(x["content"], x["special"], x["lstrip"], x["normalized"], x["id"]) for x in json.load(open(f"{saved}/tokenizer.json"))["added_tokens"]])


main()
