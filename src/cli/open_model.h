/* -m: opening what a command works on, and what is said at the end about texts that did not go in whole. */
#pragma once

#include "bert.h"

extern const char *const NOT_OF_PREDICTION[]; /* options of a session that are for vectors alone */

/* Loads a module, model or frozen file and passes on its note. Returns an exit status; what went wrong has been
 * told. */
int model_open(const char *path, bert_model **model);
/* The same of a frozen file, whose data is compared with its hash first. */
int model_open_verified(const char *path, bool verify, bert_model **model);

/* Whether the model has a task; that it has none has been told. */
bool model_predicts(const bert_model *model, const char *path);

/* Tells where the rows, n of them and `pairs` of these with two texts, are not like those that the model was trained
 * on. */
void model_note_texts(const bert_model *model, size_t pairs, size_t n);
/* The same of vectors: a model of similarity makes one of each text. */
void model_note_vectors(const bert_model *model, size_t pairs, size_t n);

/* Tells how many of n texts did not go in whole, and what to do. windows: they were read in windows (--window), so that
 * only first texts of pairs are cut. */
void model_note_truncated(size_t truncated, size_t n, size_t seq_len, bool windows);
