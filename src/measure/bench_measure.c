/* Measuring: passes over many texts, and one text a call. */
#include "measure/bench.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PART = SESSION_PART, /* texts of a call */
    TRIAL = 64,          /* texts that tell how many more can be run */
    PASSES = 3,          /* over the texts, in the time that is given */
    WARM_CALLS = 5,      /* of one text before it is timed */
    FEWEST_CALLS = 20,   /* of one text, however long it takes */
    MOST_CALLS = 20000,
    SIXTEEN = 16
};

static const task *task_of(const bench *b)
{
    return b->session->classifier.task;
}

row_form bench_form(const bench *b)
{
    return task_of(b) ? task_of(b)->form : ROW_TOGETHER;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* From tokens that are there. */
static bert_status bench_run_rows(bench *b, const token_rows *rows, size_t first, size_t n, bert_err *err)
{
    size_t before = session_threads(b->session);
    bert_status s = task_of(b) ? classifier_run(&b->session->classifier, rows, first, n, b->out, err)
                               : row_encoder_run(&b->session->rows, rows, first, n, b->out, err);
    threads_allow(before);
    return s;
}

/* From texts, as a program would. */
static bert_status bench_run_texts(bench *b, const bert_dataset *d, size_t first, size_t n, bert_err *err)
{
    const bert_text *texts = d->texts + first, *pairs = d->pairs ? d->pairs + first : NULL;
    const bert_entity *entities;
    size_t n_entities;
    if (bench_form(b) == ROW_WORDS)
        return bert_session_entities(b->session, texts, n, &entities, &n_entities, NULL, err);
    if (task_of(b))
        return bert_session_predict(b->session, texts, pairs, n, b->out, NULL, err);
    return bert_session_embed(b->session, texts, pairs, n, b->out,
                              bert_session_per_token(b->session) ? b->counts : NULL, NULL, err);
}

static bert_status bench_make_room(bench *b, bert_err *err)
{
    size_t width = bert_session_hidden(b->session), outputs = task_of(b) ? task_columns(task_of(b), b->model) : 0,
           rows = PART;
    if (bert_session_per_token(b->session) || bench_form(b) == ROW_WORDS)
        rows *= bert_session_seq_len(b->session);
    b->out = malloc(rows * (outputs > width ? outputs : width) * sizeof *b->out);
    b->counts = malloc(PART * sizeof *b->counts);
    return b->out && b->counts ? BERT_OK : fail_memory(err, "what is measured");
}

/* All the texts once; rows NULL: from the texts. */
static bert_status run_pass(bench *b, const token_rows *rows, double *seconds, bert_err *err)
{
    bert_status s = BERT_OK;
    size_t n = rows ? rows->n : b->data->n;
    double start = clock_seconds();
    for (size_t i = 0; !s && i < n; i += PART) {
        size_t part = n - i < PART ? n - i : PART;
        s = rows ? bench_run_rows(b, rows, i, part, err) : bench_run_texts(b, b->data, i, part, err);
    }
    *seconds = clock_seconds() - start;
    return s;
}

/* ---- many texts -------------------------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* rows (wanted) = every k-th of all rows in order of length, in the order of the file: their lengths are spread as
 * those of all are. */
static bool spread(uint32_t *rows, size_t wanted, const bert_dataset *d)
{
    uint64_t *keys = calloc(d->n, sizeof *keys); /* the bytes of a row's texts, then its number */
    if (!keys)
        return false;
    for (size_t i = 0; i < d->n; i++) {
        uint64_t bytes = (uint64_t)d->texts[i].size + (d->pairs ? d->pairs[i].size : 0);
        keys[i] = (bytes < UINT32_MAX ? bytes : UINT32_MAX) << 32 | i;
    }
    qsort(keys, d->n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < wanted; i++)
        keys[i] = (uint32_t)keys[(2 * i + 1) * d->n / (2 * wanted)];
    qsort(keys, wanted, sizeof *keys, compare_keys);
    for (size_t i = 0; i < wanted; i++)
        rows[i] = (uint32_t)keys[i];
    free(keys);
    return true;
}

/* As many rows as the time allows. */
static bert_status pick(bench *b, size_t wanted, bert_err *err)
{
    if (wanted >= b->data->n)
        return BERT_OK;
    uint32_t *rows = calloc(wanted, sizeof *rows);
    bert_dataset *picked = NULL;
    bert_status s = rows && spread(rows, wanted, b->data) ? BERT_OK : fail_memory(err, "texts to measure with");
    if (!s)
        s = dataset_of_rows(b->data, rows, wanted, &picked, err);
    free(rows);
    if (s)
        return s;
    bert_dataset_free(b->picked);
    b->data = b->picked = picked;
    return BERT_OK;
}

/* As many of the texts as can be run a few times in the time. */
static bert_status choose_texts(bench *b, bert_err *err)
{
    size_t trial = b->data->n < TRIAL ? b->data->n : TRIAL;
    bert_status s = bench_run_texts(b, b->data, 0, trial, err); /* makes what is made once */
    double start = clock_seconds();
    if (!s)
        s = bench_run_texts(b, b->data, 0, trial, err);
    double wanted = (double)trial * b->options->seconds / PASSES / fmax(clock_seconds() - start, 1e-9);
    return s ? s : pick(b, wanted < TRIAL ? TRIAL : wanted < 1e9 ? (size_t)wanted : (size_t)1e9, err);
}

static bert_status measure_rate(bench *b, const token_rows *rows, bench_rate *rate, bert_err *err)
{
    bert_status s = BERT_OK;
    double best = 0, left = b->options->seconds, seconds;
    while (!s && (left > 0 || rate->passes < 2)) {
        s = run_pass(b, rows, &seconds, err);
        left -= seconds;
        best = !rate->passes++ || seconds < best ? seconds : best;
    }
    rate->sequences = (double)b->n_sequences / best;
    rate->tokens = (double)b->n_tokens / best;
    return s;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

/* Sums the threads' clocks of one pass. */
static bench_parts gather(const profile *p, double seconds)
{
    bench_parts parts = { 0 };
    for (size_t i = 0; i < p->n_threads; i++) {
        double sum = 0;
        for (size_t part = 0; part < PROFILE_PARTS; part++) {
            parts.seconds[part] += p->threads[i].seconds[part];
            sum += p->threads[i].seconds[part];
        }
        parts.threads += sum > 0;
    }
    parts.all = seconds * (double)parts.threads;
    return parts;
}

/* Where the time goes in the fastest of some passes over rows. */
static bert_status measure_parts(bench *b, const token_rows *rows, bench_parts *parts, bert_err *err)
{
    bert_status s = BERT_OK;
    double left = b->options->seconds / 2, best = INFINITY, seconds;
    profile p = { .threads = calloc(b->threads, sizeof *p.threads), .n_threads = b->threads };
    encoder *e = &b->session->encoder;
    if (!p.threads)
        return fail_memory(err, "what is measured");
    e->profile = &p;
    for (; !s && (left > 0 || isinf(best)); left -= seconds) {
        memset(p.threads, 0, b->threads * sizeof *p.threads);
        s = run_pass(b, rows, &seconds, err);
        if (!s && seconds < best) {
            best = seconds;
            *parts = gather(&p, seconds);
        }
    }
    e->profile = NULL;
    parts->products = bench_operations(e, &b->session->rows.request, rows->start[rows->n],
                                       rows->n * token_rows_sequences(rows));
    free(p.threads);
    return s;
}

/* ---- tokenised before -------------------------------------------------------------------------------------------- */

static bert_status tokenise(bench *b, const bert_dataset *d, const token_rows **rows, bert_err *err)
{
    size_t before = session_threads(b->session);
    bert_status s = session_tokenise(b->session, d->texts, d->pairs, 0, d->n, bench_form(b), rows, NULL, err);
    threads_allow(before);
    return s;
}

/* What is told of many texts that are tokenised already. */
static bert_status measure_tokenised(bench *b, bert_err *err)
{
    const token_rows *rows;
    bert_status s = tokenise(b, b->data, &rows, err);
    if (s)
        return s;
    b->n_sequences = b->data->n * token_rows_sequences(rows);
    b->n_tokens = rows->start[rows->n];
    s = measure_rate(b, rows, &b->tokenised, err);
    return s ? s : measure_parts(b, rows, &b->many_parts, err);
}

static bert_status measure_one_parts(bench *b, bert_err *err)
{
    const token_rows *rows;
    bert_status s = tokenise(b, b->sixteen, &rows, err);
    return s ? s : measure_parts(b, rows, &b->one_parts, err);
}

/* ---- one text ---------------------------------------------------------------------------------------------------- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The least value that is not below the share `p` of the sorted ones. */
static double percentile(const double *sorted, size_t n, double p)
{
    size_t place = (size_t)(p * (double)n);
    return sorted[place < n ? place : n - 1];
}

static bert_status measure_latency(bench *b, const bert_dataset *d, bench_latency *l, bert_err *err)
{
    double *times = malloc(MOST_CALLS * sizeof *times), end = clock_seconds() + b->options->seconds;
    bert_status s = times ? BERT_OK : fail_memory(err, "what is measured");
    for (size_t i = 0; !s && i < WARM_CALLS; i++)
        s = bench_run_texts(b, d, i % d->n, 1, err);
    while (!s && l->calls < MOST_CALLS && (l->calls < FEWEST_CALLS || clock_seconds() < end)) {
        double start = clock_seconds();
        s = bench_run_texts(b, d, l->calls % d->n, 1, err);
        times[l->calls++] = clock_seconds() - start;
    }
    if (!s) {
        qsort(times, l->calls, sizeof *times, compare_doubles);
        l->p50 = percentile(times, l->calls, 0.5);
        l->p95 = percentile(times, l->calls, 0.95);
        l->p99 = percentile(times, l->calls, 0.99);
    }
    free(times);
    return s;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static size_t status_bytes(const char *key)
{
    char value[64];
    return proc_value("/proc/self/status", key, value, sizeof value) ? (size_t)strtoull(value, NULL, 10) * 1024 : 0;
}

static size_t file_bytes(const bert_module *m)
{
    arena a = { 0 };
    struct stat st;
    const char *path = m->folder ? path_join(&a, m->folder, "model.safetensors") : m->path;
    size_t size = path && !stat(path, &st) && S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
    arena_free(&a);
    return size;
}

static bert_status first_text(bench *b, bert_err *err)
{
    bert_status s = bench_run_texts(b, b->sixteen, 0, 1, err);
    b->memory.resident = status_bytes("VmRSS");
    b->memory.file = file_bytes(b->model->module);
    return s;
}

bert_status bench_measure(bench *b, bert_err *err)
{
    size_t most = bert_session_seq_len(b->session), one = most < SIXTEEN ? most : SIXTEEN;
    size_t before = session_threads(b->session);
    b->threads = threads_allowed();
    threads_allow(before);
    bert_status s = bench_texts(b->model->module->tokenizer, 1, one, one, bench_form(b) == ROW_APART, &b->sixteen, err);
    if (!s)
        s = bench_make_room(b, err);
    if (!s)
        s = first_text(b, err);
    if (!s)
        s = choose_texts(b, err);
    if (!s)
        s = measure_tokenised(b, err);
    if (!s)
        s = measure_rate(b, NULL, &b->whole, err);
    if (!s)
        s = measure_latency(b, b->sixteen, &b->one, err);
    if (!s)
        s = measure_latency(b, b->data, &b->each, err);
    if (!s)
        s = measure_one_parts(b, err);
    b->memory.weights = bench_weight_bytes(&b->session->encoder);
    b->memory.peak = status_bytes("VmHWM");
    return s;
}
