/* A run's state from JSON. The file may come from anywhere: every number is held to what the run's data and options say
 * it can be, before anything of the run changes. */
#include "train/checkpoint_state.h"

#include "data/batches.h"
#include "train/record_json.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* An object of the state, and how its first wrong member failed. */
typedef struct state_reader {
    char where[512]; /* begins messages */
    const json_t *json;
    bert_status status;
    bert_err *err;
} state_reader;

/* The member of that name; what was wrong before stays. */
static state_reader state_part(const state_reader *whole, const char *name)
{
    json_t *json = NULL;
    state_reader part = { .status = whole->status, .err = whole->err };
    snprintf(part.where, sizeof part.where, "%.400s: %s", whole->where, name);
    if (!part.status)
        part.status = json_get_object(whole->json, name, &json, whole->where, part.err);
    part.json = json;
    return part;
}

static int64_t state_integer(state_reader *r, const char *name, int64_t least, int64_t most)
{
    int64_t x = least;
    if (!r->status)
        r->status = json_get_int(r->json, name, least, most, &x, r->where, r->err);
    return x;
}

static double state_number(state_reader *r, const char *name, double least, double most)
{
    double x = NAN;
    if (!r->status)
        r->status = json_get_real_or(r->json, name, least, most, NAN, &x, r->where, r->err);
    if (!r->status && isnan(x))
        r->status = fail(r->err, BERT_ERR_FORMAT, "%s: %s is missing", r->where, name);
    return x;
}

/* A number that may be absent, or null. */
static double state_number_or(state_reader *r, const char *name, double least, double most, double fallback)
{
    double x = fallback;
    if (!r->status)
        r->status = json_get_real_or(r->json, name, least, most, fallback, &x, r->where, r->err);
    return x;
}

static bool state_boolean(state_reader *r, const char *name)
{
    bool x = false;
    if (!r->status)
        r->status = json_get_bool_or(r->json, name, false, &x, r->where, r->err);
    if (!r->status && !json_is_boolean(json_object_get(r->json, name)))
        r->status = fail(r->err, BERT_ERR_FORMAT, "%s: %s is missing", r->where, name);
    return x;
}

/* ---- the place in the data --------------------------------------------------------------------------------------- */

/* Words that the loss of these rows is a mean over; rows where the task is not one of words. */
static size_t count_targets(const token_rows *t, const uint32_t *rows, size_t n)
{
    size_t words = 0;
    for (size_t i = 0; t->words && i < n; i++)
        for (size_t k = t->start[rows[i]]; k < t->start[rows[i] + 1]; k++)
            words += t->words[k] >= 0;
    return t->words ? words : n;
}

/* Epoch and batch say how many rows and targets are done and which step it is. */
static bert_status check_place(const train_run *r, const progress *p, const char *where, bert_err *err)
{
    const bert_train_options *o = &r->options;
    batches order = { 0 };
    batch_order how = { (size_t)o->batch_size, (size_t)o->length_window, (uint64_t)o->seed, (uint64_t)p->epoch };
    bert_status s = batches_shuffled(&order, &r->train_tokens.rows, &how, err);
    size_t group = (size_t)o->accumulate, rows = s || p->batch > order.n ? 0 : order.start[p->batch], counted = 0;
    if (!s && (p->batch > order.n || (p->batch % group && p->batch < order.n) || (p->batch == order.n && p->measured)))
        s = fail(err, BERT_ERR_FORMAT, "%s: batch is %zu, which is not the end of a step of an epoch of %zu batches",
                 where, p->batch, order.n);
    int64_t step = (p->epoch - 1) * r->schedule.steps_per_epoch + (int64_t)(p->batch / group + (p->batch % group > 0));
    if (!s && p->step != step)
        s = fail(err, BERT_ERR_FORMAT,
                 "%s: step is %" PRId64 ", batch %zu of epoch %" PRId64 " is the end of step %" PRId64, where, p->step,
                 p->batch, p->epoch, step);
    if (!s && p->rows != rows)
        s = fail(err, BERT_ERR_FORMAT, "%s: rows is %zu, %zu batches have %zu", where, p->rows, p->batch, rows);
    if (!s)
        counted = count_targets(&r->train_tokens.rows, order.rows, rows);
    if (!s && p->targets != counted)
        s = fail(err, BERT_ERR_FORMAT, "%s: targets is %zu, %zu rows have %zu", where, p->targets, rows, counted);
    batches_free(&order);
    return s;
}

/* The first epoch that ends is the best so far, so there is one from then on; it cannot be one that has not come to its
 * end, but for the one that the last step of all cut short. */
static bert_status check_best(const progress *p, const char *where, bert_err *err)
{
    int64_t least = p->epoch > 1 || (p->measured && p->step), most = p->batch ? p->epoch : p->epoch - 1;
    if (p->best_epoch >= least && p->best_epoch <= most)
        return BERT_OK;
    return fail(err, BERT_ERR_FORMAT, "%s: best_epoch is %" PRId64 ", expected %" PRId64 " to %" PRId64, where,
                p->best_epoch, least, most);
}

static bert_metrics read_metrics(state_reader *r)
{
    bert_metrics m = { .n = (size_t)state_integer(r, "n", 0, INT64_MAX),
                       .labels = (size_t)state_number_or(r, "labels", 0, UINT32_MAX, 0),
                       .labels_seen = (size_t)state_number_or(r, "labels_seen", 0, UINT32_MAX, 0) };
    size_t n;
    const bert_metric *table = bert_metric_table(&n);
    for (size_t i = 0; i < n; i++)
        *(double *)(void *)((char *)&m + table[i].offset) = state_number_or(r, table[i].name, -DBL_MAX, DBL_MAX, NAN);
    return m;
}

enum { MOST_EPOCHS = 1 << 24 }; /* as batch_order */

static bert_status read_progress(const state_reader *state, const train_run *r, progress *p)
{
    state_reader part = state_part(state, "progress");
    *p = (progress){ .epoch = state_integer(&part, "epoch", 1, MOST_EPOCHS - 1),
                     .batch = (size_t)state_integer(&part, "batch", 0, INT64_MAX),
                     .step = state_integer(&part, "step", 0, INT64_MAX),
                     .rows = (size_t)state_integer(&part, "rows", 0, (int64_t)r->train->n),
                     .targets = (size_t)state_integer(&part, "targets", 0, INT64_MAX) };
    p->correct = (size_t)state_integer(&part, "correct", 0, (int64_t)p->targets);
    p->loss = state_number(&part, "loss", -DBL_MAX, DBL_MAX);
    p->seconds = state_number(&part, "seconds", 0, DBL_MAX);
    p->best_epoch = state_integer(&part, "best_epoch", 0, MOST_EPOCHS);
    p->best.threshold = state_number(&part, "threshold", 0, 1);
    p->measured = state_boolean(&part, "measured");
    state_reader best = state_part(&part, "best");
    p->best.metrics = read_metrics(&best);
    bert_status s = best.status ? best.status : check_place(r, p, part.where, part.err);
    return s ? s : check_best(p, part.where, part.err);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

bert_status state_to_run(const json_t *state, const char *path, train_run *r, progress *p, run_record *record,
                         bert_err *err)
{
    progress read;
    double spent[N_PARTS];
    bert_optimizer *o = r->optimizer;
    state_reader whole = { .json = state, .err = err };
    snprintf(whole.where, sizeof whole.where, "%.400s: state", path);
    whole.status = read_progress(&whole, r, &read);
    double threshold = state_number(&whole, "model_threshold", 0, 1);
    state_reader tensors = state_part(&whole, "tensor_steps");
    for (size_t i = 0; i < o->n_slots; i++)
        state_integer(&tensors, o->slots[i].name, 0, read.step);
    whole.status = tensors.status;
    state_reader seconds = state_part(&whole, "seconds");
    for (int i = 0; i < N_PARTS; i++)
        spent[i] = state_number_or(&seconds, PART_NAMES[i], 0, DBL_MAX, 0);
    bert_status s = seconds.status ? seconds.status : record_from_json(state, &read, record, whole.where, err);
    if (s)
        return s;
    *p = read;
    r->model->threshold = threshold;
    for (size_t i = 0; i < o->n_slots; i++)
        o->slots[i].steps = state_integer(&tensors, o->slots[i].name, 0, read.step);
    memcpy(r->seconds, spent, sizeof spent);
    return BERT_OK;
}
