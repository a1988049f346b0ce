/* Texts through the encoder to vectors, in inference: what sessions run. */
#ifndef ROWS_TEXT_ENCODER_H
#define ROWS_TEXT_ENCODER_H

#include "data/token_reader.h"
#include "models/model.h"
#include "rows/row_encoder.h"

/* Texts that are tokenised at a time: more of them are best given in parts of so many. */
enum { TEXT_ENCODER_PART = 2048 };

/* What a text encoder is for. */
typedef struct text_encoder_spec {
    bert_pooling pooling; /* of vectors; auto: the model's own */
    bool head;            /* the model's own pooling may be asked for, too */
    size_t seq_len;
    bool windows; /* longer texts are read in windows of seq_len, so far apart; else they are cut */
    size_t stride;
    tile_streams streams;
} text_encoder_spec;

/* One thread's calls: an encoder whose layers are packed, and memory that calls share. All zero is empty; once made it
 * stays where it is. */
typedef struct text_encoder {
    arena memory;
    weight_list weights;
    encoder encoder;
    bert_layer *lender;     /* of packed layers */
    output_request vectors; /* of the pooling */
    /* over the encoder; its own request is what a head reads, the vectors' where there is none */
    row_encoder rows;
    const bert_tokenizer *tokenizer;
    size_t seq_len;
    bool windows;
    size_t stride;

    token_reader reader; /* their tokens */
} text_encoder;

/* The model must outlive it; weights that are tuned are copied as they are now, the others shared with the model. Fails
 * with BERT_ERR_ARGUMENT (seq_len beyond the positions, cls without a pooler), BERT_ERR_MEMORY. */
bert_status text_encoder_create(text_encoder *e, const bert_model *model, const text_encoder_spec *spec, bert_err *err);
void text_encoder_free(text_encoder *e);

/* Texts (and pairs, or NULL) as rows of tokens, for e->rows; they belong to the encoder and stay until its next call.
 * first: the number of the first text, for messages. form APART is for encoders without windows. truncated may be NULL;
 * added to. Fails as token_rows_create. */
bert_status text_encoder_tokenise(text_encoder *e, const bert_text *texts, const bert_text *pairs, size_t first,
                                  size_t n, row_form form, const token_rows **rows, size_t *truncated, bert_err *err);

#endif
