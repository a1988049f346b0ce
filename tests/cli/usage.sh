# Help, versions and command lines that are wrong.
bert --help
bert --version
bert freeze --help
bert help freeze | tail -n +2 >short
bert freeze -h | tail -n +2 | cmp - short && echo "help freeze, freeze -h and freeze --help are the same"

echo "# every command explains itself, and each option in it has a line"
for c in pull import inspect tokenize embed train eval predict freeze export bench; do
    "$BERT" "$c" --help >help || echo "$c --help failed"
    grep -q "^usage: bert $c " help || echo "$c: no usage"
    grep -E '^  (-., )?--' help | grep -vqE -- '--[^ ]+( [^ ]+)? {2,}[^ ]|--[^ ]+( [^ ]+)?$' && echo "$c: an option without a word"
    awk 'length > 120' help
done
echo "# defaults and ranges come from the library's tables"
"$BERT" train --help | grep -A1 -E -- '--(seq-len|tune-embeddings|batch-size) '

echo "# every option of training stands under some title, once"
"$BERT" train --help | grep -oE -- '^  (-., )?--[^ ]+' | sort | uniq -d
"$BERT" train --help | grep -E '^[a-z].*:$' | grep -v usage

echo "# wrong"
bert
bert trian
bert frobnicate
bert --frobnicate
bert help frobnicate
bert train
bert train --module m --train t
bert train --epoch 3
bert train --frobnicate
bert train --epochs
bert train --epochs 0
bert train --epochs many
bert train --epochs=3x
bert train --pooling median
bert train --no-epochs
bert train --quiet=perhaps
bert train extra
bert train --module m --train t -o o --valid v --valid-split 0.1
bert train --module m --train t -o o --valid-split 2
bert train --module m --train t -o o --task classification
bert train --module m --train t -o o --precision fp16
bert train --module m --train t -o o --frozen-precision int4
bert train --module m --train t -o o --warm-up 0.1
bert train --module m --train t -o o --lr 1e-5
bert train --module m --train t -o o --no-frozen-dropout=no
bert train -m m --train t -o o --optimizer AdamW
bert predict
bert predict -m m a b
bert predict -q
bert predict -m
bert predict --pooling mean
bert import -o m
bert freeze model
bert embed -m m --format npy
bert tokenize -m m --seq-len -3
