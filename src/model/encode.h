/* Texts through the encoder to vectors, in inference: in tiles of tokens, each thread its own tile through all layers. */
#ifndef MODEL_ENCODE_H
#define MODEL_ENCODE_H

#include "model/forward.h"
#include "text/features.h"

/* Memory that calls share. All zero before the first use. One thread's. */
typedef struct encode_workspace {
    arena chunk;           /* the tokens of the texts at hand */
    arena *tiles;          /* (n_threads) */
    encode_scratch *words; /* (n_threads) */
    size_t n_threads;
} encode_workspace;

void encode_workspace_free(encode_workspace *w);

/* What runs: an encoder whose layers are packed, one request, the tokenizer and the most tokens of a text. */
typedef struct text_encoder {
    const encoder *encoder;
    const output_request *request;
    const bert_tokenizer *tokenizer;
    size_t seq_len;
} text_encoder;

/* vectors: (n, H), or for a request of tokens (all tokens, H) with their numbers in counts (n). truncated may be NULL; added to.
 * The same text gives the same bits whatever its neighbours and however many threads. Fails with BERT_ERR_MEMORY, BERT_ERR_ARGUMENT. */
bert_status encode_texts(const text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, float *vectors, size_t *counts,
                         size_t *truncated, encode_workspace *w, bert_err *err);

#endif
