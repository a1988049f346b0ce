# How fast a model runs. Figures differ from run to run: here each is N.
figures() {
    sed -E 's/[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/N/g; s/ +/ /g; s/^(machine ).*/\1M/; s/(operations for ).*\)/\1O)/; s/oneDNN N.N|oneDNN N/oneDNN/; s/ and N % of oneDNN.s//; s/ (N|-)$/ N/'
}

bert import files/toy -o m
echo "\$ bert bench -m m"
"$BERT" bench -m m --seconds 0.001 --threads 2 | figures
printf 'how do i top up\nmy card ||| lost card\n' >texts.txt
echo "\$ bert bench -m m texts.txt"
"$BERT" bench -m m --seconds 0.001 texts.txt | figures | sed -n 4p
"$BERT" bench -m m --seconds 0.001 --text texts.txt --roofline --json >figures.json
grep -oE '^  "[a-z_]+"' figures.json | tr -d '\n'; echo
grep -c '"onednn_gflops"' figures.json
echo "\$ bert bench -m m --text-columns question1,question2 files/toy-train.tsv"
"$BERT" bench -m m --seconds 0.001 --text-columns question1,question2 files/toy-train.tsv | figures | sed -n 4p

echo "# what is wrong is said"
bert bench
bert bench -m m --seconds 0
bert bench -m m --seq-len 4096
bert bench -m m texts.txt --text texts.txt
bert bench -m m missing.txt
: >empty.txt
bert bench -m m empty.txt
bert bench -m missing
