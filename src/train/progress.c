/* When a run is over. */
#include "train/progress.h"

bool progress_over(const progress *p, const train_run *r, const char **why, arena *a)
{
    const bert_train_options *o = &r->options;
    *why = NULL;
    if (!p->measured)
        return false;
    if (p->epoch > o->epochs)
        return true;
    if (o->max_steps && p->step >= o->max_steps)
        return *why = arena_printf(a, "%lld steps are done", (long long)p->step), true;
    if (o->patience && p->batch == 0 && p->best_epoch && p->epoch - 1 - p->best_epoch >= o->patience)
        return *why = arena_printf(a, "no better %s for %lld epoch%s", r->watch->name, (long long)o->patience,
                                   o->patience == 1 ? "" : "s"),
               true;
    return false;
}
