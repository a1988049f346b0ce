#!/usr/bin/env python3
"""Learns the tasks of accuracy_tasks.py with libbert and with PyTorch, three seeds each, and writes docs/accuracy.md.

    bench/peers/accuracy.py [--run torch,bert] [--tasks mrpc,...] [--seeds 1,2,3] [--threads N] [--bert build/bert] [--data FOLDER]

`make accuracy` calls it. Results lie in build/accuracy as a line each; what is there is not run again. --run "" writes the page alone.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True

from accuracy_tasks import DATA, LABEL_RANGE, MODEL, SEEDS, SETTING, TASKS, WORK, data_file, prepare
from environment import environment, fill_page, need, need_module, peers_python, program, table

PAGE = "docs/accuracy.md"


def results_file(who):
    return f"{WORK}/{who}.jsonl"


def results(who):
    """(task, seed) -> metrics of the best epoch"""
    if not os.path.exists(results_file(who)):
        return {}
    with open(results_file(who), encoding="utf-8") as f:
        return {(r["task"], r["seed"]): r["best"] for r in map(json.loads, f)}


# ---- runs -----------------------------------------------------------------------------------------------------------------

def run_torch(o):
    command = [peers_python(), program("accuracy_torch.py"), "--tasks", o.tasks, "--seeds", o.seeds]
    subprocess.run(command, check=True, env=environment(o.threads), stdout=sys.stderr)


def train_command(o, task, seed, module, model):
    """The same settings in bert train's words."""
    options = {"task": task.kind, "pooling": task.pooling, "seq_len": task.seq_len, "seed": seed, "watch": task.shown[0], **SETTING}
    if task.kind in ("regression", "similarity"):
        options.update(label_min=LABEL_RANGE[0], label_max=LABEL_RANGE[1])
    flags = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return [o.bert, "train", "--module", module, "--train", data_file(f"{WORK}/data", task, "train"),
            "--valid", data_file(f"{WORK}/data", task, "valid"), "-o", model, "--quiet", *flags]


def run_bert(o):
    module, done = f"{WORK}/module", results("bert")
    need_module(o.bert, MODEL, module)
    for task in TASKS:
        for seed in map(int, o.seeds.split(",")):
            if task.name not in o.tasks.split(",") or (task.name, seed) in done:
                continue
            model, start = f"{WORK}/models/{task.name}-{seed}", time.monotonic()
            os.makedirs(os.path.dirname(model), exist_ok=True)
            subprocess.run(train_command(o, task, seed, module, model), check=True, env=environment(o.threads))
            seconds = time.monotonic() - start
            command = [o.bert, "eval", "-m", model, data_file(f"{WORK}/data", task, "valid")]
            measured = json.loads(subprocess.run(command, check=True, env=environment(o.threads), capture_output=True, text=True).stdout)
            line = json.dumps({"task": task.name, "seed": seed, "best": {m: measured[m] for m in task.shown}, "seconds": round(seconds, 1)})
            with open(results_file("bert"), "a", encoding="utf-8") as f:
                f.write(line + "\n")
            print(line, flush=True)


# ---- the page -------------------------------------------------------------------------------------------------------------

def spread(values):
    return statistics.stdev(values) if len(values) > 1 else math.nan


def shown(values):
    return f"{100 * statistics.mean(values):.2f} ± {100 * spread(values):.2f}" if values else "-"


def verdict(ours, theirs):
    """The difference in hundredths, and whether it is more than twice its standard error below."""
    if len(ours) < 2 or len(theirs) < 2:
        return "-", ""
    error = math.sqrt(spread(ours) ** 2 / len(ours) + spread(theirs) ** 2 / len(theirs))
    difference = statistics.mean(ours) - statistics.mean(theirs)
    words = "below" if difference < -2 * error else "above" if difference > 2 * error else "within noise"
    return f"{100 * difference:+.2f} ± {100 * error:.2f}", words


def page(seeds):
    ours, theirs, rows, below = results("bert"), results("torch"), [], []
    for task in TASKS:
        for metric in task.shown:
            mine, other = ([r[task.name, s][metric] for s in seeds if (task.name, s) in r] for r in (ours, theirs))
            difference, words = verdict(mine, other)
            rows.append([task.title, metric, shown(mine), shown(other), difference, words])
            if words == "below":
                below.append(f"{task.title} ({metric})")
    text = table(["task", "metric", "libbert", "PyTorch", "difference ± its standard error", ""], rows)
    if below:
        text += f"\nBelow PyTorch by more than two standard errors: {', '.join(below)}.\n"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default="torch,bert")
    parser.add_argument("--tasks", default=",".join(t.name for t in TASKS))
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--bert", default="build/bert")
    parser.add_argument("--data", default=DATA)
    o = parser.parse_args()
    runs = o.run.split(",")
    if "torch" in runs or "bert" in runs:
        need(MODEL, "run make model")
        need(o.data, "it is the folder of the data sets (--data)")
        prepare(f"{WORK}/data", o.data)
    if "torch" in runs:
        run_torch(o)
    if "bert" in runs:
        need(o.bert, "run make")
        run_bert(o)
    fill_page(PAGE, page(list(map(int, o.seeds.split(",")))))


if __name__ == "__main__":
    main()
