/* Outcomes of made-up models, one for each kind of task: enough for every section of a page. All memory is
 * sample_memory's. */
#pragma once

#include "base/buffer.h"
#include "base/random.h"
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static arena sample_memory;

/* What a report points to, put together. */
typedef struct sample {
    bert_module module;
    bert_model model;
    bert_dataset data;
    token_rows tokens, train_tokens;
    targets truth;
    outcomes outcomes;
    bert_metrics metrics;
    run_record run;
    report report;
    random_stream random;
} sample;

static inline bert_text sample_text(const char *text)
{
    return (bert_text){ text, strlen(text) };
}

/* Between 3 and 40 words. */
static inline bert_text sample_sentence(random_stream *r, size_t words)
{
    static const char *const list[] = { "how",    "do", "I",     "learn", "to", "invest", "in",  "the",   "share",
                                        "market", "of", "India", "what",  "is", "best",   "way", "Größe", "价格" };
    buffer b = { 0 };
    for (size_t i = 0; i < words; i++)
        buffer_printf(&b, "%s%s", i ? " " : "", list[random_below(r, sizeof list / sizeof *list)]);
    char *text = arena_string(&sample_memory, b.data ? b.data : "");
    buffer_free(&b);
    return sample_text(text);
}

static inline float sample_sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

/* n rows of texts, lengths, a module with a path: what does not depend on the task. */
static inline void sample_rows(sample *s, size_t n)
{
    random_stream *r = &s->random;
    bert_dataset *d = &s->data;
    *d = (bert_dataset){ .name = "quora/valid.tsv", .n = n };
    d->texts = arena_array(&sample_memory, n, sizeof *d->texts);
    d->label_texts = arena_array(&sample_memory, n, sizeof *d->label_texts);
    d->lines = arena_array(&sample_memory, n, sizeof *d->lines);
    for (size_t i = 0; i < n; i++) {
        d->texts[i] = sample_sentence(r, 3 + random_below(r, 12) + random_below(r, 12));
        d->label_texts[i] = sample_text("");
        d->lines[i] = i + 2;
    }
    token_rows *both[] = { &s->tokens, &s->train_tokens };
    for (size_t k = 0; k < 2; k++) {
        token_rows *t = both[k];
        size_t *start = arena_array(&sample_memory, n + 1, sizeof *start);
        *t = (token_rows){ .form = ROW_TOGETHER, .n = n, .start = start, .losses.truncated = n / 40 };
        for (size_t i = 0; i < n; i++) {
            size_t length = 6 + random_below(r, 20) + random_below(r, 20) +
                            (random_below(r, 10) ? 0 : random_below(r, 60));
            length = length > 64 ? 64 : length;
            start[i + 1] = start[i] + length;
            t->longest = length > t->longest ? length : t->longest;
        }
    }
    s->module.path = "modules/all-MiniLM-L6-v2";
    s->report = (report){ .title = "Training report",
                          .model = &s->model,
                          .data = d,
                          .tokens = &s->tokens,
                          .train_tokens = &s->train_tokens,
                          .seq_len = 64,
                          .threshold = 0.5,
                          .outcomes = &s->outcomes,
                          .metrics = &s->metrics };
}

static inline void sample_labels(sample *s, size_t n, const char *format)
{
    s->model.labels = arena_array(&sample_memory, n, sizeof *s->model.labels);
    for (size_t k = 0; k < n; k++)
        s->model.labels[k] = arena_printf(&sample_memory, format, (int)k);
    s->model.n_labels = n;
}

/* A task's outcomes over so many things that are judged, with room for what is true of them. */
static inline void sample_task(sample *s, bert_task id, size_t n, size_t columns)
{
    const task *t = task_by_id(id);
    s->model.task = id;
    s->model.module = &s->module;
    s->truth = (targets){ .n = s->data.n };
    s->truth.ids = arena_array(&sample_memory, n, sizeof *s->truth.ids);
    s->truth.values = arena_array(&sample_memory, n * columns, sizeof *s->truth.values);
    s->truth.width = columns;
    s->outcomes = (outcomes){ .model = &s->model, .task = t, .truth = &s->truth, .n = n, .columns = columns };
    s->outcomes.scores = arena_array(&sample_memory, n * columns, sizeof *s->outcomes.scores);
    s->outcomes.losses = arena_array(&sample_memory, n, sizeof *s->outcomes.losses);
}

static inline void sample_new(sample *s, size_t n)
{
    memset(s, 0, sizeof *s);
    s->random = (random_stream){ 7, 100, 0 };
    sample_rows(s, n);
}

static inline void sample_binary(sample *s, size_t n)
{
    sample_new(s, n);
    sample_labels(s, 2, "%d");
    sample_task(s, BERT_TASK_BINARY, n, 2);
    s->data.pairs = arena_array(&sample_memory, n, sizeof *s->data.pairs);
    s->report.threshold = 0.42;
    for (size_t i = 0; i < n; i++) {
        int32_t y = random_below(&s->random, 100) < 37;
        float p = sample_sigmoid((y ? 1.6f : -1.9f) + 1.7f * random_normal(&s->random));
        s->data.pairs[i] = sample_sentence(&s->random, 3 + random_below(&s->random, 20));
        s->data.label_texts[i] = sample_text(y ? "1" : "0");
        s->truth.ids[i] = y;
        s->outcomes.scores[2 * i] = 1 - p;
        s->outcomes.scores[2 * i + 1] = p;
        s->outcomes.losses[i] = -logf(y ? p : 1 - p);
    }
}

static inline void sample_multiclass(sample *s, size_t n, size_t K)
{
    sample_new(s, n);
    sample_labels(s, K, "intent_%02d");
    sample_task(s, BERT_TASK_MULTICLASS, n, K);
    for (size_t i = 0; i < n; i++) {
        uint32_t y = random_below(&s->random, (uint32_t)K), other = (y + 1 + random_below(&s->random, 3)) % (uint32_t)K;
        float *p = s->outcomes.scores + i * K, good = sample_sigmoid(1.5f + 1.5f * random_normal(&s->random));
        for (size_t k = 0; k < K; k++)
            p[k] = (1 - good) * 0.2f / (float)K;
        p[y] += good;
        p[other] += (1 - good) * 0.8f;
        s->data.label_texts[i] = sample_text(s->model.labels[y]);
        s->truth.ids[i] = (int32_t)y;
        s->outcomes.losses[i] = -logf(p[y]);
    }
}

static inline void sample_multilabel(sample *s, size_t n, size_t K)
{
    sample_new(s, n);
    sample_labels(s, K, "emotion %d");
    sample_task(s, BERT_TASK_MULTILABEL, n, K);
    for (size_t i = 0; i < n * K; i++) {
        bool y = random_below(&s->random, 10) < 2;
        float p = sample_sigmoid((y ? 1.5f : -2.0f) + 1.2f * random_normal(&s->random));
        s->truth.values[i] = y;
        s->outcomes.scores[i] = p;
        s->outcomes.losses[i / K] += -logf(y ? p : 1 - p);
    }
}

static inline void sample_regression(sample *s, size_t n)
{
    sample_new(s, n);
    sample_task(s, BERT_TASK_REGRESSION, n, 1);
    s->model.label_max = 5;
    for (size_t i = 0; i < n; i++) {
        float y = random_uniform(&s->random, 0, 1), guess = y + 0.13f * random_normal(&s->random);
        s->truth.values[i] = y;
        s->outcomes.scores[i] = 5 * (guess < 0 ? 0 : guess > 1 ? 1 : guess);
        s->outcomes.losses[i] = (guess - y) * (guess - y);
        s->data.label_texts[i] = sample_text(arena_printf(&sample_memory, "%.2f", 5 * (double)y));
    }
}

/* Words of which a fifth stand in entities; a tenth is tagged wrongly. */
static inline void sample_tokens(sample *s, size_t n)
{
    static const char *const tags[] = { "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-MISC", "I-MISC" };
    sample_new(s, n);
    size_t words = 0, K = sizeof tags / sizeof *tags;
    size_t *start = arena_array(&sample_memory, n + 1, sizeof *start);
    for (size_t i = 0; i < n; i++) {
        size_t count = 5 + random_below(&s->random, 15);
        s->data.texts[i] = sample_sentence(&s->random, count);
        words += count;
        start[i + 1] = words;
    }
    sample_labels(s, K, "%d");
    memcpy(s->model.labels, tags, sizeof tags);
    sample_task(s, BERT_TASK_TOKENS, words, K);
    s->truth.start = start;
    for (size_t i = 0; i < words; i++) {
        size_t y = random_below(&s->random, 5) ? 0 : 1 + random_below(&s->random, (uint32_t)K - 1);
        size_t guess = random_below(&s->random, 10) ? y : random_below(&s->random, (uint32_t)K);
        float good = random_uniform(&s->random, 0.5f, 1);
        for (size_t k = 0; k < K; k++)
            s->outcomes.scores[i * K + k] = (1 - good) / (float)K;
        s->outcomes.scores[i * K + guess] += good;
        s->truth.ids[i] = (int32_t)y;
        s->outcomes.losses[i] = -logf(s->outcomes.scores[i * K + y]);
    }
}

/* ---- the story of a run ---- */

/* So many epochs in which all gets better, with the metrics of the sample for the last one's. */
static inline void sample_epochs(sample *s, int epochs)
{
    size_t n;
    const bert_metric *metrics = bert_metric_table(&n);
    for (int e = 1; e <= epochs; e++) {
        double worse = exp(-e) * 0.4;
        epoch_record o = { e, 10 * e, 0.3 + worse, 0.9 - worse, 2e-5 / e, 61.5 - e, s->metrics };
        for (size_t i = 0; i < n; i++) {
            double v = bert_metric_value(&s->metrics, &metrics[i]);
            *(double *)(void *)((char *)&o.valid + metrics[i].offset) = metrics[i].larger_better ? v - worse / 2
                                                                                                 : v + worse;
        }
        if (run_record_room(&s->run))
            s->run.epochs[s->run.n_epochs++] = o;
    }
}

static inline void sample_steps(sample *s, int n)
{
    for (int i = 1; i <= n; i++) {
        double noise = (double)random_normal(&s->random) * 0.06;
        if (!run_record_room(&s->run))
            break;
        s->run.steps[s->run.n_steps++] = (step_record){ i * 10, 0.3 + 0.4 * exp(-4.0 * i / n) + noise,
                                                        2e-5 * fmin(i / (0.1 * n), (double)(n - i) / (0.9 * n)) };
    }
}

/* Adds record, options and parts, which sample_free frees. */
static inline void sample_run(sample *s, int epochs, int steps)
{
    static bert_layer_spec layer;
    static option_set set;
    static const part_time parts[] = { { "tokenise", 3.1 },  { "frozen layers", 84 }, { "forward", 61.2 },
                                       { "backward", 92.7 }, { "optimiser", 14.4 },   { "validation", 22 } };
    bert_layer_defaults(&layer);
    set = (option_set){ &layer, bert_layer_option_table(), true };
    sample_epochs(s, epochs);
    sample_steps(s, steps);
    s->report.run = &s->run;
    s->report.options = &set;
    s->report.n_options = 1;
    s->report.parts = parts;
    s->report.n_parts = sizeof parts / sizeof *parts;
    s->report.best_epoch = epochs;
}

static inline void sample_free(sample *s)
{
    run_record_free(&s->run);
    arena_free(&sample_memory);
}
