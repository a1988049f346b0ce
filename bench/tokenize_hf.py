"""Prints the MB/s at which the Hugging Face package `tokenizers` splits the lines of a folder's .txt files, in one thread.

tokenize_hf.py FOLDER VOCABULARY|TOKENIZER.JSON
"""
import glob
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import BertWordPieceTokenizer, Tokenizer  # noqa: E402  (reads the variable above)

BATCH = 1000
MOST_BYTES = 16_000_000  # it is slow; its speed does not depend on how much there is

folder, vocabulary = sys.argv[1:]
tokenizer = Tokenizer.from_file(vocabulary) if vocabulary.endswith(".json") else BertWordPieceTokenizer(vocabulary, lowercase=True)
lines = []
size = 0
for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
    with open(path, encoding="utf-8", errors="ignore", newline="\n") as file:
        for line in file:
            line = line.rstrip("\n")
            if size < MOST_BYTES:
                lines.append(line)
                size += len(line.encode())

best = 0.0
for _ in range(3):
    start = time.perf_counter()
    for i in range(0, len(lines), BATCH):
        tokenizer.encode_batch(lines[i:i + BATCH], add_special_tokens=False)
    best = max(best, size / 1e6 / (time.perf_counter() - start))
print(f"{best:.3f}")
