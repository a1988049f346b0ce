/* Attention against plain loops in double, and what is promised about its bits. */
#include "check.h"

#include "ops/dropout.h"

#include "ops/select.h"

enum { MOST_SEQUENCES = 8 };

/* ---- what attends ------------------------------------------------------------------------------------------------ */

/* By floats, then by integers, up to NULL. */
static const ops *forwards[16];
static const ops *const *integers = forwards;

#define FOR_EACH_FORWARD(o) for (const ops *const *at_ = forwards, *o; (o = *at_); at_++)

static bool processor_has(const char *flag)
{
    char command[100];
    snprintf(command, sizeof command, "grep -q -w %s /proc/cpuinfo", flag);
    return system(command) == 0;
}

static void find_forwards(void)
{
    const ops **next = forwards;
    FOR_EACH_ISA(o)
    *next++ = o;
    integers = next;
#if !defined(OPS_GENERIC)
    if (ops_named("avx2"))
        *next++ = &ops_avx2_int8;
    if (ops_named("avx2") && processor_has("avx_vnni"))
        *next++ = &ops_avx2_vnni;
    if (ops_named("avx512"))
        *next++ = &ops_avx512_int8;
    if (ops_named("avx512") && processor_has("avx512_vnni"))
        *next++ = &ops_avx512_vnni;
    if (ops_named("avx512") && processor_has("avx512_bf16")) {
        *next++ = &ops_avx512_bf16;
        *next++ = &ops_avx512_bf16_fma;
    }
#endif
}

/* How a problem's rule is made: a window; a bias of so many distances to each side; holes between the places. */
typedef struct rule_shape {
    size_t window, span;
    bool holes;
} rule_shape;

/* A problem over sequences of given lengths, and what the reference makes of it. */
typedef struct problem {
    attention_input in;
    int32_t *places;
    float *bias;
    double *bias64, *dbias;
    int32_t query_start[MOST_SEQUENCES + 1], key_start[MOST_SEQUENCES + 1];
    size_t n_queries, n_keys;
    float *q, *k, *v, *dy; /* q: ldq apart; k, v: ldkv apart */
    double *q64, *k64, *v64, *dy64, *y, *lse, *dq, *dk, *dv;
} problem;

static size_t head_size(const problem *t)
{
    return t->in.hidden / t->in.heads;
}

/* The factor by which dropout multiplies the probability of a key. */
static double factor_of(const problem *t, size_t query, size_t head, size_t key)
{
    if (t->in.drop.rate == 0)
        return 1;
    dropout_mask m = dropout_start(t->in.drop);
    return dropout_keeps(&m, (query * t->in.heads + head) * 65536 + key) ? 1.0 / (1.0 - t->in.drop.rate) : 0;
}

static double dot(const double *a, const double *b, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

/* Where a problem's bias has that of a query and a key of the sequence that begins at `first`. */
static size_t bias_place(const problem *t, size_t head, size_t first, int32_t query, size_t key)
{
    int32_t span = (int32_t)t->in.rule.span, d = t->places[first + key] - query;
    return head * (2 * t->in.rule.span + 1) + (size_t)(span + (d > span ? span : d < -span ? -span : d));
}

/* The sequence's place of a query row: that of the key with as many rows before it. */
static int32_t place_of(const problem *t, size_t row, size_t first)
{
    size_t s = 0;
    while ((size_t)t->key_start[s] != first)
        s++;
    return t->places[first + row - (size_t)t->query_start[s]];
}

/* p (T): the probabilities of one query row and head; returns the log of the sum of exponentials. */
static double probabilities(const problem *t, double *p, size_t row, size_t head, size_t first, size_t T)
{
    size_t D = head_size(t);
    double most = -INFINITY, total = 0;
    int32_t place = place_of(t, row, first);
    for (size_t j = 0; j < T; j++) {
        p[j] = dot(t->q64 + row * t->in.ldq + head * D, t->k64 + (first + j) * t->in.ldkv + head * D, D) /
               sqrt((double)D);
        if (t->bias)
            p[j] += t->bias64[bias_place(t, head, first, place, j)];
        if (t->in.rule.window && (size_t)abs(t->places[first + j] - place) > t->in.rule.window)
            p[j] = -INFINITY;
        most = fmax(most, p[j]);
    }
    for (size_t j = 0; j < T; j++)
        total += exp(p[j] - most);
    for (size_t j = 0; j < T; j++)
        p[j] = exp(p[j] - most) / total;
    return most + log(total);
}

static void forward_row(problem *t, size_t row, size_t head, size_t first, size_t T)
{
    size_t D = head_size(t);
    double *p = doubles(T), *y = t->y + row * t->in.hidden + head * D;
    t->lse[row * t->in.heads + head] = probabilities(t, p, row, head, first, T);
    memset(y, 0, D * sizeof *y);
    for (size_t j = 0; j < T; j++)
        for (size_t d = 0; d < D; d++)
            y[d] += p[j] * factor_of(t, row, head, j) * t->v64[(first + j) * t->in.ldkv + head * D + d];
    free(p);
}

static void backward_row(problem *t, size_t row, size_t head, size_t first, size_t T)
{
    size_t D = head_size(t), ldkv = t->in.ldkv, col = head * D;
    double *p = doubles(T), *dp = doubles(T), delta = 0, *dy = t->dy64 + row * t->in.hidden + col;
    probabilities(t, p, row, head, first, T);
    for (size_t j = 0; j < T; j++) {
        double f = factor_of(t, row, head, j);
        dp[j] = f * dot(dy, t->v64 + (first + j) * ldkv + col, D);
        delta += p[j] * dp[j];
        for (size_t d = 0; d < D; d++)
            t->dv[(first + j) * ldkv + col + d] += p[j] * f * dy[d];
    }
    for (size_t j = 0; j < T; j++) {
        double ds = p[j] * (dp[j] - delta) / sqrt((double)D);
        if (t->bias)
            t->dbias[bias_place(t, head, first, place_of(t, row, first), j)] += p[j] * (dp[j] - delta);
        for (size_t d = 0; d < D; d++) {
            t->dq[row * t->in.ldq + col + d] += ds * t->k64[(first + j) * ldkv + col + d];
            t->dk[(first + j) * ldkv + col + d] += ds * t->q64[row * t->in.ldq + col + d];
        }
    }
    free(p);
    free(dp);
}

static void for_each_row(problem *t, void (*row_function)(problem *, size_t, size_t, size_t, size_t))
{
    for (size_t s = 0; s < t->in.keys.n_seq; s++)
        for (int32_t row = t->query_start[s]; row < t->query_start[s + 1]; row++)
            for (size_t head = 0; head < t->in.heads; head++)
                row_function(t, (size_t)row, head, (size_t)t->key_start[s],
                             (size_t)(t->key_start[s + 1] - t->key_start[s]));
}

/* lengths ends with 0. one_query: a single query for each sequence, else as many as keys. */
static problem *problem_ruled(const int *lengths, size_t heads, size_t D, bool one_query, float rate, uint64_t seed,
                              rule_shape rule)
{
    problem *t = room(1, sizeof *t);
    random_stream r = { .seed = seed };
    size_t n = 0, H = heads * D;
    for (; lengths[n]; n++) {
        t->key_start[n + 1] = t->key_start[n] + lengths[n];
        t->query_start[n + 1] = t->query_start[n] + (one_query ? 1 : lengths[n]);
    }
    t->n_keys = (size_t)t->key_start[n];
    t->n_queries = (size_t)t->query_start[n];
    t->places = room(t->n_keys, sizeof *t->places);
    for (size_t s = 0; s < n; s++)
        for (int32_t i = 0; i < lengths[s]; i++)
            t->places[t->key_start[s] + i] = rule.holes ? i + i / 3 + (i > 17 ? 40 : 0) : i;
    size_t ldq = H + seed % 4, ldkv = 2 * H + seed % 3, distances = heads * (2 * rule.span + 1);
    t->bias = rule.span ? random_floats(&r, distances, 1) : NULL;
    t->bias64 = rule.span ? to_doubles(t->bias, distances) : NULL;
    t->dbias = rule.span ? doubles(distances) : NULL;
    t->q = random_floats(&r, t->n_queries * ldq, 1.5f);
    t->k = random_floats(&r, t->n_keys * ldkv, 1.5f);
    t->v = random_floats(&r, t->n_keys * ldkv, 1);
    t->dy = random_floats(&r, t->n_queries * H, 1);
    t->q64 = to_doubles(t->q, t->n_queries * ldq);
    t->k64 = to_doubles(t->k, t->n_keys * ldkv);
    t->v64 = to_doubles(t->v, t->n_keys * ldkv);
    t->dy64 = to_doubles(t->dy, t->n_queries * H);
    t->y = doubles(t->n_queries * H);
    t->lse = doubles(t->n_queries * heads);
    t->dq = doubles(t->n_queries * ldq);
    t->dk = doubles(t->n_keys * ldkv);
    t->dv = doubles(t->n_keys * ldkv);
    t->in = (attention_input){
        .queries = { n, t->query_start },
        .keys = { n, t->key_start },
        .hidden = H,
        .heads = heads,
        .q = t->q,
        .k = t->k,
        .v = t->v,
        .ldq = ldq,
        .ldkv = ldkv,
        .rule = { .window = rule.window, .bias = t->bias, .span = rule.span, .places = rule.holes ? t->places : NULL },
        .drop = { .seed = seed, .step = 5, .site = 1, .rate = rate },
    };
    for_each_row(t, forward_row);
    for_each_row(t, backward_row);
    return t;
}

static problem *problem_make(const int *lengths, size_t heads, size_t D, bool one_query, float rate, uint64_t seed)
{
    return problem_ruled(lengths, heads, D, one_query, rate, seed, (rule_shape){ 0 });
}

static void problem_free(problem *t)
{
    void *all[] = { t->q,   t->k,  t->v,  t->dy, t->q64,    t->k64,  t->v64,    t->dy64,  t->y,
                    t->lse, t->dq, t->dk, t->dv, t->places, t->bias, t->bias64, t->dbias, t };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static const int LENGTHS[][MOST_SEQUENCES] = {
    { 1 },       { 2, 1, 3 }, { 7, 16, 17, 31 },         { 32, 33, 5 }, { 64, 55, 57 }, { 128, 3, 129 },
    { 130, 70 }, { 300 },     { 9, 15, 23, 33, 47, 49 }, { 257, 12 },   { 520 },
};
static const size_t HEADS[][2] = { { 3, 1 }, { 3, 4 }, { 2, 32 }, { 1, 64 }, { 2, 128 }, { 2, 33 } }; /* number, size */
enum { N_LENGTHS = sizeof LENGTHS / sizeof *LENGTHS, N_HEADS = sizeof HEADS / sizeof *HEADS };

static const rule_shape RULES[] = {
    { 1, 0, false }, { 0, 9, false }, { 64, 0, false },  { 20, 130, false },
    { 5, 0, true },  { 0, 70, true }, { 30, 12, true },
};
enum { N_RULES = sizeof RULES / sizeof *RULES };

/* Problem i of N_PROBLEMS: all lengths with all heads, with and without dropout and with one or all queries in turn;
 * without a rule, then with one in turn. */
enum { N_UNRULED = N_LENGTHS * N_HEADS * 2, N_PROBLEMS = N_UNRULED * 2 };

static problem *problem_case(size_t i)
{
    rule_shape rule = i < N_UNRULED ? (rule_shape){ 0 } : RULES[i % N_RULES];
    i %= N_UNRULED;
    const size_t *head = HEADS[i / 2 % N_HEADS];
    return problem_ruled(LENGTHS[i / 2 / N_HEADS], head[0], head[1], i % 2 && i % 3 == 0, i % 2 ? 0.2f : 0, i + 1,
                         rule);
}

static void attention_forward_matches_plain_loops(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_PROBLEMS; i++) {
        problem *t = problem_case(i);
        size_t count = t->n_queries * t->in.hidden;
        FOR_EACH_ISA(o)
        {
            float *y = floats(count), *lse = floats(t->n_queries * t->in.heads), *alone = floats(count);
            o->attention_forward(any_room(), y, lse, &t->in);
            assert_close(o, "y", y, t->y, count, 5e-6);
            assert_close(o, "lse", lse, t->lse, t->n_queries * t->in.heads, 2e-6);
            o->attention_forward(any_room(), alone, NULL, &t->in);
            assert_same_bits(o, "y without lse", alone, y, count);
            free(y);
            free(lse);
            free(alone);
        }
        problem_free(t);
    }
}

/* Integers lose what 11 and 12 bits lose, as long as nothing is kept or dropped; then they are floats. */
static void integers_attend_to_a_few_thousandths(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_PROBLEMS; i++) {
        problem *t = problem_case(i);
        size_t count = t->n_queries * t->in.hidden;
        float *y = floats(count), *lse = floats(t->n_queries * t->in.heads);
        for (const ops *const *o = integers; *o; o++) {
            (*o)->attention_forward(any_room(), y, NULL, &t->in);
            assert_close(*o, "y by integers", y, t->y, count, t->in.drop.rate > 0 ? 5e-6 : 5e-3);
            (*o)->attention_forward(any_room(), y, lse, &t->in);
            assert_close(*o, "y with lse", y, t->y, count, 5e-6);
        }
        free(y);
        free(lse);
        problem_free(t);
    }
}

/* What a query, a key or a value that is not finite is part of is not finite either, unless by an infinite score; all
 * else is as before. */
static void what_is_not_finite_stays_in_its_sequence(void **state)
{
    (void)state;
    static const int lengths[] = { 5, 150, 20, 0 };
    static const float BAD[] = { NAN, INFINITY, -INFINITY };
    FOR_EACH_FORWARD(o)
    for (size_t i = 0; i < 9; i++) {
        problem *t = problem_make(lengths, 2, 32, false, 0, 4);
        size_t H = t->in.hidden, row = 5 + 140;
        float *y = floats(t->n_queries * H), *clean = floats(t->n_queries * H);
        o->attention_forward(any_room(), clean, NULL, &t->in);
        (i % 3 == 0   ? t->q + row * t->in.ldq
         : i % 3 == 1 ? t->k + row * t->in.ldkv
                      : t->v + row * t->in.ldkv)[3] = BAD[i / 3];
        o->attention_forward(any_room(), y, NULL, &t->in);
        assert_true(i % 3 == 1 || !isfinite(y[row * H + 3]));
        for (size_t j = 0; (i % 3 == 2 || i == 1) && j < 150; j++)
            assert_false(isfinite(y[(5 + j) * H + 3]));
        for (size_t j = 0; j < t->n_queries; j++)
            if (j < 5 || j >= 155 || (i % 3 == 0 && j != row))
                assert_same_bits(o, "y of others", y + j * H, clean + j * H, H);
        free(y);
        free(clean);
        problem_free(t);
    }
}

/* The largest sums that there can be: all numbers at the end of their range, all keys alike. */
static void the_largest_sums_of_integers_fit(void **state)
{
    (void)state;
    static const int lengths[] = { 128, 256, 0 };
    problem *t = problem_make(lengths, 1, 128, false, 0, 4);
    size_t H = t->in.hidden;
    float *y = floats(t->n_queries * H);
    for (int sign = 0; sign < 4; sign++) {
        for (size_t i = 0; i < t->n_queries * t->in.ldq; i++)
            t->q[i] = sign & 1 ? -40 : 40;
        for (size_t i = 0; i < t->n_keys * t->in.ldkv; i++) {
            t->k[i] = 40;
            t->v[i] = sign & 2 ? -3 : 3;
        }
        FOR_EACH_FORWARD(o)
        {
            o->attention_forward(any_room(), y, NULL, &t->in);
            for (size_t i = 0; i < t->n_queries * H; i++)
                assert_true(fabsf(y[i] - t->v[0]) < 1e-4f);
        }
    }
    free(y);
    problem_free(t);
}

/* Those of the reference, by which its forward multiplies the values where nothing is dropped. */
static void attention_weights_are_what_forward_multiplies_values_by(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_PROBLEMS; i++) {
        problem *t = problem_case(i);
        for (size_t s = 0; s < t->in.keys.n_seq; s++) {
            size_t first = (size_t)t->key_start[s], T = (size_t)t->key_start[s + 1] - first,
                   query = (size_t)t->query_start[s];
            size_t TQ = (size_t)t->query_start[s + 1] - query, head = s % t->in.heads;
            double *want = doubles(TQ * T);
            float *p = floats(TQ * T);
            for (size_t row = 0; row < TQ; row++)
                probabilities(t, want + row * T, query + row, head, first, T);
            FOR_EACH_ISA(o)
            {
                o->attention_weights(p, &t->in, s, head);
                assert_close(o, "p", p, want, TQ * T, 2e-6);
            }
            free(want);
            free(p);
        }
        problem_free(t);
    }
}

/* What stands between the heads' columns and the next row is not touched. */
static void assert_rows(const ops *o, const char *what, const float *got, const float *before, const double *want,
                        size_t rows, size_t ld, size_t H)
{
    for (size_t i = 0; i < rows; i++) {
        assert_close(o, what, got + i * ld, want + i * ld, H, 2e-5);
        assert_same_bits(o, "beyond a row", got + i * ld + H, before + i * ld + H, ld - H);
    }
}

static void attention_backward_matches_plain_loops(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_PROBLEMS; i++) {
        problem *t = problem_case(i);
        size_t H = t->in.hidden, ldq = t->in.ldq, ldkv = t->in.ldkv;
        FOR_EACH_ISA(o)
        {
            float *y = floats(t->n_queries * H), *lse = floats(t->n_queries * t->in.heads);
            float *dq = copy_floats(t->q, t->n_queries * ldq), *dk = copy_floats(t->k, t->n_keys * ldkv),
                  *dv = copy_floats(t->v, t->n_keys * ldkv);
            size_t distances = t->bias ? t->in.heads * (2 * t->in.rule.span + 1) : 0;
            float *dbias = floats(distances);
            o->attention_forward(any_room(), y, lse, &t->in);
            o->attention_backward(any_room(), dq, dk, dv, t->bias ? dbias : NULL, t->dy, y, lse, &t->in);
            if (t->bias)
                assert_close(o, "dbias", dbias, t->dbias, distances, 4e-5);
            free(dbias);
            assert_rows(o, "dq", dq, t->q, t->dq, t->n_queries, ldq, H);
            assert_rows(o, "dk", dk, t->k, t->dk, t->n_keys, ldkv, H);
            assert_rows(o, "dv", dv, t->v, t->dv, t->n_keys, ldkv, H);
            free(y);
            free(lse);
            free(dq);
            free(dk);
            free(dv);
        }
        problem_free(t);
    }
}

/* sum of dy * y */
static double attention_loss(void *context)
{
    problem *t = context;
    for_each_row(t, forward_row);
    return dot(t->dy64, t->y, t->n_queries * t->in.hidden);
}

static void the_references_gradients_are_those_of_differences(void **state)
{
    (void)state;
    static const int lengths[][4] = { { 1, 3 }, { 5, 2 } };
    for (size_t i = 0; i < 8; i++) {
        rule_shape rule = { 2, 3, i >= 6 };
        problem *t = problem_ruled(lengths[i / 2 % 2], 2, 3, false, i % 2 ? 0.3f : 0, i + 3,
                                   i < 4 ? (rule_shape){ 0 } : rule);
        if (t->bias)
            assert_gradient("dbias", attention_loss, t, t->bias64, t->dbias, t->in.heads * 7);
        assert_gradient("dq", attention_loss, t, t->q64, t->dq, t->n_queries * t->in.ldq);
        assert_gradient("dk", attention_loss, t, t->k64, t->dk, t->n_keys * t->in.ldkv);
        assert_gradient("dv", attention_loss, t, t->v64, t->dv, t->n_keys * t->in.ldkv);
        problem_free(t);
    }
}

static void large_scores_do_not_overflow(void **state)
{
    (void)state;
    static const int lengths[] = { 40, 0 };
    problem *t = problem_make(lengths, 1, 32, false, 0, 4);
    for (size_t i = 0; i < t->n_queries * t->in.ldq; i++)
        t->q64[i] = t->q[i] *= 300;
    for_each_row(t, forward_row);
    float *y = floats(t->n_queries * t->in.hidden);
    FOR_EACH_ISA(o)
    {
        o->attention_forward(any_room(), y, NULL, &t->in);
        assert_close(o, "y", y, t->y, t->n_queries * t->in.hidden, 2e-3); /* scores of thousands are rounded to 1e-4 */
    }
    free(y);
    problem_free(t);
}

/* ---- bits -------------------------------------------------------------------------------------------------------- */

static float *all_results(const ops *o, const void *subject, size_t *size)
{
    const problem *t = subject;
    size_t H = t->in.hidden, lse_size = t->n_queries * t->in.heads, y_size = t->n_queries * H,
           bias_size = t->bias ? t->in.heads * (2 * t->in.rule.span + 1) : 0;
    *size = y_size + lse_size + t->n_queries * t->in.ldq + 2 * t->n_keys * t->in.ldkv + bias_size;
    float *all = floats(*size), *lse = all + y_size, *dq = lse + lse_size, *dk = dq + t->n_queries * t->in.ldq,
          *dv = dk + t->n_keys * t->in.ldkv;
    o->attention_forward(any_room(), all, lse, &t->in);
    o->attention_backward(any_room(), dq, dk, dv, bias_size ? dv + t->n_keys * t->in.ldkv : NULL, t->dy, all, lse,
                          &t->in);
    return all;
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const int lengths[] = { 100, 7, 30, 64, 1, 129, 0 };
    FOR_EACH_ISA(o)
    for (int i = 0; i < 4; i++) {
        problem *t = problem_ruled(lengths, 4, 32, false, i % 2 ? 0.1f : 0, 5, i < 2 ? (rule_shape){ 0 } : RULES[3]);
        assert_bits_of_threads(o, all_results, t);
        problem_free(t);
    }
}

static float *forward_results(const ops *o, const void *subject, size_t *size)
{
    const problem *t = subject;
    *size = t->n_queries * t->in.hidden;
    float *y = floats(*size);
    o->attention_forward(any_room(), y, NULL, &t->in);
    return y;
}

static void bits_of_integers_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const int lengths[] = { 100, 7, 30, 64, 1, 129, 0 };
    problem *t = problem_make(lengths, 4, 32, false, 0, 5);
    FOR_EACH_FORWARD(o)
    assert_bits_of_threads(o, forward_results, t);
    problem_free(t);
}

static void neighbours_change_no_bits(rule_shape rule)
{
    static const int lengths[] = { 100, 7, 30, 64, 1, 129, 0 };
    problem *t = problem_ruled(lengths, 2, 32, false, 0, 4, rule);
    size_t H = t->in.hidden;
    float *whole = floats(t->n_queries * H), *alone = floats(t->n_queries * H);
    FOR_EACH_FORWARD(o)
    {
        o->attention_forward(any_room(), whole, NULL, &t->in);
        for (size_t s = 0; lengths[s]; s++) {
            size_t first = (size_t)t->key_start[s];
            int32_t start[2] = { 0, lengths[s] };
            attention_input in = t->in;
            in.queries = in.keys = (ragged){ 1, start };
            in.q += first * in.ldq;
            in.k += first * in.ldkv;
            in.v += first * in.ldkv;
            in.rule.places += rule.holes ? first : 0;
            o->attention_forward(any_room(), alone, NULL, &in);
            assert_same_bits(o, "y of a sequence alone", alone, whole + first * H, (size_t)lengths[s] * H);
        }
    }
    free(whole);
    free(alone);
    problem_free(t);
}

static void a_sequences_bits_do_not_depend_on_its_neighbours(void **state)
{
    (void)state;
    neighbours_change_no_bits((rule_shape){ 0 });
    for (size_t i = 0; i < N_RULES; i++)
        neighbours_change_no_bits(RULES[i]);
}

/* Tiles of other heights see other keys beside their own: those out of a query's window count for nothing. */
static void a_querys_bits_do_not_depend_on_how_many_there_are(void **state)
{
    (void)state;
    static const int lengths[] = { 700, 0 };
    for (size_t r = 0; r < N_RULES; r++) {
        problem *t = problem_ruled(lengths, 1, 64, false, 0, 4, RULES[r]);
        size_t H = t->in.hidden;
        float *whole = floats(t->n_queries * H), *first = floats(t->n_queries * H);
        FOR_EACH_FORWARD(o)
        {
            o->attention_forward(any_room(), whole, NULL, &t->in);
            for (int32_t n = 1; n < 700; n += 53) {
                int32_t start[2] = { 0, n };
                attention_input in = t->in;
                in.queries.start = start;
                o->attention_forward(any_room(), first, NULL, &in);
                assert_same_bits(o, "y of the first queries", first, whole, (size_t)n * H);
            }
        }
        free(whole);
        free(first);
        problem_free(t);
    }
}

/* A window that holds all keys is none. */
static void a_wide_window_changes_no_bits(void **state)
{
    (void)state;
    static const int lengths[] = { 100, 7, 300, 0 };
    problem *t = problem_make(lengths, 2, 32, false, 0, 4);
    size_t H = t->in.hidden;
    float *y = floats(t->n_queries * H), *wide = floats(t->n_queries * H);
    FOR_EACH_FORWARD(o)
    {
        t->in.rule.window = 0;
        o->attention_forward(any_room(), y, NULL, &t->in);
        t->in.rule.window = 299;
        o->attention_forward(any_room(), wide, NULL, &t->in);
        assert_same_bits(o, "y", wide, y, t->n_queries * H);
    }
    free(y);
    free(wide);
    problem_free(t);
}

/* The gradient of the bias goes on where the sequences before have left it. */
static void a_batch_in_parts_gives_the_same_bias_gradient(void **state)
{
    (void)state;
    static const int lengths[] = { 100, 7, 30, 0 };
    problem *t = problem_ruled(lengths, 2, 32, false, 0, 4, RULES[1]);
    size_t H = t->in.hidden, n = 2 * (2 * t->in.rule.span + 1), ld = t->in.ldq + t->in.ldkv;
    float *y = floats(t->n_queries * H), *lse = floats(t->n_queries * 2), *rest = floats(3 * t->n_keys * ld);
    FOR_EACH_ISA(o)
    {
        float *whole = floats(n), *parts = floats(n), *dk = rest + t->n_keys * ld, *dv = dk + t->n_keys * ld;
        o->attention_forward(any_room(), y, lse, &t->in);
        o->attention_backward(any_room(), rest, dk, dv, whole, t->dy, y, lse, &t->in);
        for (size_t s = 0; lengths[s]; s++) {
            size_t first = (size_t)t->key_start[s];
            int32_t start[2] = { 0, lengths[s] };
            attention_input in = t->in;
            in.queries = in.keys = (ragged){ 1, start };
            in.q += first * in.ldq;
            in.k += first * in.ldkv;
            in.v += first * in.ldkv;
            o->attention_backward(any_room(), rest, dk, dv, parts, t->dy + first * H, y + first * H, lse + first * 2,
                                  &in);
        }
        assert_same_bits(o, "dbias", parts, whole, n);
        free(whole);
        free(parts);
    }
    free(y);
    free(lse);
    free(rest);
    problem_free(t);
}

static void one_query_gets_the_bits_that_it_gets_among_all(void **state)
{
    (void)state;
    static const int lengths[] = { 100, 7, 30, 64, 1, 300, 0 };
    static const size_t sizes[] = { 1, 32, 64 };
    FOR_EACH_FORWARD(o)
    for (size_t i = 0; i < 3 + N_RULES; i++) {
        problem *t = problem_ruled(lengths, 2, sizes[i % 3], false, 0, 4, i < 3 ? (rule_shape){ 0 } : RULES[i - 3]);
        size_t H = t->in.hidden, n = t->in.keys.n_seq;
        float *whole = floats(t->n_queries * H), *alone = floats(n * H), *firsts = floats(n * H);
        o->attention_forward(any_room(), whole, NULL, &t->in);
        int32_t start[MOST_SEQUENCES + 1] = { 0 };
        for (size_t s = 0; s < n; s++) {
            start[s + 1] = (int32_t)s + 1;
            memcpy(firsts + s * H, t->q + (size_t)t->key_start[s] * t->in.ldq, H * sizeof *firsts);
        }
        attention_input in = t->in;
        in.queries.start = start;
        in.q = firsts;
        in.ldq = H;
        o->attention_forward(any_room(), alone, NULL, &in);
        for (size_t s = 0; s < n; s++)
            assert_same_bits(o, "y of the first row alone", alone + s * H, whole + (size_t)t->key_start[s] * H, H);
        free(whole);
        free(alone);
        free(firsts);
        problem_free(t);
    }
}

static void no_sequences_are_no_work(void **state)
{
    (void)state;
    int32_t start[1] = { 0 };
    attention_input in = {
        .queries = { 0, start }, .keys = { 0, start }, .hidden = 32, .heads = 2, .ldq = 32, .ldkv = 32
    };
    FOR_EACH_FORWARD(o)
    o->attention_forward(any_room(), NULL, NULL, &in);
}

int main(void)
{
    find_forwards();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_forward_matches_plain_loops),
        cmocka_unit_test(integers_attend_to_a_few_thousandths),
        cmocka_unit_test(what_is_not_finite_stays_in_its_sequence),
        cmocka_unit_test(the_largest_sums_of_integers_fit),
        cmocka_unit_test(attention_weights_are_what_forward_multiplies_values_by),
        cmocka_unit_test(attention_backward_matches_plain_loops),
        cmocka_unit_test(the_references_gradients_are_those_of_differences),
        cmocka_unit_test(large_scores_do_not_overflow),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(bits_of_integers_do_not_depend_on_threads),
        cmocka_unit_test(a_sequences_bits_do_not_depend_on_its_neighbours),
        cmocka_unit_test(a_querys_bits_do_not_depend_on_how_many_there_are),
        cmocka_unit_test(a_wide_window_changes_no_bits),
        cmocka_unit_test(a_batch_in_parts_gives_the_same_bias_gradient),
        cmocka_unit_test(one_query_gets_the_bits_that_it_gets_among_all),
        cmocka_unit_test(no_sequences_are_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
