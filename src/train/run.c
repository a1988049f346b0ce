/* What a training run works with. */
#include "train/run.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/options.h"
#include "base/proc.h"
#include "task/baseline.h"
#include "train/class_weights.h"
#include "train/notes.h"

#include <stdlib.h>
#include <string.h>

/* Of a batch at once: with more, products are hardly faster and activations take more memory. */
enum { PART_TOKENS = 1024 };

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static bert_status no_such_metric(const char *name, const task *t, bert_err *err)
{
    buffer names = { 0 };
    size_t n;
    const bert_metric *table = bert_metric_table(&n);
    for (size_t i = 0; i < n; i++)
        if (task_has_metric(t, &table[i]))
            buffer_printf(&names, "%s%s", names.size ? ", " : "", table[i].name);
    bert_status s = names.failed ? fail_memory(err, "a message")
                                 : fail(err, BERT_ERR_ARGUMENT, "--watch: task %s has no metric \"%.100s\"; it has %s",
                                        t->name, name, names.data);
    buffer_free(&names);
    return s;
}

static bert_status choose_watch(train_run *r, bert_err *err)
{
    const char *name = r->options.watch ? r->options.watch : r->valid ? r->task->watch : "loss";
    r->watch = metric_by_name(name);
    if (!r->watch || !task_has_metric(r->task, r->watch))
        return no_such_metric(name, r->task, err);
    if (!r->valid && strcmp(name, "loss"))
        return fail(err, BERT_ERR_ARGUMENT, "--watch: %s needs validation data; without it the loss is watched", name);
    return BERT_OK;
}

static bert_status check_threshold(const train_run *r, bert_err *err)
{
    const task *pair = r->model->n_labels == 2 ? task_by_output(r->task->form, &OUTPUT_PAIR) : NULL;
    if (!r->task->output->threshold)
        return fail(err, BERT_ERR_ARGUMENT, "--choose-threshold: task %s has no threshold%s%s%s", r->task->name,
                    pair ? "; with two labels, task " : "", pair ? pair->name : "", pair ? " has one" : "");
    return r->valid ? BERT_OK : fail(err, BERT_ERR_ARGUMENT, "--choose-threshold: there is no validation data");
}

static bert_status check_options(train_run *r, bert_err *err)
{
    const bert_train_options *o = &r->options;
    bert_status s = options_check(o, bert_train_option_table(), err);
    const ops *unused;
    if (!s)
        s = ops_select_precision(precision_of_tuned(o), &unused, err);
    if (!s)
        s = ops_select_precision(precision_of_frozen(o), &unused, err);
    if (!s)
        s = checkpoint_interval_parse(o->checkpoint_every, &r->interval, err);
    if (s)
        return s;
    if (!r->model->task || r->model->module->frozen)
        return fail(err, BERT_ERR_ARGUMENT, "only a model with a task that is made on a module can be trained");
    s = task_of_model(r->model, &r->task, err);
    if (!s)
        s = choose_watch(r, err);
    if (!s && o->label_smoothing > 0 && r->task->kind->numeric)
        s = fail(err, BERT_ERR_ARGUMENT, "--label-smoothing: task %s has no labels to smooth", r->task->name);
    return s || !o->choose_threshold ? s : check_threshold(r, err);
}

static bert_status check_data(train_run *r, bert_err *err)
{
    if (!r->train->n || (r->valid && !r->valid->n))
        return fail(err, BERT_ERR_DATA, "the %s data has no row", r->train->n ? "validation" : "training");
    bert_status s = targets_create(&r->train_truth, r->task, r->model, r->train, err);
    if (!s && r->valid)
        s = targets_create(&r->valid_truth, r->task, r->model, r->valid, err);
    if (!s && r->valid)
        s = baseline_create(&r->baseline, r->model, r->task, &r->valid_truth, err);
    float *weights = NULL;
    if (!s)
        s = class_weights_parse(r->options.class_weights, r->model, r->task, &r->train_truth, &weights, &r->memory,
                                err);
    r->plan.loss = (loss_spec){ weights, (float)r->options.label_smoothing };
    return s;
}

bert_status run_check(train_run *r, bert_model *model, const bert_dataset *train, const bert_dataset *valid,
                      const bert_train_options *options, bert_err *err)
{
    *r = (train_run){ .model = model, .train = train, .valid = valid, .part_tokens = PART_TOKENS };
    if (options)
        r->options = *options;
    else
        bert_train_defaults(&r->options);
    bert_status s = module_check_texts(model->module, err);
    if (!s)
        s = check_options(r, err);
    if (!s)
        s = check_data(r, err);
    if (!s)
        s = note_data(r, err);
    return s;
}

void run_note(train_run *r, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *note = arena_string(&r->memory, text);
    if (note && r->n_notes < MOST_NOTES)
        r->notes[r->n_notes++] = note;
}

/* ---- tokens and kept outputs ------------------------------------------------------------------------------------- */

/* A file of the cache folder; NULL without one. */
static const char *cache_path(train_run *r, const char *name)
{
    return r->options.cache ? path_join(&r->memory, r->options.cache, name) : NULL;
}

static void note_cache(train_run *r, const char *path, const char *note)
{
    if (note)
        run_note(r, "%s: %s", path, note);
}

/* One of the two data sets. */
typedef struct data_side {
    const bert_dataset *data;
    unsigned char *hash;
    cached_tokens *tokens;
    kept_outputs **kept;
    const char *tokens_name, *kept_name;
} data_side;

static bert_status make_tokens(train_run *r, const data_side *d, bert_err *err)
{
    unsigned char key[32];
    const char *note = NULL, *path = cache_path(r, d->tokens_name);
    const bert_tokenizer *tokenizer = r->model->module->tokenizer;
    size_t seq_len = (size_t)r->model->layer->spec.seq_len;
    dataset_hash(d->data, d->hash);
    bert_status s = token_key(d->hash, tokenizer, seq_len, r->task->form, key, err);
    if (!s)
        s = cached_tokens_create(d->tokens, d->data, tokenizer, seq_len, r->task->form, key, path, &note, err);
    note_cache(r, path, note);
    return s;
}

/* What all rows of a data set take. */
static uint64_t whole_size(const train_run *r, const token_rows *rows)
{
    return (uint64_t)rows->start[rows->n] * (uint64_t)r->model->layer->config.hidden_size *
           (r->options.cache_precision ? 2 : 4);
}

static bert_status make_kept(train_run *r, const data_side *d, uint64_t budget, bert_err *err)
{
    const char *note = NULL;
    kept_options options = { .budget = budget,
                             .bf16 = r->options.cache_precision,
                             .path = budget ? cache_path(r, d->kept_name) : NULL };
    bert_status s = token_key(d->hash, r->model->module->tokenizer, (size_t)r->model->layer->spec.seq_len,
                              r->task->form, options.key, err);
    if (!s)
        s = kept_create(d->kept, r->model->layer, &d->tokens->rows, &options, &note, err);
    note_cache(r, options.path, note);
    return s;
}

/* Half of the memory that is free; 0 where the system does not tell. */
static uint64_t half_of_free_memory(void)
{
    char kib[64];
    return proc_value("/proc/meminfo", "MemAvailable", kib, sizeof kib) ? strtoull(kib, NULL, 10) * 512 : 0;
}

/* Kept outputs need frozen layers that run without dropout. Training data comes first: it is read in every epoch, too,
 * and is the larger. */
static bert_status make_both_kept(train_run *r, const data_side sides[2], bool keep, bert_err *err)
{
    if (!r->model->layer->first_kept || r->options.frozen_dropout)
        return BERT_OK;
    r->budget = r->options.cache_budget < 0 ? half_of_free_memory() : (uint64_t)r->options.cache_budget << 20;
    uint64_t all = whole_size(r, &r->train_tokens.rows);
    bert_status s = make_kept(r, &sides[0], keep ? r->budget : 0, err);
    if (!s && r->valid)
        s = make_kept(r, &sides[1], keep && r->budget > all ? r->budget - all : 0, err);
    r->plan.kept = r->train_kept;
    return s;
}

static bert_status make_optimizer(train_run *r, bert_err *err)
{
    const bert_train_options *o = &r->options;
    const weight_list *w = &r->model->layer->weights;
    bert_optimizer_options options = { o->optimizer, o->learning_rate, o->beta_1,    o->beta_2,
                                       o->epsilon,   o->weight_decay,  o->clip_norm, o->layer_decay };
    return bert_optimizer_create(w->items, w->n, &options, &r->optimizer, err);
}

bert_status run_prepare(train_run *r, bool keep, bert_err *err)
{
    const data_side sides[2] = {
        { r->train, r->train_hash, &r->train_tokens, &r->train_kept, "train.tokens", "train.kept" },
        { r->valid, r->valid_hash, &r->valid_tokens, &r->valid_kept, "valid.tokens", "valid.kept" },
    };
    double began = clock_seconds();
    bert_status s = r->options.cache ? folder_create(r->options.cache, err) : BERT_OK;
    if (!s)
        s = layer_set_precision(r->model->layer, precision_of_tuned(&r->options), precision_of_frozen(&r->options),
                                err);
    if (!s)
        s = make_tokens(r, &sides[0], err);
    if (!s && r->valid)
        s = make_tokens(r, &sides[1], err);
    r->seconds[PART_TOKENISE] += clock_seconds() - began;
    if (!s)
        s = check_tokens(r, err);
    loss_spec loss = r->plan.loss;
    if (!s)
        s = step_plan_create(&r->plan, r->model, r->task, err);
    r->plan.loss = loss;
    if (!s)
        module_release(r->model->module); /* what is tuned has been copied, what is frozen is packed when it runs */
    if (!s)
        s = make_both_kept(r, sides, keep, err);
    if (!s)
        s = make_optimizer(r, err);
    size_t size = (size_t)r->options.batch_size;
    if (!s)
        r->schedule = schedule_create(&r->options, r->train->n / size + (r->train->n % size > 0));
    return s;
}

void run_begin(train_run *r)
{
    r->began = true;
    bert_layer_zero_grad(r->model->layer);
}

void run_end(train_run *r)
{
    bert_optimizer_free(r->optimizer);
    kept_free(r->train_kept);
    kept_free(r->valid_kept);
    cached_tokens_free(&r->train_tokens);
    cached_tokens_free(&r->valid_tokens);
    targets_free(&r->train_truth);
    targets_free(&r->valid_truth);
    arena_free(&r->memory);
    layer_set_precision(r->model->layer, OPS_FP32, OPS_FP32, NULL); /* what a layer begins with */
    if (r->began)
        bert_layer_zero_grad(r->model->layer);
    *r = (train_run){ 0 };
}

bool run_keeps_first(const train_run *r, int64_t steps)
{
    uint64_t train = whole_size(r, &r->train_tokens.rows), valid = r->valid ? whole_size(r, &r->valid_tokens.rows) : 0;
    return r->train_kept && train + valid <= r->budget && steps >= r->schedule.steps_per_epoch;
}

/* ---- epochs and batches ------------------------------------------------------------------------------------------ */

void run_unfreeze(train_run *r, int64_t epoch)
{
    const bert_layer *l = r->model->layer;
    int64_t every = r->options.unfreeze_every, layers = (int64_t)l->weights.layers, tuned = l->spec.n_tune_layers;
    int64_t free = every ? (epoch - 1) / every : tuned + 1; /* layers that learn; one more: the embeddings */
    if (l->config.family->one_set && free > 0 && free < tuned)
        free = tuned; /* they learn together */
    bool embeddings = l->spec.tune_embeddings && free > tuned;
    int64_t lowest = layers - (free < tuned ? free : tuned);
    r->plan.embeddings_tuned = embeddings;
    r->plan.first_kept = embeddings ? l->first_kept : (size_t)lowest;
    optimizer_set_lowest(r->optimizer, embeddings ? -1 : (int)lowest);
}

/* How far a batch is. */
typedef struct batch_place {
    size_t rows, tokens, targets;
} batch_place;

static void pass_row(batch_place *at, const train_run *r, const uint32_t *rows)
{
    at->tokens += token_rows_length(&r->train_tokens.rows, rows[at->rows]);
    at->targets += targets_of_row(&r->train_truth, &r->train_tokens.rows, rows[at->rows]);
    at->rows++;
}

/* Where bf16 is multiplied, products are summed in pairs over tokens and rows: no part may begin within one. */
static bool part_may_end(const train_run *r, const batch_place *at)
{
    return !r->options.precision || !((at->tokens | at->rows | at->targets) & 1);
}

/* The end of the part that begins at `from`: all parts have about as many tokens. */
static batch_place part_end(const train_run *r, const uint32_t *rows, batch_place from, const batch_place *all)
{
    size_t parts = (all->tokens + r->part_tokens - 1) / r->part_tokens, number = from.tokens * parts / all->tokens;
    while (from.rows < all->rows) {
        pass_row(&from, r, rows);
        if (from.tokens * parts >= all->tokens * (number + 1) && part_may_end(r, &from))
            break;
    }
    return from;
}

static bert_status pack_batch_part(const train_run *r, const uint32_t *rows, batch_place from, batch_place to,
                                   const batch_place *all, step_batch *batch, arena *a, bert_err *err)
{
    const token_rows *tokens = &r->train_tokens.rows;
    size_t n = to.rows - from.rows;
    rows += from.rows;
    *batch = (step_batch){ .rows = r->plan.kept ? rows : NULL,
                           .n = n,
                           .tokens_before = from.tokens,
                           .sequences_before = from.rows * token_rows_sequences(tokens) };
    bert_status s = token_rows_pack(tokens, rows, n, &batch->packed, a, err);
    if (!s)
        s = targets_gather(&r->train_truth, tokens, rows, n, &batch->targets, a, err);
    batch->targets.before = from.targets;
    batch->targets.all = all->targets;
    return s;
}

bert_status run_step(train_run *r, const uint32_t *rows, size_t n, step_dropout drop, head_result *result, arena *a,
                     bert_err *err)
{
    batch_place all = { 0 }, from = { 0 };
    bert_status s = BERT_OK;
    while (all.rows < n)
        pass_row(&all, r, rows);
    *result = (head_result){ 0 };
    while (!s && from.rows < n) {
        batch_place to = part_end(r, rows, from, &all);
        step_batch batch;
        arena_reset(a);
        s = pack_batch_part(r, rows, from, to, &all, &batch, a, err);
        if (!s)
            s = step_run(&r->plan, &batch, drop, NULL, result, r->seconds, a, err);
        from = to;
    }
    return s;
}
