#!/bin/sh
# Runs a command test: tests/cli/NAME.sh, whose words on both outputs and exit codes must be those of tests/cli/NAME.out.
#
#     tests/cli/run.sh NAME            with BERT=build/bert unless set
#     tests/cli/run.sh --update NAME   writes NAME.out anew; read the difference before you keep it
#
# A test runs in an empty folder that holds a link `files` to tests/files. In it `bert` is the command: what it was called with stands behind "$ ",
# what it says on standard error behind "! ", and an exit code other than 0 behind "= ". A test that exits with 77 is skipped.
set -u

update=false
[ "$1" = --update ] && update=true && shift
name=$1
here=$(cd "$(dirname "$0")" && pwd)
BERT=${BERT:-$here/../../build/bert}
case $BERT in /*) ;; *) BERT=$PWD/$BERT ;; esac
[ -x "$BERT" ] || { echo "there is no $BERT: build it, or set BERT"; exit 1; }
EXAMPLES=${EXAMPLES:-$(dirname "$BERT")/examples}
SHARED=${BERT_SHARED:-$here/../../../shared}
export BERT EXAMPLES SHARED
export LC_ALL=C.UTF-8 BERT_CACHE=cache

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
ln -s "$here/../files" files

bert() {
    echo "$ bert $*"
    "$BERT" "$@" >"$folder/.stdout" 2>"$folder/.stderr"
    code=$?
    cat "$folder/.stdout"
    sed 's/^/! /' "$folder/.stderr"
    [ $code = 0 ] || echo "= $code"
    return $code
}

# What a shell starts in the background ignores Ctrl-C, and so does the command: before it, this makes it heed one.
foreground="env --default-signal=INT"

# What differs from run to run: folders, speed. Numbers keep four decimals: the last digits depend on the machine's instruction set.
normalise() {
    sed -E -e "s|$folder|DIR|g" \
        -e 's/- [0-9:]+s? [0-9]+(us|ms|s)\/sample/- TIME/' \
        -e 's/ETA: [0-9:]+s? - [0-9]+(us|ms|s).sample/ETA/' \
        -e "s|$BERT|bert|" \
        -e 's/tmp-[a-z2-7]{12}/tmp-N/; s/[0-9.]+ kB/N kB/g; s/[0-9.]+ bytes a weight/N bytes a weight/' \
        -e 's/after [0-9]+ ms/after N ms/' \
        -e 's/([0-9]\.[0-9]{4})[0-9]+/\1/g'
}

(. "$here/$name.sh") >"$folder/.raw" 2>&1
code=$?
if [ $code = 77 ]; then
    cat "$folder/.raw"
    exit 77
fi
normalise <"$folder/.raw" >"$folder/.out"
if $update; then
    cp "$folder/.out" "$here/$name.out"
    exit 0
fi
if diff -u "$here/$name.out" "$folder/.out"; then
    exit 0
fi
echo "tests/cli/$name.sh says other things than tests/cli/$name.out (left: expected, right: found)"
exit 1
