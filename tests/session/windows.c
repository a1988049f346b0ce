/* Long texts in windows: each window is read as a text of its own would be, what they give is combined, and nothing
 * counts as cut that was read. */
#include "session/frozen_toys.h"

#include "each_isa.h"

enum { N = 12, WINDOW = 12, LONGEST = 70, MOST_WINDOWS = LONGEST, K = 2 };

typedef struct sample {
    bert_text texts[N], pairs[N];
    size_t letters[N], pair_letters[N];
} sample;

/* Texts of letters, each a token: of none, of as many as fit, of one more, and longer ones. */
static sample random_sample(bool pairs)
{
    static const size_t LENGTHS[] = { 0, WINDOW - 2, WINDOW - 1, 2 * WINDOW, LONGEST };
    random_stream r = { 51, 0, 0 };
    sample s = { 0 };
    for (size_t i = 0; i < N; i++) {
        s.letters[i] = i < 5 ? LENGTHS[i] : random_below(&r, LONGEST);
        s.texts[i] = toy_text(&r, s.letters[i]);
        if (!pairs)
            continue;
        s.pair_letters[i] = i < 5 ? LENGTHS[4 - i] : random_below(&r, LONGEST);
        s.pairs[i] = toy_text(&r, s.pair_letters[i]);
    }
    return s;
}

/* The windows of n letters, `size` at a time. Returns their number. */
static size_t cut_windows(bert_text text, size_t n, size_t size, size_t stride, bert_text *windows, size_t *start)
{
    size_t count = 0;
    for (size_t at = 0; n > size && at < n - size; at += stride)
        start[count++] = at;
    start[count++] = n > size ? n - size : 0;
    for (size_t i = 0; i < count; i++)
        windows[i] = (bert_text){ text.data + 2 * start[i], 2 * (n < size ? n : size) };
    return count;
}

static bert_session *windowed(const bert_model *model, int64_t window, int64_t stride, int combine)
{
    bert_session_options options = session_options(0);
    options.window = window;
    options.stride = stride;
    options.combine = combine;
    options.pooling = BERT_POOLING_MEAN;
    return session_of(model, &options);
}

static bert_session *plain_session(const bert_model *model)
{
    bert_session_options options = session_options(0);
    options.seq_len = WINDOW;
    options.pooling = BERT_POOLING_MEAN;
    return session_of(model, &options);
}

/* expected (C) from the windows' values (n, C). */
static void combine(double *expected, const float *values, size_t n, size_t C, int how)
{
    for (size_t c = 0; c < C; c++) {
        expected[c] = values[c];
        for (size_t i = 1; i < n; i++) {
            double v = values[i * C + c];
            expected[c] = how ? (v > expected[c] ? v : expected[c]) : expected[c] + v;
        }
        expected[c] /= how ? 1 : (double)n;
    }
}

static void assert_near(const float *got, const double *expected, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs(got[i] - expected[i]) <= 1e-6))
            fail_msg("%zu is %.9g, expected %.9g", i, got[i], expected[i]);
}

/* Text i, whose windows are these texts (and pairs): scores and vector against the plain session's. */
static void check_text(bert_session *plain, const bert_text *texts, const bert_text *pairs, size_t n, int how,
                       const float *scores, const float *vector)
{
    bert_err err;
    size_t cut = 0;
    float p[MOST_WINDOWS * K], v[MOST_WINDOWS * TOY_HIDDEN];
    double expected[TOY_HIDDEN];
    check(bert_session_predict(plain, texts, pairs, n, p, &cut, &err), &err);
    check(bert_session_embed(plain, texts, pairs, n, v, NULL, &cut, &err), &err);
    assert_int_equal(cut, 0); /* the windows are as large as windows may be */
    combine(expected, p, n, K, how);
    assert_near(scores, expected, K);
    combine(expected, v, n, TOY_HIDDEN, how);
    assert_near(vector, expected, TOY_HIDDEN);
    if (n == 1) {
        assert_memory_equal(scores, p, K * sizeof *p);
        assert_memory_equal(vector, v, TOY_HIDDEN * sizeof *v);
    }
}

static void run(bert_session *session, const sample *s, float *scores, float *vectors, size_t *cut)
{
    bert_err err;
    check(bert_session_predict(session, s->texts, s->pairs, N, scores, cut, &err), &err);
    check(bert_session_embed(session, s->texts, s->pairs, N, vectors, NULL, NULL, &err), &err);
}

static void a_long_text_is_its_windows_combined(void **state)
{
    (void)state;
    static const int64_t STRIDES[] = { 0, 1, 3, WINDOW - 2 };
    sample s = random_sample(false);
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, WINDOW);
    bert_session *plain = plain_session(model);
    for (int how = 0; how < 2; how++)
        for (size_t k = 0; k < sizeof STRIDES / sizeof *STRIDES; k++) {
            bert_session *session = windowed(model, WINDOW, STRIDES[k], how);
            float scores[N * K], vectors[N * TOY_HIDDEN];
            size_t cut = 0, start[MOST_WINDOWS], stride = STRIDES[k] ? (size_t)STRIDES[k] : (WINDOW - 2) / 2;
            assert_int_equal(bert_session_seq_len(session), WINDOW);
            run(session, &s, scores, vectors, &cut);
            assert_int_equal(cut, 0);
            for (size_t i = 0; i < N; i++) {
                bert_text windows[MOST_WINDOWS];
                size_t n = cut_windows(s.texts[i], s.letters[i], WINDOW - 2, stride, windows, start);
                check_text(plain, windows, NULL, n, how, scores + i * K, vectors + i * TOY_HIDDEN);
            }
            bert_session_free(session);
        }
    bert_session_free(plain);
    bert_model_free(model);
}

/* The first text is cut as bert_encode cuts it, and each window of the second stands behind it. */
static void of_a_pair_the_second_text_is_read_in_windows(void **state)
{
    (void)state;
    enum { FITS = WINDOW - 3, HALF = FITS / 2 };
    sample s = random_sample(true);
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, WINDOW);
    bert_session *plain = plain_session(model), *session = windowed(model, WINDOW, 0, 0);
    float scores[N * K], vectors[N * TOY_HIDDEN];
    size_t cut = 0, expected_cut = 0, start[MOST_WINDOWS];
    run(session, &s, scores, vectors, &cut);
    for (size_t i = 0; i < N; i++) {
        bert_text firsts[MOST_WINDOWS], windows[MOST_WINDOWS];
        size_t a = s.letters[i], b = s.pair_letters[i], n, size;
        if (!b) {
            n = cut_windows(s.texts[i], a, WINDOW - 2, (WINDOW - 2) / 2, firsts, start);
            check_text(plain, firsts, NULL, n, 0, scores + i * K, vectors + i * TOY_HIDDEN);
            continue;
        }
        size_t most = b <= HALF ? FITS - b : FITS - HALF, kept = a < most ? a : most;
        expected_cut += kept < a;
        size = FITS - kept;
        n = cut_windows(s.pairs[i], b, size, (size + 1) / 2, windows, start);
        for (size_t k = 0; k < n; k++)
            firsts[k] = (bert_text){ s.texts[i].data, 2 * kept };
        check_text(plain, firsts, windows, n, 0, scores + i * K, vectors + i * TOY_HIDDEN);
    }
    assert_int_equal(cut, expected_cut);
    assert_true(cut > 0);
    bert_session_free(plain);
    bert_session_free(session);
    bert_model_free(model);
}

/* Vectors of windows are combined first, then brought to length 1. */
static void combined_vectors_are_normalised(void **state)
{
    (void)state;
    bert_err err;
    sample s = random_sample(false);
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    bert_session_options options = session_options(0);
    options.window = WINDOW;
    bert_session *session = session_of(model, &options);
    options.normalize = true;
    bert_session *unit = session_of(model, &options);
    float plain[N * TOY_HIDDEN], of_unit[N * TOY_HIDDEN];
    check(bert_session_embed(session, s.texts, NULL, N, plain, NULL, NULL, &err), &err);
    check(bert_session_embed(unit, s.texts, NULL, N, of_unit, NULL, NULL, &err), &err);
    for (size_t i = 0; i < N; i++) {
        double squares = 0, expected[TOY_HIDDEN];
        for (size_t c = 0; c < TOY_HIDDEN; c++)
            squares += (double)plain[i * TOY_HIDDEN + c] * plain[i * TOY_HIDDEN + c];
        for (size_t c = 0; c < TOY_HIDDEN; c++)
            expected[c] = plain[i * TOY_HIDDEN + c] / sqrt(squares);
        assert_near(of_unit + i * TOY_HIDDEN, expected, TOY_HIDDEN);
    }
    bert_session_free(session);
    bert_session_free(unit);
    bert_model_free(model);
}

/* More windows than are run in one go, and a text that has more of them than that by itself. */
static void thousands_of_windows_are_as_few(void **state)
{
    (void)state;
    enum { LONG = 6000, SHORT = 30, STRIDE = 2 };
    bert_err err;
    random_stream r = { 61, 0, 0 };
    bert_model *model = toy_model(toy_module("module", (toy){ .layers = 1 }), BERT_POOLING_CLS, WINDOW);
    bert_session *plain = plain_session(model), *session = windowed(model, WINDOW, STRIDE, 1);
    bert_text texts[] = { toy_text(&r, SHORT), toy_text(&r, LONG), toy_text(&r, SHORT) };
    bert_text *windows = arena_alloc(&golden_memory, LONG * sizeof *windows);
    size_t *start = arena_alloc(&golden_memory, LONG * sizeof *start);
    float *p = arena_alloc(&golden_memory, LONG * K * sizeof *p), scores[3 * K];
    check(bert_session_predict(session, texts, NULL, 3, scores, NULL, &err), &err);
    for (size_t i = 0; i < 3; i++) {
        double expected[K];
        size_t n = cut_windows(texts[i], i == 1 ? LONG : SHORT, WINDOW - 2, STRIDE, windows, start);
        check(bert_session_predict(plain, windows, NULL, n, p, NULL, &err), &err);
        combine(expected, p, n, K, 1);
        assert_near(scores + i * K, expected, K);
    }
    bert_session_free(plain);
    bert_session_free(session);
    bert_model_free(model);
}

/* ---- entities ---------------------------------------------------------------------------------------------------- */

/* No tag goes on: every word that is found is an entity of its own. */
static bert_model *word_tagger(void)
{
    static const char *const TAGS[] = { "O", "B-X", "B-Y" };
    bert_head_spec head = toy_head(BERT_TASK_TOKENS, TAGS, 3);
    return toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_AUTO, WINDOW, &head);
}

/* What a word has from the window in which it stands deepest. */
typedef struct found_word {
    size_t depth;
    bool found;
    char label;
    double score;
} found_word;

static void words_of_window(bert_session *plain, bert_text window, size_t start, size_t n, bool first, bool last,
                            found_word *words)
{
    bert_err err;
    const bert_entity *e;
    size_t n_entities;
    check(bert_session_entities(plain, &window, 1, &e, &n_entities, NULL, &err), &err);
    for (size_t k = 0; k < n; k++) {
        size_t left = first ? SIZE_MAX : k + 1, right = last ? SIZE_MAX : n - k, depth = left < right ? left : right;
        if (depth <= words[start + k].depth)
            continue;
        words[start + k] = (found_word){ .depth = depth };
        for (size_t i = 0; i < n_entities; i++)
            if (e[i].byte_start == 2 * k)
                words[start + k] = (found_word){ depth, true, e[i].label[0], e[i].score };
    }
}

static void a_words_tag_is_that_of_the_window_in_which_it_stands_deepest(void **state)
{
    (void)state;
    bert_err err;
    sample s = random_sample(false);
    bert_model *model = word_tagger();
    bert_session *plain = open_session(model, WINDOW, BERT_POOLING_AUTO, false),
                 *session = windowed(model, WINDOW, 3, 0);
    const bert_entity *e;
    size_t n_entities, cut = 0, at = 0, start[MOST_WINDOWS];
    check(bert_session_entities(session, s.texts, N, &e, &n_entities, &cut, &err), &err);
    assert_int_equal(cut, 0);
    for (size_t i = 0; i < N; i++) {
        found_word words[LONGEST + 1] = { 0 };
        bert_text windows[MOST_WINDOWS];
        size_t n = cut_windows(s.texts[i], s.letters[i], WINDOW - 2, 3, windows, start);
        for (size_t k = 0; k < n; k++)
            words_of_window(plain, windows[k], start[k], windows[k].size / 2, k == 0, k + 1 == n, words);
        for (size_t k = 0; k < s.letters[i]; k++) {
            if (!words[k].found)
                continue;
            assert_true(at < n_entities && e[at].text == i && e[at].byte_start == 2 * k && e[at].byte_end == 2 * k + 1);
            assert_true(e[at].label[0] == words[k].label && e[at].score == words[k].score);
            at++;
        }
    }
    assert_int_equal(at, n_entities);
    assert_true(at > N);
    bert_session_free(plain);
    bert_session_free(session);
    bert_model_free(model);
}

/* ---- texts apart ------------------------------------------------------------------------------------------------- */

static bert_model *similarity_model(void)
{
    bert_head_spec head = toy_head(BERT_TASK_SIMILARITY, NULL, 0);
    head.label_max = 5;
    return toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_MEAN, WINDOW, &head);
}

static void similarity_is_that_of_the_combined_vectors(void **state)
{
    (void)state;
    enum { MANY = 1500 };
    bert_err err;
    sample s = random_sample(true);
    bert_model *model = similarity_model();
    bert_session *session = windowed(model, WINDOW, 0, 0);
    bert_text *texts = arena_alloc(&golden_memory, MANY * sizeof *texts),
              *pairs = arena_alloc(&golden_memory, MANY * sizeof *pairs);
    float *scores = arena_alloc(&golden_memory, MANY * sizeof *scores), a[TOY_HIDDEN], b[TOY_HIDDEN];
    for (size_t i = 0; i < MANY; i++) {
        texts[i] = s.texts[i % N];
        pairs[i] = s.pairs[i % N].size ? s.pairs[i % N] : text_of("a");
    }
    check(bert_session_predict(session, texts, pairs, MANY, scores, NULL, &err), &err);
    for (size_t i = 0; i < MANY; i++) {
        double ab = 0, aa = 0, bb = 0;
        if (i >= N) {
            assert_true(scores[i] == scores[i % N]);
            continue;
        }
        check(bert_session_embed(session, &texts[i], NULL, 1, a, NULL, NULL, &err), &err);
        check(bert_session_embed(session, &pairs[i], NULL, 1, b, NULL, NULL, &err), &err);
        for (size_t c = 0; c < TOY_HIDDEN; c++) {
            ab += (double)a[c] * b[c];
            aa += (double)a[c] * a[c];
            bb += (double)b[c] * b[c];
        }
        assert_true(fabs(scores[i] - 5 * ab / sqrt(aa * bb)) <= 1e-5);
    }
    bert_session_free(session);
    bert_model_free(model);
}

/* ---- evaluation -------------------------------------------------------------------------------------------------- */

static bert_evaluation evaluate(bert_session *session, const sample *s, bool pairs, const bert_text *labels,
                                const char *predictions)
{
    bert_err err;
    bert_dataset *d;
    bert_evaluation e;
    check(bert_dataset_create(s->texts, pairs ? s->pairs : NULL, labels, N, &d, &err), &err);
    check(bert_session_evaluate(session, d, NULL, predictions, &e, &err), &err);
    bert_dataset_free(d);
    return e;
}

/* Accuracy and loss of binary answers. */
static void judge(const float *scores, const bert_text *labels, double *accuracy, double *loss)
{
    *accuracy = *loss = 0;
    for (size_t i = 0; i < N; i++) {
        double yes = scores[2 * i + 1] / ((double)scores[2 * i] + scores[2 * i + 1]);
        bool truth = labels[i].data[0] == '1';
        *accuracy += (scores[2 * i + 1] >= 0.5f) == truth;
        *loss -= log(truth ? yes : 1 - yes);
    }
    *accuracy /= N;
    *loss /= N;
}

static void evaluation_judges_what_prediction_says_in_windows(void **state)
{
    (void)state;
    bert_err err;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, WINDOW);
    for (int pairs = 0; pairs < 2; pairs++)
        for (int how = 0; how < 2; how++) {
            sample s = random_sample(pairs);
            bert_session *session = windowed(model, WINDOW, 3, how), *cut = plain_session(model);
            float scores[2 * N];
            bert_text labels[N];
            double accuracy, loss;
            size_t truncated = 0;
            check(bert_session_predict(session, s.texts, pairs ? s.pairs : NULL, N, scores, &truncated, &err), &err);
            for (size_t i = 0; i < N; i++)
                labels[i] = text_of(i % 2 ? "1" : "0");
            bert_evaluation e = evaluate(session, &s, pairs, labels, NULL);
            judge(scores, labels, &accuracy, &loss);
            assert_true(fabs(e.metrics.accuracy - accuracy) < 1e-12 && fabs(e.metrics.loss - loss) < 1e-5);
            assert_true(e.truncated == truncated && !e.cut_words && (pairs || !truncated));
            bert_evaluation other = evaluate(cut, &s, pairs, labels, NULL);
            assert_true(other.metrics.loss != e.metrics.loss && other.truncated > 0);
            bert_session_free(session);
            bert_session_free(cut);
        }
    bert_model_free(model);
}

/* Texts that fit are judged to the same figures, but for the roundings of probabilities. */
static void windows_change_nothing_where_all_fits(void **state)
{
    (void)state;
    sample s = random_sample(false);
    bert_text labels[N];
    bert_model *model = toy_model(toy_module("module", (toy){ .positions = 80 }), BERT_POOLING_CLS, 80);
    bert_session_options options = session_options(0);
    bert_session *plain = session_of(model, &options);
    options.window = 80;
    bert_session *session = session_of(model, &options);
    for (size_t i = 0; i < N; i++)
        labels[i] = text_of(i % 3 ? "1" : "0");
    bert_evaluation a = evaluate(plain, &s, false, labels, NULL), b = evaluate(session, &s, false, labels, NULL);
    assert_true(fabs(a.metrics.loss - b.metrics.loss) < 1e-6 && a.metrics.auc == b.metrics.auc &&
                a.metrics.f1 == b.metrics.f1);
    assert_true(!a.truncated && !b.truncated);
    bert_session_free(session);
    bert_session_free(plain);
    bert_model_free(model);
}

/* The tags of n letters, which stand at even places, where these entities of one letter each are found. */
static bert_text tags_of(size_t n, const bert_entity *e, size_t n_entities)
{
    char *out = arena_alloc(&golden_memory, 4 * n + 1);
    size_t at = 0;
    for (size_t w = 0; w < n; w++) {
        const char *label = NULL;
        for (size_t i = 0; i < n_entities; i++)
            label = e[i].byte_start == 2 * w ? e[i].label : label;
        at += (size_t)snprintf(out + at, 5, label ? "%sB-%s" : "%sO", w ? " " : "", label);
    }
    return (bert_text){ out, at };
}

static void words_are_judged_by_the_window_in_which_they_stand_deepest(void **state)
{
    (void)state;
    bert_err err;
    sample s = random_sample(false);
    bert_model *model = word_tagger();
    bert_session *session = windowed(model, WINDOW, 3, 0), *cut = open_session(model, WINDOW, BERT_POOLING_AUTO, false);
    const bert_entity *e;
    size_t n, words = 0, behind = 0;
    bert_text labels[N];
    check(bert_session_entities(session, s.texts, N, &e, &n, NULL, &err), &err);
    for (size_t i = 0, at = 0; i < N; i++) {
        size_t first = at;
        while (at < n && e[at].text == i)
            at++;
        labels[i] = tags_of(s.letters[i], e + first, at - first);
        words += s.letters[i];
        behind += s.letters[i] > WINDOW - 2 ? s.letters[i] - (WINDOW - 2) : 0;
    }
    bert_evaluation all = evaluate(session, &s, false, labels, NULL);
    assert_true(all.metrics.n == words && all.metrics.f1 == 1 && all.metrics.accuracy == 1);
    assert_true(!all.truncated && !all.cut_words && all.metrics.loss > 0 && all.metrics.loss < 1);
    bert_evaluation some = evaluate(cut, &s, false, labels, NULL);
    assert_true(some.metrics.f1 < 1 && some.metrics.recall < 1 && some.truncated > 0);
    assert_int_equal(some.cut_words, behind);
    bert_session_free(session);
    bert_session_free(cut);
    bert_model_free(model);
}

static void similarity_is_judged_by_the_combined_vectors(void **state)
{
    (void)state;
    bert_err err;
    sample s = random_sample(true);
    bert_model *model = similarity_model();
    bert_session *session = windowed(model, WINDOW, 0, 0);
    float scores[N];
    bert_text labels[N];
    double mse = 0;
    for (size_t i = 0; i < N; i++) {
        s.pairs[i] = s.pairs[i].size ? s.pairs[i] : text_of("a");
        labels[i] = text_of(i % 2 ? "1" : "4");
    }
    check(bert_session_predict(session, s.texts, s.pairs, N, scores, NULL, &err), &err);
    for (size_t i = 0; i < N; i++)
        mse += (scores[i] - (i % 2 ? 1 : 4)) * (scores[i] - (i % 2 ? 1 : 4)) / N;
    bert_evaluation e = evaluate(session, &s, true, labels, NULL);
    assert_true(fabs(e.metrics.mse - mse) < 1e-6 && fabs(e.metrics.loss - mse / 25) < 1e-6);
    bert_session_free(session);
    bert_model_free(model);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void windows_that_cannot_be_are_refused(void **state)
{
    (void)state;
    bert_model *model = toy_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, WINDOW);
    bert_session *session;
    bert_text text = text_of("a");
    float vectors[8 * TOY_HIDDEN];
    size_t counts[1];
    bert_session_options o = session_options(0);
    o.window = 4;
    assert_fails(bert_session_create(model, &o, &session, err), BERT_ERR_ARGUMENT,
                 "window 4: from 5 to the module's 48 positions");
    o.window = TOY_POSITIONS + 1;
    assert_fails(bert_session_create(model, &o, &session, err), BERT_ERR_ARGUMENT,
                 "window 49: from 5 to the module's 48 positions");
    o.window = 16;
    o.stride = 15;
    assert_fails(bert_session_create(model, &o, &session, err), BERT_ERR_ARGUMENT,
                 "stride 15: a window of 16 tokens holds 14 of a text, so what stands between would not be read");
    o.window = 0;
    assert_fails(bert_session_create(model, &o, &session, err), BERT_ERR_ARGUMENT,
                 "stride 15: there are no windows (window)");
    o.window = 16;
    o.stride = 14;
    o.pooling = BERT_POOLING_NONE;
    session = session_of(model, &o);
    assert_fails(bert_session_embed(session, &text, NULL, 1, vectors, counts, NULL, err), BERT_ERR_ARGUMENT,
                 "pooling none gives a vector a token: it is not read in windows; take another pooling");
    bert_session_free(session);
    bert_model_free(model);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_long_text_is_its_windows_combined),
        in_a_folder(of_a_pair_the_second_text_is_read_in_windows),
        in_a_folder(combined_vectors_are_normalised),
        in_a_folder(thousands_of_windows_are_as_few),
        in_a_folder(a_words_tag_is_that_of_the_window_in_which_it_stands_deepest),
        in_a_folder(similarity_is_that_of_the_combined_vectors),
        in_a_folder(evaluation_judges_what_prediction_says_in_windows),
        in_a_folder(windows_change_nothing_where_all_fits),
        in_a_folder(words_are_judged_by_the_window_in_which_they_stand_deepest),
        in_a_folder(similarity_is_judged_by_the_combined_vectors),
        in_a_folder(windows_that_cannot_be_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
