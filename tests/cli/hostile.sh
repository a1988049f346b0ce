# Texts that hurt: huge, broken, empty, many.
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module >/dev/null
"$BERT" train --module module --train files/toy-train.tsv -o model $columns --epochs 1 --quiet
"$BERT" freeze model -o frozen.bert >/dev/null

echo "# a text of a megabyte: cut, or read in windows"
head -c 1000000 /dev/zero | tr '\0' 'x' >word.txt
for i in 1 2 3 4 5 6 7 8 9 10; do printf 'my new card was lost and i get cash with the pin of my account '; done >line
for i in 1 2 3 4 5 6 7 8 9 10; do cat line line line line line line line line line line; done >lines
cat lines lines lines lines lines lines lines lines lines lines lines lines lines lines lines lines >long.txt
wc -c <long.txt | awk '{ print ($1 > 1000000 ? "more than 1 MB" : $1) }'
bert predict -m frozen.bert --format tsv word.txt | sed -E 's/^[01]	.*/LABEL	N/'
bert predict -m frozen.bert --format tsv long.txt | sed -E 's/^[01]	.*/LABEL	N/'
bert embed -m frozen.bert long.txt --window 16 --stride 8 | sed -E 's/-?[0-9]+\.[0-9]+/N/g'
bert predict -m frozen.bert --window 16 --format tsv long.txt | sed -E 's/^[01]	.*/LABEL	N/'

echo "# windows: a text that fits into one is as without; --combine max is not the mean"
echo 'how do i get a new card' >short.txt
"$BERT" predict -m frozen.bert short.txt >whole
"$BERT" predict -m frozen.bert short.txt --window 32 --stride 4 | cmp - whole && echo same
head -c 300 long.txt >some.txt
for combine in mean max; do "$BERT" embed -m frozen.bert some.txt --window 8 --stride 3 --combine $combine >$combine; done
cmp -s mean max || echo different
bert predict -m frozen.bert some.txt --stride 3
bert predict -m frozen.bert some.txt --window 2
bert predict -m frozen.bert some.txt --window 65
bert predict -m frozen.bert some.txt --window 16 --stride 15

echo "# bytes that are no UTF-8 are an error, or dropped where that is asked for"
printf 'my \377card \300\200was\355\240\200 lost\nmy card was lost\n' >broken.txt
bert predict -m frozen.bert broken.txt
"$BERT" predict -m frozen.bert --encoding utf-8-drop broken.txt >said && sort -u said | wc -l | tr -d ' '
printf 'text\tlabel\n\377\376\t1\n' >broken.tsv
bert predict -m frozen.bert broken.tsv
bert predict -m frozen.bert broken.tsv --encoding utf-8-drop --format tsv | sed -E 's/^[01]	.*/LABEL	N/'

echo "# 100,000 empty lines"
head -c 100000 /dev/zero | tr '\0' '\n' >empty.txt
"$BERT" predict -m frozen.bert empty.txt >said && wc -l <said | tr -d ' ' && sort -u said | wc -l | tr -d ' '
"$BERT" embed -m frozen.bert --format npy -o empty.npy empty.txt && wc -c <empty.npy | tr -d ' '
cat empty.txt | "$BERT" predict -m frozen.bert --format tsv --input-format tsv --no-header --text-columns 1 | wc -l | tr -d ' '

echo "# a row without a second text is named by its line"
for i in 1 2 3 4 5 6 7 8 9; do tail -n +2 files/toy-train.tsv; done | cut -f 1,2 >pairs
awk -F '\t' '{ print $1 "\t" $2 "\t" NR % 5 }' pairs >similar.tsv
"$BERT" train --module module --task similarity --train similar.tsv --no-header --text-columns 1,2 --label-column 3 -o similarity --epochs 1 --quiet
{ cat pairs; printf 'my card\t \n'; cat pairs; } >gap.tsv
bert predict -m similarity --no-header --text-columns 1,2 gap.tsv -o out 2>&1 | sed -E "s|$BERT|bert|"
wc -l <out.part | tr -d ' '
bert predict -m similarity --no-header --text-columns 1 gap.tsv
printf 'my card ||| \n' | bert predict -m similarity

echo "# the same by any number of threads and streams"
for options in "--threads 1" "--threads 2 --streams one" "--threads 2 --streams many" "--threads 3 --chunk 7"; do
    "$BERT" predict -m frozen.bert --no-header --text-columns 1,2 gap.tsv $options >said || echo "$options failed"
    [ -e first ] || mv said first
    [ -e said ] && cmp said first && echo "$options: the same"
done
