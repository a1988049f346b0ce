/* A session in memory. */
#pragma once

#include "base/threads.h"
#include "data/token_reader.h"
#include "layers/snapshot.h"
#include "rows/row_encoder.h"
#include "task/classifier.h"

/* Texts that are tokenised at a time: more of them are best given in parts of so many. */
enum { SESSION_PART = 2048 };

/* The entities of a call, in one array that grows. */
typedef struct entity_list {
    bert_entity *items;
    size_t n, capacity;
} entity_list;

struct bert_session {
    const bert_model *model;
    bert_session_options options; /* seq_len: of a row, never 0 */
    double threshold;             /* the model's as the session was made: it may be trained since */
    token_reader reader;
    layer_snapshot *weights; /* the model's as they were then */
    encoder encoder;         /* the snapshot's */
    output_request vectors;  /* of the pooling that is asked for */
    row_encoder rows; /* over the encoder; its own request is what a head reads, the vectors' where there is none */
    classifier classifier; /* empty without a head */
    entity_list entities;
    arena part; /* what is made of the texts at hand: vectors, tags */
    arena call; /* pairs of a call, side by side */
};

/* Makes the encoder over the weights as they are now, which sessions share; the model must outlive the session. Fails
 * with BERT_ERR_ARGUMENT (seq_len beyond the positions, cls without a pooler), BERT_ERR_MEMORY. */
bert_status session_encoder_create(bert_session *session, bert_err *err);
void session_encoder_free(bert_session *session);

/* Texts (and pairs, or NULL) as rows of tokens, which belong to the session and stay until its next call. first: the
 * number of the first text, for messages. form APART is for sessions without windows. truncated may be NULL; added to.
 * Fails as token_rows_create. */
bert_status session_tokenise(bert_session *session, const bert_text *texts, const bert_text *pairs, size_t first,
                             size_t n, row_form form, const token_rows **rows, size_t *truncated, bert_err *err);

/* The rows of one text after another, and the scores of their tokens that begin a word. */
typedef struct text_rows {
    const token_rows *rows;
    size_t first, end;   /* of the text at hand */
    const float *scores; /* (words of later rows, labels) */
} text_rows;

/* Scores all words of some rows; what is made on the way is in session->part, which begins anew. */
bert_status session_words_begin(bert_session *session, const token_rows *rows, text_rows *of, bert_err *err);
/* The words of the next text up to the last one that has a token: words (n) are the scores of each, from the row in
 * which it stands deepest; NULL of a word without a token. text: the number that the rows call it by. */
bert_status session_words_next(bert_session *session, text_rows *of, size_t text, const float *const **words, size_t *n,
                               bert_err *err);

/* How many of the texts that are left are run in one go. */
static inline size_t session_part(size_t left)
{
    return left < SESSION_PART ? left : SESSION_PART;
}

/* From here on the calling thread may use as many threads as the session's options say. Returns what threads_allow
 * undoes it by. */
static inline size_t session_threads(const bert_session *s)
{
    return threads_allow(s->options.threads ? (size_t)s->options.threads : threads_allowed());
}

/* The error of a model that only embeds. */
bert_status session_no_head(const bert_session *session, bert_err *err);
