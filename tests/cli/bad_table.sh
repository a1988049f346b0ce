# Tables that are not what the command was told.
"$BERT" import files/toy -o module >/dev/null
columns="--text-columns question1,question2 --label-column is_duplicate"
train() { # what fails leaves the last good model
    rm -rf good && mv model good 2>/dev/null
    bert train --module module --epochs 1 --quiet -o model "$@"
    [ -e model ] || mv good model
}
train --train files/toy-train.tsv $columns

echo "# missing, empty, unknown"
bert predict -m model nowhere.tsv
bert eval -m model nowhere.tsv
train --train nowhere.tsv
: >empty.tsv && train --train empty.tsv $columns
head -n 1 files/toy-train.tsv >header.tsv && train --train header.tsv $columns
bert eval -m model header.tsv $columns
bert predict -m model header.tsv --text-columns 1,2
cp files/toy-train.tsv table.xyz && bert predict -m model table.xyz
bert predict -m model --input-format xml table.xyz
mkdir folder.tsv && bert predict -m model folder.tsv

echo "# columns"
bert predict -m model files/toy-train.tsv
bert predict -m model files/toy-train.tsv --text-columns question1,question3
bert predict -m model files/toy-train.tsv --text-columns 1,9
bert predict -m model files/toy-train.tsv --text-columns 1,2,3
train --train files/toy-train.tsv --text-columns question1,question2
printf 'text\tlabel\nmy card\t1\nmy pin\n' >short.tsv && train --train short.tsv
printf 'text,label\n"my card,1\n' >open.csv && train --train open.csv
printf '{"text": "my card", "label": 1}\n{"text": \n' >broken.jsonl && train --train broken.jsonl

echo "# labels"
printf 'text\tlabel\nmy card\t1\nmy pin\t0\n' >numbers.tsv
printf 'text\tlabel\nmy card\tyes\nmy pin\tno\n' >words.tsv
printf 'text\tlabel\nmy card\t1\nmy pin\t2\n' >unseen.tsv
printf 'text\tlabel\nmy card\t1\nfee\t\n' >none.tsv
train --train numbers.tsv --valid unseen.tsv
train --train numbers.tsv --valid none.tsv
train --train none.tsv
bert eval -m model words.tsv
bert eval -m model unseen.tsv
bert eval -m model none.tsv
printf 'text\tlabel\nmy card\t1\nmy pin\t1\n' >one.tsv && train --train one.tsv
train --train words.tsv && echo 'my pin' | bert predict -m model --format tsv | sed -E 's/[0-9]\.[0-9]{3,}/N/; s/(yes|no)	/LABEL	/'
