#!/usr/bin/env python3
"""Damages copies of every file that the command reads (bits, cuts, insertions, runs of zeros, stretches moved) and runs the command on them.

It must end by itself with exit code 0 or 1, within a minute, without a word of a sanitizer; with 1 there is a message. Where a checksum covers the file, the
damage must be noticed, or the answer be that of the undamaged file. usage: damage.py BERT [COPIES_OF_EACH_FILE [SEED]]; $BERT_SHARED/cases gives checkpoints
in more formats."""
import collections, gzip, io, json, os, pickle, random, resource, shutil, subprocess, sys, tarfile, tempfile, types, zipfile
from concurrent.futures import ThreadPoolExecutor

BERT = os.path.abspath(sys.argv[1])
COPIES = int(sys.argv[2]) if len(sys.argv) > 2 else 20
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
FILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "files")
SHARED = os.environ.get("BERT_SHARED", os.path.join(FILES, "..", "..", "..", "shared"))
COLUMNS = ["--text-columns", "question1,question2"]
TRAIN = ["--module", "module", "--train", "train.tsv", *COLUMNS, "--label-column", "is_duplicate", "--n-tune-layers", "1", "--quiet"]


def damage(data, r):
    data = bytearray(data)
    at, n = r.randrange(len(data)), r.choice([1, 2, 4, 8, 64, 1000])
    if len(data) > 600 and r.random() < 0.5:
        at = r.randrange(600)  # headers are read with more care than weights, and are short
    kind = r.randrange(6)
    if kind == 0:
        data[at] ^= 1 << r.randrange(8)
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        data[at:at] = r.randbytes(n)
    elif kind == 3:
        data[at : at + n] = bytes(len(data[at : at + n]))
    elif kind == 4:
        data[at : at + n] = r.randbytes(len(data[at : at + n]))
    else:
        del data[at : at + n]
    return bytes(data)


def torch_file(safetensors):
    """The tensors of a safetensors file as torch.save writes them: a zip with a pickle that names its storages."""
    size = int.from_bytes(safetensors[:8], "little")
    header, data = json.loads(safetensors[8 : 8 + size]), safetensors[8 + size :]
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2():
        pass

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    torch._utils, utils._rebuild_tensor_v2 = utils, _rebuild_tensor_v2
    sys.modules["torch"], sys.modules["torch._utils"] = torch, utils

    class Storage:
        def __init__(self, key, n):
            self.id = ("storage", torch.FloatStorage, key, "cpu", n)

    class Tensor:
        def __init__(self, key, shape):
            strides, n = [], 1
            for d in reversed(shape):
                strides, n = [n, *strides], n * d
            self.parts = (Storage(key, n), 0, tuple(shape), tuple(strides), False, collections.OrderedDict())

        def __reduce__(self):
            return _rebuild_tensor_v2, self.parts

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return value.id if isinstance(value, Storage) else None

    names = [n for n in header if n != "__metadata__"]
    pickled, out = io.BytesIO(), io.BytesIO()
    Pickler(pickled, 2).dump(collections.OrderedDict((n, Tensor(str(i), header[n]["shape"])) for i, n in enumerate(names)))
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("archive/data.pkl", pickled.getvalue())
        for i, n in enumerate(names):
            z.writestr(f"archive/data/{i}", data[slice(*header[n]["data_offsets"])])
        z.writestr("archive/version", "3\n")
    del sys.modules["torch"], sys.modules["torch._utils"]
    return out.getvalue()


def run(folder, arguments, most=None):
    environment = dict(os.environ, BERT_CACHE=os.path.join(folder, "cache-of-archives"), OMP_NUM_THREADS="1")
    limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))) if most else None
    try:
        p = subprocess.run([BERT, *arguments], cwd=folder, preexec_fn=limit, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return None, b"", "no end after a minute"
    return p.returncode, p.stdout, p.stderr.decode(errors="replace")


def whole(folder, arguments):
    code, out, said = run(folder, arguments)
    if code:
        sys.exit(f"undamaged: bert {' '.join(arguments)}: {code}: {said}")
    return out


def build(folder):
    """The files to damage, each with the command that reads it, what holds its result, and whether a checksum covers it."""
    at = lambda *parts: os.path.join(folder, *parts)
    shutil.copytree(os.path.join(FILES, "toy"), at("toy"))
    shutil.copy(os.path.join(FILES, "toy-train.tsv"), at("train.tsv"))
    whole(folder, ["import", "toy", "-o", "module"])
    whole(folder, ["train", *TRAIN, "-o", "model", "--epochs", "1", "--cache", "cache"])
    for precision in "fp32", "int8":
        whole(folder, ["freeze", "model", "-o", f"{precision}.bert", "--precision", precision])
    whole(folder, ["export", "module", "--format", "hf", "-o", "hf"])
    with tarfile.open(at("module.tar.gz"), "w:gz") as tar:
        tar.add(at("module"), "module")
    rows = open(at("train.tsv"), "rb").read()
    with gzip.open(at("rows.tsv.gz"), "wb") as f:
        f.write(rows)
    open(at("rows.csv"), "wb").write(rows.replace(b"\t", b","))
    open(at("rows.jsonl"), "w").write('{"text": "how do i \\u00e9t it", "label": ["a", "b"]}\n{"text": ["a", "b"], "label": ["O", "B-X"]}\n' * 5)
    open(at("rows.conll"), "w").write("-DOCSTART- O\n\nmy O\ncard B-THING\n\nwas O\n" * 5)
    shutil.copytree(at("toy"), at("zip"))
    open(at("zip", "pytorch_model.bin"), "wb").write(torch_file(open(at("toy", "model.safetensors"), "rb").read()))
    os.unlink(at("zip", "model.safetensors"))
    predict = ["predict", "-m", "model", "train.tsv", *COLUMNS, "--chunk", "2", "-o", "rows"]
    if run(folder, predict, 1000)[0] != 1 or not os.path.exists(at("rows.part")):
        sys.exit("a full disk left no part")
    tokens = lambda name: ["tokenize", "-m", "module", name]
    resume = ["train", *TRAIN, "-o", "model", "--epochs", "2", "--resume"]
    cached = ["train", *TRAIN, "-o", "other", "--epochs", "1", "--cache", "cache"]
    weights = lambda name: lambda f: open(os.path.join(f, name, "weights.safetensors"), "rb").read()
    jobs = [(f"toy/{n}", ["import", "toy", "-o", "out"], None, False) for n in sorted(os.listdir(at("toy")))]
    jobs += [(f"hf/{n}", ["import", "hf", "-o", "out"], None, False) for n in sorted(os.listdir(at("hf"))) if os.path.isfile(at("hf", n))]
    jobs += [(f"module/{n}", ["embed", "-m", "module", "train.tsv", *COLUMNS], None, False)
             for n in ("module.json", "config.json", "vocab.txt", "model.safetensors")]
    jobs += [(f"model/{n}", ["predict", "-m", "model", "train.tsv", *COLUMNS], None, n.startswith("weights")) for n in ("model.json", "weights.safetensors")]
    jobs += [("model/checkpoint.safetensors", resume, weights("model"), True), ("model/history.json", resume, weights("model"), False)]
    jobs += [(f"cache/{n}", cached, weights("other"), True) for n in sorted(os.listdir(at("cache")))]
    jobs += [(f"{p}.bert", ["predict", "--verify", "-m", f"{p}.bert", "train.tsv", *COLUMNS], None, True) for p in ("fp32", "int8")]
    jobs += [(n, [*predict, "--resume"], lambda f: open(os.path.join(f, "rows"), "rb").read(), True) for n in ("rows.part", "rows.part.json")]
    jobs += [("zip/pytorch_model.bin", ["import", "zip", "-o", "out"], None, True)]
    jobs += [("module.tar.gz", ["embed", "-m", "module.tar.gz", "train.tsv", *COLUMNS], None, True)]
    jobs += [("rows.tsv.gz", tokens("rows.tsv.gz") + COLUMNS, None, True), ("train.tsv", tokens("train.tsv") + COLUMNS, None, False),
             ("rows.csv", tokens("rows.csv") + COLUMNS, None, False), ("rows.jsonl", tokens("rows.jsonl"), None, False),
             ("rows.conll", tokens("rows.conll"), None, False)]
    for case in sorted(os.listdir(os.path.join(SHARED, "cases"))) if os.path.isdir(os.path.join(SHARED, "cases")) else []:
        source = os.path.join(SHARED, "cases", case)
        if case not in ("tables",) and os.path.isdir(source):
            shutil.copytree(source, at("cases", case))
            if run(folder, ["import", f"cases/{case}", "-o", "tried"])[0] == 0:
                jobs += [(f"cases/{case}/{n}", ["import", f"cases/{case}", "-o", "out"], None, ".data-" in n)
                         for n in sorted(os.listdir(source)) if os.path.isfile(os.path.join(source, n))]
        shutil.rmtree(at("tried"), ignore_errors=True)
    return jobs


def look(job):
    (path, arguments, result, covered), sound, seed = job
    r = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        for name in os.listdir(sound):
            source, target = os.path.join(sound, name), os.path.join(folder, name)
            if name == path.split("/")[0] and os.path.isdir(source) or name in ("model", "cache"):
                shutil.copytree(source, target)  # what is damaged, or written to; all else is read where it is
            elif name.startswith("rows.part"):
                shutil.copy(source, target)
            elif name != "other":
                os.symlink(source, target)
        target = os.path.join(folder, path)
        data = open(target, "rb").read()
        bad = damage(data, r) if data else data
        if not bad and not data or bad == data:
            return path, "same", None
        os.unlink(target) if os.path.islink(target) else None
        with open(target, "wb") as f:
            f.write(bad)
        code, out, said = run(folder, arguments)
        where = f"{path}, seed {seed}: bert {' '.join(arguments)}"
        if code not in (0, 1) or "Sanitizer" in said or "runtime error" in said:
            return path, "failed", f"{where}: exit code {code}\n{said[-3000:]}"
        if code == 1 and "error: " not in said:
            return path, "failed", f"{where}: exit code 1 without a message"
        if code == 0 and covered:
            answer = result(folder) if result else out if arguments[0] != "import" else open(os.path.join(folder, "out", "model.safetensors"), "rb").read()
            if answer != ANSWERS[path]:
                return path, "failed", f"{where}: a checksum covers it, and another answer was given"
        return path, "refused" if code else "read", None


with tempfile.TemporaryDirectory() as sound:
    jobs = build(sound)
    ANSWERS = {}
    for path, arguments, result, covered in jobs:
        if covered:
            with tempfile.TemporaryDirectory() as folder:
                shutil.copytree(sound, folder, dirs_exist_ok=True)
                shutil.rmtree(os.path.join(folder, "other"), ignore_errors=True)
                out = whole(folder, arguments)
                imported = os.path.join(folder, "out", "model.safetensors")
                ANSWERS[path] = result(folder) if result else out if arguments[0] != "import" else os.path.exists(imported) and open(imported, "rb").read()
    counts, failures = {}, []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        every = ((job, sound, f"{SEED}/{job[0]}/{i}") for job in jobs for i in range(COPIES))
        for path, what, why in pool.map(look, every):
            counts.setdefault(path, {}).setdefault(what, 0)
            counts[path][what] += 1
            if why:
                failures.append(why)
                print(why, flush=True)
for path, count in counts.items():
    print(f"{path}: " + ", ".join(f"{n} {what}" for what, n in sorted(count.items())))
print(f"{sum(sum(c.values()) for c in counts.values())} damaged copies of {len(counts)} files: {len(failures)} failures")
sys.exit(bool(failures))
