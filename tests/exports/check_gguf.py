"""check_gguf.py F32.gguf OTHER.gguf...: GGUF exports of one model, read by the package gguf.

Prints keys and types of tensors; every tensor of the other files must be that of the first within what its type holds. Exit status 1 where one
is not, 2 where the package is missing.
"""
import collections
import sys

try:
    import gguf
    import numpy as np
except ImportError as e:
    print("skipped: no python package %s" % e.name)
    sys.exit(2)

STEP = {"F32": 0, "F16": 2.0**-11, "Q8_0": 0.5 / 127 + 2.0**-11}  # of a number; of the largest of 32


def tensors(reader):
    return {t.name: (t.tensor_type.name, gguf.quants.dequantize(t.data, t.tensor_type).reshape(-1)) for t in reader.tensors}


def within(kind, a, b):
    size = np.abs(a)
    if kind == "Q8_0":
        size = np.repeat(size.reshape(-1, 32).max(1), 32)
    return np.all(np.abs(a - b) <= np.maximum(STEP[kind] * size, 2.0**-25 if kind != "F32" else 0))


first = gguf.GGUFReader(sys.argv[1])
for key, field in first.fields.items():
    value = field.contents()
    print(key, value if not isinstance(value, list) else "%d: %s ..." % (len(value), value[3:7]))
expected = tensors(first)
failed = False
for path in sys.argv[1:]:
    found = tensors(gguf.GGUFReader(path))
    kinds = collections.Counter(kind for kind, _ in found.values())
    wrong = [n for n, (kind, x) in found.items() if n not in expected or not within(kind, expected[n][1], x)]
    failed |= bool(wrong) or found.keys() != expected.keys()
    listed = ", ".join("%d %s" % (n, kind) for kind, n in sorted(kinds.items()))
    print("%s: %s %s" % (path, listed, "DIFFERS: %s" % wrong if wrong else "as they should be"))
sys.exit(1 if failed else 0)
