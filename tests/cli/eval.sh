# What bert eval, and train with it, say besides their figures.
"$BERT" import files/toy -o module >/dev/null
train() {
    "$BERT" train --module module --epochs 20 --quiet --batch-size 4 --n-tune-layers 1 --learning-rate 0.01 --seq-len 12 --cache-budget 0 "$@" >/dev/null
}
printf 'text\tlabel\nmy card was lost\tcard\nget cash\tmoney\ntop up\tmoney\na new card\tcard\nmy pin\tpin\nchange the pin\tpin\n' >topics.tsv
train --train topics.tsv -o topics
figures='s/(accuracy|f1|loss) [0-9.]+ is/\1 N is/'
long='get cash get cash get cash get cash get cash get cash get cash get cash my card was lost'

echo "# texts that are cut, and texts in windows: eval says what predict says"
printf 'text\tlabel\n%s\tmoney\n%s\tcard\nmy pin\tpin\n' "$long" "$long" >long.tsv
bert eval -m topics long.tsv >cut
grep '^!' cut | sed -E "$figures"
bert eval -m topics long.tsv --window 12 --stride 4 --combine max --predictions windows.jsonl >windows
grep '^!' windows | sed -E "$figures"
"$BERT" predict -m topics long.tsv --window 12 --stride 4 --combine max | sed -E 's/.*"scores": \{(.*)\}\}/\1/' >said
sed -E 's/.*"score_card": /"card": /; s/score_//g; s/\}$//' windows.jsonl | diff - said && echo "the same scores"
bert eval -m topics long.tsv --window 4

echo "# words"
printf 'my O\ncard B-CARD\nwas O\nlost O\n\nget O\ncash B-MONEY\n' >words.conll
train --task tokens --train words.conll -o words
{ for i in 1 2 3 4 5 6 7; do printf 'get O\ncash B-MONEY\n'; done; printf '\nmy O\ncard B-CARD\n'; } >long.conll
bert eval -m words long.conll | sed -E "s/: [0-9.e-]+,/: N,/g; $figures"
bert eval -m words long.conll --window 12 | grep -c '^!'

echo "# labels that the model does not know"
printf 'text,label\nmy pin,pin\nmy card,card\nthe weather,sun\n,\n' >unseen.csv
bert eval -m topics unseen.csv
bert eval -m topics unseen.csv --skip-bad-rows | sed -E "s/: [0-9.e-]+,/: N,/g; $figures"
"$BERT" train --module module --train topics.tsv --valid unseen.csv --skip-bad-rows --epochs 1 -o skipped 2>&1 | grep 'note' | sed -E "$figures"
bert train --module module --train topics.tsv --valid unseen.csv -o refused
bert freeze topics -o topics.bert --check unseen.csv --skip-bad-rows | grep -E '^!|rows'
bert freeze topics -o topics.bert --check long.tsv | grep -E '^!|rows'
printf 'text,label\nthe weather,sun\n' >none.csv
bert eval -m topics none.csv --skip-bad-rows

echo "# a model that has learned nothing says so, after training and in an evaluation"
printf 'text\tlabel\nmy card\tcard\nmy pin\tpin\nget cash\tcard\nnew card\tcard\n' >two.tsv
"$BERT" train --module module --train two.tsv --valid two.tsv --epochs 1 --learning-rate 1e-12 -o useless --json 2>&1 | grep '"event": "note"' | grep -v batch | sed -E "$figures"
"$BERT" train --module module --train two.tsv --epochs 1 --learning-rate 1e-12 -o useless --force 2>&1 | grep 'no better' | sed -E "$figures"
printf 'text\tlabel\nmy card\tcard\nmy pin\tpin,card\nget cash\tcard\nnew card\t\n' >lists.tsv
"$BERT" train --module module --train lists.tsv --task multilabel --epochs 1 --learning-rate 1e-12 -o lists 2>&1 | grep 'no better' | sed -E "$figures"
"$BERT" train --module module --train lists.tsv --task multilabel --epochs 30 --learning-rate 0.01 -o lists --force 2>&1 | grep -c 'no better than always'
"$BERT" eval -m useless two.tsv --report page.html 2>&1 | grep -o '"baseline.*\|bert: note.*' | sed -E 's/"precision.*"answer"/"answer"/' | sed -E "$figures"
grep -c 'no better than always answering' page.html

echo "# a module of fewer layers than are tuned by default"
sed 's/"num_hidden_layers": [0-9]*/"num_hidden_layers": 1/' files/toy/config.json >config.json
mkdir one && cp files/toy/vocab.txt files/toy/model.safetensors one && mv config.json one
"$BERT" import one -o one-layer >/dev/null 2>&1
bert train --module one-layer --train topics.tsv --epochs 1 -o small 2>&1 | grep -E 'note: the model|error|= '
bert train --module one-layer --train topics.tsv --epochs 1 -o smaller --n-tune-layers 2 2>&1 | grep -E 'error|= '

echo "# pairs for a model of single texts, and the other way round"
columns="--text-columns question1,question2 --label-column is_duplicate"
train --train files/toy-train.tsv $columns -o pairs
bert predict -m pairs --text-columns question1 files/toy-valid.tsv | grep '^!'
bert eval -m topics --text-columns text,label topics.tsv | grep -E '^!.*(single|pairs)'
bert predict -m pairs files/toy-valid.tsv --text-columns question1,question2 | grep -c '^!'
bert embed -m pairs --text-columns question1 files/toy-valid.tsv 2>&1 | grep 'bert: note'
bert embed -m topics --text-columns text,label topics.tsv 2>&1 | grep 'bert: note'
bert embed -m module --text-columns text,label topics.tsv 2>&1 | grep -c 'bert: note'
train --train files/toy-train.tsv --task similarity $columns -o alike
bert embed -m alike --text-columns question1 files/toy-valid.tsv 2>&1 | grep -c 'bert: note'
bert embed -m alike --text-columns question1,question2 files/toy-valid.tsv 2>&1 | grep 'bert: note'
grep texts pairs/model.json topics/model.json
"$BERT" freeze pairs -o pairs.bert >/dev/null
echo 'one text' | bert predict -m pairs.bert | grep '^!'

echo "# a table without names of columns, read as if it had some"
printf 'my pin\tpin\nmy card\tcard\nchange the pin\tpin\n' >bare.tsv
"$BERT" eval -m topics bare.tsv --text-columns 1 --label-column 2 2>&1 | grep 'no-header'
"$BERT" eval -m topics bare.tsv --text-columns 1 --label-column 2 --no-header 2>&1 | grep -o 'no-header\|"n": [0-9]*'
printf 'how do i get cash\tx\nmy pin\ty\n' >bare-texts.tsv
bert predict -m topics bare-texts.tsv --text-columns 1 | grep '^!'
printf 'sentence\ttopic\nmy pin\tpin\n' >named.tsv
"$BERT" eval -m topics named.tsv --text-columns 1 --label-column 2 2>&1 | grep -c 'no-header'
