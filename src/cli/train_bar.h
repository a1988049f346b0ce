/* What a person sees of a training run on standard error, as Keras shows it. */
#pragma once

#include "bert.h"
#include "cli/bar.h"

typedef struct train_bar {
    bar bar;
    bool checkpoints; /* whether each that is written is told */
    bool frozen;      /* the heading of the frozen layers is printed */
    int64_t epoch;    /* whose heading is */
    int quarter;      /* of what is under way, told last where there is no terminal */
} train_bar;

void train_bar_show(train_bar *t, const bert_event *event);

/* "val_loss: 0.4290 - val_accuracy: 0.7910"; without validation "loss: ... - accuracy: ...". */
void train_bar_scores(const bert_event *event, char *out, size_t size);
