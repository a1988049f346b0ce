# Event files are read back by TensorBoard's own package: those that tests/formats/event_file.c leaves (a run, and its continuation behind step 6), and a training's.
build=$(dirname "$BERT")
for python in "${BERT_PYTHON:-}" "$build/venv/bin/python" "$here/../../build/venv/bin/python" python3; do
    [ -n "$python" ] && "$python" -c "import tensorboard" 2>/dev/null && break
    python=
done
[ -n "$python" ] || { echo "skipped: no python with tensorboard; name one in BERT_PYTHON, or: python3 -m venv build/venv && build/venv/bin/pip install tensorboard"; exit 77; }

echo "# events as they were written"
EVENT_FOLDER=events "$build/tests/test_formats_event_file" >/dev/null 2>&1 || echo "no events"
"$python" "$here/../report/read_events.py" events 2>/dev/null

echo "# a training's, resumed: steps and epochs once each, and the options"
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module >/dev/null
for epochs in 2 3; do
    "$BERT" train --module module --train files/toy-train.tsv --valid files/toy-valid.tsv -o model $columns --epochs $epochs --batch-size 8 --n-tune-layers 1 --quiet \
        $([ $epochs = 2 ] || echo --resume)
done
"$python" "$here/../report/read_events.py" model/logs 2>/dev/null >found
awk '/^(loss|learning_rate|epoch\/loss|epoch\/val_loss|epoch\/val_accuracy) / { steps[$1] = steps[$1] " " $2 } END { for (tag in steps) print tag ":" steps[tag] }' found | sort
grep -c '^|batch_size|8|$' found
