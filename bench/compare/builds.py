"""Two builds of libbert beside one another: a commit's and the present tree's, by the same compiler with the same flags."""
import collections
import glob
import os
import shutil
import subprocess
import sys

WORK = "build/compare"
# files: the folder of what this build writes. environment: of its runs where bits are compared
Build = collections.namedtuple("Build", "name source bert files environment")


def run(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: failed\n{done.stdout}")
    return done.stdout


def source_of(commit):
    """The files of a commit, in a folder of their own; no worktree, which git would go on listing."""
    folder = f"{WORK}/{commit}/source"
    if not os.path.isdir(folder):
        os.makedirs(folder + ".part", exist_ok=True)
        archive = subprocess.run(["git", "archive", commit], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", folder + ".part"], input=archive, check=True)
        os.rename(folder + ".part", folder)
    return folder


def make(name, source, threads):
    folder = f"{WORK}/{name}/build"
    ccache = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    print(f"building {name}", file=sys.stderr, flush=True)
    run(["cmake", "-G", "Ninja", "-S", source, "-B", folder, "-Wno-dev", "-DCMAKE_BUILD_TYPE=Release", "-DBERT_TESTS=OFF", "-DBERT_BENCH=OFF", *ccache])
    run(["ninja", "-C", folder, "bert"])
    files = f"{WORK}/{name}/files"
    shutil.rmtree(files, ignore_errors=True)
    os.makedirs(files)
    return Build(name, source, os.path.abspath(f"{folder}/bert"), files, {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"})


def both(commit):
    """-> the commit's build, the present one. The commit's has one thread where bits are compared: they do not depend on it."""
    name = run(["git", "rev-parse", "--short=7", commit + "^{commit}"]).strip()
    return make(name, source_of(name), 1), make("present", ".", os.cpu_count())


def lines_of(build):
    """Lines of the sources."""
    total = 0
    for path in glob.glob(f"{build.source}/src/**/*.[ch]", recursive=True):
        with open(path, "rb") as f:
            total += sum(1 for _ in f)
    return total
