# What stands beside the weights is named as what it is where it is no such file; `inspect` passes over nothing either.
pointer='version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n'
page='<!DOCTYPE html>\n<title>Not found</title>\n'
copy() { # folder
    rm -rf bad && cp -R "$1" bad && chmod -R u+w bad
}
fails() {
    bert import bad -o module && rm -r module
}

echo "# in a folder of transformers"
for name in config.json vocab.txt tokenizer.json tokenizer_config.json modules.json added_tokens.json; do
    copy files/toy && printf "$pointer" >"bad/$name" && fails
done
copy files/toy && printf "$page" >bad/vocab.txt && fails
copy files/toy && printf '\037\213\010\000' >bad/vocab.txt && fails
copy files/toy && printf '{"error": "Repository not found"}' >bad/tokenizer.json && fails
copy files/toy && mv bad/model.safetensors bad/a.safetensors && printf "$page" >bad/model.safetensors.index.json && fails

echo "# inspect"
copy files/toy && head -c 100 files/toy/config.json >bad/config.json && bert inspect bad
copy files/toy && printf "$pointer" >bad/config.json && bert inspect bad
copy files/toy && printf "$page" >bad/vocab.txt && bert inspect bad
copy files/toy && sed 's/"model_type": "bert"/"model_type": "longformer"/' files/toy/config.json >bad/config.json
bert inspect bad | sed -n '/^notes/,/^tensors/p;/^! /p;/^configuration/p'
copy files/toy && sed 's/^{/{ "rope_theta": 10000,/' files/toy/config.json >bad/config.json
bert inspect bad --json | tr -d '\n' | sed 's/.*\("notes".*\), *"tensors".*/\1/'
echo

echo "# in a folder of TensorFlow"
source=$SHARED/golden/rand-toy/tf
[ -d "$source" ] || exit 0
for name in bert_config.json vocab.txt bert_model.ckpt.index bert_model.ckpt.data-00000-of-00001 checkpoint; do
    copy "$source" && printf "$pointer" >"bad/$name" && fails
done
mkdir -p hub/variables && printf "$page" >hub/saved_model.pb && bert import hub -o module
