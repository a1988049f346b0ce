# What bert eval, and train with it, say besides their figures.
"$BERT" import files/toy -o module >/dev/null
train() {
    "$BERT" train --module module --epochs 20 --quiet --batch-size 4 --n-tune-layers 1 --learning-rate 0.01 --seq-len 12 --cache-budget 0 "$@" >/dev/null
}
printf 'text\tlabel\nmy card was lost\tcard\nget cash\tmoney\ntop up\tmoney\na new card\tcard\nmy pin\tpin\nchange the pin\tpin\n' >topics.tsv
train --train topics.tsv -o topics
long='get cash get cash get cash get cash get cash get cash get cash get cash my card was lost'

echo "# texts that are cut, and texts in windows: eval says what predict says"
printf 'text\tlabel\n%s\tmoney\n%s\tcard\nmy pin\tpin\n' "$long" "$long" >long.tsv
bert eval -m topics long.tsv >cut
grep '^!' cut
bert eval -m topics long.tsv --window 12 --stride 4 --combine max --predictions windows.jsonl >windows
grep '^!' windows
"$BERT" predict -m topics long.tsv --window 12 --stride 4 --combine max | sed -E 's/.*"scores": \{(.*)\}\}/\1/' >said
sed -E 's/.*"score_card": /"card": /; s/score_//g; s/\}$//' windows.jsonl | diff - said && echo "the same scores"
bert eval -m topics long.tsv --window 4

echo "# words"
printf 'my O\ncard B-CARD\nwas O\nlost O\n\nget O\ncash B-MONEY\n' >words.conll
train --task tokens --train words.conll -o words
{ for i in 1 2 3 4 5 6 7; do printf 'get O\ncash B-MONEY\n'; done; printf '\nmy O\ncard B-CARD\n'; } >long.conll
bert eval -m words long.conll | sed -E 's/: [0-9.e-]+,/: N,/g'
bert eval -m words long.conll --window 12 | grep -c '^!'

echo "# labels that the model does not know"
printf 'text,label\nmy pin,pin\nmy card,card\nthe weather,sun\n,\n' >unseen.csv
bert eval -m topics unseen.csv
bert eval -m topics unseen.csv --skip-bad-rows | sed -E 's/: [0-9.e-]+,/: N,/g'
"$BERT" train --module module --train topics.tsv --valid unseen.csv --skip-bad-rows --epochs 1 -o skipped 2>&1 | grep 'note'
bert train --module module --train topics.tsv --valid unseen.csv -o refused
bert freeze topics -o topics.bert --check unseen.csv --skip-bad-rows | grep -E '^!|rows'
bert freeze topics -o topics.bert --check long.tsv | grep -E '^!|rows'
printf 'text,label\nthe weather,sun\n' >none.csv
bert eval -m topics none.csv --skip-bad-rows
