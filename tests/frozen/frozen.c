/* Frozen files: bit for bit the model's predictions in fp32, close to them in bf16 and int8, with nothing else at hand;
 * nothing in them that prediction does not read; what training does is refused. */
#include "frozen/toy_frozen.h"

#include "data/dataset.h"
#include "each_isa.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* ---- what a frozen file gives ------------------------------------------------------------------------------------ */

static void check_same_answers(int pooling, int64_t use_layers)
{
    bert_err err;
    answers before, from_folder, from_file;
    const char *module = toy_module("module", (toy){ .seq_layer = 2 }), *folder = scratch("model"),
               *path = scratch("model.bert");
    bert_model *model = make_model(module, pooling, use_layers);
    ask(model, true, &before);
    check(bert_model_save(model, folder, false, &err), &err);
    bert_model_free(model);
    model = load_model(folder);
    ask(model, true, &from_folder);
    check(bert_model_freeze(model, path, NULL, NULL, NULL, &err), &err);
    bert_model_free(model);
    folder_remove(folder, NULL);
    folder_remove(module, NULL);
    model = load_model(path);
    ask(model, true, &from_file);
    bert_model_free(model);
    assert_memory_equal(&before, &from_folder, sizeof before);
    assert_memory_equal(&before, &from_file, sizeof before);
}

static void a_frozen_file_alone_gives_the_bits_of_its_model_for_every_pooling(void **state)
{
    (void)state;
    for (int pooling = BERT_POOLING_CLS; pooling <= BERT_POOLING_MAX; pooling++)
        for (int64_t use_layers = 0; use_layers <= 2; use_layers++)
            check_same_answers(pooling, use_layers);
}

/* The toy's weights are as large as no real model's are, which makes int8's steps large, too. */
static void bf16_and_int8_are_close_for_every_pooling(void **state)
{
    (void)state;
    static const double LEAST[] = { [BF16] = 0.999, [INT8] = 0.98 };
    for (int pooling = BERT_POOLING_CLS; pooling <= BERT_POOLING_MAX; pooling++)
        for (int precision = BF16; precision <= INT8; precision++) {
            answers exact, close;
            bert_model *model = make_model(toy_module("module", (toy){ .seq_layer = 2 }), pooling, 0);
            ask(model, true, &exact);
            freeze_as(model, scratch("model.bert"), precision);
            bert_model_free(model);
            model = load_model(scratch("model.bert"));
            ask(model, true, &close);
            bert_model_free(model);
            double cosine = least_cosine(exact.vectors, close.vectors, N, TOY_HIDDEN);
            if (!(cosine >= LEAST[precision]) || !memcmp(&exact, &close, sizeof exact))
                fail_msg("pooling %d, precision %d: cosine %.6f", pooling, precision, cosine);
        }
}

/* Whatever stands in the file for a head comes back: hidden layer, scale, threshold. */
static void every_task_keeps_its_head_in_the_file(void **state)
{
    (void)state;
    static const char *const TAGS[] = { "B-X", "O" };
    static const struct {
        bert_task id;
        int pooling;
        int64_t hidden;
    } CASES[] = { { BERT_TASK_BINARY, BERT_POOLING_CLS, 6 },     { BERT_TASK_MULTILABEL, BERT_POOLING_MEAN, 0 },
                  { BERT_TASK_REGRESSION, BERT_POOLING_MAX, 3 }, { BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, 0 },
                  { BERT_TASK_SIMILARITY, BERT_POOLING_CLS, 0 }, { BERT_TASK_TOKENS, BERT_POOLING_NONE, 5 } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_err err;
        sample s = random_sample();
        bool tags = CASES[i].id == BERT_TASK_TOKENS,
             numbers = CASES[i].id == BERT_TASK_REGRESSION || CASES[i].id == BERT_TASK_SIMILARITY;
        bert_head_spec head = toy_head((int)CASES[i].id, tags ? TAGS : TOY_BINARY, numbers ? 0 : 2);
        /* which needs a second text in each row */
        for (size_t k = 0; k < N && CASES[i].id == BERT_TASK_SIMILARITY; k++)
            s.pairs[k] = s.pairs[k].size ? s.pairs[k] : text_of("a");
        head.head_hidden = CASES[i].hidden;
        head.label_min = -1.0 / 3;
        head.label_max = 5;
        bert_model *model = toy_model_of(toy_module("module", (toy){ 0 }), CASES[i].pooling, SEQ_LEN, &head), *frozen;
        if (model->threshold > 0)
            model->threshold = 0.123456789;
        freeze_as(model, scratch("head.bert"), FP32);
        frozen = load_model(scratch("head.bert"));
        assert_int_equal(bert_model_task(frozen), CASES[i].id);
        assert_true(frozen->label_min == model->label_min && frozen->label_max == model->label_max &&
                    frozen->threshold == model->threshold);
        assert_int_equal(frozen->head_hidden, CASES[i].hidden);
        bert_session *a = open_session(model, 0, BERT_POOLING_AUTO, false),
                     *b = open_session(frozen, 0, BERT_POOLING_AUTO, false);
        float before[2 * N], after[2 * N];
        const bert_entity *x, *y;
        size_t n, m;
        if (tags) {
            check(bert_session_entities(a, s.texts, N, &x, &n, NULL, &err), &err);
            check(bert_session_entities(b, s.texts, N, &y, &m, NULL, &err), &err);
            assert_true(n > 0);
            assert_int_equal(n, m);
            for (size_t k = 0; k < n; k++)
                assert_true(x[k].text == y[k].text && x[k].byte_start == y[k].byte_start && x[k].score == y[k].score);
        } else {
            check(bert_session_predict(a, s.texts, s.pairs, N, before, NULL, &err), &err);
            check(bert_session_predict(b, s.texts, s.pairs, N, after, NULL, &err), &err);
            assert_memory_equal(before, after, N * bert_session_outputs(a) * sizeof *before);
        }
        bert_session_free(a);
        bert_session_free(b);
        bert_model_free(model);
        bert_model_free(frozen);
    }
}

static void a_frozen_module_embeds_as_the_module(void **state)
{
    (void)state;
    answers before, after;
    const char *module = toy_module("module", (toy){ .no_pooler = true }), *path = scratch("module.bert");
    bert_model *model = load_model(module);
    ask(model, false, &before);
    freeze_as(model, path, FP32);
    bert_model_free(model);
    folder_remove(module, NULL);
    model = load_model(path);
    ask(model, false, &after);
    assert_int_equal(bert_model_labels(model, NULL), 0);
    bert_model_free(model);
    assert_memory_equal(&before, &after, sizeof before);
}

static void a_frozen_module_keeps_the_length_of_its_vectors(void **state)
{
    (void)state;
    for (int normalize = 0; normalize < 2; normalize++) {
        bert_model *model = load_model(toy_module("module", (toy){ 0 }));
        model->normalize = normalize;
        freeze_as(model, scratch("module.bert"), FP32);
        bert_model_free(model);
        model = load_model(scratch("module.bert"));
        assert_int_equal(model->normalize, normalize);
        bert_model_free(model);
    }
}

static void embed_one(const bert_model *model, int pooling, float *vector)
{
    bert_err err;
    bert_text text = text_of("a b c d");
    bert_session *session = open_session(model, 0, pooling, false);
    check(bert_session_embed(session, &text, NULL, 1, vector, NULL, NULL, &err), &err);
    bert_session_free(session);
}

/* A module whose sequence output is not its last layer: the file keeps the last for the pooler, and remembers which one
 * is pooled. That layer is then the last of an encoder that asks it for fewer rows, though its query, key and value are
 * one matrix in the file; with 40 channels its parts do not begin with a panel, with 160 they do. */
static void another_pooling_of_a_frozen_file_is_that_of_the_model(void **state)
{
    (void)state;
    enum { WIDE = 160 };
    static const double LEAST[] = { [FP32] = 1, [BF16] = 0.999, [INT8] = 0.98 };
    static const int OTHERS[] = { BERT_POOLING_MEAN, BERT_POOLING_CLS_RAW };
    for (int64_t hidden = TOY_HIDDEN; hidden <= WIDE; hidden += WIDE - TOY_HIDDEN)
        for (int precision = FP32; precision < PRECISIONS; precision++)
            for (size_t i = 0; i < 2; i++) {
                float before[WIDE], after[WIDE];
                bert_model *model = make_model(toy_module("module", (toy){ .seq_layer = 2, .hidden = hidden }),
                                               BERT_POOLING_CLS, 0);
                embed_one(model, OTHERS[i], before);
                freeze_as(model, scratch("cls.bert"), precision);
                bert_model_free(model);
                model = load_model(scratch("cls.bert"));
                embed_one(model, OTHERS[i], after);
                bert_model_free(model);
                if (precision == FP32)
                    assert_memory_equal(before, after, (size_t)hidden * sizeof *before);
                assert_true(least_cosine(before, after, 1, (size_t)hidden) >= LEAST[precision] - 1e-12);
            }
}

/* Pairs of questions through the real model. */
static void minilm_keeps_its_vectors_in_fewer_bytes(void **state)
{
    (void)state;
    enum { ROWS = 120, H = 384 };
    /* the vocabulary and its trie are 0.05 */
    static const double LEAST[] = { [FP32] = 1, [BF16] = 0.9999, [INT8] = 0.9985 }, BYTES[] = { 4.06, 2.06, 1.1 };
    char *table = shared_path("data/qqp/valid.tsv"), *folder = real_model();
    need(table);
    need(folder);
    bert_err err;
    bert_table_options options;
    bert_dataset *data;
    bert_table_defaults(&options);
    options.text_columns = "question1,question2";
    options.label_column = "is_duplicate";
    check(bert_dataset_load(table, &options, &data, &err), &err);
    char *module = import_golden(folder, NULL, true);
    bert_model *model = load_model(module);
    float *exact = arena_array(&golden_memory, ROWS * H, sizeof *exact),
          *close = arena_array(&golden_memory, ROWS * H, sizeof *close);
    bert_session *session = open_session(model, 128, BERT_POOLING_MEAN, false);
    check(bert_session_embed(session, data->texts, data->pairs, ROWS, exact, NULL, NULL, &err), &err);
    bert_session_free(session);
    for (int precision = FP32; precision < PRECISIONS; precision++) {
        freeze_as(model, scratch("minilm.bert"), precision);
        bert_model *frozen = load_model(scratch("minilm.bert"));
        session = open_session(frozen, 128, BERT_POOLING_MEAN, false);
        check(bert_session_embed(session, data->texts, data->pairs, ROWS, close, NULL, NULL, &err), &err);
        bert_session_free(session);
        double cosines = 0, weights = 0;
        for (size_t i = 0; i < ROWS; i++)
            cosines += least_cosine(exact + i * H, close + i * H, 1, H) / ROWS;
        for (size_t i = 0; i < frozen->module->weights.n; i++)
            weights += (double)weight_size(&frozen->module->weights.items[i]);
        double bytes = (double)frozen->module->tensors.files[0].size / weights;
        print_message("# precision %d: mean cosine %.6f, %.3f bytes a weight\n", precision, cosines, bytes);
        assert_true(cosines >= LEAST[precision] - 1e-9);
        assert_true(bytes <= BYTES[precision]);
        bert_model_free(frozen);
    }
    bert_model_free(model);
    bert_dataset_free(data);
    remove_golden(module);
}

static void check_in_file(const file_mapping *file, const void *p, const char *what)
{
    if (p && ((const unsigned char *)p < file->data || (const unsigned char *)p >= file->data + file->size))
        fail_msg("%s was copied", what);
}

static void weights_stay_where_the_file_is_mapped(void **state)
{
    (void)state;
    for (int precision = FP32; precision < PRECISIONS; precision++) {
        bert_model *model = load_model(frozen_toy(precision));
        const file_mapping *file = &model->module->tensors.files[0];
        const encoder *e = &model->layer->encoder;
        const weight_list *w = &model->layer->weights;
        assert_int_equal(model->module->tensors.n_files, 1);
        for (size_t i = 0; i < w->n; i++) {
            const weight_form *f = &w->forms[i];
            const void *all[] = { w->items[i].value, f->matrix.panels, f->matrix.scale,
                                  f->matrix.sums,    f->table.rows,    f->table.scale };
            for (size_t k = 0; k < sizeof all / sizeof *all; k++)
                check_in_file(file, all[k], w->items[i].name);
            assert_true(weight_is_there(w, &w->items[i]));
        }
        for (const block *b = e->blocks, *end = b + e->n_layers * e->n_blocks; b < end; b++)
            for (size_t k = 0; k < b->n_linears; k++) {
                const dense *d = &b->linears[k].base;
                assert_null(d->weight);
                assert_non_null(d->packed);
                check_in_file(file, d->packed->panels, "a packed matrix");
                assert_true((uintptr_t)d->packed->panels % 64 == 0);
            }
        check_in_file(file, e->tables.word.rows, "the words' table");
        bert_model_free(model);
    }
}

/* ---- freezing again ---------------------------------------------------------------------------------------------- */

static void a_frozen_file_frozen_again_is_the_same_file(void **state)
{
    (void)state;
    bert_err err;
    file_mapping m;
    const char *path = frozen_toy(FP32), *again = scratch("again.bert");
    bert_model *model = load_model(path);
    freeze_as(model, again, FP32);
    check(bert_model_freeze(model, path, NULL, NULL, NULL, &err), &err); /* onto the very file that is mapped */
    bert_model_free(model);
    check(file_map(&m, path, &err), &err);
    assert_true(file_holds(again, (const char *)m.data, m.size));
    file_unmap(&m);
}

static void a_frozen_file_of_fp32_becomes_what_its_model_becomes(void **state)
{
    (void)state;
    for (int precision = BF16; precision <= INT8; precision++) {
        bert_err err;
        file_mapping m;
        bert_model *model = load_model(frozen_toy(FP32));
        freeze_as(model, scratch("again.bert"), precision);
        bert_model_free(model);
        check(file_map(&m, frozen_toy(precision), &err), &err);
        assert_true(file_holds(scratch("again.bert"), (const char *)m.data, m.size));
        file_unmap(&m);
    }
}

static void a_frozen_file_of_fewer_bits_is_not_frozen_again(void **state)
{
    (void)state;
    static const char *const WORDS[] = {
        [BF16] = "toy.bert: frozen as bf16 already; freeze the model that it was made from",
        [INT8] = "toy.bert: frozen as int8 already; freeze the model that it was made from"
    };
    for (int precision = BF16; precision <= INT8; precision++) {
        bert_model *model = load_model(frozen_toy(precision));
        assert_fails(bert_model_freeze(model, scratch("again.bert"), NULL, NULL, NULL, err), BERT_ERR_ARGUMENT,
                     WORDS[precision]);
        assert_false(file_exists(scratch("again.bert")));
        bert_model_free(model);
    }
}

/* ---- what is in it ----------------------------------------------------------------------------------------------- */

static void check_holds(int pooling, int64_t use_layers, size_t layers, bool pooler)
{
    const char *path = scratch("model.bert");
    bert_model *model = make_model(toy_module("module", (toy){ 0 }), pooling, use_layers);
    freeze_as(model, path, FP32);
    bert_model_free(model);
    opened o = open_parts(path);
    /* query, key and value are one matrix, in the last layer two */
    assert_int_equal(o.n, 5 + 14 * (layers - 1) + 15 + (pooler ? 2 : 0) + 2 + 2);
    assert_non_null(tensors_find(&o.set, "embeddings.word_embeddings.weight"));
    assert_non_null(
        tensors_find(&o.set, layers == 3 ? "encoder.layer.2.output.dense.bias" : "encoder.layer.0.output.dense.bias"));
    assert_non_null(tensors_find(&o.set, layers == 3 ? "encoder.layer.2.attention.self.key_value.weight"
                                                     : "encoder.layer.0.attention.self.key_value.weight"));
    assert_int_equal(tensors_find(&o.set, "pooler.dense.weight") != NULL, pooler);
    assert_non_null(tensors_find(&o.set, "classifier.weight"));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(o.about, "config"), "num_hidden_layers")),
                     layers);
    assert_true(json_real_value(json_object_get(json_object_get(o.about, "config"), "hidden_dropout_prob")) == 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(o.about, "labels"), 1)), "1");
    const tensor *vocabulary = tensors_find(&o.set, "vocabulary");
    assert_int_equal(vocabulary->n, strlen(toy_vocabulary()));
    assert_memory_equal(vocabulary->data, toy_vocabulary(), vocabulary->n);
    write_parts(&o, path);
}

static void the_file_holds_what_prediction_reads_and_no_more(void **state)
{
    (void)state;
    check_holds(BERT_POOLING_CLS, 0, 3, true);
    check_holds(BERT_POOLING_CLS, 1, 1, true);
    check_holds(BERT_POOLING_MEAN, 0, 3, false);
    check_holds(BERT_POOLING_MAX, 1, 1, false);
}

static void assert_form(const opened *o, const char *name, dtype type, const char *shape)
{
    char text[TENSOR_SHAPE_TEXT];
    const tensor *t = tensors_find(&o->set, name);
    if (!t)
        fail_msg("there is no %s", name);
    assert_int_equal(t->type, type);
    assert_string_equal(tensor_shape_text(t, text), shape);
}

/* The format, as ops/dense_pack.h and model/weight_forms.h have it: files that are there already must stay readable. */
static void matrices_are_panels_and_tables_have_a_scale_a_row(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct {
            dtype type;
            const char *shape;
        } by[PRECISIONS];
    } CASES[] = {
        { "encoder.layer.0.attention.self.query_key_value.weight",
          { { DTYPE_F32, "[4, 40, 32]" }, { DTYPE_BF16, "[4, 20, 32, 2]" }, { DTYPE_I8, "[4, 10, 32, 4]" } } },
        { "encoder.layer.2.attention.self.query.weight",
          { { DTYPE_F32, "[2, 40, 32]" }, { DTYPE_BF16, "[2, 20, 32, 2]" }, { DTYPE_I8, "[2, 10, 32, 4]" } } },
        { "encoder.layer.2.attention.self.key_value.weight",
          { { DTYPE_F32, "[3, 40, 32]" }, { DTYPE_BF16, "[3, 20, 32, 2]" }, { DTYPE_I8, "[3, 10, 32, 4]" } } },
        { "encoder.layer.1.output.dense.weight",
          { { DTYPE_F32, "[2, 72, 32]" }, { DTYPE_BF16, "[2, 36, 32, 2]" }, { DTYPE_I8, "[2, 18, 32, 4]" } } },
        { "pooler.dense.weight",
          { { DTYPE_F32, "[2, 40, 32]" }, { DTYPE_BF16, "[2, 20, 32, 2]" }, { DTYPE_F32, "[2, 40, 32]" } } },
        { "embeddings.word_embeddings.weight",
          { { DTYPE_F32, "[57, 40]" }, { DTYPE_BF16, "[57, 40]" }, { DTYPE_I8, "[57, 40]" } } },
        { "classifier.weight", { { DTYPE_F32, "[1, 40]" }, { DTYPE_F32, "[1, 40]" }, { DTYPE_F32, "[1, 40]" } } },
        { "encoder.layer.1.output.dense.bias",
          { { DTYPE_F32, "[40]" }, { DTYPE_F32, "[40]" }, { DTYPE_F32, "[40]" } } },
    };
    for (int precision = FP32; precision < PRECISIONS; precision++) {
        bert_model *model = make_model(toy_module("module", (toy){ 0 }), BERT_POOLING_CLS, 0);
        freeze_as(model, scratch("model.bert"), precision);
        bert_model_free(model);
        opened o = open_parts(scratch("model.bert"));
        for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
            assert_form(&o, CASES[i].name, CASES[i].by[precision].type, CASES[i].by[precision].shape);
        if (precision == INT8) {
            assert_form(&o, "encoder.layer.0.attention.self.query_key_value.weight.scale", DTYPE_F32, "[128]");
            assert_form(&o, "encoder.layer.0.attention.self.query_key_value.weight.sums", DTYPE_I32, "[128]");
            assert_form(&o, "embeddings.word_embeddings.weight.scale", DTYPE_F32, "[57]");
        }
        write_parts(&o, scratch("model.bert"));
    }
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

/* Its layer runs inside other programs, and shows no values where there are forms. */
static void the_layer_of_a_frozen_file_runs_forward_alone(void **state)
{
    (void)state;
    for (int precision = FP32; precision < PRECISIONS; precision++) {
        bert_err e;
        bert_pass *pass;
        float vector[TOY_HIDDEN];
        bert_model *model = load_model(frozen_toy(precision));
        bert_layer *layer = bert_model_layer(model);
        bert_text text = text_of("a b c d");
        bert_input input = { .n = 1, .texts = &text };
        check(bert_layer_forward(layer, &input, &(bert_run){ 0 }, &pass, &e), &e);
        embed_one(model, BERT_POOLING_AUTO, vector);
        assert_memory_equal(bert_pass_output(pass, "output", NULL), vector, sizeof vector);
        bert_pass_free(pass);
        size_t n;
        const bert_param *params = bert_layer_params(layer, &n);
        for (size_t i = 0; i < n; i++) {
            bool form = params[i].cols > 1 && strcmp(params[i].group, "head");
            assert_int_equal(params[i].value == NULL, form);
            assert_null(params[i].tuned);
        }
        const char *words = "toy.bert: nothing goes backward through a frozen file: run it without train and keep";
        assert_fails(bert_layer_forward(layer, &input, &(bert_run){ .keep = true }, &pass, err), BERT_ERR_ARGUMENT,
                     words);
        assert_null(pass);
        assert_fails(bert_layer_forward(layer, &input, &(bert_run){ .train = true }, &pass, err), BERT_ERR_ARGUMENT,
                     words);
        bert_model_free(model);
    }
}

static void a_frozen_file_is_not_saved_and_takes_no_weights(void **state)
{
    (void)state;
    bert_model *model = load_model(frozen_toy(INT8));
    const char *weights = "toy.bert: a frozen file has no weights that are saved or replaced";
    assert_fails(bert_model_save_weights(model, scratch("weights"), err), BERT_ERR_ARGUMENT, weights);
    assert_fails(bert_model_load_weights(model, scratch("weights"), err), BERT_ERR_ARGUMENT, weights);
    assert_fails(bert_layer_save(bert_model_layer(model), scratch("folder"), err), BERT_ERR_ARGUMENT,
                 "toy.bert: the weights of a frozen file are packed for prediction, and no module is made of them");
    assert_fails(bert_model_save(model, scratch("folder"), false, err), BERT_ERR_ARGUMENT,
                 "folder: only a model that has a head and is made on a module can be saved");
    assert_fails(layer_set_precision(bert_model_layer(model), OPS_FP32, OPS_FP32, err), BERT_ERR_ARGUMENT,
                 "toy.bert: a frozen file multiplies as it was frozen");
    assert_false(file_exists(scratch("weights")) || file_exists(scratch("folder")));
    bert_model_free(model);
}

static void a_folder_is_no_place_for_a_frozen_file(void **state)
{
    (void)state;
    char words[512];
    const char *module = toy_module("module", (toy){ 0 });
    bert_model *model = load_model(module);
    snprintf(words, sizeof words, "%s: a module stands there; a frozen file is a file and needs another name", module);
    assert_fails(bert_model_freeze(model, module, NULL, NULL, NULL, err), BERT_ERR_ARGUMENT, words);
    char *under = path_join(&golden_memory, module, "vocab.txt/out.bert");
    snprintf(words, sizeof words, "%s: cannot write: Not a directory", under);
    assert_fails(bert_model_freeze(model, under, NULL, NULL, NULL, err), BERT_ERR_IO, words);
    assert_fails(bert_model_freeze(model, scratch("nowhere/out.bert"), NULL, NULL, NULL, err), BERT_ERR_IO,
                 "nowhere/out.bert: cannot write: No such file or directory");
    bert_model_free(model);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    bert_freeze_options options;
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    bert_freeze_defaults(&options);
    assert_true(options.precision == FP32 && options.min_agreement == 0);
    options.min_agreement = 1.5;
    assert_fails(bert_model_freeze(model, scratch("out.bert"), &options, NULL, NULL, err), BERT_ERR_ARGUMENT,
                 "--min-agreement: 1.5 is out of range, 0 to 1");
    bert_freeze_defaults(&options);
    options.precision = 3;
    assert_fails(bert_model_freeze(model, scratch("out.bert"), &options, NULL, NULL, err), BERT_ERR_ARGUMENT,
                 "--precision: \"3\" is not one of fp32, bf16, int8");
    assert_false(file_exists(scratch("out.bert")));
    bert_model_free(model);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    (void)state;
    bert_err e;
    file_mapping m;
    const char *path = frozen_toy(FP32);
    char words[512];
    check(file_map(&m, path, &e), &e);
    bert_model *model = load_model(toy_module("module", (toy){ 0 }));
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 20000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bert_err err = { 0 };
    bert_status s = bert_model_freeze(model, path, NULL, NULL, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    snprintf(words, sizeof words, "%s: cannot write: File too large", path);
    assert_int_equal(s, BERT_ERR_IO);
    assert_string_equal(err.message, words);
    assert_true(file_holds(path, (const char *)m.data, m.size));
    assert_int_equal(folder_remove(path_join(&golden_memory, scratch_folder, "module"), NULL), 0);
    unlink(path);
    assert_int_equal(rmdir(scratch_folder), 0); /* no half-written file beside it */
    file_unmap(&m);
    bert_model_free(model);
    assert_int_equal(mkdir(scratch_folder, 0700), 0);
}

static int groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_frozen_file_alone_gives_the_bits_of_its_model_for_every_pooling),
        in_a_folder(bf16_and_int8_are_close_for_every_pooling),
        in_a_folder(every_task_keeps_its_head_in_the_file),
        in_a_folder(a_frozen_module_embeds_as_the_module),
        in_a_folder(a_frozen_module_keeps_the_length_of_its_vectors),
        in_a_folder(another_pooling_of_a_frozen_file_is_that_of_the_model),
        in_a_folder(minilm_keeps_its_vectors_in_fewer_bytes),
        in_a_folder(weights_stay_where_the_file_is_mapped),
        in_a_folder(a_frozen_file_frozen_again_is_the_same_file),
        in_a_folder(a_frozen_file_of_fp32_becomes_what_its_model_becomes),
        in_a_folder(a_frozen_file_of_fewer_bits_is_not_frozen_again),
        in_a_folder(the_file_holds_what_prediction_reads_and_no_more),
        in_a_folder(matrices_are_panels_and_tables_have_a_scale_a_row),
        in_a_folder(the_layer_of_a_frozen_file_runs_forward_alone),
        in_a_folder(a_frozen_file_is_not_saved_and_takes_no_weights),
        in_a_folder(a_folder_is_no_place_for_a_frozen_file),
        in_a_folder(options_out_of_range_are_refused),
        in_a_folder(a_full_disk_leaves_the_old_file),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}

int main(void)
{
    return run_each_isa(groups);
}
