# GGUF exports are read back by the package gguf.
build=$(dirname "$BERT")
for python in "${BERT_PYTHON:-}" "$build/venv/bin/python" "$here/../../build/venv/bin/python" python3; do
    [ -n "$python" ] && "$python" -c "import gguf" 2>/dev/null && break
    python=
done
[ -n "$python" ] || { echo "skipped: no python with gguf; name one in BERT_PYTHON, or: make viewers"; exit 77; }
"$BERT" import files/toy -o module >/dev/null
for type in f32 f16 q8_0; do
    bert export module --format gguf --type $type -o $type.gguf
done
"$python" "$here/../exports/check_gguf.py" f32.gguf f16.gguf q8_0.gguf 2>&1
