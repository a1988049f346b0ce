#!/bin/bash
# Runs each fuzz target of a libFuzzer build for some seconds. It starts from tests/corpus and keeps what it finds under BUILD/corpus.
# usage: tools/fuzz.sh BUILD SECONDS
set -euo pipefail
build=$1
seconds=$2
for target in "$build"/tests/fuzz_*; do
    [ -f "$target" ] && [ -x "$target" ] || continue
    name=${target##*/fuzz_}
    mkdir -p "$build/corpus/$name"
    echo "== $name, $seconds s"
    "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$build/corpus/$name-crash-" "$build/corpus/$name" "tests/corpus/$name"
done
