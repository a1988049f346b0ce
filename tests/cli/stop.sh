# Ctrl-C while training: the best epoch is kept and predicts, and it says how to go on.
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module >/dev/null
$foreground "$BERT" train --module module --train files/toy-train.tsv --valid files/toy-valid.tsv -o model $columns --epochs 100000 2>log &
pid=$!
i=0
while [ ! -s model/history.json ] && [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done
kill -INT $pid
wait $pid
echo "= $?"
tail -n 2 log | sed -E "s|$BERT|bert|; s/(step|epoch) [0-9]+/\1 N/g; s/step N of [0-9]+/step N of N/"
ls model
cut -f 1,2 files/toy-valid.tsv | "$BERT" predict -m model --input-format tsv --text-columns 1,2 | wc -l | tr -d ' '
