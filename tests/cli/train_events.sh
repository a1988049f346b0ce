# What a run tells programs, what it says of the data, what it would do.
"$BERT" import files/toy -o module >/dev/null
columns="--text-columns question1,question2 --label-column is_duplicate"
numbers='s/: -?[0-9][0-9.e+-]*/: N/g'

echo "# an object a line on standard output, nothing else there"
"$BERT" train --module module --train files/toy-train.tsv --valid files/toy-valid.tsv -o model $columns --epochs 2 --batch-size 4 --json >events 2>errors
echo "= $?"
cat errors
grep -vc '^{"event": "[a-z]*",.*}$' events
sed -E 's/^\{"event": "([a-z]*)".*/\1/' events | uniq
grep 'event": "step"' events | tail -n 1 | sed -E "$numbers"
grep 'event": "epoch"' events | sed -E "$numbers" | head -n 1
grep 'event": "end"' events | sed -E "$numbers"
grep 'event": "data"' events | sed -E "$numbers"
"$BERT" train --module module --train files/toy-train.tsv -o model --force $columns --epochs 1 --json --quiet | sed -E 's/^\{"event": "([a-z]*)".*/\1/'

echo "# a reader that went away ends the run"
"$BERT" train --module module --train files/toy-train.tsv -o gone $columns --epochs 100000 --json --no-report --no-tensorboard 2>err | head -n 1 >/dev/null
sed -E 's/[0-9]+/N/g' err

echo "# a summary of the data"
"$BERT" train --module module --train files/toy-train.tsv --valid files/toy-valid.tsv -o model --force $columns --epochs 1 2>&1 >/dev/null | sed '/^Epoch/,$d'

echo "# a part of the rows for validation"
bert train --module module --train files/toy-train.tsv --valid-split 0.25 -o split $columns --epochs 1 2>&1 | sed -E 's/(loss|accuracy): [0-9.]+/\1: N/g' | sed -n '/Epoch/,$p'
rm -r split
bert train --module module --train files/toy-train.tsv --valid-split 0.001 -o split $columns --epochs 1 --quiet
bert train --module module --train files/toy-train.tsv --valid-split 0.2 --valid files/toy-valid.tsv -o split $columns

echo "# wrong rows are left out when that is asked for"
printf 'text\tlabel\nmy card\t1\nmy pin\nget cash\t0\ntop up\t1\tmore\nmy cash\t0\n' >wrong.tsv
bert train --module module --train wrong.tsv -o skip --epochs 1 --quiet
bert train --module module --train wrong.tsv -o skip --epochs 1 --skip-bad-rows 2>&1 | grep -e note -e '^=' -e error
bert eval -m skip wrong.tsv --skip-bad-rows | sed -E "$numbers"
bert predict -m skip wrong.tsv --skip-bad-rows --format tsv | sed -E 's/^[01]	0\.[0-9]+/LABEL	N/'

echo "# a dry run tells what would happen and writes nothing"
rm -rf model
ls -A >before
bert train --module module --train files/toy-train.tsv --valid files/toy-valid.tsv -o model $columns --dry-run | sed -E 's/ +[0-9][0-9.,]*/ N/g'
"$BERT" train --module module --train files/toy-train.tsv $columns --dry-run --json >plan && sed -E "$numbers" plan
rm plan
ls -A | diff before - | grep -v -e before -e '^[0-9]' && echo "something was written"
