/* How far a run has come: all that the next batch depends on, besides weights and optimiser. */
#pragma once

#include "train/validation.h"

typedef struct progress {
    int64_t epoch; /* under way, from 1 */
    size_t batch;  /* batches of it that are done; always at the end of a step */
    int64_t step;  /* steps of the whole run that are done */
    bool measured; /* no batch was trained on since the last validation */

    /* of the epoch under way */
    size_t rows;    /* done */
    size_t targets; /* what the loss and the accuracy are means over: rows, or words */
    size_t correct;
    double loss;    /* sum */
    double seconds; /* in earlier parts of the run */

    int64_t best_epoch; /* 0: none yet */
    verdict best;
} progress;

/* Whether the run has nothing left to do, and why where that is not that all epochs are done (else *why is NULL). */
bool progress_over(const progress *p, const train_run *r, const char **why, arena *a);
