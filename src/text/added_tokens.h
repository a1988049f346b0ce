/* Tokens that are looked for in a text before words are, as AddedVocabulary of Hugging Face `tokenizers` does: some in
 * the text as it stands, some in its normal form. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "text/trie.h"

enum { MOST_ADDED_TOKENS = 1 << 14 }; /* each is compared with those before it */

/* What is known of one that is looked for. */
typedef struct added_entry {
    int32_t id;
    bool ignored; /* found, and passed over: its characters are like others, and no other token begins within it */
    bool single_word, lstrip, rstrip;
} added_entry;

/* Those of one form. */
typedef struct added_set {
    const added_entry *entries; /* (n) */
    size_t n;
    trie trie;                /* contents to indices of entries */
    unsigned char first[256]; /* whether one begins with that byte */
} added_set;

typedef struct added_tokens {
    const bert_text *behind; /* (n_behind) those that the vocabulary has not: their ids follow its own */
    size_t n_behind;
    added_set raw, normal;
} added_tokens;

/* Where the search in one text is. All zero begins it. */
typedef struct added_search {
    size_t from;  /* the next one begins here or later */
    size_t taken; /* white space before it is another's */
} added_search;

/* One that was found: bytes [start, end), the white space that it takes counted. */
typedef struct added_match {
    size_t start, end;
    int32_t id;
} added_match;

/* Fills those of the tokenizer's options, its vocabulary and table of characters being made. */
bert_status added_tokens_create(bert_tokenizer *tokenizer, bert_err *err);
void added_tokens_free(added_tokens *added);

/* The next one in a text of UTF-8; false: there is none. */
bool added_find(const added_set *set, const unsigned char *text, size_t size, added_search *search, added_match *match);
