/* Texts through the encoder to vectors, in inference: what sessions run. */
#ifndef MODEL_TEXT_ENCODER_H
#define MODEL_TEXT_ENCODER_H

#include "model/model.h"
#include "model/row_encoder.h"

/* Texts that are tokenised at a time: more of them are best given in parts of so many. */
enum { TEXT_ENCODER_PART = 2048 };

/* One thread's calls: an encoder whose layers are packed, one output, and memory that calls share. All zero is empty; once made it stays where
 * it is. */
typedef struct text_encoder {
    arena memory;
    weight_list weights;
    encoder encoder;
    const bert_layer *lender; /* of packed layers */
    row_encoder rows;         /* over the encoder, of the pooling */
    const bert_tokenizer *tokenizer;
    size_t seq_len;

    arena lines;     /* places of the texts at hand */
    token_rows part; /* the texts at hand */
} text_encoder;

/* For the vectors of a pooling, auto: the model's own. The model must outlive it; weights that are tuned are copied as they are now, the others
 * shared with the model. Fails with BERT_ERR_ARGUMENT (seq_len beyond the positions, cls without a pooler), BERT_ERR_MEMORY. */
bert_status text_encoder_create(text_encoder *e, const bert_model *model, bert_pooling pooling, size_t seq_len, bert_err *err);
void text_encoder_free(text_encoder *e);

/* Texts (and pairs, or NULL) as rows of tokens, for e->rows; they belong to the encoder and stay until its next call. truncated may be NULL;
 * added to. Fails as token_rows_create. */
bert_status text_encoder_tokenise(text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, row_form form, token_rows *rows,
                                  size_t *truncated, bert_err *err);

/* vectors: (n, H), or for pooling none (all tokens, H) with their numbers in counts (n). truncated may be NULL; added to.
 * The same text gives the same bits whatever its neighbours and however many threads. Fails with BERT_ERR_MEMORY, BERT_ERR_ARGUMENT. */
bert_status text_encoder_run(text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t n, float *vectors, size_t *counts,
                             size_t *truncated, bert_err *err);

#endif
