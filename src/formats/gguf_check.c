/* Walks over a GGUF file that was written: its keys, then its tensors, which must lie one behind another up to the
 * file's end. */
#include "formats/gguf_file.h"

#include "base/file.h"
#include "base/size.h"

#include <string.h>

/* What is left of the file; `cut` once something would reach beyond it. */
typedef struct gguf_cursor {
    const unsigned char *p, *end;
    bool cut;
} gguf_cursor;

static const unsigned char *take_bytes(gguf_cursor *c, uint64_t n)
{
    c->cut |= n > (size_t)(c->end - c->p);
    if (c->cut)
        return NULL;
    c->p += n;
    return c->p - n;
}

static uint32_t take_u32(gguf_cursor *c)
{
    const unsigned char *p = take_bytes(c, sizeof(uint32_t));
    return p ? load_le32(p) : 0;
}

static uint64_t take_u64(gguf_cursor *c)
{
    const unsigned char *p = take_bytes(c, sizeof(uint64_t));
    return p ? load_le64(p) : 0;
}

static bert_text take_string(gguf_cursor *c)
{
    uint64_t n = take_u64(c);
    const unsigned char *p = take_bytes(c, n);
    return (bert_text){ (const char *)p, p ? n : 0 };
}

/* A value of a type that is written; others count as cut. */
static void skip_value(gguf_cursor *c, uint32_t type)
{
    switch (type) {
    case GGUF_VALUE_UINT32:
    case GGUF_VALUE_INT32:
    case GGUF_VALUE_FLOAT32:
        take_bytes(c, sizeof(uint32_t));
        break;
    case GGUF_VALUE_BOOL:
        take_bytes(c, 1);
        break;
    case GGUF_VALUE_STRING:
        take_string(c);
        break;
    default:
        c->cut = true;
    }
}

static void skip_key(gguf_cursor *c)
{
    uint32_t type = take_u32(c), item = type == GGUF_VALUE_ARRAY ? take_u32(c) : type;
    uint64_t n = type == GGUF_VALUE_ARRAY ? take_u64(c) : 1;
    for (uint64_t i = 0; i < n && !c->cut; i++)
        skip_value(c, item);
}

/* A tensor that lies at `offset` behind the header: how far it reaches, with the zeros behind it. */
static bool take_tensor(gguf_cursor *c, bert_text *name, uint64_t *offset)
{
    gguf_tensor t = { 0 };
    size_t bytes;
    *name = take_string(c);
    uint32_t sides = take_u32(c);
    size_t first = take_u64(c);
    t.rows = sides == 2 ? take_u64(c) : first;
    t.cols = sides == 2 ? first : 0;
    t.type = (gguf_type)take_u32(c);
    bool known = t.type == GGUF_F32 || t.type == GGUF_F16 || t.type == GGUF_Q8_0;
    bool placed = take_u64(c) == *offset && (sides == 1 || sides == 2) && known && gguf_tensor_bytes(&t, &bytes);
    return placed && !c->cut && add_size(*offset, bytes, offset) && add_size(*offset, gguf_padding(*offset), offset);
}

static bert_status gguf_check_mapped(const file_mapping *file, const char *path, bert_err *err)
{
    gguf_cursor c = { file->data, file->data + file->size, false };
    const unsigned char *mark = take_bytes(&c, 4);
    if (!mark || memcmp(mark, "GGUF", 4) || take_u32(&c) != GGUF_VERSION)
        return fail(err, BERT_ERR_FORMAT, "%s: is no GGUF file of version %d", path, GGUF_VERSION);
    uint64_t n_tensors = take_u64(&c), n_keys = take_u64(&c), offset = 0;
    bert_text name = { "", 0 };
    for (uint64_t i = 0; i < n_keys && !c.cut; i++) {
        name = take_string(&c);
        skip_key(&c);
    }
    if (c.cut)
        return fail(err, BERT_ERR_FORMAT, "%s: key %.*s does not end within the file", path, (int)name.size, name.data);
    for (uint64_t i = 0; i < n_tensors; i++)
        if (!take_tensor(&c, &name, &offset))
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %.*s does not lie behind that before it", path,
                        (int)name.size, name.data);
    size_t header = (size_t)(c.p - file->data);
    header += gguf_padding(header);
    if (header > file->size || offset != file->size - header)
        return fail(err, BERT_ERR_FORMAT, "%s: %zu bytes, its header and tensors take %zu", path, file->size,
                    header + (size_t)offset);
    return BERT_OK;
}

bert_status gguf_check(const char *path, bert_err *err)
{
    file_mapping file;
    bert_status s = file_map(&file, path, err);
    if (s)
        return s;
    s = gguf_check_mapped(&file, path, err);
    file_unmap(&file);
    return s;
}
