/* The learning rate of each step. */
#include "train/schedule.h"

#include "train/train_options.h"

#include <math.h>

schedule schedule_create(const bert_train_options *o, size_t batches)
{
    int64_t n = (int64_t)batches;
    schedule s = { .kind = o->schedule,
                   .peak = o->learning_rate,
                   .steps_per_epoch = n / o->accumulate + (n % o->accumulate > 0) };
    s.steps = s.steps_per_epoch * o->epochs;
    if (o->max_steps && o->max_steps < s.steps)
        s.steps = o->max_steps;
    s.warmup = llround(o->warmup < 1 ? o->warmup * (double)s.steps : o->warmup);
    return s;
}

double schedule_rate(const schedule *s, int64_t done)
{
    if (done < s->warmup)
        return s->peak * (double)(done + 1) / (double)s->warmup;
    double share = s->steps > s->warmup ? (double)(done - s->warmup) / (double)(s->steps - s->warmup) : 0;
    switch (s->kind) {
    case SCHEDULE_LINEAR:
        return s->peak * (1 - share);
    case SCHEDULE_COSINE:
        return s->peak * 0.5 * (1 + cos(3.14159265358979323846 * share));
    default:
        return s->peak;
    }
}
