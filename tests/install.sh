#!/bin/bash
# Installs into an empty folder and builds a program against what is there: pkg-config shared and static, CMake's package shared and static.
# usage: tests/install.sh BUILD CC
set -euo pipefail
build=$1
cc=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

DESTDIR=$root cmake --install "$build" --prefix /opt/bert >"$root/install.log" || { cat "$root/install.log"; exit 1; }
pc=$(find "$root/opt/bert" -name libbert.pc)
lib=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*}

cat >"$root/main.c" <<'PROGRAM'
#include <bert.h>
#include <stdio.h>
#include <string.h>
int fail(void);
int fail(void) { return strcmp(bert_version(), BERT_VERSION); } /* also an inner name of the library: must not collide */
int main(void)
{
    bert_tokenizer *tokenizer = NULL;
    bert_err err;
    bert_status status = bert_tokenizer_load("/nonexistent/vocab.txt", NULL, &tokenizer, &err);
    printf("%s %s\n", bert_version(), bert_status_name(status));
    return fail() || status != BERT_ERR_IO;
}
PROGRAM
expected="$(pkg-config --modversion libbert) BERT_ERR_IO"

run() { # WHAT PROGRAM
    got=$("$2") || { echo "$1: exit status $?"; exit 1; }
    [ "$got" = "$expected" ] || { echo "$1: printed '$got', expected '$expected'"; exit 1; }
}

$cc -Wall -Werror "$root/main.c" -o "$root/shared" $(pkg-config --cflags --libs libbert)
LD_LIBRARY_PATH=$lib run "pkg-config, shared" "$root/shared"
# the archive by name, then what it needs; -lbert finds nothing left to resolve
$cc -Wall -Werror "$root/main.c" -o "$root/static" $(pkg-config --cflags libbert) "$lib/libbert.a" -Wl,--as-needed $(pkg-config --static --libs libbert)
run "pkg-config, static" "$root/static"

# The header is C++ as well, whatever stands before it.
if command -v c++ >/dev/null; then
  printf '#include <bert.h>\nint main() { bert_buffer text = bert_buffer(); bert_buffer_printf(&text, "%%d", 1); bert_buffer_free(&text); }\n' >"$root/main.cc"
  for standard in 11 20; do
    c++ -std=c++$standard -Wall -Wextra -Wpedantic -Werror "$root/main.cc" -o "$root/plus" $(pkg-config --cflags --libs libbert)
    LD_LIBRARY_PATH=$lib "$root/plus"
  done
fi

cat >"$root/CMakeLists.txt" <<'PROJECT'
cmake_minimum_required(VERSION 3.22)
project(user C)
find_package(bert 0.1 REQUIRED)
foreach(kind bert bert_static)
  add_executable(with_${kind} main.c)
  target_link_libraries(with_${kind} bert::${kind})
endforeach()
PROJECT
CC=$cc cmake -S "$root" -B "$root/cmake" -DCMAKE_PREFIX_PATH="$root/opt/bert" >"$root/cmake.log" 2>&1 &&
    cmake --build "$root/cmake" >>"$root/cmake.log" 2>&1 || { cat "$root/cmake.log"; exit 1; }
run "find_package, shared" "$root/cmake/with_bert"
run "find_package, static" "$root/cmake/with_bert_static"

[ ! -e "$build/bert" ] || "$root/opt/bert/bin/bert" --help >/dev/null

# Only bert_ names are visible, in both.
strangers=$({ nm -D --defined-only "$lib/libbert.so"; nm -g --defined-only "$lib/libbert.a"; } | awk 'NF == 3 && $3 !~ /^bert_/')
[ -z "$strangers" ] || { echo "names that do not begin with bert_:"; echo "$strangers"; exit 1; }
[ "$(nm -D --defined-only "$lib/libbert.so" | grep -c ' T bert_')" -gt 10 ] || { echo "libbert.so exports next to nothing"; exit 1; }
echo "installed, linked four ways"
