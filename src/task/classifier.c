/* Rows of tokens to logits, scores and outcomes, a part of the rows at a time: memory does not grow with a call. */
#include "task/classifier.h"

#include "base/finite.h"

#include <stdio.h>
#include <string.h>

/* A part has at most so many vectors, and at least one row. */
enum { PART = 2048, TOKENS_OF_A_PART = 16384 };

bert_status classifier_create(classifier *c, const bert_model *model, const weight_list *weights, row_encoder *rows,
                              bert_err *err)
{
    *c = (classifier){ .model = model, .rows = rows };
    bert_status s = task_of_model(model, &c->task, err);
    if (!s)
        c->head = head_over(model, weights);
    return s;
}

void classifier_free(classifier *c)
{
    arena_free(&c->memory);
    *c = (classifier){ 0 };
}

size_t classifier_part(const token_rows *rows, size_t first, size_t left)
{
    size_t n = 1, most = PART / token_rows_sequences(rows);
    if (rows->form != ROW_WORDS)
        return left < most ? left : most;
    while (n < left && rows->start[first + n + 1] - rows->start[first] <= TOKENS_OF_A_PART)
        n++;
    return n;
}

/* The row that the k-th row of logits is of: of WORDS its tokens that begin a word have one each. */
static size_t row_of_logits(const token_rows *rows, size_t first, size_t k)
{
    if (rows->form != ROW_WORDS)
        return first + k;
    size_t i = rows->start[first];
    for (;; i++)
        if (rows->words[i] >= 0 && k-- == 0)
            break;
    while (rows->start[first + 1] <= i)
        first++;
    return first;
}

/* No label is made of what is no number. */
static bert_status check_logits(const classifier *c, const token_rows *rows, size_t first, const float *logits,
                                size_t m, bert_err *err)
{
    size_t K = task_width(c->model), bad = first_not_finite(logits, m * K);
    char place[DATASET_PLACE];
    if (bad == m * K)
        return BERT_OK;
    size_t text = rows->before + token_rows_text(rows, row_of_logits(rows, first, bad / K));
    if (c->data)
        dataset_place(c->data, text, place);
    else
        snprintf(place, sizeof place, "row %zu", text);
    return fail(err, BERT_ERR_NUMERIC, "%s: what the model gives is %s; its weights are not sound", place,
                not_finite_word(logits[bad]));
}

/* The logits (m, K) of the vectors that the head reads. They live in c->memory. */
static bert_status run_head(classifier *c, const token_rows *rows, size_t first, const float *x, size_t m,
                            float **logits, bert_err *err)
{
    float *hidden = arena_alloc_raw(&c->memory, m * c->head.hidden.base.out * sizeof *hidden);
    *logits = arena_alloc_raw(&c->memory, m * task_width(c->model) * sizeof **logits);
    ops_room room = ops_room_create(&c->memory);
    if (!room.bytes || !hidden || !*logits)
        return fail_memory(err, "scores");
    head_forward(&c->head, room, *logits, hidden, x, m);
    return check_logits(c, rows, first, *logits, m, err);
}

/* Moves the vectors of tokens that begin a word together at the front of x (all tokens of the rows, H); returns their
 * number. */
static size_t gather_words(const token_rows *rows, size_t first, size_t n, size_t H, float *x)
{
    size_t m = 0;
    for (size_t i = rows->start[first]; i < rows->start[first + n]; i++)
        if (rows->words[i] >= 0)
            memmove(x + m++ * H, x + (i - rows->start[first]) * H, H * sizeof *x);
    return m;
}

/* The logits (*n_logits, K) of a part: one row for each of its rows, or for each token that begins a word. They live in
 * c->memory until the next part. */
static bert_status run_part(classifier *c, const token_rows *rows, size_t first, size_t n, float **logits,
                            size_t *n_logits, bert_err *err)
{
    bool words = rows->form == ROW_WORDS;
    size_t H = c->head.hidden_size,
           n_vectors = words ? rows->start[first + n] - rows->start[first] : n * token_rows_sequences(rows);
    arena_reset(&c->memory);
    float *x = arena_alloc_raw(&c->memory, n_vectors * H * sizeof *x);
    bert_status s = x ? row_encoder_run(c->rows, rows, first, n, x, err) : fail_memory(err, "scores");
    if (s)
        return s;
    *n_logits = words ? gather_words(rows, first, n, H, x) : n;
    return run_head(c, rows, first, x, *n_logits, logits, err);
}

bert_status classifier_scores(classifier *c, const token_rows *rows, size_t first, const float *x, size_t n,
                              float *scores, bert_err *err)
{
    float *logits;
    arena_reset(&c->memory);
    bert_status s = run_head(c, rows, first, x, n, &logits, err);
    if (!s)
        c->task->output->scores(c->model, scores, logits, n, task_width(c->model));
    return s;
}

bert_status classifier_run(classifier *c, const token_rows *rows, size_t first, size_t n, float *scores, bert_err *err)
{
    size_t columns = task_columns(c->task, c->model), K = task_width(c->model);
    bert_status s = BERT_OK;
    for (size_t i = 0, part; !s && i < n; i += part) {
        float *logits;
        size_t m;
        part = classifier_part(rows, first + i, n - i);
        s = run_part(c, rows, first + i, part, &logits, &m, err);
        if (s)
            break;
        c->task->output->scores(c->model, scores, logits, m, K);
        scores += m * columns;
    }
    return s;
}

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

static bert_status judge_part(classifier *c, const token_rows *rows, size_t first, size_t n, outcomes *o, bert_err *err)
{
    float *logits;
    size_t m, K = task_width(c->model);
    target_rows y;
    bert_status s = run_part(c, rows, first, n, &logits, &m, err);
    uint32_t *numbers = s ? NULL : arena_array(&c->memory, n, sizeof *numbers);
    float *scores = s ? NULL : arena_array(&c->memory, m * o->columns, sizeof *scores);
    float *losses = s ? NULL : arena_array(&c->memory, m, sizeof *losses);
    if (!s && (!numbers || !scores || !losses))
        s = fail_memory(err, "scores");
    for (size_t i = 0; !s && i < n; i++)
        numbers[i] = (uint32_t)(first + i);
    if (!s)
        s = targets_gather(o->truth, rows, numbers, n, &y, &c->memory, err);
    if (s)
        return s;
    c->task->output->loss(0, NULL, losses, logits, &y, NULL, 1, K);
    c->task->output->scores(c->model, scores, logits, m, K);
    for (size_t i = 0; i < m; i++) {
        size_t to = y.words ? y.words[i] : first + i;
        memcpy(o->scores + to * o->columns, scores + i * o->columns, o->columns * sizeof *scores);
        o->losses[to] = losses[i];
    }
    o->unseen -= y.words ? m : 0;
    return BERT_OK;
}

bert_status classifier_judge(classifier *c, const token_rows *rows, const targets *truth, outcomes *out, bert_err *err)
{
    bert_status s = outcomes_create(out, c->model, c->task, truth, err);
    for (size_t i = 0, part; !s && i < rows->n; i += part) {
        part = classifier_part(rows, i, rows->n - i);
        s = judge_part(c, rows, i, part, out, err);
    }
    if (s)
        outcomes_free(out);
    return s;
}
