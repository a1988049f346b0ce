/* What a run leaves to be looked at: history.json, event files, report.html, all fed from one record. */
#ifndef TRAIN_HISTORY_H
#define TRAIN_HISTORY_H

#include "io/event_file.h"
#include "train/progress.h"

/* All zero is empty. */
typedef struct history {
    json_t *epochs;     /* an array, an object an epoch */
    json_t *steps;      /* an array of [step, loss, learning rate], thinned */
    event_file *events; /* NULL: none are written */
    int64_t stride;     /* every so many steps one is recorded */
    double flushed;     /* when the events were */
} history;

/* Begins a record; logs: the folder of event files, or NULL. resumed_at: the step that was done last, 0: none. */
bert_status history_begin(history *h, const train_run *r, const char *logs, int64_t resumed_at, bert_err *err);
/* Closes the event file and frees all. Fails with BERT_ERR_IO. */
bert_status history_end(history *h, bert_err *err);

/* A step that is done: its loss, its rate, the gradients' norm (NaN: not known). */
bert_status history_step(history *h, int64_t step, double loss, double rate, double norm, bert_err *err);

/* An epoch that is done, as its event tells; loss and metrics go into every form. */
bert_status history_epoch(history *h, const bert_event *e, bert_err *err);

/* Writes FOLDER/history.json. */
bert_status history_write(const history *h, const train_run *r, const progress *p, const char *folder, bert_err *err);
/* Writes FOLDER/report.html. out: the best epoch's outcomes, or NULL. */
bert_status history_report(const history *h, const train_run *r, const progress *p, const outcomes *out, const char *folder, bert_err *err);

/* Seconds by part as JSON. */
json_t *seconds_to_json(const double seconds[N_PARTS]);

#endif
