/* Reads a GGUF file by its specification, checking every place and size. */
#pragma once

#include "base/scratch.h"

#include <math.h>

enum {
    READ_KEYS = 64,
    READ_TENSORS = 256,
    READ_UINT32 = 4,
    READ_INT32 = 5,
    READ_FLOAT32 = 6,
    READ_BOOL = 7,
    READ_STRING = 8,
    READ_ARRAY = 9
};

typedef struct read_key {
    bert_text name;
    uint32_t type, item; /* item: of an array */
    uint64_t n;          /* items of an array, bytes of a string */
    const unsigned char *value;
} read_key;

typedef struct read_tensor {
    bert_text name;
    uint32_t n_dims, type;
    uint64_t dims[4], offset;
    const unsigned char *data;
} read_tensor;

typedef struct gguf_read {
    file_mapping file;
    size_t at, n_keys, n_tensors;
    read_key keys[READ_KEYS];
    read_tensor tensors[READ_TENSORS];
} gguf_read;

static inline const unsigned char *read_bytes(gguf_read *g, size_t n)
{
    assert_true(n <= g->file.size - g->at);
    g->at += n;
    return g->file.data + g->at - n;
}

static inline uint32_t read_u32(gguf_read *g)
{
    uint32_t v;
    memcpy(&v, read_bytes(g, sizeof v), sizeof v);
    return v;
}

static inline uint64_t read_u64(gguf_read *g)
{
    uint64_t v;
    memcpy(&v, read_bytes(g, sizeof v), sizeof v);
    return v;
}

static inline bert_text read_text(gguf_read *g)
{
    uint64_t n = read_u64(g);
    return (bert_text){ (const char *)read_bytes(g, n), n };
}

static inline void read_value(gguf_read *g, read_key *k)
{
    k->value = g->file.data + g->at;
    switch (k->type) {
    case READ_UINT32:
    case READ_FLOAT32:
        read_bytes(g, 4);
        break;
    case READ_BOOL:
        assert_true(*read_bytes(g, 1) <= 1);
        break;
    case READ_STRING:
        k->n = read_u64(g);
        k->value = read_bytes(g, k->n);
        break;
    case READ_ARRAY:
        k->item = read_u32(g);
        k->n = read_u64(g);
        k->value = g->file.data + g->at;
        if (k->item == READ_INT32)
            read_bytes(g, k->n * sizeof(int32_t));
        else if (k->item == READ_STRING)
            for (uint64_t i = 0; i < k->n; i++)
                read_text(g);
        else
            fail_msg("an array of type %u", k->item);
        break;
    default:
        fail_msg("a value of type %u", k->type);
    }
}

static inline size_t read_tensor_bytes(const read_tensor *t)
{
    size_t n = 1;
    for (uint32_t i = 0; i < t->n_dims; i++)
        n *= t->dims[i];
    if (t->type == 8)
        assert_int_equal(t->dims[0] % 32, 0);
    return t->type == 0 ? 4 * n : t->type == 1 ? 2 * n : n / 32 * 34;
}

static inline void read_open(gguf_read *g, const char *path)
{
    *g = (gguf_read){ 0 };
    assert_works(file_map(&g->file, path, err));
    assert_memory_equal(read_bytes(g, 4), "GGUF", 4);
    assert_int_equal(read_u32(g), 3);
    g->n_tensors = read_u64(g);
    g->n_keys = read_u64(g);
    assert_true(g->n_tensors <= READ_TENSORS && g->n_keys <= READ_KEYS);
    for (size_t i = 0; i < g->n_keys; i++) {
        g->keys[i].name = read_text(g);
        g->keys[i].type = read_u32(g);
        read_value(g, &g->keys[i]);
    }
    for (size_t i = 0; i < g->n_tensors; i++) {
        read_tensor *t = &g->tensors[i];
        t->name = read_text(g);
        t->n_dims = read_u32(g);
        assert_true(t->n_dims >= 1 && t->n_dims <= 2);
        for (uint32_t k = 0; k < t->n_dims; k++)
            t->dims[k] = read_u64(g);
        t->type = read_u32(g);
        assert_true(t->type == 0 || t->type == 1 || t->type == 8);
        t->offset = read_u64(g);
    }
    size_t data = (g->at + 31) / 32 * 32, end = 0;
    for (size_t i = 0; i < g->n_tensors; i++) { /* one behind another, and nothing else */
        assert_int_equal(g->tensors[i].offset, end);
        g->tensors[i].data = g->file.data + data + end;
        end = (end + read_tensor_bytes(&g->tensors[i]) + 31) / 32 * 32;
    }
    assert_int_equal(g->file.size, data + end);
}

static inline void read_close(gguf_read *g)
{
    file_unmap(&g->file);
}

static inline bool read_is(bert_text name, const char *expected)
{
    return name.size == strlen(expected) && !memcmp(name.data, expected, name.size);
}

static inline const read_key *read_find(const gguf_read *g, const char *name)
{
    for (size_t i = 0; i < g->n_keys; i++)
        if (read_is(g->keys[i].name, name))
            return &g->keys[i];
    return NULL;
}

static inline const read_tensor *read_find_tensor(const gguf_read *g, const char *name)
{
    for (size_t i = 0; i < g->n_tensors; i++)
        if (read_is(g->tensors[i].name, name))
            return &g->tensors[i];
    fail_msg("there is no tensor %s", name);
    return NULL;
}

static inline uint32_t read_number(const gguf_read *g, const char *name)
{
    const read_key *k = read_find(g, name);
    uint32_t v;
    if (!k || k->type != READ_UINT32)
        fail_msg("there is no number %s", name);
    memcpy(&v, k->value, sizeof v);
    return v;
}

/* Item i of an array of strings. */
static inline bert_text read_item(const gguf_read *g, const char *name, uint64_t i)
{
    const read_key *k = read_find(g, name);
    assert_true(k && k->item == READ_STRING && i < k->n);
    const unsigned char *p = k->value;
    for (;; i--) {
        uint64_t n;
        memcpy(&n, p, sizeof n);
        p += sizeof n;
        if (!i)
            return (bert_text){ (const char *)p, n };
        p += n;
    }
}

static inline double read_half(const unsigned char *p)
{
    int bits = p[0] | p[1] << 8, exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31 ? (fraction ? NAN : INFINITY)
                  : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                 : ldexp(fraction, -24);
    return bits & 0x8000 ? -size : size;
}

/* Number i of a tensor. */
static inline double read_element(const read_tensor *t, size_t i)
{
    float x;
    switch (t->type) {
    case 0:
        memcpy(&x, t->data + 4 * i, sizeof x);
        return (double)x;
    case 1:
        return read_half(t->data + 2 * i);
    default:
        return read_half(t->data + i / 32 * 34) * (signed char)t->data[i / 32 * 34 + 2 + i % 32];
    }
}
