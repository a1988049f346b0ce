/* What a fine-tuned folder says of its head: the words for its outputs, and what they mean. */
#pragma once

#include "imports/source.h"
#include "task/tasks.h"

/* A head as the folder has it, and what it becomes. */
typedef struct fine_tuned {
    source *source;
    const family_head *form; /* whose classifier it is */
    const char *where;       /* config.json, for messages */
    const char *whose;       /* the architecture, for messages */
    arena memory;
    bool tokens;
    size_t rows;                 /* of the classifier: as many labels */
    float *weight, *bias;        /* (rows, H), (rows) */
    float *hidden, *hidden_bias; /* (H, H), (H) of the dense layer before; NULL: there is none */
    const char **names;          /* (rows) their labels */
    const char *problem;         /* problem_type; NULL: nothing is told */
    const char *activation;      /* "Sigmoid": what CrossEncoder puts behind the outputs; NULL: nothing is told */
    const head_output *output;   /* what the outputs mean */
    bool single;                 /* one output for two labels */
    head_spec head;
    size_t first; /* row of the classifier that is the head's first: binary leaves out a row of zeros */
} fine_tuned;

/* Fills names, problem and activation. Fails with BERT_ERR_FORMAT; BERT_ERR_UNSUPPORTED (a problem_type that
 * transformers has not). */
bert_status fine_tuned_words(fine_tuned *f, bert_err *err);
