# A token without a row in the embedding table: a text that needs one is refused by its row, whatever reads it.
cp -R files/toy theirs && chmod -R u+w theirs && echo zebra >>theirs/vocab.txt && bert import theirs -o module
printf 'text\tlabel\na card\t0\na new card\t1\n' >sound.tsv
printf 'text\tlabel\na card\t0\nthe zebra\t1\n' >none.tsv
table="--text-columns text --label-column label"
fast="--epochs 1 --max-steps 1 --quiet --no-report --pooling mean"
bert train --module module --train none.tsv $table -o model $fast
bert train --module module --train sound.tsv --valid none.tsv $table -o model $fast
rm -rf model
"$BERT" train --module module --train sound.tsv $table -o model $fast 2>/dev/null
bert freeze model -o frozen.bert
bert freeze model -o checked.bert --check none.tsv $table
bert freeze model -o checked.bert --check none.tsv --text-columns text
bert freeze module -o checked.bert --check none.tsv --text-columns text
for m in model frozen.bert; do
    bert predict -m $m none.tsv --text-columns text
    bert embed -m $m none.tsv --text-columns text --format npy -o out.npy
    bert eval -m $m none.tsv $table
done
bert embed -m module none.tsv --text-columns text --format npy -o out.npy
ls
