/* A training run under way: shared by the loop (trainer.c), its epochs (epoch.c) and what it saves (saving.c). */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "data/batches.h"
#include "train/checkpoint.h"
#include "base/lock.h"

/* All zero before it begins. */
typedef struct trainer {
    train_run run;
    const char *folder; /* NULL: nothing is saved */
    bool copy_module;
    bert_on_event on_event;
    void *context;

    arena memory; /* of the run */
    arena step;   /* of a batch */
    folder_lock lock;
    batches order;
    progress at;
    history history;
    outcomes best_outcomes; /* of the validation data, for the report; empty where it is not known */
    float *best;            /* (tuned) the best epoch's weights; NULL with a folder, which holds them */
    bool best_in_place;     /* the model's weights are the best epoch's */
    bool stop;              /* the callback wants it */

    const char *checkpoint_path;
    int64_t checkpoint_step;   /* of the last checkpoint */
    double checkpoint_seconds; /* the clock then */

    double began;   /* the clock when the epoch began or was resumed */
    size_t resumed; /* rows of it that were done then */
    double rate;    /* of the last step */
    double norm;    /* of its gradients; NaN where they are not clipped */
} trainer;

/* Tells the callback. The verdict and `best` are those of an epoch's end. */
void tell(trainer *t, bert_event_kind kind, const verdict *v, bool best, const char *note);
/* The event that tells of an epoch, or of how far it is. */
bert_event event_of(const trainer *t, bert_event_kind kind, const verdict *v, bool best, const char *note);

/* Trains to the end of the epoch under way, to the last step of all, or until the callback stops it; measures and saves what is done. Fails with
 * BERT_ERR_NUMERIC, BERT_ERR_STOPPED, BERT_ERR_IO. */
bert_status epoch_run(trainer *t, bert_err *err);

/* The loss that a batch shows is that before its step: what the last step left is looked at before it is saved. Fails with BERT_ERR_NUMERIC. */
bert_status check_weights(trainer *t, bert_err *err);

/* Where a checkpoint is due, or the callback wants to stop: after a step. Fails with BERT_ERR_STOPPED, BERT_ERR_IO. */
bert_status save_within_epoch(trainer *t, bert_err *err);
/* The weights of the epoch that was just measured: kept as the best where they are (*best), then the record, then the checkpoint, which
 * comes last and so never knows of an epoch whose other files are not there. */
bert_status save_epoch(trainer *t, const verdict *v, outcomes *out, bool *best, bert_err *err);
bert_status save_checkpoint(trainer *t, bert_err *err);
/* Puts the best epoch's weights into the model. */
bert_status load_best(trainer *t, bert_err *err);

#endif
