# Tables as people have them: what is read, what is told, what is refused.
C="$SHARED/cases"
[ -d "$C" ] || { echo "no cases in $SHARED: skipped"; exit 77; }
ln -s "$C" cases
t=cases/tables
"$BERT" import cases/plain -o plain >/dev/null 2>&1
train() {
    bert train --module plain --n-tune-layers 1 --seq-len 16 --epochs 2 --batch-size 1 --force "$@" 2>&1 | grep -e '^\$' -e 'bert:' -e '^=' | grep -v 'stand once' | sed -E 's|loss [0-9.]+ is|loss N is|'
}
labels() { "$BERT" inspect "$1" | sed -n '/^task/p;/^labels/p'; }

echo "# bytes that are not UTF-8"
train --train $t/cp1252.csv -o m1
train --train $t/label-latin1.csv -o m1
bert train --module plain --n-tune-layers 1 --seq-len 16 --epochs 2 --quiet --train $t/cp1252-as-utf8.csv -o utf8
for v in eval predict embed tokenize bench; do bert $v -m utf8 $t/cp1252.csv 2>&1; done
bert freeze utf8 -o f.bert --check $t/cp1252.csv
bert freeze utf8 -o f.bert --check $t/cp1252.csv --encoding cp1252 | grep -e '^\$' -e same
bert train --module plain --n-tune-layers 1 --seq-len 16 --epochs 2 --quiet --train $t/cp1252.csv --encoding cp1252 -o m1
cmp utf8/weights.safetensors m1/weights.safetensors && echo "the same weights"
bert train --module plain --n-tune-layers 1 --seq-len 16 --epochs 2 --quiet --train $t/utf16.csv -o m2
cmp utf8/weights.safetensors m2/weights.safetensors && echo "the same weights"
"$BERT" predict -m utf8 $t/cp1252-as-utf8.csv >a
"$BERT" predict -m utf8 $t/utf16.csv | cmp - a && echo "the same"
gzip -c $t/cp1252.csv >c.csv.gz && "$BERT" predict -m utf8 c.csv.gz --encoding windows-1252 | cmp - a && echo "the same"
bert embed -m utf8 $t/label-latin1.csv --encoding utf-8-drop | wc -l | tr -d ' '

echo "# labels"
train --train $t/one-hot.jsonl -o m3
train --train $t/one-hot.jsonl --label-names a,b,c -o m3 && labels m3
printf 'text,a,b\nthe cat,1,0\nbad film,1,1\ngood,0,0\n' >columns.csv
train --train columns.csv --label-column a,b --task multilabel -o m4 && labels m4
train --train $t/label-blank.csv -o m5 && labels m5
printf 'text,label\nthe cat,1.0\nbad film,0\n' >numbers.csv
printf '{"text": "the cat", "label": 1}\n\n{"text": "bad film", "label": 0.0}\n' >numbers.jsonl
train --train numbers.csv -o m6 && labels m6
bert eval -m m6 numbers.jsonl | sed 's/loss.*/.../'
printf '{"text": "the cat", "label": true}\n{"text": "bad film", "label": false}\n' >truths.jsonl
bert eval -m m6 truths.jsonl
train --train truths.jsonl -o m7 && labels m7
printf 'text\tlabel\nthe cat\tTrue\nbad film\tFALSE\n' >truths.tsv
bert eval -m m7 truths.tsv | sed 's/loss.*/.../'

echo "# words and tags"
train --train $t/line-number.conll -o m8
train --train $t/tab-words.conll -o m8 && labels m8
printf 'the O\ncat S-PER\n\nthe B-PER\ncat E-PER\n' >bioes.conll
train --train bioes.conll -o m9 && labels m9
printf 'the O\ncat B-LOC\n' >unknown.conll
bert eval -m m9 unknown.conll
printf 'text,label\nthe cat,O S-PER\nbad film,B-PER E-PER\n' >tags.csv
train --train tags.csv --task tokens -o m9 && labels m9
bert eval -m m9 tags.csv 2>&1 | grep -c BIO
train --train tags.csv --word-tags -o m9 && labels m9
printf 'text,label\nthe cat,O PER O\n' >tags.csv
bert eval -m m9 tags.csv
printf '{"text": "the cat sat", "label": [[4, 7, "PER"]]}\n{"text": "the film", "label": []}\n' >spans.jsonl
train --train spans.jsonl -o m10 && labels m10
printf '1\tthe\tO\n2\tcat\tB-PER\n' >counted.conll
train --train counted.conll -o m11
train --train counted.conll --text-columns 2 -o m11 && labels m11

echo "# fields"
train --train $t/pandas.tsv -o m12
train --train $t/pandas.tsv --quoting csv -o m12
bert tokenize -m plain $t/pandas.tsv --quoting csv | sed -n 2p | cut -c 1-46
printf 'text,label\n"the ""cat""\tsat\nbad\\film",neg\ngood film,"pos\tall"\n' >odd.csv
"$BERT" train --module plain --n-tune-layers 1 --seq-len 16 --epochs 2 --quiet --train odd.csv -o odd
bert eval -m odd odd.csv --predictions odd.tsv | sed 's/loss.*/.../'
cut -f 1,2 odd.tsv
bert eval -m odd odd.tsv --quoting backslash | sed 's/loss.*/.../'
"$BERT" predict -m odd odd.csv >a && "$BERT" predict -m odd odd.tsv --quoting backslash | cmp - a && echo "the same"
"$BERT" predict -m odd odd.csv --format tsv | awk -F '\t' 'NF != 2 { print "wrong: " $0 } END { print NR " lines" }'
