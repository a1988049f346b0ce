#!/bin/bash
# tokenizers 0.23.3: a BPE model without an unknown token drops a character that it does not have, and then merges its neighbours across the gap.
#
# One would expect an error, or a split there. "axa" with a vocabulary of a and aa becomes one token, aa, whose span (0, 2) is the text "ax". Two texts that
# differ become the same ids, and no unknown is counted.
#
# Seen:   "axa": tokens ['aa'], spans [(0, 2)], the same as "aa"
# Hurts:  who trains a byte-less BPE on one script and feeds it another, and who counts unknown tokens to notice that.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
cd "$folder"
venv/bin/python - <<'PROGRAM'
from tokenizers import Tokenizer, models

tokenizer = Tokenizer(models.BPE(vocab={"a": 0, "aa": 1}, merges=[("a", "a")]))
gap, whole = tokenizer.encode("axa"), tokenizer.encode("aa")
print(f'"axa": tokens {gap.tokens}, spans {gap.offsets}; "aa": tokens {whole.tokens}, spans {whole.offsets}')
assert gap.tokens == whole.tokens == ["aa"]
PROGRAM
