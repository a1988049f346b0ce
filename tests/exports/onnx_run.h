/* Runs an ONNX file by the words of its operators' specification, plainly and in double precision: what an export must
 * come out as. Knows the operators of an exported model and no others. */
#pragma once

#include "base/scratch.h"
#include "onnx.pb-c.h"

#include <math.h>

enum { RUN_RANK = 4, RUN_VALUES = 1024 };

typedef struct run_value {
    const char *name;
    size_t rank;
    int64_t dims[RUN_RANK];
    double *x;
} run_value;

typedef struct run {
    Onnx__ModelProto *model;
    arena memory;
    run_value values[RUN_VALUES];
    size_t n;
} run;

static inline size_t run_count(const run_value *v)
{
    size_t n = 1;
    for (size_t i = 0; i < v->rank; i++)
        n *= (size_t)v->dims[i];
    return n;
}

static inline run_value *run_make(run *r, const char *name, size_t rank, const int64_t *dims)
{
    assert_true(r->n < RUN_VALUES && rank <= RUN_RANK);
    run_value *v = &r->values[r->n++];
    *v = (run_value){ .name = name, .rank = rank };
    if (rank)
        memcpy(v->dims, dims, rank * sizeof *dims);
    v->x = arena_array(&r->memory, run_count(v), sizeof *v->x);
    assert_non_null(v->x);
    return v;
}

static inline const run_value *run_find(const run *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (!strcmp(r->values[i].name, name))
            return &r->values[i];
    fail_msg("there is no tensor %s", name);
    return NULL;
}

static inline const Onnx__AttributeProto *run_attribute(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (!strcmp(node->attribute[i]->name, name))
            return node->attribute[i];
    return NULL;
}

static inline size_t run_axis(int64_t axis, size_t rank)
{
    return (size_t)(axis < 0 ? axis + (int64_t)rank : axis);
}

/* ---- operators --------------------------------------------------------------------------------------------------- */

typedef struct run_call {
    run *r;
    const Onnx__NodeProto *node;
    const run_value *in[5];
    size_t n;
} run_call;

typedef double run_function(double a, double b);

/* Where the element of an output stands in an input that is stretched to its shape. */
static inline size_t run_offset(const run_value *v, const run_value *out, size_t index)
{
    size_t offset = 0, step = 1;
    for (size_t i = 0; i < out->rank; i++) {
        size_t d = out->rank - 1 - i, at = index % (size_t)out->dims[d];
        index /= (size_t)out->dims[d];
        if (i >= v->rank)
            continue;
        size_t side = (size_t)v->dims[v->rank - 1 - i];
        assert_true(side == 1 || side == (size_t)out->dims[d]);
        offset += side == 1 ? 0 : at * step;
        step *= side;
    }
    return offset;
}

static inline run_value *run_stretched(run_call *c)
{
    int64_t dims[RUN_RANK] = { 0 };
    size_t rank = 0;
    for (size_t i = 0; i < c->n; i++)
        rank = c->in[i]->rank > rank ? c->in[i]->rank : rank;
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->in[i]->rank; k++) {
            int64_t *d = &dims[rank - 1 - k], side = c->in[i]->dims[c->in[i]->rank - 1 - k];
            *d = side > *d ? side : *d;
        }
    return run_make(c->r, c->node->output[0], rank, dims);
}

static inline void run_binary(run_call *c, run_function *f)
{
    run_value *out = run_stretched(c);
    for (size_t i = 0; i < run_count(out); i++)
        out->x[i] = f(c->in[0]->x[run_offset(c->in[0], out, i)], c->in[1]->x[run_offset(c->in[1], out, i)]);
}

static inline void run_unary(run_call *c, double (*f)(double))
{
    run_value *out = run_make(c->r, c->node->output[0], c->in[0]->rank, c->in[0]->dims);
    for (size_t i = 0; i < run_count(out); i++)
        out->x[i] = f(c->in[0]->x[i]);
}

/* clang-format off */
static inline double run_plus(double a, double b) { return a + b; }
static inline double run_minus(double a, double b) { return a - b; }
static inline double run_times(double a, double b) { return a * b; }
static inline double run_over(double a, double b) { return a / b; }
static inline double run_logistic(double x) { return 1 / (1 + exp(-x)); }
static inline double run_positive(double x) { return x > 0 ? x : 0; }
static inline void run_add(run_call *c) { run_binary(c, run_plus); }
static inline void run_sub(run_call *c) { run_binary(c, run_minus); }
static inline void run_mul(run_call *c) { run_binary(c, run_times); }
static inline void run_div(run_call *c) { run_binary(c, run_over); }
static inline void run_pow(run_call *c) { run_binary(c, pow); }
static inline void run_max(run_call *c) { run_binary(c, fmax); }
static inline void run_min(run_call *c) { run_binary(c, fmin); }
static inline void run_erf(run_call *c) { run_unary(c, erf); }
static inline void run_tanh(run_call *c) { run_unary(c, tanh); }
static inline void run_sqrt(run_call *c) { run_unary(c, sqrt); }
static inline void run_sigmoid(run_call *c) { run_unary(c, run_logistic); }
static inline void run_relu(run_call *c) { run_unary(c, run_positive); }
/* clang-format on */

static inline void run_where(run_call *c)
{
    run_value *out = run_stretched(c);
    for (size_t i = 0; i < run_count(out); i++) {
        const run_value *from = c->in[c->in[0]->x[run_offset(c->in[0], out, i)] != 0 ? 1 : 2];
        out->x[i] = from->x[run_offset(from, out, i)];
    }
}

/* All numbers are doubles here: a cast only must not be one that loses something. */
static inline void run_cast(run_call *c)
{
    run_value *out = run_make(c->r, c->node->output[0], c->in[0]->rank, c->in[0]->dims);
    bool boolean = run_attribute(c->node, "to")->i == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
    for (size_t i = 0; i < run_count(out); i++)
        out->x[i] = boolean ? c->in[0]->x[i] != 0 : c->in[0]->x[i];
}

static inline void run_reshape(run_call *c)
{
    int64_t dims[RUN_RANK];
    size_t rank = run_count(c->in[1]);
    for (size_t i = 0; i < rank; i++) /* 0: as it is */
        dims[i] = c->in[1]->x[i] != 0 ? (int64_t)c->in[1]->x[i] : c->in[0]->dims[i];
    run_value *out = run_make(c->r, c->node->output[0], rank, dims);
    assert_int_equal(run_count(out), run_count(c->in[0]));
    memcpy(out->x, c->in[0]->x, run_count(out) * sizeof *out->x);
}

/* Unsqueeze and Squeeze of one axis: the numbers stay where they are. */
static inline void run_change_axis(run_call *c, bool insert)
{
    int64_t dims[RUN_RANK];
    size_t axis = (size_t)c->in[1]->x[0], rank = 0;
    for (size_t i = 0; i < c->in[0]->rank + insert; i++) {
        if (i == axis && insert)
            dims[rank++] = 1;
        else if (i != axis || insert)
            dims[rank++] = c->in[0]->dims[i - (insert && i > axis)];
    }
    run_value *out = run_make(c->r, c->node->output[0], rank, dims);
    assert_int_equal(run_count(out), run_count(c->in[0]));
    memcpy(out->x, c->in[0]->x, run_count(out) * sizeof *out->x);
}

static inline void run_unsqueeze(run_call *c)
{
    run_change_axis(c, true);
}

static inline void run_squeeze(run_call *c)
{
    run_change_axis(c, false);
}

static inline void run_transpose(run_call *c)
{
    const run_value *in = c->in[0];
    const int64_t *perm = run_attribute(c->node, "perm")->ints;
    int64_t dims[RUN_RANK];
    size_t steps[RUN_RANK], step = 1;
    for (size_t i = in->rank; i-- > 0; step *= (size_t)in->dims[i])
        steps[i] = step;
    for (size_t i = 0; i < in->rank; i++)
        dims[i] = in->dims[perm[i]];
    run_value *out = run_make(c->r, c->node->output[0], in->rank, dims);
    for (size_t i = 0; i < run_count(out); i++) {
        size_t from = 0, index = i;
        for (size_t d = in->rank; d-- > 0; index /= (size_t)dims[d])
            from += index % (size_t)dims[d] * steps[perm[d]];
        out->x[i] = in->x[from];
    }
}

/* (..., n, k) by (..., k, m); what stands before is the same, or the second has nothing there. */
static inline void run_matmul(run_call *c)
{
    const run_value *a = c->in[0], *b = c->in[1];
    int64_t dims[RUN_RANK];
    size_t n = (size_t)a->dims[a->rank - 2], k = (size_t)a->dims[a->rank - 1], m = (size_t)b->dims[b->rank - 1];
    assert_int_equal(b->dims[b->rank - 2], k);
    memcpy(dims, a->dims, sizeof dims);
    dims[a->rank - 1] = (int64_t)m;
    run_value *out = run_make(c->r, c->node->output[0], a->rank, dims);
    size_t batches = run_count(a) / (n * k), batches_b = run_count(b) / (k * m);
    assert_true(batches_b == 1 || batches_b == batches);
    for (size_t i = 0; i < batches * n * m; i++) {
        const double *row = a->x + i / m * k, *column = b->x + (batches_b == 1 ? 0 : i / (n * m)) * k * m + i % m;
        double sum = 0;
        for (size_t at = 0; at < k; at++)
            sum += row[at] * column[at * m];
        out->x[i] = sum;
    }
}

static inline void run_gather(run_call *c) /* along the first axis of a matrix */
{
    const run_value *table = c->in[0], *index = c->in[1];
    int64_t dims[RUN_RANK];
    memcpy(dims, index->dims, sizeof dims);
    dims[index->rank] = table->dims[1];
    run_value *out = run_make(c->r, c->node->output[0], index->rank + 1, dims);
    for (size_t i = 0, width = (size_t)table->dims[1]; i < run_count(out); i++) {
        int64_t row = (int64_t)index->x[i / width];
        assert_true(row >= 0 && row < table->dims[0]);
        out->x[i] = table->x[(size_t)row * width + i % width];
    }
}

static inline void run_slice(run_call *c) /* along one axis, forward */
{
    const run_value *in = c->in[0];
    size_t axis = c->n > 3 ? run_axis((int64_t)c->in[3]->x[0], in->rank) : 0, inner = 1;
    int64_t dims[RUN_RANK], start = (int64_t)c->in[1]->x[0], end = (int64_t)c->in[2]->x[0];
    memcpy(dims, in->dims, sizeof dims);
    end = end < in->dims[axis] ? end : in->dims[axis];
    dims[axis] = end - start;
    for (size_t i = axis + 1; i < in->rank; i++)
        inner *= (size_t)in->dims[i];
    run_value *out = run_make(c->r, c->node->output[0], in->rank, dims);
    for (size_t i = 0, piece = (size_t)dims[axis] * inner; i < run_count(out); i++)
        out->x[i] = in->x[(i / piece * (size_t)in->dims[axis] + (size_t)start) * inner + i % piece];
}

static inline void run_shape(run_call *c)
{
    run_value *out = run_make(c->r, c->node->output[0], 1, (const int64_t[]){ (int64_t)c->in[0]->rank });
    for (size_t i = 0; i < c->in[0]->rank; i++)
        out->x[i] = (double)c->in[0]->dims[i];
}

static inline void run_range(run_call *c)
{
    double first = c->in[0]->x[0], end = c->in[1]->x[0], step = c->in[2]->x[0];
    run_value *out = run_make(c->r, c->node->output[0], 1, (const int64_t[]){ (int64_t)((end - first) / step) });
    for (size_t i = 0; i < run_count(out); i++)
        out->x[i] = first + step * (double)i;
}

static inline void run_softmax(run_call *c)
{
    run_value *out = run_make(c->r, c->node->output[0], c->in[0]->rank, c->in[0]->dims);
    size_t width = (size_t)out->dims[run_axis(run_attribute(c->node, "axis")->i, out->rank)];
    assert_int_equal(run_axis(run_attribute(c->node, "axis")->i, out->rank), out->rank - 1);
    for (size_t first = 0; first < run_count(out); first += width) {
        const double *x = c->in[0]->x + first;
        double most = -INFINITY, sum = 0;
        for (size_t i = 0; i < width; i++)
            most = fmax(most, x[i]);
        for (size_t i = 0; i < width; i++)
            sum += out->x[first + i] = exp(x[i] - most);
        for (size_t i = 0; i < width; i++)
            out->x[first + i] /= sum;
    }
}

static inline void run_layer_norm(run_call *c)
{
    run_value *out = run_make(c->r, c->node->output[0], c->in[0]->rank, c->in[0]->dims);
    size_t width = (size_t)out->dims[out->rank - 1];
    for (size_t first = 0; first < run_count(out); first += width) {
        const double *x = c->in[0]->x + first;
        double mean = 0, variance = 0;
        for (size_t i = 0; i < width; i++)
            mean += x[i] / (double)width;
        for (size_t i = 0; i < width; i++)
            variance += (x[i] - mean) * (x[i] - mean) / (double)width;
        double scale = 1 / sqrt(variance + (double)run_attribute(c->node, "epsilon")->f);
        for (size_t i = 0; i < width; i++)
            out->x[first + i] = (x[i] - mean) * scale * c->in[1]->x[i] + c->in[2]->x[i];
    }
}

/* Of the second of three axes, which goes away. */
static inline void run_reduce(run_call *c, run_function *f, double start, int64_t axis)
{
    const run_value *in = c->in[0];
    assert_int_equal(axis, 1);
    assert_int_equal(run_attribute(c->node, "keepdims")->i, 0);
    run_value *out = run_make(c->r, c->node->output[0], 2, (const int64_t[]){ in->dims[0], in->dims[2] });
    for (size_t i = 0, width = (size_t)in->dims[2], n = (size_t)in->dims[1]; i < run_count(out); i++) {
        out->x[i] = start;
        for (size_t t = 0; t < n; t++)
            out->x[i] = f(out->x[i], in->x[(i / width * n + t) * width + i % width]);
    }
}

static inline void run_reduce_sum(run_call *c)
{
    run_reduce(c, run_plus, 0, (int64_t)c->in[1]->x[0]);
}

static inline void run_reduce_max(run_call *c)
{
    run_reduce(c, fmax, -INFINITY, run_attribute(c->node, "axes")->ints[0]);
}

static inline void run_reduce_l2(run_call *c) /* of the rows of a matrix */
{
    const run_value *in = c->in[0];
    assert_int_equal(run_attribute(c->node, "axes")->ints[0], 1);
    assert_int_equal(run_attribute(c->node, "keepdims")->i, 1);
    run_value *out = run_make(c->r, c->node->output[0], 2, (const int64_t[]){ in->dims[0], 1 });
    for (int64_t i = 0; i < in->dims[0] * in->dims[1]; i++)
        out->x[i / in->dims[1]] = hypot(out->x[i / in->dims[1]], in->x[i]);
}

static inline void run_concat(run_call *c) /* of matrices, side by side */
{
    const run_value *a = c->in[0], *b = c->in[1];
    assert_int_equal(run_attribute(c->node, "axis")->i, 1);
    run_value *out = run_make(c->r, c->node->output[0], 2, (const int64_t[]){ a->dims[0], a->dims[1] + b->dims[1] });
    for (int64_t i = 0; i < out->dims[0]; i++)
        for (int64_t k = 0; k < out->dims[1]; k++)
            out->x[i * out->dims[1] + k] = k < a->dims[1] ? a->x[i * a->dims[1] + k]
                                                          : b->x[i * b->dims[1] + k - a->dims[1]];
}

static const struct {
    const char *name;
    void (*run)(run_call *c);
} RUN_OPERATORS[] = {
    { "Add", run_add },
    { "Sub", run_sub },
    { "Mul", run_mul },
    { "Div", run_div },
    { "Pow", run_pow },
    { "Erf", run_erf },
    { "Tanh", run_tanh },
    { "Sqrt", run_sqrt },
    { "Sigmoid", run_sigmoid },
    { "Relu", run_relu },
    { "Where", run_where },
    { "Cast", run_cast },
    { "Reshape", run_reshape },
    { "Unsqueeze", run_unsqueeze },
    { "Squeeze", run_squeeze },
    { "Transpose", run_transpose },
    { "MatMul", run_matmul },
    { "Gather", run_gather },
    { "Slice", run_slice },
    { "Shape", run_shape },
    { "Softmax", run_softmax },
    { "LayerNormalization", run_layer_norm },
    { "Concat", run_concat },
    { "ReduceSum", run_reduce_sum },
    { "ReduceMax", run_reduce_max },
    { "ReduceL2", run_reduce_l2 },
    { "Max", run_max },
    { "Min", run_min },
    { "Range", run_range },
};

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static inline void run_initializer(run *r, const Onnx__TensorProto *t)
{
    run_value *v = run_make(r, t->name, t->n_dims, t->dims);
    size_t n = run_count(v),
           size = t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ? sizeof(float) : sizeof(int64_t);
    assert_int_equal(t->raw_data.len, n * size);
    for (size_t i = 0; i < n; i++) {
        float number;
        int64_t integer;
        memcpy(size == sizeof number ? (void *)&number : (void *)&integer, t->raw_data.data + i * size, size);
        v->x[i] = size == sizeof number ? (double)number : (double)integer;
    }
}

/* Reads a file; its weights become values. */
static inline void run_open(run *r, const char *path)
{
    file_mapping m;
    *r = (run){ 0 };
    assert_works(file_map(&m, path, err));
    r->model = onnx__model_proto__unpack(NULL, m.size, m.data);
    file_unmap(&m);
    assert_non_null(r->model);
    for (size_t i = 0; i < r->model->graph->n_initializer; i++)
        run_initializer(r, r->model->graph->initializer[i]);
}

static inline void run_close(run *r)
{
    onnx__model_proto__free_unpacked(r->model, NULL);
    arena_free(&r->memory);
}

/* An input, (n, width) whole numbers. */
static inline void run_input(run *r, const char *name, const int32_t *numbers, size_t n, size_t width)
{
    run_value *v = run_make(r, name, 2, (const int64_t[]){ (int64_t)n, (int64_t)width });
    for (size_t i = 0; i < n * width; i++)
        v->x[i] = numbers[i];
}

static inline void run_node(run *r, const Onnx__NodeProto *node)
{
    run_call c = { .r = r, .node = node, .n = node->n_input };
    assert_true(c.n <= sizeof c.in / sizeof *c.in);
    for (size_t i = 0; i < c.n; i++)
        c.in[i] = run_find(r, node->input[i]);
    for (size_t i = 0; i < sizeof RUN_OPERATORS / sizeof *RUN_OPERATORS; i++)
        if (!strcmp(RUN_OPERATORS[i].name, node->op_type)) {
            RUN_OPERATORS[i].run(&c);
            return;
        }
    fail_msg("operator %s", node->op_type);
}

static inline void run_nodes(run *r)
{
    for (size_t i = 0; i < r->model->graph->n_node; i++)
        run_node(r, r->model->graph->node[i]);
}
