/* A tokenizer's inside: its rules, a vocabulary, the table of characters, tokens beside the vocabulary, and what is
 * looked up once. */
#pragma once

#include "base/arena.h"
#include "text/added_tokens.h"
#include "text/characters.h"
#include "text/special_tokens.h"
#include "text/vocabulary.h"

/* What an ASCII character is to the fast path. */
typedef enum ascii_class {
    ASCII_WORD,        /* letters and digits */
    ASCII_PUNCTUATION, /* a word of its own */
    ASCII_SPACE,
    ASCII_NONE /* not ASCII, or dropped: the general path must look */
} ascii_class;

struct bert_tokenizer {
    arena memory;
    bert_tokenizer_options options;
    vocabulary vocabulary;
    added_tokens added;
    character_table characters;
    size_t rows;                         /* of the word embedding: no larger id has one; SIZE_MAX where there is none */
    size_t word_max;                     /* characters; a longer word is unknown */
    struct component_pipeline *pipeline; /* what a tokenizer.json says; NULL: BERT's rules, and what stands below */
    int32_t unknown, special[MOST_SPECIALS]; /* ids of the special tokens, by role */
    int32_t padding;                         /* fills a row: 0 for BERT, whatever its token is called */
    const special_template *specials;        /* where they stand: as the module's family has it */
    int32_t continuation;                    /* the node of the prefix; -1: nothing continues a word */
    bool final_sigma;
    bool one_segment;          /* the module has no segment for a second text (type_vocab_size 1) */
    unsigned char ascii[256];  /* ascii_class of a byte */
    unsigned char folded[256]; /* the byte, lower-cased where the tokenizer does that */
    int32_t single[256];       /* the id of an ASCII character that is a word, that of the unknown where it has none */
};

/* As bert_tokenizer_create, with a trie that was built of the same bytes before, and stays where it is as long as the
 * tokenizer. Fails with BERT_ERR_FORMAT, too, where it is damaged. */
bert_status tokenizer_create_ready(const char *bytes, size_t size, ready_trie ready, const char *name,
                                   const bert_tokenizer_options *options, bert_tokenizer **tokenizer, bert_err *err);

/* The rules of transformers' BertTokenizer where no file says otherwise. */
void tokenizer_start_as_transformers(bert_tokenizer_options *options);
bool tokenizer_strips(const bert_tokenizer_options *options);
/* Checks options (NULL: the defaults) and copies them with all that they point to. */
bert_status tokenizer_options_copy(bert_tokenizer_options *to, const bert_tokenizer_options *from, arena *a,
                                   bert_err *err);

/* Fails with BERT_ERR_DATA where the word embedding has no row for one of n ids. */
bert_status tokenizer_check_rows(const bert_tokenizer *tokenizer, const int32_t *ids, size_t n, bert_err *err);
