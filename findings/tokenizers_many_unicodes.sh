#!/bin/bash
# tokenizers 0.23.3: the parts of one pipeline follow different versions of Unicode, some of them of before 2019.
#
# One would expect one version, and about that of Python's unicodedata. But Lowercase knows letters of 2024, patterns know punctuation of 2021,
# while Punctuation and BertPreTokenizer know none that is younger than 2015, and NFKC nothing younger than 2018: U+32FF, the sign of Japan's
# present era (2019), stays what it is, though NFKC makes two ordinary characters of it. A comma or question mark of Unicode 9 or later stays glued to its word.
#
# Seen:   NFKC of U+32FF: itself; unicodedata: U+4EE4 U+548C
#         U+2E4C (a comma) between two letters: Punctuation 1 word, BertPreTokenizer 1 word, Split on \p{P} 3
#         Lowercase of U+A7DA (of 2024): U+A7DB
#         punctuation of Python 3.11's Unicode 14 that BertPreTokenizer does not split: 104 characters
# Hurts:  who makes the same ids with another implementation (Google's Python tokenizer asks unicodedata), and who normalises Japanese dates before a look-up.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
cd "$folder"
venv/bin/python - <<'PROGRAM'
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

era, comma, young = "\u32ff", "\u2e4c", "\ua7da"
kept = normalizers.NFKC().normalize_str(era)
print("NFKC of U+32FF:", *(f"U+{ord(c):04X}" for c in kept), "; unicodedata:", *(f"U+{ord(c):04X}" for c in unicodedata.normalize("NFKC", era)))
assert kept == era and unicodedata.normalize("NFKC", era) == "\u4ee4\u548c"

bert = pre_tokenizers.BertPreTokenizer()
parts = {"Punctuation": pre_tokenizers.Punctuation(), "BertPreTokenizer": bert, "Split": pre_tokenizers.Split(Regex(r"\p{P}"), "isolated")}
words = {name: len(part.pre_tokenize_str(f"a{comma}b")) for name, part in parts.items()}
print("U+2E4C between two letters, words:", words)
assert unicodedata.category(comma) == "Po" and words == {"Punctuation": 1, "BertPreTokenizer": 1, "Split": 3}

lowered = normalizers.Lowercase().normalize_str(young)
print(f"Lowercase of U+A7DA: U+{ord(lowered):04X}")
assert lowered == "\ua7db"

if unicodedata.unidata_version == "14.0.0":
    glued = [c for c in map(chr, range(0x110000)) if unicodedata.category(c)[0] == "P" and len(bert.pre_tokenize_str(f"a{c}b")) == 1]
    print(f"punctuation that BertPreTokenizer does not split: {len(glued)} characters")
    assert len(glued) == 104
PROGRAM
