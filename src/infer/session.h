/* A session in memory. */
#ifndef INFER_SESSION_H
#define INFER_SESSION_H

#include "model/text_encoder.h"
#include "task/classifier.h"

/* The entities of a call, in one array that grows. */
typedef struct entity_list {
    bert_entity *items;
    size_t n, capacity;
} entity_list;

struct bert_session {
    const bert_model *model;
    bert_session_options options;
    text_encoder own;   /* the model's own pooling: what a head reads */
    text_encoder other; /* another pooling for vectors; empty where that is the model's own */
    text_encoder *vectors;
    classifier classifier; /* empty without a head */
    entity_list entities;
    arena words; /* tags of a part's words */
};

/* How many of the texts that are left are run in one go. */
static inline size_t session_part(size_t left)
{
    return left < TEXT_ENCODER_PART ? left : TEXT_ENCODER_PART;
}

/* The error of a model that only embeds. */
bert_status session_no_head(const bert_session *session, bert_err *err);

#endif
