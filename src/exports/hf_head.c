/* A head in transformers' words. Its classifiers for texts always read BERT's pooler, tanh(W h_[CLS] + b): pooling cls
 * is that, pooling cls_raw becomes that where the pooler can be made to do nothing or to be the head's hidden layer;
 * what is not expressed exactly is refused. */
#include "exports/hf.h"

#include "base/size.h"
#include "formats/json_build.h"

#include <string.h>

/* tanh(x) = x to the last bit of a float while |x| < 2^-12, and nearly so beyond: a pooler that is the identity times
 * 2^-18 gives back values below 64, far above what a layer norm gives. Powers of two cost no digit. */
enum { POOLER_SHIFT = 1 << 18 };

/* problem_type of a classifier of texts. */
static const struct {
    const head_output *output;
    const char *word;
} PROBLEMS[] = {
    { &OUTPUT_PAIR, "single_label_classification" },
    { &OUTPUT_SOFTMAX, "single_label_classification" },
    { &OUTPUT_SIGMOIDS, "multi_label_classification" },
    { &OUTPUT_NUMBER, "regression" },
};

/* The class that reads texts, or the one that reads tokens. */
static const family_head *hf_head_form_of(const family *f, bool tokens)
{
    const family_head *form = f->heads;
    while (form->tokens != tokens)
        form++;
    return form;
}

static const bert_param *weight_of(const export_model *e, weight_id id)
{
    return weight_at(&e->weights, id, 0);
}

/* A (rows, cols) weight and its bias in the upper left corner of (all_rows, H), zeros around it. */
static bert_status widened(const export_model *e, weight_id id, size_t above, size_t all_rows, float **weight,
                           float **bias, arena *a, bert_err *err)
{
    const bert_param *w = weight_of(e, id);
    const float *numbers, *shifts;
    size_t H = (size_t)e->config.hidden_size, size;
    bert_status s = export_floats(e, w, a, &numbers, err);
    if (!s)
        s = export_floats(e, w + 1, a, &shifts, err);
    if (s)
        return s;
    *weight = mul_size(all_rows, H, &size) ? arena_array(a, size, sizeof **weight) : NULL;
    *bias = arena_array(a, all_rows, sizeof **bias);
    if (!*weight || !*bias)
        return fail_memory(err, w->name);
    for (size_t r = 0; r < w->rows; r++)
        memcpy(*weight + (above + r) * H, numbers + r * w->cols, w->cols * sizeof **weight);
    memcpy(*bias + above, shifts, w->rows * sizeof **bias);
    return BERT_OK;
}

/* ---- the dense layer before the classifier ----------------------------------------------------------------------- */

static bert_status refuse(const hf_head *h, const export_model *e, const char *why, bert_err *err)
{
    return fail(err, BERT_ERR_UNSUPPORTED, "task %s, pooling %s%s: %s%s; format onnx can", e->task->name,
                POOLING_WORDS[e->pooling], weight_of(e, HEAD_HIDDEN_WEIGHT) ? " with a hidden layer in the head" : "",
                h->form->architecture, why);
}

static bert_status identity_dense(hf_head *h, const export_model *e, arena *a, bert_err *err)
{
    size_t H = (size_t)e->config.hidden_size;
    h->dense = arena_array(a, H * H, sizeof *h->dense);
    h->dense_bias = arena_array(a, H, sizeof *h->dense_bias);
    if (!h->dense || !h->dense_bias)
        return fail_memory(err, "a pooler");
    for (size_t i = 0; i < H; i++)
        h->dense[i * H + i] = 1.0f / POOLER_SHIFT;
    return BERT_OK;
}

/* What stands between h_[CLS] and the classifier. *scale: what the classifier's weights are multiplied by. */
static bert_status make_dense(hf_head *h, const export_model *e, double *scale, arena *a, buffer *notes, bert_err *err)
{
    const bert_param *hidden = weight_of(e, HEAD_HIDDEN_WEIGHT);
    size_t H = (size_t)e->config.hidden_size;
    bool tanh_behind = h->form->pooled || e->config.family->head_activation == ACTIVATION_TANH;
    *scale = 1;
    if (h->form->tokens)
        return hidden ? refuse(h, e, " has one dense layer alone", err) : BERT_OK;
    if (e->pooling == BERT_POOLING_CLS && hidden)
        return refuse(h, e,
                      h->form->pooled ? " has one dense layer behind the pooler, no second one"
                                      : " has no pooler before its dense layers",
                      err);
    if (e->pooling != BERT_POOLING_CLS && e->pooling != BERT_POOLING_CLS_RAW)
        return refuse(h, e, " reads the first token alone, as pooling cls and cls_raw do", err);
    if (!hidden && !tanh_behind)
        return refuse(h, e, " has a dense layer with an activation before its last one, which changes what it reads",
                      err);
    if (e->pooling == BERT_POOLING_CLS)
        return h->form->pooled ? BERT_OK : widened(e, POOLER_WEIGHT, 0, H, &h->dense, &h->dense_bias, a, err);
    if (!hidden) {
        *scale = POOLER_SHIFT;
        buffer_printf(notes,
                      "pooling cls_raw: the %s is the identity times 2^-18, which tanh leaves as it is; run the model "
                      "in float32 or bfloat16\n",
                      h->form->pooled ? "pooler" : "first dense layer");
        return identity_dense(h, e, a, err);
    }
    if (hidden->rows > H)
        return refuse(h, e,
                      h->form->pooled ? "'s pooler is no wider than the encoder"
                                      : "'s dense layer is no wider than the encoder",
                      err);
    return widened(e, HEAD_HIDDEN_WEIGHT, 0, H, &h->dense, &h->dense_bias, a, err);
}

/* ---- the classifier ---------------------------------------------------------------------------------------------- */

/* Binary: softmax of (0, z) is (1 - sigmoid(z), sigmoid(z)), two rows, of which transformers' pipelines make labels;
 * one that came as a single output goes as it came. Regression: the labels' scale goes into the weights. */
static bert_status make_classifier(hf_head *h, const export_model *e, double scale, arena *a, bert_err *err)
{
    const bert_model *m = e->model;
    bool scaled = e->task->kind->numeric;
    size_t above = m->single ? 0 : task_columns(e->task, m) - m->outputs, H = (size_t)e->config.hidden_size;
    double unit = scaled ? m->label_max - m->label_min : 1;
    h->rows = above + m->outputs;
    bert_status s = widened(e, HEAD_WEIGHT, above, h->rows, &h->classifier, &h->bias, a, err);
    for (size_t i = 0; !s && i < h->rows * H; i++)
        h->classifier[i] = (float)(h->classifier[i] * unit * scale);
    for (size_t r = 0; !s && scaled && r < h->rows; r++)
        h->bias[r] = (float)model_in_unit(m, h->bias[r]);
    return s;
}

bert_status hf_head_make(hf_head *h, const export_model *e, arena *a, buffer *notes, bert_err *err)
{
    double scale;
    *h = (hf_head){ .form = hf_head_form_of(e->config.family, e->task->form == ROW_WORDS) };
    for (size_t i = 0; !h->form->tokens && i < sizeof PROBLEMS / sizeof *PROBLEMS; i++)
        if (PROBLEMS[i].output == e->task->output)
            h->problem = PROBLEMS[i].word;
    bert_status s = make_dense(h, e, &scale, a, notes, err);
    if (!s)
        s = make_classifier(h, e, scale, a, err);
    if (!s && e->task->output->threshold && bert_model_threshold(e->model) != 0.5)
        buffer_printf(notes, "the threshold of %g is not part of the format: transformers decides at 0.5\n",
                      bert_model_threshold(e->model));
    return s;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

/* The name of a row. Of a single output the yes has one, unless it is the "1" that an import makes of a label without a
 * name. */
static const char *row_name(const bert_model *m, size_t row)
{
    if (m->single)
        return strcmp(m->labels[1], "1") ? m->labels[1] : "LABEL_0";
    return row < m->n_labels ? m->labels[row] : "value";
}

/* What sentence-transformers' CrossEncoder puts behind one output; NULL: what it would take by itself is right. */
static const char *activation_of(const export_model *e)
{
    if (e->task->kind->numeric) /* else it would be a sigmoid */
        return "torch.nn.modules.linear.Identity";
    return e->model->single ? "torch.nn.modules.activation.Sigmoid" : NULL;
}

void hf_head_to_config(const hf_head *h, const export_model *e, json_t **json)
{
    json_t *names = json_object(), *numbers = json_object();
    for (size_t k = 0; k < h->rows; k++) {
        char number[24];
        const char *label = row_name(e->model, k);
        snprintf(number, sizeof number, "%zu", k);
        json_put(&names, number, json_string(label));
        json_put(&numbers, label, json_integer((json_int_t)k));
    }
    json_put(json, "architectures", json_pack("[s]", h->form->architecture));
    json_put(json, "id2label", names);
    json_put(json, "label2id", numbers);
    if (h->problem && !e->model->single)
        json_put(json, "problem_type", json_string(h->problem));
    if (activation_of(e))
        json_put(json, "sentence_transformers", json_pack("{s:s}", "activation_fn", activation_of(e)));
}
