/* Two models on the same rows: answers, scores, vectors, metrics, speed. They take turns part by part, so that both
 * meet the same machine. */
#include "frozen/compare.h"

#include "base/clock.h"
#include "data/dataset.h"
#include "session/session.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Rows at a time: few where each gives a vector a token. */
enum { PART = 512, PART_OF_TOKENS = 16 };

static const double SAME_COSINE = 0.99;

/* One of the two models, and what it says of the part at hand. */
typedef struct compare_side {
    bert_session *session;
    float *scores;  /* (part, K) */
    float *vectors; /* (part, H), or (tokens of the part, H) */
    size_t *counts; /* (part) */
    const bert_entity *entities;
    size_t n_entities;
    size_t truncated; /* texts that were cut */
    double seconds;   /* in what the model is for: scores or entities; vectors where it has no head */
} compare_side;

typedef struct comparison {
    const bert_model *model;
    const task *task; /* NULL: no head */
    const bert_dataset *data;
    compare_side sides[2]; /* original, frozen */
    size_t part, K, H;
    bool *same; /* (part) whether the rows have the same answer */
    arena memory;

    size_t agreed, n_differences, n_cosines;
    double differences, worst_difference, cosines, worst_cosine;
} comparison;

/* ---- running ----------------------------------------------------------------------------------------------------- */

static bert_status open_side(comparison *c, compare_side *s, const bert_model *model, bert_err *err)
{
    bert_status status = bert_session_create(model, NULL, &s->session, err);
    if (status)
        return status;
    c->H = bert_session_hidden(s->session);
    c->K = bert_session_outputs(s->session);
    bool tokens = bert_session_per_token(s->session);
    c->part = tokens ? PART_OF_TOKENS : PART;
    size_t rows = tokens ? c->part * bert_session_seq_len(s->session) : c->part;
    s->scores = arena_array(&c->memory, c->part * c->K, sizeof *s->scores);
    s->vectors = arena_array(&c->memory, rows * c->H, sizeof *s->vectors);
    s->counts = arena_array(&c->memory, c->part, sizeof *s->counts);
    return s->scores && s->vectors && s->counts ? BERT_OK : fail_memory(err, "comparing two models");
}

static bert_status open_sides(comparison *c, const bert_model *original, const bert_model *frozen, bert_err *err)
{
    bert_status s = open_side(c, &c->sides[0], original, err);
    if (!s) {
        c->task = c->sides[0].session->classifier.task;
        s = open_side(c, &c->sides[1], frozen, err);
    }
    if (!s && !(c->same = arena_array(&c->memory, c->part, sizeof *c->same)))
        s = fail_memory(err, "comparing two models");
    return s;
}

/* A session names a row by its number in the call; a person looks for its place in the data. */
static bert_status in_place(const comparison *c, size_t first, bert_status status, bert_err *err)
{
    size_t row;
    char place[DATASET_PLACE];
    if (status && err && bert_err_row(err, &row) && row < c->data->n - first)
        bert_err_place(err, dataset_place(c->data, first + row, place));
    return status;
}

static bool is_apart(const comparison *c)
{
    return c->task && c->task->form == ROW_APART;
}

/* The rows' vectors; second: of the texts that stand in the second place. */
static bert_status compare_embed(const comparison *c, compare_side *s, size_t first, size_t n, bool second,
                                 bert_err *err)
{
    const bert_dataset *d = c->data;
    size_t *truncated = c->task ? NULL : &s->truncated; /* else they were counted as the task was run */
    bert_status status = bert_session_embed(s->session, (second ? d->pairs : d->texts) + first,
                                            is_apart(c) || !d->pairs ? NULL : d->pairs + first, n, s->vectors,
                                            s->counts, truncated, err);
    return in_place(c, first, status, err);
}

/* Whether scores and vectors come from one pass. */
static bool one_pass(const comparison *c)
{
    return c->K && !is_apart(c);
}

/* What the model is for, with the clock running; without a head, or in one pass, the vectors with it. */
static bert_status answer(const comparison *c, compare_side *s, size_t first, size_t n, bert_err *err)
{
    const bert_text *texts = c->data->texts + first, *pairs = c->data->pairs ? c->data->pairs + first : NULL;
    double began = clock_seconds();
    bert_status status;
    if (c->task && !c->K)
        status = bert_session_entities(s->session, texts, n, &s->entities, &s->n_entities, &s->truncated, err);
    else if (one_pass(c))
        status = bert_session_run(s->session, texts, pairs, n,
                                  &(bert_outputs){ .scores = s->scores, .vectors = s->vectors }, &s->truncated, err);
    else if (c->K)
        status = bert_session_predict(s->session, texts, pairs, n, s->scores, &s->truncated, err);
    else
        status = compare_embed(c, s, first, n, false, err);
    s->seconds += clock_seconds() - began;
    return in_place(c, first, status, err);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static void count_difference(comparison *c, double a, double b)
{
    double d = fabs(a - b);
    c->differences += d;
    c->worst_difference = c->n_differences++ && c->worst_difference >= d ? c->worst_difference : d;
}

static void compare_scores(comparison *c, size_t n)
{
    const float *a = c->sides[0].scores, *b = c->sides[1].scores;
    for (size_t i = 0; i < n; i++)
        c->same[i] = c->task->kind->same(c->task, c->model, a + i * c->K, b + i * c->K);
    for (size_t i = 0; i < n * c->K; i++)
        count_difference(c, a[i], b[i]);
}

static bool same_stretch(const bert_entity *a, const bert_entity *b)
{
    return a->text == b->text && a->byte_start == b->byte_start && a->byte_end == b->byte_end &&
           !strcmp(a->label, b->label);
}

/* Both lists are in the order of the texts. */
static void compare_entities(comparison *c, size_t n)
{
    const compare_side *a = &c->sides[0], *b = &c->sides[1];
    for (size_t row = 0, i = 0, k = 0; row < n; row++) {
        c->same[row] = true;
        for (; i < a->n_entities && a->entities[i].text == row && k < b->n_entities && b->entities[k].text == row;
             i++, k++)
            if (same_stretch(&a->entities[i], &b->entities[k]))
                count_difference(c, a->entities[i].score, b->entities[k].score);
            else
                c->same[row] = false;
        for (; i < a->n_entities && a->entities[i].text == row; i++)
            c->same[row] = false;
        for (; k < b->n_entities && b->entities[k].text == row; k++)
            c->same[row] = false;
    }
}

/* Vectors of zeros are the same where both are. */
static double vector_cosine(const float *a, const float *b, size_t H)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < H; i++) {
        ab += (double)a[i] * b[i];
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : aa == bb;
}

static void compare_vectors(comparison *c, size_t n)
{
    const float *a = c->sides[0].vectors, *b = c->sides[1].vectors;
    bool tokens = bert_session_per_token(c->sides[0].session), headless = !c->task;
    for (size_t i = 0; i < n; i++) {
        if (headless)
            c->same[i] = true;
        for (size_t k = 0; k < (tokens ? c->sides[0].counts[i] : 1); k++, a += c->H, b += c->H) {
            double cosine = vector_cosine(a, b, c->H);
            c->cosines += cosine;
            c->worst_cosine = c->n_cosines++ && c->worst_cosine <= cosine ? c->worst_cosine : cosine;
            if (headless && !(cosine >= SAME_COSINE))
                c->same[i] = false;
        }
    }
}

static bert_status compare_part(comparison *c, size_t first, size_t n, bert_err *err)
{
    bert_status s = BERT_OK;
    for (int k = 0; !s && k < 2; k++)
        s = answer(c, &c->sides[k], first, n, err);
    if (!s && c->K)
        compare_scores(c, n);
    else if (!s && c->task)
        compare_entities(c, n);
    for (int second = 0; !s && second <= is_apart(c); second++) {
        for (int k = 0; !s && k < 2 && c->task && !one_pass(c); k++)
            s = compare_embed(c, &c->sides[k], first, n, second, err);
        if (!s)
            compare_vectors(c, n);
    }
    for (size_t i = 0; !s && i < n; i++)
        c->agreed += c->same[i];
    return s;
}

static bert_status compare_rows(comparison *c, bert_err *err)
{
    bert_status s = BERT_OK;
    /* what the first call does alone, mapping weights and finding memory, is not timed */
    for (int k = 0; !s && k < 2; k++) {
        s = answer(c, &c->sides[k], 0, 1, err);
        c->sides[k].seconds = 0;
        c->sides[k].truncated = 0;
    }
    for (size_t i = 0; !s && i < c->data->n; i += c->part)
        s = compare_part(c, i, c->data->n - i < c->part ? c->data->n - i : c->part, err);
    return s;
}

/* A table without them has empty words. */
static bool has_labels(const bert_dataset *d)
{
    return d->n_labels > 1 || d->labels[0][0];
}

static void fill_check(const comparison *c, bert_freeze_check *check)
{
    double n = (double)c->data->n;
    check->n = c->data->n;
    check->truncated = c->sides[0].truncated;
    check->agreement = (double)c->agreed / n;
    check->difference_mean = c->n_differences ? c->differences / (double)c->n_differences : NAN;
    check->difference_worst = c->n_differences ? c->worst_difference : NAN;
    check->cosine_mean = c->cosines / (double)c->n_cosines;
    check->cosine_worst = c->worst_cosine;
    check->texts_per_second_original = n / c->sides[0].seconds;
    check->texts_per_second = n / c->sides[1].seconds;
}

bert_status frozen_compare(const bert_model *original, const bert_model *frozen, const bert_dataset *data,
                           bert_freeze_check *check, bert_err *err)
{
    comparison c = { .model = original, .data = data };
    bert_evaluation evaluations[2] = { 0 };
    bert_status s = data->n ? open_sides(&c, original, frozen, err)
                            : fail(err, BERT_ERR_DATA, "the data to check on has no row");
    if (!s)
        s = compare_rows(&c, err);
    if (!s)
        fill_check(&c, check);
    for (int k = 0; !s && k < 2 && c.task && has_labels(data); k++)
        s = bert_session_evaluate(c.sides[k].session, data, NULL, NULL, &evaluations[k], err);
    check->original = evaluations[0].metrics;
    check->frozen = evaluations[1].metrics;
    for (int k = 0; k < 2; k++)
        bert_session_free(c.sides[k].session);
    arena_free(&c.memory);
    return s;
}
