/* Sessions: the same bits whatever else is in a call and however many threads, vectors equal to the layer's, limits and
 * errors. */
#include "toy_model.h"

#include "each_isa.h"
#include "layers/layer.h"

enum { MANY = 60 };

/* Texts of 0 to seq_len tokens and a few longer ones; every third with a second text, of which some are empty. */
typedef struct sample {
    bert_text texts[MANY], pairs[MANY];
} sample;

static sample *random_sample(size_t seq_len)
{
    random_stream r = { 3, 98, 0 };
    sample *s = arena_alloc(&golden_memory, sizeof *s);
    for (size_t i = 0; i < MANY; i++) {
        s->texts[i] = toy_text(&r, i < seq_len - 1 ? i : random_below(&r, (uint32_t)seq_len + 8));
        s->pairs[i] = i % 3 ? (bert_text){ 0 } : toy_text(&r, random_below(&r, 9));
    }
    return s;
}

/* Runs the picked texts in one call: vectors (n, H) then scores (n, 2), row after row. */
static void run(bert_session *session, const sample *s, const uint32_t *picked, size_t n, float *rows, size_t H,
                bool head)
{
    bert_err err;
    bert_text texts[MANY], pairs[MANY];
    for (size_t i = 0; i < n; i++) {
        texts[i] = s->texts[picked[i]];
        pairs[i] = s->pairs[picked[i]];
    }
    check(bert_session_embed(session, texts, pairs, n, rows, NULL, NULL, &err), &err);
    if (head)
        check(bert_session_predict(session, texts, pairs, n, rows + n * H, NULL, &err), &err);
}

/* Each text alone on one thread is the reference; then random batches on one to four threads. */
static void check_same_bits(const bert_model *model, int64_t seq_len, bool head, int rounds)
{
    bert_session *session = open_session(model, seq_len, BERT_POOLING_AUTO, false);
    sample *s = random_sample((size_t)seq_len);
    size_t H = bert_session_hidden(session), K = head ? 2 : 0;
    float *alone = arena_alloc(&golden_memory, MANY * (H + K) * sizeof *alone),
          *rows = arena_alloc(&golden_memory, MANY * (H + K) * sizeof *rows);
    random_stream r = { 4, 97, 0 };
    uint32_t order[MANY];
    threads_allow(1);
    for (uint32_t i = 0; i < MANY; i++) {
        order[i] = i;
        run(session, s, &i, 1, alone + i * (H + K), H, head);
    }
    for (int round = 0; round < rounds; round++)
        for (int threads = 1; threads <= 4; threads++) {
            threads_allow((size_t)threads);
            random_shuffle(&r, order, MANY);
            size_t n = threads % 2 ? 1 + random_below(&r, MANY) : MANY;
            run(session, s, order, n, rows, H, head);
            for (size_t i = 0; i < n; i++) {
                const float *expected = alone + order[i] * (H + K);
                if (memcmp(rows + i * H, expected, H * sizeof *rows) ||
                    (head && memcmp(rows + n * H + 2 * i, expected + H, 2 * sizeof *rows)))
                    fail_msg("text %u has other bits in a batch of %zu on %d threads", order[i], n, threads);
            }
        }
    bert_session_free(session);
}

static void a_text_has_the_same_bits_in_every_batch_on_any_number_of_threads(void **state)
{
    (void)state;
    static const int POOLINGS[] = { BERT_POOLING_CLS, BERT_POOLING_MEAN, BERT_POOLING_MAX };
    const char *module = toy_module("module", (toy){ 0 });
    for (size_t i = 0; i < sizeof POOLINGS / sizeof *POOLINGS; i++) {
        bert_model *model = toy_model(module, POOLINGS[i], TOY_POSITIONS);
        check_same_bits(model, TOY_POSITIONS, true, 6);
        bert_model_free(model);
    }
}

static void a_text_has_the_same_bits_in_every_batch_of_minilm(void **state)
{
    (void)state;
    need(real_model());
    char *module = import_golden(real_model(), NULL, true);
    bert_model *model = load_model(module);
    check_same_bits(model, 40, false, 1);
    bert_model_free(model);
    remove_golden(module);
}

/* The layer's own output under a pooling, on the same texts: (n, H), or (n, seq_len, H). */
static bert_pass *layer_pass(const char *path, int pooling, const sample *s, bert_layer **layer, bert_module **module)
{
    bert_err err;
    bert_pass *pass;
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.pooling = pooling;
    spec.seq_len = 30;
    spec.n_tune_layers = 1;
    check(bert_module_open(path, module, &err), &err);
    check(bert_layer_create(*module, &spec, 0, layer, NULL, &err), &err);
    bert_input input = { .n = MANY, .texts = s->texts, .pairs = s->pairs };
    check(bert_layer_forward(*layer, &input, &(bert_run){ 0 }, &pass, &err), &err);
    return pass;
}

static void compare_with_layer(const char *path, const bert_model *model, int pooling)
{
    bert_err err;
    bert_module *module;
    bert_layer *layer;
    size_t size, counts[MANY], truncated = 0, row = 0;
    sample *s = random_sample(30);
    bert_pass *pass = layer_pass(path, pooling, s, &layer, &module);
    const float *expected = bert_pass_output(pass, "output", &size);
    bert_session *session = open_session(model, 30, pooling, false);
    bool tokens = pooling == BERT_POOLING_NONE;
    float *got = arena_alloc(&golden_memory, MANY * 30 * TOY_HIDDEN * sizeof *got);
    assert_int_equal(bert_session_per_token(session), tokens);
    assert_int_equal(size, MANY * (tokens ? 30 : 1) * TOY_HIDDEN);
    check(bert_session_embed(session, s->texts, s->pairs, MANY, got, tokens ? counts : NULL, &truncated, &err), &err);
    for (size_t i = 0; i < MANY; i++) {
        size_t rows = tokens ? counts[i] : 1, stride = tokens ? 30 : 1;
        double d = largest_difference(got + row * TOY_HIDDEN, expected + i * stride * TOY_HIDDEN, rows * TOY_HIDDEN);
        if (!(d <= 1e-5))
            fail_msg("pooling %d, text %zu: differs by %g", pooling, i, d);
        for (size_t c = rows * TOY_HIDDEN; c < stride * TOY_HIDDEN; c++)
            assert_true(expected[i * stride * TOY_HIDDEN + c] == 0); /* counts told all rows that are no padding */
        row += rows;
    }
    bert_session_free(session);
    bert_pass_free(pass);
    bert_layer_free(layer);
    bert_module_free(module);
}

static void vectors_are_the_layers_outputs_for_every_pooling(void **state)
{
    (void)state;
    const char *module = toy_module("module", (toy){ .seq_layer = 2 });
    bert_model *model = load_model(module);
    for (int pooling = BERT_POOLING_NONE; pooling <= BERT_POOLING_MAX; pooling++)
        compare_with_layer(module, model, pooling);
    bert_model_free(model);
}

static void normalised_vectors_have_length_1_and_the_same_direction(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    bert_text texts[] = { text_of("a b c"), text_of(""), text_of("k") };
    for (int pooling = BERT_POOLING_NONE; pooling <= BERT_POOLING_MEAN; pooling++) {
        bert_session *plain = open_session(model, 8, pooling, false), *unit = open_session(model, 8, pooling, true);
        float a[24 * TOY_HIDDEN], b[24 * TOY_HIDDEN];
        size_t counts[3], n = pooling == BERT_POOLING_NONE ? 5 + 2 + 3 : 3;
        check(bert_session_embed(plain, texts, NULL, 3, a, counts, NULL, &err), &err);
        check(bert_session_embed(unit, texts, NULL, 3, b, counts, NULL, &err), &err);
        for (size_t i = 0; i < n; i++) {
            double squares = 0, length = 0;
            for (size_t c = 0; c < TOY_HIDDEN; c++) {
                squares += (double)b[i * TOY_HIDDEN + c] * b[i * TOY_HIDDEN + c];
                length += (double)a[i * TOY_HIDDEN + c] * a[i * TOY_HIDDEN + c];
            }
            assert_true(fabs(squares - 1) < 1e-6);
            for (size_t c = 0; c < TOY_HIDDEN; c++)
                assert_true(fabs(b[i * TOY_HIDDEN + c] - a[i * TOY_HIDDEN + c] / sqrt(length)) < 1e-6);
        }
        bert_session_free(plain);
        bert_session_free(unit);
    }
    bert_model_free(model);
}

static void longer_texts_are_cut_and_counted(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, 8);
    bert_session *session = open_session(model, 0, BERT_POOLING_AUTO, false);
    bert_text texts[] = { text_of("a b c d e f"), text_of("a b c d e f g"), text_of("a b c d e f x y"),
                          text_of("a b c") };
    bert_text pairs[] = { text_of(""), text_of(""), text_of(""), text_of("d e f") };
    float vectors[4 * TOY_HIDDEN], scores[8];
    size_t truncated = 10;
    assert_int_equal(bert_session_seq_len(session), 8);
    check(bert_session_embed(session, texts, pairs, 4, vectors, NULL, &truncated, &err), &err);
    assert_int_equal(truncated, 13);
    check(bert_session_predict(session, texts, pairs, 4, scores, &truncated, &err), &err);
    assert_int_equal(truncated, 16);
    assert_memory_equal(vectors, vectors + TOY_HIDDEN, TOY_HIDDEN * sizeof *vectors);
    assert_memory_equal(vectors, vectors + 2 * TOY_HIDDEN, TOY_HIDDEN * sizeof *vectors);
    assert_memory_equal(scores, scores + 4, 2 * sizeof *scores);
    bert_session_free(session);
    bert_model_free(model);
}

/* More than CHUNK_TEXTS and PART, and no multiple of either. */
static void many_texts_in_one_call_are_as_each_alone(void **state)
{
    (void)state;
    enum { N = 2 * 2048 + 77 };
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ .layers = 1 }), BERT_POOLING_MEAN, 12);
    bert_session *session = open_session(model, 0, BERT_POOLING_NONE, false);
    random_stream r = { 8, 96, 0 };
    bert_text *texts = arena_alloc(&golden_memory, N * sizeof *texts);
    float *scores = arena_alloc(&golden_memory, N * 2 * sizeof *scores),
          *rows = arena_alloc(&golden_memory, N * 12 * TOY_HIDDEN * sizeof *rows);
    size_t *counts = arena_alloc(&golden_memory, N * sizeof *counts), truncated = 0, row = 0, longer = 0;
    for (size_t i = 0; i < N; i++) {
        size_t tokens = random_below(&r, 13);
        longer += tokens > 10;
        texts[i] = toy_text(&r, tokens);
    }
    check(bert_session_predict(session, texts, NULL, N, scores, &truncated, &err), &err);
    assert_int_equal(truncated, longer);
    check(bert_session_embed(session, texts, NULL, N, rows, counts, NULL, &err), &err);
    for (size_t i = 0; i < N; row += counts[i++]) {
        float one[2], alone[12 * TOY_HIDDEN];
        size_t n;
        if (i % 97 && (i < 2040 || i > 2060) && i < N - 3)
            continue;
        check(bert_session_predict(session, texts + i, NULL, 1, one, NULL, &err), &err);
        assert_memory_equal(one, scores + 2 * i, sizeof one);
        check(bert_session_embed(session, texts + i, NULL, 1, alone, &n, NULL, &err), &err);
        assert_int_equal(n, counts[i]);
        assert_memory_equal(alone, rows + row * TOY_HIDDEN, n * TOY_HIDDEN * sizeof *alone);
    }
    bert_session_free(session);
    bert_model_free(model);
}

static void no_texts_are_no_vectors(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 8);
    bert_session *session = open_session(model, 0, BERT_POOLING_AUTO, true);
    size_t truncated = 3;
    check(bert_session_embed(session, NULL, NULL, 0, NULL, NULL, &truncated, &err), &err);
    check(bert_session_predict(session, NULL, NULL, 0, NULL, &truncated, &err), &err);
    assert_int_equal(truncated, 3);
    bert_session_free(session);
    bert_model_free(model);
}

static void an_empty_pair_is_an_absent_one(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 16);
    bert_session *session = open_session(model, 0, BERT_POOLING_AUTO, false);
    bert_text texts[] = { text_of("a b"), text_of("a b"), text_of("a b") },
              pairs[] = { text_of(""), text_of(" "), text_of("c") };
    float with[6], without[6];
    check(bert_session_predict(session, texts, pairs, 3, with, NULL, &err), &err);
    check(bert_session_predict(session, texts, NULL, 3, without, NULL, &err), &err);
    assert_memory_equal(with, without, 4 * sizeof *with);
    assert_true(with[4] != without[4]);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(with[2 * i] + with[2 * i + 1] - 1) < 1e-6 && with[2 * i] > 0 && with[2 * i] < 1);
    bert_session_free(session);
    bert_model_free(model);
}

static void a_module_embeds_the_mean_and_predicts_nothing(void **state)
{
    (void)state;
    const char *module = toy_module("module", (toy){ 0 });
    bert_model *model = load_model(module);
    bert_session *session = open_session(model, 0, BERT_POOLING_AUTO, false),
                 *mean = open_session(model, 0, BERT_POOLING_MEAN, false);
    bert_text text = text_of("a b c");
    float a[TOY_HIDDEN], b[TOY_HIDDEN];
    bert_err e;
    bert_evaluation evaluation;
    char words[256];
    assert_int_equal(bert_session_seq_len(session), TOY_POSITIONS);
    check(bert_session_embed(session, &text, NULL, 1, a, NULL, NULL, &e), &e);
    check(bert_session_embed(mean, &text, NULL, 1, b, NULL, NULL, &e), &e);
    assert_memory_equal(a, b, sizeof a);
    snprintf(words, sizeof words, "%s: has no head, so it predicts nothing; train a model on it, or embed", module);
    assert_fails(bert_session_predict(session, &text, NULL, 1, a, NULL, err), BERT_ERR_ARGUMENT, words);
    assert_fails(bert_session_evaluate(session, NULL, NULL, NULL, &evaluation, err), BERT_ERR_ARGUMENT, words);
    bert_session_free(session);
    bert_session_free(mean);
    bert_model_free(model);
}

static void what_a_session_cannot_do_is_said(void **state)
{
    (void)state;
    bert_model *model = load_model(toy_module("module", (toy){ .no_pooler = true }));
    bert_session *session;
    bert_text text = text_of("a");
    float rows[8 * TOY_HIDDEN];
    bert_session_options o;
    bert_session_defaults(&o);
    o.pooling = BERT_POOLING_CLS;
    assert_fails(bert_session_create(model, &o, &session, err), BERT_ERR_ARGUMENT,
                 "pooling cls: the module has no pooler; take another pooling");
    assert_null(session);
    o.pooling = BERT_POOLING_NONE;
    o.seq_len = TOY_POSITIONS + 1;
    assert_fails(bert_session_create(model, &o, &session, err), BERT_ERR_ARGUMENT,
                 "seq_len 49: from 3 to the module's 48 positions");
    o.seq_len = 2;
    assert_fails(bert_session_create(model, &o, &session, err), BERT_ERR_ARGUMENT,
                 "seq_len 2: from 3 to the module's 48 positions");
    o.seq_len = -1;
    assert_fails(bert_session_create(model, &o, &session, err), BERT_ERR_ARGUMENT,
                 "--seq-len: -1 is out of range, 0 to 65536");
    o.seq_len = 8;
    o.pooling = 77;
    assert_fails(bert_session_create(model, &o, &session, err), BERT_ERR_ARGUMENT,
                 "--pooling: \"77\" is not one of auto, none, cls, cls_raw, mean, sqrt_mean, max");
    session = open_session(model, 8, BERT_POOLING_NONE, false);
    assert_fails(bert_session_embed(session, &text, NULL, 1, rows, NULL, NULL, err), BERT_ERR_ARGUMENT,
                 "pooling none gives a vector a token: counts must be given");
    bert_session_free(session);
    bert_model_free(model);
}

/* Training changes the tuned tensors in place. A session that stands already keeps what it saw; a new one sees the
 * change. */
static void a_session_sees_the_weights_as_they_were_when_it_was_made(void **state)
{
    (void)state;
    bert_err err;
    bert_layer_spec spec;
    bert_model *model;
    bert_head_spec head = toy_head(BERT_TASK_BINARY, TOY_BINARY, 2);
    head.head_hidden = 6;
    bert_text text = text_of("q r s t");
    float before[2], after[2], fresh[2];
    size_t n;
    bert_layer_defaults(&spec);
    spec.module = toy_module("module", (toy){ 0 });
    spec.seq_len = 16;
    spec.tune_embeddings = true;
    check(bert_model_create(&spec, &head, 1, &model, &err), &err);
    bert_session *old = open_session(model, 0, BERT_POOLING_AUTO, false);
    check(bert_session_predict(old, &text, NULL, 1, before, NULL, &err), &err);
    const bert_param *params = bert_layer_params(bert_model_layer(model), &n);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < params[i].rows * params[i].cols; k++)
            params[i].tuned[k] *= 1.5f;
        check(bert_session_predict(old, &text, NULL, 1, after, NULL, &err), &err);
        if (memcmp(before, after, sizeof before))
            fail_msg("a change of %s is seen by a session that was made before it", params[i].name);
    }
    bert_session *now = open_session(model, 0, BERT_POOLING_AUTO, false);
    check(bert_session_predict(now, &text, NULL, 1, fresh, NULL, &err), &err);
    assert_true(fresh[0] != before[0]);
    bert_session_free(old);
    bert_session_free(now);
    bert_model_free(model);
}

/* A pooling other than the model's reads the model's trained layers, not the module's. */
static void another_pooling_reads_the_trained_weights(void **state)
{
    (void)state;
    bert_err err;
    const char *module = toy_module("module", (toy){ 0 });
    bert_model *model = toy_model(module, BERT_POOLING_CLS, 16), *plain = load_model(module);
    bert_text text = text_of("a b c");
    float trained[TOY_HIDDEN], untrained[TOY_HIDDEN];
    for (int changed = 0; changed < 2; changed++) {
        bert_session *s = open_session(model, 16, BERT_POOLING_MEAN, false),
                     *p = open_session(plain, 16, BERT_POOLING_MEAN, false);
        check(bert_session_embed(s, &text, NULL, 1, trained, NULL, NULL, &err), &err);
        check(bert_session_embed(p, &text, NULL, 1, untrained, NULL, NULL, &err), &err);
        assert_int_equal(memcmp(trained, untrained, sizeof trained) != 0, changed);
        bert_session_free(s);
        bert_session_free(p);
        weight_at(&bert_model_layer(model)->weights, OUTPUT_WEIGHT, 2)->tuned[3] += 1;
    }
    bert_model_free(model);
    bert_model_free(plain);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_text_has_the_same_bits_in_every_batch_on_any_number_of_threads),
        in_a_folder(a_text_has_the_same_bits_in_every_batch_of_minilm),
        in_a_folder(vectors_are_the_layers_outputs_for_every_pooling),
        in_a_folder(normalised_vectors_have_length_1_and_the_same_direction),
        in_a_folder(longer_texts_are_cut_and_counted),
        in_a_folder(many_texts_in_one_call_are_as_each_alone),
        in_a_folder(no_texts_are_no_vectors),
        in_a_folder(an_empty_pair_is_an_absent_one),
        in_a_folder(a_module_embeds_the_mean_and_predicts_nothing),
        in_a_folder(what_a_session_cannot_do_is_said),
        in_a_folder(a_session_sees_the_weights_as_they_were_when_it_was_made),
        in_a_folder(another_pooling_reads_the_trained_weights),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
