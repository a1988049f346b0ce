/* The same text gives the same bits: alone or in any batch, on any number of threads, however they share the work,
 * beside other sessions, from no token to all that fit; in every precision. */
#include "session/frozen_toys.h"

#include "each_isa.h"

#include <pthread.h>

enum { MANY = 36, TOY_LONGEST = 512, K = 2 };

/* n texts of which the first is the longest and the second empty; every third has a second text. The results of each
 * alone. */
typedef struct sample {
    const bert_model *model;
    size_t n, longest, H;
    bool head; /* K scores; else none */
    bert_text texts[MANY], pairs[MANY];
    float *alone; /* (n, H + K) */
} sample;

static bert_text some_text(random_stream *r, size_t tokens, bool letters)
{
    static const char *const WORDS[] = { "how ", "can ", "the ",   "bank ", "a ",   "card ",
                                         "not ", "of ",  "world ", "7 ",    "new ", "was " };
    if (letters)
        return toy_text(r, tokens);
    char *text = arena_alloc(&golden_memory, 6 * tokens + 1);
    size_t size = 0;
    for (size_t i = 0; i < tokens; i++)
        size += (size_t)snprintf(text + size, 7, "%s", WORDS[random_below(r, 12)]);
    return (bert_text){ text, size };
}

/* Lengths are about as often below 16, below 128 and above. */
static size_t some_length(random_stream *r, size_t longest)
{
    static const size_t BELOW[] = { 16, 128, 1000 };
    size_t below = BELOW[random_below(r, 3)];
    return random_below(r, (uint32_t)(below < longest ? below : longest) + 1);
}

/* Vectors (n, H), then scores (n, K), of the picked texts in one call. false: it failed. */
static bool run(bert_session *session, const sample *s, const uint32_t *picked, size_t n, float *out)
{
    bert_text texts[MANY], pairs[MANY];
    for (size_t i = 0; i < n; i++) {
        texts[i] = s->texts[picked[i]];
        pairs[i] = s->pairs[picked[i]];
    }
    return !bert_session_embed(session, texts, pairs, n, out, NULL, NULL, NULL) &&
           (!s->head || !bert_session_predict(session, texts, pairs, n, out + n * s->H, NULL, NULL));
}

static sample *sample_of(const bert_model *model, size_t n, size_t longest, bool head, bool letters)
{
    random_stream r = { 21, 5, 0 };
    bert_session_options options = session_options(1);
    sample *s = arena_alloc(&golden_memory, sizeof *s);
    *s = (sample){ .model = model, .n = n, .longest = longest, .head = head };
    for (size_t i = 0; i < n; i++) {
        s->texts[i] = some_text(&r, i == 0 ? longest : i == 1 ? 0 : some_length(&r, longest), letters);
        s->pairs[i] = i % 3 == 2 ? some_text(&r, some_length(&r, 20), letters) : (bert_text){ 0 };
    }
    options.seq_len = (int64_t)longest;
    bert_session *session = session_of(model, &options);
    s->H = bert_session_hidden(session);
    s->alone = arena_alloc(&golden_memory, n * (s->H + K) * sizeof(float));
    for (uint32_t i = 0; i < n; i++)
        assert_true(run(session, s, &i, 1, s->alone + i * (s->H + K)));
    bert_session_free(session);
    return s;
}

/* The place of a result that has other bits than the text's alone; n: none. */
static size_t first_difference(const sample *s, const uint32_t *picked, size_t n, const float *out)
{
    for (size_t i = 0; i < n; i++) {
        const float *expected = s->alone + picked[i] * (s->H + K);
        if (memcmp(out + i * s->H, expected, s->H * sizeof *out) ||
            (s->head && memcmp(out + n * s->H + i * K, expected + s->H, K * sizeof *out)))
            return i;
    }
    return n;
}

/* Random batches in random order. false: a call failed, or a result differs. */
static bool batches_agree(const sample *s, bert_session *session, uint64_t seed, int rounds)
{
    random_stream r = { seed, 6, 0 };
    uint32_t order[MANY];
    float *out = malloc(s->n * (s->H + K) * sizeof *out);
    bool fine = out != NULL;
    for (uint32_t i = 0; i < s->n; i++)
        order[i] = i;
    for (int round = 0; fine && round < rounds; round++) {
        size_t n = round ? 1 + random_below(&r, (uint32_t)s->n) : s->n;
        random_shuffle(&r, order, s->n);
        fine = run(session, s, order, n, out) && first_difference(s, order, n, out) == n;
    }
    free(out);
    return fine;
}

static void check_every_way(const sample *s, int most_threads, int rounds, const char *what)
{
    for (int threads = 1; threads <= most_threads; threads++)
        for (int streams = 0; streams < 3 && (threads > 1 || !streams); streams++) {
            bert_session_options options = session_options(threads);
            options.seq_len = (int64_t)s->longest;
            options.streams = streams;
            bert_session *session = session_of(s->model, &options);
            if (!batches_agree(s, session, (uint64_t)(threads * 3 + streams), rounds))
                fail_msg("%s: a text has other bits in a batch on %d threads, streams %d", what, threads, streams);
            bert_session_free(session);
        }
}

static void a_text_has_the_same_bits_in_every_batch_and_on_any_threads(void **state)
{
    (void)state;
    static const int POOLINGS[PRECISIONS] = { BERT_POOLING_CLS, BERT_POOLING_MEAN, BERT_POOLING_MAX };
    const char *module = toy_module("module", (toy){ .positions = TOY_LONGEST });
    for (int precision = 0; precision < PRECISIONS; precision++) {
        bert_model *model = frozen_copy(toy_model(module, POOLINGS[precision], TOY_LONGEST), precision);
        check_every_way(sample_of(model, MANY, TOY_LONGEST, true, true), 3, 3, PRECISION_NAMES[precision]);
        bert_model_free(model);
    }
}

static void a_text_has_the_same_bits_in_every_batch_of_minilm(void **state)
{
    (void)state;
    need(real_model());
    char *module = import_golden(real_model(), NULL, true);
    for (int precision = 0; precision < PRECISIONS; precision++) {
        bert_model *model = frozen_copy(load_model(module), precision);
        check_every_way(sample_of(model, 8, 100, false, false), 2, 1, PRECISION_NAMES[precision]);
        bert_model_free(model);
    }
    remove_golden(module);
}

/* ---- sessions side by side --------------------------------------------------------------------------------------- */

typedef struct other_thread {
    const sample *sample;
    int threads;
    uint64_t seed;
    bool fine;
} other_thread;

static void *predict_on_a_thread(void *context)
{
    other_thread *o = context;
    bert_session *session;
    bert_session_options options = session_options(o->threads);
    options.seq_len = (int64_t)o->sample->longest;
    if (bert_session_create(o->sample->model, &options, &session, NULL))
        return NULL;
    o->fine = batches_agree(o->sample, session, o->seed, 6);
    bert_session_free(session);
    return NULL;
}

static void sessions_of_several_threads_share_a_model(void **state)
{
    (void)state;
    enum { SIDE_BY_SIDE = 3 };
    const char *module = toy_module("module", (toy){ .positions = TOY_LONGEST });
    for (int precision = 0; precision < PRECISIONS; precision++) {
        bert_model *model = frozen_copy(toy_model(module, BERT_POOLING_MEAN, TOY_LONGEST), precision);
        const sample *s = sample_of(model, MANY, TOY_LONGEST, true, true);
        pthread_t threads[SIDE_BY_SIDE];
        other_thread others[SIDE_BY_SIDE];
        for (int i = 0; i < SIDE_BY_SIDE; i++) {
            others[i] = (other_thread){ .sample = s, .threads = i < 2 ? 1 : 2, .seed = (uint64_t)i };
            assert_int_equal(pthread_create(&threads[i], NULL, predict_on_a_thread, &others[i]), 0);
        }
        for (int i = 0; i < SIDE_BY_SIDE; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < SIDE_BY_SIDE; i++)
            assert_true(others[i].fine);
        bert_model_free(model);
    }
}

typedef struct inner_call {
    const bert_model *model;
    const float *expected;
} inner_call;

/* A session of its own, within somebody's part. */
static void embed_inside(void *context, size_t part, size_t thread)
{
    (void)part, (void)thread;
    const inner_call *c = context;
    bert_session_options options = session_options(3);
    bert_session *session = session_of(c->model, &options);
    bert_text text = text_of("a b");
    float vector[TOY_HIDDEN];
    if (bert_session_embed(session, &text, NULL, 1, vector, NULL, NULL, NULL) ||
        memcmp(vector, c->expected, sizeof vector))
        abort();
    bert_session_free(session);
}

/* The caller's own number of threads is as it was after a call. */
static void a_sessions_threads_are_its_own(void **state)
{
    (void)state;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, 16);
    bert_session_options options = session_options(3);
    bert_session *session = session_of(model, &options);
    float vector[TOY_HIDDEN];
    bert_text text = text_of("a b");
    size_t before = threads_allow(2);
    assert_int_equal(bert_session_embed(session, &text, NULL, 1, vector, NULL, NULL, NULL), BERT_OK);
    assert_int_equal(threads_allowed(), 2);
    threads_run(2, 2, embed_inside, &(inner_call){ model, vector });
    threads_allow(before);
    bert_session_free(session);
    bert_model_free(model);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_text_has_the_same_bits_in_every_batch_and_on_any_threads),
        in_a_folder(a_text_has_the_same_bits_in_every_batch_of_minilm),
        in_a_folder(sessions_of_several_threads_share_a_model),
        in_a_folder(a_sessions_threads_are_its_own),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
