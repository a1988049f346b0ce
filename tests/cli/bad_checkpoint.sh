# Checkpoints that are not whole, not sound, or not meant well: an error that tells where, and no module.
copy() {
    rm -rf bad && cp -R files/toy bad
}
fails() {
    bert import bad -o module
    [ -e module ] && echo "a module was written" && rm -r module
    ls -d module* 2>/dev/null
}
# The header of bad/model.safetensors, changed by a sed script that keeps its length.
header() {
    size=$(od -A n -t u8 -N 8 bad/model.safetensors | tr -d ' ')
    head -c 8 bad/model.safetensors >new
    tail -c +9 bad/model.safetensors | head -c "$size" | sed "$1" >>new
    tail -c "+$((9 + size))" bad/model.safetensors >>new
    cmp -s new bad/model.safetensors && echo "the header did not change"
    mv new bad/model.safetensors
}
config() {
    copy
    sed "$1" files/toy/config.json >bad/config.json
    cmp -s bad/config.json files/toy/config.json && echo "the configuration did not change"
    fails
}

echo "# missing"
bert import nowhere -o module
mkdir bad && fails
for file in config.json vocab.txt model.safetensors; do copy && rm "bad/$file" && fails; done

echo "# cut short, empty"
copy && head -c 8000 files/toy/model.safetensors >bad/model.safetensors && fails
copy && head -c 5 files/toy/model.safetensors >bad/model.safetensors && fails
copy && : >bad/model.safetensors && fails
copy && head -c 100 files/toy/config.json >bad/config.json && fails
copy && : >bad/config.json && fails
copy && : >bad/vocab.txt && fails

echo "# safetensors headers"
copy && printf '\377\377\377\377\377\377\377\177' | dd of=bad/model.safetensors conv=notrunc status=none && fails
copy && printf '\000\377\000' | dd of=bad/model.safetensors conv=notrunc status=none && fails
copy && header 's/"data_offsets":\[0,1856\]/"data_offsets":[9,1856]/' && fails
copy && header 's/"data_offsets":\[1856,3904\]/"data_offsets":[1824,3872]/' && fails
copy && header 's/"data_offsets":\[1856,3904\]/"data_offsets":[9856,3904]/' && fails
copy && header 's/{"dtype":"F32"/{"dtype":"Q32"/' && fails
copy && header 's/"dtype"/"dtype/' && fails

echo "# tensors of the wrong shape, or absent"
copy && header 's/"shape":\[58,8\]/"shape":[8,58]/' && fails
copy && header 's/"shape":\[16,8\]/"shape":[8,16]/' && fails
copy && header 's/"encoder.layer.1.output.dense.weight"/"encoder.layer.1.output.dense.waight"/' && fails

echo "# vocabularies"
for token in CLS SEP UNK; do copy && sed "s/\[$token\]/[XXX]/" files/toy/vocab.txt >bad/vocab.txt && fails; done

echo "# configurations"
config 's/"hidden_size": 8/"hidden_size": 0/'
config 's/"hidden_size": 8/"hidden_size": -8/'
config 's/"hidden_size": 8/"hidden_size": 4000000000000/'
config 's/"hidden_size": 8/"hidden_size": "eight"/'
config 's/"hidden_size": 8/"hidden_size": 12/'
config 's/"num_attention_heads": 2/"num_attention_heads": 3/'
config 's/"num_hidden_layers": 3/"num_hidden_layers": 0/'
config 's/"num_hidden_layers": 3/"num_hidden_layers": 4/'
config 's/"num_hidden_layers": 3/"num_hidden_layers": 99999999/'
config 's/"vocab_size": 58/"vocab_size": 1000000000/'
config 's/"max_position_embeddings": 64/"max_position_embeddings": 0/'
config 's/"hidden_act": "gelu"/"hidden_act": "swoosh"/'
config 's/"layer_norm_eps": 1e-12/"layer_norm_eps": -1/'

echo "# a pickle that wants code"
copy && rm bad/model.safetensors && cp files/pickle-code.bin bad/pytorch_model.bin && fails
ls pickle-was-run 2>/dev/null
copy && rm bad/model.safetensors && head -c 100 files/pickle-code.bin >bad/pytorch_model.bin && fails
