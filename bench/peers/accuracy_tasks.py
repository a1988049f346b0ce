"""The tasks of docs/accuracy.md: where their rows come from, how they are learnt, what is measured. One row a task; the programs loop over it.

    bench/peers/accuracy_tasks.py OUT [DATA]     writes OUT/TASK-{train,valid}.jsonl (CoNLL: .conll) from DATA (default ../shared/data)
"""
import collections
import csv
import itertools
import json
import os
import sys

MODEL = ".cache/all-MiniLM-L6-v2"
DATA = "../shared/data"
WORK = "build/accuracy"
SEEDS = (1, 2, 3)
# What every task has in common. The names are those of bert train's options.
SETTING = {"n_tune_layers": 3, "batch_size": 32, "length_window": 50, "epochs": 3, "optimizer": "adamw", "learning_rate": 1e-4,
           "weight_decay": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "clip_norm": 1.0, "schedule": "linear", "warmup": 0.1}
DROPOUT = 0.1  # the module's own

# shown: the metrics of the table, by bert's names; the first one chooses the best epoch. read(DATA) gives the rows of train and valid.
Task = collections.namedtuple("Task", "name title kind shown pooling seq_len read")


def tsv(path, columns, label, header=True, most=None):
    """Rows of a table without quoting; columns and label by number."""
    with open(path, encoding="utf-8-sig", newline="") as f:
        lines = (line.rstrip("\r\n").split("\t") for line in itertools.islice(f, int(header), None if most is None else most + int(header)))
        return [row([r[c] for c in columns], label(r)) for r in lines]


def row(texts, label):
    return {**dict(zip(("text", "text_pair"), texts)), "label": label}


def field(number):
    return lambda r: r[number]


def read_qqp(data):
    return [tsv(f"{data}/qqp/{name}.tsv", (0, 1), field(2), most=most) for name, most in (("train", 6000), ("valid", None))]


def read_mrpc(data):
    return [tsv(f"{data}/mrpc/msr_paraphrase_{name}.txt", (3, 4), field(0)) for name in ("train", "test")]


def read_sst2(data):
    return [tsv(f"{data}/sst-2/{name}.tsv", (0,), field(1), most=most) for name, most in (("train", 6000), ("dev", None))]


def read_cola(data):
    parts = [tsv(f"{data}/cola/{name}.tsv", (3,), field(1), header=False) for name in ("in_domain_train", "in_domain_dev", "out_of_domain_dev")]
    return parts[0], parts[1] + parts[2]


def read_stsb(data):
    return [tsv(f"{data}/sts-b/sts-{name}.tsv", (5, 6), lambda r: float(r[4]), header=False) for name in ("train", "dev")]


def read_banking(data):
    out = []
    for name in ("train", "test"):
        with open(f"{data}/banking77/{name}.csv", encoding="utf-8", newline="") as f:
            out.append([row([r["text"]], r["category"]) for r in csv.DictReader(f)])
    return out


def read_conll(data):
    return sentences(f"{data}/conll2003/train.txt")[:6000], sentences(f"{data}/conll2003/valid.txt")


def sentences(path):
    """Rows of words and tags. A line is: word, tag, and what else there is."""
    out, words = [], []
    with open(path, encoding="utf-8") as f:
        for line in itertools.chain(f, [""]):
            parts = line.split()
            if parts and parts[0] != "-DOCSTART-":
                words.append(parts[:2])
            elif words:
                out.append({"text": [w for w, _ in words], "label": [t for _, t in words]})
                words = []
    return out


TASKS = (  # small ones first
    Task("mrpc", "MRPC", "binary", ("accuracy", "f1"), "mean", 64, read_mrpc),
    Task("stsb", "STS-B, one sequence", "regression", ("pearson", "spearman"), "mean", 64, read_stsb),
    Task("stsb-cosine", "STS-B, cosine", "similarity", ("pearson", "spearman"), "mean", 64, read_stsb),
    Task("cola", "CoLA", "binary", ("mcc",), "mean", 64, read_cola),
    Task("sst2", "SST-2", "binary", ("accuracy",), "mean", 64, read_sst2),
    Task("banking", "Banking77", "multiclass", ("accuracy", "f1_macro"), "mean", 64, read_banking),
    Task("conll", "CoNLL-2003", "tokens", ("f1",), "none", 128, read_conll),
    Task("qqp", "QQP", "binary", ("accuracy", "f1"), "mean", 64, read_qqp),
)
LABEL_RANGE = (0.0, 5.0)  # of regression and similarity: the labels that stand for 0 and 1


def data_file(folder, task, part):
    return f"{folder}/{task.name}-{part}.{'conll' if task.kind == 'tokens' else 'jsonl'}"


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        for r in rows:
            if path.endswith(".conll"):
                f.writelines("%s %s\n" % pair for pair in zip(r["text"], r["label"]))
                f.write("\n")
            else:
                f.write(json.dumps(r, ensure_ascii=False) + "\n")


def read_rows(path):
    if path.endswith(".conll"):
        return sentences(path)
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def prepare(folder, data=DATA):
    """Writes the files of every task that are not there yet."""
    os.makedirs(folder, exist_ok=True)
    for task in TASKS:
        paths = [data_file(folder, task, part) for part in ("train", "valid")]
        if all(map(os.path.exists, paths)):
            continue
        for path, rows in zip(paths, task.read(data)):
            write_rows(path, rows)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    prepare(*sys.argv[1:])
