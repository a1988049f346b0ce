"""Whether two files hold the same numbers: tensors (.safetensors), arrays (.npy), JSON. Files are read a piece at a time: what a child of ours takes of memory is
reckoned from ours. Each comparison gives a Found: how many numbers were compared, and in words what differs (nothing: equal bits)."""
import array
import collections
import json
import math
import re
import struct

PIECE = 1 << 20
INDEX = r"\[\d+\]"
Found = collections.namedtuple("Found", "numbers differences notes")  # notes: what is there once alone and is no number of both
TYPES = {"F32": "f", "F64": "d", "I32": "i", "I64": "q", "I8": "b", "U8": "B", "BF16": "H", "F16": "H"}


def decode(raw, dtype):
    values = array.array(TYPES[dtype], raw)
    return array.array("f", b"".join(b"\0\0" + raw[i:i + 2] for i in range(0, len(raw), 2))) if dtype == "BF16" else values


def compare_arrays(old, new, sizes, dtype, row):
    """Two open files at the arrays' first bytes; row: numbers a row -> numbers, differences in words"""
    width, at, count, first, largest, rows = array.array(TYPES[dtype]).itemsize, 0, 0, None, 0.0, set()
    for start in range(0, sizes, PIECE):
        a, b = old.read(min(PIECE, sizes - start)), new.read(min(PIECE, sizes - start))
        if a != b:
            for i, (x, y) in enumerate(zip(decode(a, dtype), decode(b, dtype))):
                if x != y or math.copysign(1, x) != math.copysign(1, y):
                    count, largest, first = count + 1, max(largest, abs(x - y)), at + i if first is None else first
                    rows.add((at + i) // row)
        at += len(a) // width
    if not count:
        return at, []
    return at, [f"{count} of {at} numbers in {len(rows)} rows differ, the first in row {first // row} at {first % row}, by {largest:.3g} at most"]


def header_of(f):
    size = struct.unpack("<Q", f.read(8))[0]
    header = json.loads(f.read(size))
    return header.pop("__metadata__", {}), header, 8 + size


def compare_tensors(old, new):
    numbers, differences = 0, []
    with open(old, "rb") as f, open(new, "rb") as g:
        (old_meta, a, a_data), (new_meta, b, b_data) = header_of(f), header_of(g)
        for name in sorted(a.keys() | b.keys()):
            if name not in a or name not in b or any(a[name][what] != b[name][what] for what in ("dtype", "shape")):
                differences.append(f"{name}: {describe(a.get(name))}, {describe(b.get(name))}")
                continue
            start, end = a[name]["data_offsets"]
            f.seek(a_data + start)
            g.seek(b_data + b[name]["data_offsets"][0])
            n, found = compare_arrays(f, g, end - start, a[name]["dtype"], max(1, math.prod(a[name]["shape"][1:])))
            numbers += n
            differences += [f"{name}: {words}" for words in found]
    return Found(numbers, differences, meta_notes(old_meta, new_meta))


def describe(tensor):
    return f"{tensor['dtype']} {tensor['shape']}" if tensor else "not there"


def meta_notes(old, new):
    """Metadata by name alone: hashes, versions and the like are no numbers."""
    return [f"metadata `{name}`" for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]


def compare_npy(old, new):
    with open(old, "rb") as f, open(new, "rb") as g:
        heads = []
        for file in (f, g):
            file.read(8)
            heads.append(file.read(struct.unpack("<H", file.read(2))[0]).decode())
        if heads[0].split() != heads[1].split():
            return Found(0, [f"header {heads[0].strip()}, {heads[1].strip()}"], [])
        shape = [int(n) for n in heads[0].split("(")[1].split(")")[0].split(",") if n.strip()]
        assert "'<f4'" in heads[0]
        return Found(*compare_arrays(f, g, 4 * math.prod(shape), "F32", math.prod(shape[1:])), [])


def leaves(value, ignored, path=""):
    """The numbers and words of a JSON value by where they are."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ignored:
                yield from leaves(inner, ignored, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from leaves(inner, ignored, f"{path}[{i}]")
    else:
        yield path, value


def compare_values(old, new, ignored=()):
    a, b = dict(leaves(old, ignored)), dict(leaves(new, ignored))
    differences = [f"{path}: {a[path]!r}, {b.get(path, 'not there')!r}" for path in a if path not in b or a[path] != b[path]]
    return Found(len(a), differences, sorted({f"`{re.sub(INDEX, '', path).lstrip('.')}`" for path in b if path not in a}))


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def compare_answers(old, new):
    """Two files of predictions, an object a line."""
    a, b = read_lines(old), read_lines(new)
    found = [compare_values(x, y) for x, y in zip(a, b)]
    wrong = [i for i, f in enumerate(found) if f.differences]
    differences = [f"{len(wrong)} of {len(a)} rows differ, the first is {wrong[0]}: {found[wrong[0]].differences[0]}"] if wrong else []
    if len(a) != len(b):
        differences.append(f"{len(a)} rows, {len(b)}")
    return Found(sum(f.numbers for f in found), differences, sorted({note for f in found for note in f.notes}))


def compare_json(old, new, part, ignored):
    """A member of two JSON files."""
    values = []
    for path in (old, new):
        with open(path, encoding="utf-8") as f:
            values.append(json.load(f)[part])
    return compare_values(*values, ignored)
