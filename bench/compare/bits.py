"""Whether two builds give the same numbers: what they write of the same sources, how they train, what they answer, and whether the present one reads the
other's files and says the same of them."""
import collections
import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys

from inputs import MINILM, TASKS
from numbers_of import compare_answers, compare_json, compare_npy, compare_tensors

PRECISIONS = ("fp32", "bf16", "int8")
LACKING = "no AVX512-BF16"  # the one thing that both may refuse
# refused: the words of both; differences, notes: as of Found
Row = collections.namedtuple("Row", "section what isa numbers refused differences notes")


class Refused(Exception):
    """The command said no; its last words."""


def call(build, *words, isa):
    done = subprocess.run([build.bert, *words], env=build.environment | {"BERT_ISA": isa}, capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode().splitlines()
        raise Refused(next((line for line in lines if "error:" in line), lines[-1] if lines else f"ended with {done.returncode}"))


class Comparison:
    def __init__(self, old, new, inputs, isas):
        self.old, self.new, self.inputs, self.isas, self.rows = old, new, inputs, isas, []
        self.pool = concurrent.futures.ThreadPoolExecutor(2)

    def tell(self, section, what, isa, found):
        self.add(Row(section, what, isa, found.numbers, "", found.differences, found.notes))

    def add(self, row):
        self.rows.append(row)
        words = "; ".join(row.differences[:3]) or row.refused or f"{row.numbers} numbers equal"
        print(f"{row.isa}: {row.section}: {row.what}: {words}", file=sys.stderr, flush=True)

    def both(self, section, what, isa, work, compare):
        """work(build) -> a path. The paths are compared, or both builds refuse in the same words."""
        self.judge(section, what, isa, self.side_by_side(work, work), compare)

    def side_by_side(self, *works):
        """What each gives, the first with the old build, the others with the present one: (path, words of refusal)."""
        def one(work, build):
            try:
                return work(build), None
            except Refused as refusal:
                return None, f"{build.name}: {refusal}"
        return list(self.pool.map(one, works, (self.old, *[self.new] * (len(works) - 1))))

    def judge(self, section, what, isa, outcomes, compare):
        refused = [words for _, words in outcomes if words]
        if len(refused) == 2 and all(LACKING in words for words in refused):
            self.add(Row(section, what, isa, 0, "; ".join(refused), [], []))
        elif refused:
            self.add(Row(section, what, isa, 0, "", refused, []))
        else:
            self.tell(section, what, isa, compare(*(path for path, _ in outcomes)))

    # ---- each part --------------------------------------------------------------------------------------------------------

    def files(self):
        """What both write of the checkpoint: they must agree on every instruction set, so one is enough."""
        isa = self.isas[0]

        def module(build):
            call(build, "import", MINILM, "-o", f"{build.files}/module", isa=isa)
            return f"{build.files}/module/model.safetensors"

        self.both("import, freeze", "module imported from MiniLM", isa, module, compare_tensors)
        for precision in PRECISIONS:
            def frozen(build, precision=precision):
                call(build, "freeze", f"{build.files}/module", "--precision", precision, "-o", f"{build.files}/module-{precision}.bert", isa=isa)
                return f"{build.files}/module-{precision}.bert"
            self.both("import, freeze", f"module frozen in {precision}", isa, frozen, compare_tensors)

    def answers(self, what, isa, verb, subject, texts, compare, *options):
        """Three runs: the old build on its file, the present one on its own and on the old one's."""
        ending = "npy" if compare is compare_npy else "jsonl"

        def work(build, owner, out):
            path = f"{build.files}/{out}.{ending}"
            call(build, verb, "-m", f"{owner.files}/{subject}", texts, "--format", ending, "-o", path, *options, isa=isa)
            return path

        own, given = (lambda build: work(build, build, "own")), (lambda build: work(build, self.old, "given"))
        outcomes = self.side_by_side(own, own, given)
        self.judge(f"{verb}, each from its own files", what, isa, outcomes[:2], compare)
        self.judge(f"{verb}, all from files of {self.old.name}", what, isa, outcomes[::2], compare)
        for path, _ in outcomes:
            if path:
                os.remove(path)

    def vectors(self, isa):
        for subject in ("module", *(f"module-{precision}.bert" for precision in PRECISIONS)):
            self.answers(f"{subject}: pairs", isa, "embed", subject, self.inputs.pairs, compare_npy)
            self.answers(f"{subject}: long texts", isa, "embed", subject, self.inputs.long, compare_npy)
        self.answers("module-fp32.bert: long texts in windows", isa, "embed", "module-fp32.bert", self.inputs.long, compare_npy, "--window", "96")

    def train_command(self, files, folder, task):
        """On one module: what a later import tells of the tokeniser (how a pair is cut, say) is no difference of arithmetic."""
        return ["train", "--module", f"{self.old.files}/module", "--train", self.inputs.tables[task.name], "--task", task.name, "--pooling", task.pooling,
                "--epochs", "3", "--learning-rate", "5e-5", "--seed", "7", "--valid-split", "0.2", "-o", f"{files}/{folder}", "--no-tensorboard",
                "--no-report"]

    def train(self, build, isa, files, folder, task, *options):
        call(build, *self.train_command(files, folder, task), "--quiet", *options, isa=isa)
        return f"{files}/{folder}"

    def training(self, isa):
        for task in TASKS:
            for precision in ("fp32", "bf16"):
                for dropout in ((), ("--frozen-dropout",)):
                    folder = "-".join((task.name, precision, *(("dropout",) if dropout else ())))
                    def work(build):
                        shutil.rmtree(f"{build.files}/{folder}", ignore_errors=True)
                        return self.train(build, isa, build.files, folder, task, "--precision", precision, *dropout)
                    self.both("train", f"{task.name}, {precision}{', dropout in frozen layers' if dropout else ''}", isa, work, compare_runs)

    def predictions(self, isa):
        for task in TASKS:
            texts = self.inputs.pairs if task.pair else self.inputs.texts
            for precision in PRECISIONS:
                self.both("import, freeze", f"{task.name} model frozen in {precision}", isa, lambda build: self.freeze(build, isa, task, precision), compare_tensors)
            for subject in (f"{task.name}-fp32", *(f"{task.name}-{precision}.bert" for precision in PRECISIONS)):
                self.answers(subject if subject.endswith(".bert") else f"{task.name} model", isa, "predict", subject, texts, compare_answers)

    def freeze(self, build, isa, task, precision):
        path = f"{build.files}/{task.name}-{precision}.bert"
        if os.path.exists(path):  # of the instruction set before
            os.remove(path)
        call(build, "freeze", f"{build.files}/{task.name}-fp32", "--precision", precision, "-o", path, isa=isa)
        return path

    def resumed(self, isa):
        """A run of the old build that was stopped after an epoch is ended by both, to what it gives unstopped."""
        task = TASKS[0]
        stopped = f"{self.old.files}/stopped"
        shutil.rmtree(stopped, ignore_errors=True)
        self.stop_after_an_epoch(task, isa)

        def work(build):
            folder = f"stopped-{build.name}"
            shutil.rmtree(f"{self.old.files}/{folder}", ignore_errors=True)
            shutil.copytree(stopped, f"{self.old.files}/{folder}")
            return self.train(build, isa, self.old.files, folder, task, "--resume")

        self.both("train, stopped and resumed", f"a run of {self.old.name} that was stopped, ended by both", isa, work, compare_runs)
        self.tell("train, stopped and resumed", "the same beside a run that was not stopped", isa, compare_runs(f"{self.old.files}/binary-fp32", f"{self.old.files}/stopped-{self.new.name}"))

    def stop_after_an_epoch(self, task, isa):
        command = [self.old.bert, *self.train_command(self.old.files, "stopped", task), "--json"]
        child = subprocess.Popen(command, env=self.old.environment | {"BERT_ISA": isa}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in child.stdout:
            if json.loads(line)["event"] == "epoch":
                child.send_signal(signal.SIGINT)
        child.wait()


def compare_runs(old, new):
    """Two model folders: the weights, the optimiser's means, the figures of each epoch."""
    found = [compare_tensors(f"{old}/weights.safetensors", f"{new}/weights.safetensors"),
             compare_tensors(f"{old}/checkpoint.safetensors", f"{new}/checkpoint.safetensors"),
             compare_json(f"{old}/history.json", f"{new}/history.json", "epochs", ("seconds",))]
    return type(found[0])(sum(f.numbers for f in found), [words for f in found for words in f.differences], sorted({note for f in found for note in f.notes}))


def compare_bits(old, new, inputs, isas):
    """-> rows"""
    c = Comparison(old, new, inputs, isas)
    c.files()
    for isa in isas:
        c.vectors(isa)
        c.training(isa)
        c.predictions(isa)
        c.resumed(isa)
    return c.rows
