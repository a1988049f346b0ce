/* How fast a model trains, epoch by epoch: the first one also runs the frozen layers, later ones start from what is
 * kept of them.
 *
 *     bench_train [--shape minilm|base] [--precision fp32|bf16] [--pairs FILE] [--rows N] [--json] ...
 *
 * Each precision runs in a process of its own, so that its peak memory is its own. Samples/s, useful GFLOP/s (see
 * work.h) beside oneDNN's float32 on this machine at this moment, and beside what the products of the same shapes reach
 * alone: forward, by the input and by the weights of the layers that are tuned, with their own weights, part of a batch
 * by part. Any option of bert train for the layer and the training may be given, too. */
#include "work.h"

#include "arch/families.h"
#include "layers/layer.h"
#include "measure/bench.h"

#include "base/random.h"

#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EPOCHS_MOST = 100 };

typedef enum bench_shape { SHAPE_CHECKPOINT, SHAPE_MINILM, SHAPE_BASE } bench_shape;
typedef enum bench_precision { PRECISION_EACH, PRECISION_FP32, PRECISION_BF16 } bench_precision;
static const char *const SHAPES[] = { "checkpoint", "minilm", "base", NULL };
static const char *const PRECISIONS[] = { "each", "fp32", "bf16", NULL };

typedef struct bench_options {
    int shape, precision;
    const char *pairs, *text_columns, *label_column;
    int64_t rows, valid_rows;
    bool full, json;
    bert_layer_spec layer;
    bert_train_options training;
} bench_options;

#define ROW(field, kind, fallback, min, max, choices, value, help)                                           \
    {                                                                                                        \
#field, BERT_OPTION_##kind, offsetof(bench_options, field), fallback, min, max, choices, value, help \
    }
static const bert_option OPTIONS[] = {
    ROW(shape, CHOICE, "checkpoint", 0, 0, SHAPES, "WORD",
        ".cache/all-MiniLM-L6-v2, or random weights of the shape of MiniLM-L6 or BERT-base"),
    ROW(precision, CHOICE, "each", 0, 0, PRECISIONS, "WORD", "each: fp32, then bf16 where the processor computes it"),
    ROW(pairs, STRING, "../shared/data/qqp/train.tsv", 0, 0, NULL, "FILE", "the table to learn from"),
    ROW(text_columns, STRING, "question1,question2", 0, 0, NULL, "NAMES", "its texts"),
    ROW(label_column, STRING, "is_duplicate", 0, 0, NULL, "NAME", "its label"),
    ROW(rows, INT, "2000", 1, 1e9, NULL, "N", "so many rows of it, the first ones"),
    ROW(valid_rows, INT, "0", 0, 1e9, NULL, "N", "validate each epoch by the N rows behind them"),
    ROW(full, BOOL, "false", 0, 0, NULL, NULL,
        "rows of made-up words that fill --seq-len, instead of the table's, and the share of the products in a step"),
    ROW(json, BOOL, "false", 0, 0, NULL, NULL, "one JSON object a line"),
};

/* The tables an option may stand in, with their structs. */
typedef struct option_place {
    bert_option_table table;
    size_t offset;
} option_place;

static void read_options(bench_options *o, int argc, char **argv)
{
    const option_place places[] = { { { OPTIONS, sizeof OPTIONS / sizeof *OPTIONS }, 0 },
                                    { bert_layer_option_table(), offsetof(bench_options, layer) },
                                    { bert_train_option_table(), offsetof(bench_options, training) } };
    enum { N = sizeof places / sizeof *places };
    bert_err err = { .message = "" };
    for (int p = 0; p < N; p++)
        bert_options_defaults((char *)o + places[p].offset, places[p].table);
    o->training.epochs = 3;
    for (int i = 1; i < argc; i++) {
        bool flag = i + 1 == argc || !strncmp(argv[i + 1], "--", 2), set = false;
        for (int p = 0; p < N && !set && !strncmp(argv[i], "--", 2); p++)
            set = !bert_options_set((char *)o + places[p].offset, places[p].table, argv[i] + 2,
                                    flag ? "true" : argv[i + 1], &err);
        if (!set) {
            fprintf(stderr, "bench: %s: %s\n", argv[i], err.message);
            exit(2);
        }
        i += !flag;
    }
    if (!o->layer.seq_len)
        o->layer.seq_len = LAYER_SEQ_LEN;
    if (o->full) /* batches that are all alike */
        o->rows -= o->rows % o->training.batch_size;
    if (o->training.epochs > EPOCHS_MOST)
        o->training.epochs = EPOCHS_MOST;
}

/* ---- a module of random weights ---------------------------------------------------------------------------------- */

static const char VOCABULARY[] = ".cache/all-MiniLM-L6-v2/vocab.txt";

static bert_tokenizer *read_vocabulary(file_mapping *file)
{
    bert_err err;
    bert_tokenizer *tokenizer;
    check(file_map(file, VOCABULARY, &err), &err);
    check(bert_tokenizer_create((const char *)file->data, file->size, VOCABULARY, NULL, &tokenizer, &err), &err);
    return tokenizer;
}

static void fill_weights(const weight_list *list, arena *a)
{
    random_stream random = { 0 };
    for (size_t i = 0; i < list->n; i++) {
        bert_param *p = &list->items[i];
        bool one = p->cols == 1 && strstr(p->name, "LayerNorm.weight");
        float *value = arena_array(a, p->rows * p->cols, sizeof *value);
        if (!value)
            exit(1);
        for (size_t k = 0; k < p->rows * p->cols; k++)
            /* deviation 0.02, as BERT begins */
            value[k] = p->cols > 1 ? random_uniform(&random, -0.0346f, 0.0346f) : one;
        p->value = value;
    }
}

static void write_random_module(bench_shape shape, const char *folder)
{
    config c = { .family = &FAMILY_BERT,
                 .vocab_size = 30522,
                 .max_position_embeddings = 512,
                 .type_vocab_size = 2,
                 .hidden_act = ACTIVATION_GELU,
                 .num_attention_heads = 12,
                 .hidden_dropout_prob = 0.1,
                 .attention_probs_dropout_prob = 0.1,
                 .head_dropout_prob = 0.1,
                 .layer_norm_eps = 1e-12,
                 .initializer_range = 0.02 };
    c.hidden_size = shape == SHAPE_BASE ? 768 : 384;
    c.num_hidden_layers = shape == SHAPE_BASE ? 12 : 6;
    c.intermediate_size = 4 * c.hidden_size;
    arena a = { 0 };
    weight_list weights;
    file_mapping vocabulary;
    bert_err err;
    bert_tokenizer *tokenizer = read_vocabulary(&vocabulary);
    check(weights_create(&weights, &a, &c, (size_t)c.num_hidden_layers, true, 0, &err), &err);
    fill_weights(&weights, &a);
    module_parts parts = { .config = &c,
                           .weights = &weights,
                           .vocabulary = (const char *)vocabulary.data,
                           .vocabulary_size = vocabulary.size,
                           .tokenizer = tokenizer,
                           .seq_layer = c.num_hidden_layers - 1 };
    check(module_write(&parts, folder, &err), &err);
    bert_tokenizer_free(tokenizer);
    file_unmap(&vocabulary);
    arena_free(&a);
}

/* ---- the measurement --------------------------------------------------------------------------------------------- */

typedef struct outcome {
    bool done;
    int64_t epochs;
    /* seconds of each epoch up to its last step; the first one's begin with the call: tokenising is in it */
    double train[EPOCHS_MOST];
    double seconds;                       /* of all, with validation and saving the best weights */
    double memory;                        /* MB, at most */
    double tokens;                        /* of a row */
    double work[2];                       /* floating-point operations of an epoch: the first, a later one */
    double limit;                         /* GFLOP/s of oneDNN */
    double alone;                         /* GFLOP/s of the products of a step */
    double step;                          /* seconds of the fastest one */
    double step_products, step_attention; /* its floating-point operations */
    char said[1024];                      /* where it is not done: why */
} outcome;

typedef struct stopwatch {
    outcome *out;
    double began; /* the epoch */
    double last;  /* the end of the step before, or the epoch's begin */
} stopwatch;

static bool on_event(void *context, const bert_event *e)
{
    stopwatch *w = context;
    double now = clock_seconds();
    if (e->kind == BERT_EVENT_STEP) {
        if (!w->out->step || now - w->last < w->out->step)
            w->out->step = now - w->last;
        w->last = now;
        if (e->done == e->total)
            w->out->train[e->epoch - 1] = now - w->began;
    }
    if (e->kind == BERT_EVENT_EPOCH) {
        w->began = w->last = clock_seconds();
        w->out->epochs = e->epoch;
    }
    return true;
}

/* Rows that fill seq_len, with labels in turn. */
static bert_dataset *make_full_rows(const bench_options *o, size_t n)
{
    bert_err err;
    bert_dataset *texts, *d;
    file_mapping vocabulary;
    bert_tokenizer *tokenizer = read_vocabulary(&vocabulary);
    size_t tokens = (size_t)o->layer.seq_len;
    bert_text *labels = calloc(n, sizeof *labels);
    for (size_t i = 0; labels && i < n; i++)
        labels[i] = (bert_text){ i % 2 ? "1" : "0", 1 };
    check(bench_texts(tokenizer, n, tokens, tokens, false, &texts, &err), &err);
    check(bert_dataset_create(texts->texts, NULL, labels, n, &d, &err), &err);
    bert_dataset_free(texts);
    free(labels);
    bert_tokenizer_free(tokenizer);
    file_unmap(&vocabulary);
    return d;
}

/* Rows from `first` on with their labels, as a data set. */
static bert_dataset *read_dataset(const bench_options *o, size_t first, size_t n)
{
    if (o->full)
        return make_full_rows(o, n);
    bert_err err;
    bert_dataset *d;
    bert_table *table;
    bert_rows rows;
    bert_table_options options;
    bert_table_defaults(&options);
    options.text_columns = o->text_columns;
    options.label_column = o->label_column;
    check(bert_table_open(o->pairs, &options, true, &table, &err), &err);
    if (first)
        check(bert_table_next(table, first, &rows, &err), &err);
    check(bert_table_next(table, n, &rows, &err), &err);
    check(bert_dataset_create(rows.texts, rows.pairs, rows.labels, rows.n, &d, &err), &err);
    bert_table_close(table);
    return d;
}

static double peak_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024 / 1e6;
}

/* ---- the products alone ------------------------------------------------------------------------------------------ */

/* What the products of a part of a batch read and write. */
typedef struct step_products {
    bert_layer *layer;
    output_request request;
    ops_room room;
    float *x, *y, *dx; /* (tokens, the widest of a layer) */
    size_t tokens, sequences;
} step_products;

/* One linear's: forward, by the weights and, where it is wanted, by the input. Returns multiplications and
 * additions. */
static double run_linear(const step_products *p, const block *b, const linear *l, bool by_input, size_t rows)
{
    const dense *d = &l->base;
    b->ops->dense_forward(p->room, p->y, d->out, NULL, p->x, d->in, d, ACTIVATION_NONE, rows);
    b->ops->dense_backward_weight(p->room, l->weight->grad, NULL, p->y, d->out, p->x, d->in, d->in, d->out, rows);
    if (by_input)
        b->ops->dense_backward_input(p->room, p->dx, d->in, p->y, d->out, d, false, rows);
    return 2.0 * (2 + by_input) * (double)(d->in * d->out * rows);
}

static bool asks_first_rows(const step_products *p, size_t layer)
{
    return layer_may_reduce(layer, p->layer->encoder.n_layers) && request_is_first(&p->request);
}

/* Those of all tuned layers. */
static double run_products(const step_products *p)
{
    const bert_layer *l = p->layer;
    double work = 0;
    for (size_t i = l->first_kept; i < l->encoder.n_layers; i++)
        for (size_t k = 0; k < l->encoder.n_blocks; k++) {
            const block *b = encoder_layer(&l->encoder, i) + k;
            bool by_input = b->row->reads || i > l->first_kept || l->spec.tune_embeddings;
            for (size_t n = 0; n < b->n_linears && b->tuned; n++)
                work += run_linear(p, b, &b->linears[n], by_input,
                                   b->named[n].asked && asks_first_rows(p, i) ? p->sequences : p->tokens);
        }
    return work;
}

/* Attention of the same part, forward and backward, in rows of so many tokens. */
static double attention_of_part(const step_products *p, double seq_len)
{
    double work = 0, one = 3.5 * 4 * (double)p->layer->config.hidden_size * seq_len;
    for (size_t i = p->layer->first_kept; i < p->layer->encoder.n_layers; i++)
        work += one * (double)(asks_first_rows(p, i) ? p->sequences : p->tokens);
    return work;
}

/* The best of three seconds. The weights' gradients are overwritten. */
static void measure_products(const bench_options *o, int precision, bert_layer *layer, outcome *out)
{
    enum { PART = 1024 }; /* tokens at a time, as in training */
    bert_err err;
    arena a = { 0 };
    random_stream random = { 0 };
    double batch = (double)o->training.batch_size, parts = ceil(batch * out->tokens / PART), best = 1e9, work = 0;
    step_products p = { .layer = layer,
                        .room = ops_room_create(&a),
                        .tokens = (size_t)(batch * out->tokens / parts),
                        .sequences = (size_t)(batch / parts) };
    check(request_of_pooling(&p.request, (bert_pooling)layer->spec.pooling, layer, &err), &err);
    check(layer_set_precision(layer, precision ? OPS_BF16 : OPS_FP32, layer_frozen_precision(layer), &err), &err);
    size_t floats = p.tokens * (size_t)layer->config.intermediate_size;
    float **all[] = { &p.x, &p.y, &p.dx };
    for (int i = 0; i < 3; i++)
        if (!(*all[i] = arena_array(&a, floats, sizeof(float))))
            exit(1);
    for (size_t i = 0; i < floats; i++)
        p.x[i] = random_uniform(&random, -1, 1);
    run_products(&p);
    for (double end = clock_seconds() + 3; clock_seconds() < end;) {
        double start = clock_seconds();
        work = run_products(&p);
        double spent = clock_seconds() - start;
        best = spent < best ? spent : best;
    }
    out->alone = 1e-9 * work / best;
    out->step_products = parts * work;
    out->step_attention = parts * attention_of_part(&p, out->tokens);
    arena_free(&a);
}

/* ---- an epoch ---------------------------------------------------------------------------------------------------- */

static token_count count_full(size_t seq_len, size_t rows)
{
    return (token_count){ (double)(seq_len * rows), (double)(seq_len * seq_len * rows) };
}

static void count_work(const bench_options *o, int precision, bert_model *model, outcome *out)
{
    size_t seq_len = (size_t)o->layer.seq_len;
    bert_layer *layer = bert_model_layer(model);
    token_count c = count_full(seq_len, (size_t)o->rows);
    if (!o->full) {
        table_rows rows = read_rows(o->pairs, o->text_columns, (size_t)o->rows);
        c = count_tokens(bert_model_tokenizer(model), &rows, seq_len);
    }
    out->tokens = c.tokens / (double)o->rows;
    out->work[0] = work_of(layer, c, WORK_TRAINING);
    out->work[1] = work_of(layer, c,
                           o->training.frozen_dropout || !o->training.cache_budget ? WORK_TRAINING : WORK_TUNED);
    out->limit = onednn_rate(layer, 960, false);
    measure_products(o, precision, layer, out);
}

static void measure(const bench_options *o, int precision, outcome *out)
{
    bert_err err;
    bert_model *model;
    bert_train_options training = o->training;
    training.precision = precision;
    bert_dataset *d = read_dataset(o, 0, (size_t)o->rows);
    bert_dataset *valid = o->valid_rows ? read_dataset(o, (size_t)o->rows, (size_t)o->valid_rows) : NULL;
    bert_head_spec head;
    bert_head_defaults(&head);
    check(bert_head_of_dataset(&head, d, &err), &err);
    check(bert_model_create(&o->layer, &head, 1, &model, &err), &err);
    double now = clock_seconds();
    stopwatch watch = { .out = out, .began = now, .last = now };
    double began = watch.began;
    bert_status s = bert_model_train(model, d, valid, &training, NULL, false, on_event, &watch, &err);
    out->done = !s;
    if (s)
        memcpy(out->said, err.message, sizeof out->said);
    out->seconds = clock_seconds() - began;
    out->memory = peak_memory();
    count_work(o, precision, model, out);
    bert_model_free(model);
    bert_dataset_free(valid);
    bert_dataset_free(d);
}

/* Runs in a child: what it takes of memory and of threads ends with it. */
static outcome measure_apart(const bench_options *o, int precision)
{
    outcome out = { .said = "the process that measures ended early" };
    int ends[2];
    fflush(stdout);
    if (pipe(ends))
        exit(1);
    pid_t child = fork();
    if (!child) {
        outcome mine = { 0 };
        measure(o, precision, &mine);
        _exit(write(ends[1], &mine, sizeof mine) != sizeof mine);
    }
    close(ends[1]);
    outcome read_back;
    size_t n = 0;
    for (ssize_t got; n < sizeof read_back && (got = read(ends[0], (char *)&read_back + n, sizeof read_back - n)) > 0;
         n += (size_t)got)
        ;
    close(ends[0]);
    waitpid(child, NULL, 0);
    return n == sizeof read_back ? read_back : out;
}

/* ---- what is printed --------------------------------------------------------------------------------------------- */

static double later_seconds(const outcome *out)
{
    double sum = 0;
    for (int64_t e = 1; e < out->epochs; e++)
        sum += out->train[e];
    return out->epochs > 1 ? sum / (double)(out->epochs - 1) : NAN;
}

static void print_pace(const bench_options *o, const char *what, const outcome *out, double seconds, double work,
                       double beside)
{
    double rate = 1e-9 * work / seconds;
    printf("  %s %8.1f samples/s %7.2f ms/sample %6.1f GFLOP/s (%.2f of oneDNN's f32)", what, (double)o->rows / seconds,
           1e3 * seconds / (double)o->rows, rate, rate / out->limit);
    if (beside > 0)
        printf("   %.2f times fp32", beside / seconds);
    printf("\n");
}

/* Of a step that takes kept outputs, where all are alike. */
static void print_step(const outcome *out)
{
    double products = 1e-9 * out->step_products / out->step, all = products + 1e-9 * out->step_attention / out->step;
    printf("  a step       %8.1f ms, products alone %.1f ms at %.1f GFLOP/s: %.3f of their rate, %.3f with attention's "
           "work\n",
           1e3 * out->step, 1e-6 * out->step_products / out->alone, out->alone, products / out->alone,
           all / out->alone);
}

static void print_text(const bench_options *o, const char *precision, const outcome *out, const outcome *fp32)
{
    double later = later_seconds(out);
    printf("%s: %lld rows of %.1f tokens, batch %lld, %lld tuned layers: %lld epochs in %.1f s, peak memory %.0f MB\n",
           precision, (long long)o->rows, out->tokens, (long long)o->training.batch_size,
           (long long)o->layer.n_tune_layers, (long long)out->epochs, out->seconds, out->memory);
    print_pace(o, "first epoch ", out, out->train[0], out->work[0], fp32 ? fp32->train[0] : 0);
    if (out->epochs > 1)
        print_pace(o, "later epochs", out, later, out->work[1], fp32 ? later_seconds(fp32) : 0);
    if (o->full)
        print_step(out);
}

static void print_json(const bench_options *o, const char *precision, const outcome *out)
{
    printf("{\"program\": \"libbert\", \"shape\": \"%s\", \"precision\": \"%s\", \"threads\": %zu, \"rows\": %lld, "
           "\"tokens\": %.2f, ",
           SHAPES[o->shape], precision, threads_allowed(), (long long)o->rows, out->tokens);
    for (int rates = 0; rates < 2; rates++) {
        printf("\"%s\": [", rates ? "samples_per_second" : "epoch_seconds");
        for (int64_t e = 0; e < out->epochs; e++)
            printf("%s%.3f", e ? ", " : "", rates ? (double)o->rows / out->train[e] : out->train[e]);
        printf("], ");
    }
    printf("\"seconds\": %.3f, \"peak_memory_mb\": %.1f}\n", out->seconds, out->memory);
}

/* In a child, too: neither its memory nor its threads are left when the measurement begins. */
static void make_module(const bench_options *o)
{
    pid_t child = fork();
    int status = 1;
    bert_err err;
    if (!child) {
        if (o->shape == SHAPE_CHECKPOINT)
            check(bert_import(CHECKPOINT, o->layer.module, NULL, NULL, &err), &err);
        else
            write_random_module((bench_shape)o->shape, o->layer.module);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        exit(1);
}

int main(int argc, char **argv)
{
    bench_options o = { 0 };
    outcome fp32 = { 0 };
    int status = 0;
    read_options(&o, argc, argv);
    if (!o.layer.module) {
        o.layer.module = bench_path();
        make_module(&o);
    }
    for (int precision = 0; precision < 2; precision++) {
        const char *name = PRECISIONS[1 + precision];
        if (o.precision != PRECISION_EACH && o.precision != 1 + precision)
            continue;
        outcome out = measure_apart(&o, precision);
        if (!out.done)
            fprintf(stderr, "%s: %s\n", name, out.said);
        else if (o.json)
            print_json(&o, name, &out);
        else
            print_text(&o, name, &out, precision && fp32.done ? &fp32 : NULL);
        status |= !out.done && (precision == 0 || o.precision != PRECISION_EACH);
        if (!precision)
            fp32 = out;
    }
    drop_module();
    return status;
}
