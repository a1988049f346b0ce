/* Writing a GGUF file. */
#include "formats/gguf_file.h"

#include "base/file.h"
#include "base/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HALF_BYTES = 2, BLOCK_BYTES = HALF_BYTES + GGUF_BLOCK };

static const float HALF_MOST = 65504;

void gguf_free(gguf_file *g)
{
    buffer_free(&g->keys);
    free(g->tensors);
    *g = (gguf_file){ 0 };
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static void add_u32(buffer *b, uint32_t value)
{
    buffer_add(b, &value, sizeof value);
}

static void add_u64(buffer *b, uint64_t value)
{
    buffer_add(b, &value, sizeof value);
}

static void gguf_add_string(buffer *b, const char *bytes, size_t n)
{
    add_u64(b, n);
    buffer_add(b, bytes, n);
}

static void add_key(gguf_file *g, const char *key, uint32_t type)
{
    gguf_add_string(&g->keys, key, strlen(key));
    add_u32(&g->keys, type);
    g->n_keys++;
}

static void add_array(gguf_file *g, const char *key, uint32_t type, size_t n)
{
    add_key(g, key, GGUF_VALUE_ARRAY);
    add_u32(&g->keys, type);
    add_u64(&g->keys, n);
}

void gguf_uint32(gguf_file *g, const char *key, uint32_t value)
{
    add_key(g, key, GGUF_VALUE_UINT32);
    add_u32(&g->keys, value);
}

void gguf_float32(gguf_file *g, const char *key, float value)
{
    add_key(g, key, GGUF_VALUE_FLOAT32);
    buffer_add(&g->keys, &value, sizeof value);
}

void gguf_bool(gguf_file *g, const char *key, bool value)
{
    add_key(g, key, GGUF_VALUE_BOOL);
    buffer_char(&g->keys, value);
}

void gguf_string(gguf_file *g, const char *key, const char *value)
{
    add_key(g, key, GGUF_VALUE_STRING);
    gguf_add_string(&g->keys, value, strlen(value));
}

void gguf_strings(gguf_file *g, const char *key, const bert_text *values, size_t n)
{
    add_array(g, key, GGUF_VALUE_STRING, n);
    for (size_t i = 0; i < n; i++)
        gguf_add_string(&g->keys, values[i].data, values[i].size);
}

void gguf_int32s(gguf_file *g, const char *key, const int32_t *values, size_t n)
{
    add_array(g, key, GGUF_VALUE_INT32, n);
    buffer_add(&g->keys, values, n * sizeof *values);
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

void gguf_add_tensor(gguf_file *g, gguf_tensor tensor)
{
    bool fine = true;
    g->tensors = array_grown(g->tensors, g->n_tensors, sizeof tensor, &fine);
    if (fine)
        g->tensors[g->n_tensors++] = tensor;
    g->keys.failed |= !fine;
}

/* Bytes of n numbers. */
static size_t type_bytes(gguf_type type, size_t n)
{
    switch (type) {
    case GGUF_F16:
        return n * HALF_BYTES;
    case GGUF_Q8_0:
        return n / GGUF_BLOCK * BLOCK_BYTES;
    default:
        return n * sizeof(float);
    }
}

static size_t row_size(const gguf_tensor *t)
{
    return t->cols ? t->cols : t->rows;
}

static size_t row_count(const gguf_tensor *t)
{
    return t->cols ? t->rows : 1;
}

bool gguf_tensor_bytes(const gguf_tensor *t, size_t *bytes)
{
    size_t n;
    return mul_size(row_count(t), row_size(t), &n) && mul_size(n, sizeof(float), bytes) &&
           (*bytes = type_bytes(t->type, n), true);
}

size_t gguf_padding(size_t size)
{
    return (GGUF_ALIGNMENT - size % GGUF_ALIGNMENT) % GGUF_ALIGNMENT;
}

/* IEEE 754 binary16, to nearest, ties to even. |x| is at most HALF_MOST, or NaN. */
static uint16_t half_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (size < 0x38800000) /* below 2^-14: a multiple of 2^-24 */
        return (uint16_t)(sign | (uint32_t)lrintf(fabsf(x) * 0x1p24f));
    return (uint16_t)(sign | (((size + 0xfff + (size >> 13 & 1)) >> 13) - (112 << 10)));
}

static void put_half(unsigned char *out, float x)
{
    uint16_t half = half_of(x);
    memcpy(out, &half, sizeof half);
}

/* 32 numbers become a scale in float16 and as many whole numbers from -127 to 127. */
static void put_block(unsigned char *out, const float *x, float largest)
{
    float scale = largest / 127, inverse = scale > 0 ? 1 / scale : 0;
    put_half(out, scale);
    for (int i = 0; i < GGUF_BLOCK; i++)
        out[HALF_BYTES + i] = (unsigned char)(signed char)lrintf(x[i] * inverse);
}

/* NaN where one of them is. */
static float largest_of(const float *x, size_t n)
{
    float largest = 0;
    for (size_t i = 0; i < n && !isnan(largest); i++)
        if (!(fabsf(x[i]) <= largest))
            largest = fabsf(x[i]);
    return largest;
}

static bert_status beyond(const gguf_tensor *t, float x, bert_err *err)
{
    return fail(err, BERT_ERR_UNSUPPORTED, "%s: a number of %g is beyond what type %s holds", t->name,
                plain_nan((double)x), t->type == GGUF_F16 ? "f16" : "q8_0");
}

/* n numbers of a row in the tensor's type. */
static bert_status encode(const gguf_tensor *t, unsigned char *out, const float *x, size_t n, bert_err *err)
{
    if (t->type == GGUF_F16) {
        float largest = largest_of(x, n);
        if (!(largest <= HALF_MOST))
            return beyond(t, largest, err);
        for (size_t i = 0; i < n; i++)
            put_half(out + i * HALF_BYTES, x[i]);
        return BERT_OK;
    }
    for (size_t i = 0; i < n; i += GGUF_BLOCK) {
        float largest = largest_of(x + i, GGUF_BLOCK);
        if (!(largest <= HALF_MOST * 127))
            return beyond(t, largest, err);
        put_block(out + i / GGUF_BLOCK * BLOCK_BYTES, x + i, largest);
    }
    return BERT_OK;
}

/* A part of a row at a time, so that nothing is held. */
static bert_status write_encoded(file_writer *w, const gguf_tensor *t, const float *x, bert_err *err)
{
    enum { AT_ONCE = 4096 };
    unsigned char block[AT_ONCE * HALF_BYTES];
    size_t size = row_size(t);
    bert_status s = BERT_OK;
    for (size_t row = 0; !s && row < row_count(t); row++)
        for (size_t at = 0; !s && at < size; at += AT_ONCE) {
            size_t n = size - at < AT_ONCE ? size - at : AT_ONCE;
            s = encode(t, block, x + row * size + at, n, err);
            if (!s)
                file_write(w, block, type_bytes(t->type, n));
        }
    return s;
}

static bert_status write_tensor(file_writer *w, const gguf_tensor *t, const float *x, bert_err *err)
{
    static const unsigned char zeros[GGUF_ALIGNMENT];
    size_t bytes;
    bert_status s = BERT_OK;
    if (!gguf_tensor_bytes(t, &bytes))
        return fail_memory(err, t->name);
    if (t->type == GGUF_F32)
        file_write(w, x, bytes);
    else
        s = write_encoded(w, t, x, err);
    file_write(w, zeros, gguf_padding(bytes));
    return s ? s : file_failed(w, err);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void describe_tensor(buffer *b, const gguf_tensor *t, uint64_t offset)
{
    gguf_add_string(b, t->name, strlen(t->name));
    add_u32(b, t->cols ? 2 : 1);
    add_u64(b, row_size(t)); /* the side that runs fastest comes first */
    if (t->cols)
        add_u64(b, t->rows);
    add_u32(b, t->type);
    add_u64(b, offset);
}

/* All that stands before the tensors. */
static bool gguf_header(const gguf_file *g, buffer *b)
{
    buffer_string(b, "GGUF");
    add_u32(b, GGUF_VERSION);
    add_u64(b, g->n_tensors);
    add_u64(b, g->n_keys);
    buffer_add(b, g->keys.data, g->keys.size);
    uint64_t offset = 0;
    for (size_t i = 0; i < g->n_tensors; i++) {
        size_t bytes;
        if (!gguf_tensor_bytes(&g->tensors[i], &bytes))
            return false;
        describe_tensor(b, &g->tensors[i], offset);
        offset += bytes + gguf_padding(bytes);
    }
    for (size_t n = gguf_padding(b->size); n; n--)
        buffer_char(b, 0);
    return !b->failed && !g->keys.failed;
}

bert_status gguf_write(gguf_file *g, const char *path, gguf_values *values, void *context, bert_err *err)
{
    file_writer w;
    buffer head = { 0 };
    bert_status s = gguf_header(g, &head) ? file_create(&w, path, err) : fail_memory(err, path);
    if (s) {
        buffer_free(&head);
        return s;
    }
    file_write(&w, head.data, head.size);
    buffer_free(&head);
    for (size_t i = 0; !s && i < g->n_tensors; i++) {
        const float *x;
        s = values(context, i, &x, err);
        if (!s)
            s = write_tensor(&w, &g->tensors[i], x, err);
    }
    if (!s)
        return file_commit_opened(&w, gguf_check, err);
    file_abort(&w);
    return s;
}
