/* A model with a head, as it predicts and as it is judged: texts to logits, scores, metrics. */
#ifndef TASK_CLASSIFIER_H
#define TASK_CLASSIFIER_H

#include "data/dataset.h"
#include "model/text_encoder.h"
#include "task/tasks.h"

/* The head over an encoder of the model's own pooling. All zero is empty. One thread's. */
typedef struct classifier {
    const bert_model *model;
    const task *task;
    const ops *ops;
    dense head;            /* its numbers are in memory */
    text_encoder *encoder; /* the caller's */
    arena memory;
    float *vectors, *logits; /* (PART, H), (PART, K): of the texts at hand */
} classifier;

/* texts: of the model's own pooling; it must outlive the classifier. The head is as it is at this call. Fails as task_of_model, and with
 * BERT_ERR_MEMORY. */
bert_status classifier_create(classifier *c, const bert_model *model, text_encoder *texts, bert_err *err);
void classifier_free(classifier *c);

/* scores (n, labels). truncated, where not NULL, is added to. */
bert_status classifier_run(classifier *c, const bert_text *texts, const bert_text *pairs, size_t n, float *scores, size_t *truncated,
                           bert_err *err);

/* Metrics over a data set; a label that the model does not know fails with BERT_ERR_DATA, naming file and line. */
bert_status classifier_evaluate(classifier *c, const bert_dataset *dataset, bert_metrics *metrics, bert_err *err);

#endif
