/* Parts of an export for transformers and sentence-transformers. */
#pragma once

#include "exports/export.h"

/* A task's head as transformers computes it: classifier(act(dense(h_[CLS]))) for each text
 * (...ForSequenceClassification; the dense layer is BERT's pooler, or the head's own), or classifier(h) for each token
 * (...ForTokenClassification). */
typedef struct hf_head {
    const family_head *form;
    const char *problem;       /* problem_type; NULL: there is none */
    size_t rows;               /* of the classifier */
    float *dense, *dense_bias; /* (H, H), (H); NULL: there is none, or it is the model's own pooler */
    float *classifier, *bias;  /* (rows, H), (rows) */
} hf_head;

/* Of a model that has a head with weights. notes as in export_write. Fails with BERT_ERR_UNSUPPORTED where transformers
 * has no such head, BERT_ERR_MEMORY. */
bert_status hf_head_make(hf_head *head, const export_model *e, arena *a, buffer *notes, bert_err *err);

/* Task, labels and head as members of config.json. */
void hf_head_to_config(const hf_head *head, const export_model *e, json_t **json);

/* The files by which sentence-transformers takes the vectors as the model does: modules.json and a folder for each of
 * its steps. */
bert_status hf_write_sentence(const export_model *e, const char *folder, bert_err *err);
