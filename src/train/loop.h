/* A training run under way, and those whom it tells what happens. The loop writes nothing: files, the page and the
 * caller's callback listen. */
#pragma once

#include "data/batches.h"
#include "report/run_record.h"
#include "train/progress.h"

typedef struct train_loop train_loop;

/* What happened. After a CHECKPOINT and after an EPOCH, all that a resumed run needs is to be on the disk. */
typedef struct train_event {
    bert_event told;           /* as the caller hears it; the rest is for our own listeners */
    const step_record *step;   /* STEP: the one that ended with this batch, where the record has it; else NULL */
    const epoch_record *epoch; /* EPOCH */
    outcomes *outcomes;        /* EPOCH: of the validation data, none without any; who keeps them leaves none */
} train_event;

/* One who is told of all events; those before it in the list hear each first. */
typedef struct listener {
    void *self;
    bool saves; /* the time that it takes counts as saving */
    bert_status (*hear)(void *self, train_loop *l, const train_event *e, bert_err *err);
    bert_status (*close)(void *self, bert_err *err); /* NULL: there is nothing to close */
} listener;

enum { MOST_LISTENERS = 8 };

/* All zero before it begins. */
struct train_loop {
    train_run run;
    progress at;
    run_record record;
    listener listeners[MOST_LISTENERS];
    size_t n_listeners;
    bool stop; /* a listener wants it */

    arena memory; /* of the run */
    arena step;   /* of a batch */
    batches order;
    struct pace {
        double began;   /* the clock when the epoch began or was resumed */
        size_t resumed; /* rows of it that were done then */
        double rate;    /* of the last step */
        double norm;    /* of its gradients; NaN where they are not clipped */
    } pace;
    struct last_save {
        const char *path; /* of checkpoints; NULL: there are none */
        int64_t step;
        double seconds; /* the clock then */
    } saved;
};

/* The first epoch is next; the clocks start. */
void loop_start(train_loop *l);
/* Who listens; listeners.h has them. */
void loop_add(train_loop *l, listener who);
/* Tells all, until one fails. */
bert_status loop_tell(train_loop *l, const train_event *e, bert_err *err);
/* Tells a NOTE or END; note NULL: none. */
bert_status loop_say(train_loop *l, bert_event_kind kind, const char *note, bert_err *err);
/* An event about how far the epoch is. */
bert_event loop_event(const train_loop *l, bert_event_kind kind, const char *note);

/* Before the first epoch: runs the frozen layers over all rows where all that they give is kept and will be read, tells
 * how far that is, and takes them out of memory. Ends early where a listener wants to stop. Fails with
 * BERT_ERR_MEMORY. */
bert_status keep_frozen_first(train_loop *l, bert_err *err);

/* Trains to the end of the epoch under way, to the last step of all, or until a listener stops it; measures what is
 * done. Fails with BERT_ERR_NUMERIC, BERT_ERR_STOPPED, BERT_ERR_IO. */
bert_status epoch_run(train_loop *l, bert_err *err);

/* Fail with BERT_ERR_NUMERIC, and name rows: the loss of a batch, before its step; the weights that the last step
 * left. */
bert_status check_batch_loss(train_loop *l, double loss, const uint32_t *rows, size_t n, bert_err *err);
bert_status check_tuned_weights(train_loop *l, bert_err *err);

/* Closes all who listen, and frees. */
bert_status loop_end(train_loop *l, bert_err *err);
