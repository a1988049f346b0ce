# Full disks and folders that cannot be written: the old file or none is left, never half of one.
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module >/dev/null
"$BERT" train --module module --train files/toy-train.tsv -o model $columns --epochs 1 --quiet
"$BERT" freeze model -o old.bert >/dev/null
for i in 1 2 3 4 5 6 7 8 9; do cat files/toy-train.tsv files/toy-train.tsv files/toy-train.tsv; done >many.tsv
cp old.bert before.bert
cp -R model before

# Files may have 4 blocks of 512 bytes; the command's own output is not counted, so it goes through a pipe.
limited() (
    echo "$ bert $*"
    { ulimit -f 4 && "$BERT" "$@"; echo "= $?"; } 2>&1 | cat
)

echo "# a disk that is full"
limited import files/toy -o full
limited freeze model -o old.bert
limited train --module module --train files/toy-train.tsv -o model $columns --epochs 1 --n-tune-layers 2 --quiet --force
limited embed -m module --format npy -o out.npy many.tsv --text-columns 1 --chunk 10
limited embed -m module -o out.jsonl many.tsv --text-columns 1 --chunk 10
limited predict -m model -o scores.jsonl many.tsv --text-columns 1,2 --chunk 10
cmp old.bert before.bert && cmp model/weights.safetensors before/weights.safetensors && cmp model/model.json before/model.json && echo "the old files stand"
ls -A | grep -v -e '^\.std' -e '^\.raw'
ls -A model

echo "# a disk that fills up in the middle of a run: the last good checkpoint stays, and the run goes on from it where there is room again"
run="train --module module --train files/toy-train.tsv --valid files/toy-valid.tsv $columns --quiet --no-report --no-tensorboard --learning-rate 0.01"
"$BERT" $run -o going --epochs 2
cp -R going good
limited $run -o going --epochs 4 --resume
cmp going/checkpoint.safetensors good/checkpoint.safetensors && cmp going/weights.safetensors good/weights.safetensors && echo "the last checkpoint stands"
ls -A going
"$BERT" $run -o going --epochs 4 --resume
"$BERT" $run -o undisturbed --epochs 4
cmp going/weights.safetensors undisturbed/weights.safetensors && echo "the same weights as if nothing had happened"

echo "# standard output on a full disk"
for call in "--help" "--version" "train --help" "inspect module" "import files/toy -o module" "predict -m model many.tsv --text-columns 1,2" \
    "tokenize -m module many.tsv --text-columns 1,2" "eval -m model files/toy-valid.tsv $columns" "freeze model -o old.bert"; do
    echo "$ bert $call >/dev/full"
    "$BERT" $call 2>&1 >/dev/full
    echo "= $?"
done

echo "# standard output closed"
"$BERT" inspect module >&- 2>err
echo "= $?"
cat err

echo "# a reader that went away is told nothing"
{ "$BERT" tokenize -m module many.tsv --text-columns 1,2 --chunk 1 2>err; echo "= $?" >code; } | head -n 1 >/dev/null
cat err code

echo "# where nothing can be written"
: >file
bert import files/toy -o file/module
bert train --module module --train files/toy-train.tsv -o file/model $columns --epochs 1 --quiet
bert train --module module --train files/toy-train.tsv -o /proc/model $columns --epochs 1 --quiet
bert freeze model -o nowhere/out.bert
bert freeze model -o file/out.bert
bert embed -m module -o file/out.jsonl many.tsv --text-columns 1
bert embed -m module --format npy -o nowhere/out.npy many.tsv --text-columns 1
