/* Who listens to a run, a file each, beside the best weights. Each takes part from here on; what it needs is the loop's
 * memory. */
#pragma once

#include "train/best_weights.h"

/* FOLDER/history.json, after each epoch. */
bert_status history_listen(train_loop *l, const char *folder, bert_err *err);

/* FOLDER/report.html, after each epoch. Where the run goes on, the best weights, which it shows, are asked once more
 * for what they say. */
bert_status page_listen(train_loop *l, const char *folder, const best_weights *best, bert_err *err);

/* An event file for TensorBoard in FOLDER/logs: each step of the record, each epoch, the options. */
bert_status tensorboard_listen(train_loop *l, const char *folder, bert_err *err);

/* The loop's checkpoint. It comes behind all that writes, and so never knows of an epoch whose other files are not
 * there. */
void checkpoint_listen(train_loop *l);

/* The caller's callback; an epoch is told after its checkpoint. NULL: nobody is told. */
bert_status caller_listen(train_loop *l, bert_on_event on_event, void *context, bert_err *err);
