/* The part of a checkpoint that is no tensor, as JSON. */
#pragma once

#include "formats/json.h"
#include "report/run_record.h"
#include "train/progress.h"

#define STATE_FORMAT "libbert.checkpoint"
enum { STATE_VERSION = 1 };

/* crc: of the tensors. NULL: out of memory. */
json_t *state_of_run(const train_run *r, const progress *p, const run_record *record, uint32_t crc);

/* Appends what keeps the run from going on where the state ends, joined by "; ". */
void state_differences(buffer *out, const json_t *state, const train_run *r);

/* Sets progress, record, the steps of the optimiser's tensors, the model's threshold and the seconds, for a run that
 * has no differences. Fails with BERT_ERR_FORMAT where a member is absent, of another type or not what this run's data
 * and options allow, and names it; nothing is changed then. */
bert_status state_to_run(const json_t *state, const char *path, train_run *r, progress *p, run_record *record,
                         bert_err *err);
