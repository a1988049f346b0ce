# Predictions: formats, labels that are words, one line at a time.
bert import files/toy -o module
printf 'text\tlabel\nmy card was lost\tcard\nget cash\tmoney\ntop up\tmoney\na new card\tcard\nmy pin\tpin\nchange the pin\tpin\n' >topics.tsv
bert train --module module --train topics.tsv -o model --epochs 1 --quiet --batch-size 2 --n-tune-layers 1
echo 'my card' | bert predict -m model | sed -E 's/[0-9]\.[0-9]{3,}/N/g'
echo 'my card' | bert predict -m model --format tsv | sed -E 's/[0-9]\.[0-9]{3,}/N/g; s/^(card|pin|money)	/LABEL	/'
bert predict -m model topics.tsv -o out.jsonl
wc -l <out.jsonl | tr -d ' '
bert predict -m module topics.tsv
bert eval -m module topics.tsv

echo "# an answer to each line, before the next is written"
mkfifo in
(
    exec 3>in
    echo 'my card' >&3
    i=0
    while [ ! -s answer ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
    [ -s answer ] && echo "answered while the pipe is open" >note
) &
"$BERT" predict -m model --chunk 1 <in >answer
wait
cat note

echo "# texts that were cut are counted"
echo 'how do i get a new card and where can i get it to change the pin of my account ?' | bert predict -m model --seq-len 6 >cut
tail -n 1 cut

echo "# nothing in, nothing out"
printf '' | bert predict -m model
