/* Walks over an ONNX file that was written: every message to its end, by protobuf-c's descriptions of them, and every
 * tensor's bytes counted. Nothing is copied, however large the weights are. */
#include "formats/onnx_file.h"

#include "base/file.h"
#include "base/size.h"
#include "onnx.pb-c.h"

#include <errno.h>
#include <inttypes.h>

/* A file under way. */
typedef struct walk {
    const unsigned char *first;
    const char *path;
    size_t graphs;
} walk;

/* A run of fields; a field of its bytes. */
typedef struct field_run {
    const unsigned char *p, *end;
} field_run;

static bert_status onnx_damaged(const walk *w, const unsigned char *at, const char *message, const char *why,
                                bert_err *err)
{
    return fail(err, BERT_ERR_FORMAT, "%s: %s at byte %td: %s", w->path, message, at - w->first, why);
}

static bool field_varint(field_run *s, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && s->p < s->end; shift += 7) {
        unsigned char byte = *s->p++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

/* A field's value, which is left behind; *bytes: those of one that has a length. */
static bool take_value(field_run *s, unsigned wire, field_run *bytes)
{
    enum { VARINT = 0, EIGHT = 1, LENGTH = 2, FOUR = 5 };
    uint64_t size = wire == EIGHT ? 8 : 4;
    *bytes = (field_run){ 0 };
    if (wire == VARINT)
        return field_varint(s, &size);
    if (wire != EIGHT && wire != FOUR && (wire != LENGTH || !field_varint(s, &size)))
        return false;
    if (size > (size_t)(s->end - s->p))
        return false;
    s->p += size;
    if (wire == LENGTH)
        *bytes = (field_run){ s->p - size, s->p };
    return true;
}

/* about: the tensor's message without its numbers, which come last. */
static bert_status check_tensor(const walk *w, field_run about, field_run numbers, bert_err *err)
{
    errno = 0;
    Onnx__TensorProto *t = onnx__tensor_proto__unpack(NULL, (size_t)(about.end - about.p), about.p);
    if (!t)
        return fail_elsewhere(err, BERT_ERR_FORMAT, "%s: the tensor at byte %td is damaged", w->path,
                              about.p - w->first);
    size_t n = t->data_type == ONNX_INT64   ? sizeof(int64_t)
               : t->data_type == ONNX_FLOAT ? sizeof(float)
                                            : 0,
           found = (size_t)(numbers.end - numbers.p);
    bool fits = n != 0;
    for (size_t i = 0; fits && i < t->n_dims; i++)
        fits = t->dims[i] >= 0 && mul_size(n, (size_t)t->dims[i], &n);
    bert_status s = fits && n == found
                        ? BERT_OK
                        : fail(err, BERT_ERR_FORMAT, "%s: tensor %s at byte %td has %zu bytes, its shape takes %zu",
                               w->path, t->name, about.p - w->first, found, n);
    onnx__tensor_proto__free_unpacked(t, NULL);
    return s;
}

static bert_status check_message(walk *w, const ProtobufCMessageDescriptor *message, field_run s, bert_err *err)
{
    bool is_tensor = message == &onnx__tensor_proto__descriptor;
    const ProtobufCFieldDescriptor *numbers_field = is_tensor ? protobuf_c_message_descriptor_get_field_by_name(
                                                                    message, "raw_data")
                                                              : NULL;
    field_run about = { s.p, s.end }, numbers = { 0 }, value;
    w->graphs += message == &onnx__graph_proto__descriptor;
    while (s.p < s.end) {
        const unsigned char *at = s.p;
        uint64_t tag = 0;
        const ProtobufCFieldDescriptor *f = field_varint(&s, &tag) && tag <= UINT32_MAX
                                                ? protobuf_c_message_descriptor_get_field(message, (unsigned)tag >> 3)
                                                : NULL;
        if (!f)
            return onnx_damaged(w, at, message->name, "a field that was not written", err);
        if (!take_value(&s, tag & 7, &value))
            return onnx_damaged(w, at, message->name, "a field that does not end within it", err);
        if (f == numbers_field) {
            about.end = at;
            numbers = value;
        }
        bert_status status = f->type == PROTOBUF_C_TYPE_MESSAGE ? check_message(w, f->descriptor, value, err) : BERT_OK;
        if (status)
            return status;
    }
    return is_tensor ? check_tensor(w, about, numbers, err) : BERT_OK;
}

bert_status onnx_check(const char *path, bert_err *err)
{
    file_mapping file;
    bert_status s = file_map(&file, path, err);
    if (s)
        return s;
    walk w = { .first = file.data, .path = path };
    s = check_message(&w, &onnx__model_proto__descriptor, (field_run){ file.data, file.data + file.size }, err);
    if (!s && w.graphs != 1)
        s = fail(err, BERT_ERR_FORMAT, "%s: holds %zu graphs, expected one", path, w.graphs);
    file_unmap(&file);
    return s;
}
