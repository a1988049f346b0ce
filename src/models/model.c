/* Models: made on a module, their weights saved and loaded. */
#include "models/model.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/utf8.h"
#include "data/word_set.h"
#include "formats/safetensors.h"

#include <stdlib.h>
#include <string.h>

/* Labels are written as JSON and looked up by their words. */
static bert_status check_labels(const head_spec *head, bert_err *err)
{
    word_set known = { 0 };
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < head->n_labels; i++) {
        if (!head->labels[i]) {
            s = fail(err, BERT_ERR_ARGUMENT, "label %zu is NULL", i);
            break;
        }
        bert_text label = { head->labels[i], strlen(head->labels[i]) };
        int32_t first = word_set_find(&known, label);
        if (!utf8_is_valid(label.data, label.size))
            s = fail(err, BERT_ERR_ARGUMENT, "label %zu is not UTF-8", i);
        else if (first >= 0)
            s = fail(err, BERT_ERR_ARGUMENT, "labels %d and %zu are the same, \"%.100s\"", first, i, label.data);
        else if (!word_set_add(&known, label))
            s = fail_memory(err, "a model's labels");
    }
    word_set_free(&known);
    return s;
}

static bert_status copy_head(bert_model *m, const head_spec *head, bert_err *err)
{
    bert_status s = check_labels(head, err);
    if (s)
        return s;
    m->outputs = head->outputs;
    m->head_hidden = head->hidden;
    m->n_labels = head->n_labels;
    m->label_min = model_number(head->label_min);
    m->label_max = model_number(head->label_max);
    m->threshold = model_number(head->threshold);
    m->single = head->single;
    m->texts = (int)head->texts;
    m->task = head->task;
    m->unknown_task = head->unknown_task ? arena_string(&m->memory, head->unknown_task) : NULL;
    m->labels = arena_array(&m->memory, head->n_labels, sizeof *m->labels);
    bool fine = m->labels && !m->unknown_task == !head->unknown_task;
    for (size_t i = 0; fine && i < head->n_labels; i++)
        fine = (m->labels[i] = arena_string(&m->memory, head->labels[i])) != NULL;
    return fine ? BERT_OK : fail_memory(err, "a model's labels");
}

/* What was chosen for the user; NULL: nothing. */
static const char *note_of(bert_model *m, const bert_layer_spec *asked, bool new_pooler)
{
    const bert_layer_spec *made = &m->layer->spec;
    long long tuned = (long long)made->n_tune_layers;
    buffer notes = { 0 };
    if (new_pooler)
        buffer_string(&notes, "the module has no pooler: pooling `cls` starts a new one\n");
    if (asked->n_tune_layers < 0 && tuned < LAYERS_TUNED)
        buffer_printf(&notes, "the model uses %lld layer%s of the module, and all of %s trained (n_tune_layers)\n",
                      tuned, tuned == 1 ? "" : "s", tuned == 1 ? "it is" : "them are");
    if (!asked->seq_len && made->seq_len < LAYER_SEQ_LEN)
        buffer_printf(&notes, "the module has %lld positions: a text is read up to so many tokens (seq_len)\n",
                      (long long)made->seq_len);
    const char *kept = notes.size ? arena_copy(&m->memory, notes.data, notes.size - 1) : NULL;
    buffer_free(&notes);
    return kept;
}

bert_status model_create(bert_module *module, const bert_layer_spec *spec, const head_spec *head, uint64_t seed,
                         bert_model **model, bert_err *err)
{
    *model = NULL;
    bert_model *m = calloc(1, sizeof *m);
    if (!m) {
        bert_module_free(module);
        return fail_memory(err, "a model");
    }
    m->module = module;
    bool new_pooler = false;
    bert_status s = head ? copy_head(m, head, err) : BERT_OK;
    head_shape shape = { m->outputs, m->head_hidden };
    if (!s)
        s = layer_create(module, spec, head ? &shape : NULL, seed, &m->layer, &new_pooler, err);
    if (!s)
        m->note = note_of(m, spec, new_pooler);
    if (s) {
        bert_model_free(m);
        return s;
    }
    *model = m;
    return BERT_OK;
}

void bert_model_free(bert_model *model)
{
    if (!model)
        return;
    bert_layer_free(model->layer);
    bert_module_free(model->module);
    arena_free(&model->memory);
    free(model);
}

bert_layer *bert_model_layer(bert_model *model)
{
    return model->layer;
}

const char *bert_model_note(const bert_model *model)
{
    return model->note;
}

bert_model_facts bert_model_facts_of(const bert_model *model)
{
    const bert_module *m = model->module;
    bert_model_facts facts = { .layers = (size_t)m->config.num_hidden_layers,
                               .hidden = (size_t)m->config.hidden_size,
                               .vocab_size = (size_t)m->config.vocab_size,
                               .pooling = m->vectors.pooling ? POOLING_WORDS[m->vectors.pooling] : NULL,
                               .normalize = m->vectors.normalize };
    for (size_t i = 0; i < (m->frozen ? m->weights.n : m->tensors.n); i++)
        facts.parameters += m->frozen ? weight_size(&m->weights.items[i]) : m->tensors.items[i].n;
    return facts;
}

const bert_tokenizer *bert_model_tokenizer(const bert_model *model)
{
    return model->module->tokenizer;
}

size_t bert_model_labels(const bert_model *model, const char *const **labels)
{
    if (labels)
        *labels = model->labels;
    return model->n_labels;
}

int bert_model_texts(const bert_model *model)
{
    return model->texts;
}

double bert_model_threshold(const bert_model *model)
{
    return model->threshold > 0 ? model->threshold : 0.5;
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

/* A frozen file's weights are for prediction alone. */
static bert_status check_not_frozen(const bert_model *m, bert_err *err)
{
    return m->module->frozen ? fail(err, BERT_ERR_ARGUMENT,
                                    "%s: a frozen file has no weights that are saved or replaced", m->module->path)
                             : BERT_OK;
}

bert_status bert_model_save_weights(const bert_model *model, const char *path, bert_err *err)
{
    bert_status refused = check_not_frozen(model, err);
    if (refused)
        return refused;
    arena a = { 0 };
    const weight_list *w = &model->layer->weights;
    tensor *items = arena_array(&a, w->n, sizeof *items);
    json_t *metadata = json_pack("{s:s, s:s}", "format", "pt", "libbert", "weights");
    bert_status s = items && metadata
                        ? safetensors_write(path, items, weights_to_tensors(w, true, items), metadata, err)
                        : fail_memory(err, path);
    json_decref(metadata);
    arena_free(&a);
    return s;
}

/* What a training checkpoint holds beside the weights. */
static bool is_of_training(const char *name)
{
    return !strncmp(name, "optimizer.", strlen("optimizer.")) || !strncmp(name, "best.", strlen("best."));
}

/* Every tuned tensor must be there, and nothing else: weights of another spec are not half loaded. */
static bert_status check_weights(const weight_list *w, const tensor_set *set, const char *path, bert_err *err)
{
    for (size_t i = 0; i < w->n; i++) {
        const bert_param *p = &w->items[i];
        if (!p->tuned)
            continue;
        const tensor *t = tensors_find(set, p->name);
        if (!t)
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is absent; are these the weights of another architecture?",
                        path, p->name);
        if (t->type != DTYPE_F32) /* what bert_model_save_weights writes: reading it cannot fail half-way */
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is of type %s, expected F32", path, p->name,
                        dtype_name(t->type));
        bert_status s = weight_check(t, p, false, err);
        if (s)
            return s;
    }
    for (size_t k = 0; k < set->n; k++) {
        size_t i = 0;
        while (i < w->n && (!w->items[i].tuned || strcmp(w->items[i].name, set->items[k].name)))
            i++;
        if (i == w->n && !is_of_training(set->items[k].name))
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is not tuned in this architecture", path,
                        set->items[k].name);
    }
    return BERT_OK;
}

bert_status model_take_weights(bert_model *model, const tensor_set *set, const char *path, bert_err *err)
{
    const weight_list *w = &model->layer->weights;
    bert_status s = check_weights(w, set, path, err);
    for (size_t i = 0; !s && i < w->n; i++)
        if (w->items[i].tuned)
            s = tensor_to_f32(tensors_find(set, w->items[i].name), w->items[i].tuned, err);
    return s;
}

bert_status bert_model_load_weights(bert_model *model, const char *path, bert_err *err)
{
    tensor_set set = { 0 };
    bert_status s = check_not_frozen(model, err);
    if (!s)
        s = safetensors_open(&set, path, NULL, err);
    if (!s)
        s = model_take_weights(model, &set, path, err);
    tensors_close(&set);
    return s;
}
