#!/usr/bin/env python3
"""Compares the present tree with an earlier commit on this machine: the bits of what they compute, and their speed, in turns.

    bench/compare/compare.py [--base COMMIT] [--quick] [--bits full|quick|no] [--speed full|quick|no] [--page FILE]

`make compare BASE=COMMIT` calls it. Both are built by the same compiler with the same flags, in build/compare/. What is compared is numbers: weights, vectors,
answers, figures of training. --quick takes a few minutes. --page fills that page, too; a part that is not asked for (no) stays as an earlier call found it. Ends with
1 where a number differs or something is slower beyond noise.
"""
import argparse
import collections
import datetime
import json
import sys

sys.dont_write_bytecode = True

from bits import compare_bits
from builds import WORK, both
from inputs import MINILM, make_base, prepare, read_pairs, write
from page import differs, page
from speed import compare_speed

from environment import fill_page, machine, need, pairs_folder, processor_flags, read_result

# How much of everything; lines: long texts that are tokenised.
Bits = collections.namedtuple("Bits", "pairs long train")
Speed = collections.namedtuple("Speed", "turns seconds pairs train short lines")
BITS = {"full": Bits(500, 200, 600), "quick": Bits(60, 12, 80)}
SPEED = {"full": Speed(9, 2, 1000, 2000, 100, 20000), "quick": Speed(5, 0.3, 200, 300, 100, 5000)}


def isas():
    flags = processor_flags()
    return [name for name, needed in (("avx512", "avx512f"), ("avx2", "avx2")) if needed in flags] or ["generic"]


def run_bits(old, new, size):
    inputs = prepare(f"{WORK}/bits", *size)
    rows = compare_bits(old, new, inputs, isas())
    words = f"{size.pairs} pairs ({inputs.data}), {size.long} long texts ({inputs.long_data}), training on {size.train} rows"
    return {"sizes": words, "rows": [row._asdict() for row in rows]}


def run_speed(old, new, size):
    inputs = prepare(f"{WORK}/speed", size.pairs, size.lines, size.train)
    _, source = pairs_folder()
    inputs.tables["short"] = write(f"{WORK}/speed/short.tsv", ["text\ttext_pair\tlabel", *("\t".join(row) for row in read_pairs(f"{source}/train.tsv", size.short))])
    inputs.tables["lines"] = inputs.long
    make_base(inputs.base)
    figures, fixed = compare_speed(old, new, inputs, size)
    return {"turns": size.turns, "figures": [f._asdict() for f in figures], "fixed": fixed}


def run_parts(o):
    """Runs what is asked for; the other part is what an earlier call found."""
    old, new = both(o.base)
    path = f"{WORK}/{old.name}/found.json"
    result = read_result(path) | {"base": old.name, "machine": machine(sys.executable, ())}
    for part, run, sizes in (("bits", run_bits, BITS), ("speed", run_speed, SPEED)):
        wanted = getattr(o, part) or ("quick" if o.quick else "full")
        if wanted != "no":
            result[part] = run(old, new, sizes[wanted]) | {"date": datetime.date.today().isoformat(), "size": wanted, "base": old.name}
            write(path, [json.dumps(result)])
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="02ee2f0")
    parser.add_argument("--quick", action="store_true")
    for part in ("bits", "speed"):
        parser.add_argument(f"--{part}", choices=("full", "quick", "no"))
    parser.add_argument("--page")
    o = parser.parse_args()
    need(MINILM, "run make model")
    result = run_parts(o)
    print(page(result))
    if o.page:
        fill_page(o.page, page(result), result["machine"])
    sys.exit(1 if differs(result) else 0)


if __name__ == "__main__":
    main()
