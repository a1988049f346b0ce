# The whole way: import, train, evaluate, restore, freeze, predict.
bert import files/toy -o module
columns="--text-columns question1,question2 --label-column is_duplicate"
bert train --module module --train files/toy-train.tsv --valid files/toy-valid.tsv -o work/model $columns \
    --epochs 3 --batch-size 4 --learning-rate 0.01 --n-tune-layers 1 --seq-len 24 >log
sed -E 's/(loss|acc): [0-9.]+/\1: N/g; s/epoch [0-9]/epoch N/' log
ls work/model
bert train --module module --train files/toy-train.tsv -o quiet $columns --epochs 1 --quiet
bert train --module module --train files/toy-train.tsv -o verbose $columns --epochs 1 --verbose --pooling mean --copy-module |
    sed -E 's/(loss|acc): [0-9.]+/\1: N/g'
ls verbose

echo "# the same seed gives the same weights, another seed others"
for seed in 7 7 8; do
    "$BERT" train --module module --train files/toy-train.tsv -o seed$seed $columns --epochs 1 --seed $seed --quiet
    cksum <seed$seed/weights.safetensors >>seeds
done
uniq seeds | wc -l | tr -d ' '

echo "# metrics"
bert eval -m work/model files/toy-valid.tsv $columns | sed -E 's/: [0-9.]+,/: N,/g'

echo "# a frozen file alone predicts the same bits as the model it came from"
bert freeze work/model -o duplicate.bert
mv work module away 2>/dev/null || { mkdir away && mv module work away; }
cut -f 1,2 files/toy-valid.tsv >questions.tsv
"$BERT" predict -m away/work/model --text-columns question1,question2 questions.tsv >from-model
"$BERT" predict -m duplicate.bert --text-columns question1,question2 questions.tsv >from-frozen
cmp from-model from-frozen && wc -l <from-frozen | tr -d ' '
sed -E 's/[0-9.]{6,}/N/g' from-frozen | sort -u
bert eval -m duplicate.bert files/toy-valid.tsv $columns | sed -E 's/: [0-9.]+,/: N,/g'
"$BERT" embed -m duplicate.bert questions.tsv --text-columns 1,2 >/dev/null && echo "a frozen file embeds, too"

echo "# a module that moved away without its model"
mv away/module elsewhere
bert predict -m away/work/model questions.tsv
