# What people take for a checkpoint: named as what it is, with what to do; what stands beside BERT's tensors is told.
copy() {
    rm -rf bad && cp -R files/toy bad && chmod -R u+w bad
}
fails() {
    bert import "${1:-bad}" -o module
    [ -e module ] && echo "a module was written" && rm -r module
    ls -d module* 2>/dev/null
}
config() { # a member more
    copy && sed "s/^{/{ $1,/" files/toy/config.json >bad/config.json
}

echo "# files that are something else"
copy && printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n' >bad/model.safetensors && fails
cp bad/model.safetensors bad/pytorch_model.bin && rm bad/model.safetensors && fails
copy && printf '\n<!DOCTYPE HTML>\n<title>Not found</title>\n' >bad/model.safetensors && fails
copy && printf '{"error":"Repository not found"}' >bad/model.safetensors && fails
copy && printf 'version https://git-lfs.github.com/spec/v1\n' >bad/config.json && fails
copy && : >bad/model.safetensors && fails
copy && rm bad/model.safetensors && printf '\211HDF\r\n\032\n' >bad/pytorch_model.bin && fails
for name in tf_model.h5 flax_model.msgpack model.gguf model.onnx openvino_model.bin adapter_model.safetensors; do
    copy && rm bad/model.safetensors && echo x >"bad/$name"
    [ $name = openvino_model.bin ] && fails "bad/$name"
    fails
done
copy && rm bad/model.safetensors && printf 'GGUF\3' >model.gguf && fails model.gguf
copy && rm bad/model.safetensors && { head -c 40 /dev/zero; printf '\127\373\200\213\044\165\107\333'; } >bad/model.ckpt && fails bad/model.ckpt
fails
mv bad/model.ckpt bad/bert_model.ckpt && fails
mv bad/bert_model.ckpt bad/model.ckpt && printf 'model_checkpoint_path: "model.ckpt"\n' >bad/checkpoint && fails
copy && rm bad/model.safetensors && printf '\211HDF\r\n\032\n' >bad/weights.hdf5 && fails
printf '{\n    "module": "keras_hub.src.models.bert.bert_backbone",\n    "class_name": "BertBackbone",\n    "config": {}\n}\n' >bad/config.json
mv bad/weights.hdf5 bad/model.weights.h5 && rm bad/tokenizer_config.json 2>/dev/null; fails
fails bad/model.weights.h5
mv bad/model.weights.h5 bad/task.weights.h5 && fails

echo "# files in form, with the names of others"
safetensors() { # tensors of one number each
    header=
    offset=0
    for name; do
        header="$header,\"$name\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[$offset,$((offset + 4))]}"
        offset=$((offset + 4))
    done
    header="{${header#,}}"
    printf "\\$(printf %o $((${#header} % 256)))\\$(printf %o $((${#header} / 256)))\\0\\0\\0\\0\\0\\0%s" "$header"
    head -c $offset /dev/zero
}
copy && safetensors bert/embeddings/word_embeddings/weight:0 bert/encoder/layer_._0/attention/self/query/kernel:0 >bad/model.safetensors && fails
fails bad/model.safetensors
copy && safetensors embeddings.word_embeddings.embedding encoder.layer.0.attention.self.query.kernel >bad/model.safetensors && fails
copy && safetensors bert.embeddings.word_embeddings.embedding bert.encoder.layer.0.attention.self.query.kernel >bad/model.safetensors && fails

echo "# variants"
copy && mv bad/model.safetensors bad/model.fp16.safetensors && bert import bad -o variant
cp bad/model.fp16.safetensors bad/model.bf16.safetensors && fails
bert import bad/model.bf16.safetensors -o variant

echo "# what a configuration asks for"
config '"is_decoder": true' && fails
config '"is_decoder": null, "add_cross_attention": false, "use_cache": true' && bert import bad -o variant
config '"add_cross_attention": true' && fails
config '"pruned_heads": {"0": [1]}' && fails
config '"quantization_config": {"load_in_8bit": true}' && fails
config '"position_embedding_type": "relative_key"' && fails
config '"architectures": ["BertLMHeadModel"]' && sed -i 's/.*"BertModel".*//; s/^  "architectures": \[$//; s/^  \],$//' bad/config.json && fails
copy && sed 's/"model_type": "bert"/"model_type": "longformer"/' files/toy/config.json >bad/config.json && fails
sed -i 's/embeddings.word/embeddings_word/' bad/model.safetensors && fails
config '"rope_theta": 10000, "my_own": 1' && bert import bad -o variant

echo "# numbers that are none, and layers that are not there"
size=$(od -A n -t u8 -N 8 files/toy/model.safetensors | tr -d ' ')
copy && printf '\000\000\300\177' | dd of=bad/model.safetensors bs=1 seek=$((8 + size + 1856)) conv=notrunc status=none && fails
copy && printf '\000\000\200\377' | dd of=bad/model.safetensors bs=1 seek=$((8 + size + 36)) conv=notrunc status=none && fails
copy && head -c 1856 /dev/zero | dd of=bad/model.safetensors bs=1 seek=$((8 + size)) conv=notrunc status=none && bert import bad -o variant
copy && head -c 16000 /dev/zero | dd of=bad/model.safetensors bs=1 seek=$((8 + size)) conv=notrunc status=none count=$(($(stat -c %s bad/model.safetensors) - 8 - size)) && bert import bad -o variant

echo "# a module that was damaged later: no label and no number is made of it"
bert import files/toy -o sound
chmod -R u+w sound
size=$(od -A n -t u8 -N 8 sound/model.safetensors | tr -d ' ')
printf 'one\n\ncard\n' >texts.txt
printf '\000\000\300\177' | dd of=sound/model.safetensors bs=1 seek=$((8 + size + 1856)) conv=notrunc status=none
bert embed -m sound texts.txt
bert embed -m sound --pooling none texts.txt
bert freeze sound -o frozen.bert

echo "# what llama.cpp's tokenizer reads otherwise is told of a vocabulary that has it"
copy && sed '20s/.*/한국/; 21s/.*/##का/' files/toy/vocab.txt >bad/vocab.txt && bert import bad -o scripts
bert export scripts --format gguf -o scripts.gguf
bert import files/toy -o plain
bert export plain --format gguf -o plain.gguf
