# Frozen files by precision, how they compare with their model, and files that are damaged.
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module >/dev/null
"$BERT" train --module module --train files/toy-train.tsv -o model $columns --epochs 8 --quiet --learning-rate 0.01 --batch-size 4
figures='s/ +[0-9]+ +[0-9]+$/ N N/; s/(differ by|vectors:) [0-9.]+ in the mean, [0-9.]+/\1 N in the mean, N/'
figures="$figures; s/(accuracy|f1) .*/\1 N N/; s/[0-9.]+ % of/N % of/; s/^ +original/  original/"

for precision in fp32 bf16 int8; do
    bert freeze model -o $precision.bert --precision $precision | sed -E "$figures"
done
"$BERT" predict -m model files/toy-valid.tsv --text-columns 1,2 >model.jsonl
"$BERT" predict -m fp32.bert files/toy-valid.tsv --text-columns 1,2 | cmp - model.jsonl && echo "fp32 gives the model's bits"
for precision in bf16 int8; do
    "$BERT" predict -m $precision.bert files/toy-valid.tsv --text-columns 1,2 | cmp -s - model.jsonl && echo "$precision gives the model's bits, too"
done

echo "# beside the model"
bert freeze model -o checked.bert --precision int8 --check files/toy-valid.tsv $columns | sed -E "$figures"
bert freeze module -o checked.bert --precision bf16 --check files/toy-valid.tsv --text-columns 1,2 | sed -E "$figures"
"$BERT" freeze model -o checked.bert --check files/toy-valid.tsv $columns | grep -E 'same|differ|cosine'
rm checked.bert

echo "# texts about which they are not of one mind: nothing is written"
for a in my the a new old; do for b in card pin account fee money; do for c in lost top up get change is; do
    echo "$a $b $c"
done; done; done >texts.txt
grep -v '^#' files/toy/vocab.txt | grep '^[a-z]' | while read -r word; do sed "s/^/$word /" texts.txt; done >many.txt
printf 'text\tlabel\nmy card was lost\tcard\nget cash\tmoney\ntop up\tmoney\na new card\tcard\nmy pin\tpin\nchange the pin\tpin\n' >topics.tsv
"$BERT" train --module module --train topics.tsv -o topics --epochs 1 --quiet --batch-size 2
bert freeze topics -o checked.bert --precision int8 --check many.txt --min-agreement 1 2>&1 | sed -E "$figures; s/on [0-9]+ of/on N of/; s/ [0-9.]+ %/ N %/; s/0\.[0-9]+/N/"
ls checked* 2>/dev/null
bert freeze model -o checked.bert --min-agreement 0.9
bert freeze model -o checked.bert --check nowhere.tsv
bert freeze model -o checked.bert --precision fp16

echo "# damaged files"
size=$(wc -c <int8.bert)
header=$((8 + $(od -An -t u8 -N 8 int8.bert)))
flip() { # BYTE: a file with another bit there
    cp int8.bert flipped.bert
    byte=$(od -An -t u1 -j "$1" -N 1 int8.bert)
    printf "\\$(printf %o $((byte ^ 1)))" | dd of=flipped.bert bs=1 seek="$1" conv=notrunc 2>/dev/null
    ! cmp -s int8.bert flipped.bert || echo "nothing is flipped at $1"
}
ask() { echo 'my card ||| a card' | "$BERT" predict -m "$@" >said 2>&1; }
flip 100 && echo 'my card ||| a card' | bert predict -m flipped.bert | sed -E 's/[0-9a-f]{8}/CRC/g'
wrong=0
i=0
while [ $i -lt "$header" ]; do
    flip $i
    ask flipped.bert && wrong=$((wrong + 1))
    i=$((i + header / 40))
done
echo "$wrong flips in the header were not seen"
flip $((header + (size - header) / 2))
ask flipped.bert
echo "= $?"
bert predict -m flipped.bert --verify texts.txt | sed -E 's/[0-9a-f]{12}\.\.\./SHA.../g'
bert embed -m flipped.bert --verify texts.txt | tail -n 1
bert inspect flipped.bert --verify | tail -n 1
"$BERT" inspect flipped.bert >/dev/null && echo "its header is sound"
ask int8.bert --verify && echo "the sound file is"
"$BERT" predict -m model --verify texts.txt | tail -n 1 && "$BERT" inspect model --verify >/dev/null && echo "the model is sound"
echo "# a module whose weights or vocabulary are others than its description tells"
cp -R module harmed
printf x | dd of=harmed/model.safetensors bs=1 seek=$(($(wc -c <harmed/model.safetensors) - 100)) conv=notrunc 2>/dev/null
short='s/[0-9a-f]{12}\.\.\./SHA.../g'
bert embed -m harmed texts.txt --verify | sed -E "$short"
bert train --module harmed --train files/toy-train.tsv -o x $columns --quiet | sed -E "$short"
bert freeze harmed -o x | sed -E "$short"
bert export harmed -o x | sed -E "$short"
rm -r harmed && cp -R module harmed && tr a-z b-za <module/vocab.txt >harmed/vocab.txt
bert inspect harmed --verify | sed -E "$short"
rm -r harmed && cp -R model harmed
printf x | dd of=harmed/weights.safetensors bs=1 seek=$(($(wc -c <harmed/weights.safetensors) - 100)) conv=notrunc 2>/dev/null
bert predict -m harmed texts.txt | sed -E 's/is [0-9a-f]{8}, expected [0-9a-f]{8}/is A, expected B/'
ls | grep -x -e x
wrong=0
for part in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
    head -c $((size * part / 20)) int8.bert >cut.bert
    ask cut.bert && wrong=$((wrong + 1))
done
head -c $((size - 1)) int8.bert >cut.bert
ask cut.bert && wrong=$((wrong + 1))
echo "$wrong cuts were not seen"
sed -E 's/header of [0-9]+ bytes/header of N bytes/; s/[0-9]{3,}/N/g' said

echo "# a newer version, and another endianness"
# Puts the right CRC-32C into a header that was changed. Four bits at a time; t0 to t15: the remainders of four bits.
seal() {
    for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        t=$i
        for bit in 1 2 3 4; do t=$(((t >> 1) ^ (t & 1) * 0x82f63b78)); done
        eval "t$i=$t"
    done
    at=$(($(grep -abo '"crc32c":"' "$1" | head -n 1 | cut -d : -f 1) + 10))
    printf 00000000 | dd of="$1" bs=1 seek=$at conv=notrunc 2>/dev/null
    crc=$((0xffffffff))
    for byte in $(od -An -v -t u1 -N "$header" "$1"); do
        crc=$((crc ^ byte))
        eval "crc=\$(((crc >> 4) ^ t$((crc & 15))))"
        eval "crc=\$(((crc >> 4) ^ t$((crc & 15))))"
    done
    printf %08x $((crc ^ 0xffffffff)) | dd of="$1" bs=1 seek=$at conv=notrunc 2>/dev/null
}
cp int8.bert sealed.bert && seal sealed.bert && cmp int8.bert sealed.bert && echo "the header's CRC is understood"
sed 's/\\"version\\":3/\\"version\\":4/' int8.bert >newer.bert && seal newer.bert
bert predict -m newer.bert texts.txt
bert inspect newer.bert
sed 's/\\"endian\\":\\"little\\"/\\"endian\\":\\"biggie\\"/' int8.bert >endian.bert && seal endian.bert
bert predict -m endian.bert texts.txt
