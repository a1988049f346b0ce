# Data and runs that cannot go well: told before, or where it happens, with advice.
"$BERT" import files/toy -o module >/dev/null
columns="--text-columns question1,question2 --label-column is_duplicate"
plain='/^! data/,/^! 1 to/d; /^! Epoch/,$d; s/(loss|accuracy): [0-9.]+/\1: N/g'
train() {
    rm -rf model
    bert train --module module --epochs 1 --quiet -o model "$@"
}

echo "# a loss that is not finite"
train --train files/toy-train.tsv $columns --learning-rate 1e30 --epochs 50 --batch-size 4

echo "# a weight that no norm can be computed of, after the only step: what stands at -o stays as it is"
train --train files/toy-train.tsv $columns --learning-rate 1e-3 --batch-size 64
cksum model/model.json model/weights.safetensors >before
bert train --module module --epochs 1 --quiet -o model --force --train files/toy-train.tsv $columns --learning-rate 1e30 --batch-size 64
cksum model/model.json model/weights.safetensors | cmp - before && echo "as they were"

echo "# no better than always the same answer, on the bar of the epoch"
"$BERT" train --module module --epochs 1 -o useless --train files/toy-train.tsv $columns --valid files/toy-train.tsv --learning-rate 1e-12 2>&1 |
    sed -nE '/val_loss/s/.* - (val_accuracy.*)/\1/p'

echo "# the module's own folder"
bert train --module module --train files/toy-train.tsv $columns --quiet -o module
ls module | grep -c -e model.json -e checkpoint

echo "# labels"
printf 'text\tlabel\nmy card\tone\nget cash\ttwo\ntop up\ttwo\na new card\ttwo\n' >single.tsv
rm -rf model
bert train --module module --epochs 1 -o model --train single.tsv 2>&1 | sed -E "$plain"
train --train single.tsv --valid-split 0.5
printf 'text\tlabel\nmy card\tone\nget cash\tone\n' >equal.tsv
train --train equal.tsv
train --train equal.tsv --task regression
printf 'text\tlabel\nmy card\tthree\n' >unseen.tsv
train --train single.tsv --valid unseen.tsv
train --train single.tsv --task regression
train --train single.tsv --task binary --class-weights one=2,three=1
train --train single.tsv --class-weights one=x
printf 'text\tlabel\nmy card\t3\nget cash\t3\n' >flat.tsv
train --train flat.tsv --task regression
printf 'text\tlabel\nmy card\ttwo\nget cash\tthree\ntop up\tone\n' >three.tsv
train --train three.tsv --task binary
train --train three.tsv --task similarity
train --train three.tsv --task tokens
train --train three.tsv --watch frobnication --valid three.tsv

echo "# texts"
printf 'text\tlabel\n\tone\n\ttwo\n' >empty.tsv
train --train empty.tsv
printf 'text\tlabel\nmy card\tone\n\ttwo\ntop up\ttwo\n' >partly.tsv
rm -rf model
bert train --module module --epochs 1 -o model --train partly.tsv 2>&1 | sed -E "$plain"

echo "# a batch that is larger than the data"
rm -rf model
bert train --module module --epochs 1 -o model --train three.tsv --batch-size 1000 2>&1 | sed -E "$plain"

echo "# a threshold needs two sides and validation data"
train --train three.tsv --choose-threshold --valid three.tsv
train --train files/toy-train.tsv $columns --choose-threshold
train --train files/toy-train.tsv $columns --watch f1

echo "# a cache of other data or another module is made anew, and changes no bit"
for cache in "" "--cache kept" "--cache kept"; do
    "$BERT" train --module module --epochs 2 --quiet -o model --force --n-tune-layers 1 --train files/toy-train.tsv $columns $cache
    cksum <model/weights.safetensors
done | uniq | wc -l | tr -d ' '
"$BERT" train --module module --epochs 2 --quiet -o other --n-tune-layers 1 --train three.tsv --cache kept
"$BERT" train --module module --epochs 2 --quiet -o alone --n-tune-layers 1 --train three.tsv
cmp other/weights.safetensors alone/weights.safetensors && echo "the same as without"
for f in $(find kept -type f); do head -c 100 /dev/zero >$f; done
bert train --module module --epochs 2 -o damaged --n-tune-layers 1 --train three.tsv --cache kept 2>&1 | grep -e note -e error
cmp damaged/weights.safetensors alone/weights.safetensors && echo "the same as without"

echo "# a run that learned nothing says so on its page, too, without validation data as with"
grep -o '[^<>]*no better than[^<>]*' damaged/report.html
train --train three.tsv --valid three.tsv && grep -o '[^<>]*no better than[^<>]*' model/report.html
