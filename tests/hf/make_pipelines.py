"""Writes golden files for tests/text/pipeline_golden.c with the package `tokenizers` (0.23.3).

make_pipelines.py toys FOLDER [WIKI]        pipelines of every component with toy vocabularies, a file each
make_pipelines.py judge FOLDER WIKI FAMILIES NAME=TOKENIZER.JSON...   real ones, on thousands of texts each

make_pipelines.py gguf VOCABULARY.GGUF TOKENIZER.JSON [NFC]   the byte-level BPE of a GGUF file (GPT-2's, NeoX's) as a tokenizer.json

FAMILIES is a file of texts, each between brackets or a line each (../shared/golden/tokenizer/families.txt).
"""
import base64
import json
import os
import random
import struct
import sys
import unicodedata

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import AddedToken, Tokenizer, models, normalizers as nz, pre_tokenizers as pt, processors as pp, trainers, Regex  # noqa: E402

GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CL100K_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                  r"|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K_PATTERN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                 r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                 r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")

TEXTS = [
    "", " ", "  ", "   ", "a", " a", "a ", " a b ", "Hello, world!", "Don't you'll I'M they'Re we'd", "'s 'S '", "\t", "\n", "\tx",
    " \tx", "x\t y", "a\n\nb \n c", "one  two   three", "a\u00a0b \u00a0c", "a\u3000b\u2028c\u0085d", "\u200ba\u200db\ufeffc",
    "Äpfel ÄÖÜß e\u0301te\u0301 n\u0303", "e\u0323\u0302 \u1ec7 e\u0302\u0323", "ﬁne ﬃ ½ ² Ⅷ ㎏ ｱｶﾞ Ａ", "İstanbul ΑΣ ς Σ",
    "각 \u1100\u1161\u11a8 \uac00\u11a8", "한국어 텍스트", "你好，世界 汉字テスト カタカナ", "नमस्ते दुनिया", "สวัสดีครับ", "مرحبا بالعالم שָׁלוֹם",
    "👩‍👩‍👧‍👦 👍🏽 🇩🇪🇫🇷 ☃️", "x́̀̂ à̖́", "\u0007bell \u0000nul \u00ad soft", "\u0007a", "a\u0007b", "´ ¨ ˜ a´", "a²³ 123 1,234.56 ٣٤ १२",
    "1234567", "3.14abc42", "foo_bar-baz", "C++ #1 @me http://x.y/z?q=1&r=2", "…—“quoted” ‘q’ «x»", "<s>a</s>", "a <mask> b",
    "a<mask>b", "<mask><mask>", " <mask>  <mask> ", "x<added>y added ADDED Added", "xaddedy", "_added added_ (added)", "  lefty  lefty",
    "righty  righty  ", "[UNK] <unk> unk", "▁a ▁▁b a▁b", "▁", "Ġhello Ċ ĉ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "the the the quick brown foxes jumped", "Straße STRASSE straße", "ǅ ǆ Ǆ ŉ ſ", "\u1f88 \u1f80", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚", "\ue000 \U000f0000 \ufffd",
    "a\u0300", "\u0300", "\u0300a", "\u0301\u0300x", "q\u0307\u0323", "\u1e0b\u0323", "Å Å A\u030a", "ΐ ΰ", "日本語\n改行\r\n行", "\r\n", "\r", "a\r\n b",
    "mixed CASE Text", "zzzzqqqq xxyyzz", "1 2 3", "12ab34", "don’t", "㍿ ﷺ ﬀ", "ࠀ꜀", "\u0130\u0307", "tail \u0301", "x \u0301y", "a\u034f\u0301b",
]


def sequence(kind, parts):
    return parts[0] if len(parts) == 1 else kind.Sequence(parts) if parts else None


def charsmap():
    """A precompiled charsmap of a few entries, by a small Darts-clone double array of our own."""
    entries = {"\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\u0007": "", "ﬁ": "fi", "½": "1⁄2", "e\u0301": "é", "\u00ad": "",
               "Ａ": "A", "´": " \u0301", "a\u0300": "à", "㎏": "kg", "ｱ": "ア", "\u200d": " ", "カ\u3099": "ガ"}
    strings, places = b"", {}
    for value in entries.values():
        places.setdefault(value, len(strings))
        if places[value] == len(strings):
            strings += value.encode() + b"\0"
    tree = {}
    for key, value in entries.items():
        node = tree
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[-1] = places[value]
    units, used = [0] * (1 << 14), {0}
    fresh = [256]

    def place(node, at):
        base = fresh[0]  # one block of 256 a node: simple, not small
        fresh[0] += 256
        offset = at ^ base
        units[at] |= offset << 10 if offset < 1 << 21 else (offset >> 8) << 10 | 1 << 9
        if -1 in node:
            units[at] |= 1 << 8
            units[base] = node[-1] | 1 << 31
        for byte, child in node.items():
            if byte >= 0:
                units[base ^ byte] |= byte
                place(child, base ^ byte)

    place(tree, 0)
    units = units[:fresh[0]]
    return struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + strings


def toy(model, normalizer, pre_tokenizer, lines, size=200, post=None, added=True, **options):
    make = {"bpe": lambda: (models.BPE(**options), trainers.BpeTrainer), "wp": lambda: (models.WordPiece(**options), trainers.WordPieceTrainer),
            "uni": lambda: (models.Unigram(), trainers.UnigramTrainer), "wl": lambda: (models.WordLevel(**options), trainers.WordLevelTrainer)}
    m, trainer = make[model]()
    t = Tokenizer(m)
    if normalizer:
        t.normalizer = normalizer
    if pre_tokenizer:
        t.pre_tokenizer = pre_tokenizer
    specials = ["<s>", "</s>", "<unk>", "<pad>"]
    more = {"unk_token": "<unk>"} if model == "uni" else {}
    if model == "bpe" and isinstance(pre_tokenizer, (pt.ByteLevel, pt.Sequence)):
        more["initial_alphabet"] = pt.ByteLevel.alphabet() if options.get("all_bytes", True) else []
    t.train_from_iterator(lines, trainer(vocab_size=size + len(more.get("initial_alphabet", [])), special_tokens=specials, show_progress=False,
                                         **({"end_of_word_suffix": options["end_of_word_suffix"]} if "end_of_word_suffix" in options else {}),
                                         **({"continuing_subword_prefix": options["continuing_subword_prefix"]}
                                            if model == "bpe" and "continuing_subword_prefix" in options else {}), **more))
    if added:
        t.add_special_tokens([AddedToken("<mask>", lstrip=True)])
        t.add_tokens([AddedToken("<added>"), AddedToken("added", single_word=True), AddedToken("lefty", lstrip=True, normalized=False),
                      AddedToken("righty", rstrip=True), AddedToken("Äp", normalized=True)])
    if post:
        t.post_processor = post
    return t


def change_model(t, **members):
    j = json.loads(t.to_str())
    j["model"].update(members)
    return Tokenizer.from_str(json.dumps(j))


def with_byte_tokens(t, n=256):
    """Byte tokens in a vocabulary."""
    j = json.loads(t.to_str())
    names = [f"<0x{i:02X}>" for i in range(n)]
    if isinstance(j["model"]["vocab"], list):
        j["model"]["vocab"] += [[name, -20.0] for name in names]
    else:
        size = len(j["model"]["vocab"])
        j["model"]["vocab"].update({name: size + i for i, name in enumerate(names)})
    j["model"]["byte_fallback"] = True
    for a in j["added_tokens"]:
        a["id"] = a["id"] if a["id"] < 4 else a["id"] + n
    return Tokenizer.from_str(json.dumps(j))


def toys(lines):
    meta = pt.Metaspace()
    nmt = nz.Sequence([nz.Nmt(), nz.NFKC(), nz.Replace(Regex(" {2,}"), " ")])
    roberta = pp.RobertaProcessing(("</s>", 1), ("<s>", 0))
    split = lambda pattern, behaviour, invert=False: pt.Split(Regex(pattern), behaviour, invert)
    pre = nz.Precompiled(charsmap())
    yield "roberta", toy("bpe", None, pt.ByteLevel(add_prefix_space=False), lines, post=roberta)
    yield "roberta_prefix", toy("bpe", None, pt.ByteLevel(), lines, post=pp.RobertaProcessing(("</s>", 1), ("<s>", 0), add_prefix_space=True))
    yield "neox", toy("bpe", nz.NFC(), pt.ByteLevel(add_prefix_space=False), lines, post=pp.ByteLevel(trim_offsets=True))
    yield "bytes_missing", toy("bpe", nz.NFD(), pt.Sequence([pt.Digits(True), pt.ByteLevel(add_prefix_space=False)]), lines[:40], unk_token="<unk>",
                               post=pp.ByteLevel(trim_offsets=False))
    yield "cl100k", toy("bpe", None, pt.Sequence([split(CL100K_PATTERN, "isolated"), pt.ByteLevel(add_prefix_space=False, use_regex=False)]), lines)
    yield "o200k", toy("bpe", None, pt.Sequence([split(O200K_PATTERN, "removed", True), pt.ByteLevel(add_prefix_space=False, use_regex=False)]), lines)
    yield "gpt2_split", toy("bpe", None, pt.Sequence([split(GPT2_PATTERN, "isolated"), pt.ByteLevel(add_prefix_space=True, use_regex=False)]), lines)
    yield "ignore_merges", change_model(toy("bpe", None, pt.ByteLevel(add_prefix_space=False), lines), ignore_merges=True)
    yield "bpe_suffix", toy("bpe", nz.Sequence([nz.NFC(), nz.Replace(Regex(r"\s+"), " "), nz.Lowercase()]),
                            pt.Sequence([split(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", "removed", True)]), lines,
                            unk_token="<unk>", end_of_word_suffix="</w>")
    yield "bpe_prefix", toy("bpe", nz.NFKD(), pt.Whitespace(), lines, unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=True)
    yield "bpe_no_unknown", toy("bpe", nz.StripAccents(), pt.WhitespaceSplit(), lines)
    yield "bpe_fallback", with_byte_tokens(toy("bpe", nz.Sequence([nz.Prepend("▁"), nz.Replace(" ", "▁")]), None, lines[:60], unk_token="<unk>", fuse_unk=True))
    yield "bpe_fallback_some", with_byte_tokens(toy("bpe", None, meta, lines[:60], unk_token="<unk>"), 0xC8)
    yield "xlmr", toy("uni", pre, pt.Sequence([pt.WhitespaceSplit(), meta]), lines, post=pp.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 1)]))
    yield "e5", toy("uni", nz.Sequence([pre, nz.Replace(Regex(" {2,}"), " ")]), meta, lines)
    yield "uni_first", toy("uni", nmt, pt.Metaspace(prepend_scheme="first"), lines)
    yield "uni_never", toy("uni", nz.Strip(), pt.Metaspace(prepend_scheme="never", split=False), lines)
    yield "uni_fallback", with_byte_tokens(toy("uni", nz.Strip(right=False), meta, lines[:60]))
    yield "uni_fallback_some", with_byte_tokens(toy("uni", nz.NFKC(), meta, lines[:60]), 0xC8)
    yield "bert_unigram", toy("uni", nz.BertNormalizer(), pt.BertPreTokenizer(), lines)
    yield "albert", toy("uni", nz.Sequence([nz.Replace("``", '"'), nz.Replace("''", '"'), nz.NFKD(), nz.StripAccents(), nz.Lowercase(), pre,
                                            nz.Replace(Regex(" {2,}"), " ")]), meta, lines)
    yield "wp_chinese", toy("wp", nz.BertNormalizer(lowercase=False, strip_accents=True), pt.Whitespace(), lines, unk_token="<unk>",
                            max_input_chars_per_word=10)
    yield "wp_plain", toy("wp", nz.BertNormalizer(clean_text=False, handle_chinese_chars=False), pt.Sequence([pt.WhitespaceSplit(), pt.Punctuation("contiguous")]),
                          lines, unk_token="<unk>", post=pp.BertProcessing(("</s>", 1), ("<s>", 0)))
    for behaviour in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
        yield "wl_" + behaviour, toy("wl", nz.Lowercase(), pt.Sequence([pt.Punctuation(behaviour), split(r"\s", behaviour), pt.Digits(False)]), lines,
                                     unk_token="<unk>")
        yield "inverted_" + behaviour, toy("bpe", None, pt.Sequence([split(r"[a-z]+|\d", behaviour, True)]), lines, unk_token="<unk>")
    yield "split_string", toy("wl", None, pt.Sequence([pt.Split(" ", "merged_with_next"), pt.Split("-", "isolated", invert=False)]), lines, unk_token="<unk>")


def unknown_to_package():
    """Characters that the package's tables are too old for: punctuation and marks of Unicode 8 (crate unicode_categories), normal forms of
    Unicode 12 (unicode-normalization-alignments). libbert has utf8proc's, of Unicode 15, so these may differ, and what Unicode 15 has not."""
    bert, marks = nz.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=True, lowercase=False), nz.StripAccents()
    punctuation, normal = pt.Punctuation(), nz.NFKC()
    unknown = set()
    for code in range(0x80, 0x110000):
        c, category = chr(code), unicodedata.category(chr(code))
        if category == "Cs":
            continue
        text = "a" + c + "a"
        if ((category[0] == "P") != (len(punctuation.pre_tokenize_str(text)) > 1) or (category[0] == "M") != (marks.normalize_str(text) == "aa") or
                (category in ("Mn", "Cf", "Cc", "Co")) != (bert.normalize_str(text) == "aa") and category != "Co" and code != 0xFFFD or
                unicodedata.normalize("NFKC", text) != normal.normalize_str(text) or category == "Cn" or 0x898 <= code <= 0x89F):
            unknown.add(c)
    return unknown


UNKNOWN = set()


def rows(t, texts):
    out = []
    for text in texts:
        if UNKNOWN and not UNKNOWN.isdisjoint(text):
            continue
        e = t.encode(text, add_special_tokens=False)
        row = []
        for i, (start, end) in zip(e.ids, e.offsets):
            row += [i, start, end]
        out.append([text, row])
    return out


def write(path, tokenizer, t, texts):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"tokenizer": tokenizer, "rows": rows(t, texts)}, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


def wiki_lines(folder, n):
    import glob
    lines = []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        with open(path, encoding="utf-8", errors="ignore", newline="\n") as file:
            lines += [line.rstrip("\n") for line in file]
    random.Random(7).shuffle(lines)
    return lines[:n]


def every_block():
    """Characters of all of Unicode, in stretches of 24 with and without blanks; what is not assigned is left to the last."""
    texts = []
    for first in range(0, 0x110000, 24):
        characters = [chr(c) for c in range(first, min(first + 24, 0x110000)) if unicodedata.category(chr(c)) not in ("Cs", "Cn", "Co")]
        if characters:
            texts.append("".join(characters))
            texts.append("a " + " ".join(characters) + " z")
    return texts


def mixed(n):
    """Characters from everywhere, marks and white space more often."""
    r = random.Random(11)
    assigned = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cs", "Cn", "Co")]
    marks = [c for c in assigned if unicodedata.category(chr(c)) in ("Mn", "Mc", "Me")]
    texts = []
    for _ in range(n):
        text = ""
        for _ in range(r.randrange(1, 30)):
            kind = r.randrange(8)
            text += (chr(r.choice(assigned)) if kind == 0 else chr(r.choice(marks)) if kind == 1 else r.choice(" \t\n\u00a0 ▁'") if kind == 2
                     else chr(r.randrange(0xC0, 0x250)) if kind == 3 else chr(r.randrange(33, 127)))
        texts.append(text)
    return texts


def read_gguf(path):
    """The values of a GGUF file's header, by their keys."""
    with open(path, "rb") as file:
        data = file.read()
    at = 8
    forms = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def number(form):
        nonlocal at
        value = struct.unpack_from("<" + form, data, at)[0]
        at += struct.calcsize(form)
        return value

    def string():
        nonlocal at
        size = number("Q")
        at += size
        return data[at - size:at].decode()

    def value(kind):
        if kind == 8:
            return string()
        if kind == 9:
            inner = number("I")
            return [value(inner) for _ in range(number("Q"))]
        return number(forms[kind])

    number("Q")
    return {string(): value(number("I")) for _ in range(number("Q"))}


def from_gguf(path, out, normalizer=None):
    g = read_gguf(path)
    tokens, types = g["tokenizer.ggml.tokens"], g["tokenizer.ggml.token_type"]
    vocabulary = {}
    for i, token in enumerate(tokens):
        vocabulary.setdefault(token, i)
    added = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": types[i] == 3}
             for i, token in enumerate(tokens) if types[i] in (3, 4)]
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"version": "1.0", "added_tokens": added, "normalizer": normalizer and {"type": normalizer}, "pre_tokenizer": bytes_,
                   "post_processor": dict(bytes_, add_prefix_space=True), "decoder": None,
                   "model": {"type": "BPE", "vocab": vocabulary, "merges": g["tokenizer.ggml.merges"]}}, file, ensure_ascii=False)


def main():
    if sys.argv[1] == "gguf":
        from_gguf(*sys.argv[2:])
        return
    if sys.argv[1] == "judge" or len(sys.argv) > 4:
        UNKNOWN.update(unknown_to_package())
        print(len(UNKNOWN), "characters that the package's tables are too old for, unassigned ones among them: left out", file=sys.stderr)
    if sys.argv[1] == "toys":
        lines = wiki_lines(sys.argv[3], 400)
        for name, t in toys([line for line in lines if line.isascii()][:150] + ["é ü ö ä ß 日本 ア"] * 3):
            write(os.path.join(sys.argv[2], name + ".json"), json.loads(t.to_str()), t, TEXTS + lines[:4])
            if len(sys.argv) > 4:  # many texts, for the judge
                write(os.path.join(sys.argv[4], "toy_" + name + ".json"), json.loads(t.to_str()), t,
                      wiki_lines(sys.argv[3], 1000) + every_block()[::7] + mixed(3000))
        return
    folder, wiki, families = sys.argv[2:5]
    with open(families, encoding="utf-8", newline="\n") as file:
        texts = TEXTS + wiki_lines(wiki, 3000) + [line.rstrip("\n") for line in file] + every_block() + mixed(3000)
    for argument in sys.argv[5:]:
        name, path = argument.split("=")
        write(os.path.join(folder, name + ".json"), path, Tokenizer.from_file(path), texts)
        print(name, len(texts), "texts", file=sys.stderr)


if __name__ == "__main__":
    main()
