# A run that is stopped, or killed, goes on to the same bits as one that was left alone.
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module >/dev/null
head -n 1 files/toy-train.tsv >many.tsv
for i in 1 2 3 4 5 6 7 8 9 10; do tail -n +2 files/toy-train.tsv; done >>many.tsv
options="--module module --train many.tsv --valid files/toy-valid.tsv $columns --epochs 120 --batch-size 4 --learning-rate 0.001 --n-tune-layers 1"
train() { "$BERT" train $options "$@"; }
finish() { # PID: waits for it without the shell's words
    wait "$1" 2>/dev/null
}
wait_for() { # FILE WORDS
    i=0
    while ! grep -qs -e "$2" "$1" && [ $i -lt 1200 ]; do sleep 0.05; i=$((i + 1)); done
}
tensors() { # FILE: what stands behind a safetensors file's header, which has times and options in it
    tail -c +$((9 + $(od -An -t u8 -N 8 "$1"))) "$1"
}
same() { # FOLDER
    cmp "$1/weights.safetensors" whole/weights.safetensors
    tensors whole/checkpoint.safetensors >theirs
    tensors "$1/checkpoint.safetensors" | cmp - theirs
    for folder in whole "$1"; do
        sed -n '/"epochs": \[/,/\]/p' "$folder/history.json" | grep -v second >history-$(ls | grep -c ^history-)
    done
    cmp history-0 history-1 && wc -l <history-0 | awk '$1 < 40 { print "too few lines" }'
    rm history-*
    echo "compared"
}
train -o whole --quiet

echo "# SIGTERM: the step is finished, a checkpoint written, and it says how to go on"
$foreground "$BERT" train $options -o "it's stopped" --no-report 2>log &
pid=$!
wait_for "it's stopped/history.json" '"epoch": 2'
kill -TERM $pid
finish $pid
echo "= $?"
tail -n 2 log | sed -E "s|$BERT|bert|; s/step [0-9]+ of/step N of/; s/epoch [0-9]+ of/epoch N of/"
ls "it's stopped"
sh -c "$(sed -n 's/^go on with: //p' log)" >said 2>log2
echo "= $?"
sed -E 's/(loss|accuracy): [0-9.]+/\1: N/g; s/epoch [0-9]+/epoch N/' said
same "it's stopped"

echo "# Ctrl-C twice ends at once"
$foreground "$BERT" train $options -o twice --epochs 100000 --no-report --no-tensorboard --quiet &
pid=$!
wait_for twice/history.json '"epoch": 1'
kill -STOP $pid
kill -INT $pid
kill -TERM $pid
kill -CONT $pid
finish $pid
[ $? -gt 128 ] && echo "a signal ended it"

echo "# kill -9: what was done since the last checkpoint is done again"
$foreground "$BERT" train $options -o killed --quiet --no-report --checkpoint-every 7 &
pid=$!
wait_for killed/history.json '"epoch": 3'
kill -KILL $pid
finish $pid
train -o killed --quiet --no-report --checkpoint-every 7 --resume
echo "= $?"
same killed

echo "# a run that is over, and one that never began"
train -o whole --quiet --resume
echo "= $?"
bert train --module module --train many.tsv $columns -o nowhere --resume --quiet

echo "# a run goes on with the same data and options alone"
"$BERT" train --module module --train many.tsv $columns --epochs 1 -o once --quiet
bert train --module module --train files/toy-train.tsv $columns --epochs 1 -o once --quiet --resume
bert train --module module --train many.tsv $columns --epochs 1 -o once --quiet --resume --learning-rate 0.5 --batch-size 7
bert train --module module --train many.tsv $columns --epochs 1 -o once --quiet --resume --n-tune-layers 1
bert train --module module --train many.tsv --valid files/toy-valid.tsv $columns --epochs 1 -o once --quiet --resume

echo "# two runs cannot write one folder at once"
$foreground "$BERT" train $options -o busy --epochs 100000 --no-report --no-tensorboard --quiet 2>/dev/null &
pid=$!
wait_for busy/history.json '"epoch": 1'
bert train --module module --train many.tsv $columns --epochs 1 -o busy --quiet 2>&1 | sed "s/$pid/PID/"
kill -KILL $pid
finish $pid
"$BERT" train --module module --train many.tsv $columns --epochs 1 -o busy --quiet --force && echo "the lock of a process that is gone holds nobody back"
ls -A busy | grep lock
