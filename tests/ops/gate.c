/* Gated activations and rotary positions against plain loops in double. */
#include "check.h"

static const activation ACTS[] = { ACTIVATION_NONE, ACTIVATION_GELU, ACTIVATION_GELU_TANH,
                                   ACTIVATION_RELU, ACTIVATION_SILU, ACTIVATION_TANH };
static const size_t WIDTHS[] = { 1, 5, 20, 33, 1152 };
enum { N_ACTS = sizeof ACTS / sizeof *ACTS, N_WIDTHS = sizeof WIDTHS / sizeof *WIDTHS, ROWS = 40 };

/* ---- gates ------------------------------------------------------------------------------------------------------- */

static double act_of(double x, activation act)
{
    switch (act) {
    case ACTIVATION_GELU:
        return x / 2 * (1 + erf(x / sqrt(2)));
    case ACTIVATION_GELU_TANH:
        return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case ACTIVATION_RELU:
        return x > 0 ? x : 0;
    case ACTIVATION_SILU:
        return x / (1 + exp(-x));
    case ACTIVATION_TANH:
        return tanh(x);
    default:
        return x;
    }
}

/* x (ROWS, 2 width), dy and what the reference makes of them */
typedef struct gate_case {
    activation act;
    size_t width;
    float *x, *dy;
    double *x64, *dy64, *y, *dx;
} gate_case;

static void gate_reference(gate_case *t)
{
    for (size_t i = 0; i < ROWS; i++)
        for (size_t c = 0; c < t->width; c++)
            t->y[i * t->width + c] = act_of(t->x64[i * 2 * t->width + c], t->act) *
                                     t->x64[(i * 2 + 1) * t->width + c];
}

static double gate_loss(void *context)
{
    gate_case *t = context;
    double loss = 0;
    gate_reference(t);
    for (size_t i = 0; i < ROWS * t->width; i++)
        loss += t->y[i] * t->dy64[i];
    return loss;
}

static gate_case gate_make(activation act, size_t width)
{
    random_stream r = { .seed = width };
    gate_case t = { .act = act, .width = width };
    t.x = random_floats(&r, ROWS * 2 * width, 2);
    t.dy = random_floats(&r, ROWS * width, 1);
    t.x64 = to_doubles(t.x, ROWS * 2 * width);
    t.dy64 = to_doubles(t.dy, ROWS * width);
    t.y = doubles(ROWS * width);
    t.dx = doubles(ROWS * 2 * width);
    gate_reference(&t);
    for (size_t i = 0; i < ROWS * width; i++) {
        size_t a = i / width * 2 * width + i % width, b = a + width;
        double h = 1e-6;
        double rise = (act_of(t.x64[a] + h, act) - act_of(t.x64[a] - h, act)) / (2 * h);
        t.dx[a] = t.dy64[i] * t.x64[b] * rise;
        t.dx[b] = t.dy64[i] * act_of(t.x64[a], act);
    }
    return t;
}

static void gate_free(gate_case *t)
{
    void *all[] = { t->x, t->dy, t->x64, t->dy64, t->y, t->dx };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void gates_and_their_backward_match_plain_loops(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ACTS * N_WIDTHS; i++) {
        gate_case t = gate_make(ACTS[i / N_WIDTHS], WIDTHS[i % N_WIDTHS]);
        size_t n = ROWS * t.width;
        FOR_EACH_ISA(o)
        {
            float *y = floats(n), *dx = floats(2 * n), *in_place = copy_floats(t.x, 2 * n);
            o->gate_forward(y, t.x, t.act, t.width, ROWS);
            assert_close(o, "y", y, t.y, n, 2e-6);
            o->gate_backward(dx, t.dy, t.x, t.act, t.width, ROWS);
            assert_close(o, "dx", dx, t.dx, 2 * n, 5e-6);
            o->gate_backward(in_place, t.dy, in_place, t.act, t.width, ROWS);
            assert_same_bits(o, "dx in place", in_place, dx, 2 * n);
            free(y);
            free(dx);
            free(in_place);
        }
        gate_free(&t);
    }
}

static void the_references_gradients_are_those_of_differences(void **state)
{
    (void)state;
    gate_case t = gate_make(ACTIVATION_GELU, 5);
    assert_gradient("dx", gate_loss, &t, t.x64, t.dx, ROWS * 2 * t.width);
    gate_free(&t);
}

/* ---- rotary positions -------------------------------------------------------------------------------------------- */

enum { PLACES = 50 };

/* x (ROWS, ld) with heads of D, and what the reference makes of it */
typedef struct turn_case {
    size_t heads, D, ld;
    float *x, *turns;
    double *y, *back;
    int32_t places[ROWS];
} turn_case;

static turn_case turn_make(size_t heads, size_t D)
{
    random_stream r = { .seed = D };
    turn_case t = { .heads = heads, .D = D, .ld = heads * D + 3 };
    size_t half = D / 2;
    t.x = random_floats(&r, ROWS * t.ld, 1);
    t.turns = floats(PLACES * D);
    t.y = to_doubles(t.x, ROWS * t.ld);
    t.back = to_doubles(t.x, ROWS * t.ld);
    for (size_t i = 0; i < PLACES * half; i++) {
        double angle = (double)(i / half) * pow(10000, -(double)(i % half) / (double)half);
        t.turns[i / half * D + i % half] = (float)cos(angle);
        t.turns[i / half * D + half + i % half] = (float)sin(angle);
    }
    for (size_t i = 0; i < ROWS; i++)
        t.places[i] = (int32_t)random_below(&r, PLACES);
    for (size_t i = 0; i < ROWS * heads * half; i++) {
        size_t row = i / (heads * half), a = row * t.ld + i / half % heads * D + i % half, b = a + half;
        const float *turn = t.turns + (size_t)t.places[row] * D;
        double c = turn[i % half], s = turn[half + i % half], x = t.x[a], z = t.x[b];
        t.y[a] = x * c - z * s;
        t.y[b] = z * c + x * s;
        t.back[a] = x * c + z * s;
        t.back[b] = z * c - x * s;
    }
    return t;
}

static void rotations_match_plain_loops(void **state)
{
    (void)state;
    static const size_t SIZES[][2] = { { 3, 2 }, { 2, 8 }, { 3, 24 }, { 2, 64 }, { 1, 126 } };
    for (size_t i = 0; i < 5; i++) {
        turn_case t = turn_make(SIZES[i][0], SIZES[i][1]);
        size_t n = ROWS * t.ld;
        FOR_EACH_ISA(o)
        {
            float *y = copy_floats(t.x, n), *back = copy_floats(t.x, n), *alone = copy_floats(t.x, n);
            o->rotate(y, t.ld, t.heads, t.D, t.turns, t.places, false, ROWS);
            assert_close(o, "y", y, t.y, n, 5e-7); /* what stands between rows is as it was */
            o->rotate(back, t.ld, t.heads, t.D, t.turns, t.places, true, ROWS);
            assert_close(o, "back", back, t.back, n, 5e-7);
            for (size_t row = 0; row < ROWS; row++)
                o->rotate(alone + row * t.ld, t.ld, t.heads, t.D, t.turns, t.places + row, false, 1);
            assert_same_bits(o, "a row alone", alone, y, n);
            free(y);
            free(back);
            free(alone);
        }
        free(t.x);
        free(t.turns);
        free(t.y);
        free(t.back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gates_and_their_backward_match_plain_loops),
        cmocka_unit_test(the_references_gradients_are_those_of_differences),
        cmocka_unit_test(rotations_match_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
