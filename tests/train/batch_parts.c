/* A batch in parts gives the bits of the whole, and frozen layers run before the first epoch. */
#include "train/toy_run.h"

#include "each_isa.h"

/* ---- parts ------------------------------------------------------------------------------------------------------- */

enum { N_ROWS = 48, SEED = 7 };

typedef struct part_case {
    bert_task task;
    int pooling;
    bool tune_embeddings, frozen_dropout;
    int64_t head_hidden;
} part_case;

static const part_case CASES[] = {
    { BERT_TASK_BINARY, BERT_POOLING_CLS, false, false, 0 },
    { BERT_TASK_BINARY, BERT_POOLING_MEAN, true, false, 0 },
    { BERT_TASK_MULTICLASS, BERT_POOLING_MAX, false, true, 12 },
    { BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, true, true, 0 },
    { BERT_TASK_TOKENS, BERT_POOLING_NONE, false, false, 0 },
    { BERT_TASK_REGRESSION, BERT_POOLING_CLS_RAW, false, false, 0 },
};

/* Texts of 1 to 9 letters, with labels that the task knows. */
static bert_dataset *rows_of(bert_task id)
{
    bert_err err;
    bert_dataset *d;
    random_stream r = { 3, 96, 0 };
    bert_text texts[N_ROWS], pairs[N_ROWS], labels[N_ROWS];
    for (size_t i = 0; i < N_ROWS; i++) {
        size_t n = 1 + random_below(&r, 9);
        char *text = arena_alloc(&golden_memory, 2 * n + 1), *tags = arena_alloc(&golden_memory, 4 * n + 1);
        for (size_t k = 0; k < n; k++) {
            text[2 * k] = (char)('a' + random_below(&r, 24));
            text[2 * k + 1] = k + 1 < n ? ' ' : 0;
            strcat(tags, k ? text[2 * k] < 'm' ? " O" : " B-X" : "O");
        }
        texts[i] = text_of(text);
        pairs[i] = text_of("m n o");
        labels[i] = text_of(id == BERT_TASK_TOKENS ? tags : i % 2 ? "1" : i % 3 || id == BERT_TASK_BINARY ? "0" : "2");
    }
    check(bert_dataset_create(texts, id == BERT_TASK_SIMILARITY ? pairs : NULL, labels, N_ROWS, &d, &err), &err);
    return d;
}

/* The gradients (n) of one batch of all rows in parts of so many tokens. */
static float *gradients_in_parts(const part_case *c, const bert_dataset *d, int precision, size_t part_tokens,
                                 head_result *result, size_t *n)
{
    bert_err err;
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ .seq_layer = 2 }), c->pooling, 2);
    bert_head_spec of_task = toy_head((int)c->task, NULL, 0);
    spec.tune_embeddings = c->tune_embeddings;
    of_task.head_hidden = c->head_hidden;
    check(bert_head_of_dataset(&of_task, d, &err), &err);
    bert_model *model = new_model(&spec, &of_task);
    bert_train_options o = options_of(1, 0.01);
    o.frozen_dropout = c->frozen_dropout;
    o.precision = precision;
    train_run r;
    arena a = { 0 };
    uint32_t rows[N_ROWS];
    for (uint32_t i = 0; i < N_ROWS; i++)
        rows[i] = i * 5 % N_ROWS;
    check(run_check(&r, model, d, NULL, &o, &err), &err);
    check(run_prepare(&r, true, &err), &err);
    run_begin(&r);
    r.part_tokens = part_tokens;
    check(run_step(&r, rows, N_ROWS, (step_dropout){ SEED, 5, true, c->frozen_dropout }, result, &a, &err), &err);
    *n = model->layer->n_tuned;
    float *grads = malloc(*n * sizeof *grads);
    assert_non_null(grads);
    memcpy(grads, model->layer->grads, *n * sizeof *grads);
    run_end(&r);
    arena_free(&a);
    bert_model_free(model);
    return grads;
}

static void check_parts(const part_case *c, int precision)
{
    bert_dataset *d = rows_of(c->task);
    head_result whole, cut;
    size_t n, sizes[] = { 1, 16, 100 };
    float *expected = gradients_in_parts(c, d, precision, 1 << 20, &whole, &n);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        float *found = gradients_in_parts(c, d, precision, sizes[i], &cut, &n);
        if (memcmp(found, expected, n * sizeof *found))
            fail_msg("%s, precision %d: other gradients in parts of %zu tokens", bert_task_name(c->task), precision,
                     sizes[i]);
        assert_true(cut.loss == whole.loss && cut.correct == whole.correct && cut.n == whole.n);
        free(found);
    }
    free(expected);
    bert_dataset_free(d);
}

static void a_batch_in_parts_gives_the_bits_of_the_whole(void **state)
{
    (void)state;
    const ops *unused;
    bool bf16 = !ops_select_precision(OPS_BF16, &unused, NULL);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (int precision = 0; precision <= bf16; precision++)
            check_parts(&CASES[i], precision);
    if (!bf16)
        print_message("bf16 skipped: this processor has no AVX512-BF16\n");
}

/* ---- frozen layers ----------------------------------------------------------------------------------------------- */

static bert_model *frozen_model(void)
{
    bert_layer_spec spec = toy_spec(toy_module("module", (toy){ .seq_layer = 2 }), BERT_POOLING_MEAN, 1);
    return new_binary(&spec);
}

static void frozen_layers_run_before_the_first_epoch_and_rest(void **state)
{
    (void)state;
    bert_err err;
    bert_model *kept = frozen_model(), *computed = frozen_model();
    bert_dataset *train = learnable(ROWS, 2, 1), *valid = learnable(20, 2, 2);
    bert_train_options o = options_of(2, 0.01);
    told *t = new_told(), *u = new_told();
    check(bert_model_train(kept, train, valid, &o, NULL, false, listen, t, &err), &err);
    assert_int_equal(t->frozen, ROWS + 20);
    o.cache_budget = 0; /* nothing is kept */
    check(bert_model_train(computed, train, valid, &o, NULL, false, listen, u, &err), &err);
    assert_int_equal(u->frozen, 0);
    assert_same_weights(kept, computed);
    bert_model_free(kept);
    bert_model_free(computed);
    bert_dataset_free(train);
    bert_dataset_free(valid);
}

/* One epoch, or so many steps of it. */
static bert_status train_frozen(int64_t max_steps, told *t)
{
    bert_model *model = frozen_model();
    bert_dataset *train = learnable(ROWS, 2, 1);
    bert_train_options o = options_of(1, 0.01);
    o.max_steps = max_steps;
    bert_status s = bert_model_train(model, train, NULL, &o, NULL, false, listen, t, NULL);
    bert_model_free(model);
    bert_dataset_free(train);
    return s;
}

static void a_run_of_a_few_steps_computes_no_more_rows_than_it_reads(void **state)
{
    (void)state;
    told *t = new_told();
    assert_int_equal(train_frozen(3, t), BERT_OK);
    assert_int_equal(t->frozen, 0);
}

static void a_run_can_be_stopped_while_frozen_layers_run(void **state)
{
    (void)state;
    told *t = new_told();
    t->stop_at_frozen = true;
    assert_int_equal(train_frozen(0, t), BERT_ERR_STOPPED);
    assert_int_equal(told_count(t, BERT_EVENT_STEP), 0);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_batch_in_parts_gives_the_bits_of_the_whole),
        in_a_folder(frozen_layers_run_before_the_first_epoch_and_rest),
        in_a_folder(a_run_of_a_few_steps_computes_no_more_rows_than_it_reads),
        in_a_folder(a_run_can_be_stopped_while_frozen_layers_run),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
