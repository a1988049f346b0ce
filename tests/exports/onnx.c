/* ONNX exports: what a file holds, what its graph comes out as when it is run by the specification in double precision,
 * and what is refused. What onnxruntime makes of a file is for tests/cli/export_onnx.sh. */
#include "exports/exported.h"
#include "exports/onnx_run.h"
#include "formats/onnx_file.h"

static const float WITHIN = 2e-5f; /* float32 against double; values are below 10 */

static bert_status to_onnx(const bert_model *m, const char *name, bool force, char **note, bert_err *err)
{
    bert_export_options options;
    bert_export_defaults(&options);
    options.force = force;
    return bert_model_export(m, scratch(name), &options, note, err);
}

/* Opens an export of the model and runs it on the sample's texts, padded to SEQ_LEN. */
static void run_export(run *r, const bert_model *m, bool pairs)
{
    sample s = random_sample();
    bert_features f = { 0 };
    assert_works(to_onnx(m, "model.onnx", true, NULL, err));
    run_open(r, scratch("model.onnx"));
    assert_works(bert_encode(bert_model_tokenizer(m), s.texts, pairs ? s.pairs : NULL, TEXTS, SEQ_LEN, &f, err));
    run_input(r, "input_ids", f.input_ids, TEXTS, SEQ_LEN);
    run_input(r, "attention_mask", f.input_mask, TEXTS, SEQ_LEN);
    run_input(r, "token_type_ids", f.segment_ids, TEXTS, SEQ_LEN);
    run_nodes(r);
    bert_features_free(&f);
}

static void assert_output(const run *r, const char *name, const float *expected, size_t n, float tolerance)
{
    const run_value *v = run_find(r, name);
    assert_int_equal(run_count(v), n);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(v->x[i] - (double)expected[i]) <= (double)tolerance))
            fail_msg("%s, number %zu: %.9g, expected %.9g within %g", name, i, v->x[i], (double)expected[i],
                     (double)tolerance);
}

/* "probabilities FLOAT batch 3" */
static void describe_output(const run *r, size_t i, char *text, size_t size)
{
    const Onnx__ValueInfoProto *v = r->model->graph->output[i];
    const Onnx__TypeProto__Tensor *t = v->type->tensor_type;
    snprintf(text, size, "%s %s", v->name, t->elem_type == ONNX_FLOAT ? "FLOAT" : "?");
    for (size_t k = 0; k < t->shape->n_dim; k++) {
        const Onnx__TensorShapeProto__Dimension *d = t->shape->dim[k];
        size_t at = strlen(text);
        if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
            snprintf(text + at, size - at, " %s", d->dim_param);
        else
            snprintf(text + at, size - at, " %lld", (long long)d->dim_value);
    }
}

static void assert_outputs(const run *r, const char *first, const char *second)
{
    char text[128];
    assert_int_equal(r->model->graph->n_output, second ? 2 : 1);
    describe_output(r, 0, text, sizeof text);
    assert_string_equal(text, first);
    if (!second)
        return;
    describe_output(r, 1, text, sizeof text);
    assert_string_equal(text, second);
}

static const char *metadata(const run *r, const char *key)
{
    for (size_t i = 0; i < r->model->n_metadata_props; i++)
        if (!strcmp(r->model->metadata_props[i]->key, key))
            return r->model->metadata_props[i]->value;
    return "(none)";
}

/* ---- tasks ------------------------------------------------------------------------------------------------------- */

static void check_scores(bert_task id, int pooling, int64_t hidden, const char *output)
{
    float scores[TEXTS * MOST_COLUMNS];
    char name[32];
    run r;
    bert_model *m = model_of(id, pooling, hidden);
    size_t columns = predict(m, scores);
    run_export(&r, m, true);
    assert_outputs(&r, output, NULL);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(output, " "), output);
    assert_output(&r, name, scores, TEXTS * columns, WITHIN);
    run_close(&r);
    bert_model_free(m);
}

static void a_task_with_one_answer_a_text_gives_the_scores_of_a_prediction(void **state)
{
    (void)state;
    check_scores(BERT_TASK_BINARY, BERT_POOLING_CLS, 0, "probabilities FLOAT batch 2");
    check_scores(BERT_TASK_MULTICLASS, BERT_POOLING_CLS, 0, "probabilities FLOAT batch 3");
    check_scores(BERT_TASK_MULTILABEL, BERT_POOLING_CLS, 0, "probabilities FLOAT batch 3");
    check_scores(BERT_TASK_REGRESSION, BERT_POOLING_CLS, 0, "value FLOAT batch 1");
}

static void every_pooling_and_a_hidden_layer_of_the_head_are_inside(void **state)
{
    (void)state;
    check_scores(BERT_TASK_MULTICLASS, BERT_POOLING_CLS_RAW, 0, "probabilities FLOAT batch 3");
    check_scores(BERT_TASK_MULTICLASS, BERT_POOLING_MEAN, 0, "probabilities FLOAT batch 3");
    check_scores(BERT_TASK_MULTICLASS, BERT_POOLING_SQRT_MEAN, 0, "probabilities FLOAT batch 3");
    check_scores(BERT_TASK_MULTICLASS, BERT_POOLING_MAX, 0, "probabilities FLOAT batch 3");
    check_scores(BERT_TASK_BINARY, BERT_POOLING_CLS, 7, "probabilities FLOAT batch 2");
    check_scores(BERT_TASK_REGRESSION, BERT_POOLING_MEAN, 7, "value FLOAT batch 1");
}

static void a_model_of_similarity_gives_the_vector_of_one_text(void **state)
{
    (void)state;
    float vectors[TEXTS * TOY_HIDDEN];
    run r;
    bert_model *m = model_of(BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, 0);
    embed(m, vectors);
    run_export(&r, m, false);
    assert_outputs(&r, "embedding FLOAT batch 40", NULL);
    assert_output(&r, "embedding", vectors, TEXTS * TOY_HIDDEN, WITHIN);
    run_close(&r);
    bert_model_free(m);
}

/* The entities of the command come from these; here the head is computed by hand from the vectors of a session. */
static void a_model_of_tokens_gives_the_probabilities_of_each(void **state)
{
    (void)state;
    enum { K = 3, H = TOY_HIDDEN };
    float vectors[TEXTS * SEQ_LEN * H];
    size_t counts[TEXTS], row = 0;
    run r;
    sample s = random_sample();
    bert_model *m = model_of(BERT_TASK_TOKENS, BERT_POOLING_AUTO, 0);
    bert_session *session = open_session(m, 0, BERT_POOLING_AUTO, false);
    assert_works(bert_session_embed(session, s.texts, NULL, TEXTS, vectors, counts, NULL, err));
    run_export(&r, m, false);
    assert_outputs(&r, "probabilities FLOAT batch sequence 3", NULL);
    const float *weight = weight_at(&m->layer->weights, HEAD_WEIGHT, 0)->value,
                *bias = weight_at(&m->layer->weights, HEAD_BIAS, 0)->value;
    const run_value *p = run_find(&r, "probabilities");
    for (size_t i = 0; i < TEXTS; i++)
        for (size_t t = 0; t < counts[i]; t++, row++) {
            double e[K], sum = 0;
            for (size_t k = 0; k < K; k++) {
                double logit = bias[k];
                for (size_t c = 0; c < H; c++)
                    logit += (double)weight[k * H + c] * (double)vectors[row * H + c];
                sum += e[k] = exp(logit);
            }
            for (size_t k = 0; k < K; k++)
                assert_true(fabs(p->x[(i * SEQ_LEN + t) * K + k] - e[k] / sum) <= (double)WITHIN);
        }
    assert_true(row > TEXTS);
    run_close(&r);
    bert_session_free(session);
    bert_model_free(m);
}

/* ---- modules ----------------------------------------------------------------------------------------------------- */

static void check_module(const bert_model *m)
{
    float vectors[TEXTS * TOY_HIDDEN], rows[TEXTS * SEQ_LEN * TOY_HIDDEN];
    size_t counts[TEXTS], row = 0;
    run r;
    sample s = random_sample();
    bert_session *pooled = open_session(m, SEQ_LEN, BERT_POOLING_AUTO, false),
                 *tokens = open_session(m, SEQ_LEN, BERT_POOLING_NONE, false);
    assert_works(bert_session_embed(pooled, s.texts, s.pairs, TEXTS, vectors, NULL, NULL, err));
    assert_works(bert_session_embed(tokens, s.texts, s.pairs, TEXTS, rows, counts, NULL, err));
    run_export(&r, m, true);
    assert_outputs(&r, "last_hidden_state FLOAT batch sequence 40", "embedding FLOAT batch 40");
    assert_output(&r, "embedding", vectors, TEXTS * TOY_HIDDEN, WITHIN);
    const run_value *state = run_find(&r, "last_hidden_state");
    for (size_t i = 0; i < TEXTS; i++)
        for (size_t k = 0; k < counts[i] * TOY_HIDDEN; k++, row++)
            assert_true(fabs(state->x[i * SEQ_LEN * TOY_HIDDEN + k] - (double)rows[row]) <= (double)WITHIN);
    run_close(&r);
    bert_session_free(pooled);
    bert_session_free(tokens);
}

static void a_module_gives_its_vectors_with_every_activation(void **state)
{
    (void)state;
    static const char *const ACTIVATIONS[] = { "gelu", "gelu_new", "relu", "silu" };
    for (int i = 0; i < 4; i++) {
        const char *module = toy_module("module", (toy){ 0 });
        change_member(scratch("module/config.json"), "hidden_act", json_string(ACTIVATIONS[i]));
        change_member(scratch("module/module.json"), "files", NULL); /* its hash of config.json */
        bert_model *m = load_model(module);
        check_module(m);
        bert_model_free(m);
    }
}

static void vectors_of_length_1_are_so_in_the_file(void **state)
{
    (void)state;
    bert_model *m = load_model(toy_module("module", (toy){ 0 }));
    m->normalize = true;
    check_module(m);
    bert_model_free(m);
}

static void layers_above_the_one_that_is_read_are_left_out(void **state)
{
    (void)state;
    bert_model *m = load_model(toy_module("module", (toy){ .seq_layer = 2 }));
    check_module(m);
    run r;
    run_open(&r, scratch("model.onnx"));
    for (size_t i = 0; i < r.model->graph->n_initializer; i++)
        assert_null(strstr(r.model->graph->initializer[i]->name, "encoder.layer.2"));
    run_close(&r);
    bert_model_free(m);
}

/* ---- frozen files ------------------------------------------------------------------------------------------------ */

static bert_model *frozen_as(const bert_model *m, int precision)
{
    bert_freeze_options options;
    bert_freeze_defaults(&options);
    options.precision = precision;
    assert_works(bert_model_freeze(m, scratch("model.bert"), &options, NULL, NULL, err));
    return load_model(scratch("model.bert"));
}

static void assert_same_file(const char *a, const char *b)
{
    file_mapping x, y;
    assert_works(file_map(&x, a, err));
    assert_works(file_map(&y, b, err));
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    file_unmap(&x);
    file_unmap(&y);
}

static void a_frozen_file_gives_the_same_export_as_its_model(void **state)
{
    (void)state;
    char *note;
    bert_model *m = model_of(BERT_TASK_MULTICLASS, BERT_POOLING_CLS, 5), *frozen = frozen_as(m, 0);
    assert_works(to_onnx(m, "a.onnx", false, &note, err));
    assert_null(note);
    assert_works(to_onnx(frozen, "b.onnx", false, &note, err));
    assert_null(note);
    assert_same_file(scratch("a.onnx"), scratch("b.onnx"));
    bert_model_free(frozen);
    bert_model_free(m);
}

/* The largest difference of a weight, over the largest weight of its matrix. */
static double worst_weight(const char *original, const char *rounded)
{
    double worst = 0;
    run a, b;
    run_open(&a, original);
    run_open(&b, rounded);
    assert_int_equal(a.n, b.n);
    for (size_t i = 0; i < a.n; i++) {
        double most = 0, off = 0;
        assert_string_equal(a.values[i].name, b.values[i].name);
        for (size_t k = 0; k < run_count(&a.values[i]); k++) {
            most = fmax(most, fabs(a.values[i].x[k]));
            off = fmax(off, fabs(a.values[i].x[k] - b.values[i].x[k]));
        }
        worst = fmax(worst, most > 0 ? off / most : off);
    }
    run_close(&a);
    run_close(&b);
    return worst;
}

static void a_rounded_frozen_file_exports_what_its_weights_stand_for_and_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double bound; /* half a step, of the largest weight */
    } PRECISIONS[] = { { "fp32", 0 }, { "bf16", 1.0 / 256 }, { "int8", 0.5 / 126 } };
    bert_model *m = model_of(BERT_TASK_BINARY, BERT_POOLING_CLS, 0);
    assert_works(to_onnx(m, "a.onnx", false, NULL, err));
    for (int i = 1; i < 3; i++) {
        char *note, expected[128];
        bert_model *frozen = frozen_as(m, i);
        assert_works(to_onnx(frozen, "b.onnx", true, &note, err));
        snprintf(expected, sizeof expected, "the frozen file's weights are %s; the export has what they stand for",
                 PRECISIONS[i].name);
        assert_string_equal(note, expected);
        bert_free(note);
        double worst = worst_weight(scratch("a.onnx"), scratch("b.onnx"));
        assert_true(worst > 0 && worst <= PRECISIONS[i].bound);
        bert_model_free(frozen);
    }
    bert_model_free(m);
}

/* ---- what the file says ------------------------------------------------------------------------------------------ */

static void the_file_says_what_it_is(void **state)
{
    (void)state;
    run r;
    bert_model *m = model_of(BERT_TASK_BINARY, BERT_POOLING_CLS, 0);
    assert_works(to_onnx(m, "model.onnx", false, NULL, err));
    run_open(&r, scratch("model.onnx"));
    assert_int_equal(r.model->ir_version, 8);
    assert_string_equal(r.model->producer_name, "libbert");
    assert_int_equal(r.model->n_opset_import, 1);
    assert_string_equal(r.model->opset_import[0]->domain, "");
    assert_int_equal(r.model->opset_import[0]->version, 17);
    assert_string_equal(metadata(&r, "libbert"), BERT_VERSION);
    assert_string_equal(metadata(&r, "task"), "binary");
    assert_string_equal(metadata(&r, "labels"), "[\"a\",\"b\"]");
    assert_string_equal(metadata(&r, "seq_len"), "14");
    assert_string_equal(metadata(&r, "pooling"), "cls");
    assert_string_equal(metadata(&r, "do_lower_case"), "true");
    static const char *const INPUTS[] = { "input_ids", "attention_mask", "token_type_ids" };
    assert_int_equal(r.model->graph->n_input, 3);
    for (int i = 0; i < 3; i++) {
        const Onnx__ValueInfoProto *input = r.model->graph->input[i];
        assert_string_equal(input->name, INPUTS[i]);
        assert_int_equal(input->type->tensor_type->elem_type, ONNX_INT64);
        assert_string_equal(input->type->tensor_type->shape->dim[0]->dim_param, "batch");
        assert_string_equal(input->type->tensor_type->shape->dim[1]->dim_param, "sequence");
    }
    run_close(&r);
    bert_model_free(m);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void another_output_is_replaced_by_force_alone_and_a_text_never(void **state)
{
    (void)state;
    bert_model *m = load_model(toy_module("module", (toy){ 0 }));
    const char *path = scratch_text("model.onnx", "mine");
    assert_fails(to_onnx(m, "model.onnx", true, NULL, err), BERT_ERR_ARGUMENT,
                 "model.onnx: a text that libbert did not write stands there; give another name");
    assert_true(file_holds(path, "mine", 4));
    scratch_text("model.onnx", "{\"value\": 3.2}\n");
    assert_fails(to_onnx(m, "model.onnx", false, NULL, err), BERT_ERR_ARGUMENT,
                 "model.onnx: a table of results stands there; give another name, or replace it with --force");
    assert_works(to_onnx(m, "model.onnx", true, NULL, err));
    assert_works(to_onnx(m, "model.onnx", false, NULL, err));
    assert_works(folder_create(scratch("folder"), err));
    assert_fails(to_onnx(m, "folder", true, NULL, err), BERT_ERR_ARGUMENT,
                 "folder: an empty folder stands there; an ONNX file is a file and needs another name");
    bert_model_free(m);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    bert_export_options o;
    bert_model *m = load_model(toy_module("module", (toy){ 0 }));
    bert_export_defaults(&o);
    o.type = 1;
    assert_fails(bert_model_export(m, scratch("x"), &o, NULL, err), BERT_ERR_ARGUMENT,
                 "--type f16: format onnx has no types, gguf has");
    o.type = 7;
    assert_fails(bert_model_export(m, scratch("x"), &o, NULL, err), BERT_ERR_ARGUMENT,
                 "--type: \"7\" is not one of f32, f16, q8_0");
    bert_export_defaults(&o);
    o.format = -1;
    assert_fails(bert_model_export(m, scratch("x"), &o, NULL, err), BERT_ERR_ARGUMENT,
                 "--format: \"-1\" is not one of onnx, gguf, hf");
    assert_false(file_exists(scratch("x")));
    bert_model_free(m);
}

static bert_status no_values(void *context, size_t i, const float **values, bert_err *err)
{
    (void)context, (void)i, (void)values, (void)err;
    fail_msg("nothing is to be written");
    return BERT_OK;
}

static void a_file_of_two_gigabytes_is_refused_before_it_is_begun(void **state)
{
    (void)state;
    const char *expected = "big.onnx: an ONNX file of 2 GiB or more, which its readers do not take";
    arena a = { 0 };
    onnx_graph g = { .memory = &a };
    ONNX_NODE(&g, "Identity", onnx_weight(&g, "w", (size_t)1 << 19, (size_t)1 << 10, false));
    assert_fails(onnx_write(&g, scratch("big.onnx"), no_values, NULL, err), BERT_ERR_UNSUPPORTED, expected);
    onnx_weight(&g, "v", SIZE_MAX / 2, SIZE_MAX / 2, true);
    assert_fails(onnx_write(&g, scratch("big.onnx"), no_values, NULL, err), BERT_ERR_UNSUPPORTED, expected);
    assert_false(file_exists(scratch("big.onnx")));
    arena_free(&a);
}

/* A matrix that is wider than what is turned in one go. */
static bert_status counting(void *context, size_t i, const float **values, bert_err *err)
{
    (void)i, (void)err;
    *values = context;
    return BERT_OK;
}

static void a_transposed_weight_is_turned_whatever_its_shape(void **state)
{
    (void)state;
    static const size_t SHAPES[][2] = { { 3, 40000 }, { 40000, 3 }, { 1, 1 }, { 1, 20000 }, { 129, 127 } };
    for (int i = 0; i < 5; i++) {
        size_t rows = SHAPES[i][0], cols = SHAPES[i][1];
        arena a = { 0 };
        run r;
        onnx_graph g = { .memory = &a };
        float *x = arena_array(&a, rows * cols, sizeof *x);
        for (size_t k = 0; k < rows * cols; k++)
            x[k] = (float)k;
        onnx_weight(&g, "w", rows, cols, true);
        assert_works(onnx_write(&g, scratch("turned.onnx"), counting, x, err));
        run_open(&r, scratch("turned.onnx"));
        for (size_t row = 0; row < rows; row++)
            for (size_t c = 0; c < cols; c++)
                assert_true(r.values[0].x[row * cols + c] == (double)(c * rows + row));
        run_close(&r);
        arena_free(&a);
    }
}

/* What the export itself looks at before it renames. */
static void a_file_that_is_not_whole_is_known(void **state)
{
    (void)state;
    bert_model *m = model_of(BERT_TASK_MULTICLASS, BERT_POOLING_CLS, 0);
    assert_works(to_onnx(m, "m.onnx", true, NULL, err));
    assert_checked(onnx_check, scratch("m.onnx"));
    bert_model_free(m);
    /* a graph with w of shape [2] and no bytes */
    scratch_file("m.onnx", "\x3a\x0b\x2a\x09\x08\x02\x10\x01\x42\x01w\x4a\x00", 13);
    assert_fails(onnx_check(scratch("m.onnx"), err), BERT_ERR_FORMAT,
                 "m.onnx: tensor w at byte 4 has 0 bytes, its shape takes 8");
    scratch_file("m.onnx", "\x3a\x02\x2a\x09", 4);
    assert_fails(onnx_check(scratch("m.onnx"), err), BERT_ERR_FORMAT,
                 "m.onnx: onnx.GraphProto at byte 2: a field that does not end within it");
    scratch_file("m.onnx", "\x08\x08", 2);
    assert_fails(onnx_check(scratch("m.onnx"), err), BERT_ERR_FORMAT, "m.onnx: holds 0 graphs, expected one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_task_with_one_answer_a_text_gives_the_scores_of_a_prediction),
        in_a_folder(every_pooling_and_a_hidden_layer_of_the_head_are_inside),
        in_a_folder(a_model_of_similarity_gives_the_vector_of_one_text),
        in_a_folder(a_model_of_tokens_gives_the_probabilities_of_each),
        in_a_folder(a_module_gives_its_vectors_with_every_activation),
        in_a_folder(vectors_of_length_1_are_so_in_the_file),
        in_a_folder(layers_above_the_one_that_is_read_are_left_out),
        in_a_folder(a_frozen_file_gives_the_same_export_as_its_model),
        in_a_folder(a_rounded_frozen_file_exports_what_its_weights_stand_for_and_says_so),
        in_a_folder(the_file_says_what_it_is),
        in_a_folder(another_output_is_replaced_by_force_alone_and_a_text_never),
        in_a_folder(options_that_make_no_sense_are_refused),
        in_a_folder(a_file_of_two_gigabytes_is_refused_before_it_is_begun),
        in_a_folder(a_transposed_weight_is_turned_whatever_its_shape),
        in_a_folder(a_file_that_is_not_whole_is_known),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
