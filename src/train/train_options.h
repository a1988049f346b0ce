/* The options of a training run: their text, and when a run may go on under others. */
#pragma once

#include "base/buffer.h"
#include "formats/json.h"
#include "layers/layer.h"

typedef enum schedule_kind { SCHEDULE_CONSTANT, SCHEDULE_LINEAR, SCHEDULE_COSINE } schedule_kind;

/* How the products of tuned layers multiply, and those of the layers below them. */
ops_precision precision_of_tuned(const bert_train_options *options);
ops_precision precision_of_frozen(const bert_train_options *options);

/* How often a checkpoint is written within an epoch: after so many seconds or steps, 0: not by that. */
typedef struct checkpoint_interval {
    double seconds;
    int64_t steps;
} checkpoint_interval;

/* "15m", "90s", "2h", "500" steps, "0". Fails with BERT_ERR_ARGUMENT. */
bert_status checkpoint_interval_parse(const char *text, checkpoint_interval *interval, bert_err *err);

/* A struct and its table as JSON with every value as text, to be compared; null for a string that is not given. NULL:
 * out of memory. */
json_t *options_to_texts(const void *options, bert_option_table table);

/* Appends "name: WAS in the checkpoint, NOW now" for each option whose text differs from that in `texts`, those named
 * in `free` (ends with NULL) left out. One that `texts` lacks has its default there: the run was begun by a version
 * that did not know it. */
void options_differences(buffer *out, const void *options, bert_option_table table, const json_t *texts,
                         const char *const *free);
/* One such difference of two texts; NULL: not given. Nothing where they are equal. */
void text_difference(buffer *out, const char *name, const char *was, const char *now);

/* The options that a resumed run may change: they decide how long it runs and what it shows, never a weight. Where the
 * learning rate depends on the number of all steps, that number is compared besides. */
extern const char *const RESUME_FREE[];
bool rate_depends_on_steps(const bert_train_options *options);
