/* A run's checkpoint: one safetensors file with the tuned tensors under their names, the optimiser's means as
 * optimizer.m.NAME and optimizer.v.NAME, and in its metadata, as JSON, all else that going on with the same bits takes.
 * It is replaced whole or not at all. */
#pragma once

#include "formats/safetensors.h"
#include "train/progress.h"
#include "report/run_record.h"

/* One that is open. All zero is none. */
typedef struct checkpoint {
    const char *path; /* the caller's */
    tensor_set tensors;
    json_t *state;
} checkpoint;

/* Fails with BERT_ERR_IO; the file that stood there before is then as it was. */
bert_status checkpoint_write(const char *path, const train_run *r, const progress *p, const run_record *record,
                             bert_err *err);

/* Fails with BERT_ERR_IO where there is none, BERT_ERR_FORMAT where it is damaged or no checkpoint,
 * BERT_ERR_UNSUPPORTED for a newer version. */
bert_status checkpoint_open(checkpoint *c, const char *path, bert_err *err);
void checkpoint_close(checkpoint *c);

/* Fails with BERT_ERR_ARGUMENT where the run has other data, another module, other layers or options than the
 * checkpoint's, and names every difference. */
bert_status checkpoint_check(const checkpoint *c, const train_run *r, bert_err *err);

/* Sets weights, optimiser, progress and an empty record to the checkpoint's. All is checked before the first weight
 * changes. Fails with BERT_ERR_FORMAT. */
bert_status checkpoint_restore(const checkpoint *c, train_run *r, progress *p, run_record *record, bert_err *err);
