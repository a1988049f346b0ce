/* Families of encoders against transformers in float64 (tests/hf/make_families.py): every layer's output, the gradients
 * of all weights, classifiers with their loss and gradients, forward through import, module and model. */
#include "golden.h"

#include "arch/families.h"
#include "base/scratch.h"
#include "task/head.h"
#include "task/tasks.h"

enum { ROWS = 5, ODD_ROWS = 2, SEQ_LEN = 12, HIDDEN = 24, LAYERS = 2, LABELS = 3, VALUES = ROWS * SEQ_LEN * HIDDEN };

/* What float32 may differ by from float64 where values are around 1 and gradients up to 50 (relative: of a tensor's
 * length). */
static const double MOST_VALUE = 5e-6, MOST_GRADIENT = 5e-6, MOST_LOGIT = 2e-5, NOISE = 1e-4;

static const char *const NAMES[] = { "distilbert", "roberta" };
enum { N_NAMES = sizeof NAMES / sizeof *NAMES };

typedef struct experiment {
    const char *name;
    tensor_set golden;
    bert_model *imported;
} experiment;

static char *path_of(const char *name, const char *file)
{
    return path_join(&golden_memory, arena_printf(&golden_memory, "tests/arch/files/%s", name), file);
}

static void experiment_open(experiment *e, const char *name)
{
    bert_err err;
    char *note = NULL, *model = arena_printf(&golden_memory, "%s/%s", scratch_folder, name);
    *e = (experiment){ .name = name };
    check(safetensors_open(&e->golden, path_of(name, "golden.safetensors"), NULL, &err), &err);
    check(bert_import(path_of(name, ""), model, NULL, &note, &err), &err);
    bert_free(note);
    check(bert_model_load(model, &e->imported, &err), &err);
}

static void experiment_close(experiment *e)
{
    tensors_close(&e->golden);
    bert_model_free(e->imported);
}

static const tensor *golden_of(const experiment *e, const char *name)
{
    const tensor *t = tensors_find(&e->golden, name);
    if (!t)
        fail_msg("%s: the golden file has no %s", e->name, name);
    return t;
}

static void expect_values(const experiment *e, const char *what, const float *got, double most)
{
    const tensor *t = golden_of(e, what);
    const double *expected = t->data;
    assert_int_equal(t->type, DTYPE_F64);
    for (size_t i = 0; i < t->n; i++)
        if (!(fabs(got[i] - expected[i]) <= most))
            fail_msg("%s: %s[%zu] is %.9g, expected %.9g", e->name, what, i, got[i], expected[i]);
}

/* Gradients of every tuned tensor, which the golden file has under the checkpoint's name. */
static void expect_gradients(const experiment *e, const bert_layer *layer, const char *kind)
{
    size_t n;
    const bert_param *params = bert_layer_params(layer, &n);
    for (size_t i = 0; i < n; i++) {
        const bert_param *p = &params[i];
        char full[200];
        bool head = !strcmp(p->group, "head");
        snprintf(full, sizeof full, "%s.%s%s", kind, head ? "" : layer->config.family->head_prefix, p->name);
        const tensor *t = golden_of(e, full);
        const double *expected = t->data;
        double difference = 0, reference = 0;
        assert_non_null(p->grad);
        assert_int_equal(t->n, p->rows * p->cols);
        for (size_t k = 0; k < t->n; k++) {
            double d = p->grad[k] - expected[k];
            difference += d * d;
            reference += expected[k] * expected[k];
        }
        /* the gradient of a key's bias is zero but for rounding */
        if (!(sqrt(difference) <= MOST_GRADIENT * sqrt(reference) || (reference < 1e-20 && sqrt(difference) < NOISE)))
            fail_msg("%s: %s is off by %g of its length %g", e->name, full, sqrt(difference), sqrt(reference));
    }
}

static bert_layer_spec spec_of(void)
{
    bert_layer_spec spec;
    bert_layer_defaults(&spec);
    spec.do_preprocessing = false;
    spec.tune_embeddings = true;
    spec.n_tune_layers = LAYERS;
    spec.seq_len = SEQ_LEN;
    return spec;
}

/* A module's layers in one pass: outputs, and the way back from the last. */
static void encoders_compute_what_transformers_does(void **state)
{
    (void)state;
    static const int32_t SEGMENTS[ROWS * SEQ_LEN];
    for (int f = 0; f < N_NAMES; f++) {
        experiment e;
        bert_err err;
        bert_layer *layer;
        bert_pass *pass;
        experiment_open(&e, NAMES[f]);
        bert_layer_spec spec = spec_of();
        spec.outputs = "embedding_output,layer_0,layer_1";
        spec.pooling = BERT_POOLING_CLS_RAW;
        check(bert_layer_create(e.imported->module, &spec, 0, &layer, NULL, &err), &err);
        bert_input input = { .n = ROWS,
                             .input_ids = golden_of(&e, "input_ids")->data,
                             .input_mask = golden_of(&e, "input_mask")->data,
                             .segment_ids = SEGMENTS };
        check(bert_layer_forward(layer, &input, &(bert_run){ .keep = true }, &pass, &err), &err);
        expect_values(&e, "hidden_0", bert_pass_output(pass, "embedding_output", NULL), MOST_VALUE);
        expect_values(&e, "hidden_1", bert_pass_output(pass, "layer_0", NULL), MOST_VALUE);
        expect_values(&e, "hidden_2", bert_pass_output(pass, "layer_1", NULL), MOST_VALUE);
        static float G[VALUES];
        check(tensor_to_f32(golden_of(&e, "G"), G, &err), &err);
        check(bert_pass_backward(pass, &(bert_output_grad){ "layer_1", G }, 1, &err), &err);
        expect_gradients(&e, layer, "grad");
        bert_pass_free(pass);
        /* a hole in the mask, and a padding id under it */
        input = (bert_input){ .n = ODD_ROWS,
                              .input_ids = golden_of(&e, "odd.input_ids")->data,
                              .input_mask = golden_of(&e, "odd.input_mask")->data,
                              .segment_ids = SEGMENTS };
        check(bert_layer_forward(layer, &input, &(bert_run){ 0 }, &pass, &err), &err);
        expect_values(&e, "odd.hidden_0", bert_pass_output(pass, "embedding_output", NULL), MOST_VALUE);
        expect_values(&e, "odd.hidden_2", bert_pass_output(pass, "layer_1", NULL), MOST_VALUE);
        bert_pass_free(pass);
        bert_layer_free(layer);
        experiment_close(&e);
    }
}

/* A model like the imported one, all of it tuned. */
static bert_model *tuned_model(const experiment *e)
{
    bert_err err;
    bert_model *m;
    bert_module *module;
    const bert_model *from = e->imported;
    bert_layer_spec spec = spec_of();
    spec.pooling = from->layer->spec.pooling;
    head_spec head = { .task = from->task,
                       .outputs = from->outputs,
                       .hidden = from->head_hidden,
                       .labels = (const char *const *)from->labels,
                       .n_labels = from->n_labels };
    check(bert_module_open(from->module->path, &module, &err), &err);
    check(model_create(module, &spec, &head, 0, &m, &err), &err);
    for (weight_id id = HEAD_HIDDEN_WEIGHT; id <= HEAD_BIAS; id = (weight_id)(id + 1)) {
        const bert_param *to = weight_at(&m->layer->weights, id, 0);
        memcpy(to->tuned, weight_at(&from->layer->weights, id, 0)->value, weight_size(to) * sizeof *to->tuned);
    }
    return m;
}

/* Logits, loss and gradients of ...ForSequenceClassification. */
static void classifiers_compute_what_transformers_does(void **state)
{
    (void)state;
    static const int32_t SEGMENTS[ROWS * SEQ_LEN];
    for (int f = 0; f < N_NAMES; f++) {
        experiment e;
        bert_err err;
        bert_pass *pass;
        const task *t;
        head_result result = { 0 };
        float logits[ROWS * LABELS], dx[ROWS * HIDDEN];
        experiment_open(&e, NAMES[f]);
        check(task_of_model(e.imported, &t, &err), &err);
        assert_int_equal(t->id, BERT_TASK_MULTICLASS);
        assert_string_equal(e.imported->labels[0], "bad");
        bert_model *m = tuned_model(&e);
        const bert_input input = { .n = ROWS,
                                   .input_ids = golden_of(&e, "input_ids")->data,
                                   .input_mask = golden_of(&e, "input_mask")->data,
                                   .segment_ids = SEGMENTS };
        check(bert_layer_forward(m->layer, &input, &(bert_run){ .keep = true }, &pass, &err), &err);
        const target_rows y = { .n = ROWS, .ids = golden_of(&e, "labels")->data };
        check(head_train(m, t, bert_pass_output(pass, "output", NULL), dx, ROWS, &y, &(loss_spec){ 0 },
                         (step_dropout){ 0 }, logits, &result, &golden_memory, &err),
              &err);
        expect_values(&e, "logits", logits, MOST_LOGIT);
        const double *loss = golden_of(&e, "loss")->data;
        assert_true(fabs(result.loss / ROWS - *loss) < MOST_LOGIT);
        check(bert_pass_backward(pass, &(bert_output_grad){ "output", dx }, 1, &err), &err);
        expect_gradients(&e, m->layer, "class_grad");
        bert_pass_free(pass);
        bert_model_free(m);
        experiment_close(&e);
    }
}

/* RoBERTa's tokeniser is none that libbert has: whatever needs one says so. */
static void a_module_without_a_tokeniser_reads_ids_alone(void **state)
{
    (void)state;
    experiment e;
    bert_err err;
    bert_layer *layer;
    bert_session *session;
    experiment_open(&e, "roberta");
    const bert_module *module = e.imported->module;
    static const char WHY[] =
        "libbert has not the tokeniser of RoBERTa: the module reads ids (do_preprocessing false), no texts";
    assert_null(bert_module_tokenizer(module));
    bert_layer_spec spec = spec_of();
    spec.do_preprocessing = true;
    assert_int_equal(bert_layer_create(module, &spec, 0, &layer, NULL, &err), BERT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, WHY));
    assert_int_equal(bert_session_create(e.imported, NULL, &session, &err), BERT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, WHY));
    assert_int_equal(bert_model_freeze(e.imported, scratch("frozen.bert"), NULL, NULL, NULL, &err),
                     BERT_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, WHY));
    check(module_copy(module, scratch("copied"), &err), &err);
    bert_module *copy;
    check(bert_module_open(scratch("copied"), &copy, &err), &err);
    check(module_verify(copy, &err), &err);
    bert_module_free(copy);
    experiment_close(&e);
}

/* DistilBERT has BERT's vocabulary and no segments: texts and pairs go in, and a frozen file says what the model says,
 * to the bit. */
static void a_distilbert_reads_texts_and_is_frozen(void **state)
{
    (void)state;
    experiment e;
    bert_err err;
    bert_model *frozen;
    bert_session *sessions[2];
    float scores[2][2 * LABELS];
    experiment_open(&e, "distilbert");
    check(bert_model_freeze(e.imported, scratch("distil.bert"), NULL, NULL, NULL, &err), &err);
    check(bert_model_load(scratch("distil.bert"), &frozen, &err), &err);
    const bert_text texts[] = { { "the cat sat", 11 }, { "a mat", 5 } }, pairs[] = { { "on the mat", 10 }, { "", 0 } };
    for (int i = 0; i < 2; i++) {
        check(bert_session_create(i ? frozen : e.imported, NULL, &sessions[i], &err), &err);
        check(bert_session_predict(sessions[i], texts, pairs, 2, scores[i], NULL, &err), &err);
        bert_session_free(sessions[i]);
    }
    assert_memory_equal(scores[0], scores[1], sizeof *scores);
    bert_model_free(frozen);
    experiment_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(encoders_compute_what_transformers_does),
        in_a_folder(classifiers_compute_what_transformers_does),
        in_a_folder(a_module_without_a_tokeniser_reads_ids_alone),
        in_a_folder(a_distilbert_reads_texts_and_is_frozen),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
