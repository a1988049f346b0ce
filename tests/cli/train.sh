# The whole way: import, train, evaluate, restore, freeze, predict.
bert import files/toy -o module
columns="--text-columns question1,question2 --label-column is_duplicate"
numbers='s/(loss|accuracy): [0-9.]+/\1: N/g; s/epoch [0-9]/epoch N/; /^! no better than/d; /^! data/,/^! 1 to/d'
bert train --module module --train files/toy-train.tsv --valid files/toy-valid.tsv -o work/model $columns \
    --epochs 3 --batch-size 4 --learning-rate 0.01 --n-tune-layers 1 --seq-len 24 >log
sed -E "$numbers" log
ls work/model
bert train --module module --train files/toy-train.tsv -o quiet $columns --epochs 1 --quiet
bert train --module module --train files/toy-train.tsv -o verbose $columns --epochs 1 --verbose --pooling mean --copy-module | sed -E "$numbers"
ls verbose

echo "# a terminal sees a bar with the time left"
if command -v script >/dev/null; then
    stty_width="stty cols 100 2>/dev/null; "
    script -qec "$stty_width '$BERT' train --module module --train files/toy-train.tsv -o bar $columns --epochs 1 --batch-size 1" /dev/null </dev/null >pty
    tr '\r' '\n' <pty | sed 's/\x1b\[K//' | grep -E '^ *[0-9]+/16 ' | sed -E 's/[0-9.]+(us|ms|s)/N/g; s/: [0-9.]+/: N/g; s/\[[=>.]+\]/[BAR]/; s/^ *[0-9]+/N/' | sort -u
    tr '\r' '\n' <pty | grep -oE '16/16 \[[=>.]+\]' | head -n 1
else
    printf 'N/16 [BAR] - ETA: N - N/sample - loss: N - accuracy: N\nN/16 [BAR] - N N/sample - loss: N - accuracy: N\n'
    echo '16/16 [==============================]'
fi

echo "# the same seed gives the same weights, another seed others"
for seed in 7 7 8; do
    "$BERT" train --module module --train files/toy-train.tsv -o seed$seed --force $columns --epochs 1 --seed $seed --quiet
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
sed -E 's/[0-9.]{6,}/N/g; s/"label": "[01]"/"label": "N"/' from-frozen | sort -u
bert eval -m duplicate.bert files/toy-valid.tsv $columns | sed -E 's/: [0-9.]+,/: N,/g'
"$BERT" embed -m duplicate.bert questions.tsv --text-columns 1,2 >/dev/null && echo "a frozen file embeds, too"

echo "# other weights of a model: the last ones"
bert freeze away/work/model --weights away/work/model/checkpoint.safetensors -o last.bert
bert freeze away/work/model --weights away/module/model.safetensors -o wrong.bert

echo "# a module that moved away without its model"
mv away/module elsewhere
bert predict -m away/work/model questions.tsv
