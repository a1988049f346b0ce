/* The list of BERT's weights. */
#include "model/weights.h"

#include <stdio.h>
#include <string.h>

typedef enum dim { DIM_ONE, DIM_V, DIM_P, DIM_T, DIM_H, DIM_I, DIM_K, DIM_HIDDEN, DIM_LAST } dim;

typedef struct weight_row {
    const char *names[N_WEIGHT_NAMES]; /* %d is the layer */
    dim rows, cols;
    weight_group group;
    bool kernel; /* of a dense layer */
} weight_row;

static const weight_row ROWS[N_WEIGHT_IDS] = {
    /* clang-format off */
    [WORD_EMBEDDINGS]        = { { "embeddings.word_embeddings.weight", "embeddings/word_embeddings" }, DIM_V, DIM_H, GROUP_EMBEDDINGS, false },
    [POSITION_EMBEDDINGS]    = { { "embeddings.position_embeddings.weight", "embeddings/position_embeddings" }, DIM_P, DIM_H, GROUP_EMBEDDINGS, false },
    [TOKEN_TYPE_EMBEDDINGS]  = { { "embeddings.token_type_embeddings.weight", "embeddings/token_type_embeddings" }, DIM_T, DIM_H, GROUP_EMBEDDINGS, false },
    [EMBEDDINGS_NORM_WEIGHT] = { { "embeddings.LayerNorm.weight", "embeddings/LayerNorm/gamma" }, DIM_H, DIM_ONE, GROUP_EMBEDDINGS, false },
    [EMBEDDINGS_NORM_BIAS]   = { { "embeddings.LayerNorm.bias", "embeddings/LayerNorm/beta" }, DIM_H, DIM_ONE, GROUP_EMBEDDINGS, false },
    [QUERY_WEIGHT]           = { { "encoder.layer.%d.attention.self.query.weight", "encoder/layer_%d/attention/self/query/kernel" }, DIM_H, DIM_H, GROUP_LAYER, true },
    [KEY_WEIGHT]             = { { "encoder.layer.%d.attention.self.key.weight", "encoder/layer_%d/attention/self/key/kernel" }, DIM_H, DIM_H, GROUP_LAYER, true },
    [VALUE_WEIGHT]           = { { "encoder.layer.%d.attention.self.value.weight", "encoder/layer_%d/attention/self/value/kernel" }, DIM_H, DIM_H, GROUP_LAYER, true },
    [QUERY_BIAS]             = { { "encoder.layer.%d.attention.self.query.bias", "encoder/layer_%d/attention/self/query/bias" }, DIM_H, DIM_ONE, GROUP_LAYER, false },
    [KEY_BIAS]               = { { "encoder.layer.%d.attention.self.key.bias", "encoder/layer_%d/attention/self/key/bias" }, DIM_H, DIM_ONE, GROUP_LAYER, false },
    [VALUE_BIAS]             = { { "encoder.layer.%d.attention.self.value.bias", "encoder/layer_%d/attention/self/value/bias" }, DIM_H, DIM_ONE, GROUP_LAYER, false },
    [ATTENTION_WEIGHT]       = { { "encoder.layer.%d.attention.output.dense.weight", "encoder/layer_%d/attention/output/dense/kernel" }, DIM_H, DIM_H, GROUP_LAYER, true },
    [ATTENTION_BIAS]         = { { "encoder.layer.%d.attention.output.dense.bias", "encoder/layer_%d/attention/output/dense/bias" }, DIM_H, DIM_ONE, GROUP_LAYER, false },
    [ATTENTION_NORM_WEIGHT]  = { { "encoder.layer.%d.attention.output.LayerNorm.weight", "encoder/layer_%d/attention/output/LayerNorm/gamma" }, DIM_H, DIM_ONE, GROUP_LAYER, false },
    [ATTENTION_NORM_BIAS]    = { { "encoder.layer.%d.attention.output.LayerNorm.bias", "encoder/layer_%d/attention/output/LayerNorm/beta" }, DIM_H, DIM_ONE, GROUP_LAYER, false },
    [INTERMEDIATE_WEIGHT]    = { { "encoder.layer.%d.intermediate.dense.weight", "encoder/layer_%d/intermediate/dense/kernel" }, DIM_I, DIM_H, GROUP_LAYER, true },
    [INTERMEDIATE_BIAS]      = { { "encoder.layer.%d.intermediate.dense.bias", "encoder/layer_%d/intermediate/dense/bias" }, DIM_I, DIM_ONE, GROUP_LAYER, false },
    [OUTPUT_WEIGHT]          = { { "encoder.layer.%d.output.dense.weight", "encoder/layer_%d/output/dense/kernel" }, DIM_H, DIM_I, GROUP_LAYER, true },
    [OUTPUT_BIAS]            = { { "encoder.layer.%d.output.dense.bias", "encoder/layer_%d/output/dense/bias" }, DIM_H, DIM_ONE, GROUP_LAYER, false },
    [OUTPUT_NORM_WEIGHT]     = { { "encoder.layer.%d.output.LayerNorm.weight", "encoder/layer_%d/output/LayerNorm/gamma" }, DIM_H, DIM_ONE, GROUP_LAYER, false },
    [OUTPUT_NORM_BIAS]       = { { "encoder.layer.%d.output.LayerNorm.bias", "encoder/layer_%d/output/LayerNorm/beta" }, DIM_H, DIM_ONE, GROUP_LAYER, false },
    [POOLER_WEIGHT]          = { { "pooler.dense.weight", "pooler/dense/kernel" }, DIM_H, DIM_H, GROUP_POOLER, true },
    [POOLER_BIAS]            = { { "pooler.dense.bias", "pooler/dense/bias" }, DIM_H, DIM_ONE, GROUP_POOLER, false },
    [HEAD_HIDDEN_WEIGHT]     = { { "classifier.dense.weight", "head/dense/kernel" }, DIM_HIDDEN, DIM_H, GROUP_HEAD, true },
    [HEAD_HIDDEN_BIAS]       = { { "classifier.dense.bias", "head/dense/bias" }, DIM_HIDDEN, DIM_ONE, GROUP_HEAD, false },
    [HEAD_WEIGHT]            = { { "classifier.weight", "head/kernel" }, DIM_K, DIM_LAST, GROUP_HEAD, true },
    [HEAD_BIAS]              = { { "classifier.bias", "head/bias" }, DIM_K, DIM_ONE, GROUP_HEAD, false },
    /* clang-format on */
};

/* What else is to know of each way to name. */
static const struct {
    bool transposed;               /* kernels are (in, out) */
    const char *ending, *older[2]; /* names that end so had another ending once: weight, bias */
} NAMINGS[N_WEIGHT_NAMES] = {
    [NAMES_HUGGING_FACE] = { false, "LayerNorm.", { "gamma", "beta" } },
    [NAMES_GOOGLE] = { true, NULL, { NULL, NULL } },
};

enum { LAYER_IDS = POOLER_WEIGHT - QUERY_WEIGHT, NAME_MAX_SIZE = 160 };

static size_t dim_size(dim d, const config *c, head_shape head)
{
    switch (d) {
    case DIM_V:
        return (size_t)c->vocab_size;
    case DIM_P:
        return (size_t)c->max_position_embeddings;
    case DIM_T:
        return (size_t)c->type_vocab_size;
    case DIM_H:
        return (size_t)c->hidden_size;
    case DIM_I:
        return (size_t)c->intermediate_size;
    case DIM_K:
        return head.outputs;
    case DIM_HIDDEN:
        return head.hidden;
    case DIM_LAST: /* what the head's last layer reads */
        return head.hidden ? head.hidden : (size_t)c->hidden_size;
    default:
        return 1;
    }
}

/* Behind the layers stand pairs of a weight and a bias. */
static bool has_pair(const weight_list *list, weight_id weight)
{
    return weight == POOLER_WEIGHT ? list->pooler : weight == HEAD_HIDDEN_WEIGHT ? list->head.hidden > 0 : list->head.outputs > 0;
}

weight_id weight_id_of(const weight_list *list, size_t index, size_t *layer)
{
    size_t behind = QUERY_WEIGHT + list->layers * LAYER_IDS;
    *layer = 0;
    if (index < QUERY_WEIGHT)
        return (weight_id)index;
    if (index < behind) {
        *layer = (index - QUERY_WEIGHT) / LAYER_IDS;
        return (weight_id)(QUERY_WEIGHT + (index - QUERY_WEIGHT) % LAYER_IDS);
    }
    weight_id id = POOLER_WEIGHT;
    for (index -= behind; !has_pair(list, id) || index >= 2; id = (weight_id)(id + 2))
        index -= has_pair(list, id) ? 2 : 0;
    return (weight_id)(id + (weight_id)index);
}

/* Rows of names that hold no %d ignore the layer. */
static void print_name(char *out, size_t size, const char *prefix, const char *pattern, size_t layer)
{
    const char *d = strstr(pattern, "%d");
    if (d)
        snprintf(out, size, "%s%.*s%zu%s", prefix, (int)(d - pattern), pattern, layer, d + 2);
    else
        snprintf(out, size, "%s%s", prefix, pattern);
}

bert_status weights_create(weight_list *list, arena *a, const config *c, size_t layers, bool pooler, const head_shape *head, bert_err *err)
{
    *list = (weight_list){ .layers = layers, .pooler = pooler };
    if (head)
        list->head = *head;
    list->n = QUERY_WEIGHT + layers * LAYER_IDS;
    for (weight_id id = POOLER_WEIGHT; id < N_WEIGHT_IDS; id = (weight_id)(id + 2))
        list->n += has_pair(list, id) ? 2 : 0;
    list->items = arena_array(a, list->n, sizeof *list->items);
    list->forms = arena_array(a, list->n, sizeof *list->forms);
    if (!list->items || !list->forms)
        return fail_memory(err, "the list of weights");
    const char *group = NULL;
    for (size_t i = 0; i < list->n; i++) {
        size_t layer;
        weight_id id = weight_id_of(list, i, &layer);
        const weight_row *row = &ROWS[id];
        char name[NAME_MAX_SIZE];
        print_name(name, sizeof name, "", row->names[NAMES_HUGGING_FACE], layer);
        if (row->group != GROUP_LAYER || id == QUERY_WEIGHT)
            group = weight_group_name(row->group, layer, a);
        list->items[i] = (bert_param){
            .name = arena_string(a, name), .group = group, .rows = dim_size(row->rows, c, list->head), .cols = dim_size(row->cols, c, list->head)
        };
        if (!list->items[i].name || !list->items[i].group)
            return fail_memory(err, "the list of weights");
    }
    return BERT_OK;
}

bert_param *weight_at(const weight_list *list, weight_id id, size_t layer)
{
    size_t behind = QUERY_WEIGHT + list->layers * LAYER_IDS;
    if (id < QUERY_WEIGHT)
        return &list->items[id];
    if (id < POOLER_WEIGHT)
        return layer < list->layers ? &list->items[QUERY_WEIGHT + layer * LAYER_IDS + (size_t)(id - QUERY_WEIGHT)] : NULL;
    weight_id pair = POOLER_WEIGHT;
    for (; pair + 2 <= id; pair = (weight_id)(pair + 2))
        behind += has_pair(list, pair) ? 2 : 0;
    return has_pair(list, pair) ? &list->items[behind + (size_t)(id - pair)] : NULL;
}

size_t weight_holder(const weight_list *list, size_t index)
{
    for (size_t back = 0; back < 3 && back <= index; back++)
        if (list->forms[index - back].joined > back)
            return index - back;
    return list->n;
}

char *weight_form_name(const weight_list *list, size_t index, size_t joined, arena *a)
{
    static const char *const JOINED[] = {
        [2] = "encoder.layer.%d.attention.self.key_value.weight", [3] = "encoder.layer.%d.attention.self.query_key_value.weight"
    };
    size_t layer;
    char name[NAME_MAX_SIZE];
    weight_id id = weight_id_of(list, index, &layer);
    print_name(name, sizeof name, "", joined > 1 ? JOINED[joined] : ROWS[id].names[NAMES_HUGGING_FACE], layer);
    return arena_string(a, name);
}

bool weight_is_bias(const weight_list *list, size_t index)
{
    size_t layer;
    weight_id id = weight_id_of(list, index, &layer);
    return id > POOLER_WEIGHT && (id - POOLER_WEIGHT) % 2;
}

weight_group weight_id_group(weight_id id)
{
    return ROWS[id].group;
}

weight_group weight_group_of(const weight_list *list, size_t index, size_t *layer)
{
    return weight_id_group(weight_id_of(list, index, layer));
}

const char *weight_group_name(weight_group group, size_t layer, arena *a)
{
    static const char *const NAMES[] = { [GROUP_EMBEDDINGS] = "embeddings", [GROUP_POOLER] = "pooler", [GROUP_HEAD] = "head" };
    return group == GROUP_LAYER ? arena_printf(a, "layer %zu", layer) : NAMES[group];
}

/* The name of a row's tensor. */
static void name_of(char out[NAME_MAX_SIZE], weight_naming naming, weight_id id, size_t layer)
{
    print_name(out, NAME_MAX_SIZE, naming.prefix ? naming.prefix : "", ROWS[id].names[naming.names], layer);
}

const tensor *weights_find(const tensor_set *set, weight_naming naming, weight_id id, size_t layer)
{
    char name[NAME_MAX_SIZE];
    name_of(name, naming, id, layer);
    const tensor *t = tensors_find(set, name);
    const char *ending = NAMINGS[naming.names].ending;
    char *end = ending ? strstr(name, ending) : NULL;
    if (t || !end)
        return t;
    end += strlen(ending);
    strcpy(end, NAMINGS[naming.names].older[strcmp(end, "weight") != 0]);
    return tensors_find(set, name);
}

bool weights_naming(const tensor_set *set, weight_naming *naming)
{
    static const weight_naming KNOWN[] = {
        { NAMES_HUGGING_FACE, "" },
        { NAMES_HUGGING_FACE, "bert." },
        { NAMES_HUGGING_FACE, "model." },
        { NAMES_HUGGING_FACE, "model.bert." },
        { NAMES_HUGGING_FACE, "0.auto_model." },
        { NAMES_HUGGING_FACE, "auto_model." },
        { NAMES_HUGGING_FACE, "encoder." },
        { NAMES_HUGGING_FACE, "module." },
        { NAMES_HUGGING_FACE, "module.bert." },
        { NAMES_GOOGLE, "bert/" },
        { NAMES_GOOGLE, "module/bert/" },
        { NAMES_GOOGLE, "module/" },
        { NAMES_GOOGLE, "" },
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (weights_find(set, KNOWN[i], WORD_EMBEDDINGS, 0)) {
            *naming = KNOWN[i];
            return true;
        }
    return false;
}

bool weights_have_pooler(const tensor_set *set, weight_naming naming)
{
    return weights_find(set, naming, POOLER_WEIGHT, 0) != NULL;
}

size_t weights_count_layers(const tensor_set *set, weight_naming naming)
{
    size_t n = 0;
    while (weights_find(set, naming, QUERY_WEIGHT, n))
        n++;
    return n;
}

bert_status weight_check(const tensor *t, const bert_param *p, bool transposed, bert_err *err)
{
    if (!dtype_is_real(t->type) && t->type != DTYPE_OTHER) /* whole numbers would need a scale: a quantised checkpoint */
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is of type %s, expected numbers with a fraction (a quantised checkpoint?)", t->file,
                    t->name, dtype_name(t->type));
    size_t rows = transposed ? p->cols : p->rows, cols = transposed ? p->rows : p->cols;
    bool vector = p->cols == 1 && t->rank == 1;
    if (vector ? t->shape[0] == (int64_t)p->rows : t->rank == 2 && t->shape[0] == (int64_t)rows && t->shape[1] == (int64_t)cols)
        return BERT_OK;
    char found[TENSOR_SHAPE_TEXT], expected[64];
    if (p->cols == 1)
        snprintf(expected, sizeof expected, "[%zu]", p->rows);
    else
        snprintf(expected, sizeof expected, "[%zu, %zu]", rows, cols);
    return fail(err, BERT_ERR_FORMAT, "%s: tensor %s has shape %s, expected %s", t->file, t->name, tensor_shape_text(t, found), expected);
}

/* out (rows, cols) = in (cols, rows) transposed, in place of one buffer: `out` holds `in` at first. */
static bert_status transpose(float *out, size_t rows, size_t cols, arena *scratch, bert_err *err)
{
    float *in = arena_alloc_raw(scratch, rows * cols * sizeof *in);
    if (!in)
        return fail_memory(err, "a transposed weight");
    memcpy(in, out, rows * cols * sizeof *in);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            out[r * cols + c] = in[c * rows + r];
    return BERT_OK;
}

/* A copy of the tensor as (rows, cols) float32 at `to`. */
static bert_status copy_tensor(float *to, const tensor *t, const bert_param *p, bool transposed, bert_err *err)
{
    bert_status s = tensor_to_f32(t, to, err);
    if (s || !transposed)
        return s;
    arena scratch = { 0 };
    s = transpose(to, p->rows, p->cols, &scratch, err);
    arena_free(&scratch);
    return s;
}

/* True where query, key and value (weights or biases, starting at entry i) already stand side by side. */
static bool side_by_side(const bert_param *p)
{
    return p[1].value == p[0].value + weight_size(&p[0]) && p[2].value == p[1].value + weight_size(&p[1]);
}

static bert_status put_side_by_side(bert_param *p, arena *a, bert_err *err)
{
    if (!p->value || side_by_side(p))
        return BERT_OK;
    size_t n = weight_size(p);
    float *all = arena_alloc_raw(a, 3 * n * sizeof *all);
    if (!all)
        return fail_memory(err, "a layer's weights");
    for (int i = 0; i < 3; i++) {
        memcpy(all + (size_t)i * n, p[i].value, n * sizeof *all);
        p[i].value = all + (size_t)i * n;
    }
    return BERT_OK;
}

bert_status weights_put_side_by_side(weight_list *list, arena *a, bert_err *err)
{
    bert_status s = BERT_OK;
    for (size_t layer = 0; !s && layer < list->layers; layer++) {
        s = put_side_by_side(weight_at(list, QUERY_WEIGHT, layer), a, err);
        if (!s)
            s = put_side_by_side(weight_at(list, QUERY_BIAS, layer), a, err);
    }
    return s;
}

bert_status weight_read(weight_list *list, size_t index, arena *a, const tensor_set *set, weight_naming naming, const char *path, bert_err *err)
{
    bert_param *p = &list->items[index];
    size_t layer;
    weight_id id = weight_id_of(list, index, &layer);
    bool transposed = NAMINGS[naming.names].transposed && ROWS[id].kernel;
    const tensor *t = weights_find(set, naming, id, layer);
    if (!t) {
        char name[NAME_MAX_SIZE];
        name_of(name, naming, id, layer);
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is absent", path, name);
    }
    bert_status s = weight_check(t, p, transposed, err);
    if (s)
        return s;
    if (t->type == DTYPE_F32 && t->data && !transposed && (uintptr_t)t->data % sizeof(float) == 0) {
        p->value = t->data;
        return BERT_OK;
    }
    float *copy = arena_alloc_raw(a, weight_size(p) * sizeof *copy);
    if (!copy)
        return fail_memory(err, p->name);
    p->value = copy;
    return copy_tensor(copy, t, p, transposed, err);
}

bert_status weights_read(weight_list *list, arena *a, const tensor_set *set, weight_naming naming, const char *path, bert_err *err)
{
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < list->n; i++)
        s = weight_read(list, i, a, set, naming, path, err);
    return s ? s : weights_put_side_by_side(list, a, err);
}

/* A form's numbers, (joined * rows, cols). */
static bool form_floats(float *out, const weight_form *f, const bert_param *p)
{
    if (f->table.rows) {
        for (size_t r = 0; r < p->rows; r++)
            embedding_row(out + r * p->cols, &f->table, p->cols, r);
        return true;
    }
    dense d = { .in = p->cols, .out = f->joined * p->rows };
    if (dense_pack_over(&d, &f->matrix, NULL))
        return false;
    dense_packed_weight(out, &d);
    dense_unpack(&d);
    return true;
}

const float *weight_floats(const weight_list *list, size_t index, arena *a)
{
    const bert_param *p = &list->items[index];
    size_t holder = weight_holder(list, index);
    if (p->value || holder == list->n)
        return p->value;
    const weight_form *f = &list->forms[holder];
    float *all = arena_alloc_raw(a, f->joined * weight_size(p) * sizeof *all);
    return all && form_floats(all, f, p) ? all + (index - holder) * weight_size(p) : NULL;
}

void weights_take(weight_list *to, const weight_list *from)
{
    for (size_t i = 0, k = 0; i < to->n; i++) {
        bert_param *p = &to->items[i];
        size_t start = k; /* both lists are in the same order, so the search goes on where the last one ended */
        while (k < from->n && strcmp(from->items[k].name, p->name))
            k++;
        if (k == from->n)
            k = start;
        else if (!weight_is_there(to, p)) {
            p->value = from->items[k].value;
            to->forms[i] = from->forms[k];
        }
    }
}

tensor weight_tensor(const bert_param *p)
{
    return (tensor){ .name = p->name,
                     .type = DTYPE_F32,
                     .rank = p->cols == 1 ? 1 : 2,
                     .shape = { (int64_t)p->rows, (int64_t)p->cols },
                     .n = weight_size(p),
                     .data = p->value };
}

size_t weights_to_tensors(const weight_list *list, bool tuned_only, tensor *items)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].value && (list->items[i].tuned || !tuned_only))
            items[n++] = weight_tensor(&list->items[i]);
    return n;
}
