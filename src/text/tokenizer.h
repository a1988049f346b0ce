/* A tokenizer's inside: a vocabulary, the table of characters, and what is looked up once. */
#ifndef TEXT_TOKENIZER_H
#define TEXT_TOKENIZER_H

#include "text/characters.h"
#include "text/vocabulary.h"

/* What an ASCII character is to the fast path. */
typedef enum ascii_class {
    ASCII_WORD,        /* letters and digits */
    ASCII_PUNCTUATION, /* a word of its own */
    ASCII_SPACE,
    ASCII_NONE /* not ASCII, or dropped: the general path must look */
} ascii_class;

enum {
    WORD_MAX = 200, /* characters; a longer word is [UNK] */
    TRIE_ROOT = 0
};

struct bert_tokenizer {
    vocabulary vocabulary;
    character_table characters;
    int32_t unknown, classify, separate; /* ids of [UNK], [CLS], [SEP] */
    int32_t continuation;                /* the node of "##"; -1: nothing continues a word */
    bool do_lower_case;
    bool one_segment;          /* the module has no segment for a second text (type_vocab_size 1) */
    unsigned char ascii[256];  /* ascii_class of a byte */
    unsigned char folded[256]; /* the byte, lower-cased where the tokenizer does that */
    int32_t single[256];       /* the id of an ASCII character that is a word, [UNK] where it has none */
};

#endif
