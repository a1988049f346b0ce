/* The forms that a frozen file has of weights: made, written, and read where they are mapped. */
#include "net/weight_forms.h"

#include "base/bf16.h"

#include <stdlib.h>
#include <string.h>

enum { FORM_ALIGN = 64 }; /* what is multiplied by begins at a multiple of so many bytes */

/* ---- which form an entry has ------------------------------------------------------------------------------------- */

static bool is_table(const weight_list *list, size_t index)
{
    return weight_kind_of(list, index) == WEIGHT_TABLE;
}

/* Entries that the form from this one on holds; 0: it has none, or stands in that of one before it. */
static size_t joined_at(const weight_list *list, size_t index)
{
    return is_table(list, index) ? 1 : list->places[index].joined;
}

/* How an entry stands in a file that is stored so: int8 leaves the pooler as it is. */
static weight_storage storage_at(const weight_list *list, size_t index, weight_storage stored)
{
    return weight_group_of(list, index) == GROUP_POOLER && stored == STORED_INT8 ? STORED_FP32 : stored;
}

/* ---- what stands in a file of a form ----------------------------------------------------------------------------- */

enum { MOST_PARTS = 3 };

/* One tensor of a form. */
typedef struct form_part {
    const char *suffix; /* behind the form's name */
    tensor tensor;
} form_part;

static const dtype NUMBER_TYPES[] = { [STORED_FP32] = DTYPE_F32, [STORED_BF16] = DTYPE_BF16, [STORED_INT8] = DTYPE_I8 };

static form_part part_of(const char *suffix, dtype type, const void *data, int rank, size_t a, size_t b, size_t c,
                         size_t d)
{
    form_part part = {
        suffix,
        { .type = type, .rank = rank, .shape = { (int64_t)a, (int64_t)b, (int64_t)c, (int64_t)d }, .data = data }
    };
    size_t bytes;
    tensor_count(&part.tensor, &bytes); /* a configuration's sizes are small enough */
    return part;
}

/* rows: of all entries that it holds. */
static size_t parts_of_matrix(const struct dense_packed *m, size_t rows, size_t cols, form_part parts[MOST_PARTS])
{
    static const size_t DEPTH[] = {
        [STORED_FP32] = 1, [STORED_BF16] = 2, [STORED_INT8] = 4
    }; /* numbers in a panel's word */
    size_t depth = DEPTH[m->stored], panels = (rows + GEMM_PANEL - 1) / GEMM_PANEL, n = panels * GEMM_PANEL;
    parts[0] = part_of("", NUMBER_TYPES[m->stored], m->panels, depth > 1 ? 4 : 3, panels, (cols + depth - 1) / depth,
                       GEMM_PANEL, depth > 1 ? depth : 0);
    parts[1] = part_of(".scale", DTYPE_F32, m->scale, 1, n, 0, 0, 0);
    parts[2] = part_of(".sums", DTYPE_I32, m->sums, 1, n, 0, 0, 0);
    return m->stored == STORED_INT8 ? 3 : 1;
}

static size_t parts_of_table(const embedding_table *t, size_t rows, size_t cols, form_part parts[MOST_PARTS])
{
    parts[0] = part_of("", NUMBER_TYPES[t->stored], t->rows, 2, rows, cols, 0, 0);
    parts[1] = part_of(".scale", DTYPE_F32, t->scale, 1, rows, 0, 0, 0);
    return t->stored == STORED_INT8 ? 2 : 1;
}

static size_t parts_of(const weight_list *list, size_t index, form_part parts[MOST_PARTS])
{
    const bert_param *p = &list->items[index];
    const weight_form *f = &list->forms[index];
    return is_table(list, index) ? parts_of_table(&f->table, p->rows, p->cols, parts)
                                 : parts_of_matrix(&f->matrix, f->joined * p->rows, p->cols, parts);
}

/* The way back: the form takes the parts' addresses. */
static void take_parts(weight_list *list, size_t index, const form_part parts[MOST_PARTS])
{
    weight_form *f = &list->forms[index];
    bool int8 = f->matrix.stored == STORED_INT8;
    if (is_table(list, index)) {
        f->table.rows = parts[0].tensor.data;
        f->table.scale = int8 ? parts[1].tensor.data : NULL;
    } else {
        f->matrix.panels = parts[0].tensor.data;
        f->matrix.scale = int8 ? parts[1].tensor.data : NULL;
        f->matrix.sums = int8 ? parts[2].tensor.data : NULL;
    }
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bert_status check_part(const tensor *t, const tensor *expected, size_t align, bert_err *err)
{
    char found[TENSOR_SHAPE_TEXT], wanted[TENSOR_SHAPE_TEXT];
    if (t->type != expected->type || t->rank != expected->rank ||
        memcmp(t->shape, expected->shape, (size_t)t->rank * sizeof *t->shape))
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is %s %s, expected %s %s", t->file, t->name,
                    dtype_name(t->type), tensor_shape_text(t, found), dtype_name(expected->type),
                    tensor_shape_text(expected, wanted));
    if ((uintptr_t)t->data % align)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s does not begin at a multiple of %zu bytes", t->file, t->name,
                    align);
    return BERT_OK;
}

static bert_status read_form(weight_list *list, size_t index, arena *names, const tensor_set *set, const char *path,
                             bert_err *err)
{
    form_part parts[MOST_PARTS] = { 0 };
    size_t n = parts_of(list, index, parts);
    const char *name = weight_form_name(list, index, list->forms[index].joined, names);
    for (size_t i = 0; i < n; i++) {
        const char *full = name ? arena_printf(names, "%s%s", name, parts[i].suffix) : NULL;
        const tensor *t = full ? tensors_find(set, full) : NULL;
        if (!full)
            return fail_memory(err, path);
        if (!t)
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is absent", path, full);
        bert_status s = check_part(t, &parts[i].tensor, is_table(list, index) ? dtype_size(t->type) : FORM_ALIGN, err);
        if (s)
            return s;
        parts[i].tensor.data = t->data;
    }
    take_parts(list, index, parts);
    return BERT_OK;
}

/* An entry's form without its numbers. */
static weight_form empty_form(const weight_list *list, size_t index, weight_storage stored)
{
    weight_form f = { .joined = joined_at(list, index) };
    f.matrix.stored = f.table.stored = storage_at(list, index, stored);
    return f;
}

bert_status weights_read_forms(weight_list *list, arena *a, const tensor_set *set, weight_storage stored,
                               const char *path, bert_err *err)
{
    bert_status s = BERT_OK;
    for (size_t i = 0; !s && i < list->n; i++) {
        list->forms[i] = empty_form(list, i, stored);
        if (list->forms[i].joined)
            s = read_form(list, i, a, set, path, err);
        else if (!weight_in_form(list, &list->items[i]))
            s = weight_read(list, i, a, set, weights_own_naming(list->family), path, err);
    }
    return s ? s : weights_put_side_by_side(list, a, err);
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

/* Copies what a packed matrix points to into the arena. */
static bert_status keep_parts(weight_list *list, size_t index, arena *a, bert_err *err)
{
    form_part parts[MOST_PARTS] = { 0 };
    size_t n = parts_of(list, index, parts);
    for (size_t i = 0; i < n; i++) {
        tensor *t = &parts[i].tensor;
        size_t bytes = t->n * dtype_size(t->type);
        void *copy = arena_alloc_raw(a, bytes);
        if (!copy)
            return fail_memory(err, list->items[index].name);
        t->data = memcpy(copy, t->data, bytes);
    }
    take_parts(list, index, parts);
    return BERT_OK;
}

static bert_status make_matrix(weight_list *list, size_t index, arena *a, bert_err *err)
{
    const bert_param *p = &list->items[index];
    weight_form *f = &list->forms[index];
    dense d = { .in = p->cols, .out = f->joined * p->rows, .weight = p->value };
    bert_status s = dense_pack_stored(&d, f->matrix.stored, err);
    if (s)
        return s;
    f->matrix = *d.packed;
    f->matrix.owned = NULL;
    s = keep_parts(list, index, a, err);
    dense_unpack(&d);
    return s;
}

static bert_status make_table(const weight_list *list, size_t index, arena *a, bert_err *err)
{
    const bert_param *p = &list->items[index];
    embedding_table *t = &list->forms[index].table;
    size_t n = weight_size(p);
    void *rows = t->stored == STORED_FP32 ? NULL : arena_alloc_raw(a, n * dtype_size(NUMBER_TYPES[t->stored]));
    float *scale = t->stored == STORED_INT8 ? arena_alloc_raw(a, p->rows * sizeof *scale) : NULL;
    t->rows = rows ? rows : p->value;
    t->scale = scale;
    if ((t->stored != STORED_FP32 && !rows) || (t->stored == STORED_INT8 && !scale))
        return fail_memory(err, p->name);
    for (size_t i = 0; t->stored == STORED_BF16 && i < n; i++)
        ((uint16_t *)rows)[i] = bf16_of(p->value[i]);
    for (size_t r = 0; t->stored == STORED_INT8 && r < p->rows; r++)
        scale[r] = embedding_quantise((int8_t *)rows + r * p->cols, p->value + r * p->cols, p->cols);
    return BERT_OK;
}

bert_status weights_make_forms(weight_list *list, arena *a, weight_storage stored, bert_err *err)
{
    bert_status s = weights_put_side_by_side(list, a, err);
    for (size_t i = 0; !s && i < list->n; i++) {
        list->forms[i] = empty_form(list, i, stored);
        if (list->forms[i].joined)
            s = is_table(list, i) ? make_table(list, i, a, err) : make_matrix(list, i, a, err);
    }
    return s;
}

bert_status weights_leave_forms(weight_list *list, arena *a, bert_err *err)
{
    for (size_t i = 0; i < list->n; i++) {
        size_t joined = list->forms[i].joined;
        const float *all = joined ? weight_floats(list, i, a) : NULL;
        if (joined && !all)
            return fail_memory(err, list->items[i].name);
        for (size_t k = 0; k < joined; k++)
            list->items[i + k].value = all + k * weight_size(&list->items[i]);
        list->forms[i] = (weight_form){ 0 };
    }
    return BERT_OK;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Appends the tensors of an entry: of its form, or its value. */
static bool weight_form_tensors(const weight_list *list, size_t index, arena *a, tensor *items, size_t *n)
{
    const bert_param *p = &list->items[index];
    size_t joined = list->forms[index].joined;
    if (!joined && p->value && !weight_in_form(list, p))
        items[(*n)++] = weight_tensor(p);
    if (!joined)
        return true;
    form_part parts[MOST_PARTS];
    size_t n_parts = parts_of(list, index, parts);
    const char *name = weight_form_name(list, index, joined, a);
    for (size_t i = 0; i < n_parts; i++) {
        tensor *t = &items[(*n)++];
        *t = parts[i].tensor;
        t->name = name ? arena_printf(a, "%s%s", name, parts[i].suffix) : NULL;
        if (!t->name)
            return false;
    }
    return true;
}

/* What keeps all that follows aligned comes first; then by the size of a number. */
static int place_of(const tensor *t)
{
    size_t size = dtype_size(t->type);
    return t->n * size % FORM_ALIGN == 0 ? 0 : size == 4 ? 1 : size == 2 ? 2 : 3;
}

bert_status weights_form_tensors(const weight_list *list, arena *a, tensor **items, size_t *n, bert_err *err)
{
    enum { PLACES = 4 };
    tensor *unsorted = arena_array(a, MOST_PARTS * list->n, sizeof *unsorted);
    size_t all = 0;
    *items = arena_array(a, MOST_PARTS * list->n, sizeof **items);
    *n = 0;
    if (!unsorted || !*items)
        return fail_memory(err, "a list of tensors");
    for (size_t i = 0; i < list->n; i++)
        if (!weight_form_tensors(list, i, a, unsorted, &all))
            return fail_memory(err, "a list of tensors");
    /* in the order of the list: the biases of query, key and value stay side by side */
    for (int place = 0; place < PLACES; place++)
        for (size_t i = 0; i < all; i++)
            if (place_of(&unsorted[i]) == place)
                (*items)[(*n)++] = unsorted[i];
    return BERT_OK;
}

/* ---- multiplying ------------------------------------------------------------------------------------------------- */

/* The rows of a packed matrix from a panel on. */
static struct dense_packed panels_from(const struct dense_packed *m, size_t cols, size_t first)
{
    struct dense_packed part = *m;
    size_t size = 0;
    dense_panels_size(cols, first * GEMM_PANEL, m->stored, &size); /* less than the whole, which is mapped */
    part.panels = (const char *)m->panels + size;
    part.scale = m->scale ? m->scale + first * GEMM_PANEL : NULL;
    part.sums = m->sums ? m->sums + first * GEMM_PANEL : NULL;
    return part;
}

/* A part of a matrix whose rows do not begin with a panel: its numbers are packed anew. */
static bert_status pack_again(dense *d, const weight_list *list, size_t index, weight_storage stored, bert_err *err)
{
    arena a = { 0 };
    d->weight = weight_floats(list, index, &a);
    bert_status s = d->weight ? dense_pack_stored(d, stored, err) : fail_memory(err, "a layer's weights");
    d->weight = NULL;
    arena_free(&a);
    return s;
}

bert_status linear_over_weights(linear *l, const weight_list *list, const bert_param *weight, size_t entries,
                                const bert_param *bias, bert_err *err)
{
    size_t index = (size_t)(weight - list->items), holder = weight_holder(list, index);
    dense *d = &l->base;
    *l = (linear){ { .in = weight->cols, .out = entries * weight->rows, .weight = weight->value, .bias = bias->value },
                   weight,
                   bias };
    if (holder == list->n || weight->value)
        return BERT_OK;
    const weight_form *f = &list->forms[holder];
    size_t before = (index - holder) * weight->rows;
    if (index + entries > holder + f->joined) /* it is asked for less at a time */
        return BERT_OK;
    if (before % GEMM_PANEL == 0 && (d->out % GEMM_PANEL == 0 || index + entries == holder + f->joined)) {
        struct dense_packed part = panels_from(&f->matrix, weight->cols, before / GEMM_PANEL);
        return dense_pack_over(d, &part, err);
    }
    return pack_again(d, list, index, f->matrix.stored, err);
}
