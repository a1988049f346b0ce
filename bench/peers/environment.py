"""What the programs of this folder stand on: the Python with the peers in it, the data, the machine's description, a page's generated part."""
import itertools
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = "build/peers-venv"
WORK = "build/peers"
MINILM = ".cache/all-MiniLM-L6-v2"
# Folders of train.tsv and valid.tsv; the first that is there.
DATA = (("QQP", "../shared/data/qqp"), ("pairs of Banking77", "examples/banking"))
# A request of libc to keep freed memory instead of giving it back: PyTorch allocates its activations anew in every step.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "4000000000", "MALLOC_MMAP_THRESHOLD_": "4000000000", "MALLOC_TOP_PAD_": "268435456"}


def peers_python():
    """A Python that has the peers: $PYTHON, or one that is made in build/ from requirements.txt."""
    if os.environ.get("PYTHON"):
        return os.environ["PYTHON"]
    python = f"{VENV}/bin/python"
    ready = f"{VENV}/ready"
    if not os.path.exists(ready):
        venv.create(VENV, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", f"{HERE}/requirements.txt"], check=True)
        open(ready, "w").close()
    return python


def program(name):
    return os.path.join(HERE, name)


def environment(threads, **more):
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true",
            "PYTHONDONTWRITEBYTECODE": "1", **more}


def need(path, words):
    if not os.path.exists(path):
        sys.exit(f"there is no {path}: {words}")


def need_module(bert, source, folder):
    if not os.path.exists(folder):
        subprocess.run([bert, "import", source, "-o", folder], check=True, stdout=sys.stderr)


def pairs_folder():
    """The title and the folder of the pairs that all programs read."""
    return next((title, folder) for title, folder in DATA if os.path.isdir(folder))


def first_rows(source, out, n):
    with open(source, encoding="utf-8") as f, open(out, "w", encoding="utf-8") as g:
        g.writelines(itertools.islice(f, n + 1))  # and the header


def run_timed(command, text, env):
    """Runs a command that reads a text -> its seconds and its peak memory."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    child.stdin.write((text + "\n").encode())
    child.stdin.close()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)}: failed")
    return {"seconds": time.monotonic() - start, "peak_mb": usage.ru_maxrss * 1024 / 1e6}


# ---- the machine ----------------------------------------------------------------------------------------------------------

def processor_flags():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        found = re.search(r"^flags\s*:(.*)$", f.read(), re.MULTILINE)
    return set(found.group(1).split()) if found else set()


def has_bf16():
    return bool(processor_flags() & {"avx512_bf16", "amx_bf16"})


def machine(python, packages=("torch", "transformers")):
    """Facts of this machine and of the peers, as text by name."""
    out = subprocess.run(["lscpu", "-J"], check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
    cpu = {row["field"].rstrip(":"): row["data"] for row in flatten(json.loads(out)["lscpu"])}
    code = ("import json, platform, sys; from importlib.metadata import version; "
            "print(json.dumps({'Python': platform.python_version(), **{name: version(name) for name in sys.argv[1:]}}))")
    versions = json.loads(subprocess.run([python, "-c", code, *packages], check=True, capture_output=True, text=True).stdout)
    with open("/proc/meminfo", encoding="utf-8") as f:
        memory = int(re.search(r"MemTotal:\s*(\d+)", f.read()).group(1)) / 1024 / 1024
    wide = [name for name in ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8") if name in processor_flags()]
    return {"processor": f"{cpu['Model name']}, family {cpu.get('CPU family')} model {cpu.get('Model')}, {cpu['CPU(s)']} cores "
                         f"({', '.join(wide)}); L2 {cpu.get('L2 cache') or cpu.get('L2')}, L3 {cpu.get('L3 cache') or cpu.get('L3')}",
            "memory": f"{memory:.0f} GiB", "system": f"Linux {platform.release().split('-')[0]}, {distribution()}",
            **versions}


def flatten(rows):
    for row in rows:
        yield row
        yield from flatten(row.get("children", []))


def distribution():
    with open("/etc/os-release", encoding="utf-8") as f:
        found = re.search(r'^PRETTY_NAME="?([^"\n]*)', f.read(), re.MULTILINE)
    return found.group(1) if found else "unknown"


# ---- pages ----------------------------------------------------------------------------------------------------------------

def fill_page(path, text, on=None):
    """Puts text between the marks <!-- figures --> and <!-- end of figures --> of a page; the rest was written by hand and stays. on: the machine, whose
    kind has a heading of its own there: the figures of other kinds stay, too."""
    with open(path, encoding="utf-8") as f:
        page = f.read()
    marks = re.compile(r"(<!-- figures -->\n)(.*)(<!-- end of figures -->)", re.DOTALL)
    found = marks.search(page)
    if not found:
        sys.exit(f"{path} has no place for figures")
    if on:
        heading = f"## {on['processor'].split(';')[0]}\n\n"
        kinds = [kind for kind in re.split(r"^(?=## )", found.group(2), flags=re.MULTILINE) if kind.strip()]
        others = [kind for kind in kinds if not kind.startswith(heading)]
        text = "".join([*others, heading + text.rstrip("\n") + "\n\n"])
    with open(path + ".part", "w", encoding="utf-8") as f:
        f.write(marks.sub(lambda m: m.group(1) + text + m.group(3), page))
    os.replace(path + ".part", path)


def table(head, rows):
    """Markdown; the first column is text, the others are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


# ---- runs and their figures -----------------------------------------------------------------------------------------------

def follow(command, env=None):
    """Runs a command that prints an object a line -> [(seconds since the start, object)], seconds in all, its rusage."""
    start, events = time.monotonic(), []
    with tempfile.TemporaryFile("w+", encoding="utf-8") as messages:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages, text=True, env=env)
        for line in child.stdout:
            events.append((time.monotonic() - start, json.loads(line)))
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        if status:
            messages.seek(0)
            sys.exit(f"{' '.join(command)}: failed\n{messages.read()}")
    return events, seconds, usage


def read_result(path):
    """Of earlier runs; empty before the first."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        return json.load(f)
