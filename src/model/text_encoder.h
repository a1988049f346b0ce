/* Texts through the encoder to vectors, in inference: in tiles of tokens, each thread its own tile through all layers. */
#ifndef MODEL_TEXT_ENCODER_H
#define MODEL_TEXT_ENCODER_H

#include "model/model.h"

/* Runs one thread's calls: an encoder whose layers are packed, one output, and memory that calls share. All zero is empty. */
typedef struct text_encoder {
    arena memory;
    weight_list weights;
    encoder encoder;
    output_request request;
    const bert_tokenizer *tokenizer;
    size_t seq_len;

    arena chunk;           /* the tokens of the texts at hand */
    arena *tiles;          /* (n_threads) */
    encode_scratch *words; /* (n_threads) */
    size_t n_threads;
} text_encoder;

/* For the vectors of a pooling, auto: the model's own. The model must outlive it; weights that are tuned are copied as they are now, the others
 * shared with the model. Fails with BERT_ERR_ARGUMENT (seq_len beyond the positions, cls without a pooler), BERT_ERR_MEMORY. */
bert_status text_encoder_create(text_encoder *e, const bert_model *model, bert_pooling pooling, size_t seq_len, bert_err *err);
void text_encoder_free(text_encoder *e);

/* vectors: (n, H), or for pooling none (all tokens, H) with their numbers in counts (n). truncated may be NULL; added to.
 * The same text gives the same bits whatever its neighbours and however many threads. Fails with BERT_ERR_MEMORY, BERT_ERR_ARGUMENT. */
bert_status text_encoder_run(text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, float *vectors, size_t *counts,
                             size_t *truncated, bert_err *err);

#endif
