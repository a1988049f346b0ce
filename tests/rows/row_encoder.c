/* Rows in tiles, and passes that begin above the embeddings: the bits of one whole pass. */
#include "each_isa.h"
#include "rows/toy_rows.h"

#include "models/model.h"
#include "rows/row_encoder.h"

/* Every row's vectors from one whole pass. */
static float *whole(const encoder *e, const output_request *request, const token_rows *rows, size_t *n, arena *a)
{
    packed_batch batch;
    assert_works(token_rows_pack(rows, all_rows(NULL), ROWS, &batch, a, err));
    forward f = { .e = e, .batch = &batch, .requests = request, .n_requests = 1, .first_kept = e->n_layers };
    assert_works(forward_run(&f, a, err));
    *n = request->tokens ? batch.n_tok : batch.n_seq;
    return f.outputs[0].value;
}

/* In parts of random sizes, on one to four threads, in tiles of any size. */
static void check_parts(row_encoder *r, const token_rows *rows, const float *expected, size_t n, arena *a)
{
    static const size_t TILES[] = { 0, 1, 17, 50 };
    random_stream random = { 8, 0, 0 };
    float *vectors = arena_array(a, n * HIDDEN, sizeof *vectors);
    size_t sequences = token_rows_sequences(rows);
    for (int run = 0; run < 16; run++) {
        int threads = 1 + run % 4;
        r->tile = TILES[run / 4];
        threads_allow((size_t)threads);
        memset(vectors, 0, n * HIDDEN * sizeof *vectors);
        for (size_t first = 0, part; first < ROWS; first += part) {
            part = threads == 1 ? ROWS : 1 + random_below(&random, ROWS);
            part = part < ROWS - first ? part : ROWS - first;
            size_t at = r->request.tokens ? rows->start[first] : first * sequences;
            assert_works(row_encoder_run(r, rows, first, part, vectors + at * HIDDEN, err));
        }
        assert_same_bits(vectors, expected, n * HIDDEN);
    }
}

static void tiles_have_the_bits_of_one_pass(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    for (int form = ROW_TOGETHER; form <= ROW_WORDS; form++)
        for (int pooling = BERT_POOLING_NONE; pooling <= BERT_POOLING_MAX; pooling++) {
            size_t n;
            arena a = { 0 };
            bert_layer *layer = frozen_below(module, pooling, 1);
            token_rows rows = toy_rows(module, (row_form)form, 1);
            row_encoder r = { .encoder = &layer->encoder };
            assert_works(request_of_pooling(&r.request, (bert_pooling)pooling, layer, err));
            const float *expected = whole(&layer->encoder, &r.request, &rows, &n, &a);
            check_parts(&r, &rows, expected, n, &a);
            row_encoder_free(&r);
            token_rows_free(&rows);
            bert_layer_free(layer);
            arena_free(&a);
        }
    bert_module_free(module);
}

static void tiles_that_begin_with_kept_outputs_have_the_bits_of_one_pass(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    for (int64_t tuned = 0; tuned <= 2; tuned++)
        for (int form = ROW_TOGETHER; form <= ROW_APART; form++)
            for (uint64_t budget = 0; budget <= 60000; budget += 20000) {
                size_t n;
                arena a = { 0 };
                bert_layer *layer = frozen_below(module, tuned % 2 ? BERT_POOLING_CLS : BERT_POOLING_NONE, tuned);
                token_rows rows = toy_rows(module, (row_form)form, 2);
                row_encoder r = { .encoder = &layer->encoder };
                kept_options options = { .budget = budget };
                assert_works(kept_create(&r.kept, layer, &rows, &options, NULL, err));
                kept_outputs *kept = r.kept;
                assert_works(request_of_pooling(&r.request, (bert_pooling)layer->spec.pooling, layer, err));
                const float *expected = whole(&layer->encoder, &r.request, &rows, &n, &a);
                check_parts(&r, &rows, expected, n, &a);
                check_parts(&r, &rows, expected, n, &a);
                assert_true(budget ? kept_rows(kept) > 0 && kept_bytes(kept) <= budget : kept_rows(kept) == 0);
                row_encoder_free(&r);
                kept_free(kept);
                token_rows_free(&rows);
                bert_layer_free(layer);
                arena_free(&a);
            }
    bert_module_free(module);
}

/* A step's outputs and all its gradients: from the embeddings, or from x. */
typedef struct step_bits {
    float *value, *grads;
    size_t n;
} step_bits;

static step_bits step(bert_layer *layer, const packed_batch *batch, const float *x, forward_dropout drop, arena *a)
{
    output_request request;
    assert_works(request_of_pooling(&request, (bert_pooling)layer->spec.pooling, layer, err));
    forward f = { .e = &layer->encoder,
                  .batch = batch,
                  .requests = &request,
                  .n_requests = 1,
                  .drop = drop,
                  .first_kept = layer->first_kept,
                  .from = x ? layer->first_kept : 0,
                  .x = x };
    assert_works(forward_run(&f, a, err));
    step_bits s = { .n = (request.tokens ? batch->n_tok : batch->n_seq) * HIDDEN };
    s.value = arena_array(a, s.n, sizeof *s.value);
    memcpy(s.value, f.outputs[0].value, s.n * sizeof *s.value);
    float *grad = arena_array(a, s.n, sizeof *grad);
    random_stream r = { 9, 0, 0 };
    for (size_t i = 0; i < s.n; i++)
        grad[i] = random_normal(&r);
    const float *grads[] = { grad };
    bert_layer_zero_grad(layer);
    assert_works(forward_backward(&f, a, grads, err));
    s.grads = arena_array(a, layer->n_tuned, sizeof *s.grads);
    memcpy(s.grads, layer->grads, layer->n_tuned * sizeof *s.grads);
    return s;
}

static void a_step_from_what_the_lowest_tuned_layer_reads_has_the_bits_of_a_whole_one(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    for (int64_t tuned = 0; tuned <= 2; tuned++)
        for (int pooling = BERT_POOLING_NONE; pooling <= BERT_POOLING_MAX; pooling++)
            for (int dropped = 0; dropped < 2; dropped++) {
                if (!tuned && pooling != BERT_POOLING_CLS)
                    continue; /* nothing is tuned */
                arena a = { 0 };
                packed_batch batch;
                bert_layer *layer = frozen_below(module, pooling, tuned);
                token_rows rows = toy_rows(module, ROW_TOGETHER, 3);
                float *x = frozen_part(layer, &rows, &a);
                assert_works(token_rows_pack(&rows, all_rows(NULL), ROWS, &batch, &a, err));
                forward_dropout drop = { .seed = 5, .step = 6, .tuned = dropped };
                step_bits full = step(layer, &batch, NULL, drop, &a), short_cut = step(layer, &batch, x, drop, &a);
                assert_same_bits(short_cut.value, full.value, full.n);
                assert_same_bits(short_cut.grads, full.grads, layer->n_tuned);
                token_rows_free(&rows);
                bert_layer_free(layer);
                arena_free(&a);
            }
    bert_module_free(module);
}

static bert_session *session_now(const bert_model *model)
{
    bert_session *session = NULL;
    bert_session_options options;
    bert_session_defaults(&options);
    options.seq_len = S;
    assert_works(bert_session_create(model, &options, &session, err));
    return session;
}

/* The texts of the layer's tests, many times over, as a session encodes them. */
static void encode(bert_session *session, float *vectors)
{
    bert_text texts[ROWS];
    random_stream r = { 2, 0, 0 };
    for (size_t i = 0; i < ROWS; i++)
        texts[i] = TEXTS[random_below(&r, N)];
    assert_works(bert_session_embed(session, texts, NULL, ROWS, vectors, NULL, NULL, err));
}

static void precision_changes_the_bits_of_the_layer_and_back_and_never_those_of_a_session(void **state)
{
    (void)state;
    const ops *o;
    bert_model *model;
    bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "output");
    arena a = { 0 };
    float *before = arena_array(&a, ROWS * HIDDEN, sizeof *before),
          *after = arena_array(&a, ROWS * HIDDEN, sizeof *after);
    if (ops_select_precision(OPS_BF16, &o, NULL)) {
        arena_free(&a);
        print_message("skipped: this machine has no bf16\n");
        skip();
    }
    spec.n_tune_layers = 1;
    assert_works(model_create(words_module(NULL, true), &spec, NULL, 1, &model, err));
    token_rows rows = toy_rows(model->module, ROW_TOGETHER, 3);
    bert_session *session = session_now(model);
    encode(session, before);
    size_t n = rows.start[ROWS] * HIDDEN;
    float *single = frozen_part(model->layer, &rows, &a);
    assert_works(layer_set_precision(model->layer, OPS_BF16, OPS_BF16, err));
    float *unpacked = frozen_part(model->layer, &rows, &a);
    assert_works(layer_ready(model->layer, err));
    bert_session *half = session_now(model);
    assert_same_bits(frozen_part(model->layer, &rows, &a), unpacked, n);
    assert_memory_not_equal(unpacked, single, n * sizeof *single);
    encode(session, after);
    assert_same_bits(after, before, ROWS * HIDDEN);
    assert_works(layer_set_precision(model->layer, OPS_FP32, OPS_FP32, err));
    assert_same_bits(frozen_part(model->layer, &rows, &a), single, n);
    assert_works(layer_ready(model->layer, err));
    assert_same_bits(frozen_part(model->layer, &rows, &a), single, n);
    encode(half, after);
    assert_memory_not_equal(after, before, ROWS * HIDDEN * sizeof *after);
    encode(session, after);
    assert_same_bits(after, before, ROWS * HIDDEN);
    bert_session_free(session);
    bert_session_free(half);
    assert_null(model->layer->snapshots);
    token_rows_free(&rows);
    bert_model_free(model);
    arena_free(&a);
}

static int all_groups(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(precision_changes_the_bits_of_the_layer_and_back_and_never_those_of_a_session,
                                        scratch_make, scratch_remove),
        in_a_folder(tiles_have_the_bits_of_one_pass),
        in_a_folder(tiles_that_begin_with_kept_outputs_have_the_bits_of_one_pass),
        in_a_folder(a_step_from_what_the_lowest_tuned_layer_reads_has_the_bits_of_a_whole_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return run_each_isa(all_groups);
}
