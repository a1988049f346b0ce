/* Dense layers against plain loops in double, and what is promised about their bits. */
#include "dense_layer.h"

#include "ops/dense_pack.h"

static const activation ACTIVATIONS[] = { ACTIVATION_NONE, ACTIVATION_GELU, ACTIVATION_GELU_TANH,
                                          ACTIVATION_RELU, ACTIVATION_SILU, ACTIVATION_TANH };
enum { N_ACTIVATIONS = sizeof ACTIVATIONS / sizeof *ACTIVATIONS };

static double activate(double x, activation act)
{
    switch (act) {
    case ACTIVATION_GELU:
        return 0.5 * x * erfc(-x / sqrt(2));
    case ACTIVATION_GELU_TANH:
        return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_NONE:
        break;
    }
    return x;
}

static double slope(double x, activation act)
{
    double pi = acos(-1);
    switch (act) {
    case ACTIVATION_GELU:
        return 0.5 * erfc(-x / sqrt(2)) + x * exp(-x * x / 2) / sqrt(2 * pi);
    case ACTIVATION_GELU_TANH: {
        double t = tanh(sqrt(2 / pi) * (x + 0.044715 * x * x * x));
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x);
    }
    case ACTIVATION_RELU:
        return x > 0;
    case ACTIVATION_SILU: {
        double s = 1 / (1 + exp(-x));
        return s * (1 + x * (1 - s));
    }
    case ACTIVATION_TANH:
        return 1 - tanh(x) * tanh(x);
    case ACTIVATION_NONE:
        break;
    }
    return 1;
}

/* x W^T + b in double, (n, out) dense */
static double *reference_pre(const layer *l)
{
    double *pre = doubles(l->n * l->d.out);
    for (size_t i = 0; i < l->n; i++)
        for (size_t j = 0; j < l->d.out; j++) {
            double s = l->bias ? l->bias[j] : 0;
            for (size_t k = 0; k < l->d.in; k++)
                s += (double)l->x[i * l->ldx + k] * l->weight[j * l->d.in + k];
            pre[i * l->d.out + j] = s;
        }
    return pre;
}

static void check_forward(const ops *o, const layer *l, const char *what)
{
    size_t out = l->d.out, count = l->n * out;
    double *pre = reference_pre(l), *want = doubles(count);
    for (size_t a = 0; a < N_ACTIVATIONS; a++) {
        float *y = random_floats(&(random_stream){ .seed = 1 }, l->n * l->ldy, 1),
              *before = copy_floats(y, l->n * l->ldy), *kept = floats(count);
        o->dense_forward(any_room(), y, l->ldy, a % 2 ? kept : NULL, l->x, l->ldx, &l->d, ACTIVATIONS[a], l->n);
        for (size_t i = 0; i < count; i++)
            want[i] = activate(pre[i], ACTIVATIONS[a]);
        for (size_t i = 0; i < l->n; i++) {
            assert_close(o, what, y + i * l->ldy, want + i * out, out, 4e-6);
            assert_same_bits(o, "beyond a row", y + i * l->ldy + out, before + i * l->ldy + out, l->ldy - out);
        }
        if (a % 2)
            assert_close(o, "pre", kept, pre, count, 4e-6);
        free(y);
        free(before);
        free(kept);
    }
    free(pre);
    free(want);
}

static void dense_forward_matches_plain_loops(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], s % 3 != 0, s);
        check_forward(o, &l, "y, plain weights");
        assert_int_equal(dense_pack(&l.d, NULL), BERT_OK);
        check_forward(o, &l, "y, packed weights");
        layer_free(&l);
    }
}

static void dense_backward_input_matches_plain_loops(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t s = 0; s < 2 * N_SIZES; s++) {
        layer l = layer_make(SIZES[s / 2][0], SIZES[s / 2][1], SIZES[s / 2][2], false, s);
        bool add = s % 2;
        double *want = doubles(l.n * l.ldx);
        float *dx = copy_floats(l.x, l.n * l.ldx);
        for (size_t i = 0; i < l.n; i++)
            for (size_t k = 0; k < l.ldx; k++) {
                want[i * l.ldx + k] = add || k >= l.d.in ? l.x[i * l.ldx + k] : 0;
                for (size_t j = 0; k < l.d.in && j < l.d.out; j++)
                    want[i * l.ldx + k] += (double)l.dy[i * l.ldy + j] * l.weight[j * l.d.in + k];
            }
        o->dense_backward_input(any_room(), dx, l.ldx, l.dy, l.ldy, &l.d, add, l.n);
        assert_close(o, "dx", dx, want, l.n * l.ldx, 2e-5);
        free(want);
        free(dx);
        layer_free(&l);
    }
}

static void dense_backward_weight_adds_what_plain_loops_add(void **state)
{
    (void)state;
    FOR_EACH_ISA(o)
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], true, s);
        size_t in = l.d.in, out = l.d.out;
        double *dweight = to_doubles(l.weight, in * out), *dbias = to_doubles(l.bias, out);
        float *got_weight = copy_floats(l.weight, in * out), *got_bias = copy_floats(l.bias, out);
        for (size_t i = 0; i < l.n; i++)
            for (size_t j = 0; j < out; j++) {
                dbias[j] += l.dy[i * l.ldy + j];
                for (size_t k = 0; k < in; k++)
                    dweight[j * in + k] += (double)l.dy[i * l.ldy + j] * l.x[i * l.ldx + k];
            }
        o->dense_backward_weight(any_room(), got_weight, NULL, l.dy, l.ldy, l.x, l.ldx, in, out, l.n);
        assert_close(o, "dweight", got_weight, dweight, in * out, 2e-6 * sqrt((double)l.n + 1));
        o->dense_backward_weight(any_room(), NULL, got_bias, l.dy, l.ldy, l.x, l.ldx, in, out, l.n);
        assert_close(o, "dbias", got_bias, dbias, out, 2e-6 * sqrt((double)l.n + 1));
        free(dweight);
        free(dbias);
        free(got_weight);
        free(got_bias);
        layer_free(&l);
    }
}

/* The gradients above are linear in their inputs; what differences can get wrong is the slope of an activation. */
static void slopes_are_those_of_the_activations(void **state)
{
    (void)state;
    for (size_t a = 0; a < N_ACTIVATIONS; a++)
        for (double x = -8.005; x < 8; x += 0.01) {
            double by_differences = (activate(x + 1e-6, ACTIVATIONS[a]) - activate(x - 1e-6, ACTIVATIONS[a])) / 2e-6;
            assert_true(fabs(by_differences - slope(x, ACTIVATIONS[a])) < 1e-8);
        }
}

/* A few units in the last place at all magnitudes; in GELU's far tail, a multiple of exp(-x^2 / 2), rounding x^2 alone
 * moves more of them. */
static void activations_are_accurate(void **state)
{
    (void)state;
    enum { N = 40001 };
    float *x = floats(N), *y = floats(N), *dx = floats(N), *one = floats(N), weight = 1;
    for (size_t i = 0; i < N; i++) {
        x[i] = ((float)i - N / 2) * (20.0f / N);
        one[i] = 1;
    }
    dense d = { .in = 1, .out = 1, .weight = &weight };
    FOR_EACH_ISA(o)
    for (size_t a = 0; a < N_ACTIVATIONS; a++) {
        activation act = ACTIVATIONS[a];
        o->dense_forward(any_room(), y, 1, NULL, x, 1, &d, act, N);
        o->activation_backward(dx, one, act == ACTIVATION_TANH ? y : x, act, N);
        for (size_t i = 0; i < N; i++) {
            double want = activate(x[i], act), error = fabs(y[i] - want), slope_error = fabs(dx[i] - slope(x[i], act));
            if (error > 4e-7 * fabs(want) * (1 + x[i] * x[i] / 4) + 1e-14 || slope_error > 6e-7)
                fail_msg("%s: activation %d at %.9g: %.9g for %.9g, slope %.9g for %.9g", o->name, act, (double)x[i],
                         (double)y[i], want, (double)dx[i], slope(x[i], act));
        }
    }
    free(x);
    free(y);
    free(dx);
    free(one);
}

static void activations_keep_what_is_not_a_number(void **state)
{
    (void)state;
    float x[3] = { NAN, INFINITY, -INFINITY }, y[3], weight = 1;
    dense d = { .in = 1, .out = 1, .weight = &weight };
    FOR_EACH_ISA(o)
    for (size_t a = 0; a < N_ACTIVATIONS; a++) {
        o->dense_forward(any_room(), y, 1, NULL, x, 1, &d, ACTIVATIONS[a], 3);
        if (ACTIVATIONS[a] != ACTIVATION_RELU)
            assert_true(isnan(y[0]));
        assert_true(ACTIVATIONS[a] == ACTIVATION_TANH ? y[1] == 1.0f : isinf(y[1]));
    }
}

/* The activation alone, of what dense_forward keeps as the value before it: the same bits as inside, beside y and in
 * its place. */
static void activation_forward_has_the_bits_of_dense_forward(void **state)
{
    (void)state;
    FOR_EACH_MULTIPLIER(m)
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], s % 3 != 0, s);
        size_t out = l.d.out, n = l.n * out;
        assert_int_equal(dense_pack_as(&l.d, m->precision, NULL), BERT_OK);
        for (size_t a = 0; a < N_ACTIVATIONS; a++) {
            float *inside = floats(n), *pre = floats(n), *alone = floats(n);
            m->o->dense_forward(any_room(), inside, out, pre, l.x, l.ldx, &l.d, ACTIVATIONS[a], l.n);
            m->o->activation_forward(alone, pre, ACTIVATIONS[a], n);
            assert_same_bits(m->o, "an activation alone", alone, inside, n);
            m->o->activation_forward(pre, pre, ACTIVATIONS[a], n);
            assert_same_bits(m->o, "an activation in place", pre, inside, n);
            free(inside);
            free(pre);
            free(alone);
        }
        layer_free(&l);
    }
}

static void activation_backward_multiplies_in_place(void **state)
{
    (void)state;
    enum { N = 1003 };
    random_stream r = { .seed = 5 };
    float *x = random_floats(&r, N, 2), *dy = random_floats(&r, N, 1), *apart = floats(N);
    double *want = doubles(N);
    FOR_EACH_ISA(o)
    for (size_t a = 0; a < N_ACTIVATIONS; a++) {
        activation act = ACTIVATIONS[a];
        for (size_t i = 0; i < N; i++)
            want[i] = dy[i] * (act == ACTIVATION_TANH ? 1 - (double)x[i] * x[i] : slope(x[i], act));
        float *dx = copy_floats(dy, N);
        o->activation_backward(dx, dx, x, act, N);
        assert_close(o, "dx", dx, want, N, 1e-6);
        o->activation_backward(apart, dy, x, act, N);
        assert_same_bits(o, "dx", apart, dx, N);
        free(dx);
    }
    free(x);
    free(dy);
    free(apart);
    free(want);
}

/* ---- bits -------------------------------------------------------------------------------------------------------- */

/* y of each run of rows equals those rows of the whole, for plain and packed weights. */
static void check_rows(const ops *o, const layer *l)
{
    size_t out = l->d.out;
    float *whole = floats(l->n * out), *part = floats(l->n * out);
    o->dense_forward(any_room(), whole, out, NULL, l->x, l->ldx, &l->d, ACTIVATION_GELU, l->n);
    for (size_t n = 1; n <= l->n; n = n < 40 ? n + 1 : n * 2)
        for (size_t first = 0; first + n <= l->n; first += n * 3 + 1) {
            o->dense_forward(any_room(), part, out, NULL, l->x + first * l->ldx, l->ldx, &l->d, ACTIVATION_GELU, n);
            assert_same_bits(o, "a row of fewer", part, whole + first * out, n * out);
        }
    free(whole);
    free(part);
}

static void a_rows_bits_do_not_depend_on_other_rows(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {
        { 130, 2048, 33 }, { 170, 1536, 33 }, { 90, 20, 384 }, { 40, 1029, 31 }, { 300, 384, 100 }
    };
    FOR_EACH_MULTIPLIER(m)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        layer l = layer_make(shapes[s][0], shapes[s][1], shapes[s][2], true, s);
        check_rows(m->o, &l);
        assert_int_equal(dense_pack_as(&l.d, m->precision, NULL), BERT_OK);
        check_rows(m->o, &l);
        layer_free(&l);
    }
}

/* Results of all three products, one behind another. */
static float *all_products(const ops *o, const void *subject, size_t *size)
{
    const layer *l = subject;
    size_t in = l->d.in, out = l->d.out, n = l->n;
    *size = 2 * n * out + n * in + in * out + out;
    float *all = floats(*size), *pre = all + n * out, *dx = pre + n * out, *dweight = dx + n * in,
          *dbias = dweight + in * out;
    o->dense_forward(any_room(), all, out, pre, l->x, l->ldx, &l->d, ACTIVATION_GELU, n);
    o->dense_backward_input(any_room(), dx, in, l->dy, l->ldy, &l->d, false, n);
    o->dense_backward_weight(any_room(), dweight, dbias, l->dy, l->ldy, l->x, l->ldx, in, out, n);
    return all;
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const size_t shapes[][3] = { { 700, 384, 384 }, { 11, 384, 1536 }, { 64, 1536, 130 }, { 500, 64, 20 } };
    FOR_EACH_MULTIPLIER(m)
    for (size_t s = 0; s < 8; s++) {
        layer l = layer_make(shapes[s / 2][0], shapes[s / 2][1], shapes[s / 2][2], true, s);
        if (s % 2)
            assert_int_equal(dense_pack_as(&l.d, m->precision, NULL), BERT_OK);
        assert_bits_of_threads(m->o, all_products, &l);
        layer_free(&l);
    }
}

static void packed_and_plain_weights_give_the_same_bits(void **state)
{
    (void)state;
    FOR_EACH_MULTIPLIER(m)
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], true, s);
        size_t size;
        float *plain = all_products(m->o, &l, &size);
        assert_int_equal(dense_pack_as(&l.d, m->precision, NULL), BERT_OK);
        float *packed = all_products(m->o, &l, &size);
        assert_same_bits(m->o, "packed", packed, plain, size);
        free(plain);
        free(packed);
        layer_free(&l);
    }
}

static void instruction_sets_give_the_same_bits(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SIZES; s++) {
        layer l = layer_make(SIZES[s][0], SIZES[s][1], SIZES[s][2], true, s);
        size_t size;
        float *first = all_products(ops_named(ops_available()[0]), &l, &size);
        FOR_EACH_ISA(o)
        {
            float *other = all_products(o, &l, &size);
            assert_same_bits(o, "a product", other, first, size);
            free(other);
        }
        free(first);
        layer_free(&l);
    }
}

static void packing_again_follows_the_weights(void **state)
{
    (void)state;
    layer l = layer_make(3, 12, 20, true, 1);
    assert_int_equal(dense_pack(&l.d, NULL), BERT_OK);
    l.weight[0] += 1;
    assert_int_equal(dense_pack(&l.d, NULL), BERT_OK);
    FOR_EACH_ISA(o)
    check_forward(o, &l, "y, packed again");
    dense_unpack(&l.d);
    assert_null(l.d.packed);
    layer_free(&l);
}

static void packing_more_than_memory_holds_is_refused(void **state)
{
    (void)state;
    bert_err err = { 0 };
    dense d = { .in = SIZE_MAX / 64, .out = 1000 };
    assert_int_equal(dense_pack(&d, &err), BERT_ERR_MEMORY);
    assert_non_null(strstr(err.message, "packed weights"));
    assert_null(d.packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_forward_matches_plain_loops),
        cmocka_unit_test(dense_backward_input_matches_plain_loops),
        cmocka_unit_test(dense_backward_weight_adds_what_plain_loops_add),
        cmocka_unit_test(slopes_are_those_of_the_activations),
        cmocka_unit_test(activations_are_accurate),
        cmocka_unit_test(activations_keep_what_is_not_a_number),
        cmocka_unit_test(activation_forward_has_the_bits_of_dense_forward),
        cmocka_unit_test(activation_backward_multiplies_in_place),
        cmocka_unit_test(a_rows_bits_do_not_depend_on_other_rows),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(packed_and_plain_weights_give_the_same_bits),
        cmocka_unit_test(instruction_sets_give_the_same_bits),
        cmocka_unit_test(packing_again_follows_the_weights),
        cmocka_unit_test(packing_more_than_memory_holds_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
