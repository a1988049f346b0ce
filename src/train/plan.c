/* What a run would do: counted where it can be counted, timed on a few batches where it cannot. */
#include "base/clock.h"
#include "base/proc.h"
#include "data/batches.h"
#include "formats/json_build.h"
#include "rows/row_encoder.h"
#include "train/run.h"

#include <stdlib.h>
#include <string.h>

enum { N_PROBES = 3, VALID_ROWS = 512 };

/* A batch that is timed: a short one, a middling one, the longest. */
typedef struct probe {
    size_t batch, tokens;
    double frozen, forward, backward; /* seconds */
} probe;

typedef struct planning {
    train_run run;
    batches order;
    size_t *tokens; /* (order.n) of each batch */
    arena memory, step;
    probe probes[N_PROBES]; /* from the shortest up */
    double optimiser;       /* seconds a step */
    double valid_token;     /* seconds a token of validation, all layers run */
    size_t activations;     /* bytes of the longest batch */
    double process;         /* bytes that are not the run's */
} planning;

/* What the process holds, but for the tuned weights. */
static double memory_now(const bert_model *model)
{
    char kib[64];
    double bytes = proc_value("/proc/self/status", "RssAnon", kib, sizeof kib) ? 1024 * strtod(kib, NULL) : 0;
    double tuned = (double)(model->layer->n_tuned * sizeof(float));
    return bytes > tuned ? bytes - tuned : 0;
}

/* ---- timing ------------------------------------------------------------------------------------------------------ */

static bert_status run_probe(planning *p, probe *at, bert_err *err)
{
    double before[N_PARTS], *now = p->run.seconds;
    head_result result;
    const size_t *start = p->order.start;
    const bert_train_options *o = &p->run.options;
    memcpy(before, now, sizeof before);
    bert_status s = run_step(&p->run, p->order.rows + start[at->batch], start[at->batch + 1] - start[at->batch],
                             (step_dropout){ (uint64_t)o->seed, 0, true, o->frozen_dropout }, &result, &p->step, err);
    at->frozen = now[PART_FROZEN] - before[PART_FROZEN];
    at->forward = now[PART_FORWARD] - before[PART_FORWARD];
    at->backward = now[PART_BACKWARD] - before[PART_BACKWARD];
    return s;
}

/* The rate is zero and the gradients are, too: no weight moves. */
static void time_optimizer(planning *p)
{
    bert_optimizer *o = p->run.optimizer;
    bert_layer_zero_grad(p->run.model->layer);
    o->options.learning_rate = 0;
    o->options.epsilon = 1;
    for (int i = 0; i < 2; i++) { /* the first touches new memory */
        double began = clock_seconds();
        optimizer_step(o, 1);
        p->optimiser = clock_seconds() - began;
    }
}

static bert_status time_validation(planning *p, bert_err *err)
{
    const train_run *r = &p->run;
    if (!r->valid)
        return BERT_OK;
    const token_rows *rows = &r->valid_tokens.rows;
    size_t n = rows->n < VALID_ROWS ? rows->n : VALID_ROWS, tokens = rows->start[n];
    size_t vectors = r->plan.request.tokens ? tokens : n * token_rows_sequences(rows);
    float *x = arena_alloc_raw(&p->memory, vectors * (size_t)r->model->layer->config.hidden_size * sizeof *x);
    if (!x)
        return fail_memory(err, "a plan");
    row_encoder through = { .encoder = &r->model->layer->encoder, .request = r->plan.request, .kept = r->valid_kept };
    double began = clock_seconds();
    bert_status s = row_encoder_run(&through, rows, 0, n, x, err);
    p->valid_token = (clock_seconds() - began) / (double)tokens;
    row_encoder_free(&through);
    return s;
}

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static size_t batch_of_size(const planning *p, size_t tokens)
{
    size_t k = 0;
    while (p->tokens[k] != tokens)
        k++;
    return k;
}

static bert_status choose_probes(planning *p, bert_err *err)
{
    size_t n = p->order.n, *sorted = arena_array(&p->memory, n, sizeof *sorted);
    p->tokens = arena_array(&p->memory, n, sizeof *p->tokens);
    if (!sorted || !p->tokens)
        return fail_memory(err, "a plan");
    for (size_t k = 0; k < n; k++) {
        for (size_t i = p->order.start[k]; i < p->order.start[k + 1]; i++)
            p->tokens[k] += token_rows_length(&p->run.train_tokens.rows, p->order.rows[i]);
        sorted[k] = p->tokens[k];
    }
    qsort(sorted, n, sizeof *sorted, compare_sizes);
    const size_t places[N_PROBES] = { n / 10, n / 2, n - 1 };
    for (int i = 0; i < N_PROBES; i++)
        p->probes[i] = (probe){ .batch = batch_of_size(p, sorted[places[i]]), .tokens = sorted[places[i]] };
    return BERT_OK;
}

static bert_status time_all(planning *p, bert_err *err)
{
    const bert_train_options *o = &p->run.options;
    batch_order order = { (size_t)o->batch_size, (size_t)o->length_window, (uint64_t)o->seed, 1 };
    bert_status s = batches_shuffled(&p->order, &p->run.train_tokens.rows, &order, err);
    if (!s)
        s = choose_probes(p, err);
    run_begin(&p->run);
    for (int i = N_PROBES; !s && i-- > 0;) { /* the longest first: afterwards all memory is there, in one block */
        for (int twice = 0; !s && twice < 2; twice++)
            s = run_probe(p, &p->probes[i], err);
        if (i == N_PROBES - 1)
            p->activations = p->step.used;
    }
    if (!s)
        s = time_validation(p, err);
    if (!s)
        time_optimizer(p);
    return s;
}

/* ---- what follows ------------------------------------------------------------------------------------------------ */

/* Seconds of a batch of so many tokens, by the line through the two probes around it: the frozen layers, and the
 * rest. */
static void seconds_of_batch(const planning *p, size_t tokens, double *frozen, double *rest)
{
    const probe *low = &p->probes[0], *high = &p->probes[1];
    if (tokens > high->tokens) {
        low = high;
        high = &p->probes[2];
    }
    double share = high->tokens > low->tokens
                       ? ((double)tokens - (double)low->tokens) / ((double)high->tokens - (double)low->tokens)
                       : 0;
    double low_rest = low->forward + low->backward, high_rest = high->forward + high->backward;
    *frozen += low->frozen + share * (high->frozen - low->frozen);
    *rest += low_rest + share * (high_rest - low_rest);
}

/* One quantity of a plan. */
typedef struct quantity {
    const char *section, *name;
    double value;
    const char *unit; /* "": a count */
} quantity;

enum { MOST_QUANTITIES = 32 };

typedef struct quantities {
    quantity items[MOST_QUANTITIES];
    size_t n;
} quantities;

static double add_quantity(quantities *q, const char *section, const char *name, double value, const char *unit)
{
    q->items[q->n++] = (quantity){ section, name, value, unit };
    return value;
}

static uint64_t tokens_of(const token_rows *rows)
{
    return rows->n ? rows->start[rows->n] : 0;
}

/* Bytes of all kept outputs if there were room. */
static double kept_whole(const planning *p)
{
    const train_run *r = &p->run;
    double numbers = (double)(tokens_of(&r->train_tokens.rows) + tokens_of(&r->valid_tokens.rows)) *
                     (double)r->model->layer->config.hidden_size;
    return r->train_kept ? numbers * (r->options.cache_precision ? 2 : 4) : 0;
}

/* Of a packed weight. */
static const double NUMBER_BYTES[] = { [OPS_FP32] = 4, [OPS_BF16] = 2, [OPS_BF16_WIDENED] = 2, [OPS_INT8] = 1 };

static void plan_memory(quantities *q, const planning *p)
{
    const train_run *r = &p->run;
    const bert_layer *l = r->model->layer;
    double frozen = 0, packed = 0, whole = kept_whole(p), budget = (double)r->budget;
    double tuned = 4.0 * (double)l->n_tuned; /* bytes of weights; gradients, either mean */
    for (size_t i = 0; i < l->weights.n; i++) {
        const bert_param *w = &l->weights.items[i];
        if (w->tuned)
            continue;
        if (weight_kind_of(&l->weights, i) == WEIGHT_MATRIX && weight_group_of(&l->weights, i) == GROUP_LAYER)
            packed += (double)weight_size(w) *
                      NUMBER_BYTES[encoder_layer(&l->encoder, l->weights.places[i].layer)->precision];
        else
            frozen += (double)weight_size(w) * sizeof(float);
    }
    double tokens = (double)(tokens_of(&r->train_tokens.rows) + tokens_of(&r->valid_tokens.rows)) * sizeof(int32_t);
    double below = add_quantity(q, "memory", "embeddings and vectors that are frozen", frozen, "MB") +
                   add_quantity(q, "memory", "frozen layers, packed", packed, "MB");
    double above = add_quantity(q, "memory", "gradients", tuned, "MB") +
                   add_quantity(q, "memory", "optimiser", 2 * tuned, "MB") +
                   add_quantity(q, "memory", "activations of the longest batch", (double)p->activations, "MB");
    double both = add_quantity(q, "memory", "tuned weights", tuned, "MB") +
                  add_quantity(q, "memory", "tokens", tokens, "MB") +
                  add_quantity(q, "memory", "kept outputs of frozen layers", whole < budget ? whole : budget, "MB") +
                  add_quantity(q, "memory", "vocabulary and all else", p->process, "MB");
    /* frozen layers that run first rest afterwards */
    bool first = run_keeps_first(r, r->schedule.steps);
    add_quantity(q, "memory", "in all", both + (!first ? below + above : below > above ? below : above), "MB");
}

static void plan_time(quantities *q, const planning *p)
{
    const train_run *r = &p->run;
    double frozen = 0, rest = 0, whole = kept_whole(p);
    for (size_t k = 0; k < p->order.n; k++)
        seconds_of_batch(p, p->tokens[k], &frozen, &rest);
    rest += (double)r->schedule.steps_per_epoch * p->optimiser;
    double kept = whole > 0 ? (whole <= (double)r->budget ? 1 : (double)r->budget / whole)
                            : 0; /* the share that is not computed again */
    const probe *m = &p->probes[1];
    double valid = (double)tokens_of(&r->valid_tokens.rows) * p->valid_token;
    double valid_frozen = r->valid_kept && m->frozen + m->forward > 0 ? valid * m->frozen / (m->frozen + m->forward)
                                                                      : 0;
    double first = frozen + rest + valid, later = first - kept * (frozen + valid_frozen);
    double n_epochs = (double)r->schedule.steps / (double)r->schedule.steps_per_epoch;
    add_quantity(q, "time", "tokenising", r->seconds[PART_TOKENISE], "s");
    add_quantity(q, "time", "first epoch", first, "s");
    add_quantity(q, "time", "each later epoch", later, "s");
    add_quantity(q, "time", "of which validation", valid - kept * valid_frozen, "s");
    add_quantity(q, "time", "in all",
                 r->seconds[PART_TOKENISE] + (n_epochs < 1 ? n_epochs * first : first + (n_epochs - 1) * later), "s");
}

static void plan_steps(quantities *q, const planning *p)
{
    const train_run *r = &p->run;
    add_quantity(q, "steps", "training rows", (double)r->train->n, "");
    add_quantity(q, "steps", "validation rows", r->valid ? (double)r->valid->n : 0, "");
    add_quantity(q, "steps", "longest row in tokens", (double)r->train_tokens.rows.longest, "");
    add_quantity(q, "steps", "batches of an epoch", (double)p->order.n, "");
    add_quantity(q, "steps", "steps of an epoch", (double)r->schedule.steps_per_epoch, "");
    add_quantity(q, "steps", "steps in all", (double)r->schedule.steps, "");
    add_quantity(q, "steps", "of which warm-up", (double)r->schedule.warmup, "");
}

/* ---- as text and as JSON ----------------------------------------------------------------------------------------- */

/* The groups of the layer's weights with their parameters. */
static json_t *groups_json(const weight_list *w)
{
    json_t *groups = json_array();
    for (size_t i = 0; i < w->n;) {
        const bert_param *first = &w->items[i];
        size_t n = 0;
        for (; i < w->n && !strcmp(w->items[i].group, first->group); i++)
            n += weight_size(&w->items[i]);
        json_add(&groups, json_pack("{s:s, s:I, s:b}", "group", first->group, "parameters", (json_int_t)n, "tuned",
                                    first->tuned != NULL));
    }
    return groups;
}

static char *plan_json(const planning *p, const quantities *q)
{
    json_t *root = json_pack("{s:o}", "groups", groups_json(&p->run.model->layer->weights));
    for (size_t i = 0; i < q->n;) {
        const char *name = q->items[i].section;
        json_t *section = json_object();
        for (; i < q->n && !strcmp(q->items[i].section, name); i++) {
            const quantity *item = &q->items[i];
            bool seconds = !strcmp(item->unit, "s");
            json_put(&section, item->name, seconds ? json_real(item->value) : json_integer((json_int_t)item->value));
        }
        json_put(&root, name, section);
    }
    char *text = root ? json_text(root) : NULL;
    json_decref(root);
    return text;
}

static char *plan_text(const planning *p, const quantities *q)
{
    buffer b = { 0 };
    char *groups = bert_layer_describe(p->run.model->layer);
    buffer_string(&b, groups ? groups : "");
    b.failed |= !groups;
    bert_free(groups);
    for (size_t i = 0; i < q->n; i++) {
        const quantity *item = &q->items[i];
        if (!i || strcmp(item->section, q->items[i - 1].section))
            buffer_printf(&b, "\n%s\n", item->section);
        if (!strcmp(item->unit, "MB"))
            buffer_printf(&b, "  %-38s %12.1f MB\n", item->name, item->value / 1e6);
        else if (!strcmp(item->unit, "s"))
            buffer_printf(&b, "  %-38s %12.1f s\n", item->name, item->value);
        else
            buffer_printf(&b, "  %-38s %12.0f\n", item->name, item->value);
    }
    return buffer_take(&b);
}

bert_status bert_train_plan(bert_model *model, const bert_dataset *train, const bert_dataset *valid,
                            const bert_train_options *options, bool json, char **out, bert_err *err)
{
    planning p = { 0 };
    quantities q = { 0 };
    *out = NULL;
    p.process = memory_now(model);
    bert_status s = run_check(&p.run, model, train, valid, options, err);
    if (!s)
        s = run_prepare(&p.run, false, err);
    if (!s)
        s = time_all(&p, err);
    if (!s) {
        plan_steps(&q, &p);
        plan_memory(&q, &p);
        plan_time(&q, &p);
        *out = json ? plan_json(&p, &q) : plan_text(&p, &q);
        s = *out ? BERT_OK : fail_memory(err, "a plan");
    }
    run_end(&p.run);
    batches_free(&p.order);
    arena_free(&p.step);
    arena_free(&p.memory);
    return s;
}
