/* Training runs small enough for tests: data sets that can be learned, what was told, and what two runs have in
 * common. */
#pragma once

#include "toy_model.h"

#include "train/loop.h"

enum { ROWS = 96, BATCH = 8, SEQ_LEN = 16, MOST_EVENTS = 2048 };

/* 4 to 9 letters of the k-th third of the alphabet. */
static inline bert_text letters_of(random_stream *r, size_t k)
{
    size_t n = 4 + random_below(r, 6);
    char *text = arena_alloc(&golden_memory, 2 * n + 1);
    for (size_t j = 0; j < n; j++) {
        text[2 * j] = (char)('a' + 8 * k + random_below(r, 8));
        text[2 * j + 1] = ' ';
    }
    return (bert_text){ text, 2 * n - 1 };
}

/* Label k has letters of the k-th third of the alphabet. */
static inline bert_dataset *learnable(size_t n, size_t n_labels, uint64_t seed)
{
    static const char *const WORDS[] = { "0", "1", "2" };
    bert_err err;
    bert_dataset *d;
    random_stream r = { seed, 94, 0 };
    bert_text *texts = arena_alloc(&golden_memory, n * sizeof *texts),
              *labels = arena_alloc(&golden_memory, n * sizeof *labels);
    for (size_t i = 0; i < n; i++) {
        texts[i] = letters_of(&r, i % n_labels);
        labels[i] = text_of(WORDS[i % n_labels]);
    }
    check(bert_dataset_create(texts, NULL, labels, n, &d, &err), &err);
    return d;
}

static inline bert_train_options options_of(int64_t epochs, double learning_rate)
{
    bert_train_options o;
    bert_train_defaults(&o);
    o.epochs = epochs;
    o.batch_size = BATCH;
    o.learning_rate = learning_rate;
    o.report = o.tensorboard = false;
    return o;
}

/* ---- what was told ----------------------------------------------------------------------------------------------- */

typedef struct told {
    bert_event events[MOST_EVENTS];
    bert_metrics valid[MOST_EVENTS];
    size_t n;
    size_t frozen;       /* rows whose frozen layers were told of; such events are not among the others */
    bool stop_at_frozen; /* the first such stops the run */
    size_t stop_at;      /* the event of this number, from 1, stops the run; 0: none */
    bool (*then)(struct told *t, const bert_event *e); /* where not NULL: what else happens; false stops */
    void *context;                                     /* of `then` */
} told;

static inline bool listen(void *context, const bert_event *e)
{
    told *t = context;
    assert_true(t->n < MOST_EVENTS);
    if (e->kind == BERT_EVENT_FROZEN) {
        assert_true(!t->n || t->events[t->n - 1].kind == BERT_EVENT_NOTE); /* before the first epoch */
        assert_true(e->done > t->frozen && e->done <= e->total && e->seconds >= 0 && e->seconds_left >= 0);
        t->frozen = e->done;
        return !t->stop_at_frozen;
    }
    t->events[t->n] = *e;
    t->events[t->n].note = e->note ? arena_string(&golden_memory, e->note) : NULL;
    if (e->valid)
        t->valid[t->n] = *e->valid;
    t->n++;
    bool go_on = !t->then || t->then(t, e);
    return go_on && t->n != t->stop_at;
}

static inline told *new_told(void)
{
    return arena_alloc(&golden_memory, sizeof(told));
}

/* The i-th event of a kind, from 0; NULL: there are not so many. */
static inline const bert_event *told_event(const told *t, bert_event_kind kind, size_t i)
{
    for (size_t k = 0; k < t->n; k++)
        if (t->events[k].kind == kind && i-- == 0)
            return &t->events[k];
    return NULL;
}

static inline const bert_metrics *told_valid(const told *t, size_t epoch)
{
    const bert_event *e = told_event(t, BERT_EVENT_EPOCH, epoch);
    return e ? &t->valid[e - t->events] : NULL;
}

static inline size_t told_count(const told *t, bert_event_kind kind)
{
    size_t n = 0;
    while (told_event(t, kind, n))
        n++;
    return n;
}

/* A note that holds these words. */
static inline bool was_noted(const told *t, const char *words)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->events[i].kind == BERT_EVENT_NOTE && strstr(t->events[i].note, words))
            return true;
    return false;
}

/* ---- models ------------------------------------------------------------------------------------------------------ */

static inline bert_layer_spec toy_spec(const char *module, int pooling, int64_t n_tune_layers)
{
    return toy_layer_spec(module, pooling, SEQ_LEN, n_tune_layers);
}

static inline bert_model *new_binary(const bert_layer_spec *spec)
{
    bert_head_spec of_task = toy_head(BERT_TASK_BINARY, TOY_BINARY, 2);
    return new_model(spec, &of_task);
}

static inline bert_model *open_folder(const char *folder)
{
    bert_err err;
    bert_model *model;
    check(model_open_folder(folder, &model, &err), &err);
    return model;
}

static inline void assert_same_weights(const bert_model *a, const bert_model *b)
{
    assert_int_equal(a->layer->n_tuned, b->layer->n_tuned);
    assert_memory_equal(a->layer->values, b->layer->values, a->layer->n_tuned * sizeof(float));
}

/* Metrics of a model as it is, by a run's own validation: those that the task has, and no other. */
static inline bert_metrics evaluate(bert_model *model, const bert_dataset *d)
{
    bert_err err;
    train_run r;
    outcomes out;
    verdict v;
    size_t n;
    const bert_metric *table = bert_metric_table(&n);
    check(run_check(&r, model, d, d, NULL, &err), &err);
    check(run_prepare(&r, false, &err), &err);
    check(validation_run(&r, &out, &v, &err), &err);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(isnan(bert_metric_value(&v.metrics, &table[i])), !task_has_metric(r.task, &table[i]));
    outcomes_free(&out);
    run_end(&r);
    return v.metrics;
}

static inline bool same_number(double a, double b)
{
    return a == b || (a != a && b != b);
}

static inline void assert_same_metrics(const bert_metrics *a, const bert_metrics *b)
{
    size_t n;
    const bert_metric *table = bert_metric_table(&n);
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < n; i++)
        assert_true(same_number(bert_metric_value(a, &table[i]), bert_metric_value(b, &table[i])));
}
