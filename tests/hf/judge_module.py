"""Compares the ids that a module gives with those of the tokenizer.json that it was imported from: texts and pairs, cut to a length.

judge_module.py BERT FOLDER MODULE WIKI FAMILIES [LENGTH]

Every second text has a partner. A second text without tokens counts as absent, as libbert has it.
"""
import glob
import json
import os
import random
import subprocess
import sys
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer  # noqa: E402


def texts(wiki, families):
    lines = []
    for path in sorted(glob.glob(wiki + "/*")):
        if os.path.isfile(path) and len(lines) < 6000:
            with open(path, encoding="utf8", errors="replace") as f:
                lines += [line.strip("\n")[:400] for line in f if line.strip("\n")][:6000 - len(lines)]
    with open(families, encoding="utf8", errors="replace") as f:
        return lines + [line for line in f.read().split("\n") if line]


def main():
    bert, folder, module, wiki, families = sys.argv[1:6]
    length = int(sys.argv[6]) if len(sys.argv) > 6 else 48
    t = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    t.no_padding()
    t.enable_truncation(length)
    lines, chosen = texts(wiki, families), random.Random(1)
    rows = [(line, chosen.choice(lines)[:chosen.choice([3, 20, 200])] if i % 2 else "") for i, line in enumerate(lines)]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf8") as f:
        for text, pair in rows:
            print(json.dumps({"text": text, "pair": pair}, ensure_ascii=False), file=f)
        f.flush()
        out = subprocess.run([bert, "tokenize", "-m", module, f.name, "--text-columns", "text,pair", "--seq-len", str(length)], check=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf8").stdout
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == len(rows), f"{len(found)} rows of {len(rows)}"
    different = 0
    for (text, pair), row in zip(rows, found):
        two = pair and t.encode(pair, add_special_tokens=False).ids
        expected = (t.encode(text, pair) if two else t.encode(text))
        ids = row["input_ids"][:sum(row["input_mask"])]
        if ids != expected.ids or (not two and any(row["segment_ids"])) or (two and row["segment_ids"][:len(ids)] != expected.type_ids):
            different += 1
            if different <= 5:
                print(json.dumps([text, pair, expected.ids, ids], ensure_ascii=False))
    print(f"{module}: {len(rows)} texts and pairs, cut to {length} tokens: {different} different")
    return different != 0


sys.exit(main())
