#!/bin/bash
# Builds the library as a stranger would: as a subdirectory of another project, with CMake's default generator (Unix Makefiles) and -j, where what the
# tests and the benchmarks alone need is not installed. Then that those say what they need. Unoptimised, for what is tested is the build.
# usage: tests/build.sh
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
export CMAKE_GENERATOR="Unix Makefiles" CMAKE_BUILD_TYPE=Debug
failed() { cat "$root/log"; echo "$1"; exit 1; }

# A pkg-config that does not know cmocka.
cat >"$root/pkg-config" <<'SCRIPT'
#!/bin/sh
case " $* " in *cmocka*) exit 1 ;; esac
exec pkg-config "$@"
SCRIPT
chmod +x "$root/pkg-config"
export PKG_CONFIG="$root/pkg-config"

cat >"$root/CMakeLists.txt" <<PROJECT
cmake_minimum_required(VERSION 3.22)
project(user C)
add_subdirectory($source bert)
foreach(kind bert bert_static)
  add_executable(with_\${kind} main.c)
  target_link_libraries(with_\${kind} bert::\${kind})
endforeach()
PROJECT
cat >"$root/main.c" <<'PROGRAM'
#include <bert.h>
#include <string.h>
int main(void) { return strcmp(bert_version(), BERT_VERSION); }
PROGRAM
cmake -S "$root" -B "$root/build" -Wno-dev >"$root/log" 2>&1 || failed "a project that adds libbert as a subdirectory does not configure"
cmake --build "$root/build" -j 4 >"$root/log" 2>&1 || failed "a project that adds libbert as a subdirectory does not build"
"$root/build/with_bert" && "$root/build/with_bert_static" && "$root/build/bert/bert" --help >/dev/null || failed "what was built does not run"
[ ! -e "$root/build/bert/tests" ] || failed "a subdirectory builds tests that nobody asked for"

refused() { # MESSAGE OPTION...
    local message=$1
    shift
    ! cmake -S "$source" -B "$root/refused" -Wno-dev "$@" >"$root/log" 2>&1 || failed "$*: configured without what it needs"
    tr -s ' \n' ' ' <"$root/log" | grep -qF -- "$message" || failed "$*: does not say: $message"
}
refused "The tests need cmocka (Debian: libcmocka-dev). The library does without: -DBERT_TESTS=OFF" -DBERT_TESTS=ON -DBERT_BENCH=OFF
refused "The benchmarks need oneDNN (Debian: libdnnl-dev). The library does without: -DBERT_BENCH=OFF" -DBERT_TESTS=OFF -DBERT_BENCH=ON -DDNNL_LIBRARY=
cmake -S "$source" -B "$root/refused" -Wno-dev -DBERT_TESTS=OFF -DBERT_BENCH=OFF >"$root/log" 2>&1 || failed "without tests and benchmarks it still asks for what they need"
echo "built with Makefiles, as a subdirectory, without what tests and benchmarks need"
