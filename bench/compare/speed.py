"""How fast two builds are beside one another: in turns, each turn's ratio by itself, so that what else the machine does falls on both alike. What a process takes
of the processor is told beside the time by the clock: on a machine that does other work it says more."""
import collections
import json
import os
import shutil
import subprocess
import sys
import time

from builds import lines_of
from inputs import MINILM, SENTENCE

from environment import follow

PRECISIONS = ("fp32", "int8")
MODELS = ("minilm", "bert-base")
STARTS = 8
# rate: more is better. turns: [(old, new)]
Figure = collections.namedtuple("Figure", "what unit rate turns")


def timed(command, text=b""):
    """-> seconds, processor seconds, MiB at most"""
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    child.stdin.write(text)
    child.stdin.close()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)}: failed")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Race:
    def __init__(self, old, new, turns):
        self.old, self.new, self.turns, self.figures = old, new, turns, {}

    def run(self, work):
        """work(build) -> {(what, unit, rate): value}; who begins changes from turn to turn."""
        for turn in range(self.turns):
            order = (self.old, self.new) if turn % 2 == 0 else (self.new, self.old)
            values = {build.name: work(build) for build in order}
            for key in values[self.old.name]:
                self.figures.setdefault(key, []).append((values[self.old.name][key], values[self.new.name][key]))
                print(f"turn {turn + 1}: {key[0]}: {values[self.old.name][key]:.4g}, {values[self.new.name][key]:.4g} {key[1]}", file=sys.stderr, flush=True)

    def list(self):
        return [Figure(*key, turns) for key, turns in self.figures.items()]


def began_at(events):
    """When the first epoch began, or what runs once before it."""
    at, e = next((at, e) for at, e in events if e["event"] in ("frozen", "step"))
    return at - e["seconds"]


def prediction(model, texts, seconds):
    def work(build):
        command = [build.bert, "bench", "-m", f"{build.files}/{model}.bert", texts, "--seconds", str(seconds), "--seq-len", "64", "--json"]
        b = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return {(f"{model}: pairs", "a second", True): b["tokenised"]["sequences_per_second"],
                (f"{model}: pairs with tokenising", "a second", True): b["with_tokenising"]["sequences_per_second"],
                (f"{model}: one text of 16 tokens", "ms", False): b["latency_ms"]["text_of_16_tokens"]["p50"]}
    return work


def training(what, table, epochs):
    def work(build):
        out = f"{build.files}/trained"
        shutil.rmtree(out, ignore_errors=True)
        events, seconds, usage = follow([build.bert, "train", "--module", f"{build.files}/minilm", "--train", table, "-o", out, "--epochs", str(epochs),
                                                "--pooling", "cls", "--seed", "1", "--json"])
        steps = [(at, e) for at, e in events if e["event"] == "step"]
        began, ends = began_at(events), [at for at, e in events if e["event"] == "epoch"]
        last = [next(at for at, e in reversed(steps) if e["epoch"] == k + 1) for k in range(epochs)]
        figures = {(f"{what}: first epoch", "s", False): last[0] - began}
        if epochs > 1:
            figures[f"{what}: later epochs", "s", False] = sum(last[k] - ends[k - 1] for k in range(1, epochs)) / (epochs - 1)
        return figures | {(f"{what}: whole process", "s", False): seconds, (f"{what}: processor", "s", False): usage.ru_utime + usage.ru_stime,
                          (f"{what}: peak memory", "MiB", False): usage.ru_maxrss / 1024}
    return work


def process(what, command, text=b"", repeats=1):
    """The least time of a few runs."""
    def work(build):
        runs = [timed(command(build), text) for _ in range(repeats)]
        seconds, busy, memory = (min(r[k] for r in runs) for k in range(3))
        return {(what, "ms", False): 1e3 * seconds, (f"{what}: processor", "ms", False): 1e3 * busy, (f"{what}: peak memory", "MiB", False): memory}
    return work


def prepare(build, inputs, models):
    """Modules and frozen files of each build, by itself."""
    for name in models:
        source = MINILM if name == "minilm" else inputs.base
        if not os.path.isdir(f"{build.files}/{name}"):
            imported = f"{build.files}/{name}-imported"
            subprocess.run([build.bert, "import", source, "-o", imported], check=True, capture_output=True)
            shutil.copytree(imported, f"{build.files}/{name}")  # how a file was written shows in how many of its pages a fault maps
            shutil.rmtree(imported)
        for precision in PRECISIONS:
            if not os.path.exists(f"{build.files}/{name}-{precision}.bert"):
                subprocess.run([build.bert, "freeze", f"{build.files}/{name}", "--precision", precision, "-o", f"{build.files}/{name}-{precision}.bert"], check=True,
                               capture_output=True)


def compare_speed(old, new, inputs, size):
    """-> figures in turns; [(what, old, new)] that are the same each time"""
    for build in (old, new):
        prepare(build, inputs, MODELS)
    race = Race(old, new, size.turns)
    for name in MODELS:
        for precision in PRECISIONS:
            race.run(prediction(f"{name}-{precision}", inputs.pairs, size.seconds))
    race.run(training(f"training, {size.train} pairs", inputs.tables["binary"], 3))
    race.run(training(f"training, {size.short} pairs", inputs.tables["short"], 1))
    race.run(process(f"bert tokenize, {size.lines} long texts", lambda b: [b.bert, "tokenize", "-m", f"{b.files}/minilm", inputs.tables["lines"]]))
    for precision in PRECISIONS:
        race.run(process(f"start to first vector, minilm-{precision}", lambda b, p=precision: [b.bert, "embed", "-m", f"{b.files}/minilm-{p}.bert", "--threads", "1"],
                         f"{SENTENCE}\n".encode(), STARTS))
    race.run(process(f"bert embed -o, {size.pairs} pairs, minilm-int8", lambda b: [b.bert, "embed", "-m", f"{b.files}/minilm-int8.bert", inputs.pairs, "-o", f"{b.files}/vectors"]))
    fixed = [("the program `bert`, bytes", *(os.path.getsize(b.bert) for b in (old, new))), ("lines of `src/`", *(lines_of(b) for b in (old, new)))]
    return race.list(), fixed
