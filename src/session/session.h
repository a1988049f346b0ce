/* A session in memory. */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "base/threads.h"
#include "rows/text_encoder.h"
#include "task/classifier.h"

/* The entities of a call, in one array that grows. */
typedef struct entity_list {
    bert_entity *items;
    size_t n, capacity;
} entity_list;

struct bert_session {
    const bert_model *model;
    bert_session_options options;
    double threshold; /* the model's as the session was made: it may be trained since */
    text_encoder texts;
    classifier classifier; /* empty without a head */
    entity_list entities;
    arena part; /* what is made of the texts at hand: vectors, tags */
    arena call; /* pairs of a call, side by side */
};

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
    return left < TEXT_ENCODER_PART ? left : TEXT_ENCODER_PART;
}

/* From here on the calling thread may use as many threads as the session's options say. Returns what threads_allow
 * undoes it by. */
static inline size_t session_threads(const bert_session *s)
{
    return threads_allow(s->options.threads ? (size_t)s->options.threads : threads_allowed());
}

/* The error of a model that only embeds. */
bert_status session_no_head(const bert_session *session, bert_err *err);

#endif
