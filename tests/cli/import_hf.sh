# What transformers and sentence-transformers make of exports, and imports of what they saved: tests/hf/check_hf.py in words.
build=$(dirname "$BERT")
for python in "${BERT_PYTHON:-}" "$build/venv/bin/python" "$here/../../build/venv/bin/python" python3; do
    [ -n "$python" ] && "$python" -c "import torch, transformers, sentence_transformers" 2>/dev/null && break
    python=
done
[ -n "$python" ] || { echo "skipped: no python with torch, transformers and sentence-transformers; name one in BERT_PYTHON"; exit 77; }
"$python" "$here/../hf/check_hf.py" --bert "$BERT" 2>/dev/null | grep -v '^ok'
"$python" "$here/../hf/check_families.py" --bert "$BERT" 2>/dev/null | grep -v "^ok"
