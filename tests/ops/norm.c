/* Dropout, residual and layer norm against a plain version in double. */
#include "check.h"

#include "ops/dropout.h"

/* One row: s = x * factor + residual, y = (s - mean) / sqrt(var + eps) * gamma + beta. */
static void norm_row(double *y, double *s, double *mean, double *rstd, const double *x, const double *factor,
                     const double *residual, const double *gamma, const double *beta, double eps, size_t C)
{
    double m = 0, var = 0;
    for (size_t c = 0; c < C; c++) {
        s[c] = x[c] * factor[c] + residual[c];
        m += s[c] / (double)C;
    }
    for (size_t c = 0; c < C; c++)
        var += (s[c] - m) * (s[c] - m) / (double)C;
    *mean = m;
    *rstd = 1 / sqrt(var + eps);
    for (size_t c = 0; c < C; c++)
        y[c] = (s[c] - m) * *rstd * gamma[c] + beta[c];
}

static void norm_row_backward(double *ds, double *dgamma, double *dbeta, const double *dy, const double *s, double mean,
                              double rstd, const double *gamma, size_t C)
{
    double g_mean = 0, gh_mean = 0;
    for (size_t c = 0; c < C; c++) {
        double h = (s[c] - mean) * rstd;
        g_mean += dy[c] * gamma[c] / (double)C;
        gh_mean += dy[c] * gamma[c] * h / (double)C;
        dgamma[c] += dy[c] * h;
        dbeta[c] += dy[c];
    }
    for (size_t c = 0; c < C; c++)
        ds[c] = rstd * (dy[c] * gamma[c] - g_mean - (s[c] - mean) * rstd * gh_mean);
}

/* All inputs of a layer norm over (n, C), and all outputs of the reference. */
typedef struct norm {
    size_t n, C;
    float eps;
    dropout drop;
    float *x, *residual, *gamma, *beta, *dy;
    double *dx64, *residual64, *gamma64, *beta64, *x64, *dy64, *factor, *y, *s, *mean, *rstd, *ds, *dgamma, *dbeta;
} norm;

static void norm_forward(norm *t)
{
    for (size_t i = 0; i < t->n; i++) {
        size_t at = i * t->C;
        norm_row(t->y + at, t->s + at, t->mean + i, t->rstd + i, t->x64 + at, t->factor + at, t->residual64 + at,
                 t->gamma64, t->beta64, t->eps, t->C);
    }
}

static norm norm_make(size_t n, size_t C, bool residual, float rate, uint64_t seed)
{
    random_stream r = { .seed = seed };
    norm t = {
        .n = n, .C = C, .eps = 1e-5f, .drop = { .seed = seed, .step = 3 + (seed << 33), .site = 7, .rate = rate }
    };
    t.x = random_floats(&r, n * C, 2);
    t.residual = residual ? random_floats(&r, n * C, 1) : NULL;
    t.gamma = random_floats(&r, C, 1);
    t.beta = random_floats(&r, C, 1);
    t.dy = random_floats(&r, n * C, 1);
    t.x64 = to_doubles(t.x, n * C);
    t.residual64 = residual ? to_doubles(t.residual, n * C) : doubles(n * C);
    t.gamma64 = to_doubles(t.gamma, C);
    t.beta64 = to_doubles(t.beta, C);
    t.dy64 = to_doubles(t.dy, n * C);
    t.factor = doubles(n * C);
    t.y = doubles(n * C);
    t.s = doubles(n * C);
    t.mean = doubles(n);
    t.rstd = doubles(n);
    t.ds = doubles(n * C);
    t.dx64 = doubles(n * C);
    t.dgamma = doubles(C);
    t.dbeta = doubles(C);
    dropout_mask m = dropout_start(t.drop);
    for (size_t i = 0; i < n * C; i++)
        t.factor[i] = rate == 0 ? 1 : dropout_keeps(&m, i) ? 1.0 / (1.0 - rate) : 0;
    norm_forward(&t);
    for (size_t i = 0; i < n; i++)
        norm_row_backward(t.ds + i * C, t.dgamma, t.dbeta, t.dy64 + i * C, t.s + i * C, t.mean[i], t.rstd[i], t.gamma64,
                          C);
    for (size_t i = 0; i < n * C; i++)
        t.dx64[i] = t.ds[i] * t.factor[i];
    return t;
}

static void norm_free(norm *t)
{
    float *f[] = { t->x, t->residual, t->gamma, t->beta, t->dy };
    double *d[] = { t->dx64, t->residual64, t->gamma64, t->beta64, t->x64, t->dy64,   t->factor,
                    t->y,    t->s,          t->mean,    t->rstd,   t->ds,  t->dgamma, t->dbeta };
    for (size_t i = 0; i < sizeof f / sizeof *f; i++)
        free(f[i]);
    for (size_t i = 0; i < sizeof d / sizeof *d; i++)
        free(d[i]);
}

static const size_t WIDTHS[] = { 2, 3, 12, 20, 31, 64, 384, 1000 };
enum { N_CASES = 32 };

/* Every width, with and without residual, with and without dropout. */
static norm norm_case(size_t i)
{
    return norm_make(1 + i * 5 % 23, WIDTHS[i / 4], i & 1, i & 2 ? 0.25f : 0, i);
}

static void layer_norm_forward_matches_plain_loops(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t i = 0; i < N_CASES; i++) {
        norm t = norm_case(i);
        size_t count = t.n * t.C;
        float *y = floats(count), *s = floats(count), *mean = floats(t.n), *rstd = floats(t.n), *alone = floats(count);
        o->layer_norm_forward(y, s, mean, rstd, t.x, t.residual, t.gamma, t.beta, t.eps, t.drop, t.n, t.C);
        /* two or three values may lie close to each other */
        assert_close(o, "y", y, t.y, count, t.C < 4 ? 1e-4 : 1e-5);
        assert_close(o, "sum", s, t.s, count, 1e-6);
        assert_close(o, "mean", mean, t.mean, t.n, 1e-6);
        assert_close(o, "rstd", rstd, t.rstd, t.n, t.C < 4 ? 1e-4 : 1e-5);
        o->layer_norm_forward(alone, NULL, NULL, NULL, t.x, t.residual, t.gamma, t.beta, t.eps, t.drop, t.n, t.C);
        assert_same_bits(o, "y, nothing kept", alone, y, count);
        free(y);
        free(s);
        free(mean);
        free(rstd);
        free(alone);
        norm_free(&t);
    }
}

static void layer_norm_forward_works_in_place(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t i = 0; i < N_CASES; i++) {
        norm t = norm_case(i);
        size_t count = t.n * t.C;
        float *y = floats(count), *x = copy_floats(t.x, count), *sum = floats(count), *kept = copy_floats(t.x, count);
        o->layer_norm_forward(y, sum, NULL, NULL, t.x, t.residual, t.gamma, t.beta, t.eps, t.drop, t.n, t.C);
        o->layer_norm_forward(x, NULL, NULL, NULL, x, t.residual, t.gamma, t.beta, t.eps, t.drop, t.n, t.C);
        assert_same_bits(o, "y over x", x, y, count);
        o->layer_norm_forward(x, kept, NULL, NULL, kept, t.residual, t.gamma, t.beta, t.eps, t.drop, t.n, t.C);
        assert_same_bits(o, "y, sum over x", x, y, count);
        assert_same_bits(o, "sum over x", kept, sum, count);
        if (t.residual) {
            o->layer_norm_forward(t.residual, NULL, NULL, NULL, t.x, t.residual, t.gamma, t.beta, t.eps, t.drop, t.n,
                                  t.C);
            assert_same_bits(o, "y over the residual", t.residual, y, count);
        }
        free(y);
        free(x);
        free(sum);
        free(kept);
        norm_free(&t);
    }
}

/* No bias is a bias of zeros, to the bit. */
static void a_layer_norm_may_have_no_bias(void **state)
{
    (void)state;
    static const size_t widths[] = { 1, 24, 100, 384 };
    for (size_t i = 0; i < 4; i++) {
        random_stream r = { .seed = i };
        size_t n = 7, C = widths[i];
        float *x = random_floats(&r, n * C, 2), *gamma = random_floats(&r, C, 1), *zeros = floats(C);
        float *y = floats(n * C), *expected = floats(n * C);
        FOR_EACH_ISA(o)
        {
            o->layer_norm_forward(expected, NULL, NULL, NULL, x, NULL, gamma, zeros, 1e-5f, (dropout){ 0 }, n, C);
            o->layer_norm_forward(y, NULL, NULL, NULL, x, NULL, gamma, NULL, 1e-5f, (dropout){ 0 }, n, C);
            assert_same_bits(o, "y", y, expected, n * C);
        }
        float *all[] = { x, gamma, zeros, y, expected };
        for (size_t k = 0; k < 5; k++)
            free(all[k]);
    }
}

static void layer_norm_keeps_its_digits_far_from_zero(void **state)
{
    (void)state;
    norm t = norm_make(5, 384, false, 0, 3);
    for (size_t i = 0; i < t.n * t.C; i++) {
        t.x[i] = 1000.0f + t.x[i];
        t.x64[i] = t.x[i];
    }
    norm_forward(&t);
    float *y = floats(t.n * t.C);
    FOR_EACH_ISA(o)
    {
        o->layer_norm_forward(y, NULL, NULL, NULL, t.x, NULL, t.gamma, t.beta, t.eps, t.drop, t.n, t.C);
        assert_close(o, "y", y, t.y, t.n * t.C, 3e-4); /* the mean alone is rounded to 6e-5 there */
    }
    free(y);
    norm_free(&t);
}

static void layer_norm_backward_matches_plain_loops(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t i = 8; i < N_CASES; i++) { /* rows of two or three values have no digits to compare */
        norm t = norm_case(i);
        size_t count = t.n * t.C;
        float *y = floats(count), *s = floats(count), *mean = floats(t.n), *rstd = floats(t.n);
        float *ds = floats(count), *dx = floats(count), *dgamma = floats(t.C), *dbeta = floats(t.C);
        o->layer_norm_forward(y, s, mean, rstd, t.x, t.residual, t.gamma, t.beta, t.eps, t.drop, t.n, t.C);
        o->layer_norm_backward(ds, dx, dgamma, dbeta, t.dy, s, mean, rstd, t.gamma, t.drop, t.n, t.C);
        assert_close(o, "dsum", ds, t.ds, count, 1e-5);
        assert_close(o, "dx", dx, t.dx64, count, 1e-5);
        assert_close(o, "dgamma", dgamma, t.dgamma, t.C, 1e-5);
        assert_close(o, "dbeta", dbeta, t.dbeta, t.C, 1e-5);
        float *over = copy_floats(t.dy, count), *twice = copy_floats(dgamma, t.C);
        o->layer_norm_backward(over, NULL, twice, NULL, over, s, mean, rstd, t.gamma, t.drop, t.n, t.C);
        assert_same_bits(o, "dsum over dy", over, ds, count);
        for (size_t c = 0; c < t.C; c++)
            t.dgamma[c] *= 2;
        assert_close(o, "dgamma, added twice", twice, t.dgamma, t.C, 1e-5);
        float *freed[] = { y, s, mean, rstd, ds, dx, dgamma, dbeta, over, twice };
        for (size_t k = 0; k < sizeof freed / sizeof *freed; k++)
            free(freed[k]);
        norm_free(&t);
    }
}

/* sum of dy * y */
static double norm_loss(void *context)
{
    norm *t = context;
    double loss = 0;
    norm_forward(t);
    for (size_t i = 0; i < t->n * t->C; i++)
        loss += t->dy64[i] * t->y[i];
    return loss;
}

static void the_references_gradients_are_those_of_differences(void **state)
{
    (void)state;
    for (size_t i = 8; i < 20; i++) {
        norm t = norm_case(i);
        assert_gradient("dx", norm_loss, &t, t.x64, t.dx64, t.n * t.C);
        assert_gradient("dresidual", norm_loss, &t, t.residual64, t.ds, t.n * t.C);
        assert_gradient("dgamma", norm_loss, &t, t.gamma64, t.dgamma, t.C);
        assert_gradient("dbeta", norm_loss, &t, t.beta64, t.dbeta, t.C);
        norm_free(&t);
    }
}

/* y, sum, dsum, dgamma of rows first .. first + n */
static float *norm_products(const ops *o, const norm *t, size_t first, size_t n, size_t *size)
{
    size_t at = first * t->C, count = n * t->C;
    *size = 3 * count + 2 * t->C;
    float *all = floats(*size + 2 * n), *y = all, *s = y + count, *ds = s + count, *dgamma = ds + count,
          *dbeta = dgamma + t->C, *mean = dbeta + t->C;
    o->layer_norm_forward(y, s, mean, mean + n, t->x + at, t->residual + at, t->gamma, t->beta, t->eps, t->drop, n,
                          t->C);
    o->layer_norm_backward(ds, NULL, dgamma, dbeta, t->dy + at, s, mean, mean + n, t->gamma, t->drop, n, t->C);
    return all;
}

static float *all_norm_products(const ops *o, const void *subject, size_t *size)
{
    const norm *t = subject;
    return norm_products(o, t, 0, t->n, size);
}

static void bits_do_not_depend_on_threads_or_other_rows(void **state)
{
    (void)state;
    norm t = norm_make(300, 384, true, 0, 1), dropped = norm_make(300, 100, true, 0.1f, 1);
    FOR_EACH_ISA(o)
    {
        size_t size;
        assert_bits_of_threads(o, all_norm_products, &t);
        assert_bits_of_threads(o, all_norm_products, &dropped);
        float *all = norm_products(o, &t, 0, t.n, &size);
        for (size_t first = 0; first < t.n; first += 37) {
            float *row = norm_products(o, &t, first, 1, &size);
            assert_same_bits(o, "y of one row alone", row, all + first * t.C, t.C);
            free(row);
        }
        free(all);
    }
    norm_free(&t);
    norm_free(&dropped);
}

/* ---- dropout ----------------------------------------------------------------------------------------------------- */

/* The definition of dropout.h, through base/random.h, with the numbers that it must give written out. */
static void masks_are_what_the_header_says(void **state)
{
    (void)state;
    enum { N = 1000 };
    dropout d = { .seed = 0x1234567890abcdefu, .step = 0x500000007u, .site = 42, .rate = 0.3f };
    float one[N], y[N];
    for (size_t i = 0; i < N; i++)
        one[i] = 1;
    static const uint64_t firsts[] = { 0, 1, 2, 3, 5, 1003, (1ull << 34) - 17, 0x123456789abcdu };
    FOR_EACH_ISA(o)
    for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++)
        for (size_t n = 0; n <= N; n = n < 70 ? n + 1 : n * 2 + 3) {
            memset(y, 0xff, sizeof y);
            o->dropout_apply(y, one, d, firsts[f], n);
            for (size_t i = 0; i < n; i++) {
                uint64_t e = firsts[f] + i, block = e >> 2;
                uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32) ^ 0x00050000u, 42, 7 }, word[4];
                uint32_t key[2] = { 0x90abcdefu, 0x12345678u ^ 0x44524f50u };
                philox4x32(word, counter, key);
                assert_true(y[i] == (word[e & 3] >= ceil(0.3f * 0x1p32) ? 1.0f / (1.0f - 0.3f) : 0.0f));
            }
            assert_true(n == N || isnan(y[n]));
        }
}

static void known_masks_stay_as_they_are(void **state)
{
    (void)state;
    static const char kept[] = "1101010110010010110111010111101010101010111101100111111100011001";
    float one[64], y[64];
    char got[65] = "";
    for (size_t i = 0; i < 64; i++)
        one[i] = 1;
    FOR_EACH_ISA(o)
    {
        o->dropout_apply(y, one, (dropout){ .seed = 1, .step = 2, .site = 3, .rate = 0.5f }, 0, 64);
        for (size_t i = 0; i < 64; i++)
            got[i] = y[i] == 2.0f ? '1' : y[i] == 0.0f ? '0' : '?';
        assert_string_equal(got, kept);
    }
}

static void dropout_drops_its_share_and_keeps_the_mean(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    float *one = floats(N), *y = floats(N);
    for (size_t i = 0; i < N; i++)
        one[i] = 1;
    FOR_EACH_ISA(o)
    for (float rate = 0.1f; rate < 1; rate += 0.2f) {
        o->dropout_apply(y, one, (dropout){ .seed = 9, .step = 1, .site = 2, .rate = rate }, 0, N);
        double dropped = 0, total = 0;
        for (size_t i = 0; i < N; i++) {
            dropped += y[i] == 0;
            total += y[i];
        }
        assert_true(fabs(dropped / N - rate) < 5 * sqrt(rate * (1 - rate) / N)); /* five deviations */
        assert_true(fabs(total / N - 1) < 5 * sqrt(rate / (1 - rate) / N));
    }
    free(one);
    free(y);
}

static void masks_differ_by_seed_step_and_site(void **state)
{
    (void)state;
    enum { N = 4096 };
    static const dropout others[] = {
        { 1, 1, 1, 0.5f, 0 }, { 2, 1, 1, 0.5f, 0 },          { 1, 2, 1, 0.5f, 0 },
        { 1, 1, 2, 0.5f, 0 }, { 1ull << 32, 1, 1, 0.5f, 0 }, { 1, 1ull << 32, 1, 0.5f, 0 }
    };
    enum { N_OTHERS = sizeof others / sizeof *others };
    float *one = floats(N), *y = floats(N_OTHERS * N);
    for (size_t i = 0; i < N; i++)
        one[i] = 1;
    FOR_EACH_ISA(o)
    {
        for (size_t k = 0; k < N_OTHERS; k++)
            o->dropout_apply(y + k * N, one, others[k], 0, N);
        for (size_t k = 0; k < N_OTHERS; k++)
            for (size_t l = 0; l < k; l++) {
                int same = 0;
                for (size_t i = 0; i < N; i++)
                    same += y[k * N + i] == y[l * N + i];
                assert_in_range(same, N / 2 - 200, N / 2 + 200); /* independent halves agree half of the time */
            }
    }
    free(one);
    free(y);
}

static void dropout_works_in_place_and_copies_at_rate_0(void **state)
{
    (void)state;
    enum { N = 2001 };
    random_stream r = { .seed = 1 };
    float *x = random_floats(&r, N, 1), *apart = floats(N);
    dropout d = { .seed = 1, .step = 2, .site = 3, .rate = 0.4f };
    FOR_EACH_ISA(o)
    {
        float *over = copy_floats(x, N);
        o->dropout_apply(apart, x, d, 11, N);
        o->dropout_apply(over, over, d, 11, N);
        assert_same_bits(o, "in place", over, apart, N);
        o->dropout_apply(over, x, (dropout){ 0 }, 0, N);
        assert_same_bits(o, "rate 0", over, x, N);
        free(over);
    }
    free(x);
    free(apart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_norm_forward_matches_plain_loops),
        cmocka_unit_test(layer_norm_forward_works_in_place),
        cmocka_unit_test(a_layer_norm_may_have_no_bias),
        cmocka_unit_test(layer_norm_keeps_its_digits_far_from_zero),
        cmocka_unit_test(layer_norm_backward_matches_plain_loops),
        cmocka_unit_test(the_references_gradients_are_those_of_differences),
        cmocka_unit_test(bits_do_not_depend_on_threads_or_other_rows),
        cmocka_unit_test(masks_are_what_the_header_says),
        cmocka_unit_test(known_masks_stay_as_they_are),
        cmocka_unit_test(dropout_drops_its_share_and_keeps_the_mean),
        cmocka_unit_test(masks_differ_by_seed_step_and_site),
        cmocka_unit_test(dropout_works_in_place_and_copies_at_rate_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
