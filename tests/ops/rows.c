/* Embeddings, pooling, Adam, sums of squares and addition against plain loops in double. */
#include "check.h"

#include "base/bf16.h"
#include "ops/dense_pack.h"

static const size_t WIDTHS[] = { 1, 3, 12, 20, 64, 100, 384 };
enum { N_WIDTHS = sizeof WIDTHS / sizeof *WIDTHS };

/* ---- embeddings -------------------------------------------------------------------------------------------------- */

enum { WORDS = 30, POSITIONS = 16, TYPES = 2, TOKENS = 75 };

typedef struct embedding {
    size_t H;
    float *word, *position, *type, *dy; /* (WORDS, H), (POSITIONS, H), (TYPES, H), (TOKENS, H) */
    int32_t ids[TOKENS], positions[TOKENS], segments[TOKENS];
} embedding;

static embedding embedding_make(size_t H)
{
    random_stream r = { .seed = H };
    embedding t = { .H = H };
    t.word = random_floats(&r, WORDS * H, 1);
    t.position = random_floats(&r, POSITIONS * H, 1);
    t.type = random_floats(&r, TYPES * H, 1);
    t.dy = random_floats(&r, TOKENS * H, 1);
    for (size_t i = 0; i < TOKENS; i++) {
        t.ids[i] = (int32_t)random_below(&r, WORDS);
        t.positions[i] = (int32_t)random_below(&r, POSITIONS);
        t.segments[i] = (int32_t)random_below(&r, TYPES);
    }
    return t;
}

static void embedding_free(embedding *t)
{
    free(t->word);
    free(t->position);
    free(t->type);
    free(t->dy);
}

/* rows (count, H) as a table of a precision, in memory of its exact size */
/* owned: what free takes back, rows and scales. */
static embedding_table table_make(void *owned[2], const float *rows, size_t count, size_t H, weight_storage stored)
{
    embedding_table t = { .stored = stored };
    float *scale = stored == STORED_INT8 ? floats(count) : NULL;
    if (stored == STORED_FP32)
        owned[0] = copy_floats(rows, count * H);
    else
        owned[0] = room(count * H, stored == STORED_BF16 ? sizeof(uint16_t) : 1);
    for (size_t i = 0; stored == STORED_BF16 && i < count * H; i++)
        ((uint16_t *)owned[0])[i] = bf16_of(rows[i]);
    for (size_t r = 0; scale && r < count; r++)
        scale[r] = embedding_quantise((int8_t *)owned[0] + r * H, rows + r * H, H);
    t.rows = owned[0];
    owned[1] = scale;
    t.scale = scale;
    return t;
}

static const weight_storage TABLE_FORMS[] = { STORED_FP32, STORED_BF16, STORED_INT8 };

static void embeddings_are_sums_of_three_rows(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t w = 0; w < 3 * N_WIDTHS; w++) {
        size_t H = WIDTHS[w / 3];
        embedding t = embedding_make(H);
        float *y = floats(TOKENS * H), *rows[3] = { floats(H), floats(H), floats(H) };
        double *want = doubles(TOKENS * H);
        void *owned[3][2];
        embedding_tables tables = { .hidden = H,
                                    .word = table_make(owned[0], t.word, WORDS, H, TABLE_FORMS[w % 3]),
                                    .position = table_make(owned[1], t.position, POSITIONS, H,
                                                           TABLE_FORMS[(w + w / 3) % 3]),
                                    .token_type = table_make(owned[2], t.type, TYPES, H, TABLE_FORMS[w % 3]) };
        for (size_t i = 0; i < TOKENS; i++) {
            embedding_row(rows[0], &tables.word, H, (size_t)t.ids[i]);
            embedding_row(rows[1], &tables.position, H, (size_t)t.positions[i]);
            embedding_row(rows[2], &tables.token_type, H, (size_t)t.segments[i]);
            for (size_t c = 0; c < H; c++)
                want[i * H + c] = (double)rows[0][c] + rows[1][c] + rows[2][c];
        }
        o->embed_forward(y, &tables, t.ids, t.positions, t.segments, TOKENS);
        assert_close(o, "y", y, want, TOKENS * H, 2e-7);
        for (size_t i = 0; i < 3; i++) {
            free(rows[i]);
            free(owned[i][0]);
            free(owned[i][1]);
        }
        free(y);
        free(want);
        embedding_free(&t);
    }
}

/* fp32 exactly; bf16 to eight binary digits; int8 to half a step of the row's scale, but for what is cut off above
 * it. */
static void a_row_of_a_table_is_the_row_that_was_put_there(void **state)
{
    (void)state;
    enum { H = 200, ROWS = 20 };
    random_stream r = { .seed = 3 };
    float *rows = random_floats(&r, ROWS * H, 1), got[H];
    for (size_t f = 0; f < 3; f++) {
        void *owned[2];
        embedding_table t = table_make(owned, rows, ROWS, H, TABLE_FORMS[f]);
        for (size_t i = 0; i < ROWS; i++) {
            embedding_row(got, &t, H, i);
            for (size_t c = 0; c < H; c++) {
                float x = rows[i * H + c], error = fabsf(got[c] - x);
                float most = TABLE_FORMS[f] == STORED_INT8 ? 127 * t.scale[i] : INFINITY;
                float allowed = TABLE_FORMS[f] == STORED_FP32   ? 0
                                : TABLE_FORMS[f] == STORED_BF16 ? fabsf(x) * 0x1p-8f
                                                                : 0.50001f * t.scale[i];
                if (fabsf(x) > most) /* cut off */
                    assert_true(fabsf(got[c]) == most && got[c] * x > 0);
                else if (error > allowed)
                    fail_msg("form %zu: row %zu, %zu is %.9g, should be %.9g", f, i, c, (double)got[c], (double)x);
            }
        }
        free(owned[0]);
        free(owned[1]);
    }
    free(rows);
}

static void rows_of_zeros_and_of_no_numbers_have_an_int8_form(void **state)
{
    (void)state;
    int8_t q[3] = { 1, 1, 1 };
    assert_true(embedding_quantise(q, (float[]){ 0, 0, 0 }, 3) == 0);
    assert_true(q[0] == 0 && q[1] == 0 && q[2] == 0);
    assert_true(isnan(embedding_quantise(q, (float[]){ 1, INFINITY, 0 }, 3)));
    assert_true(isnan(embedding_quantise(q, (float[]){ NAN, 1, 0 }, 3)));
    assert_true(embedding_quantise(q, (float[]){ 0x1p-140f, 0, 0 }, 3) == 0);
    float scale = embedding_quantise(q, (float[]){ -254, 254, 2 }, 3);
    assert_true(scale == 2 && q[0] == -127 && q[1] == 127 && q[2] == 1);
}

/* table (rows, H) + the rows of dy at their indices */
static double *scattered(const float *table, const int32_t *index, const float *dy, size_t rows, size_t H)
{
    double *want = to_doubles(table, rows * H);
    for (size_t i = 0; i < TOKENS; i++)
        for (size_t c = 0; c < H; c++)
            want[(size_t)index[i] * H + c] += dy[i * H + c];
    return want;
}

static void embedding_gradients_are_added_to_the_rows_that_were_read(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t w = 0; w < N_WIDTHS; w++) {
        size_t H = WIDTHS[w];
        embedding t = embedding_make(H);
        double *word = scattered(t.word, t.ids, t.dy, WORDS, H),
               *position = scattered(t.position, t.positions, t.dy, POSITIONS, H);
        double *type = scattered(t.type, t.segments, t.dy, TYPES, H);
        o->embed_backward(t.word, NULL, t.type, t.dy, t.ids, t.positions, t.segments, H, TOKENS);
        o->embed_backward(NULL, t.position, NULL, t.dy, t.ids, t.positions, t.segments, H, TOKENS);
        assert_close(o, "dword", t.word, word, WORDS * H, 4e-6);
        assert_close(o, "dposition", t.position, position, POSITIONS * H, 4e-6);
        assert_close(o, "dtoken_type", t.type, type, TYPES * H, 4e-6);
        free(word);
        free(position);
        free(type);
        embedding_free(&t);
    }
}

/* The gradients of many tokens' outputs, by the words alone. */
typedef struct word_gradients {
    size_t n, H;
    float *dy;
    int32_t *ids;
} word_gradients;

static float *add_word_gradients(const ops *o, const void *subject, size_t *size)
{
    const word_gradients *g = subject;
    *size = WORDS * g->H;
    float *dword = floats(*size);
    o->embed_backward(dword, NULL, NULL, g->dy, g->ids, NULL, NULL, g->H, g->n);
    return dword;
}

static void embedding_gradients_do_not_depend_on_threads(void **state)
{
    (void)state;
    random_stream r = { .seed = 1 };
    word_gradients g = { .n = 3000, .H = 384 };
    g.dy = random_floats(&r, g.n * g.H, 1);
    g.ids = room(g.n, sizeof *g.ids);
    for (size_t i = 0; i < g.n; i++)
        g.ids[i] = (int32_t)random_below(&r, WORDS);
    FOR_EACH_ISA(o)
    assert_bits_of_threads(o, add_word_gradients, &g);
    free(g.dy);
    free(g.ids);
}

/* ---- pooling ----------------------------------------------------------------------------------------------------- */

static const pool_kind KINDS[] = { POOL_FIRST, POOL_MEAN, POOL_SQRT_MEAN, POOL_MAX };
enum { N_KINDS = 4, N_SEQUENCES = 5 };
static const int32_t STARTS[N_SEQUENCES + 1] = { 0, 1, 4, 20, 33, 100 };

/* y (C) from x (T, C) */
static void pool(double *y, const double *x, size_t T, size_t C, pool_kind kind)
{
    for (size_t c = 0; c < C; c++) {
        double most = -INFINITY, sum = 0;
        for (size_t i = 0; i < T; i++) {
            most = fmax(most, x[i * C + c]);
            sum += x[i * C + c];
        }
        y[c] = kind == POOL_FIRST       ? x[c]
               : kind == POOL_MEAN      ? sum / (double)T
               : kind == POOL_SQRT_MEAN ? sum / sqrt((double)T)
                                        : most;
    }
}

static void pool_backward(double *dx, const double *dy, const double *x, size_t T, size_t C, pool_kind kind)
{
    for (size_t c = 0; c < C; c++) {
        size_t most = 0;
        for (size_t i = 0; i < T; i++) {
            most = x[i * C + c] > x[most * C + c] ? i : most;
            dx[i * C + c] = kind == POOL_MEAN        ? dy[c] / (double)T
                            : kind == POOL_SQRT_MEAN ? dy[c] / sqrt((double)T)
                                                     : 0;
        }
        if (kind == POOL_FIRST || kind == POOL_MAX)
            dx[(kind == POOL_MAX ? most : 0) * C + c] = dy[c];
    }
}

static void pooling_and_its_backward_match_plain_loops(void **state)
{
    (void)state;
    ragged sequences = { N_SEQUENCES, STARTS };
    size_t n = (size_t)STARTS[N_SEQUENCES];
    FOR_EACH_ISA(o)
    for (size_t w = 0; w < N_WIDTHS * N_KINDS; w++) {
        size_t C = WIDTHS[w / N_KINDS];
        pool_kind kind = KINDS[w % N_KINDS];
        random_stream r = { .seed = w };
        float *x = random_floats(&r, n * C, 1), *dy = random_floats(&r, N_SEQUENCES * C, 1),
              *y = floats(N_SEQUENCES * C), *dx = floats(n * C);
        for (size_t c = 0; c < C; c++)
            x[25 * C + c] = x[22 * C + c] = 5; /* equal maxima: the first gets the gradient */
        double *x64 = to_doubles(x, n * C), *dy64 = to_doubles(dy, N_SEQUENCES * C), *want = doubles(N_SEQUENCES * C),
               *dwant = doubles(n * C);
        for (size_t s = 0; s < N_SEQUENCES; s++) {
            size_t first = (size_t)STARTS[s], T = (size_t)STARTS[s + 1] - first;
            pool(want + s * C, x64 + first * C, T, C, kind);
            pool_backward(dwant + first * C, dy64 + s * C, x64 + first * C, T, C, kind);
        }
        o->pool_forward(y, x, sequences, C, kind);
        assert_close(o, "y", y, want, N_SEQUENCES * C, 2e-6);
        bool max = kind == POOL_MAX;
        o->pool_backward(dx, dy, max ? y : NULL, max ? x : NULL, sequences, C, kind);
        assert_close(o, "dx", dx, dwant, n * C, 2e-7);
        free(x);
        free(dy);
        free(y);
        free(dx);
        free(x64);
        free(dy64);
        free(want);
        free(dwant);
    }
}

typedef struct pooled {
    double x[6 * 3], dy[3];
    pool_kind kind;
} pooled;

static double pool_loss(void *context)
{
    pooled *t = context;
    double y[3], loss = 0;
    pool(y, t->x, 6, 3, t->kind);
    for (size_t c = 0; c < 3; c++)
        loss += t->dy[c] * y[c];
    return loss;
}

static void the_references_pool_gradients_are_those_of_differences(void **state)
{
    (void)state;
    random_stream r = { .seed = 1 };
    for (size_t k = 0; k < N_KINDS; k++) {
        pooled t = { .kind = KINDS[k] };
        double dx[6 * 3];
        for (size_t i = 0; i < 18; i++)
            t.x[i] = random_normal(&r);
        for (size_t c = 0; c < 3; c++)
            t.dy[c] = random_normal(&r);
        pool_backward(dx, t.dy, t.x, 6, 3, t.kind);
        assert_gradient("pooling's dx", pool_loss, &t, t.x, dx, 18);
    }
}

static void a_sequence_is_pooled_to_the_same_bits_alone(void **state)
{
    (void)state;
    enum { C = 384 };
    size_t n = (size_t)STARTS[N_SEQUENCES];
    random_stream r = { .seed = 1 };
    float *x = random_floats(&r, n * C, 1), *y = floats(N_SEQUENCES * C), alone[C];
    FOR_EACH_ISA(o)
    for (size_t k = 0; k < N_KINDS; k++)
        for (int threads = 1; threads <= MOST_THREADS; threads++) {
            threads_allow((size_t)threads);
            o->pool_forward(y, x, (ragged){ N_SEQUENCES, STARTS }, C, KINDS[k]);
            for (size_t s = 0; s < N_SEQUENCES; s++) {
                int32_t start[2] = { 0, STARTS[s + 1] - STARTS[s] };
                o->pool_forward(alone, x + (size_t)STARTS[s] * C, (ragged){ 1, start }, C, KINDS[k]);
                assert_same_bits(o, "y", alone, y + s * C, C);
            }
        }
    free(x);
    free(y);
}

/* ---- the optimiser, addition ------------------------------------------------------------------------------------- */

static const size_t COUNTS[] = { 0, 1, 7, 16, 33, 1000, 100003 };
enum { N_COUNTS = sizeof COUNTS / sizeof *COUNTS };

/* A weight tensor with what Adam keeps of it. */
typedef struct tuned {
    size_t n;
    float *w, *m, *v, *g;
} tuned;

static tuned tuned_make(size_t n)
{
    random_stream r = { .seed = n };
    tuned t = { n, random_floats(&r, n, 1), random_floats(&r, n, 0.1f), random_floats(&r, n, 0.1f),
                random_floats(&r, n, 1) };
    for (size_t i = 0; i < n; i++)
        t.v[i] = fabsf(t.v[i]);
    return t;
}

static void tuned_free(tuned *t)
{
    free(t->w);
    free(t->m);
    free(t->v);
    free(t->g);
}

static void adam_steps_as_written(void **state)
{
    (void)state;
    static const adam_coefficients cases[] = { { 1e-3f, 0.9f, 0.999f, 1e-7f, 1, 1 },
                                               { 3e-2f, 0.8f, 0.99f, 1e-6f, 0.97f, 0.25f } };
    FOR_EACH_ISA(o)
    for (size_t k = 0; k < 2 * N_COUNTS; k++) {
        const adam_coefficients *c = &cases[k % 2];
        size_t n = COUNTS[k / 2];
        tuned t = tuned_make(n);
        double *want = doubles(n), *m64 = doubles(n), *v64 = doubles(n);
        for (size_t i = 0; i < n; i++) {
            double g = (double)c->grad_scale * t.g[i];
            m64[i] = (double)c->beta_1 * t.m[i] + (1 - c->beta_1) * g;
            v64[i] = (double)c->beta_2 * t.v[i] + (1 - c->beta_2) * g * g;
            want[i] = (double)c->keep * t.w[i] - c->rate * m64[i] / (sqrt(v64[i]) + c->epsilon);
        }
        o->adam_step(t.w, t.m, t.v, t.g, c, n);
        assert_close(o, "w", t.w, want, n, 1e-7);
        assert_close(o, "m", t.m, m64, n, 2e-7);
        assert_close(o, "v", t.v, v64, n, 2e-7);
        for (size_t i = 0; i < n; i++)
            assert_true(t.g[i] == 0);
        free(want);
        free(m64);
        free(v64);
        tuned_free(&t);
    }
}

/* Without decay and scaling, each number is rounded where Keras' form of the step says, and nowhere else. */
static void adam_without_decay_and_scaling_has_the_bits_of_keras_form(void **state)
{
    (void)state;
    const adam_coefficients c = { 1e-3f, 0.9f, 0.999f, 1e-7f, 1, 1 };
    FOR_EACH_ISA(o)
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        tuned t = tuned_make(200001);
        float *want = floats(t.n);
        for (size_t i = 0; i < t.n; i++) {
            volatile float kept_m = c.beta_1 * t.m[i], kept_v = c.beta_2 * t.v[i], new_g = (1.0f - c.beta_2) * t.g[i];
            volatile float m = fmaf(1.0f - c.beta_1, t.g[i], kept_m), v = fmaf(new_g, t.g[i], kept_v);
            volatile float up = c.rate * m, down = sqrtf(v) + c.epsilon, change = up / down;
            want[i] = t.w[i] - change;
        }
        threads_allow((size_t)threads);
        o->adam_step(t.w, t.m, t.v, t.g, &c, t.n);
        assert_same_bits(o, "w", t.w, want, t.n);
        free(want);
        tuned_free(&t);
    }
}

static void squares_are_summed_in_double(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t k = 0; k < N_COUNTS; k++) {
        random_stream r = { .seed = k };
        float *x = random_floats(&r, COUNTS[k], 1);
        long double want = 0;
        for (size_t i = 0; i < COUNTS[k]; i++)
            want += (long double)x[i] * x[i];
        double got = o->sum_squares(x, COUNTS[k]);
        if (!(fabsl(got - want) <= 1e-15L * want))
            fail_msg("%s: the squares of %zu numbers: %.17g, should be %.17Lg", o->name, COUNTS[k], got, want);
        free(x);
    }
}

static void squares_beyond_a_float_are_summed(void **state)
{
    (void)state;
    float x[3] = { 1e30f, 1e-30f, 1e30f };
    FOR_EACH_ISA(o)
    assert_true(o->sum_squares(x, 3) == 2.0 * ((double)x[0] * x[0]));
}

static void a_sum_of_squares_has_the_same_bits_on_any_threads_and_instructions(void **state)
{
    (void)state;
    enum { N = 1000003 };
    random_stream r = { .seed = 1 };
    float *x = random_floats(&r, N, 1);
    double first = ops_named(ops_available()[0])->sum_squares(x, N);
    FOR_EACH_ISA(o)
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        threads_allow((size_t)threads);
        assert_true(o->sum_squares(x, N) == first);
    }
    free(x);
}

static void add_adds(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t n = 0; n < 200000; n = n * 3 + 1) {
        random_stream r = { .seed = n };
        float *x = random_floats(&r, n, 1), *y = random_floats(&r, n, 1), *want = floats(n);
        for (size_t i = 0; i < n; i++)
            want[i] = y[i] + x[i];
        o->add(y, x, n);
        assert_same_bits(o, "y", y, want, n);
        free(x);
        free(y);
        free(want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embeddings_are_sums_of_three_rows),
        cmocka_unit_test(a_row_of_a_table_is_the_row_that_was_put_there),
        cmocka_unit_test(rows_of_zeros_and_of_no_numbers_have_an_int8_form),
        cmocka_unit_test(embedding_gradients_are_added_to_the_rows_that_were_read),
        cmocka_unit_test(embedding_gradients_do_not_depend_on_threads),
        cmocka_unit_test(pooling_and_its_backward_match_plain_loops),
        cmocka_unit_test(the_references_pool_gradients_are_those_of_differences),
        cmocka_unit_test(a_sequence_is_pooled_to_the_same_bits_alone),
        cmocka_unit_test(adam_steps_as_written),
        cmocka_unit_test(adam_without_decay_and_scaling_has_the_bits_of_keras_form),
        cmocka_unit_test(squares_are_summed_in_double),
        cmocka_unit_test(squares_beyond_a_float_are_summed),
        cmocka_unit_test(a_sum_of_squares_has_the_same_bits_on_any_threads_and_instructions),
        cmocka_unit_test(add_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
