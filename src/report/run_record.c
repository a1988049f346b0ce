/* What is remembered of a training run. */
#include "report/run_record.h"
#include "base/size.h"

#include <stdio.h>
#include <stdlib.h>

bool run_record_room(run_record *r)
{
    bool fine = true;
    r->epochs = array_grown(r->epochs, r->n_epochs, sizeof *r->epochs, &fine);
    r->steps = array_grown(r->steps, r->n_steps, sizeof *r->steps, &fine);
    return fine;
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
