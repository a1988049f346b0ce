/* A tokenizer that is a pipeline of components, as a tokenizer.json says: normalizers, added tokens found in what they
 * made, pre-tokenizers, a model for each piece. */
#pragma once

#include "text/component.h"
#include "text/piece_model.h"
#include "text/special_tokens.h"
#include "text/split.h"

typedef struct component_pipeline component_pipeline;
typedef struct pipeline_scratch pipeline_scratch;

/* Makes that of a tokenizer from its packed form; the tokenizer's vocabulary and options are filled, its special tokens
 * are set. Fails with BERT_ERR_UNSUPPORTED (a part that is not known, by name), BERT_ERR_FORMAT, BERT_ERR_MEMORY. */
bert_status pipeline_create(bert_tokenizer *tokenizer, const packed_vocabulary *packed, const char *where,
                            bert_err *err);
void pipeline_free(component_pipeline *p);

/* Splits a text, as split_text does. */
bert_status pipeline_split(const bert_tokenizer *tokenizer, bert_text text, const split_options *options,
                           bert_tokens *out, bert_err *err);
void pipeline_work_free(pipeline_scratch *w);

/* What normalizers make of a string: the bytes belong to `work` until its next use. false: it could not be made. */
bool pipeline_normalize(const component_pipeline *p, bert_text text, text_work *work, bert_text *out);

/* What it was made of: the rules, the JSON of its packed form; merges as pairs of ids (n, 2), and whether its model has
 * any; scores, or NULL. */
bert_text pipeline_rules(const component_pipeline *p);
const uint32_t *pipeline_merges(const component_pipeline *p, size_t *n);
const char *pipeline_model_name(const component_pipeline *p); /* "BPE" */
bool pipeline_has_merges(const component_pipeline *p);
/* The id that stands for what the model has not; -1: it has none. */
int32_t pipeline_unknown(const component_pipeline *p);
const double *pipeline_scores(const component_pipeline *p);
