/* From transformers' and Google's classifiers to models. What their outputs mean stands in config.json: problem_type,
 * id2label, and for CrossEncoder the activation that it puts behind them. */
#include "imports/fine_tuned.h"
#include "imports/fine_tuned_words.h"

#include "base/file.h"
#include "base/finite.h"
#include "formats/json.h"
#include "task/label_words.h"
#include "task/tasks.h"

#include <string.h>

enum { MOST_LABELS = 1 << 20 };

/* NULL where there is no head that is read, or sentence-transformers takes vectors from the folder. Google's has no
 * architecture, but names that no other has. */
static const family_head *fine_tuned_form_of(const source *s)
{
    const char *name = json_string_value(json_array_get(json_object_get(s->settings, "architectures"), 0));
    const family_head *heads = s->is_known && s->n_steps < 2 ? s->naming.family->heads : NULL;
    for (int i = 0; heads && i < MOST_FAMILY_HEADS && heads[i].last[0]; i++)
        if (heads[i].architecture ? name && !strcmp(name, heads[i].architecture)
                                  : s->naming.names == NAMES_GOOGLE && tensors_find(&s->tensors, heads[i].last[0]))
            return &heads[i];
    return NULL;
}

bool fine_tuned_is(const source *s)
{
    return fine_tuned_form_of(s) != NULL;
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

static bert_status read_tensor(fine_tuned *f, const bert_param *as, const char *name, float **out, bert_err *err)
{
    const tensor *t = tensors_find(&f->source->tensors, name);
    if (!t)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is absent; %s has it", f->source->weights_path, name,
                    f->whose);
    bert_status s = weight_check(t, as, false, err);
    if (s)
        return s;
    source_mark_read(f->source, t);
    *out = arena_array(&f->memory, weight_size(as), sizeof **out);
    if (!*out)
        return fail_memory(err, name);
    s = tensor_to_f32(t, *out, err);
    size_t n = s ? 0 : weight_size(as), bad = n ? first_not_finite(*out, n) : 0;
    return s || bad == n ? s
                         : fail(err, BERT_ERR_NUMERIC, "%s: tensor %s is %s at element %zu", t->file, name,
                                not_finite_word((*out)[bad]), bad);
}

/* The classifier, and the dense layer before it where it has one; how many rows it has is what the model's number of
 * labels is. */
static bert_status read_classifier(fine_tuned *f, bert_err *err)
{
    const tensor *t = tensors_find(&f->source->tensors, f->form->last[0]);
    size_t H = (size_t)f->source->config.hidden_size;
    f->rows = t && t->rank == 2 && t->shape[0] > 0 ? (size_t)t->shape[0] : 1;
    if (f->rows > MOST_LABELS)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: %zu labels, at most %d are supported", f->source->weights_path,
                    f->rows, MOST_LABELS);
    const bert_param weight = { .rows = f->rows, .cols = H }, bias = { .rows = f->rows, .cols = 1 };
    const bert_param before = { .rows = H, .cols = H }, shift = { .rows = H, .cols = 1 };
    bert_status s = read_tensor(f, &weight, f->form->last[0], &f->weight, err);
    if (!s)
        s = read_tensor(f, &bias, f->form->last[1], &f->bias, err);
    if (!s && f->form->hidden[0])
        s = read_tensor(f, &before, f->form->hidden[0], &f->hidden, err);
    if (!s && f->form->hidden[0])
        s = read_tensor(f, &shift, f->form->hidden[1], &f->hidden_bias, err);
    return s;
}

static bool has_problem(const fine_tuned *f, const char *word)
{
    return f->problem && !strcmp(f->problem, word);
}

static bool has_activation(const fine_tuned *f, const char *word)
{
    return f->activation && !strcmp(f->activation, word);
}

/* ---- the outputs and the task ------------------------------------------------------------------------------------ */

/* One output is a number or, with a sigmoid behind it, a probability. */
static bert_status choose_for_one(fine_tuned *f, bert_err *err)
{
    if (f->activation && !has_activation(f, "Sigmoid") && !has_activation(f, "Identity"))
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: activation %s behind one output; libbert has Sigmoid and Identity",
                    f->where, f->activation);
    bool number = f->activation ? has_activation(f, "Identity") : has_problem(f, "regression");
    f->output = number ? &OUTPUT_NUMBER : &OUTPUT_PAIR;
    f->single = !number;
    if (!f->activation && !f->problem)
        buffer_string(
            &f->source->notes,
            "one output, and nothing tells what it is: read as a probability with a sigmoid, as transformers and "
            "CrossEncoder do\n");
    return BERT_OK;
}

/* softmax(0, z) is sigmoid(z): what libbert exports of a binary model. */
static bool first_row_is_zero(const fine_tuned *f)
{
    size_t H = (size_t)f->source->config.hidden_size;
    bool zero = f->bias[0] == 0;
    for (size_t i = 0; zero && i < H; i++)
        zero = f->weight[i] == 0;
    return zero;
}

static bert_status choose_for_several(fine_tuned *f, bert_err *err)
{
    if (has_problem(f, "regression"))
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: regression with %zu outputs; libbert has one", f->where, f->rows);
    if (f->activation && !has_activation(f, "Sigmoid") && !has_activation(f, "Identity") &&
        !has_activation(f, "Softmax"))
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: activation %s behind %zu outputs; libbert has Softmax and Sigmoid",
                    f->where, f->activation, f->rows);
    if (has_activation(f, "Sigmoid") || has_problem(f, "multi_label_classification"))
        f->output = &OUTPUT_SIGMOIDS;
    else if (f->rows == 2 && first_row_is_zero(f)) {
        f->output = &OUTPUT_PAIR;
        f->first = 1;
    } else
        f->output = &OUTPUT_SOFTMAX;
    return BERT_OK;
}

static bert_status choose_output(fine_tuned *f, bert_err *err)
{
    if (f->tokens) {
        f->output = &OUTPUT_SOFTMAX;
        return BERT_OK;
    }
    return f->rows == 1 ? choose_for_one(f, err) : choose_for_several(f, err);
}

/* transformers reads a tag without B- or I- as one with I-. */
static bert_status name_tags(fine_tuned *f, bert_err *err)
{
    size_t changed = 0;
    for (size_t i = 0; i < f->rows; i++)
        if (!tag_is_one((bert_text){ f->names[i], strlen(f->names[i]) })) {
            const char *tag = arena_printf(&f->memory, "I-%s", f->names[i]);
            if (!tag)
                return fail_memory(err, "labels");
            f->names[i] = tag;
            changed++;
        }
    if (changed)
        buffer_printf(
            &f->source->notes,
            "%zu of the %zu labels begin with neither B- nor I-: read as if they began with I-, as transformers does\n",
            changed, f->rows);
    return BERT_OK;
}

/* Two words for the one label of a single output: "0" and its name. */
static bert_status name_two(fine_tuned *f, bert_err *err)
{
    const char **names = arena_array(&f->memory, 2, sizeof *names);
    if (!names)
        return fail_memory(err, "labels");
    bool plain = !strcmp(f->names[0], "LABEL_0") || !strcmp(f->names[0], "0");
    names[0] = "0";
    names[1] = plain ? "1" : f->names[0];
    f->names = names;
    return BERT_OK;
}

static bert_status describe_head(fine_tuned *f, bert_err *err)
{
    const task *t = task_by_output(f->tokens ? ROW_WORDS : ROW_TOGETHER, f->output);
    bool number = t->kind->numeric;
    bert_status s = f->tokens ? name_tags(f, err) : f->single ? name_two(f, err) : BERT_OK;
    f->head = (head_spec){ .task = t->id,
                           .outputs = f->rows - f->first,
                           .hidden = f->hidden ? (size_t)f->source->config.hidden_size : 0,
                           .labels = f->names,
                           .n_labels = number      ? 0
                                       : f->single ? 2
                                                   : f->rows,
                           .label_max = number, /* outputs 0 and 1 stand for themselves */
                           .threshold = t->output->threshold ? 0.5 : 0,
                           .single = f->single };
    return s;
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

static bert_status check_last_layer(const bert_module *m, bert_err *err)
{
    int64_t last = m->config.num_hidden_layers - 1;
    if (m->seq_layer == last)
        return BERT_OK;
    return fail(err, BERT_ERR_ARGUMENT, "seq_layer %lld: the head reads the last layer, %lld", (long long)m->seq_layer,
                (long long)last);
}

/* A model on the module with a new head of the folder's shape and labels. */
static bert_status make_model(const fine_tuned *f, const char *module_path, bert_model **model, bert_err *err)
{
    bert_layer_spec spec;
    const task *t;
    bert_module *module = NULL;
    bert_layer_defaults(&spec);
    spec.pooling = f->tokens ? BERT_POOLING_NONE : f->form->pooled ? BERT_POOLING_CLS : BERT_POOLING_CLS_RAW;
    spec.n_tune_layers = 0;
    bert_status s = source_seq_len(f->source, &spec.seq_len, err);
    if (!s)
        s = bert_module_open(module_path, &module, err);
    if (s)
        return s;
    spec.do_preprocessing = module->tokenizer != NULL;
    s = check_last_layer(module, err);
    if (s) {
        bert_module_free(module);
        return s;
    }
    s = model_create(module, &spec, &f->head, 0, model, err);
    if (!s)
        s = task_of_model(*model, &t, err);
    return s && s != BERT_ERR_MEMORY ? fail_in(err, BERT_ERR_FORMAT, "%s", f->where) : s;
}

static void set_head(const fine_tuned *f, bert_model *model)
{
    bert_param *weight = weight_at(&model->layer->weights, HEAD_WEIGHT, 0),
               *hidden = weight_at(&model->layer->weights, HEAD_HIDDEN_WEIGHT, 0);
    memcpy(weight[0].tuned, f->weight + f->first * weight->cols, weight_size(weight) * sizeof *f->weight);
    memcpy(weight[1].tuned, f->bias + f->first, weight->rows * sizeof *f->bias);
    if (hidden) {
        memcpy(hidden[0].tuned, f->hidden, weight_size(hidden) * sizeof *f->hidden);
        memcpy(hidden[1].tuned, f->hidden_bias, hidden->rows * sizeof *f->hidden_bias);
    }
}

static bert_status write_model(const fine_tuned *f, const char *folder, const bert_import_options *options,
                               bert_err *err)
{
    arena a = { 0 };
    bert_model *model = NULL;
    char *module = path_join(&a, folder, "module");
    bert_status s = module ? source_to_module(f->source, module, options, err) : fail_memory(err, folder);
    if (!s)
        s = make_model(f, module, &model, err);
    if (!s) {
        set_head(f, model);
        s = bert_model_save(model, folder, true, err);
    }
    bert_model_free(model);
    arena_free(&a);
    return s;
}

static bert_status read_all(fine_tuned *f, bert_err *err)
{
    bert_status s = read_classifier(f, err);
    if (!s)
        s = fine_tuned_words(f, err);
    if (!s)
        s = choose_output(f, err);
    if (!s && f->form->pooled && !weights_have_pooler(&f->source->tensors, f->source->naming))
        s = fail(err, BERT_ERR_FORMAT, "%s: no pooler, which %s has", f->source->weights_path, f->whose);
    if (!s && !f->form->architecture)
        buffer_printf(
            &f->source->notes,
            "%s: read as the classifier of Google's run_classifier, %zu outputs; how its labels are called, the "
            "checkpoint does not say\n",
            f->form->last[0], f->rows);
    return s ? s : describe_head(f, err);
}

bert_status fine_tuned_write(source *src, const char *folder, const bert_import_options *options, bert_err *err)
{
    const family_head *form = fine_tuned_form_of(src);
    fine_tuned f = { .source = src, .form = form, .tokens = form->tokens };
    f.where = src->settings_path ? src->settings_path : src->folder;
    f.whose = form->architecture ? form->architecture : "a fine-tuned checkpoint of Google's";
    src->pooler_unused = !form->pooled;
    folder_writer w;
    bert_status s = read_all(&f, err);
    if (!s)
        s = folder_begin(&w, folder, err);
    if (!s)
        s = folder_end(&w, write_model(&f, w.temporary, options, err), err);
    arena_free(&f.memory);
    return s;
}
