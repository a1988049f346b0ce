/* The record of a run as JSON, as history.json and a checkpoint hold it. */
#pragma once

#include "formats/json.h"
#include "report/run_record.h"
#include "train/progress.h"

/* An array, an object an epoch: "epoch", "step", and its numbers by their names, those that are NaN left out. NULL: out
 * of memory. */
json_t *epochs_to_json(const run_record *record);
/* An array of [step, loss, learning rate]. NULL: out of memory. */
json_t *steps_to_json(const run_record *record);

/* Reads "epochs" and "steps" of an object back into an empty record. Fails with BERT_ERR_FORMAT where an entry cannot
 * be of a run that has come so far. */
bert_status record_from_json(const json_t *object, const progress *p, run_record *record, const char *where,
                             bert_err *err);

/* Seconds by part of the work. NULL: out of memory. */
json_t *seconds_to_json(const double seconds[N_PARTS]);
