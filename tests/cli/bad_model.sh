# Modules, models and frozen files that are missing, moved, damaged or newer.
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module
"$BERT" train --module module --train files/toy-train.tsv -o model $columns --epochs 1 --quiet
"$BERT" freeze model -o frozen.bert >/dev/null
cut -f 1,2 files/toy-valid.tsv >questions.tsv
predict() {
    bert predict -m "$1" questions.tsv --text-columns 1,2
}

echo "# missing, empty, something else"
predict nowhere
mkdir empty && predict empty
: >empty.bert && predict empty.bert
predict questions.tsv
bert inspect nowhere
bert inspect questions.tsv
bert freeze nowhere -o out.bert
bert freeze frozen.bert -o again.bert
bert train --module nowhere --train files/toy-train.tsv -o out $columns
bert train --module model --train files/toy-train.tsv -o out $columns

echo "# a module that moved away"
mv module gone; predict model; mv gone module
predict model >/dev/null && echo "found again"

echo "# newer versions"
newer() { # folder, file
    rm -rf newer && cp -R "$1" newer && sed -E 's/"version": *[0-9]+/"version": 99/' "$1/$2" >"newer/$2"
    ! cmp -s "$1/$2" "newer/$2" || echo "the version did not change"
}
newer module module.json && predict newer
newer model model.json && predict newer

echo "# damaged"
for file in model.json weights.safetensors; do
    rm -rf bad && cp -R model bad && rm "bad/$file" && predict bad
    cp "model/$file" bad && head -c 50 "model/$file" >"bad/$file" && predict bad
done
head -c 3000 frozen.bert >bad.bert && predict bad.bert
rm -rf bad && cp -R module bad && head -c 3000 module/model.safetensors >bad/model.safetensors && bert embed -m bad questions.tsv --text-columns 1
rm -rf bad && cp -R module bad && rm bad/vocab.txt && bert tokenize -m bad questions.tsv --text-columns 1
rm -rf bad && cp -R model bad && sed 's/"seq_len": *[0-9]*/"seq_len": 4000/' model/model.json >bad/model.json && predict bad
rm -rf bad && cp -R model bad && sed 's/"module": *"[^"]*"/"module": 5/' model/model.json >bad/model.json && predict bad

for change in vocab.txt:s/card/cart/ config.json:s/0.1/0.2/; do
    file=${change%%:*}
    rm -rf bad && cp -R module bad && chmod -R u+w bad && sed "${change#*:}" "module/$file" >"bad/$file"
    for verb in "freeze bad -o not" "export bad -o not" "train --module bad --train files/toy-train.tsv -o not $columns"; do
        bert $verb 2>&1 | sed -E 's/[0-9a-f]{12}\.\.\./SHA.../g'
    done
done

echo "# beyond the position table, more layers than there are"
bert embed -m module --seq-len 65 questions.tsv --text-columns 1
bert predict -m model --seq-len 65 questions.tsv --text-columns 1,2
bert train --module module --train files/toy-train.tsv -o out $columns --seq-len 65
bert train --module module --train files/toy-train.tsv -o out $columns --n-tune-layers 4
bert train --module module --train files/toy-train.tsv -o out $columns --use-layers 4
bert train --module module --train files/toy-train.tsv -o out $columns --pooling none
ls out* 2>/dev/null
