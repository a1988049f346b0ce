/* A prediction in words, by the task of its model. */
#ifndef CLI_ANSWERS_H
#define CLI_ANSWERS_H

#include "bert.h"
#include "cli/results.h"

/* How the answers of a task are written. */
typedef struct answer_form answer_form;

typedef struct answers {
    const answer_form *form;
    const char *const *labels; /* (K) */
    size_t K;                  /* 0: values or entities */
    size_t columns;            /* of scores; 0: entities */
    double threshold;
    bool tsv; /* else JSON lines */
} answers;

/* false: the model predicts nothing. */
bool answers_open(answers *a, const bert_model *model, const bert_session *session, bool tsv);

/* scores: (columns) */
void answers_scores(const answers *a, const float *scores, results *out);
/* The entities of one text, which is the row-th of all from 1 on. */
void answers_entities(const answers *a, const bert_entity *entities, size_t n, bert_text text, size_t row, results *out);

#endif
