# A TensorFlow bundle that was damaged.
source=$SHARED/golden/rand-toy/tf
[ -d "$source" ] || { echo "skipped: there is no $source"; exit 77; }
copy() {
    rm -rf bad && cp -R "$source" bad && chmod -R u+w bad
}
damage() { # file, byte
    printf '\125\252' | dd of="bad/bert_model.ckpt.$1" bs=1 seek="$2" conv=notrunc status=none
}
fails() {
    bert import bad -o module
    ls -d module* 2>/dev/null
}
copy && bert import bad -o sound
copy && damage data-00000-of-00001 100 && fails
copy && damage index 60 && fails
copy && head -c 1000 "$source/bert_model.ckpt.data-00000-of-00001" >bad/bert_model.ckpt.data-00000-of-00001 && fails
copy && head -c 200 "$source/bert_model.ckpt.index" >bad/bert_model.ckpt.index && fails
copy && rm bad/bert_model.ckpt.data-00000-of-00001 && fails
copy && : >bad/bert_model.ckpt.index && fails
