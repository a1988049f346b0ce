# Every task on a small table: train, measure, predict in both formats.
"$BERT" import files/toy -o module >/dev/null
numbers='s/-?[0-9]+\.[0-9]+(e-?[0-9]+)?/N/g; s/": -?[0-9]+(e-[0-9]+)?([,}])/": N\2/g'
train() {
    bert train --module module --epochs 2 --quiet --batch-size 4 --n-tune-layers 1 --learning-rate 0.01 "$@"
}

echo "# binary: the second label is the positive one"
printf 'text\tlabel\nmy card was lost\tyes\nget cash\tno\ntop up\tno\na new card\tyes\nmy pin\tno\nthe card\tyes\n' >cards.tsv
train --task binary --train cards.tsv -o binary
bert eval -m binary cards.tsv | sed -E "$numbers"
echo 'a card' | bert predict -m binary | sed -E "$numbers; s/\"label\": \"(yes|no)\"/\"label\": \"LABEL\"/"
echo 'a card' | bert predict -m binary --format tsv | sed -E "$numbers; s/^(yes|no)	/LABEL	/"

echo "# binary with a threshold chosen on validation data"
bert train --module module --epochs 3 --task binary --train cards.tsv --valid cards.tsv --choose-threshold --watch f1 -o threshold --learning-rate 0.01 | sed -E "$numbers; s/epoch [0-9]/epoch N/" | grep -v '^!'
threshold=$("$BERT" inspect --json threshold | tr ',{}' '\n\n\n' | sed -nE 's/.*"threshold": ([0-9.e-]+).*/\1/p')
"$BERT" predict -m threshold cards.tsv | sed -E 's/.*"label": "([a-z]*)".*"yes": ([0-9.e-]+).*/\1 \2/' |
    awk -v t="$threshold" '{ if (($1 == "yes") != ($2 >= t)) wrong++; n++ } END { print n " predictions, " wrong + 0 " on the wrong side of the threshold" }'

echo "# multiclass"
printf 'text\tlabel\nmy card was lost\tcard\nget cash\tmoney\ntop up\tmoney\na new card\tcard\nmy pin\tpin\nchange the pin\tpin\n' >topics.tsv
train --train topics.tsv -o multiclass --class-weights balanced --label-smoothing 0.1 --head-hidden 8
bert eval -m multiclass topics.tsv | sed -E "$numbers"
echo 'a card' | bert predict -m multiclass | sed -E "$numbers; s/\"label\": \"[a-z]*\"/\"label\": \"LABEL\"/"

echo "# multilabel"
printf 'text\tlabel\nmy card was lost\tcard\nget cash with the card\tmoney,card\ntop up\tmoney\nmy pin\t\n' >several.tsv
train --task multilabel --train several.tsv -o multilabel
bert eval -m multilabel several.tsv | sed -E "$numbers"
echo 'a card' | bert predict -m multilabel | sed -E "$numbers; s/\"labels\": \[[^]]*\]/\"labels\": [LABELS]/"
"$BERT" predict -m multilabel several.tsv --format tsv | awk -F '\t' 'NF != 2 || split($1, a, ",") != split($2, b, ",") { print "wrong: " $0 } END { print NR " lines" }'

echo "# regression, in the unit of the labels"
printf 'text\tlabel\nmy card was lost\t-2.5\nget cash\t10\ntop up\t4\nmy pin\t7\n' >numbers.tsv
train --task regression --train numbers.tsv -o regression
bert eval -m regression numbers.tsv | sed -E "$numbers"
echo 'a card' | bert predict -m regression | sed -E "$numbers"
echo 'a card' | bert predict -m regression --format tsv | sed -E "$numbers"

echo "# similarity: two texts apart"
printf 'text\ttext_pair\tlabel\nmy card\tthe card\t5\nget cash\tmy pin\t0\ntop up\ttop up\t5\nmy pin\ta card\t1.5\n' >alike.tsv
train --task similarity --train alike.tsv --pooling mean -o similarity --label-min 0 --label-max 5
bert eval -m similarity alike.tsv | sed -E "$numbers"
echo 'a card ||| a card' | bert predict -m similarity
echo 'a card' | bert predict -m similarity

echo "# tokens: stretches of a text"
printf 'my O\ncard B-THING\nwas O\nlost O\n\n\303\251 O\nget O\na O\nnew B-THING\ncard I-THING\n\ntop O\nup O\nmy O\naccount B-PLACE\n\nwas O\nlost O\n' >words.conll
for i in 1 2 3 4 5 6 7 8; do cat words.conll; echo; done >many.conll
train --task tokens --train many.conll -o tokens --epochs 100 --learning-rate 0.005 --tune-embeddings --n-tune-layers 3
bert eval -m tokens words.conll | sed -E "$numbers"
printf '\303\251 get a new  card\nwas lost\ntop up my account\n' >texts.txt
bert predict -m tokens texts.txt | sed -E 's/0\.[0-9]+/N/g'
bert predict -m tokens --format tsv texts.txt | sed -E "$numbers"

echo "# a frozen file of each task answers as its model does"
for task in binary threshold multiclass multilabel regression tokens; do
    "$BERT" freeze $task -o $task.bert >/dev/null
    "$BERT" predict -m $task texts.txt >a && "$BERT" predict -m $task.bert texts.txt | cmp - a && echo "$task: the same"
done
"$BERT" freeze similarity -o similarity.bert >/dev/null
echo 'a card ||| a new card' | "$BERT" predict -m similarity >a && echo 'a card ||| a new card' | "$BERT" predict -m similarity.bert | cmp - a && echo "similarity: the same"

echo "# a page and a table of predictions"
bert eval -m multiclass topics.tsv --report page.html --predictions out.tsv | sed -E "$numbers"
head -n 2 out.tsv | sed -E "$numbers; s/	(card|money|pin)	(card|money|pin)	/	LABEL	LABEL	/"
wc -l <out.tsv | tr -d ' '
bert eval -m multiclass topics.tsv --predictions out.jsonl >/dev/null
wc -l <out.jsonl | tr -d ' '
grep -c '<html' page.html
bert eval -m multiclass topics.tsv --predictions out.xls
bert eval -m multiclass topics.tsv --report nowhere/page.html

echo "# what a model is"
bert inspect tokens | sed -n '/^task/,/^tuned_parameters/p'
bert inspect regression | sed -n '/^task/,/^tuned_parameters/p'
