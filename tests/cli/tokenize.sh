# Texts to tokens.
bert import files/toy -o m
printf 'How do I top up?\nCafé 中文 lost\n\nmy card ||| 1 2\n' >texts.txt
bert tokenize -m m texts.txt
bert tokenize -m m --special <texts.txt
bert tokenize -m m --seq-len 8 texts.txt

echo "# bytes that are not UTF-8 are an error, or dropped and counted"
printf 'my \377\376card\n' | bert tokenize -m m
printf 'my \377\376card\n' | bert tokenize -m m --encoding utf-8-drop
printf 'caf\351\n' | bert tokenize -m m --encoding latin-1

echo "# columns by name and by number"
bert tokenize -m m --text-columns question2 files/toy-train.tsv | sed -n 2p
tail -n 1 files/toy-train.tsv | bert tokenize -m m --input-format tsv --no-header --text-columns 2,1
printf '{"text": "my pin", "text_pair": "cash"}\n' | bert tokenize -m m --input-format jsonl
gzip <texts.txt >texts.txt.gz && bert tokenize -m m texts.txt.gz | sed -n 2p
