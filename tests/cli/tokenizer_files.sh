# What each of a checkpoint's tokeniser files tells is done, refused by name, or told. Tokens and cuts are those of transformers 5.24.
setup() {
    rm -rf theirs module && cp -R files/toy theirs && rm -f theirs/tokenizer_config.json
    printf '%s' "$1" >theirs/tokenizer_config.json
}
tokens() {
    rm -rf module
    bert import theirs -o module "$@" || return
    bert tokenize -m module texts.txt | sed 's/, "offsets".*//'
}
printf '%s\n' 'The card [MASK] lost' 'a <USER> card' 'acard card' >texts.txt

echo "# added tokens: where they are found is told by their flags"
setup '{"added_tokens_decoder": {"58": {"content": "<user>", "normalized": true}, "59": {"content": "card", "single_word": true},
        "60": {"content": "lost", "special": true, "lstrip": true}}}'
tokens
bert inspect --json module | tr -d ' \n' | sed 's/.*"added_tokens":\(\[[^]]*\]\).*/\1/'
echo
setup '{"split_special_tokens": true}'
tokens

echo "# a token of added_tokens.json is special where a list of special_tokens_map.json names it: an infix of the raw text alone"
setup '{}'
echo '{"<USER>": 58, "<user>": 59}' >theirs/added_tokens.json
echo '{"additional_special_tokens": ["<USER>"]}' >theirs/special_tokens_map.json
tokens
bert inspect --json module | tr -d ' \n' | sed 's/.*"added_tokens":\(\[[^]]*\]\).*/\1/'
echo

echo "# special tokens that no list has get their ids in the order of their roles, those of a model's own and of lists behind them"
mv texts.txt others.txt
echo '<e> <b> <pad> <m> <my> <x> <img> <f>' >texts.txt
setup '{"my_token": "<my>", "mask_token": {"__type": "AddedToken", "content": "<m>", "lstrip": true}, "eos_token": "<e>",
        "bos_token": "<b>", "pad_token": "<pad>", "extra_special_tokens": {"image_token": "<img>"}}'
tokens
setup '{"eos_token": "<e>", "mask_token": null, "additional_special_tokens": ["<x>"]}'
echo '{"eos_token": "<f>", "additional_special_tokens": ["<b>"], "mask_token": "<m>"}' >theirs/special_tokens_map.json
tokens
setup '{"added_tokens_decoder": {"59": {"content": "<x>"}, "58": {"content": "<my>"}}, "bos_token": "<b>"}'
tokens
echo "# a vocabulary without [MASK] has it behind"
setup '{"additional_special_tokens": ["<x>"]}'
sed 's/^\[MASK\]$/<none>/' files/toy/vocab.txt >theirs/vocab.txt
tokens
mv others.txt texts.txt

echo "# a pair cut to an odd number of tokens, and from the left"
printf '%s\n' 'the card lost ||| the card lost' >pairs.txt
for side in right left; do
    setup "{\"truncation_side\": \"$side\"}"
    bert import theirs -o module >/dev/null
    bert tokenize -m module --seq-len 8 pairs.txt
done

echo "# unknown members are told, files that contradict, too"
setup '{"do_lower_case": true, "colour": "red", "never_split": ["card"]}'
bert import theirs -o module
cp module/tokenizer.json told.json; setup '{"tokenizer_class": "BertTokenizer"}'
sed 's/"lowercase": true/"lowercase": false/' told.json >theirs/tokenizer.json
bert import theirs -o module
sed 's/"lowercase": true/"lowercase": true, "turned": 1/; s/"unk_token": "/"dropout": 0.1, &/; s/^{/{"extra": 1, /' told.json >theirs/tokenizer.json
bert import theirs -o module
echo "# a cased vocabulary beside a file that is silent"
setup '{}'
sed 's/^the$/The/; s/^card$/Card/; s/^lost$/Lost/' files/toy/vocab.txt >theirs/vocab.txt
bert import theirs -o module
bert import theirs -o module --do-lower-case false

echo "# refused by name"
setup '{}'
sed 's/"added_tokens": *\[/&{"content": "<x>"},/' told.json >theirs/tokenizer.json
bert import theirs -o module
for settings in '{"tokenizer_class": "RobertaTokenizer"}' '{"tokenizer_class": "PreTrainedTokenizerFast"}' '{"word_tokenizer_type": "mecab"}' \
    '{"truncation_side": "up"}' '{"do_lower_case": "false"}' '{"unk_token": 1}' '{"added_tokens_decoder": {"x": {"content": "y"}}}' \
    '{"added_tokens_decoder": {"58": {"content": 1}}}' '{"cls_token": "<s>"}'; do
    setup "$settings"
    bert import theirs -o module
done
