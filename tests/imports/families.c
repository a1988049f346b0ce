/* Families of encoders against transformers in float64 (tests/hf/make_families.py): every layer's output, the gradients
 * of all weights, classifiers with their loss and gradients, forward through import, module and model; what of a family
 * is frozen and exported. */
#include "exports/onnx_run.h"
#include "golden.h"

#include "arch/families.h"
#include "base/scratch.h"
#include "task/head.h"
#include "task/tasks.h"

enum { ROWS = 5, ODD_ROWS = 2, SEQ_LEN = 12, HIDDEN = 24, LAYERS = 2, LABELS = 3, VALUES = ROWS * SEQ_LEN * HIDDEN };

/* What float32 may differ by from float64 where values are around 1 and gradients up to 50 (relative: of a tensor's
 * length). */
static const double MOST_VALUE = 5e-6, MOST_GRADIENT = 5e-6, MOST_LOGIT = 2e-5, NOISE = 1e-4;

static const char *const NAMES[] = { "distilbert", "roberta", "electra", "albert", "mpnet" };
/* Those that read texts. */
static const char *const READERS[] = { "distilbert", "electra", "albert" };
enum { N_NAMES = sizeof NAMES / sizeof *NAMES, N_READERS = sizeof READERS / sizeof *READERS, TAGS = 5 };

typedef struct experiment {
    const char *name;
    tensor_set golden;
    bert_model *imported;
} experiment;

static char *path_of(const char *name, const char *file)
{
    return path_join(&golden_memory, arena_printf(&golden_memory, "tests/arch/files/%s", name), file);
}

/* Imports a folder, for ids alone where it has no vocabulary; *note is the caller's. */
static bert_model *imported(const char *folder, char **note)
{
    bert_err err;
    bert_model *m;
    char *to = arena_printf(&golden_memory, "%s/imported", scratch_folder);
    bert_import_options options;
    bert_import_defaults(&options);
    options.ids_only = !folder_holds(folder, "vocab.txt");
    folder_remove(to, NULL);
    check(bert_import(folder, to, &options, note, &err), &err);
    check(bert_model_load(to, &m, &err), &err);
    return m;
}

static void experiment_open(experiment *e, const char *name)
{
    bert_err err;
    char *note = NULL;
    *e = (experiment){ .name = name };
    check(safetensors_open(&e->golden, path_of(name, "golden.safetensors"), NULL, &err), &err);
    e->imported = imported(path_of(name, ""), &note);
    bert_free(note);
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

/* Its rows, or those of odd masks, which are of one segment. */
static bert_input input_of(const experiment *e, bool odd)
{
    static const int32_t NONE[ROWS * SEQ_LEN];
    const tensor *segments = tensors_find(&e->golden, "segment_ids");
    return (bert_input){ .n = odd ? ODD_ROWS : ROWS,
                         .input_ids = golden_of(e, odd ? "odd.input_ids" : "input_ids")->data,
                         .input_mask = golden_of(e, odd ? "odd.input_mask" : "input_mask")->data,
                         .segment_ids = segments && !odd ? segments->data : NONE };
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
        bert_input input = input_of(&e, false);
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
        input = input_of(&e, true);
        check(bert_layer_forward(layer, &input, &(bert_run){ 0 }, &pass, &err), &err);
        expect_values(&e, "odd.hidden_0", bert_pass_output(pass, "embedding_output", NULL), MOST_VALUE);
        expect_values(&e, "odd.hidden_2", bert_pass_output(pass, "layer_1", NULL), MOST_VALUE);
        bert_pass_free(pass);
        bert_layer_free(layer);
        experiment_close(&e);
    }
}

/* Where numbers depend on how far apart tokens are, in sequences that are long. */
static void distances_count_as_in_transformers(void **state)
{
    (void)state;
    enum { LONG = 140 };
    static const int32_t NONE[LONG];
    int32_t mask[LONG];
    experiment e;
    bert_err err;
    bert_layer *layer;
    bert_pass *pass;
    experiment_open(&e, "mpnet");
    bert_layer_spec spec = spec_of();
    spec.pooling = BERT_POOLING_NONE;
    spec.tune_embeddings = false;
    spec.n_tune_layers = 0;
    spec.seq_len = LONG;
    check(bert_layer_create(e.imported->module, &spec, 0, &layer, NULL, &err), &err);
    for (int i = 0; i < LONG; i++)
        mask[i] = 1;
    bert_input input = {
        .n = 1, .input_ids = golden_of(&e, "long.input_ids")->data, .input_mask = mask, .segment_ids = NONE
    };
    check(bert_layer_forward(layer, &input, &(bert_run){ 0 }, &pass, &err), &err);
    expect_values(&e, "long.hidden_2", bert_pass_output(pass, "output", NULL), MOST_VALUE);
    bert_pass_free(pass);
    bert_layer_free(layer);
    experiment_close(&e);
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
        if (to)
            memcpy(to->tuned, weight_at(&from->layer->weights, id, 0)->value, weight_size(to) * sizeof *to->tuned);
    }
    return m;
}

/* Logits, loss and gradients of ...ForSequenceClassification. */
static void classifiers_compute_what_transformers_does(void **state)
{
    (void)state;
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
        const bert_input input = input_of(&e, false);
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

/* ---- other folders of the same encoder --------------------------------------------------------------------------- */

/* A folder as another class of transformers' writes it. */
typedef struct variant {
    const char *type;  /* model_type; NULL: the same */
    const char *class; /* its architecture */
    bool bare;         /* without the prefix, as an encoder alone */
    /* in place of the head: two tensors, or names of such that are not read */
    const tensor *extra[2];
    const char *names[2];
} variant;

/* Returns its path. */
static const char *write_variant(const experiment *e, const variant *v)
{
    bert_err err;
    tensor_set from;
    tensor items[100];
    size_t n = 0;
    const char *folder = scratch("variant"), *prefix = e->imported->module->config.family->head_prefix;
    check(safetensors_open(&from, path_of(e->name, "model.safetensors"), NULL, &err), &err);
    for (size_t i = 0; i < from.n; i++)
        if (!strncmp(from.items[i].name, prefix, strlen(prefix))) {
            items[n] = from.items[i];
            items[n++].name += v->bare ? strlen(prefix) : 0;
        }
    for (int i = 0; i < 2 && v->extra[i]; i++) {
        items[n] = *v->extra[i];
        items[n++].name = v->names[i];
    }
    folder_remove(folder, NULL);
    check(folder_create(folder, &err), &err);
    check(safetensors_write(scratch("variant/model.safetensors"), items, n, NULL, &err), &err);
    tensors_close(&from);
    check(file_copy(path_of(e->name, "config.json"), scratch("variant/config.json"), &err), &err);
    change_member(scratch("variant/config.json"), "architectures", json_pack("[s]", v->class));
    if (v->type)
        change_member(scratch("variant/config.json"), "model_type", json_string(v->type));
    if (file_exists(path_of(e->name, "vocab.txt")))
        check(file_copy(path_of(e->name, "vocab.txt"), scratch("variant/vocab.txt"), &err), &err);
    return folder;
}

/* The last layer of a folder's encoder is the one that the golden file has. */
static void expect_encoder(const experiment *e, const bert_module *module)
{
    bert_err err;
    bert_layer *layer;
    bert_pass *pass;
    bert_layer_spec spec = spec_of();
    spec.pooling = BERT_POOLING_NONE;
    spec.tune_embeddings = false;
    spec.n_tune_layers = 0;
    check(bert_layer_create(module, &spec, 0, &layer, NULL, &err), &err);
    bert_input input = input_of(e, false);
    check(bert_layer_forward(layer, &input, &(bert_run){ 0 }, &pass, &err), &err);
    expect_values(e, "hidden_2", bert_pass_output(pass, "output", NULL), MOST_VALUE);
    bert_pass_free(pass);
    bert_layer_free(layer);
}

static void encoders_are_read_whatever_stands_on_them(void **state)
{
    (void)state;
    static const struct {
        const char *family, *stem, *masked, *note;
    } CASES[] = {
        { "distilbert", "DistilBert", "vocab_transform.bias",
          "not read: vocab_transform, vocab_layer_norm, "
          "vocab_projector (1 tensor, the masked-language head)" },
        { "roberta", "Roberta", "lm_head.bias", "not read: lm_head (1 tensor, the masked-language head)" },
        { "electra", "Electra", "generator_lm_head.bias",
          "not read: generator_predictions, generator_lm_head (1 tensor, the masked-language head)" },
        { "mpnet", "MPNet", "lm_head.bias", "not read: lm_head (1 tensor, the masked-language head)" },
        { "albert", "Albert", "predictions.bias", "not read: predictions (1 tensor, the masked-language head)" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        experiment e;
        char *note = NULL;
        experiment_open(&e, CASES[i].family);
        bert_model *m = imported(
            write_variant(&e, &(variant){ .class = arena_printf(&golden_memory, "%sForMaskedLM", CASES[i].stem),
                                          .extra = { golden_of(&e, "tokens.bias") },
                                          .names = { CASES[i].masked } }),
            &note);
        assert_non_null(note);
        assert_non_null(strstr(note, CASES[i].note));
        expect_encoder(&e, m->module);
        bert_free(note);
        bert_model_free(m);
        m = imported(write_variant(&e, &(variant){ .class = arena_printf(&golden_memory, "%sModel", CASES[i].stem),
                                                   .bare = true }),
                     &note);
        assert_true(!note || !strstr(note, "not read"));
        expect_encoder(&e, m->module);
        bert_free(note);
        bert_model_free(m);
        experiment_close(&e);
    }
}

/* A model's logits of every token. */
static void expect_tags(const experiment *e, const bert_model *m)
{
    bert_err err;
    bert_pass *pass;
    static float logits[ROWS * SEQ_LEN * TAGS];
    const bert_param *w = weight_at(&m->layer->weights, HEAD_WEIGHT, 0);
    const int32_t *mask = golden_of(e, "input_mask")->data;
    bert_input input = input_of(e, false);
    bert_layer_spec spec = m->layer->spec;
    bert_layer *layer;
    assert_int_equal(m->task, BERT_TASK_TOKENS);
    assert_int_equal(w->rows, TAGS);
    spec.seq_len = SEQ_LEN;
    spec.do_preprocessing = false;
    check(bert_layer_create(m->module, &spec, 0, &layer, NULL, &err), &err);
    check(bert_layer_forward(layer, &input, &(bert_run){ 0 }, &pass, &err), &err);
    const float *x = bert_pass_output(pass, "output", NULL);
    for (size_t row = 0; row < ROWS * SEQ_LEN; row++)
        for (size_t k = 0; k < TAGS; k++) {
            double sum = w[1].value[k];
            for (size_t c = 0; c < HIDDEN; c++)
                sum += (double)w->value[k * HIDDEN + c] * x[row * HIDDEN + c];
            logits[row * TAGS + k] = mask[row] ? (float)sum : 0;
        }
    expect_values(e, "tokens.logits", logits, MOST_LOGIT);
    bert_pass_free(pass);
    bert_layer_free(layer);
}

static void classifiers_of_tokens_compute_what_transformers_does(void **state)
{
    (void)state;
    for (int f = 0; f < N_NAMES; f++) {
        experiment e;
        char *note = NULL;
        experiment_open(&e, NAMES[f]);
        const variant v = { .class = arena_printf(&golden_memory, "%sForTokenClassification",
                                                  e.imported->module->config.family->stem),
                            .extra = { golden_of(&e, "tokens.weight"), golden_of(&e, "tokens.bias") },
                            .names = { "classifier.weight", "classifier.bias" } };
        const char *folder = write_variant(&e, &v);
        change_member(scratch("variant/config.json"), "label2id", NULL);
        change_member(scratch("variant/config.json"), "id2label",
                      json_pack("{s:s, s:s, s:s, s:s, s:s}", "0", "O", "1", "B-X", "2", "I-X", "3", "B-Y", "4", "I-Y"));
        bert_model *m = imported(folder, &note);
        expect_tags(&e, m);
        bert_free(note);
        bert_model_free(m);
        experiment_close(&e);
    }
}

/* Other families' names for the network of one. */
static void relatives_have_the_same_network(void **state)
{
    (void)state;
    static const struct {
        const char *family, *type, *stem;
    } CASES[] = { { "roberta", "xlm-roberta", "XLMRoberta" }, { "roberta", "camembert", "Camembert" } };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        experiment e;
        char *note = NULL;
        tensor_set whole;
        bert_err err;
        experiment_open(&e, CASES[i].family);
        check(safetensors_open(&whole, path_of(CASES[i].family, "model.safetensors"), NULL, &err), &err);
        bert_model *m = imported(
            write_variant(&e, &(variant){ .type = CASES[i].type,
                                          .class = arena_printf(&golden_memory, "%sModel", CASES[i].stem),
                                          .bare = true }),
            &note);
        bert_free(note);
        assert_string_equal(m->module->config.family->name, CASES[i].type);
        expect_encoder(&e, m->module);
        bert_model_free(m);
        tensors_close(&whole);
        experiment_close(&e);
    }
}

/* Values that no class default may stand in for. */
static void what_a_configuration_must_say_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *family, *key, *value; /* as JSON; NULL: it is absent */
        bert_status status;
        const char *message;
    } CASES[] = {
        { "roberta", "layer_norm_eps", NULL, BERT_ERR_FORMAT, "layer_norm_eps is missing" },
        { "roberta", "pad_token_id", NULL, BERT_ERR_FORMAT, "pad_token_id is missing" },
        { "roberta", "hidden_act", "null", BERT_ERR_FORMAT, "hidden_act is missing" },
        { "distilbert", "activation", NULL, BERT_ERR_FORMAT, "activation is missing" },
        { "electra", "layer_norm_eps", NULL, BERT_ERR_FORMAT, "layer_norm_eps is missing" },
        { "electra", "embedding_size", NULL, BERT_ERR_FORMAT, "embedding_size is missing" },
        { "electra", "embedding_size", "24", BERT_ERR_FORMAT, "has shape [60, 16], expected [60, 24]" },
        { "mpnet", "layer_norm_eps", NULL, BERT_ERR_FORMAT, "layer_norm_eps is missing" },
        { "mpnet", "relative_attention_num_buckets", "64", BERT_ERR_UNSUPPORTED,
          "relative_attention_num_buckets is 64, expected 32" },
        { "albert", "hidden_act", NULL, BERT_ERR_FORMAT, "hidden_act is missing" },
        { "albert", "num_hidden_groups", "2", BERT_ERR_UNSUPPORTED, "num_hidden_groups is 2, expected 1" },
        { "albert", "inner_group_num", "3", BERT_ERR_UNSUPPORTED, "inner_group_num is 3, expected 1" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        experiment e;
        bert_err err;
        experiment_open(&e, CASES[i].family);
        const char *folder = write_variant(&e, &(variant){ .class = "Model" });
        change_member(scratch("variant/config.json"), CASES[i].key,
                      CASES[i].value ? json_loads(CASES[i].value, JSON_DECODE_ANY, NULL) : NULL);
        assert_int_equal(bert_import(folder, scratch("refused"), NULL, NULL, &err), CASES[i].status);
        if (!strstr(err.message, CASES[i].message))
            fail_msg("%s: %s", CASES[i].family, err.message);
        experiment_close(&e);
    }
}

/* ---- weights that layers share ----------------------------------------------------------------------------------- */

static void shared_layers_are_held_once(void **state)
{
    (void)state;
    experiment e;
    bert_err err;
    bert_layer *layer;
    experiment_open(&e, "albert");
    bert_layer_spec spec = spec_of();
    spec.tune_embeddings = false;
    spec.n_tune_layers = 1; /* whoever tunes one tunes all */
    check(bert_layer_create(e.imported->module, &spec, 0, &layer, NULL, &err), &err);
    char *words = bert_layer_describe(layer);
    assert_non_null(strstr(words, "layers               4480 parameters  tuned"));
    assert_null(strstr(words, "layer 0"));
    assert_int_equal(layer->spec.n_tune_layers, LAYERS);
    bert_free(words);
    bert_layer_free(layer);
    spec.n_tune_layers = 0;
    check(bert_layer_create(e.imported->module, &spec, 0, &layer, NULL, &err), &err);
    check(layer_ready(layer, &err), &err);
    /* the feed-forward of both layers is packed once; attention, whose queries stand apart in the last layer, twice */
    const block *below = encoder_layer(&layer->encoder, 0), *last = encoder_layer(&layer->encoder, 1);
    assert_ptr_equal(below[3].linears[0].base.packed, last[3].linears[0].base.packed);
    assert_ptr_not_equal(below[0].linears[0].base.packed, last[0].linears[0].base.packed);
    bert_layer_free(layer);
    experiment_close(&e);
}

/* ---- what becomes of them ---------------------------------------------------------------------------------------- */

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
        "the module was imported without a tokeniser: it reads ids (do_preprocessing false), no texts";
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

enum { TEXTS = 4 };
static const bert_text SENTENCES[TEXTS] = { { "the cat sat", 11 },
                                            { "a mat", 5 },
                                            { "my card is lost !", 17 },
                                            { "", 0 } },
                       SECONDS[TEXTS] = { { "on the mat", 10 }, { "", 0 }, { "a", 1 }, { "what can i do", 13 } };

/* Texts and pairs go in, and a frozen file says what the model says, to the bit. */
static void what_reads_texts_is_frozen(void **state)
{
    (void)state;
    for (int f = 0; f < N_READERS; f++) {
        experiment e;
        bert_err err;
        bert_model *frozen;
        bert_session *sessions[2];
        float scores[2][TEXTS * LABELS];
        experiment_open(&e, READERS[f]);
        check(bert_model_freeze(e.imported, scratch("file.bert"), NULL, NULL, NULL, &err), &err);
        check(bert_model_load(scratch("file.bert"), &frozen, &err), &err);
        for (int i = 0; i < 2; i++) {
            check(bert_session_create(i ? frozen : e.imported, NULL, &sessions[i], &err), &err);
            check(bert_session_predict(sessions[i], SENTENCES, SECONDS, TEXTS, scores[i], NULL, &err), &err);
            bert_session_free(sessions[i]);
        }
        assert_memory_equal(scores[0], scores[1], sizeof *scores);
        bert_model_free(frozen);
        experiment_close(&e);
    }
}

/* Vectors of a model or file, all at once or (alone) one by one. */
static void vectors_of(const bert_model *m, int pooling, bool alone, float *out)
{
    bert_err err;
    bert_session *session;
    bert_session_options options;
    bert_session_defaults(&options);
    options.pooling = pooling;
    check(bert_session_create(m, &options, &session, &err), &err);
    for (size_t i = 0; i < (alone ? TEXTS : 1); i++)
        check(bert_session_embed(session, SENTENCES + i, SECONDS + i, alone ? 1 : TEXTS, out + i * HIDDEN, NULL, NULL,
                                 &err),
              &err);
    bert_session_free(session);
}

/* Every pooling that a family has, in every precision of a file: the same bits in any batch, fp32 those of the model.
 */
static void every_pooling_in_every_precision(void **state)
{
    (void)state;
    float vectors[2][TEXTS * HIDDEN], exact[TEXTS * HIDDEN];
    for (int f = 0; f < N_READERS; f++)
        for (int pooling = BERT_POOLING_CLS; pooling <= BERT_POOLING_MAX; pooling++) {
            experiment e;
            bert_err err;
            bert_module *module;
            bert_model *m, *frozen;
            experiment_open(&e, READERS[f]);
            check(bert_module_open(e.imported->module->path, &module, &err), &err);
            bert_layer_spec spec = spec_of();
            spec.do_preprocessing = true;
            spec.pooling = pooling;
            spec.n_tune_layers = 0;
            spec.tune_embeddings = false;
            check(model_create(module, &spec, NULL, 7, &m, &err), &err);
            vectors_of(m, pooling, false, exact);
            for (int precision = 0; precision < 3; precision++) {
                bert_freeze_options options;
                bert_freeze_defaults(&options);
                options.precision = precision;
                options.force = true;
                check(bert_model_freeze(m, scratch("file.bert"), &options, NULL, NULL, &err), &err);
                check(bert_model_load(scratch("file.bert"), &frozen, &err), &err);
                vectors_of(frozen, pooling, false, vectors[0]);
                vectors_of(frozen, pooling, true, vectors[1]);
                assert_memory_equal(vectors[0], vectors[1], sizeof *vectors);
                static const float WITHIN[] = { 0, 0.05f, 0.12f };
                for (size_t i = 0; i < TEXTS * HIDDEN; i++)
                    if (!(fabsf(vectors[0][i] - exact[i]) <= WITHIN[precision] * (1 + fabsf(exact[i]))))
                        fail_msg("%s, pooling %d, precision %d: %g, expected %g", e.name, pooling, precision,
                                 (double)vectors[0][i], (double)exact[i]);
                bert_model_free(frozen);
            }
            bert_model_free(m);
            experiment_close(&e);
        }
}

/* An export for transformers has the tensors that were imported, to the bit, and no other. */
static void exports_for_transformers_are_what_was_imported(void **state)
{
    (void)state;
    for (int f = 0; f < N_NAMES; f++) {
        experiment e;
        bert_err err;
        tensor_set was, is;
        bert_export_options options;
        experiment_open(&e, NAMES[f]);
        bert_export_defaults(&options);
        options.format = BERT_EXPORT_HF;
        options.force = true;
        check(bert_model_export(e.imported, scratch("theirs"), &options, NULL, &err), &err);
        check(safetensors_open(&was, path_of(NAMES[f], "model.safetensors"), NULL, &err), &err);
        check(safetensors_open(&is, scratch("theirs/model.safetensors"), NULL, &err), &err);
        assert_int_equal(is.n, was.n);
        for (size_t i = 0; i < was.n; i++) {
            const tensor *t = tensors_find(&is, was.items[i].name);
            if (!t)
                fail_msg("%s: the export has no %s", NAMES[f], was.items[i].name);
            assert_int_equal(t->n, was.items[i].n);
            assert_memory_equal(t->data, was.items[i].data, t->n * sizeof(float));
        }
        tensors_close(&was);
        tensors_close(&is);
        experiment_close(&e);
    }
}

/* A graph gives transformers' probabilities. */
static void graphs_compute_what_transformers_does(void **state)
{
    (void)state;
    for (int f = 0; f < N_NAMES; f++) {
        experiment e;
        bert_err err;
        run r;
        float expected[ROWS * LABELS];
        experiment_open(&e, NAMES[f]);
        check(bert_model_export(e.imported, scratch("model.onnx"), NULL, NULL, &err), &err);
        run_open(&r, scratch("model.onnx"));
        bert_input input = input_of(&e, false);
        run_input(&r, "input_ids", input.input_ids, ROWS, SEQ_LEN);
        run_input(&r, "attention_mask", input.input_mask, ROWS, SEQ_LEN);
        run_input(&r, "token_type_ids", input.segment_ids, ROWS, SEQ_LEN);
        run_nodes(&r);
        const double *logits = golden_of(&e, "logits")->data;
        for (int i = 0; i < ROWS; i++) {
            double all = 0;
            for (int k = 0; k < LABELS; k++)
                all += exp(logits[i * LABELS + k]);
            for (int k = 0; k < LABELS; k++)
                expected[i * LABELS + k] = (float)(exp(logits[i * LABELS + k]) / all);
        }
        const run_value *v = run_find(&r, "probabilities");
        assert_int_equal(run_count(v), ROWS * LABELS);
        for (size_t i = 0; i < ROWS * LABELS; i++)
            if (!(fabs(v->x[i] - (double)expected[i]) <= MOST_LOGIT))
                fail_msg("%s: probability %zu is %.9g, expected %.9g", NAMES[f], i, v->x[i], (double)expected[i]);
        run_close(&r);
        experiment_close(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(encoders_compute_what_transformers_does),
        in_a_folder(distances_count_as_in_transformers),
        in_a_folder(classifiers_compute_what_transformers_does),
        in_a_folder(a_module_without_a_tokeniser_reads_ids_alone),
        in_a_folder(encoders_are_read_whatever_stands_on_them),
        in_a_folder(classifiers_of_tokens_compute_what_transformers_does),
        in_a_folder(relatives_have_the_same_network),
        in_a_folder(what_a_configuration_must_say_is_asked_for),
        in_a_folder(shared_layers_are_held_once),
        in_a_folder(what_reads_texts_is_frozen),
        in_a_folder(every_pooling_in_every_precision),
        in_a_folder(exports_for_transformers_are_what_was_imported),
        in_a_folder(graphs_compute_what_transformers_does),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
