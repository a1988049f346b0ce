/* What is remembered of a training run. */
#include "report/run_record.h"

#include <stdio.h>
#include <stdlib.h>

/* Room for one item more: doubled where n is a power of two, so that room is not counted. NULL: out of memory, the items are as before. */
static void *room_for_one(void *items, size_t n, size_t size)
{
    return n & (n - 1) ? items : realloc(items, (n ? 2 * n : 1) * size);
}

bool record_epoch(run_record *r, const epoch_record *epoch)
{
    epoch_record *epochs = room_for_one(r->epochs, r->n_epochs, sizeof *epochs);
    if (!epochs)
        return false;
    r->epochs = epochs;
    epochs[r->n_epochs++] = *epoch;
    return true;
}

bool record_step(run_record *r, const step_record *step)
{
    step_record *steps = room_for_one(r->steps, r->n_steps, sizeof *steps);
    if (!steps)
        return false;
    r->steps = steps;
    steps[r->n_steps++] = *step;
    return true;
}

void run_record_free(run_record *r)
{
    free(r->epochs);
    free(r->steps);
    *r = (run_record){ 0 };
}

bool epoch_number_at(size_t i, epoch_number *number)
{
    static const epoch_number OWN[] = {
        { "loss", offsetof(epoch_record, loss) },
        { "accuracy", offsetof(epoch_record, accuracy) },
        { "learning_rate", offsetof(epoch_record, learning_rate) },
        { "seconds", offsetof(epoch_record, seconds) },
    };
    enum { N_OWN = sizeof OWN / sizeof *OWN };
    size_t n;
    const bert_metric *metrics = bert_metric_table(&n);
    if (i < N_OWN)
        *number = OWN[i];
    else if (i - N_OWN < n) {
        snprintf(number->name, sizeof number->name, "val_%s", metrics[i - N_OWN].name);
        number->offset = offsetof(epoch_record, valid) + metrics[i - N_OWN].offset;
    }
    return i < N_OWN + n;
}

double epoch_value(const epoch_record *epoch, size_t offset)
{
    return *(const double *)(const void *)((const char *)epoch + offset);
}
