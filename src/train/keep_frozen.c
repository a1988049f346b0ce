/* The frozen layers before the first epoch: all that they give is computed and kept where there is room for it, and
 * they are not in memory while the tuned ones learn. */
#include "base/clock.h"
#include "base/threads.h"
#include "train/loop.h"

enum { TOKENS_TOLD = 2048 }; /* of each thread between two events: half a second of BERT-base */

static bert_status tell_kept(train_loop *l, double began, size_t done, size_t total, bert_err *err)
{
    train_event e = { .told = loop_event(l, BERT_EVENT_FROZEN, NULL) };
    double seconds = clock_seconds() - began;
    e.told.done = done;
    e.told.total = total;
    e.told.seconds = seconds;
    e.told.seconds_left = seconds / (double)done * (double)(total - done);
    e.told.samples_per_second = seconds > 0 ? (double)done / seconds : 0;
    return loop_tell(l, &e, err);
}

/* The rows of one data set; *done: how many of `total` are, those of others among them. */
static bert_status keep_rows(train_loop *l, kept_outputs *kept, const token_rows *rows, double began, size_t *done,
                             size_t total, bert_err *err)
{
    bert_status s = BERT_OK;
    size_t tokens = TOKENS_TOLD * threads_allowed();
    for (size_t from = 0, to = 0; !s && !l->stop && from < rows->n; from = to) {
        while (to < rows->n && rows->start[to] - rows->start[from] < tokens)
            to++;
        s = kept_fill(kept, from, to - from, err);
        *done += to - from;
        if (!s)
            s = tell_kept(l, began, *done, total, err);
    }
    return s;
}

static bool all_are_kept(const train_run *r)
{
    return kept_rows(r->train_kept) == r->train->n && (!r->valid || kept_rows(r->valid_kept) == r->valid->n);
}

bert_status keep_frozen_first(train_loop *l, bert_err *err)
{
    train_run *r = &l->run;
    size_t done = 0, total = r->train->n + (r->valid ? r->valid->n : 0);
    double began = clock_seconds();
    bert_status s = BERT_OK;
    if (!run_keeps_first(r, r->schedule.steps - l->at.step))
        return BERT_OK;
    if (!all_are_kept(r)) {
        s = keep_rows(l, r->train_kept, &r->train_tokens.rows, began, &done, total, err);
        if (!s && r->valid)
            s = keep_rows(l, r->valid_kept, &r->valid_tokens.rows, began, &done, total, err);
    }
    r->seconds[PART_FROZEN] += clock_seconds() - began;
    kept_rest(r->train_kept);
    if (r->valid)
        kept_rest(r->valid_kept);
    if (!s && all_are_kept(r))
        layer_rest_frozen(r->model->layer);
    return s;
}
