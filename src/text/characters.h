/* What the tokeniser does with each character, looked up in one table: constant once a tokenizer is made.
 * The rules are those of BasicTokenizer in google-research/bert tokenization.py, under Unicode 14, and of
 * BertNormalizer and BertPreTokenizer in Hugging Face's `tokenizers` where that differs; tests/text/characters.c spells
 * them out. */
#pragma once

#include "base/error.h"

/* An entry: flags, and the code point that the character becomes by lower-casing, decomposing (NFD) and stripping
 * marks. */
enum {
    CHARACTER_BECOMES = 0x1FFFFF, /* that code point; 0: itself */
    CHARACTER_DROP = 1 << 21,     /* control and format characters, U+0000, U+FFFD */
    CHARACTER_SPACE = 1 << 22,    /* white space to Python's split() */
    CHARACTER_CHINESE = 1 << 23,  /* a word of its own */
    /* of what it becomes: P*, and all of ASCII that is no letter, digit, space or control */
    CHARACTER_PUNCTUATION = 1 << 24,
    /* becomes the characters at expansions[BECOMES]: their number, then the characters */
    CHARACTER_EXPANDS = 1 << 27,
    /* Where accents are stripped: */
    CHARACTER_MARK = 1 << 25,       /* Mn: stripped */
    CHARACTER_NONSTARTER = 1 << 26, /* combining class not 0: NFD may move it */
    CHARACTER_HANGUL = 1 << 28,     /* a syllable: becomes two or three letters by arithmetic */
    /* Where it is lower-cased, for the final sigma: */
    CHARACTER_CASED = 1 << 29,
    CHARACTER_CASE_IGNORABLE = 1 << 30
};

/* In the runs alone, no table has them: `tokenizers` splits at no such Chinese character, and drops what else
 * has it; \w of a regular expression. */
#define CHARACTER_OTHERWISE 0x80000000u
#define CHARACTER_WORD ((uint32_t)CHARACTER_EXPANDS) /* no run expands */

/* Which table. */
typedef struct character_rules {
    bool lower, strip;
    bool chinese;     /* Chinese characters are words of their own */
    bool clean_text;  /* control characters are dropped */
    bool huggingface; /* as `tokenizers` does it */
} character_rules;

/* All zero is an empty table. */
typedef struct character_table {
    uint16_t *index;  /* (0x110000 / 128) the block of each 128 code points */
    uint32_t *blocks; /* (n_blocks, 128) entries */
    size_t n_blocks;
    const uint32_t *expansions;
} character_table;

/* Fails with BERT_ERR_MEMORY. */
bert_status character_table_create(character_table *table, const character_rules *rules, bert_err *err);
void character_table_free(character_table *table);

static inline uint32_t character_entry(const character_table *table, uint32_t cp)
{
    return table->blocks[(size_t)table->index[cp >> 7] << 7 | (cp & 127)];
}

/* Unicode's canonical combining class of a character that is not stripped; 0 for those that are. */
unsigned character_combining_class(uint32_t cp);

bool character_is_word(uint32_t cp);  /* \w of a regular expression */
bool character_is_space(uint32_t cp); /* Unicode's White_Space */
