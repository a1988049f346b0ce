# Exports: what is told, what is refused, and that a target is whole, as it was, or not there.
"$BERT" import files/toy -o module >/dev/null
"$BERT" train --module module --train files/toy-train.tsv -o model --text-columns question1,question2 --label-column is_duplicate --epochs 1 --quiet
"$BERT" freeze model -o model.bert >/dev/null

echo "# a module, a model, a frozen file"
bert export module -o module.onnx
bert export model --format onnx -o model.onnx
bert export model.bert --format onnx -o frozen.onnx
cmp model.onnx frozen.onnx && echo "the frozen file's export is its model's"
bert export model --format gguf --type f16 -o model.gguf
bert export model --format hf -o theirs | sed 's/: .*//'
ls -A | grep -v '^\.'

echo "# weights that were rounded"
for precision in bf16 int8; do
    "$BERT" freeze model --precision $precision -o $precision.bert >/dev/null
    bert export $precision.bert -o $precision.onnx
done

echo "# an export replaces an export"
bert export module -o model.onnx
cmp model.onnx module.onnx && echo "replaced"
bert export module --format hf -o theirs | sed 's/: .*//'
bert export module --format gguf -o model.gguf
bert export module --format gguf -o model.onnx
bert export module --format gguf -o model.onnx --force
bert export module --format gguf -o theirs --force
ls theirs | head -n 1

echo "# what the other program's tokenizer does otherwise, and no file can say"
cp -R files/toy kept && chmod -R u+w kept && echo '{"do_lower_case": false, "tokenize_chinese_chars": false}' >kept/tokenizer_config.json
"$BERT" import kept -o kept-module >/dev/null
sed -i 's/"normalizer": "huggingface"/"normalizer": "google"/; s/"odd_token": "longer"/"odd_token": "first"/; s/"special_in_text": "keep"/"special_in_text": "split"/' \
    kept-module/module.json
bert export kept-module --format hf -o kept-hf
bert export kept-module --format gguf -o kept.gguf
bert export kept-module -o kept.onnx

echo "# what makes no sense"
bert export module
bert export -o module.onnx
bert export module --format tflite -o x
bert export module --type f16 -o x
bert export module --format gguf --type f64 -o x
bert export nowhere -o x
bert export module -o nowhere/x
bert export module -o module.onnx/x

echo "# a full disk: files may have 4 blocks of 512 bytes"
limited() (
    echo "$ bert $*"
    { ulimit -f 4 && "$BERT" "$@"; echo "= $?"; } 2>&1 | cat
)
cp module.onnx before.onnx
limited export module -o full.onnx
limited export module --format gguf -o full.gguf
limited export module -o module.onnx
cmp module.onnx before.onnx && echo "the old file stands"
ls -A | grep -e full -e tmp
