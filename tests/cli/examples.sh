# The programs of examples/ do what they say, on a small model.
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module >/dev/null
"$BERT" train --module module --train files/toy-train.tsv -o model $columns --epochs 1 --quiet
"$BERT" freeze model -o frozen.bert >/dev/null

"$EXAMPLES/embed_and_predict" frozen.bert "my card was lost" "i lost my card" >said
sed -E 's/: 0\.[0-9]{4}$/: N/; s/-?[0-9]\.[0-9]{4}/N/g' said
printf 'my card was lost ||| i lost my card\n' | "$BERT" predict -m frozen.bert --format tsv | while IFS='	' read -r label score; do
    grep -q "^$label: $(printf %.4f "$score")$" said && echo "as the command says"
done
"$EXAMPLES/embed_and_predict" nowhere a b
echo "= $?"
"$EXAMPLES/embed_and_predict"
echo "= $?"

awk -F '\t' 'NR > 1 { print "g\tf\ty\t" NR "\t" 5 * $3 "\t1 2 " $1 "\t" $2 }' files/toy-train.tsv >sts.tsv
"$EXAMPLES/siamese" module sts.tsv sts.tsv similar >log
sed -E 's/[^0-9]+/ /g' log | awk '$2 >= 4 { print "the loss is above 4, the most that (cosine - score)^2 can be" }'
<log sed -E 's/-?[0-9]\.[0-9]{4}/N/g'
"$BERT" inspect similar | head -n 1
echo 'my card' | "$BERT" embed -m similar | grep -c embedding
"$EXAMPLES/siamese" nowhere sts.tsv sts.tsv similar
echo "= $?"
