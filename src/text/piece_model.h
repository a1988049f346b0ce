/* The model of a pipeline: what makes tokens of a piece of text. A kind is a row: its name in a tokenizer.json, who
 * reads its parameters, who does the work. The vocabulary is the tokenizer's. */
#pragma once

#include "text/component.h"
#include "text/packed_vocabulary.h"
#include "text/vocabulary.h"

/* A token of a piece: bytes [start, end) of it. */
typedef struct piece_token {
    int32_t id;
    uint32_t start, end;
} piece_token;

/* A part of a word that merges with others (BPE). */
typedef struct word_symbol {
    int32_t id, before, behind; /* -1: there is none */
    uint32_t size;              /* 0: merged into the one before it */
    uint32_t start;
} word_symbol;

/* A merge that may be made. */
typedef struct merge_candidate {
    uint32_t rank, at;
    int32_t id;
} merge_candidate;

/* Where the best way to here comes from (Unigram). */
typedef struct best_way {
    double score;
    uint32_t from;
    int32_t id; /* -1: no way leads here */
} best_way;

/* One thread's memory. All zero before the first use. */
typedef struct model_work {
    piece_token *tokens; /* (n) of the piece */
    size_t n;
    bool failed;  /* memory ran out */
    bool unknown; /* something that the model has no token for, and none for the unknown */
    size_t capacity;
    word_symbol *symbols;
    merge_candidate *heap;
    best_way *ways;
    size_t symbols_capacity, heap_capacity, ways_capacity;
} model_work;

void model_work_free(model_work *w);
void piece_token_add(model_work *w, int32_t id, size_t start, size_t end);

typedef struct merge_entry {
    uint64_t pair; /* left << 32 | right; UINT64_MAX: empty */
    uint32_t rank;
    int32_t id;
} merge_entry;

typedef struct piece_model piece_model;
typedef void piece_model_run(const piece_model *m, const unsigned char *bytes, size_t n, model_work *w);

typedef struct piece_model_kind {
    const char *name;
    bert_status (*read)(component_reader *r, json_t *json, const packed_vocabulary *packed, piece_model *m);
    piece_model_run *run;
    const char *members[12];
} piece_model_kind;

struct piece_model {
    const piece_model_kind *kind;
    const vocabulary *vocabulary;
    int32_t unknown;     /* its token's id; -1: there is none */
    bool by_bytes;       /* pieces are bytes of ByteLevel, each a symbol */
    bool fuses_unknown;  /* unknown symbols beside each other are one */
    bool byte_fallback;  /* an unknown character is its bytes, where the vocabulary has them all */
    bool whole_words;    /* a word that is in the vocabulary is that token, whatever the merges say */
    bert_text prefix;    /* of a symbol or piece that does not begin its word */
    bert_text suffix;    /* of a symbol that ends it */
    int32_t bytes[256];  /* the id of each byte, or of its <0xNN>; -1: there is none */
    size_t most;         /* characters of a word */
    merge_entry *merges; /* a table of 1 << (64 - merge_shift) places */
    int merge_shift;
    double *scores, unknown_score; /* (vocabulary.n) */
};

/* Reads "model", whose vocabulary lies beside it. Fails with BERT_ERR_UNSUPPORTED, BERT_ERR_FORMAT, BERT_ERR_MEMORY. */
bert_status piece_model_read(piece_model *m, json_t *json, const packed_vocabulary *packed, const vocabulary *v,
                             bool by_bytes, component_reader *r);
void piece_model_free(piece_model *m);
/* Its "unk_token", which may be null. */
bert_status model_unknown(component_reader *r, json_t *json, piece_model *m);
/* Looks the ids of <0x00> to <0xFF> up. */
void model_byte_tokens(piece_model *m);

/* A string with what stands before and behind it, as one token; -1: there is none. */
int32_t vocabulary_id_within(const vocabulary *v, bert_text before, const unsigned char *bytes, size_t n,
                             bert_text behind);

extern const piece_model_kind MODEL_BPE, MODEL_UNIGRAM, MODEL_WORD_PIECE, MODEL_WORD_LEVEL;
