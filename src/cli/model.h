/* -m: opening what a command works on, and what is said at the end about texts that did not go in whole. */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "bert.h"

/* Loads a module, model or frozen file and passes on its note. Returns an exit status; what went wrong has been told. */
int model_open(const char *path, bert_model **model);

void model_note_truncated(size_t truncated, size_t n, size_t seq_len);

#endif
