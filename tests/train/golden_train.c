/* Golden: ten steps of training from the golden files; loss, every gradient of the first step, every weight after one
 * and ten steps. */
#include "golden.h"

#include "each_isa.h"
#include "layers/layer.h"
#include "models/model.h"
#include "ops/loss.h"
#include "train/step.h"

/* A variant of golden/train, as its .json says. */
typedef struct variant {
    const char *name;
    int pooling;
    bert_task task;
    size_t outputs;
    bool squared_error; /* one output, no activation: a loss in the caller's own code */
    bool tune_all;
} variant;

static const variant VARIANTS[] = {
    { "cls", BERT_POOLING_CLS, BERT_TASK_BINARY, 1, false, false },
    { "mean", BERT_POOLING_MEAN, BERT_TASK_BINARY, 1, false, false },
    { "tune_all", BERT_POOLING_CLS, BERT_TASK_BINARY, 1, false, true },
    { "softmax3", BERT_POOLING_CLS, BERT_TASK_MULTICLASS, 3, false, false },
    { "mse", BERT_POOLING_CLS, BERT_TASK_BINARY, 1, true, false },
};

/* Ten times what torch in float32 shows, as the README says. */
typedef struct allowed {
    double loss, gradient, change; /* absolute; relative L2; relative L2 of the change over ten steps */
    double weight;                 /* largest single weight after ten steps, in learning rates */
} allowed;

enum { STEPS = 10, BATCH = 16 };

/* The batches of a golden file. */
typedef struct golden_batches {
    size_t seq_len;
    int32_t *ids, *mask, *segments, *label01, *label3;
    float *target;
} golden_batches;

static golden_batches read_batches(const tensor_set *set)
{
    const tensor *ids = golden(set, "batch.input_ids");
    assert_int_equal(ids->rank, 3);
    assert_int_equal(ids->shape[0], STEPS);
    assert_int_equal(ids->shape[1], BATCH);
    return (golden_batches){ (size_t)ids->shape[2],
                             golden_ints(ids),
                             golden_ints(golden(set, "batch.input_mask")),
                             golden_ints(golden(set, "batch.segment_ids")),
                             golden_ints(golden(set, "batch.label01")),
                             golden_ints(golden(set, "batch.label3")),
                             golden_floats(golden(set, "batch.target")) };
}

/* Whether a weight is stored transposed in the golden files: Google's kernels. */
static bool is_kernel(const char *name, const bert_param *p)
{
    return p->cols > 1 && !strstr(name, "embeddings");
}

/* Google's name of a weight of ours, as the golden files have it. */
static const char *google_name(const char *name, char out[160])
{
    if (!strcmp(name, "classifier.weight"))
        return "head/kernel";
    if (!strcmp(name, "classifier.bias"))
        return "head/bias";
    char *o = out + sprintf(out, "bert/");
    const char *layer = strstr(name, "encoder.layer.");
    const char *p = name;
    if (layer) {
        o += sprintf(o, "encoder/layer_");
        p = layer + strlen("encoder.layer.");
    }
    for (; *p; p++)
        *o++ = *p == '.' ? '/' : *p;
    *o = 0;
    char *last = strrchr(out, '/') + 1;
    bool norm = strstr(out, "LayerNorm") != NULL, embedding = strstr(out, "_embeddings/") != NULL;
    if (embedding)
        last[-1] = 0;
    else if (!strcmp(last, "weight"))
        strcpy(last, norm ? "gamma" : "kernel");
    else if (norm)
        strcpy(last, "beta");
    return out;
}

/* Element i of a golden tensor of this weight, in our orientation. */
static size_t golden_index(const bert_param *p, bool transposed, size_t i)
{
    return transposed ? (i % p->cols) * p->rows + i / p->cols : i;
}

/* sum (a - b)^2 and sum b^2 over a weight, where the golden file holds its first `held` elements. */
typedef struct comparison {
    double difference, reference, worst;
} comparison;

static comparison compare(const float *got, const float *expected, const bert_param *p, bool transposed, size_t held,
                          const float *minus)
{
    comparison c = { 0 };
    for (size_t i = 0; i < p->rows * p->cols; i++) {
        size_t g = golden_index(p, transposed, i);
        if (g >= held)
            continue;
        double d = (double)got[i] - expected[g], r = expected[g] - (minus ? (double)minus[i] : 0);
        c.difference += d * d;
        c.reference += r * r;
        c.worst = fabs(d) > c.worst ? fabs(d) : c.worst;
    }
    return c;
}

/* The .json beside a golden file has norms and sums of every whole tensor, of which the file itself may hold the first
 * elements alone. */
static double statistic(const json_t *index, const variant *v, const char *google, const char *what)
{
    const json_t *of_variant = json_object_get(json_object_get(index, "variants"), v->name);
    const json_t *value = json_object_get(json_object_get(json_object_get(of_variant, "tensors"), google), what);
    if (!json_is_real(value) && !json_is_integer(value))
        fail_msg("the index has no %s of %s %s", what, v->name, google);
    return json_number_value(value);
}

/* Norm and sum of a whole tensor (minus another, where given) against the index; a sum may be off by what its elements
 * may together. */
static void check_whole(const json_t *index, const variant *v, const char *google, const char *norm_name,
                        const char *sum_name, const float *x, const float *minus, size_t n, double relative)
{
    double squares = 0, sum = 0, norm = statistic(index, v, google, norm_name),
           expected_sum = statistic(index, v, google, sum_name);
    for (size_t i = 0; i < n; i++) {
        double d = minus ? (double)x[i] - minus[i] : x[i];
        squares += d * d;
        sum += x[i];
    }
    if (!(fabs(sqrt(squares) - norm) <= relative * norm))
        fail_msg("%s %s of %s is %.9g, expected %.9g", v->name, norm_name, google, sqrt(squares), norm);
    if (!(fabs(sum - expected_sum) <= relative * norm * sqrt((double)n)))
        fail_msg("%s %s of %s is %.9g, expected %.9g", v->name, sum_name, google, sum, expected_sum);
}

static void check_tensors(const bert_model *m, const tensor_set *set, const json_t *index, const variant *v,
                          const char *what, bool toy, float *const *before, const allowed *most, double lr)
{
    const weight_list *w = &m->layer->weights;
    for (size_t i = 0; i < w->n; i++) {
        const bert_param *p = &w->items[i];
        char name[160];
        if (!p->tuned)
            continue;
        const char *google = google_name(p->name, name);
        const tensor *t = golden(set, toy ? "%s.%s.%s" : "%s.%s_first64.%s", v->name, what, google);
        bool gradient = !strcmp(what, "grad"), key_bias = strstr(google, "key/bias") != NULL;
        comparison c = compare(gradient ? p->grad : p->value, golden_floats(t), p, is_kernel(google, p), t->n,
                               gradient ? NULL : before[i]);
        if (key_bias) { /* zero in mathematics, noise in float32 */
            if (!(c.worst < (gradient ? 1e-6 : 3 * lr)))
                fail_msg("%s %s %s: off by %g", v->name, what, google, c.worst);
            continue;
        }
        double limit = gradient ? most->gradient : most->change;
        char norm_name[32], sum_name[32];
        snprintf(norm_name, sizeof norm_name, gradient ? "%s_l2" : "%s_change_l2", what);
        snprintf(sum_name, sizeof sum_name, "%s_sum", what);
        check_whole(index, v, google, norm_name, sum_name, gradient ? p->grad : p->value, gradient ? NULL : before[i],
                    weight_size(p), limit);
        /* A part is measured by the whole tensor's root mean square: its own may be small by chance. */
        double norm = statistic(index, v, google, norm_name);
        double reference = t->n < weight_size(p) ? norm * norm * (double)t->n / (double)weight_size(p) : c.reference;
        double relative = sqrt(c.difference / reference);
        if (!(relative <= limit))
            fail_msg("%s %s %s: relative L2 %g, allowed %g", v->name, what, google, relative, limit);
        if (!gradient && !(c.worst <= most->weight * lr))
            fail_msg("%s %s %s: a weight is off by %g learning rates, allowed %g", v->name, what, google, c.worst / lr,
                     most->weight);
    }
}

/* The squared error is no task's: the layer runs as part of a model of the test's own, through the public passes. */
static double squared_error_step(bert_model *m, const bert_input *input, const float *target, float *logits)
{
    bert_err err;
    bert_pass *pass;
    bert_run how = { .keep = true };
    const weight_list *w = &m->layer->weights;
    const bert_param *weight = weight_at(w, HEAD_WEIGHT, 0), *bias = weight + 1;
    size_t H = weight->cols;
    float dlogits[BATCH], *dx = arena_alloc(&golden_memory, BATCH * H * sizeof *dx);
    check(bert_layer_forward(m->layer, input, &how, &pass, &err), &err);
    const float *x = bert_pass_output(pass, "output", NULL);
    for (size_t i = 0; i < BATCH; i++) {
        double z = bias->value[0];
        for (size_t c = 0; c < H; c++)
            z += (double)x[i * H + c] * weight->value[c];
        logits[i] = (float)z;
    }
    double loss = loss_squared_error(dlogits, logits, target, 1.0f / BATCH, BATCH) / BATCH;
    for (size_t i = 0; i < BATCH; i++) {
        bias->grad[0] += dlogits[i];
        for (size_t c = 0; c < H; c++) {
            weight->grad[c] += dlogits[i] * x[i * H + c];
            dx[i * H + c] = dlogits[i] * weight->value[c];
        }
    }
    bert_output_grad grad = { "output", dx };
    check(bert_pass_backward(pass, &grad, 1, &err), &err);
    bert_pass_free(pass);
    return loss;
}

static double one_step(bert_model *m, const variant *v, const golden_batches *b, size_t step, float *logits, arena *a)
{
    bert_err err;
    size_t at = step * BATCH * b->seq_len;
    bert_input input = {
        .n = BATCH, .input_ids = b->ids + at, .input_mask = b->mask + at, .segment_ids = b->segments + at
    };
    if (v->squared_error)
        return squared_error_step(m, &input, b->target + step * BATCH, logits);
    step_plan plan;
    step_batch batch = { .n = BATCH,
                         .targets = { .n = BATCH, .ids = (v->outputs == 1 ? b->label01 : b->label3) + step * BATCH } };
    head_result result = { 0 };
    arena_reset(a);
    check(step_plan_create(&plan, m, task_by_id(m->task), &err), &err);
    check(layer_pack_input(m->layer, &input, &batch.packed, a, &err), &err);
    check(step_run(&plan, &batch, (step_dropout){ 0 }, logits, &result, NULL, a, &err), &err);
    return result.loss / BATCH;
}

static bert_model *make_model(const char *module, const variant *v, const golden_batches *b, const tensor_set *set,
                              int64_t last)
{
    static const char *const LABELS[] = { "0", "1", "2" };
    bert_err err;
    bert_model *m;
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.module = module;
    spec.seq_len = (int64_t)b->seq_len;
    spec.pooling = v->pooling;
    spec.n_tune_layers = last;
    spec.tune_embeddings = v->tune_all;
    spec.do_preprocessing = false;
    bert_head_spec of_task;
    bert_head_defaults(&of_task);
    of_task.task = (int)v->task;
    of_task.labels = LABELS;
    of_task.n_labels = v->outputs == 1 ? 2 : v->outputs;
    check(bert_model_create(&spec, &of_task, 0, &m, &err), &err);
    const bert_param *weight = weight_at(&m->layer->weights, HEAD_WEIGHT, 0);
    const float *kernel = golden_floats(golden(set, "%s.head.kernel", v->name));
    for (size_t i = 0; i < weight->rows * weight->cols; i++)
        weight->tuned[i] = kernel[golden_index(weight, true, i)];
    return m;
}

static void check_variant(const char *module, const variant *v, const tensor_set *set, const json_t *index, bool toy,
                          int64_t last, double lr, const allowed *most)
{
    bert_err err;
    golden_batches b = read_batches(set);
    bert_model *m = make_model(module, v, &b, set, last);
    const weight_list *w = &m->layer->weights;
    bert_optimizer_options options;
    bert_optimizer_defaults(&options);
    options.learning_rate = lr;
    bert_optimizer *optimizer;
    check(bert_optimizer_create(w->items, w->n, &options, &optimizer, &err), &err);
    float **before = arena_array(&golden_memory, w->n, sizeof *before), logits[BATCH * 3];
    for (size_t i = 0; i < w->n; i++) {
        before[i] = arena_alloc(&golden_memory, weight_size(&w->items[i]) * sizeof(float));
        memcpy(before[i], w->items[i].value, weight_size(&w->items[i]) * sizeof(float));
    }
    double losses[STEPS];
    memcpy(losses, golden(set, "%s.loss", v->name)->data, sizeof losses);
    arena a = { 0 };
    for (size_t step = 0; step < STEPS; step++) {
        double loss = one_step(m, v, &b, step, logits, &a);
        if (!(fabs(loss - losses[step]) <= most->loss))
            fail_msg("%s step %zu: loss %.9g, expected %.9g", v->name, step, loss, losses[step]);
        if (step == 0) {
            double d = largest_difference(logits, golden_floats(golden(set, "%s.logits", v->name)), BATCH * v->outputs);
            if (!(d <= 2e-5))
                fail_msg("%s: logits differ by %g", v->name, d);
            check_tensors(m, set, index, v, "grad", toy, before, most, lr);
        }
        bert_optimizer_step(optimizer);
        if (step == 0)
            check_tensors(m, set, index, v, "w1", toy, before, most, lr);
        if (step == STEPS - 1)
            check_tensors(m, set, index, v, "w10", toy, before, most, lr);
    }
    arena_free(&a);
    bert_optimizer_free(optimizer);
    bert_model_free(m);
}

static void check_file(const char *source, const char *name, bool toy, double lr, const allowed *most)
{
    bert_err err;
    tensor_set set = { 0 };
    char *path = shared_path(arena_printf(&golden_memory, "golden/train/%s.safetensors", name));
    char *index_path = shared_path(arena_printf(&golden_memory, "golden/train/%s.json", name));
    json_t *index;
    need(source);
    need(path);
    check(safetensors_open(&set, path, NULL, &err), &err);
    check(json_read_file(&index, index_path, &err), &err);
    char *module = import_golden(source, NULL, true);
    bert_module *opened;
    check(bert_module_open(module, &opened, &err), &err);
    int64_t layers = opened->config.num_hidden_layers;
    bert_module_free(opened);
    size_t checked = 0;
    for (size_t i = 0; i < sizeof VARIANTS / sizeof *VARIANTS; i++) {
        if (!has_golden(&set, "%s.loss", VARIANTS[i].name))
            continue;
        check_variant(module, &VARIANTS[i], &set, index, toy, VARIANTS[i].tune_all ? layers : toy ? 1 : 3, lr, most);
        checked++;
    }
    assert_int_equal(checked, toy ? 5 : 3);
    remove_golden(module);
    json_decref(index);
    tensors_close(&set);
}

static void golden_steps_of_tf_toy(void **state)
{
    (void)state;
    check_file(shared_path("data/checkpoints/tf-toy"), "tf-toy", true, 1e-3, &(allowed){ 6e-6, 3e-5, 1e-3, 0.05 });
}

static void golden_steps_of_rand_toy(void **state)
{
    (void)state;
    check_file(shared_path("golden/rand-toy/tf"), "rand-toy", true, 1e-3, &(allowed){ 6e-6, 3e-5, 1e-3, 0.05 });
}

static void golden_steps_of_minilm(void **state)
{
    (void)state;
    check_file(real_model(), "minilm", false, 1e-5, &(allowed){ 6e-6, 3e-5, 1.6e-2, 0.4 });
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_steps_of_tf_toy),
        cmocka_unit_test(golden_steps_of_rand_toy),
        cmocka_unit_test(golden_steps_of_minilm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
