#!/bin/bash
# The whole way once, on real data: import, train (interrupted once), evaluate, restore, freeze, predict. Called by `make demo` (questions to a bank) and by
# examples/qqp.sh (Quora's question pairs), which say otherwise by these variables:
#   DATA      folder of train.tsv and valid.tsv: question1, question2, is_duplicate
#   OUT       folder to write; NAME: of the frozen file in it
#   TRAINING  options of bert train
#   PAIR      what is typed at the end
#   PAUSE     seconds between the first epoch and the interruption
#   BERT, CHECKPOINT
set -euo pipefail
cd "$(dirname "$0")/.."
BERT=${BERT:-build/bert}
CHECKPOINT=${CHECKPOINT:-.cache/all-MiniLM-L6-v2}
DATA=${DATA:-examples/banking}
OUT=${OUT:-demo}
NAME=${NAME:-banking}
TRAINING=${TRAINING:---pooling mean --epochs 3 --learning-rate 1e-4}
PAIR=${PAIR:-How do I change my PIN? ||| Where can I set a new PIN?}
PAUSE=${PAUSE:-2}
read -ra training <<<"$TRAINING"
texts=(--text-columns "question1,question2")
columns=("${texts[@]}" --label-column is_duplicate)

bold='' plain=''
[ -t 1 ] && bold=$'\033[1m' plain=$'\033[0m'

step() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}
run() { # shows a command, then runs it
    printf '$ %s\n' "$*"
    "$@"
}
predict_into() { # MODEL, FILE
    printf '$ %s\n' "$BERT predict -m $1 $DATA/valid.tsv ${texts[*]} >$2"
    "$BERT" predict -m "$1" "$DATA/valid.tsv" "${texts[@]}" >"$2"
}

mkdir -p "$OUT"
[ -x "$BERT" ] || { echo "there is no $BERT: run make"; exit 1; }
[ -d "$CHECKPOINT" ] || { echo "there is no $CHECKPOINT: run make model"; exit 1; }

step "1. A published checkpoint becomes a module"
run "$BERT" import "$CHECKPOINT" -o "$OUT/module"
printf '$ %s\n' "$BERT inspect $OUT/module | head -n 30"
"$BERT" inspect "$OUT/module" | sed -n 1,30p

step "2. The module learns from $(($(wc -l <"$DATA/train.tsv") - 1)) pairs of questions whether two ask the same"
learning=("$BERT" train --module "$OUT/module" --train "$DATA/train.tsv" --valid "$DATA/valid.tsv" "${columns[@]}" "${training[@]}" -o "$OUT/model")
rm -rf "$OUT/model"
printf '$ %s\n' "${learning[*]}"
"${learning[@]}" &
pid=$!
trap 'kill $pid 2>/dev/null' EXIT
while kill -0 $pid 2>/dev/null && [ ! -e "$OUT/model/history.json" ]; do sleep 0.2; done
sleep "$PAUSE"
kill -TERM $pid 2>/dev/null && echo "(the demo sends SIGTERM here, in the middle of an epoch)" || true
status=0
wait $pid || status=$?
trap - EXIT

if [ $status -ne 0 ]; then
    step "3. It was interrupted; with --resume it goes on as if nothing had happened"
    run "${learning[@]}" --resume
else
    step "3. This machine was done before it could be interrupted"
fi
echo "open $OUT/model/report.html in a browser; tensorboard --logdir $OUT/model/logs shows the curves, too"

step "4. The model, restored by a new process, is as good as when it was saved"
run "$BERT" eval -m "$OUT/model" "$DATA/valid.tsv" "${columns[@]}" | tee "$OUT/eval.json"
accuracy=$(grep -oE '"accuracy": [0-9.]+' "$OUT/eval.json" | head -n 1 | cut -d ' ' -f 2) # the model's; the baseline's comes behind it
grep -q "accuracy\": $accuracy" "$OUT/model/history.json" || { echo "its accuracy is not in $OUT/model/history.json"; exit 1; }

step "5. One file with everything that prediction needs; it predicts the same bits"
run "$BERT" freeze "$OUT/model" -o "$OUT/$NAME.bert"
predict_into "$OUT/model" "$OUT/from-model.jsonl"
predict_into "$OUT/$NAME.bert" "$OUT/from-frozen.jsonl"
run cmp "$OUT/from-model.jsonl" "$OUT/from-frozen.jsonl"
echo "$(wc -l <"$OUT/from-frozen.jsonl") predictions, all the same"
echo "A quarter of the size, and faster; what that costs is measured on the same data:"
run "$BERT" freeze "$OUT/model" --precision int8 -o "$OUT/$NAME-int8.bert" --check "$DATA/valid.tsv" "${columns[@]}"

step "6. Do these two ask the same?  1: yes, 0: no"
printf '$ %s\n' "echo '$PAIR' | $BERT predict -m $OUT/$NAME.bert"
echo "$PAIR" | "$BERT" predict -m "$OUT/$NAME.bert"

step "Now yours: put two texts and a label in each line of a file, name the columns in its first line, and type"
cat <<END
$BERT train --module $OUT/module --train YOURS.tsv --text-columns FIRST,SECOND --label-column LABEL -o YOURS
$BERT predict -m YOURS
END
