/* One training step's gradients: a batch forward through layer and head, its loss, and backward to all that is
 * tuned. */
#pragma once

#include "rows/kept.h"
#include "task/head.h"

/* The parts of a run whose time is measured. */
typedef enum work_part {
    PART_TOKENISE,
    PART_FROZEN, /* what layer first_kept reads: computed or fetched */
    PART_FORWARD,
    PART_BACKWARD,
    PART_OPTIMISER,
    PART_VALIDATION,
    PART_SAVING,
    N_PARTS
} work_part;

extern const char *const PART_NAMES[N_PARTS];

/* How the batches of a run are computed. */
typedef struct step_plan {
    bert_model *model;
    const task *task;
    output_request request; /* the model's pooling */
    loss_spec loss;
    kept_outputs *kept; /* NULL: the frozen layers run with every batch */
    size_t first_kept;  /* the lowest layer that learns; above the layer's own while layers are still to be unfrozen */
    bool embeddings_tuned;
} step_plan;

/* All layers learn that are tuned, with a plain loss; nothing is kept. */
bert_status step_plan_create(step_plan *p, bert_model *model, const task *t, bert_err *err);

/* A batch, or a part of one. */
typedef struct step_batch {
    packed_batch packed;
    target_rows targets;
    const uint32_t *rows; /* (n) of the data set, where the plan has kept outputs; else NULL */
    size_t n;
    size_t tokens_before, sequences_before; /* of the batch, before this part */
} step_batch;

/* Gradients are of the batch's mean loss and are added, and so are result's figures: parts of a batch one after another
 * give the bits of the whole (OPS_BF16: where each begins at an even token, sequence and target). Memory is the
 * arena's. logits, where not NULL, receives (targets.n, K); the seconds of each part are added to seconds (N_PARTS),
 * where not NULL. Fails with BERT_ERR_MEMORY. */
bert_status step_run(const step_plan *p, const step_batch *batch, step_dropout drop, float *logits, head_result *result,
                     double *seconds, arena *a, bert_err *err);
