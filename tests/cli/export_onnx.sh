# ONNX exports of every task are taken by onnx's checker, and onnxruntime gives what the command gives.
build=$(dirname "$BERT")
for python in "${BERT_PYTHON:-}" "$build/venv/bin/python" "$here/../../build/venv/bin/python" python3; do
    [ -n "$python" ] && "$python" -c "import onnx, onnxruntime" 2>/dev/null && break
    python=
done
[ -n "$python" ] || { echo "skipped: no python with onnx and onnxruntime; name one in BERT_PYTHON, or: make viewers"; exit 77; }
"$BERT" import files/toy -o module >/dev/null
printf 'get a new  card\nmy card was lost\ntop up my account, please: what is the exchange rate?\ncash ||| get a new card\na card\n\303\251 top up\ntop up my account\n' >pairs.txt
grep -v '|||' pairs.txt >texts.txt
train() {
    "$BERT" train --module module --quiet --batch-size 4 --n-tune-layers 3 --learning-rate 0.01 --tune-embeddings --epochs 2 "$@"
}
check() {
    echo "# $1"
    "$BERT" export $1 -o $1.onnx >/dev/null && "$python" "$here/../exports/check_onnx.py" "$BERT" $1 $1.onnx $2 2>&1
}

check module pairs.txt
printf 'text\tlabel\nmy card was lost\tyes\nget cash\tno\ntop up\tno\na new card\tyes\nmy pin\tno\nthe card\tyes\n' >cards.tsv
train --task binary --train cards.tsv -o binary
check binary pairs.txt
printf 'text\tlabel\nmy card was lost\tcard\nget cash\tmoney\ntop up\tmoney\na new card\tcard\nmy pin\tpin\nchange the pin\tpin\n' >topics.tsv
train --train topics.tsv -o multiclass --head-hidden 8 --pooling max
check multiclass pairs.txt
printf 'text\tlabel\nmy card was lost\tcard\nget cash with the card\tmoney,card\ntop up\tmoney\nmy pin\t\n' >several.tsv
train --task multilabel --train several.tsv -o multilabel --pooling sqrt_mean
check multilabel pairs.txt
printf 'text\tlabel\nmy card was lost\t-2.5\nget cash\t10\ntop up\t4\nmy pin\t7\n' >numbers.tsv
train --task regression --train numbers.tsv -o regression --pooling cls_raw
check regression pairs.txt
printf 'text\ttext_pair\tlabel\nmy card\tthe card\t5\nget cash\tmy pin\t0\ntop up\ttop up\t5\nmy pin\ta card\t1.5\n' >alike.tsv
train --task similarity --train alike.tsv --pooling mean -o similarity --label-min 0 --label-max 5
check similarity texts.txt
for i in 1 2 3 4 5 6 7 8; do printf 'my O\ncard B-THING\nwas O\nlost O\n\nget O\na O\nnew B-THING\ncard I-THING\n\ntop O\nup O\nmy O\naccount B-PLACE\n\n'; done >words.conll
train --task tokens --train words.conll -o tokens --epochs 100 --learning-rate 0.005
"$BERT" predict -m tokens texts.txt | grep -q THING && "$BERT" predict -m tokens texts.txt | grep -q PLACE && echo "there are entities"
check tokens texts.txt
