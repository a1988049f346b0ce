# GGUF exports of a real model, embedded by llama.cpp.
model=${BERT_TEST_MODEL:-$here/../../.cache/all-MiniLM-L6-v2}
[ -e "$model" ] || { echo "skipped: there is no all-MiniLM-L6-v2; tools/fetch-model.sh brings it"; exit 77; }
build=$(dirname "$BERT")
for python in "${BERT_PYTHON:-}" "$build/venv/bin/python" "$here/../../build/venv/bin/python" python3; do
    [ -n "$python" ] && "$python" -c "import llama_cpp, gguf" 2>/dev/null && break
    python=
done
[ -n "$python" ] || { echo "skipped: no python with gguf and llama_cpp; name one in BERT_PYTHON, or: pip install gguf llama-cpp-python"; exit 77; }
"$BERT" import "$model" -o module >/dev/null
cat >texts.txt <<END
How do I save my hair from getting thin and frizzy?
The quick brown fox jumps over the lazy dog.
Nobody expects the Spanish Inquisition!
A naïve café in Zürich — résumé attached; 你好, world…
don't   stop?!  (ever)
E = mc² and 3.14159 are numbers, #hashtags are not
x
Ångström, Dvořák & Łódź
This sentence is rather longer than the others, because it goes on and on about nothing in particular until at last, after many words, it ends.
what is the exchange rate of the pound
🙂 emoji are unknown to the vocabulary
supercalifragilisticexpialidocious
END
grep -vx x texts.txt >longer.txt # of one letter alone q8_0 keeps 0.9989
for type in f32 f16 q8_0; do
    "$BERT" export module --format gguf --type $type -o $type.gguf >/dev/null 2>&1
done
"$python" "$here/../exports/check_gguf.py" f32.gguf f16.gguf q8_0.gguf | tail -n 3
"$python" "$here/../exports/check_llama.py" "$BERT" module texts.txt 0.999 f32.gguf 2>/dev/null
"$python" "$here/../exports/check_llama.py" "$BERT" module texts.txt 0.999 f16.gguf 2>/dev/null
"$python" "$here/../exports/check_llama.py" "$BERT" module longer.txt 0.999 q8_0.gguf 2>/dev/null
