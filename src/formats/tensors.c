/* A set of named tensors, and its elements as float32. */
#include "formats/tensors.h"

#include "base/bf16.h"
#include "base/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one function a type: n elements at any address to float32 ---- */

static float half_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 0x3ff, bits;
    float magnitude;
    if (exponent == 0) /* zero or subnormal: fraction * 2^-24, exact and normal in float32 */
        magnitude = (float)fraction * 0x1p-24f;
    else {
        bits = (exponent == 31 ? 255u << 23 : (exponent + 127 - 15) << 23) | fraction << 13;
        memcpy(&magnitude, &bits, sizeof magnitude);
    }
    memcpy(&bits, &magnitude, sizeof bits);
    bits |= sign;
    memcpy(&magnitude, &bits, sizeof magnitude);
    return magnitude;
}

static void f32_from_f32(float *out, const unsigned char *data, size_t n)
{
    if (n)
        memcpy(out, data, n * sizeof *out);
}

/* The others read one element, convert it, and go on. */
#define FROM(name, type, convert)                                                \
    static void f32_from_##name(float *out, const unsigned char *data, size_t n) \
    {                                                                            \
        for (size_t i = 0; i < n; i++) {                                         \
            type v;                                                              \
            memcpy(&v, data + i * sizeof v, sizeof v);                           \
            out[i] = convert(v);                                                 \
        }                                                                        \
    }
FROM(f16, uint16_t, half_to_f32)
FROM(bf16, uint16_t, bf16_to_f32)
FROM(f64, double, (float))
FROM(i64, int64_t, (float))
FROM(i32, int32_t, (float))
FROM(i16, int16_t, (float))
FROM(i8, int8_t, (float))
FROM(u8, uint8_t, (float))

static const struct {
    const char *name;
    size_t size;
    void (*to_f32)(float *out, const unsigned char *data, size_t n); /* NULL: no number */
} DTYPES[] = {
    [DTYPE_F32] = { "F32", 4, f32_from_f32 },    [DTYPE_F16] = { "F16", 2, f32_from_f16 },
    [DTYPE_BF16] = { "BF16", 2, f32_from_bf16 }, [DTYPE_F64] = { "F64", 8, f32_from_f64 },
    [DTYPE_I64] = { "I64", 8, f32_from_i64 },    [DTYPE_I32] = { "I32", 4, f32_from_i32 },
    [DTYPE_I16] = { "I16", 2, f32_from_i16 },    [DTYPE_I8] = { "I8", 1, f32_from_i8 },
    [DTYPE_U8] = { "U8", 1, f32_from_u8 },       [DTYPE_BOOL] = { "BOOL", 1, NULL },
    [DTYPE_OTHER] = { "OTHER", 0, NULL },
};

const char *dtype_name(dtype t)
{
    return DTYPES[t].name;
}

dtype dtype_find(const char *name)
{
    int t = 0;
    while (t < DTYPE_OTHER && strcmp(DTYPES[t].name, name))
        t++;
    return (dtype)t;
}

size_t dtype_size(dtype t)
{
    return DTYPES[t].size;
}

bool dtype_is_real(dtype t)
{
    return t <= DTYPE_F64;
}

/* A part holds, for each element of the sides before the one that was cut, a run of those behind it. */
static void join_parts(const tensor *t, float *out)
{
    size_t outer = 1, inner = 1, side = (size_t)t->shape[t->axis];
    for (int i = 0; i < t->rank; i++)
        *(i < t->axis ? &outer : &inner) *= i == t->axis ? 1 : (size_t)t->shape[i];
    for (size_t k = 0; k < t->n_parts; k++) {
        const tensor_part *p = &t->parts[k];
        size_t run = (size_t)p->length * inner, bytes = run * dtype_size(t->type);
        for (size_t i = 0; i < outer; i++)
            DTYPES[t->type].to_f32(out + (i * side + (size_t)p->start) * inner,
                                   (const unsigned char *)p->data + i * bytes, run);
    }
}

bert_status tensor_to_f32(const tensor *t, float *out, bert_err *err)
{
    if (t->type == DTYPE_OTHER)
        return fail(err, BERT_ERR_UNSUPPORTED,
                    "%s: tensor %s is of a type that is not read (quantised, float8, complex, strings)", t->file,
                    t->name);
    if (!DTYPES[t->type].to_f32)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is of type %s, expected numbers", t->file, t->name,
                    dtype_name(t->type));
    if (t->parts)
        join_parts(t, out);
    else if (t->data)
        DTYPES[t->type].to_f32(out, t->data, t->n);
    else
        return fail(err, BERT_ERR_FORMAT, "%s: the elements of tensor %s are absent", t->file, t->name);
    return BERT_OK;
}

const char *tensor_shape_text(const tensor *t, char text[TENSOR_SHAPE_TEXT])
{
    if (t->rank > TENSOR_MAX_RANK) {
        snprintf(text, TENSOR_SHAPE_TEXT, "[of %d dimensions]", t->rank);
        return text;
    }
    int used = snprintf(text, TENSOR_SHAPE_TEXT, "[");
    for (int i = 0; i < t->rank; i++)
        used += snprintf(text + used, (size_t)(TENSOR_SHAPE_TEXT - used), "%s%" PRId64, i ? ", " : "", t->shape[i]);
    snprintf(text + used, (size_t)(TENSOR_SHAPE_TEXT - used), "]");
    return text;
}

bool tensor_count(tensor *t, size_t *bytes)
{
    t->n = t->rank <= TENSOR_MAX_RANK;
    for (int i = 0; i < t->rank && i < TENSOR_MAX_RANK; i++)
        if (t->shape[i] < 0 || !mul_size(t->n, (size_t)t->shape[i], &t->n))
            return false;
    return mul_size(t->n, dtype_size(t->type), bytes);
}

/* ---- the set ---- */

static int tensor_by_name(const void *a, const void *b)
{
    return strcmp(((const tensor *)a)->name, ((const tensor *)b)->name);
}

const tensor *tensors_find(const tensor_set *set, const char *name)
{
    tensor key = { .name = name };
    return set->n ? bsearch(&key, set->items, set->n, sizeof key, tensor_by_name) : NULL;
}

void tensors_close(tensor_set *set)
{
    for (size_t i = 0; i < set->n_files; i++)
        file_unmap(&set->files[i]);
    free(set->files);
    free(set->items);
    arena_free(&set->memory);
    *set = (tensor_set){ 0 };
}

bert_status tensors_add(tensor_set *set, const tensor *t, bert_err *err)
{
    bool fine = true;
    set->items = array_grown(set->items, set->n, sizeof *set->items, &fine);
    if (!fine)
        return fail_memory(err, "a list of tensors");
    set->items[set->n++] = *t;
    return BERT_OK;
}

bert_status tensors_keep_file(tensor_set *set, file_mapping *file, bert_err *err)
{
    bool fine = true;
    set->files = array_grown(set->files, set->n_files, sizeof *set->files, &fine);
    if (!fine) {
        file_unmap(file);
        return fail_memory(err, "a list of files");
    }
    set->files[set->n_files++] = *file;
    *file = (file_mapping){ 0 };
    return BERT_OK;
}

bert_status tensors_seal(tensor_set *set, const char *path, bert_err *err)
{
    if (set->n)
        qsort(set->items, set->n, sizeof *set->items, tensor_by_name);
    for (size_t i = 1; i < set->n; i++)
        if (!strcmp(set->items[i - 1].name, set->items[i].name))
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s stands twice", path, set->items[i].name);
    return BERT_OK;
}

/* ---- where tensors lie ---- */

static int tensor_by_place(const void *a, const void *b)
{
    const tensor_range *x = a, *y = b;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

bert_status tensor_ranges_check(tensor_range *ranges, size_t n, const char *path, bert_err *err)
{
    if (n)
        qsort(ranges, n, sizeof *ranges, tensor_by_place);
    for (size_t i = 1; i < n; i++)
        if (ranges[i].part == ranges[i - 1].part && ranges[i].begin < ranges[i - 1].end)
            return fail(err, BERT_ERR_FORMAT, "%s: tensors %s and %s share bytes %zu to %zu", path, ranges[i - 1].name,
                        ranges[i].name, ranges[i].begin,
                        ranges[i].end < ranges[i - 1].end ? ranges[i].end : ranges[i - 1].end);
    return BERT_OK;
}
