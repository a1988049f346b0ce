/* A tokenizer that is a pipeline, as modules and frozen files keep it: its rules as in a tokenizer.json, but for the
 * vocabulary, which lies beside them in tables that need no parsing. Little-endian:
 *
 *     8 bytes   "\0bertok1"
 *     u32       1: there are scores
 *     u32       n, the number of ids
 *     u32       the number of merges
 *     u32       the bytes of the rules
 *     u64       the bytes of all tokens
 *     f64 (n)   scores, if there are
 *     u32 (n)   where each token ends in the bytes; an empty one: the id has no token
 *     u32 (merges, 2)   ids, in the order of their ranks
 *     the rules, a JSON object: normalizer, pre_tokenizer, model (without vocab and merges), post_processor, decoder
 *     the tokens */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/size.h"

#include <jansson.h>

/* What it holds, in place; nothing is aligned. */
typedef struct packed_vocabulary {
    size_t n, n_merges;
    const char *scores, *ends, *merges; /* scores NULL: there are none */
    bert_text rules, tokens;
} packed_vocabulary;

/* Whether bytes begin like one. */
bool packed_vocabulary_is(const char *bytes, size_t size);
/* Fails with BERT_ERR_FORMAT where sizes do not fit. */
bert_status packed_vocabulary_open(packed_vocabulary *p, const char *bytes, size_t size, const char *name,
                                   bert_err *err);

static inline uint32_t packed_merge(const packed_vocabulary *p, size_t i)
{
    return load_le32(p->merges + 4 * i);
}

static inline double packed_score(const packed_vocabulary *p, size_t i)
{
    double score;
    memcpy(&score, p->scores + 8 * i, sizeof score);
    return score;
}

/* What is packed; all zero but for the first use, freed by buffer_free of each. */
typedef struct vocabulary_packer {
    buffer scores, ends, merges, tokens;
} vocabulary_packer;

void packer_token(vocabulary_packer *p, const char *bytes, size_t size, const double *score);
void packer_merge(vocabulary_packer *p, uint32_t left, uint32_t right);
/* Writes all of it with the rules to out, and frees it. Fails with BERT_ERR_MEMORY; BERT_ERR_FORMAT (2 GiB or more). */
bert_status packer_end(vocabulary_packer *p, const char *rules, buffer *out, const char *where, bert_err *err);
void packer_free(vocabulary_packer *p);

/* The type of a tokenizer.json's model; of files of before they had one by their other members. NULL: unknown. */
const char *packed_model_type(const json_t *model);
