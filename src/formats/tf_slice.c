/* The parts of a partitioned variable: their keys, and how they make a whole. */
#include "formats/tf_slice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WHOLE_SIDE = -1 };

static int64_t length_of(const Tf__TensorSliceProto__Extent *e)
{
    return e->has_length_case == TF__TENSOR_SLICE_PROTO__EXTENT__HAS_LENGTH_LENGTH ? e->length : WHOLE_SIDE;
}

/* ---- the key: TensorFlow's ordered code, whose bytes sort as what they stand for --------------------------------- */

/* The number of bytes, then these from the highest. */
static void put_count(buffer *b, uint64_t v)
{
    int n = 0;
    while (n < 8 && v >> 8 * n)
        n++;
    buffer_char(b, (char)n);
    while (n--)
        buffer_char(b, (char)(v >> 8 * n));
}

/* n bytes from the highest, of which the first n bits are turned over and tell n by the place of the first that is no
 * sign; n from 1 to 10. */
static void put_signed(buffer *b, int64_t v)
{
    uint64_t bits = (uint64_t)v, size = v < 0 ? ~bits : bits;
    unsigned n = 1;
    while (n < 10 && size >> (7 * n - 1))
        n++;
    unsigned turned = 0xffffu << (16 - n);
    for (unsigned i = 0; i < n; i++) {
        unsigned at = n - 1 - i, byte = at < 8 ? (unsigned)(bits >> 8 * at) : v < 0 ? 0xff : 0;
        buffer_char(b, (char)(byte ^ (i == 0 ? turned >> 8 : i == 1 ? turned : 0)));
    }
}

/* A name holds no NUL; a byte of ones is followed by one of zeros, and the end by 0 1. */
static void put_name(buffer *b, const char *name)
{
    for (; *name; name++)
        buffer_add(b, *name == (char)0xff ? "\xff" : name, *name == (char)0xff ? 2 : 1);
    buffer_add(b, "\0\1", 2);
}

void tf_slice_key(buffer *key, const char *name, const Tf__TensorSliceProto *slice)
{
    put_count(key, 0);
    put_name(key, name);
    put_count(key, slice->n_extent);
    for (size_t i = 0; i < slice->n_extent; i++) {
        put_signed(key, slice->extent[i]->start);
        put_signed(key, length_of(slice->extent[i]));
    }
}

void tf_slice_name(buffer *text, const char *name, const Tf__TensorSliceProto *slice)
{
    buffer_printf(text, "%s [", name);
    for (size_t i = 0; i < slice->n_extent; i++) {
        const Tf__TensorSliceProto__Extent *e = slice->extent[i];
        buffer_string(text, i ? ", " : "");
        if (length_of(e) == WHOLE_SIDE)
            buffer_char(text, ':');
        else
            buffer_printf(text, "%" PRId64 ":%" PRId64, e->start, (int64_t)((uint64_t)e->start + (uint64_t)e->length));
    }
    buffer_char(text, ']');
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* What a slice holds of a side. */
static tensor_part on_side(const Tf__TensorSliceProto__Extent *e, int64_t side)
{
    return (tensor_part){ .start = e->start, .length = length_of(e) == WHOLE_SIDE ? side : e->length };
}

static bool is_inside(const Tf__TensorSliceProto *slice, const tensor *whole)
{
    bool inside = slice->n_extent == (size_t)whole->rank;
    for (int i = 0; inside && i < whole->rank; i++) {
        tensor_part p = on_side(slice->extent[i], whole->shape[i]);
        inside = p.start >= 0 && p.length >= 0 && p.start <= whole->shape[i] && p.length <= whole->shape[i] - p.start;
    }
    return inside;
}

bert_status tf_slices_axis(const tensor *whole, Tf__TensorSliceProto *const *slices, size_t n, const char *path,
                           int *axis, bert_err *err)
{
    char text[TENSOR_SHAPE_TEXT];
    buffer name = { 0 };
    bert_status s = BERT_OK;
    *axis = -1;
    for (size_t k = 0; !s && k < n; k++) {
        buffer_clear(&name);
        tf_slice_name(&name, whole->name, slices[k]);
        if (name.failed)
            s = fail_memory(err, path);
        else if (!whole->rank || !is_inside(slices[k], whole))
            s = fail(err, BERT_ERR_FORMAT, "%s: tensor %s is no part of shape %s", path, name.data,
                     tensor_shape_text(whole, text));
        for (int i = 0; !s && i < whole->rank; i++) {
            if (on_side(slices[k]->extent[i], whole->shape[i]).length == whole->shape[i])
                continue;
            if (*axis >= 0 && *axis != i)
                s = fail(err, BERT_ERR_UNSUPPORTED,
                         "%s: tensor %s: cut on side %d and on side %d, parts of one side are read", path, name.data,
                         *axis, i);
            *axis = i;
        }
    }
    buffer_free(&name);
    *axis = *axis < 0 ? 0 : *axis;
    return s;
}

bert_status tf_slice_place(const tensor *whole, int axis, const tensor *part, const Tf__TensorSliceProto *slice,
                           const char *path, tensor_part *place, bert_err *err)
{
    char text[TENSOR_SHAPE_TEXT];
    bool fits = part->rank == whole->rank;
    for (int i = 0; fits && i < whole->rank; i++)
        fits = part->shape[i] == on_side(slice->extent[i], whole->shape[i]).length;
    *place = on_side(slice->extent[axis], whole->shape[axis]);
    place->data = part->data;
    if (part->type != whole->type)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s is of type %s, the whole of %s", path, part->name,
                    dtype_name(part->type), dtype_name(whole->type));
    if (!fits)
        return fail(err, BERT_ERR_FORMAT, "%s: tensor %s has shape %s", path, part->name,
                    tensor_shape_text(part, text));
    return BERT_OK;
}

static int by_start(const void *a, const void *b)
{
    const tensor_part *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->length < y->length ? -1 : x->length > y->length;
}

bert_status tf_slices_check(const tensor *whole, int axis, tensor_part *parts, size_t n, const char *path,
                            bert_err *err)
{
    int64_t next = 0;
    qsort(parts, n, sizeof *parts, by_start);
    for (size_t i = 0; i <= n; i++) {
        int64_t start = i < n ? parts[i].start : whole->shape[axis];
        if (start != next)
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s: %" PRId64 " to %" PRId64 " of side %d are in %s", path,
                        whole->name, start > next ? next : start, start > next ? start : next, axis,
                        start > next ? "no part" : "two parts");
        next += i < n ? parts[i].length : 0;
    }
    return BERT_OK;
}
