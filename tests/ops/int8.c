/* Dense layers whose weights are int8, or bf16 that are widened, against plain loops over the same numbers; and the
 * packed forms. */
#include "dense_layer.h"

#include "base/bf16.h"
#include "ops/dense_pack.h"

/* The plain loops of processors without any of the instructions, which this machine's build leaves out. */
#define OPS_ISA plain
#include "ops/cpu/int8.c"

/* ---- what computes int8 ------------------------------------------------------------------------------------------ */

typedef void forward_function(ops_room room, float *y, size_t ldy, float *pre, const float *x, size_t ldx,
                              const dense *d, activation act, size_t n);

typedef struct computer {
    const char *name;
    forward_function *forward;
} computer;

static bool processor_has(const char *flag)
{
    char command[100];
    snprintf(command, sizeof command, "grep -q -w %s /proc/cpuinfo", flag);
    return system(command) == 0;
}

static computer computers[8];
static size_t n_computers;

static void find_computers(void)
{
    computers[n_computers++] = (computer){ "plain", dense_forward_int8_plain };
    FOR_EACH_ISA(o)
    computers[n_computers++] = (computer){ o->name, o->dense_forward };
#if !defined(OPS_GENERIC)
    if (ops_named("avx512") && processor_has("avx512_vnni"))
        computers[n_computers++] = (computer){ ops_avx512_vnni.name, ops_avx512_vnni.dense_forward };
    if (ops_named("avx2") && processor_has("avx_vnni"))
        computers[n_computers++] = (computer){ ops_avx2_vnni.name, ops_avx2_vnni.dense_forward };
#endif
}

#define FOR_EACH_COMPUTER(c) for (const computer *c = computers; c < computers + n_computers; c++)

/* ---- the reference ----------------------------------------------------------------------------------------------- */

/* Weight (j, k) of a packed form, -127 .. 127. */
static int weight_at(const dense *d, size_t j, size_t k)
{
    const int8_t *panel = (const int8_t *)d->packed->panels + j / GEMM_PANEL * ((d->in + 3) / 4) * 4 * GEMM_PANEL;
    return panel[(k / 4 * GEMM_PANEL + j % GEMM_PANEL) * 4 + k % 4];
}

/* A row of x as numbers of 0 .. 255: x = low + step q */
static void quantised(int *q, double *low, double *step, const float *x, size_t in)
{
    float least = x[0], most = x[0];
    for (size_t k = 0; k < in; k++) {
        least = x[k] < least ? x[k] : least;
        most = x[k] > most ? x[k] : most;
    }
    float range = most - least, inverse = range > 0 ? 255 / range : 0;
    *low = least;
    *step = range / 255.0;
    for (size_t k = 0; k < in; k++) {
        q[k] = (int)nearbyint((double)(x[k] - least) * inverse);
        assert_true(q[k] >= 0 && q[k] <= 255);
    }
}

/* y before the activation, (n, out), and the size of what was added to it. */
static void reference(double *want, double *size, const layer *l)
{
    size_t in = l->d.in, out = l->d.out;
    int *q = room(in, sizeof *q);
    for (size_t i = 0; i < l->n; i++) {
        double low, step;
        quantised(q, &low, &step, l->x + i * l->ldx, in);
        for (size_t j = 0; j < out; j++) {
            long sum = 0, weights = 0;
            for (size_t k = 0; k < in; k++) {
                int w = weight_at(&l->d, j, k);
                sum += (long)q[k] * w;
                weights += w;
            }
            double scale = l->d.packed->scale[j], bias = l->bias ? l->bias[j] : 0;
            want[i * out + j] = scale * (step * (double)sum + low * (double)weights) + bias;
            size[i * out + j] = fabs(scale * step * (double)sum) + fabs(scale * low * (double)weights) + fabs(bias);
        }
    }
    free(q);
}

static double activated(double x, activation act)
{
    return act == ACTIVATION_GELU   ? 0.5 * x * erfc(-x / sqrt(2))
           : act == ACTIVATION_RELU ? fmax(x, 0)
           : act == ACTIVATION_TANH ? tanh(x)
                                    : x;
}

/* ---- int8 -------------------------------------------------------------------------------------------------------- */

static void check_products(const computer *c, const layer *l, activation act, bool keep)
{
    size_t out = l->d.out, n = l->n;
    double *want = doubles(n * out), *size = doubles(n * out), allowed = act == ACTIVATION_GELU ? 1.1e-4 : 0;
    float *y = floats(n * l->ldy), *pre = floats(n * out);
    for (size_t i = 0; i < n * l->ldy; i++)
        y[i] = 7;
    c->forward(any_room(), y, l->ldy, keep ? pre : NULL, l->x, l->ldx, &l->d, act, n);
    reference(want, size, l);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < l->ldy; j++) {
            size_t at = i * out + j;
            float got = y[i * l->ldy + j];
            if (j >= out)
                assert_true(got == 7);
            else if (!(fabs(got - activated(want[at], act)) <= 1e-6 * size[at] + allowed))
                fail_msg("%s: y[%zu][%zu] of %zu x %zu, %zu deep, is %.9g, should be %.9g", c->name, i, j, n, out,
                         l->d.in, (double)got, activated(want[at], act));
            else if (keep && !(fabs(pre[at] - want[at]) <= 1e-6 * size[at]))
                fail_msg("%s: pre[%zu][%zu] is %.9g, should be %.9g", c->name, i, j, (double)pre[at], want[at]);
        }
    free(want);
    free(size);
    free(y);
    free(pre);
}

static void products_are_those_of_the_quantised_numbers(void **state)
{
    (void)state;
    static const activation ACTS[] = { ACTIVATION_NONE, ACTIVATION_GELU, ACTIVATION_RELU, ACTIVATION_TANH };
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], s % 3 != 0, s);
        assert_int_equal(dense_pack_as(&l.d, OPS_INT8, NULL), BERT_OK);
        FOR_EACH_COMPUTER(c)
        for (size_t a = 0; a < 4; a++)
            check_products(c, &l, ACTS[a], (s + a) % 3 == 0);
        layer_free(&l);
    }
}

/* y = sum of x w where all of x but the first is 255 of 255 and all weights are +-127 of 127: nothing may saturate on
 * the way. */
static void the_largest_products_are_added_without_loss(void **state)
{
    (void)state;
    static const float SIGNS[][2] = { { 1, 1 }, { -1, -1 }, { 1, -1 }, { -1, 1 } };
    enum { IN = 3073, OUT = 33 };
    float *x = floats(IN), *w = floats(IN * OUT), y[OUT];
    for (size_t s = 0; s < 4; s++) {
        double want = 0;
        for (size_t k = 0; k < IN; k++) {
            x[k] = k > 0;
            for (size_t j = 0; j < OUT; j++)
                w[j * IN + k] = SIGNS[s][k % 2];
            want += x[k] * SIGNS[s][k % 2];
        }
        dense d = { .in = IN, .out = OUT, .weight = w };
        assert_int_equal(dense_pack_as(&d, OPS_INT8, NULL), BERT_OK);
        FOR_EACH_COMPUTER(c)
        {
            c->forward(any_room(), y, OUT, NULL, x, IN, &d, ACTIVATION_NONE, 1);
            for (size_t j = 0; j < OUT; j++)
                if (fabs(y[j] - want) > 1e-6 * IN)
                    fail_msg("%s: %.9g for %.9g", c->name, (double)y[j], want);
        }
        dense_unpack(&d);
    }
    free(x);
    free(w);
}

/* The sums are exact and all else is rounded alike. */
static void all_instructions_give_the_same_bits(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], true, s);
        size_t size = l.n * l.d.out;
        assert_int_equal(dense_pack_as(&l.d, OPS_INT8, NULL), BERT_OK);
        float *first = floats(size), *other = floats(size);
        computers[0].forward(any_room(), first, l.d.out, NULL, l.x, l.ldx, &l.d, ACTIVATION_GELU, l.n);
        FOR_EACH_COMPUTER(c)
        {
            c->forward(any_room(), other, l.d.out, NULL, l.x, l.ldx, &l.d, ACTIVATION_GELU, l.n);
            for (size_t i = 0; i < size; i++)
                if (memcmp(first + i, other + i, sizeof *other))
                    fail_msg("%s: y[%zu] of %zu is %.9g, %s gives %.9g", c->name, i, size, (double)other[i],
                             computers->name, (double)first[i]);
        }
        free(first);
        free(other);
        layer_free(&l);
    }
}

static void a_rows_bits_depend_on_nothing_else(void **state)
{
    (void)state;
    static const size_t SHAPES[][2] = { { 384, 100 }, { 1029, 33 }, { 3072, 64 } };
    enum { ROWS_ = 130 };
    for (size_t s = 0; s < 3; s++) {
        layer l = layer_make(ROWS_, SHAPES[s][0], SHAPES[s][1], true, s);
        size_t out = l.d.out;
        float *whole = floats(ROWS_ * out), *part = floats(ROWS_ * out);
        assert_int_equal(dense_pack_as(&l.d, OPS_INT8, NULL), BERT_OK);
        for (size_t k = 1; k < n_computers; k++)
            for (int threads = 1; threads <= 2; threads++) {
                threads_allow((size_t)threads);
                computers[k].forward(any_room(), whole, out, NULL, l.x, l.ldx, &l.d, ACTIVATION_GELU, ROWS_);
                for (size_t n = 1; n <= ROWS_; n += n < 26 ? 1 : 13)
                    for (size_t first = 0; first + n <= ROWS_; first += 2 * n + 1) {
                        computers[k].forward(any_room(), part, out, NULL, l.x + first * l.ldx, l.ldx, &l.d,
                                             ACTIVATION_GELU, n);
                        if (memcmp(part, whole + first * out, n * out * sizeof *part))
                            fail_msg("%s: %zu rows from %zu on, %d threads", computers[k].name, n, first, threads);
                    }
            }
        free(whole);
        free(part);
        layer_free(&l);
    }
}

/* A layer, and what multiplies by it. */
typedef struct computed_layer {
    const computer *by;
    const layer *l;
} computed_layer;

static float *product_of_layer(const ops *o, const void *subject, size_t *size)
{
    const computed_layer *c = subject;
    const layer *l = c->l;
    (void)o;
    *size = l->n * l->d.out;
    float *y = floats(*size);
    c->by->forward(any_room(), y, l->d.out, NULL, l->x, l->ldx, &l->d, ACTIVATION_RELU, l->n);
    return y;
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const size_t SHAPES[][3] = { { 700, 384, 384 }, { 11, 1536, 1536 }, { 300, 3072, 70 } };
    FOR_EACH_COMPUTER(c)
    for (size_t s = 0; s < 3 && c > computers; s++) {
        layer l = layer_make(SHAPES[s][0], SHAPES[s][1], SHAPES[s][2], true, s);
        assert_int_equal(dense_pack_as(&l.d, OPS_INT8, NULL), BERT_OK);
        assert_bits_of_threads(&(ops){ .name = c->name }, product_of_layer, &(computed_layer){ c, &l });
        layer_free(&l);
    }
}

/* A row that is all the same: y = that number times the sum of the weights. */
static void rows_without_spread_lose_nothing(void **state)
{
    (void)state;
    enum { IN = 37, OUT = 5 };
    static const float ALL[] = { 0, 1.25f, -3, 0x1p-140f, 0x1p100f };
    layer l = layer_make(1, IN, OUT, false, 1);
    assert_int_equal(dense_pack_as(&l.d, OPS_INT8, NULL), BERT_OK);
    FOR_EACH_COMPUTER(c)
    for (size_t a = 0; a < sizeof ALL / sizeof *ALL; a++) {
        float y[OUT];
        for (size_t k = 0; k < IN; k++)
            l.x[k] = ALL[a];
        c->forward(any_room(), y, OUT, NULL, l.x, l.ldx, &l.d, ACTIVATION_NONE, 1);
        for (size_t j = 0; j < OUT; j++) {
            double want = (double)ALL[a] * l.d.packed->scale[j] * l.d.packed->sums[j];
            if (!(fabs(y[j] - want) <= 1e-6 * fabs(want) + 1e-37))
                fail_msg("%s: %.9g for %.9g", c->name, (double)y[j], want);
        }
    }
    layer_free(&l);
}

static void rows_that_are_not_finite_give_no_numbers_and_leave_others_alone(void **state)
{
    (void)state;
    enum { IN = 50, OUT = 40 };
    static const float BAD[] = { NAN, INFINITY, -INFINITY };
    layer l = layer_make(3, IN, OUT, true, 1);
    assert_int_equal(dense_pack_as(&l.d, OPS_INT8, NULL), BERT_OK);
    FOR_EACH_COMPUTER(c)
    for (size_t b = 0; b < 3; b++)
        for (size_t k = 0; k < IN; k += 7) {
            float before[3 * OUT], y[3 * OUT], kept = l.x[l.ldx + k];
            c->forward(any_room(), before, OUT, NULL, l.x, l.ldx, &l.d, ACTIVATION_NONE, 3);
            l.x[l.ldx + k] = BAD[b];
            c->forward(any_room(), y, OUT, NULL, l.x, l.ldx, &l.d, ACTIVATION_NONE, 3);
            l.x[l.ldx + k] = kept;
            for (size_t j = 0; j < OUT; j++)
                if (!isnan(y[OUT + j]))
                    fail_msg("%s: %g at %zu gives %g", c->name, (double)BAD[b], k, (double)y[OUT + j]);
            assert_memory_equal(y, before, OUT * sizeof *y);
            assert_memory_equal(y + 2 * OUT, before + 2 * OUT, OUT * sizeof *y);
        }
    layer_free(&l);
}

/* As int8 a product is off by about a hundredth of its own size. */
static void products_are_near_those_in_float32(void **state)
{
    (void)state;
    layer l = layer_make(20, 384, 100, false, 9);
    size_t count = l.n * l.d.out;
    float *exact = floats(count), *y = floats(count);
    const ops *o;
    assert_int_equal(ops_select(&o, NULL), BERT_OK);
    o->dense_forward(any_room(), exact, l.d.out, NULL, l.x, l.ldx, &l.d, ACTIVATION_NONE, l.n);
    assert_int_equal(dense_pack_as(&l.d, OPS_INT8, NULL), BERT_OK);
    FOR_EACH_COMPUTER(c)
    {
        double off = 0, all = 0;
        c->forward(any_room(), y, l.d.out, NULL, l.x, l.ldx, &l.d, ACTIVATION_NONE, l.n);
        for (size_t i = 0; i < count; i++) {
            off += pow(y[i] - exact[i], 2);
            all += pow(exact[i], 2);
        }
        assert_true(sqrt(off / all) < 0.015);
    }
    free(exact);
    free(y);
    layer_free(&l);
}

/* ---- forms ------------------------------------------------------------------------------------------------------- */

static void a_packed_weight_gives_its_numbers_back(void **state)
{
    (void)state;
    static const weight_storage FORMS[] = { STORED_FP32, STORED_BF16, STORED_INT8 };
    for (size_t s = 0; s < 3 * N_SIZES; s++) {
        weight_storage form = FORMS[s % 3];
        layer l = layer_make(1, SIZES[s / 3][1], SIZES[s / 3][2], false, s);
        size_t in = l.d.in, count = in * l.d.out;
        float *got = floats(count);
        assert_int_equal(dense_pack_stored(&l.d, form, NULL), BERT_OK);
        assert_int_equal(l.d.packed->stored, form);
        dense_packed_weight(got, &l.d);
        for (size_t i = 0; i < count; i++) {
            float w = l.weight[i];
            if (form == STORED_FP32)
                assert_true(got[i] == w);
            else if (form == STORED_BF16)
                assert_true(got[i] == bf16_to_f32(bf16_of(w)));
            else {
                float scale = l.d.packed->scale[i / in], most = 127 * scale;
                assert_true(fabsf(w) > most ? fabsf(got[i]) == most : fabsf(got[i] - w) <= 0.50001f * scale);
            }
        }
        free(got);
        layer_free(&l);
    }
}

static void beyond_the_weight_a_packed_form_is_zero_and_sums_are_those_of_its_numbers(void **state)
{
    (void)state;
    layer l = layer_make(1, 9, 35, false, 1);
    size_t size;
    assert_int_equal(dense_pack_as(&l.d, OPS_INT8, NULL), BERT_OK);
    assert_true(dense_panels_size(9, 35, STORED_INT8, &size));
    assert_int_equal(size, 2 * 3 * 128);
    const struct dense_packed *p = l.d.packed;
    for (size_t j = 0; j < 64; j++) {
        int32_t sum = 0;
        for (size_t k = 0; k < 12; k++) {
            const int8_t *panel = (const int8_t *)p->panels + j / 32 * 3 * 128;
            int q = panel[(k / 4 * 32 + j % 32) * 4 + k % 4];
            assert_true(q >= -127 && (q == 0 || (k < 9 && j < 35)));
            sum += q;
        }
        assert_int_equal(sum, p->sums[j]);
        assert_true(j < 35 ? p->scale[j] > 0 : p->scale[j] == 0);
    }
    layer_free(&l);
}

static void sizes_of_panels_are_those_of_the_form_and_do_not_wrap(void **state)
{
    (void)state;
    size_t size;
    assert_true(dense_panels_size(5, 33, STORED_FP32, &size) && size == 2 * 5 * 128);
    assert_true(dense_panels_size(5, 33, STORED_BF16, &size) && size == 2 * 3 * 128);
    assert_true(dense_panels_size(5, 33, STORED_INT8, &size) && size == 2 * 2 * 128);
    assert_false(dense_panels_size(SIZE_MAX, 1, STORED_FP32, &size));
    assert_false(dense_panels_size(SIZE_MAX / 64, SIZE_MAX, STORED_INT8, &size));
}

/* A form in memory of somebody else's: multiplied alike, and left alone. */
static void a_form_may_stand_in_memory_that_is_not_the_layers(void **state)
{
    (void)state;
    layer l = layer_make(4, 20, 40, true, 2);
    float own[4 * 40], over[4 * 40];
    const ops *o;
    assert_int_equal(ops_select_precision(OPS_INT8, &o, NULL), BERT_OK);
    assert_int_equal(dense_pack_as(&l.d, OPS_INT8, NULL), BERT_OK);
    struct dense_packed form = *l.d.packed;
    form.owned = false;
    dense other = { .in = 20, .out = 40, .bias = l.bias }; /* no plain weight */
    assert_int_equal(dense_pack_over(&other, &form, NULL), BERT_OK);
    o->dense_forward(any_room(), own, 40, NULL, l.x, l.ldx, &l.d, ACTIVATION_NONE, 4);
    o->dense_forward(any_room(), over, 40, NULL, l.x, l.ldx, &other, ACTIVATION_NONE, 4);
    assert_memory_equal(own, over, sizeof own);
    dense_unpack(&other);
    assert_null(other.packed);
    o->dense_forward(any_room(), over, 40, NULL, l.x, l.ldx, &l.d, ACTIVATION_NONE, 4);
    assert_memory_equal(own, over, sizeof own);
    layer_free(&l);
}

static void more_inputs_than_int8_adds_are_refused(void **state)
{
    (void)state;
    bert_err err = { 0 };
    float *w = floats(65537);
    dense d = { .in = 65537, .out = 1, .weight = w };
    assert_int_equal(dense_pack_as(&d, OPS_INT8, &err), BERT_ERR_UNSUPPORTED);
    assert_string_equal(err.message, "precision int8: a dense layer of 65537 inputs; the most is 65536");
    assert_null(d.packed);
    err = (bert_err){ 0 };
    assert_int_equal(dense_pack_over(&d, &(struct dense_packed){ .stored = STORED_INT8 }, &err), BERT_ERR_UNSUPPORTED);
    assert_string_equal(err.message, "precision int8: a dense layer of 65537 inputs; the most is 65536");
    d.in = 65536;
    assert_int_equal(dense_pack_as(&d, OPS_INT8, &err), BERT_OK);
    float *x = floats(65536), y = 1;
    FOR_EACH_COMPUTER(c)
    c->forward(any_room(), &y, 1, NULL, x, 65536, &d, ACTIVATION_NONE, 1);
    assert_true(y == 0);
    dense_unpack(&d);
    free(w);
    free(x);
}

static void a_weight_packed_as_floats_is_multiplied_in_float32(void **state)
{
    (void)state;
    static const ops_precision PRECISIONS[] = { OPS_BF16, OPS_BF16_WIDENED, OPS_INT8 };
    layer l = layer_make(5, 70, 45, true, 3);
    float want[5 * 45], y[5 * 45];
    const ops *fp32, *o;
    assert_int_equal(ops_select(&fp32, NULL), BERT_OK);
    assert_int_equal(dense_pack(&l.d, NULL), BERT_OK);
    fp32->dense_forward(any_room(), want, 45, NULL, l.x, l.ldx, &l.d, ACTIVATION_TANH, 5);
    for (size_t p = 0; p < 3; p++)
        if (ops_select_precision(PRECISIONS[p], &o, NULL) == BERT_OK) {
            o->dense_forward(any_room(), y, 45, NULL, l.x, l.ldx, &l.d, ACTIVATION_TANH, 5);
            assert_memory_equal(y, want, sizeof y);
        }
    layer_free(&l);
}

/* ---- bf16, widened ----------------------------------------------------------------------------------------------- */

static void widened_weights_give_the_bits_of_the_rounded_ones_as_floats(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], true, s);
        layer rounded = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], true, s);
        for (size_t i = 0; i < l.d.in * l.d.out; i++)
            rounded.weight[i] = bf16_to_f32(bf16_of(l.weight[i]));
        size_t size = l.n * l.d.out;
        float *want = floats(size), *y = floats(size);
        assert_int_equal(dense_pack(&rounded.d, NULL), BERT_OK);
        assert_int_equal(dense_pack_as(&l.d, OPS_BF16_WIDENED, NULL), BERT_OK);
        o->dense_forward(any_room(), want, l.d.out, NULL, l.x, l.ldx, &rounded.d, ACTIVATION_GELU, l.n);
        for (int threads = 1; threads <= 3; threads++) {
            threads_allow((size_t)threads);
            o->dense_forward(any_room(), y, l.d.out, NULL, l.x, l.ldx, &l.d, ACTIVATION_GELU, l.n);
            assert_same_bits(o, "y, widened", y, want, size);
        }
        free(want);
        free(y);
        layer_free(&l);
        layer_free(&rounded);
    }
}

int main(void)
{
    find_computers();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_those_of_the_quantised_numbers),
        cmocka_unit_test(the_largest_products_are_added_without_loss),
        cmocka_unit_test(all_instructions_give_the_same_bits),
        cmocka_unit_test(a_rows_bits_depend_on_nothing_else),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(rows_without_spread_lose_nothing),
        cmocka_unit_test(rows_that_are_not_finite_give_no_numbers_and_leave_others_alone),
        cmocka_unit_test(products_are_near_those_in_float32),
        cmocka_unit_test(a_packed_weight_gives_its_numbers_back),
        cmocka_unit_test(beyond_the_weight_a_packed_form_is_zero_and_sums_are_those_of_its_numbers),
        cmocka_unit_test(sizes_of_panels_are_those_of_the_form_and_do_not_wrap),
        cmocka_unit_test(a_form_may_stand_in_memory_that_is_not_the_layers),
        cmocka_unit_test(more_inputs_than_int8_adds_are_refused),
        cmocka_unit_test(a_weight_packed_as_floats_is_multiplied_in_float32),
        cmocka_unit_test(widened_weights_give_the_bits_of_the_rounded_ones_as_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
