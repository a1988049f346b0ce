# Signals: whenever one ends a verb, what was under way goes with it; what was ignored stays so; what kill -9 leaves the next run removes.
columns="--text-columns question1,question2 --label-column is_duplicate"
"$BERT" import files/toy -o module >/dev/null
"$BERT" train --module module --train files/toy-train.tsv -o model $columns --epochs 1 --quiet
"$BERT" freeze model -o old.bert >/dev/null
"$BERT" predict -m model files/toy-valid.tsv --text-columns question1,question2 -o old.jsonl
cp -R module module.before && cp old.bert bert.before && cp old.jsonl jsonl.before
finish() { # PID: waits for it without the shell's words
    wait "$1" 2>/dev/null
}
verb() { # N
    case $(($1 % 5)) in
    0) echo "import files/toy -o module" ;;
    1) echo "freeze model -o old.bert" ;;
    2) echo "export model --format hf -o theirs" ;;
    3) echo "eval -m model files/toy-valid.tsv $columns --report page.html --predictions rows.tsv" ;;
    4) echo "train --module module --train files/toy-train.tsv -o trained $columns --epochs 3 --quiet --force" ;;
    esac
}
# Sends the signal to each verb after 0, 2, .. ms. try SIGNAL
try() {
    for i in $(seq 0 49); do
        $foreground "$BERT" $(verb $i) >/dev/null 2>&1 &
        pid=$!
        sleep "$(printf '0.%03d' $((i / 5 * 4)))"
        kill -$1 $pid 2>/dev/null
        finish $pid
        [ $1 = KILL ] || ls -A . trained 2>/dev/null | grep -e '\.tmp-'
    done
    diff -r module module.before && cmp old.bert bert.before && "$BERT" inspect model >/dev/null && echo "$1: whole, and nothing beside"
}
for signal in INT TERM HUP; do try $signal; done
try KILL
for i in 0 1 2 3 4; do "$BERT" $(verb $i) >/dev/null 2>&1; done
ls -A . trained | grep -e '\.tmp-'

echo "# freezing is ended while it compares"
head -n 1 files/toy-train.tsv >many.tsv
for i in $(seq 100); do tail -n +2 files/toy-train.tsv; done >>many.tsv
for i in $(seq 8); do tail -n +2 many.tsv; done >more && cat more >>many.tsv
for signal in INT TERM HUP; do
    $foreground "$BERT" freeze model -o old.bert --check many.tsv $columns >/dev/null 2>err &
    pid=$!
    i=0
    while ! ls | grep -q tmp- && [ $i -lt 300 ]; do sleep 0.01; i=$((i + 1)); done
    kill -$signal $pid
    finish $pid
    echo "= $?"
    cat err
    ls -A | grep tmp-
done
cmp old.bert bert.before && echo "the old file stands"

echo "# what was ignored stays ignored"
(trap '' HUP; "$BERT" freeze model -o old.bert --check many.tsv $columns >/dev/null 2>err & echo $! >pid; wait; echo "= $?") &
shell=$!
while ! ls | grep -q tmp-; do sleep 0.01; done
kill -HUP "$(cat pid)"
wait $shell

echo "# a terminal that is closed stops a run as SIGTERM does"
"$BERT" train --module module --train many.tsv -o long $columns --epochs 100 --quiet --no-report 2>err &
pid=$!
while [ ! -e long/train.lock ]; do sleep 0.01; done
sleep 0.2
kill -HUP $pid
finish $pid
echo "= $?"
sed -E "s|$BERT|bert|; s/step [0-9]+ of [0-9]+/step N/" err | head -n 1
ls long | grep checkpoint
