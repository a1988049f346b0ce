# predict and embed that are stopped, killed, or run out of disk go on to the same bytes as a run that was left alone.
columns="--text-columns question1,question2"
"$BERT" import files/toy -o module >/dev/null
"$BERT" train --module module --train files/toy-train.tsv -o model $columns --label-column is_duplicate --epochs 1 --quiet
printf 'my O\ncard B-THING\nwas O\nlost O\n\nget O\na O\nnew B-THING\ncard I-THING\n\ntop O\nup O\nmy O\naccount B-PLACE\n' >words.conll
for i in 1 2 3 4 5 6 7 8; do cat words.conll; echo; done >many.conll
"$BERT" train --task tokens --module module --train many.conll -o tagger --quiet --epochs 40 --batch-size 4 --tune-embeddings --n-tune-layers 3 --learning-rate 0.01
head -n 1 files/toy-train.tsv >many.tsv
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do tail -n +2 files/toy-train.tsv; done >>many.tsv

forms="jsonl tsv npy entities vectors vectors.npy"
options() { # FORM
    case $1 in
    jsonl) echo "predict -m model --input-format tsv $columns" ;;
    tsv) echo "predict -m model --format tsv --input-format tsv $columns" ;;
    npy) echo "predict -m model --format npy --input-format tsv $columns" ;;
    entities) echo "predict -m tagger --format tsv --input-format tsv --text-columns question1" ;;
    vectors) echo "embed -m module --input-format tsv $columns" ;;
    vectors.npy) echo "embed -m module --format npy --input-format tsv $columns" ;;
    esac
}
size_of_rows() { # FORM ROWS: the bytes of the first rows
    case $1 in
    npy) echo $((128 + $2 * 2 * 4)) ;;
    vectors.npy) echo $((128 + $2 * 8 * 4)) ;;
    entities) awk -v n="$2" '$1 <= n' whole.entities | wc -c ;;
    *) head -n "$2" "whole.$1" | wc -c ;;
    esac
}
# A pipe that gives the first rows of many.tsv and then stays open, so that a run waits where the test wants it. hold ROWS; let_go
hold() {
    rm -f in over out out.part* && mkfifo in
    (
        exec 3>in
        head -n $(($1 + 1)) many.tsv >&3
        while [ ! -e over ]; do sleep 0.02; done
    ) &
    holder=$!
}
let_go() {
    : >over
    wait $holder
}
wait_for() { # FILE BYTES
    i=0
    while [ "$( (wc -c <"$1") 2>/dev/null || echo 0)" -lt "$2" ] && [ $i -lt 1500 ]; do sleep 0.02; i=$((i + 1)); done
}
finish() { # PID: waits for it without the shell's words
    wait "$1" 2>/dev/null
}
resume() { # FORM
    cat many.tsv | "$BERT" $(options "$1") -o out --resume
    cmp out "whole.$1" && rm out
}

for form in $forms; do
    "$BERT" $(options $form) -o whole.$form <many.tsv
done
tail -n +2 many.tsv | wc -l | tr -d ' '
wc -l <whole.jsonl | tr -d ' '
cut -f 1 whole.entities | uniq -d | wc -l | awk '{ print ($1 > 20 ? "many" : $1), "rows have several entities" }'

echo "# a signal: what is computed is written, and it says how to go on"
for form in $forms; do
    for signal in INT $([ $form = jsonl ] && echo TERM); do
        hold 90
        $foreground "$BERT" $(options $form) -o out <in 2>log &
        pid=$!
        bytes=$(size_of_rows $form 90)
        wait_for out.part "$bytes"
        kill -$signal $pid
        finish $pid
        echo "= $?"
        let_go
        # the last rows may have no entities: then they are found again
        sed -E "s|$BERT|bert|$([ $form = entities ] && echo '; s/the first (8[0-9]|90) rows/the first N rows/')" log
        wc -c <out.part | awk -v n="$bytes" '$1 != n { print $1, "bytes are left, not", n }'
        [ -e out ] && echo "out is there"
        resume $form
    done
done
ls -A | grep out

echo "# standard output ends with a whole line"
hold 90
$foreground "$BERT" $(options jsonl) <in >out 2>log &
pid=$!
wait_for out "$(size_of_rows jsonl 90)"
kill -INT $pid
finish $pid
echo "= $?"
let_go
cat log
head -n 90 whole.jsonl | cmp - out && rm out

echo "# a second signal ends it at once, and what is written stays"
hold 90
$foreground "$BERT" $(options jsonl) -o out <in 2>log &
pid=$!
wait_for out.part "$(size_of_rows jsonl 90)"
kill -STOP $pid
kill -INT $pid
kill -TERM $pid
kill -CONT $pid
finish $pid
[ $? -gt 128 ] && echo "a signal ended it"
let_go
resume jsonl

echo "# another process cannot write the same file meanwhile; kill -9 loses nothing"
hold 90
$foreground "$BERT" $(options jsonl) -o out <in 2>log &
pid=$!
wait_for out.part "$(size_of_rows jsonl 90)"
bert $(options jsonl) -o out many.tsv
kill -KILL $pid
finish $pid
let_go
cat log
cp out.part.json record
resume jsonl

echo "# what stands behind the last row that was put on the disk is dropped; what is less than that, or other, is damage"
for form in $forms; do
    hold 90
    $foreground "$BERT" $(options $form) -o out <in 2>/dev/null &
    pid=$!
    while ! grep -qs '"rows": 90' out.part.json; do sleep 0.02; done
    kill -KILL $pid
    finish $pid
    let_go
    rm -rf left && mkdir left && cp out.part out.part.json left
    n=$(wc -c <out.part)
    for tail in '' 'half of a' 'a line
'; do
        cp left/* .
        printf '%s' "$tail" >>out.part
        resume $form
    done
    cp left/* . && head -c $((n - 1)) left/out.part >out.part
    cat many.tsv | "$BERT" $(options $form) -o out --resume
    cp left/* . && printf X | dd of=out.part bs=1 seek=$((n - 3)) conv=notrunc 2>/dev/null
    cat many.tsv | "$BERT" $(options $form) -o out --resume
    cp left/* . && head -c $(($(wc -c <left/out.part.json) - 5)) left/out.part.json >out.part.json
    resume $form
    cp left/* . && : >out.part
    resume $form
done
ls -A | grep out

echo "# a part that has rows is not thrown away without a word"
cp left/* .
bert $(options vectors.npy) -o out many.tsv
mv out.part.json log && bert $(options vectors.npy) -o out many.tsv
mv log out.part.json
bert $(options vectors.npy) -o out many.tsv --force
cmp out whole.vectors.npy && rm out
cp left/* . && rm out.part && ln -s many.tsv out.part
bert $(options vectors.npy) -o out files/toy-train.tsv --force
rm out.part out.part.json && ls many.tsv

echo "# a disk that fills up"
for form in $forms; do
    { (ulimit -f 4 && cat many.tsv | "$BERT" $(options $form) -o out --chunk 16); echo "= $?"; } 2>&1 | sed -E "s|$BERT|bert|; s/first [0-9]+ rows/first N rows/"
    resume $form
done

echo "# a row that is wrong: those before it are kept"
for i in 1 2 3 4 5 6 7 8 9; do printf '{"text": "my card"}\n{"text": "a new card"}\n'; done >bad.jsonl
printf '{"text": \n{"text": "top up"}\n' >>bad.jsonl
bert predict -m model bad.jsonl -o out 2>&1 | sed -E "s|$BERT|bert|"
wc -l <out.part | tr -d ' '
bert predict -m model bad.jsonl -o out --resume --skip-bad-rows
bert predict -m model bad.jsonl --skip-bad-rows | grep -v '^[$!]' | cmp - out && rm out

echo "# two taggers that differ in their heads alone"
for seed in 1 2; do "$BERT" train --task tokens --module module --train many.conll -o head$seed --quiet --epochs 1 --seed $seed --n-tune-layers 0; done
hold 90
$foreground "$BERT" predict -m head1 --input-format tsv --text-columns question1 -o out <in 2>/dev/null &
pid=$!
while ! grep -qs '"rows": 90' out.part.json; do sleep 0.02; done
kill -INT $pid
finish $pid
let_go
cat many.tsv | bert predict -m head2 --input-format tsv --text-columns question1 -o out --resume | sed -E 's/"[0-9a-f]{16}"/"N"/g'
cat many.tsv | "$BERT" predict -m head1 --input-format tsv --text-columns question1 -o out --resume
"$BERT" predict -m head1 --input-format tsv --text-columns question1 many.tsv | cmp - out && rm out

echo "# what it does not go on with"
stopped() { # leaves out.part of 90 rows
    rm -f out out.part*
    hold 90
    $foreground "$BERT" $(options jsonl) -o out <in 2>/dev/null &
    pid=$!
    wait_for out.part "$(size_of_rows jsonl 90)"
    kill -INT $pid
    finish $pid
    let_go
}
stopped
"$BERT" train --module module --train files/toy-train.tsv -o other $columns --label-column is_duplicate --epochs 2 --quiet
cat many.tsv | bert predict -m other --input-format tsv $columns -o out --resume 2>&1 | sed -E 's/"[0-9a-f]{16}"/"N"/g'
cat many.tsv | bert predict -m model --input-format tsv $columns -o out --resume --seq-len 8
cat many.tsv | bert predict -m model --input-format tsv --text-columns question2,question1 -o out --resume
cat many.tsv | bert embed -m model --input-format tsv $columns -o out --resume
{ head -n 1 many.tsv; sed 1d many.tsv | sort -r; } | bert predict -m model --input-format tsv $columns -o out --resume
head -n 50 many.tsv | bert predict -m model --input-format tsv $columns -o out --resume
mv out.part.json record
cat many.tsv | bert predict -m model --input-format tsv $columns -o out --resume
mv record out.part.json
resume jsonl
bert predict -m model many.tsv $columns -o out
bert predict -m model many.tsv $columns -o out --resume
bert predict -m model many.tsv $columns -o new --resume
cmp out new && echo "it may be given from the start"
bert predict -m model many.tsv $columns --resume
bert predict -m model many.tsv $columns --resume -o -
bert embed -m module many.tsv $columns --format npy -o /dev/null
bert predict -m tagger many.tsv --text-columns 1 --format npy -o out.npy
ls -A | grep -e out -e new
