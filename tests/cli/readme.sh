# What the README says works: its program is the example that is compiled and run here, its commands are run on a small model.
root=$(cd -P files/../.. && pwd)
awk '/^```c$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$root/README.md" >readme.c
cmp readme.c "$root/examples/embed_and_predict.c" && echo "the same"

# Each command of its tour, on one line; what needs the network is left out.
mkdir checkpoint && cp files/toy/* checkpoint
cp files/toy-train.tsv train.tsv
cp files/toy-valid.tsv valid.tsv
printf 'my card was lost\nhow do i top up\n' >texts.txt
awk '/^    (bert|echo) / { inside = 1 } inside { line = $0; sub(/^ +/, "", line); more = sub(/ *\\$/, " ", line); printf "%s%s", line, more ? "" : "\n"; inside = more }' \
    "$root/README.md" | grep -v -e '^bert pull' >commands
bert() {
    "$BERT" "$@"
}
while read -r command; do
    echo "$ $command"
    eval "$command" >said 2>&1 || { echo "= $?"; cat said; }
done <commands
ls
