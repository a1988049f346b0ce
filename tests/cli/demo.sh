# What `make demo` runs, on a small model: every step of tools/demo.sh, interrupted in the middle of training.
awk 'NR == 1 { print; next } { rows = rows $0 "\n" } END { for (i = 0; i < 400; i++) printf "%s", rows }' files/toy-train.tsv >train.tsv
cp files/toy-valid.tsv valid.tsv
DATA=$PWD CHECKPOINT=$PWD/files/toy OUT=$PWD/demo NAME=toy PAUSE=0.1 \
    TRAINING="--epochs 20 --batch-size 4 --n-tune-layers 1" PAIR="my card was lost ||| i lost my card" \
    "$here/../../tools/demo.sh" >said 2>heard || cat heard
# headings, commands, and what the steps prove
grep -E '^([0-9]\. |Now |\$ |\(|[0-9]+ pred|open )' said
grep -cE '^bert: error: stopped at step [0-9]+ of 32000' heard
sed -n '/^6\./,$s/0\.[0-9]*/N/gp' said | sed 's/"label": "[01]"/"label": "N"/'
ls demo

echo "# it says what is missing"
CHECKPOINT=nowhere OUT=$PWD/demo "$here/../../tools/demo.sh"
echo "= $?"
BERT=nowhere OUT=$PWD/demo "$here/../../tools/demo.sh"
echo "= $?"
