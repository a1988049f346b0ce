# Tokenisers as people have them: read as transformers reads them, or refused by name.
cases=$SHARED/cases
[ -d "$cases" ] || { echo "skipped: no $cases" >&2; exit 77; }
printf '%s\n' '{"text": "Hacía más que hacia é 東京で見る day2019"}' '{"text": "the URL [E1] <user> cat [SEP] sat"}' >texts.jsonl
try() {
    cp -R "$cases/$1" "$1"
    folder=$1
    shift
    bert import "$folder" -o module "$@" || return
    bert tokenize -m module texts.jsonl | sed 's/, "ids".*//'
    rm -r module
}
for name in plain accents-config accents-tokenizer-json cjk-tokenizer-json digits-tokenizer-json japanese-mecab vocab-bom \
    vocab-one-capital vocab-blank-end rows-padded added-tokens-json added-tokens-tokenizer-json; do
    echo "# $name"
    try "$name"
done
echo "# an option that settles a special token within a text"
rm -r plain && try plain --special-in-text split
rm -r vocab-bom && try vocab-bom --do-lower-case true --special-in-text split

echo "# fewer rows than tokens"
cp -R "$cases/plain" few
printf 'url\n' >>few/vocab.txt
bert import few -o few-module
printf 'the cat\nthe url\n' >few.txt
bert embed -m few-module few.txt | grep -v "^{"
bert tokenize -m few-module few.txt
