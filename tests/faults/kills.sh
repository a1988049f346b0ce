#!/bin/bash
# Kills the command (SIGKILL) at random moments in train, predict, embed, freeze and import, starts it again as a person would, and compares what it ends
# with, bit for bit, with an undisturbed run. After each kill, what stands at -o is whole or absent.
# usage: tests/faults/kills.sh BERT [KILLS_OF_TRAINING [KILLS_OF_THE_OTHERS [SEED]]]
set -uo pipefail
bert=$(realpath "$1")
train_kills=${2:-200}
other_kills=${3:-200}
RANDOM=${4:-1}
files=$(cd "$(dirname "$0")/../files" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export BERT_CACHE=$folder/cache
failed() { echo "kills.sh: $1"; [ ! -s log ] || tail -n 5 log; exit 1; }
now() { date +%s%N; }

head -n 1 "$files/toy-train.tsv" >many.tsv
for _ in 1 2 3 4 5 6 7 8 9 10; do tail -n +2 "$files/toy-train.tsv"; done >>many.tsv
head -n 1 many.tsv >rows.tsv
for _ in $(seq 200); do tail -n +2 many.tsv; done >>rows.tsv
columns="--text-columns question1,question2"
"$bert" import "$files/toy" -o module >log 2>&1 || failed "import"
train="train --module module --train many.tsv --valid $files/toy-valid.tsv $columns --label-column is_duplicate --epochs 40 --batch-size 4 --n-tune-layers 1 --checkpoint-every 50"
train="$train --quiet"
"$bert" $train -o whole >log 2>&1 || failed "train"

# Runs a command and, until there were `limit` kills, kills it after a random part of the time that it takes whole; 0: it had ended by itself, with 0. The shell's words go to a log.
try() { # MICROSECONDS COMMAND...
    local most=$1 after pid
    shift
    if [ $kills -ge "$limit" ]; then # the last run is left alone
        "$@" >log 2>&1 || failed "ended with $?: $*"
        return 0
    fi
    after=$(((RANDOM * 32768 + RANDOM) % most))
    "$@" >log 2>&1 &
    pid=$!
    sleep "$((after / 1000000)).$(printf %06d $((after % 1000000)))"
    kill -KILL $pid 2>/dev/null
    { wait $pid; } 2>/dev/null
    local code=$?
    [ $code = 0 ] && return 0
    [ $code = 137 ] || failed "ended with $code: $*"
    kills=$((kills + 1))
    return 1
}
time_of() { # COMMAND...: microseconds, in `most`
    local start
    start=$(now)
    "$@" >log 2>&1 || failed "undisturbed: $*"
    most=$((($(now) - start) / 1000 + 1000))
}
tensors() { tail -c +$((9 + $(od -An -t u8 -N 8 "$1"))) "$1"; } # FILE: what stands behind its header, which has times in it

kills=0 runs=0 limit=$train_kills ended=0
time_of "$bert" $train -o timed
while [ $kills -lt "$limit" ] || [ $ended = 0 ]; do
    again=--force
    [ ! -e model/checkpoint.safetensors ] || again=--resume
    try $((most * 2 / 3)) "$bert" $train -o model $again && ended=1 || ended=0
    if [ -e model/model.json ] && [ -e model/weights.safetensors ]; then
        "$bert" predict -m model "$files/toy-valid.tsv" $columns >answers 2>said || { grep -q 'weights' said && [ $ended = 0 ] || { cat said; failed "after a kill the model does not answer"; }; torn=$((${torn:-0} + 1)); }
    fi
    [ $ended = 1 ] || continue
    cmp model/weights.safetensors whole/weights.safetensors || failed "train ends with other weights"
    cmp <(tensors model/checkpoint.safetensors) <(tensors whole/checkpoint.safetensors) || failed "train ends with another checkpoint"
    [ -z "$(find . -maxdepth 2 -name '*.tmp-*')" ] || failed "left behind: $(find . -maxdepth 2 -name '*.tmp-*')"
    rm -rf model
    runs=$((runs + 1))
done
echo "train: $kills kills, $runs runs that ended, all with the bits of an undisturbed one; ${torn:-0} times killed between weights and their description"

# A verb whose file or folder at OUT is made whole or not at all.
once() { # KILLS OUT COMMAND...
    local out=$2 again=
    limit=$1
    shift 2
    kills=0 runs=0 ended=0
    rm -rf "$out"
    time_of "$@" -o "$out"
    mv "$out" whole.out
    while [ $kills -lt "$limit" ] || [ $ended = 0 ]; do
        again= ended=0
        [ ! -e "$out.part.json" ] || again=--resume
        if try "$most" "$@" -o "$out" $again; then
            diff -r "$out" whole.out >log || failed "other bytes: $*"
            [ -z "$(find . -maxdepth 1 -name '*.tmp-*' -o -maxdepth 1 -name '*.part*')" ] || failed "left behind: $(ls -d ./*.tmp-* ./*.part*)"
            rm -rf "$out"
            runs=$((runs + 1)) ended=1
        elif [ -e "$out" ]; then
            diff -r "$out" whole.out >log || failed "killed, and what stands at -o is not whole: $*"
            rm -rf "$out"
        fi
    done
    rm -rf whole.out "$out"*
    echo "$2: $kills kills, $runs runs that ended, all with the bytes of an undisturbed one"
}
each=$((other_kills / 4))
once $each predictions.jsonl "$bert" predict -m whole rows.tsv $columns
once $each vectors.npy "$bert" embed -m module rows.tsv $columns --format npy
once $each frozen.bert "$bert" freeze whole
once $each imported "$bert" import "$files/toy"
