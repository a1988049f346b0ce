/* What a training run works with: options that are checked, targets, tokens, kept outputs, the optimiser. The training
 * loop and the plan begin with it. */
#pragma once

#include "layers/optimizer.h"
#include "train/schedule.h"
#include "train/step.h"
#include "train/token_cache.h"
#include "train/train_options.h"

enum { MOST_NOTES = 16 };

/* All zero before run_check. */
typedef struct train_run {
    bert_model *model;
    const task *task;
    const bert_dataset *train, *valid; /* valid: NULL where there is none */
    bert_train_options options;
    checkpoint_interval interval;
    const bert_metric *watch;
    targets train_truth, valid_truth;
    bert_baseline baseline; /* of the validation data, where there is some */
    arena memory;
    const char *notes[MOST_NOTES]; /* what the user should know before the first step */
    size_t n_notes;

    unsigned char train_hash[32], valid_hash[32]; /* of the data */
    cached_tokens train_tokens, valid_tokens;
    kept_outputs *train_kept, *valid_kept; /* NULL: nothing is kept */
    uint64_t budget;                       /* bytes for both */
    size_t part_tokens;                    /* of a batch at once */
    step_plan plan;
    schedule schedule;
    bert_optimizer *optimizer;
    double seconds[N_PARTS]; /* by part, so far */
    bool began;
} train_run;

/* Checks options and labels and makes what stands above the empty line; nothing is written, the model is as before.
 * options NULL: the defaults. Fails with BERT_ERR_ARGUMENT, BERT_ERR_DATA. */
bert_status run_check(train_run *r, bert_model *model, const bert_dataset *train, const bert_dataset *valid,
                      const bert_train_options *options, bert_err *err);
/* Makes the rest. `keep`: outputs of frozen layers are kept within the budget; else none is, each is computed. */
bert_status run_prepare(train_run *r, bool keep, bert_err *err);
/* From here on there will be steps: the gradients are the run's. Until then they are the caller's, who may have some
 * and be refused. */
void run_begin(train_run *r);
/* Frees all; the layer multiplies in fp32 again, and what gradients a run that began has left are zero. */
void run_end(train_run *r);

/* Appends a printed note; what has no room is left out. */
void run_note(train_run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether the frozen layers run before the first epoch, so many steps being left: all that they give is kept then, and
 * is read as often as an epoch reads it. */
bool run_keeps_first(const train_run *r, int64_t steps);

/* Lets the layers learn that the epoch lets learn (unfreeze_every). */
void run_unfreeze(train_run *r, int64_t epoch);

/* Forward and backward of a batch, n rows of the training data, in parts that are small enough for their activations to
 * take little memory; the bits are those of the whole. Gradients are added. Memory is the arena's, which is reset
 * before. Fails with BERT_ERR_MEMORY. */
bert_status run_step(train_run *r, const uint32_t *rows, size_t n, step_dropout drop, head_result *result, arena *a,
                     bert_err *err);
