# Texts to vectors.
bert import files/toy -o m
printf 'how do i top up\nmy card ||| lost card\n' >texts.txt
bert embed -m m texts.txt
bert embed -m m --pooling cls <texts.txt
bert embed -m m --pooling none --seq-len 4 texts.txt
bert embed -m m --pooling max --normalize --format tsv texts.txt
bert embed -m m --pooling none --format tsv texts.txt

echo "# files"
bert embed -m m -o vectors.jsonl texts.txt
"$BERT" embed -m m texts.txt | cmp - vectors.jsonl && echo "the file holds what is printed otherwise"
bert embed -m m --format npy -o vectors.npy texts.txt
head -c 80 vectors.npy | tail -c +11 | tr -d '\n'; echo
wc -c <vectors.npy | tr -d ' '
ls

echo "# the same in chunks of one, in order"
for i in 1 2 3 4 5 6 7 8 9; do cat texts.txt; done >many.txt
"$BERT" embed -m m many.txt >all
"$BERT" embed -m m --chunk 1 many.txt | cmp - all && wc -l <all | tr -d ' '
head -n 2 all | cmp - vectors.jsonl && tail -n 2 all | cmp - vectors.jsonl && echo same
