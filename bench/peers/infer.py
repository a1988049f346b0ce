#!/usr/bin/env python3
"""Runs the same texts through libbert and its peers, in turns, and writes docs/bench/inference.md, inference.json and inference.svg.

    bench/peers/infer.py [--rounds 3] [--models minilm,bert-base] [--only NAME,...] [--threads N] [--out FOLDER] [--bert build/bert] [--show]

`make bench-peers` calls it. Rounds of the same day and machine are added to those that are there. The peers are the Python of $PYTHON, or one that is made in build/. --show writes the page from the last run's figures.
"""
import argparse
import collections
import datetime
import json
import os
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True

from environment import (WORK, MINILM, environment, fill_page, first_rows, has_bf16, machine, need, need_module, pairs_folder, peers_python, read_result,
                         program, run_timed, table)
from plot import bars

Model = collections.namedtuple("Model", "name title folder rows full seconds")
MODELS = (
    Model("minilm", "MiniLM-L6 (6 layers of 384)", MINILM, 2000, 256, 4),
    Model("bert-base", "BERT-base (12 layers of 768, random weights)", None, 400, 64, 10),
)

# pooling: of libbert; the peers pool by the mean. bf16: needs a processor that has it.
Run = collections.namedtuple("Run", "name title precision pooling bf16")
RUNS = (
    Run("torch-fp32", "PyTorch fp32, SDPA", "fp32", None, False),
    Run("onnxruntime-fp32", "ONNX Runtime fp32", "fp32", None, False),
    Run("openvino-fp32", "OpenVINO fp32", "fp32", None, False),
    Run("openvino-fp32-throughput", "OpenVINO fp32, throughput hint", "fp32", None, False),
    Run("ctranslate2-fp32", "CTranslate2 fp32", "fp32", None, False),
    Run("bert-fp32-mean", "libbert fp32, mean", "fp32", "mean", False),
    Run("bert-fp32-cls", "libbert fp32, cls", "fp32", "cls_raw", False),
    Run("torch-bf16", "PyTorch bf16 autocast", "bf16", None, True),
    Run("openvino-bf16", "OpenVINO bf16", "bf16", None, True),
    Run("bert-bf16-mean", "libbert bf16, mean", "bf16", "mean", True),
    Run("bert-bf16-cls", "libbert bf16, cls", "bf16", "cls_raw", True),
    Run("onnxruntime-int8", "ONNX Runtime int8", "int8", None, False),
    Run("openvino-int8", "OpenVINO int8", "int8", None, False),
    Run("openvino-int8-throughput", "OpenVINO int8, throughput hint", "int8", None, False),
    Run("ctranslate2-int8", "CTranslate2 int8", "int8", None, False),
    Run("bert-int8-mean", "libbert int8, mean", "int8", "mean", False),
    Run("bert-int8-cls", "libbert int8, cls", "int8", "cls_raw", False),
)
REFERENCE = "torch-fp32"  # whose vectors the others are compared with
STARTS = 3
FIRST_TEXT = "How do I save my hair from getting thin and frizzy?"
# What is compared: name in the figures, title, whether more is better.
RATES = (("tokenised_per_second", "pairs/s", True), ("texts_per_second", "with tokenising", True), ("full_per_second", "128 tokens each, /s", True),
         ("latency_ms", "16 tokens alone, ms", False))


# ---- what is run ----------------------------------------------------------------------------------------------------------

def write_texts(path, n, words):
    """Texts of so many one-token words, and the two special tokens."""
    common = "time people way day man thing woman life child world school state family student group country problem hand part place".split()
    with open(path, "w", encoding="utf-8") as f:
        for i in range(n):
            f.write(" ".join(common[(i + k) % len(common)] for k in range(words)) + "\n")


def prepare(model, o):
    """Checkpoint, the peers' files, frozen files and texts of a model -> their paths."""
    base = f"{WORK}/{model.name}"
    os.makedirs(base, exist_ok=True)
    p = {"checkpoint": model.folder or f"{base}/checkpoint", "files": f"{base}/files", "module": f"{base}/module", "pairs": f"{base}/pairs.tsv",
         "full": f"{base}/full.txt", "short": f"{base}/short.txt"}
    if not os.path.isdir(p["checkpoint"]):
        subprocess.run([o.python, program("make_bert_base.py"), MINILM, p["checkpoint"]], check=True, stdout=sys.stderr)
    p["data"], folder = pairs_folder()
    first_rows(f"{folder}/valid.tsv", p["pairs"], model.rows)
    write_texts(p["full"], model.full, 126)
    write_texts(p["short"], 64, 14)
    if not os.path.exists(f"{p['files']}/ready"):
        subprocess.run([o.python, "-B", program("prepare_peers.py"), p["checkpoint"], f"{folder}/train.tsv", p["files"]], check=True,
                       stdout=sys.stderr)
        open(f"{p['files']}/ready", "w").close()
    need_module(o.bert, p["checkpoint"], p["module"])
    for precision in ("fp32", "bf16", "int8"):
        p[precision] = f"{base}/{precision}.bert"
        subprocess.run([o.bert, "freeze", p["module"], "--precision", precision, "-o", p[precision]], check=True, stdout=sys.stderr)
    return p


def peer_command(run, p, model, o, *more):
    return [o.python, "-B", program("infer_peer.py"), "--peer", run.name, "--model", p["checkpoint"], "--files", p["files"], "--threads",
            str(o.threads), "--pairs", p["pairs"], "--rows", str(model.rows), "--full", str(model.full), *more]


def run_peer(run, p, model, o, vectors):
    out = subprocess.run(peer_command(run, p, model, o, *(["--vectors", vectors] if vectors else [])), check=True, capture_output=True,
                         text=True, env=environment(o.threads))
    return json.loads(out.stdout)


def bench(run, p, text, seq_len, seconds, o):
    command = [o.bert, "bench", "-m", p[run.precision], "--text", text, "--pooling", run.pooling, "--seq-len", str(seq_len), "--threads",
               str(o.threads), "--seconds", str(seconds), "--json"]
    if text.endswith(".tsv"):
        command += ["--text-columns", "question1,question2"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_bert(run, p, model, o, vectors):
    pairs, full, short = (bench(run, p, p[texts], seq_len, seconds, o)
                          for texts, seq_len, seconds in (("pairs", 64, model.seconds), ("full", 128, model.seconds / 2), ("short", 64, 1)))
    if vectors:
        subprocess.run([o.bert, "embed", "-m", p[run.precision], p["pairs"], "--text-columns", "question1,question2", "--seq-len", "512", "--pooling",
                        run.pooling, "--format", "npy", "-o", vectors], check=True)
    return {"tokenised_per_second": pairs["tokenised"]["sequences_per_second"], "texts_per_second": pairs["with_tokenising"]["sequences_per_second"],
            "full_per_second": full["tokenised"]["sequences_per_second"], "latency_ms": short["latency_ms"]["texts"]["p50"]}


def cosines(o, reference, vectors):
    """Mean and least cosine of two files of vectors."""
    code = ("import sys, json, numpy as np; a, b = (np.load(p).astype(np.float64) for p in sys.argv[1:]); "
            "c = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1); print(json.dumps([c.mean(), c.min()]))")
    return json.loads(subprocess.run([o.python, "-c", code, reference, vectors], check=True, capture_output=True, text=True).stdout)


def start_up(run, p, model, o):
    """Seconds from the start of a process to its first vector's end, and its peak memory: the median of a few, after one that is not counted."""
    if run.pooling:
        command = [o.bert, "embed", "-m", p[run.precision], "--pooling", run.pooling, "-o", "/dev/null"]
    else:
        command = peer_command(run, p, model, o, "--first")
    timed = [run_timed(command, FIRST_TEXT, environment(o.threads)) for _ in range(STARTS + 1)][1:]
    return {"start_seconds": statistics.median(t["seconds"] for t in timed), "start_peak_mb": statistics.median(t["peak_mb"] for t in timed)}


def measure_model(model, o, earlier):
    """One round after the other, added to those that an earlier call left (None: there are none)."""
    p = prepare(model, o)
    out = earlier or {"name": model.name, "title": model.title, "rows": model.rows, "data": p["data"], "figures": [], "extras": {}}
    runs = [r for r in RUNS if (not r.bf16 or has_bf16()) and (not o.only or r.name in o.only)]
    for k in range(o.rounds):
        for run in runs:
            new = run.name not in out["extras"]
            kept = vectors_of(model, run.name) if new and run.pooling != "cls_raw" else None
            figure = (run_bert if run.pooling else run_peer)(run, p, model, o, kept) | {"run": run.name}
            out["figures"].append(figure)
            print(model.name, f"round {k + 1}", run.name, *(f"{figure[name]:.4g} {title}" for name, title, _ in RATES), flush=True)
            if new:
                out["extras"][run.name] = extras(run, p, model, o, kept)
    return out


def vectors_of(model, name):
    return f"{WORK}/{model.name}/{name}.npy"


def extras(run, p, model, o, vectors):
    """What does not change from round to round."""
    out = start_up(run, p, model, o)
    if vectors and model.folder and os.path.exists(vectors_of(model, REFERENCE)):  # cosines of random weights say little
        out["cosine"] = cosines(o, vectors_of(model, REFERENCE), vectors)
    if run.pooling:
        out["file_mb"] = os.path.getsize(p[run.precision]) / 1e6
    return out


# ---- the page -------------------------------------------------------------------------------------------------------------

def medians(model):
    """{run: {rate: its median over the rounds}}"""
    out = {}
    for run in RUNS:
        mine = [f for f in model["figures"] if f["run"] == run.name]
        if mine:
            out[run.name] = {name: statistics.median(f[name] for f in mine) for name, *_ in RATES} | model["extras"].get(run.name, {})
    return out


def number(x, digits=3):
    return f"{x:,.0f}" if x >= 100 else f"{x:.{digits}g}"


def figures_table(model):
    seen, rows = medians(model), []
    for run in RUNS:
        m = seen.get(run.name)
        if m:
            cosine = "{:.5f} ({:.4f})".format(*m["cosine"]) if "cosine" in m else ""
            rows.append([run.title, *(number(m[name]) for name, *_ in RATES), cosine, number(1e3 * m["start_seconds"]), number(m["start_peak_mb"]),
                         number(m["file_mb"]) if "file_mb" in m else ""])
    return table(["", *(title for _, title, _ in RATES), "cosine to fp32, mean (least)", "start to first vector, ms", "peak memory then, MB",
                  "file, MB"], rows)


def ratios_table(model):
    """libbert beside the best peer of the same precision, figure by figure: above 1 is faster."""
    seen, rows = medians(model), []
    for run in RUNS:
        peers = [r.name for r in RUNS if r.precision == run.precision and not r.pooling and r.name in seen]
        if not run.pooling or run.name not in seen or not peers:
            continue
        row = [run.title]
        for name, _, more in RATES:
            best = (max if more else min)(seen[r][name] for r in peers)
            row.append(f"{seen[run.name][name] / best if more else best / seen[run.name][name]:.2f}")
        row.append(f"{min(seen[r]['start_seconds'] for r in peers) / seen[run.name]['start_seconds']:.1f}")
        rows.append(row)
    return table(["times as fast as the best peer", *(title for _, title, _ in RATES), "start"], rows)


def page(result):
    out = [f"{result['date']}, {result['threads']} threads, in turns, medians of the rounds. "
           + "; ".join(f"{k} {v}" for k, v in result["machine"].items()) + ".\n\n"]
    for model in result["models"]:
        counts = collections.Counter(f["run"] for f in model["figures"]).values()
        rounds = " to ".join(str(n) for n in sorted({min(counts), max(counts)}))
        out.append(f"### {model['title']}: {model['rows']} pairs ({model['data']}), {rounds} rounds of each engine\n\n{figures_table(model)}\n{ratios_table(model)}\n")
    return "".join(out)


def plot(result):
    panels = []
    for model in result["models"]:
        seen = medians(model)
        panels.append((f"{model['title']}: pairs/s, {result['threads']} threads",
                       [(run.title, seen[run.name]["tokenised_per_second"], bool(run.pooling)) for run in RUNS if run.name in seen]))
    return bars(panels)


# ---- the run --------------------------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default=",".join(m.name for m in MODELS))
    parser.add_argument("--only", type=lambda names: names.split(","))
    parser.add_argument("--out", default="docs/bench")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--bert", default="build/bert")
    parser.add_argument("--show", action="store_true")
    o = parser.parse_args()
    raw = f"{o.out}/inference.json"
    if not o.show:
        need(o.bert, "run make")
        need(MINILM, "run make model")
        o.python = peers_python()
        result = {"date": datetime.date.today().isoformat(), "threads": o.threads,
                  "machine": machine(o.python, ("torch", "onnxruntime", "openvino", "ctranslate2")), "models": []}
        earlier = read_result(raw)
        if all(earlier.get(what) == result[what] for what in ("date", "threads", "machine")):
            result["models"] = earlier["models"]
        for model in MODELS:
            if model.name in o.models.split(","):
                found = next((m for m in result["models"] if m["name"] == model.name), None)
                measured = measure_model(model, o, found)
                if not found:
                    result["models"].append(measured)
                with open(raw, "w", encoding="utf-8") as f:
                    f.write(json.dumps(result, indent=1) + "\n")
    need(raw, "run without --show first")
    result = read_result(raw)
    with open(f"{o.out}/inference.svg", "w", encoding="utf-8") as f:
        f.write(plot(result))
    fill_page(f"{o.out}/inference.md", page(result), result["machine"])


if __name__ == "__main__":
    main()
