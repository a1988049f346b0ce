/* The list of an encoder's weights. */
#include "net/weights.h"

#include "net/relative_bias.h"

#include <stdio.h>
#include <string.h>

/* ---- what each id is --------------------------------------------------------------------------------------------- */

typedef enum dim {
    DIM_ONE,
    DIM_V,
    DIM_P,
    DIM_T,
    DIM_E,
    DIM_H,
    DIM_I,
    DIM_K,
    DIM_HIDDEN,
    DIM_LAST,
    DIM_BUCKETS,
    DIM_HEADS
} dim;

static const struct {
    weight_group group;
    weight_kind kind;
    dim rows, cols;
} IDS[N_WEIGHT_IDS] = {
    [WORD_EMBEDDINGS] = { GROUP_EMBEDDINGS, WEIGHT_TABLE, DIM_V, DIM_E },
    [POSITION_EMBEDDINGS] = { GROUP_EMBEDDINGS, WEIGHT_TABLE, DIM_P, DIM_E },
    [TOKEN_TYPE_EMBEDDINGS] = { GROUP_EMBEDDINGS, WEIGHT_TABLE, DIM_T, DIM_E },
    [EMBEDDINGS_NORM_WEIGHT] = { GROUP_EMBEDDINGS, WEIGHT_SCALE, DIM_E, DIM_ONE },
    [EMBEDDINGS_NORM_BIAS] = { GROUP_EMBEDDINGS, WEIGHT_BIAS, DIM_E, DIM_ONE },
    [PROJECTION_WEIGHT] = { GROUP_EMBEDDINGS, WEIGHT_MATRIX, DIM_H, DIM_E },
    [PROJECTION_BIAS] = { GROUP_EMBEDDINGS, WEIGHT_BIAS, DIM_H, DIM_ONE },
    [RELATIVE_BIAS] = { GROUP_EMBEDDINGS, WEIGHT_BIAS, DIM_BUCKETS, DIM_HEADS },
    [QUERY_WEIGHT] = { GROUP_LAYER, WEIGHT_MATRIX, DIM_H, DIM_H },
    [KEY_WEIGHT] = { GROUP_LAYER, WEIGHT_MATRIX, DIM_H, DIM_H },
    [VALUE_WEIGHT] = { GROUP_LAYER, WEIGHT_MATRIX, DIM_H, DIM_H },
    [QUERY_BIAS] = { GROUP_LAYER, WEIGHT_BIAS, DIM_H, DIM_ONE },
    [KEY_BIAS] = { GROUP_LAYER, WEIGHT_BIAS, DIM_H, DIM_ONE },
    [VALUE_BIAS] = { GROUP_LAYER, WEIGHT_BIAS, DIM_H, DIM_ONE },
    [ATTENTION_WEIGHT] = { GROUP_LAYER, WEIGHT_MATRIX, DIM_H, DIM_H },
    [ATTENTION_BIAS] = { GROUP_LAYER, WEIGHT_BIAS, DIM_H, DIM_ONE },
    [ATTENTION_NORM_WEIGHT] = { GROUP_LAYER, WEIGHT_SCALE, DIM_H, DIM_ONE },
    [ATTENTION_NORM_BIAS] = { GROUP_LAYER, WEIGHT_BIAS, DIM_H, DIM_ONE },
    [INTERMEDIATE_WEIGHT] = { GROUP_LAYER, WEIGHT_MATRIX, DIM_I, DIM_H },
    [INTERMEDIATE_BIAS] = { GROUP_LAYER, WEIGHT_BIAS, DIM_I, DIM_ONE },
    [OUTPUT_WEIGHT] = { GROUP_LAYER, WEIGHT_MATRIX, DIM_H, DIM_I },
    [OUTPUT_BIAS] = { GROUP_LAYER, WEIGHT_BIAS, DIM_H, DIM_ONE },
    [OUTPUT_NORM_WEIGHT] = { GROUP_LAYER, WEIGHT_SCALE, DIM_H, DIM_ONE },
    [OUTPUT_NORM_BIAS] = { GROUP_LAYER, WEIGHT_BIAS, DIM_H, DIM_ONE },
    [POOLER_WEIGHT] = { GROUP_POOLER, WEIGHT_MATRIX, DIM_H, DIM_H },
    [POOLER_BIAS] = { GROUP_POOLER, WEIGHT_BIAS, DIM_H, DIM_ONE },
    [HEAD_HIDDEN_WEIGHT] = { GROUP_HEAD, WEIGHT_MATRIX, DIM_HIDDEN, DIM_H },
    [HEAD_HIDDEN_BIAS] = { GROUP_HEAD, WEIGHT_BIAS, DIM_HIDDEN, DIM_ONE },
    [HEAD_WEIGHT] = { GROUP_HEAD, WEIGHT_MATRIX, DIM_K, DIM_LAST },
    [HEAD_BIAS] = { GROUP_HEAD, WEIGHT_BIAS, DIM_K, DIM_ONE },
};

weight_group weight_id_group(weight_id id)
{
    return IDS[id].group;
}

weight_kind weight_id_kind(weight_id id)
{
    return IDS[id].kind;
}

const char *weight_group_name(const family *f, weight_group group, size_t layer, arena *a)
{
    static const char *const NAMES[] = {
        [GROUP_EMBEDDINGS] = "embeddings", [GROUP_LAYER] = "layers", [GROUP_POOLER] = "pooler", [GROUP_HEAD] = "head"
    };
    return group == GROUP_LAYER && !f->one_set ? arena_printf(a, "layer %zu", layer) : NAMES[group];
}

static size_t dim_size(dim d, const config *c, head_shape head)
{
    const size_t sizes[] = { [DIM_ONE] = 1,
                             [DIM_V] = (size_t)c->vocab_size,
                             [DIM_P] = (size_t)c->max_position_embeddings,
                             [DIM_T] = (size_t)c->type_vocab_size,
                             [DIM_E] = (size_t)config_embedding(c),
                             [DIM_H] = (size_t)c->hidden_size,
                             [DIM_I] = (size_t)c->intermediate_size,
                             [DIM_K] = head.outputs,
                             [DIM_HIDDEN] = head.hidden,
                             [DIM_LAST] = head.hidden ? head.hidden : (size_t)c->hidden_size,
                             [DIM_BUCKETS] = RELATIVE_BUCKETS,
                             [DIM_HEADS] = (size_t)c->num_attention_heads };
    return sizes[d];
}

size_t config_segments(const config *c)
{
    return c->family->one_segment ? 2 : (size_t)c->type_vocab_size;
}

bool config_projects(const config *c)
{
    return family_has(c->family, PROJECTION_WEIGHT) && (c->family->projects || config_embedding(c) != c->hidden_size);
}

/* ---- the list ---------------------------------------------------------------------------------------------------- */

static bool is_wanted(const weight_list *list, const config *c, weight_id id)
{
    if (id == PROJECTION_WEIGHT || id == PROJECTION_BIAS)
        return config_projects(c);
    if (IDS[id].group == GROUP_POOLER)
        return list->pooler;
    if (IDS[id].group == GROUP_HEAD)
        return id >= HEAD_WEIGHT ? list->head.outputs > 0 : list->head.hidden > 0;
    return family_has(list->family, id);
}

/* Gives each id its place, a layer's for all layers. */
static void place_ids(weight_list *list, const config *c)
{
    list->n = list->a_layer = 0;
    for (weight_id id = 0; id < N_WEIGHT_IDS; id++) {
        bool of_layer = IDS[id].group == GROUP_LAYER;
        if (id == POOLER_WEIGHT)
            list->n += list->a_layer * list->sets;
        list->first[id] = is_wanted(list, c, id) ? (int)(list->n + (of_layer ? list->a_layer : 0)) : -1;
        if (list->first[id] >= 0)
            *(of_layer ? &list->a_layer : &list->n) += 1;
    }
}

static void join(weight_list *list, weight_id id, size_t layer, size_t n)
{
    const bert_param *p = weight_at(list, id, layer);
    weight_place *at = p ? &list->places[p - list->items] : NULL;
    for (size_t i = 0; at && i < n; i++)
        at[i].joined = i ? 0 : n;
}

/* The linears of each block are one matrix each, and so are pooler and projection. From the last layer down: where all
 * have one set, it is joined as most of them read it. */
static void join_linears(weight_list *list)
{
    const family *f = list->family;
    linear_row linears[MOST_LINEARS];
    for (size_t layer = list->layers; layer-- > 0;)
        for (size_t b = 0; b < f->n_blocks; b++)
            for (size_t k = f->blocks[b].kind->linears(&f->blocks[b], layer_may_reduce(layer, list->layers), linears);
                 k-- > 0;)
                join(list, linears[k].weight, layer, linears[k].joined);
    join(list, POOLER_WEIGHT, 0, 1);
    join(list, PROJECTION_WEIGHT, 0, 1);
}

static bert_status make_entry(weight_list *list, weight_id id, size_t layer, const char *group, const config *c,
                              arena *a, bert_err *err)
{
    size_t i = (size_t)(weight_at(list, id, layer) - list->items);
    char name[WEIGHT_NAME_SIZE];
    weight_name(name, weights_own_naming(list->family), id, layer);
    list->places[i] = (weight_place){ .id = id, .layer = layer };
    list->items[i] = (bert_param){ .name = arena_string(a, name),
                                   .group = group,
                                   .rows = dim_size(IDS[id].rows, c, list->head),
                                   .cols = dim_size(IDS[id].cols, c, list->head),
                                   .layer = IDS[id].group == GROUP_LAYER
                                                ? (int64_t)(list->family->one_set ? list->layers : layer + 1)
                                            : IDS[id].group == GROUP_EMBEDDINGS ? -1
                                                                                : 0,
                                   .no_decay = IDS[id].kind == WEIGHT_BIAS || IDS[id].kind == WEIGHT_SCALE };
    return list->items[i].name && group ? BERT_OK : fail_memory(err, "the list of weights");
}

bert_status weights_create(weight_list *list, arena *a, const config *c, size_t layers, bool pooler,
                           const head_shape *head, bert_err *err)
{
    *list = (weight_list){
        .family = c->family, .layers = layers, .sets = layers && c->family->one_set ? 1 : layers, .pooler = pooler
    };
    if (head)
        list->head = *head;
    place_ids(list, c);
    list->items = arena_array(a, list->n, sizeof *list->items);
    list->forms = arena_array(a, list->n, sizeof *list->forms);
    list->places = arena_array(a, list->n, sizeof *list->places);
    const char **groups = arena_array(a, list->sets, sizeof *groups); /* of the layers */
    if (!list->items || !list->forms || !list->places || !groups)
        return fail_memory(err, "the list of weights");
    for (size_t layer = 0; layer < list->sets; layer++)
        groups[layer] = weight_group_name(c->family, GROUP_LAYER, layer, a);
    bert_status s = BERT_OK;
    for (weight_id id = 0; !s && id < N_WEIGHT_IDS; id++)
        for (size_t layer = 0; !s && list->first[id] >= 0 && layer < (IDS[id].group == GROUP_LAYER ? list->sets : 1);
             layer++)
            s = make_entry(list, id, layer,
                           IDS[id].group == GROUP_LAYER ? groups[layer]
                                                        : weight_group_name(c->family, IDS[id].group, 0, a),
                           c, a, err);
    if (!s)
        join_linears(list);
    return s;
}

bert_param *weight_at(const weight_list *list, weight_id id, size_t layer)
{
    bool of_layer = IDS[id].group == GROUP_LAYER;
    if (list->first[id] < 0 || (of_layer && layer >= list->layers))
        return NULL;
    return &list->items[(size_t)list->first[id] + (of_layer ? layer % list->sets * list->a_layer : 0)];
}

size_t weight_holder(const weight_list *list, size_t index)
{
    for (size_t back = 0; back < 3 && back <= index; back++)
        if (list->forms[index - back].joined > back)
            return index - back;
    return list->n;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* What else is to know of each way to name. */
static const struct {
    bool transposed;      /* kernels are (in, out) */
    const char *older[2]; /* how a norm's weight and bias were called at the end once, in place of these words */
} NAMINGS[N_WEIGHT_NAMES] = {
    [NAMES_HUGGING_FACE] = { false, { "gamma", "beta" } },
    [NAMES_GOOGLE] = { true, { NULL, NULL } },
    [NAMES_GGUF] = { false, { NULL, NULL } },
};

/* A pattern without %d ignores the layer. */
static void print_name(char out[WEIGHT_NAME_SIZE], const char *prefix, const char *pattern, size_t layer)
{
    const char *d = strstr(pattern, "%d");
    if (d)
        snprintf(out, WEIGHT_NAME_SIZE, "%s%.*s%zu%s", prefix, (int)(d - pattern), pattern, layer, d + 2);
    else
        snprintf(out, WEIGHT_NAME_SIZE, "%s%s", prefix, pattern);
}

bool weight_name(char out[WEIGHT_NAME_SIZE], weight_naming naming, weight_id id, size_t layer)
{
    const char *pattern = family_name_of(naming.family, id, naming.names);
    if (pattern)
        print_name(out, naming.prefix ? naming.prefix : "", pattern, layer);
    return pattern != NULL;
}

char *weight_form_name(const weight_list *list, size_t index, size_t joined, arena *a)
{
    const weight_place *at = &list->places[index];
    const char *pattern = joined > 1 ? list->family->joined_names[joined]
                                     : family_name_of(list->family, at->id, NAMES_HUGGING_FACE);
    char name[WEIGHT_NAME_SIZE];
    print_name(name, "", pattern, at->layer);
    return arena_string(a, name);
}

/* 0: a norm's weight; 1: its bias; -1: neither. */
static int norm_part(weight_id id)
{
    if (IDS[id].kind == WEIGHT_SCALE)
        return 0;
    return IDS[id].kind == WEIGHT_BIAS && IDS[id - 1].kind == WEIGHT_SCALE ? 1 : -1;
}

const tensor *weights_find(const tensor_set *set, weight_naming naming, weight_id id, size_t layer)
{
    char name[WEIGHT_NAME_SIZE];
    if (!weight_name(name, naming, id, layer))
        return NULL;
    const tensor *t = tensors_find(set, name);
    int part = norm_part(id);
    const char *older = part < 0 ? NULL : NAMINGS[naming.names].older[part];
    if (t || !older)
        return t;
    strcpy(strrchr(name, '.') + 1, older); /* no longer than "weight" and "bias" */
    return tensors_find(set, name);
}

bool weights_naming(const tensor_set *set, const family *f, weight_naming *naming)
{
    for (const naming_prefix *p = f->prefixes; p->prefix; p++) {
        weight_naming tried = { f, p->names, p->prefix };
        if (weights_find(set, tried, WORD_EMBEDDINGS, 0)) {
            *naming = tried;
            return true;
        }
    }
    return false;
}

bool weights_have_pooler(const tensor_set *set, weight_naming naming)
{
    return weights_find(set, naming, POOLER_WEIGHT, 0) != NULL;
}

size_t weights_count_layers(const tensor_set *set, weight_naming naming)
{
    size_t n = 0, most = naming.family->one_set ? 1 : SIZE_MAX;
    while (n < most && weights_find(set, naming, QUERY_WEIGHT, n))
        n++;
    return n;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

bert_status weight_check(const tensor *t, const bert_param *p, bool transposed, bert_err *err)
{
    /* whole numbers would need a scale: a quantised checkpoint */
    if (!dtype_is_real(t->type) && t->type != DTYPE_OTHER)
        return fail(err, BERT_ERR_FORMAT,
                    "%s: tensor %s is of type %s, expected numbers with a fraction (a quantised checkpoint?)", t->file,
                    t->name, dtype_name(t->type));
    size_t rows = transposed ? p->cols : p->rows, cols = transposed ? p->rows : p->cols;
    bool vector = p->cols == 1 && t->rank == 1;
    if (vector ? t->shape[0] == (int64_t)p->rows
               : t->rank == 2 && t->shape[0] == (int64_t)rows && t->shape[1] == (int64_t)cols)
        return BERT_OK;
    char found[TENSOR_SHAPE_TEXT], expected[64];
    if (p->cols == 1)
        snprintf(expected, sizeof expected, "[%zu]", p->rows);
    else
        snprintf(expected, sizeof expected, "[%zu, %zu]", rows, cols);
    return fail(err, BERT_ERR_FORMAT, "%s: tensor %s has shape %s, expected %s", t->file, t->name,
                tensor_shape_text(t, found), expected);
}

/* out (rows, cols) = in (cols, rows) transposed, in place of one buffer: `out` holds `in` at first. */
static bert_status weights_transpose(float *out, size_t rows, size_t cols, arena *scratch, bert_err *err)
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
    s = weights_transpose(to, p->rows, p->cols, &scratch, err);
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
    for (size_t layer = 0; !s && layer < list->sets; layer++) {
        s = put_side_by_side(weight_at(list, QUERY_WEIGHT, layer), a, err);
        if (!s)
            s = put_side_by_side(weight_at(list, QUERY_BIAS, layer), a, err);
    }
    return s;
}

bert_status weight_read(weight_list *list, size_t index, arena *a, const tensor_set *set, weight_naming naming,
                        const char *path, bert_err *err)
{
    bert_param *p = &list->items[index];
    const weight_place *at = &list->places[index];
    bool transposed = NAMINGS[naming.names].transposed && IDS[at->id].kind == WEIGHT_MATRIX;
    const tensor *t = weights_find(set, naming, at->id, at->layer);
    if (!t) {
        char name[WEIGHT_NAME_SIZE];
        weight_name(name, naming, at->id, at->layer);
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

bert_status weights_read(weight_list *list, arena *a, const tensor_set *set, weight_naming naming, const char *path,
                         bert_err *err)
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
