#!/bin/sh
# Checks that only the families' files (src/arch) spell a tensor's name, a key of a configuration's sizes, a family, or where special tokens stand,
# and that only src/text, which has BERT's own tokeniser, knows a special token by its role. Exempt from the former are
# Google's graph, which is searched for what no tensor tells (src/formats/tf_hub.c), what is no family of libbert's (src/formats/foreign.c), help,
# and what tokenisers of others are called after one: post-processors of a tokenizer.json (src/text/post_processor.c, src/text/word_piece_json.c)
# and the classes of transformers (src/imports/tokenizer_classes.c).
# usage: tools/check-families.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
tensors='(word|position|token_type)_embeddings|LayerNorm\.|layer_norm\.|encoder[./]layer|transformer\.layer|attention\.(self|output)|_lin\b'
tensors="$tensors|(pooler|intermediate|output)[./]dense|pre_classifier|out_proj|ffn|token_embd|attn_|\"classifier\."
sizes='vocab_size"|"(hidden_size|num_hidden_layers|intermediate_size|max_position_embeddings|dim|n_layers|n_heads|hidden_dim)"'
families='distilbert|roberta|Roberta|(Distil)?Bert(Model|For)'
roles=$(find src -name '*.[ch]' ! -path 'src/arch/*' ! -path 'src/text/*' -exec grep -HnE '\{ *SPECIAL_|special\[SPECIAL_' {} + || true)
spelled=$(find src -name '*.[ch]' ! -path 'src/arch/*' ! -path 'src/formats/tf_hub.c' ! -path 'src/formats/foreign.c' ! -path 'src/cli/*' ! -path 'src/text/post_processor.c' ! -path 'src/text/word_piece_json.c' \
    ! -path 'src/imports/tokenizer_classes.c' \
    -exec grep -HnE "\"[^\"]*($tensors)[^\"]*\"|$sizes|\"[^\"]*($families)" {} + | grep -vE '^[^:]*:[0-9]*: *(/?\*|#include)' || true)
if [ -n "$spelled$roles" ]; then
    echo "names of tensors, sizes, families and places of special tokens outside src/arch:" >&2
    echo "$spelled$roles" >&2
    exit 1
fi
