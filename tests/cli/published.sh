# Folders as other programs wrote them, in $SHARED/cases: read to the values that transformers gives, or refused by name. `near` compares with
# the numbers of expected.json there.
cases=$SHARED/cases
[ -d "$cases" ] || { echo "skipped: no $cases"; exit 77; }
ln -s "$cases" cases
near() { # FOLDER of "mean vector of 'the cat sat'": ours on standard input
    sed -n "/\"mean vector/,/^ }/p" cases/expected.json | sed -n "/\"$1\"/,/]/p" | tr -d ' ,' | grep '^-\?[0-9]' >expected
    tr -d '{}[]"a-z:' | tr ',' '\n' | tr -d ' ' >found
    paste expected found | awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-6) bad = 1; n++ } END { print (n == 4 && !bad) ? "as transformers" : "another vector" }'
}

for case in plain legacy-bin; do
    bert import cases/$case -o $case
    echo "the cat sat" | "$BERT" embed -m $case | near $case
done
bert import cases/int-labels -o int-labels
echo "the cat sat good" >text.txt
bert predict -m int-labels text.txt
bert import cases/tf-finetuned -o tf-finetuned
bert predict -m tf-finetuned text.txt
for case in decoder dense-module lfs-pointer nan-classifier; do
    bert import cases/$case -o refused
    [ -e refused ] && echo "a folder was written"
done
