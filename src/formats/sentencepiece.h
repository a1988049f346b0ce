/* A SentencePiece model: its pieces and what it does to a text before. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

/* What a piece is for, as the file numbers it. */
enum { PIECE_CONTROL = 3, PIECE_USER_DEFINED = 4 };

typedef struct sentence_piece {
    const char *piece;
    double score;
    int type;
} sentence_piece;

typedef struct sentencepiece_model {
    sentence_piece *pieces; /* (n) in the order of their ids */
    size_t n, unknown;      /* unknown: the id of the piece for what it has not */
    bert_text charsmap;     /* precompiled; size 0: there is none */
} sentencepiece_model;

/* Reads a file; memory is the arena's. Fails with BERT_ERR_IO, BERT_ERR_FORMAT (it is none, a piece without a text, a
 * score that is no number), BERT_ERR_UNSUPPORTED (a model that is not Unigram, by name; byte fallback),
 * BERT_ERR_MEMORY. */
bert_status sentencepiece_read(sentencepiece_model *model, const char *path, arena *a, bert_err *err);
