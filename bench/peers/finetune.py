#!/usr/bin/env python3
"""Fine-tunes the same pairs with libbert and with PyTorch, in turns, and writes docs/bench/finetune.md and finetune.json.

    bench/peers/finetune.py [--rounds 3] [--models minilm,bert-base] [--only NAME,...] [--out FOLDER] [--threads N] [--bert build/bert]
                       [--pairs TRAIN,VALID for all models] [--show | --try]

`make bench-peers-training` calls it. The peers are the Python of $PYTHON, or one that is made in build/.
--show writes the page from the figures of the last run.
--try measures PyTorch's settings beside one another instead (the page's second table), on the first of --models.
"""
import argparse
import collections
import datetime
import itertools
import json
import os
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True

from environment import (KEEP_MEMORY, MINILM, WORK, environment, fill_page, follow, has_bf16, machine, need, need_module, pairs_folder, read_result,
                         peers_python, program, table)

EPOCHS = 5
SHORT = 2  # epochs of what is not the best peer: five of them are reckoned from two

# folder: None is made with random weights. tune: the layers that learn, 0: all of them and the embeddings. join: so many rows of the table are one.
Model = collections.namedtuple("Model", "name title folder train valid tune seq_len batch join")
BERT_BASE = "BERT-base (12 layers of 768, random weights)"
MODELS = (
    Model("minilm", "MiniLM-L6 (6 layers of 384)", MINILM, 2000, 500, 3, 64, 32, 1),
    Model("bert-base", BERT_BASE, None, 320, 64, 3, 64, 32, 1),
    Model("minilm-all", "MiniLM-L6, all layers and the embeddings learn", MINILM, 1000, 250, 0, 64, 32, 1),
    Model("bert-base-all", f"{BERT_BASE}, all layers and the embeddings learn, 128 tokens", None, 160, 32, 0, 128, 32, 5),
    Model("minilm-long", "MiniLM-L6, 512 tokens, batches of 8", MINILM, 160, 32, 3, 512, 8, 30),
    Model("minilm-long-all", "MiniLM-L6, 512 tokens, batches of 8, all layers and the embeddings learn", MINILM, 160, 32, 0, 512, 8, 30),
)

# bf16: needs a processor that has it. best: the runs among which the best peer is sought.
Run = collections.namedtuple("Run", "name title torch options bf16 best")
RUNS = (
    Run("torch-plain", "PyTorch as most write it", True, ("--variant", "plain"), False, False),
    Run("torch-fp32", "best PyTorch, fp32", True, ("--variant", "best", "--onednn"), False, True),
    Run("torch-bf16", "best PyTorch, bf16", True, ("--variant", "best", "--bf16"), True, True),
    Run("torch-fp32-own", "best PyTorch, fp32, PyTorch's own products", True, ("--variant", "best"), False, False),
    Run("bert-fp32", "libbert, fp32", False, ("--no-frozen-dropout", "--precision", "fp32"), False, False),
    Run("bert-bf16", "libbert, bf16", False, ("--no-frozen-dropout", "--precision", "bf16"), True, False),
    Run("torch-fp32-dropout", "best PyTorch, fp32, dropout in frozen layers, too", True, ("--variant", "best", "--onednn", "--frozen-dropout"),
        False, False),
    Run("torch-bf16-dropout", "best PyTorch, bf16, dropout in frozen layers, too", True, ("--variant", "best", "--bf16", "--frozen-dropout"),
        True, False),
    Run("bert-fp32-dropout", "libbert, fp32, dropout in frozen layers, too", False, ("--frozen-dropout", "--precision", "fp32"), False, False),
)
TITLE = {run.name: run.title for run in RUNS}

# Settings of PyTorch that might be the best: what is asked of finetune_torch.py, and whether libc keeps freed memory. --try measures them.
TRIED = (
    ("bf16 autocast, SDPA", ("--bf16",), True),
    ("the same, libc as it comes", ("--bf16",), False),
    ("the same, eager attention in the tuned layers", ("--bf16", "--attention", "mixed"), True),
    ("the same, eager attention everywhere", ("--bf16", "--attention", "eager"), True),
    ("the same, torch.compile(dynamic=True)", ("--bf16", "--compile"), True),
    ("float32, SDPA", (), True),
    ("float32, products by oneDNN", ("--onednn",), True),
    ("float32, products of bf16 numbers inside oneDNN", ("--bf16-products",), True),
)


def is_short(run):
    """The best peer and libbert run whole, in every round; what stands beside them once and for two epochs."""
    if run.name.endswith("-dropout"):
        return True
    return run.torch and not (run.best and run.bf16 == has_bf16())


def is_of(run, model):
    """Where all layers learn none is frozen, with dropout or without."""
    return model.tune or not run.name.endswith("-dropout")


# ---- what is run ----------------------------------------------------------------------------------------------------------

def joined_rows(source, out, n, join):
    """The header and n rows, each of `join` rows of the source, which is read again where it ends: their texts in a row, the first one's label."""
    with open(source, encoding="utf-8") as f, open(out, "w", encoding="utf-8") as g:
        header, *rows = (line.rstrip("\r\n").split("\t") for line in f)
        endless = itertools.cycle(rows)
        g.write("\t".join(header) + "\n")
        for _ in range(n):
            group = list(itertools.islice(endless, join))
            g.write("\t".join((*(" ".join(row[k] for row in group) for k in (0, 1)), group[0][2])) + "\n")


def prepare(model, o):
    """Tables, checkpoint and module of a model -> their paths."""
    os.makedirs(f"{WORK}/{model.name}", exist_ok=True)
    title, data = pairs_folder()
    paths = {"data": title, "checkpoint": model.folder or f"{WORK}/{model.name}/checkpoint", "module": f"{WORK}/{model.name}/module"}
    for part, n in (("train", model.train), ("valid", model.valid)):
        paths[part] = f"{WORK}/{model.name}/{part}.tsv"
        joined_rows(f"{data}/{part}.tsv", paths[part], n, model.join)
    if not os.path.isdir(paths["checkpoint"]):
        subprocess.run([o.python, program("make_bert_base.py"), MINILM, paths["checkpoint"]], check=True, stdout=sys.stderr)
    need_module(o.bert, paths["checkpoint"], paths["module"])
    return paths


def configuration(paths):
    with open(f"{paths['checkpoint']}/config.json", encoding="utf-8") as f:
        return json.load(f)


def command_of(run, model, paths, epochs, o):
    same = ["--seq-len", str(model.seq_len), "--batch-size", str(model.batch), "--learning-rate", "1e-5", "--seed", "1", "--epochs", str(epochs)]
    if run.torch:
        tune = ["--tune", str(model.tune)] if model.tune else ["--tune-all"]
        return [o.python, program("finetune_torch.py"), *run.options, *same, *tune, "--model", paths["checkpoint"], "--train", paths["train"],
                "--valid", paths["valid"], "--threads", str(o.threads)]
    layers = str(model.tune or configuration(paths)["num_hidden_layers"])
    tune = ["--n-tune-layers", layers] + ([] if model.tune else ["--tune-embeddings"])
    return [o.bert, "train", "--module", paths["module"], "--train", paths["train"], "--valid", paths["valid"],
            "--text-columns", "question1,question2", "--label-column", "is_duplicate", "-o", f"{paths['module']}-trained", "--pooling", "cls",
            *same, *tune, "--json", *run.options]


def busy_seconds():
    """Processor seconds of all that ran on this machine so far."""
    with open("/proc/stat", encoding="utf-8") as f:
        fields = [int(x) for x in f.readline().split()[1:]]
    return sum(fields[i] for i in (0, 1, 2, 5, 6)) / os.sysconf("SC_CLK_TCK")


def follow_busy(command, env):
    """As follow; the last is the run's use of the machine, and others'."""
    busy = busy_seconds()
    events, seconds, usage = follow(command, env)
    own = usage.ru_utime + usage.ru_stime
    return events, seconds, {"peak_mb": usage.ru_maxrss * 1024 / 1e6, "cpu_seconds": own, "others_cpu_seconds": busy_seconds() - busy - own}


# ---- what is measured -----------------------------------------------------------------------------------------------------

def times_of_torch(events):
    """-> when training began, [(when the last step of an epoch was done, when the epoch was measured)]"""
    began = next(at for at, e in events if e["event"] == "ready")
    epochs = [(at - e["valid_seconds"], at) for at, e in events if e["event"] == "epoch"]
    return began, epochs


def times_of_bert(events):
    steps = [(at, e) for at, e in events if e["event"] == "step"]
    first, e = next((at, e) for at, e in events if e["event"] in ("frozen", "step"))
    began = first - e["seconds"]  # of what runs once, before the first epoch
    trained = [next(at for at, e in reversed(steps) if e["epoch"] == k) for k in sorted({e["epoch"] for _, e in steps})]
    return began, list(zip(trained, (at for at, e in events if e["event"] == "epoch")))


def measure(run, model, paths, epochs, o):
    env = environment(o.threads, **(KEEP_MEMORY if run.torch else {}))
    events, whole, use = follow_busy(command_of(run, model, paths, epochs, o), env)
    began, marks = (times_of_torch if run.torch else times_of_bert)(events)
    starts = [began] + [measured for _, measured in marks[:-1]]
    train = [trained - start for start, (trained, _) in zip(starts, marks)]
    valid = [measured - trained for trained, measured in marks]
    last = [e for _, e in events if e["event"] == "epoch"][-1]
    return {"model": model.name, "run": run.name, "epochs": epochs, "train_seconds": train, "valid_seconds": valid, "load_seconds": began,
            "end_seconds": whole - marks[-1][1], "process_seconds": whole, **use, "loss": last["loss"],
            "others_share": max(0.0, use["others_cpu_seconds"]) / (whole * os.cpu_count())}


def try_settings(model, o):
    """Three epochs of each setting, twice in turns -> rows of the second table: title, fastest epoch, samples/s, first epoch."""
    paths, seen = prepare(model, o), collections.defaultdict(list)
    for _, (title, options, keep_memory) in itertools.product(range(2), TRIED):
        run = Run("tried", title, True, ("--variant", "best", *options), False, False)
        events, *_ = follow(command_of(run, model, paths, 3, o), environment(o.threads, **(KEEP_MEMORY if keep_memory else {})))
        seen[title].append([e["train_seconds"] for _, e in events if e["event"] == "epoch"])
        print(title, " ".join(f"{s:.2f}" for s in seen[title][-1]), flush=True)
    rows = []
    for title, rounds in seen.items():
        best = min(s for seconds in rounds for s in seconds)
        rows.append([title, f"{best:.2f}", f"{model.train / best:.0f}", f"{min(seconds[0] for seconds in rounds):.2f}"])
    return {"model": model.title, "rows": rows}


def count_tokens(paths, model, o):
    """Tokens of both tables, without padding."""
    code = ("import sys, itertools; from tokenizers import Tokenizer; t = Tokenizer.from_file(sys.argv[1] + '/tokenizer.json'); t.no_padding(); "
            "t.enable_truncation(int(sys.argv[2])); "
            "rows = [l.rstrip('\\r\\n').split('\\t')[:2] for p in sys.argv[3:] for l in itertools.islice(open(p, encoding='utf-8'), 1, None)]; "
            "print(sum(len(e.ids) for e in t.encode_batch(rows)))")
    command = [o.python, "-c", code, paths["checkpoint"], str(model.seq_len), paths["train"], paths["valid"]]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


# ---- the page -------------------------------------------------------------------------------------------------------------

def summary(figures, model, name):
    """Medians of a run over its rounds; None where it did not run."""
    mine = [f for f in figures if (f["model"], f["run"]) == (model, name)]
    if not mine:
        return None
    median = statistics.median
    first = median(f["train_seconds"][0] for f in mine)
    later = median(s for f in mine for s in f["train_seconds"][1:])
    valid = median(s for f in mine for s in f["valid_seconds"])
    whole = all(f["epochs"] == EPOCHS for f in mine)
    five = median(sum(f["train_seconds"]) + sum(f["valid_seconds"]) for f in mine) if whole else first + (EPOCHS - 1) * later + EPOCHS * valid
    around = median(f["load_seconds"] + f["end_seconds"] for f in mine)
    return {"first": first, "later": later, "valid": valid, "five": five, "process": five + around, "peak": median(f["peak_mb"] for f in mine),
            "whole": whole, "rounds": len(mine)}


def figures_table(result, model):
    rows = []
    for run in RUNS:
        s = summary(result["figures"], model["name"], run.name)
        if s:
            reckoned = "" if s["whole"] else "~"
            kept = f"{model['kept_mb']:.0f}" if not run.torch and not run.name.endswith("-dropout") else "-"
            epochs = [f"{s[which]:.2f} ({model['train'] / s[which]:.0f})" for which in ("first", "later")]
            rows.append([run.title, *epochs, f"{s['valid']:.2f}", f"{reckoned}{s['five']:.1f}", f"{reckoned}{s['process']:.1f}",
                         f"{s['peak']:.0f}", kept])
    head = ["", "first epoch, s (samples/s)", "later epochs, s (samples/s)", "validation, s", "five epochs with validation, s",
            "the same, process and loading with it, s", "peak memory, MB", "kept outputs in it, MB"]
    return table(head, rows)


def best_peer(result, model):
    """The fastest peer of those that do the same work as libbert, by its later epochs."""
    found = {run.name: summary(result["figures"], model["name"], run.name) for run in RUNS if run.best}
    found = {name: s for name, s in found.items() if s}
    return min(found.items(), key=lambda item: item[1]["later"]) if found else (None, None)


def ratios(peer, mine, same_work):
    """How many times faster. same_work: the peer does the same in every epoch, so its faster figure stands for the first one, too."""
    first = min(peer["first"], peer["later"]) if same_work else peer["first"]
    return [f"{first / mine['first']:.2f}", f"{peer['later'] / mine['later']:.2f}", f"{peer['five'] / mine['five']:.2f}",
            f"{peer['process'] / mine['process']:.2f}", f"{mine['peak'] / peer['peak']:.2f}"]


def ratios_table(result, model):
    figures, rows = result["figures"], []
    name, peer = best_peer(result, model)
    pairs = [(name, peer, "bert-fp32"), (name, peer, "bert-bf16")]
    pairs += [(n, summary(figures, model["name"], n), m) for n, m in (
        ("torch-fp32", "bert-fp32"), ("torch-fp32-own", "bert-fp32"), ("torch-plain", "bert-fp32"), ("torch-fp32-dropout", "bert-fp32-dropout"),
        ("torch-bf16-dropout", "bert-fp32-dropout"), ("bert-fp32", "bert-bf16"))]
    seen = set()
    for other, theirs, own in pairs:
        mine = summary(figures, model["name"], own)
        if theirs and mine and (other, own) not in seen:
            seen.add((other, own))
            mark = "**" if other == name and own == "bert-fp32" else ""
            rows.append([f"{mark}{TITLE[own]} : {TITLE[other]}{mark}", *ratios(theirs, mine, other.startswith("torch"))])
    return table(["times faster", "first epoch", "later epochs", "five epochs", "whole process", "memory, share"], rows)


def page(result):
    out = [f"{result['date']}, {result['threads']} threads, {result['rounds']} rounds in turns, medians. "
           + "; ".join(f"{k} {v}" for k, v in result["machine"].items()) + ".\n\n"]
    for model in result["models"]:
        out.append(f"### {model['title']}: {model['train']} pairs of {model['tokens_per_row']:.1f} tokens, {model['valid']} for validation "
                   f"({model['data']})\n\n{figures_table(result, model)}\n{ratios_table(result, model)}\n")
    if result.get("tried"):
        out.append(f"### Settings of PyTorch beside one another: {result['tried']['model']}\n\n"
                   + table(["best PyTorch with", "fastest epoch, s", "samples/s", "first epoch, s"], result["tried"]["rows"]) + "\n")
    share = max(f["others_share"] for f in result["figures"])
    out.append(f"Other work took at most {100 * share:.0f} % of the machine during a run.\n")
    return "".join(out)


# ---- the run --------------------------------------------------------------------------------------------------------------

def raw_file(o):
    return f"{o.out}/finetune.json"


def measure_all(models, o):
    """The figures of a run; settings that were tried before stay beside them, as do the other models' figures of the same day and machine."""
    result = {"date": datetime.date.today().isoformat(), "threads": o.threads, "rounds": o.rounds, "machine": machine(o.python), "models": [],
              "figures": [], "tried": read_result(raw_file(o)).get("tried")}
    earlier = read_result(raw_file(o))
    if all(earlier.get(what) == result[what] for what in ("date", "threads", "rounds", "machine")):
        names = [model.name for model in models]
        result["models"] = [m for m in earlier["models"] if m["name"] not in names]
        result["figures"] = [f for f in earlier["figures"] if f["model"] not in names]
    for model in models:
        paths = prepare(model, o)
        tokens = count_tokens(paths, model, o)
        result["models"].append({"name": model.name, "title": model.title, "train": model.train, "valid": model.valid, "data": paths["data"],
                                 "tokens_per_row": tokens / (model.train + model.valid), "kept_mb": tokens * configuration(paths)["hidden_size"] * 4 / 1e6 if model.tune else 0})
        for k, run in itertools.product(range(o.rounds), RUNS):
            short = is_short(run)
            if not is_of(run, model) or (run.bf16 and not has_bf16()) or (o.only and run.name not in o.only) or (short and k):
                continue
            figure = measure(run, model, paths, SHORT if short else EPOCHS, o)
            result["figures"].append(figure)
            epochs = " ".join(f"{s:.2f}" for s in figure["train_seconds"])
            print(f"{model.name} round {k + 1} {run.name}: epochs {epochs} s, in all {figure['process_seconds']:.1f} s, "
                  f"{figure['peak_mb']:.0f} MB, others {100 * figure['others_share']:.0f} %", flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default=",".join(m.name for m in MODELS))
    parser.add_argument("--only", type=lambda names: names.split(","))
    parser.add_argument("--pairs", type=lambda pair: tuple(map(int, pair.split(","))))
    parser.add_argument("--out", default="docs/bench")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--bert", default="build/bert")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--try", dest="trying", action="store_true")
    o = parser.parse_args()
    if not o.show:
        need(o.bert, "run make")
        need(MINILM, "run make model")
        o.python = peers_python()
        models = [m for m in MODELS if m.name in o.models.split(",")]
        if o.pairs:
            models = [m._replace(train=o.pairs[0], valid=o.pairs[1]) for m in models]
        if o.trying:
            result = read_result(raw_file(o)) or sys.exit("--try adds to the figures of a run: there are none yet")
            result["tried"] = try_settings(models[0], o)
        else:
            result = measure_all(models, o)
        with open(raw_file(o), "w", encoding="utf-8") as f:
            f.write(json.dumps(result, indent=1) + "\n")
    result = read_result(raw_file(o)) or sys.exit(f"there is no {raw_file(o)}: run without --show first")
    fill_page(f"{o.out}/finetune.md", page(result), result["machine"])


if __name__ == "__main__":
    main()
