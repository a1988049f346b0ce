"""check_llama.py BERT MODEL TEXTS LEAST FILE.gguf [-v]: a GGUF export as llama.cpp reads it, by the package llama_cpp.

Its tokens are those of `BERT tokenize`, and its vectors have with those of `BERT embed` a cosine of LEAST or more. Exit status 1 where not, 2
where the package is missing; -v tells the least cosine.
"""
import json
import subprocess
import sys

try:
    import llama_cpp
    import numpy as np
except ImportError as e:
    print("skipped: no python package %s" % e.name)
    sys.exit(2)

bert, model, texts, least, file = sys.argv[1:6]


def run(*arguments):
    lines = subprocess.run([bert, *arguments], check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


lines = open(texts, encoding="utf-8").read().splitlines()
llama = llama_cpp.Llama(file, embedding=True, n_ctx=0, verbose=False)
other = [t for t, x in zip(lines, run("tokenize", "-m", model, "--special", texts)) if llama.tokenize(t.encode(), special=False) != x["ids"]]
ours = np.array([x["embedding"] for x in run("embed", "-m", model, texts)])
theirs = np.array([llama.create_embedding(t)["data"][0]["embedding"] for t in lines])
cosines = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
good = cosines.min() >= float(least)
told = " (%.6f)" % cosines.min() if "-v" in sys.argv or not good else ""
print("%d texts, %d with other tokens, cosine %s %s%s" % (len(lines), len(other), "at least" if good else "BELOW", least, told))
sys.exit(0 if good and not other else 1)
