# A checkpoint becomes a module; what it holds can be looked at.
bert import files/toy -o module
ls module
bert inspect module | sed -n '/^configuration/,/^version/p'
bert inspect files/toy | head -n 3
bert inspect --json module >json
head -n 2 json
bert inspect --no-json module | head -n 2

echo "# the layers of the signature"
bert import --seq-layer 0 --tok-layer=1 -o layers files/toy
bert inspect layers | grep _layer
bert import --do-lower-case false files/toy -ocased
bert inspect cased | grep -m 1 do_lower_case

echo "# an earlier module is replaced, anything else is not"
bert import files/toy -o module
mkdir full && echo precious >full/file
bert import files/toy -o full
cat full/file

echo "# the same import gives the same bytes"
bert import files/toy -o again
cmp module/model.safetensors again/model.safetensors && cmp module/config.json again/config.json && echo same

echo "# a module can be imported again; a checkpoint without a pooler says so"
bert import module -o third
mkdir bare && cp files/toy/config.json files/toy/vocab.txt bare && cp files/no-pooler.safetensors bare/model.safetensors
bert import bare -o no-pooler
bert embed -m no-pooler --pooling cls </dev/null
bert train --module no-pooler --train files/toy-train.tsv --text-columns 1,2 --label-column 3 --pooling cls --epochs 1 -o model |
    sed -E 's/(loss|accuracy): [0-9.]+/\1: N/g; /^! data/,/^! 1 to/d'

echo "# a sentence-transformers folder keeps its pooling; what was fine-tuned is a model"
mkdir -p sentences/1_Pooling && cp files/toy/* sentences
echo '{"pooling_mode_max_tokens": true}' >sentences/1_Pooling/config.json
echo '[{"type": "models.Transformer"}, {"type": "models.Pooling", "path": "1_Pooling"}, {"type": "models.Normalize"}]' >sentences/modules.json
bert import sentences -o sentence-module
echo "my card" | "$BERT" embed -m sentence-module >by-itself
echo "my card" | "$BERT" embed -m module --pooling max --normalize | cmp - by-itself && echo same
bert train --module module --train files/toy-train.tsv --text-columns 1,2 --label-column 3 --task multiclass --pooling cls --epochs 1 -o trained --quiet
bert export trained --format hf -o theirs
bert import theirs -o ours
ls ours ours/module
bert predict -m trained files/toy-valid.tsv --text-columns 1,2 -o expected.jsonl
bert predict -m ours files/toy-valid.tsv --text-columns 1,2 -o found.jsonl
cmp expected.jsonl found.jsonl && echo same
bert freeze ours -o ours.bert >/dev/null && "$BERT" predict -m ours.bert files/toy-valid.tsv --text-columns 1,2 | cmp - found.jsonl && echo same

echo "# a run of training is not overwritten, settings that make no sense are named"
bert import theirs -o trained
sed -i 's/single_label_classification/ranking/' theirs/config.json
bert import theirs -o other
ls other 2>/dev/null
