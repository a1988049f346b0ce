# What stands at -o: what is made again in a moment is replaced by its like, a trained model and an unfinished run by --force alone, what libbert did
# not make never; an input is never an output.
columns="--text-columns question1,question2 --label-column is_duplicate"
train="train --module module --train files/toy-train.tsv $columns --epochs 1 --quiet"
"$BERT" import files/toy -o module >/dev/null
"$BERT" $train -o model
"$BERT" freeze model -o frozen.bert >/dev/null
"$BERT" export model --format hf -o theirs >/dev/null 2>&1
"$BERT" export model --format onnx -o theirs.onnx >/dev/null
"$BERT" export module --format gguf -o theirs.gguf >/dev/null
"$BERT" import theirs -o imported >/dev/null
cut -f 1,2 files/toy-train.tsv >rows.tsv
cp rows.tsv in.tsv
mkdir thesis empty && echo precious >thesis/chapter
printf 'a\0b' >binary
: >nothing
two="--text-columns question1,question2"

echo "# training"
for place in model imported module theirs rows.tsv; do bert $train -o $place; done
"$BERT" $train -o thesis && cat thesis/chapter
"$BERT" $train -o empty && ls empty
cp model/weights.safetensors before
bert $train -o model --force --resume && cmp model/weights.safetensors before && echo "gone on with"
"$BERT" $train -o model --force --seed 2 && { cmp -s model/weights.safetensors before || echo "begun anew"; }
bert $train -o module --force
"$BERT" train --module module --train files/toy-train.tsv $columns --dry-run -o model >/dev/null 2>&1 && echo "a plan writes nothing"
cp -r model killed && rm killed/checkpoint.safetensors killed/history.json # as a run that died as it saved its first epoch
bert $train -o killed
bert $train -o killed --resume
"$BERT" $train -o killed --force && ls killed | grep checkpoint
mkdir pages && echo mine >pages/report.html
bert $train -o pages

echo "# importing"
bert import files/toy -o module
bert import theirs -o imported
bert import files/toy -o imported
for place in model theirs thesis frozen.bert; do bert import files/toy -o $place; done
bert import files/toy -o thesis --force
cp -R module noted && echo mine >noted/README.md && bert import files/toy -o noted
cp -R model again && bert import files/toy -o again --force

echo "# freezing and exporting"
cp frozen.bert again.bert
bert freeze model -o again.bert
bert freeze model -o nothing
for path in rows.tsv theirs.onnx binary module empty model/weights.safetensors; do bert freeze model -o $path; done
bert freeze model -o binary --force
bert freeze model -o model/weights.safetensors --force
bert freeze model -o theirs.onnx --force
bert export module --format hf -o theirs
bert export module --format hf -o thesis --force
bert export module --format hf -o module

echo "# results"
bert predict -m model in.tsv $two -o results
bert predict -m model in.tsv $two --format npy -o results
bert predict -m model in.tsv $two -o results
for path in frozen.bert theirs.gguf binary module model/model.json module/vocab.txt; do bert predict -m frozen.bert in.tsv $two -o $path; done
bert eval -m model files/toy-valid.tsv $columns --report page.html >/dev/null
bert eval -m model files/toy-valid.tsv $columns --report page.html --predictions results >/dev/null
bert eval -m model files/toy-valid.tsv $columns --report results --predictions page.html
bert eval -m model files/toy-valid.tsv $columns --report one --predictions one

echo "# what libbert did not write"
mkdir mine && printf 'good film\t1\n' >mine/pairs.tsv && printf '{"label": "a", "text": "good film"}\n' >mine/rows.jsonl && printf 'text,label\nfilm,1\n' >mine/rows.csv
echo '<!DOCTYPE html><title>mine</title>' >mine/page.html && printf '\n1\n' >mine/notes.txt
printf "\223NUMPY\1\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n12345678" >mine/array.npy
cp -R mine kept
for name in pairs.tsv rows.jsonl rows.csv page.html notes.txt array.npy; do bert predict -m model in.tsv $two -o mine/$name; done
bert eval -m model files/toy-valid.tsv $columns --report mine/page.html --predictions mine/rows.csv
bert freeze model -o mine/pairs.tsv --force
bert eval -m model files/toy-valid.tsv $columns --report mine/page.html --force
diff -r mine kept && echo "they stand"
bert predict -m model in.tsv $two -o mine/rows.csv --force
for form in jsonl tsv npy; do "$BERT" predict -m model in.tsv $two --format $form -o new && "$BERT" predict -m model in.tsv $two --format $form -o new && rm new; done
for form in jsonl tsv npy; do "$BERT" embed -m module in.tsv $two --format $form -o new && "$BERT" embed -m module in.tsv $two --format $form -o new && rm new; done
for form in tsv csv jsonl; do for again in no yes; do "$BERT" eval -m model files/toy-valid.tsv $columns --report new.html --predictions new.$form >/dev/null 2>&1 || echo "$form"; done; done
rm -r mine kept

echo "# an input is no output"
ln in.tsv second.tsv
ln -s in.tsv link.tsv
ln -s module/vocab.txt link.txt
bert predict -m model in.tsv $two -o in.tsv
bert predict -m model in.tsv $two -o ./in.tsv
bert predict -m model in.tsv $two -o second.tsv
bert embed -m module in.tsv $two -o link.tsv
bert predict -m model --input-format tsv $two -o in.tsv <in.tsv
bert predict -m model in.tsv $two -o in.tsv --force
ln in.tsv other.part
bert predict -m model in.tsv $two -o other
bert freeze frozen.bert -o frozen.bert
bert freeze model --check in.tsv $two -o second.tsv --force
bert import module -o module
bert import module/model.safetensors -o module
bert import theirs -o ./theirs/ --force
bert export frozen.bert -o frozen.bert --force
bert $train --valid in.tsv -o in.tsv
bert train --module module --train in.tsv -o module --force
cut -f 1,2 files/toy-train.tsv | cmp - in.tsv && echo "it stands"

echo "# links are replaced, what they lead to stays"
ln -s kept.bert to.bert && cp frozen.bert kept.bert
"$BERT" freeze module -o to.bert >/dev/null && cmp kept.bert frozen.bert && [ ! -L to.bert ] && echo "as it was"
ln -s in.tsv more.part
bert predict -m model in.tsv $two -o more
rm more.part && ln -s kept model/train.lock
bert $train -o model --resume
rm model/train.lock

echo "# a pipe is no model"
mkfifo pipe
for verb in "inspect pipe" "predict -m pipe in.tsv" "embed -m pipe in.tsv" "freeze pipe -o x" "export pipe -o x" "import pipe -o x" "freeze model --weights pipe -o x" \
    "train --module pipe --train files/toy-train.tsv $columns -o x" "tokenize -m pipe in.tsv"; do bert $verb; done
cp -R module piped && rm piped/config.json && mkfifo piped/config.json && bert inspect piped
rm -r piped && cp -R module piped && rm piped/vocab.txt && mkfifo piped/vocab.txt && bert embed -m piped in.tsv
bert embed -m /dev/zero in.tsv
ls -A | grep -e tmp -e x
