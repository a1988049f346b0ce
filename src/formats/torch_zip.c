/* The zip around a state dict's pickle and storages. */
#include "formats/torch_zip.h"

#include "formats/torch_tensors.h"
#include "formats/zip_file.h"

#include <string.h>

/* The file under way. */
typedef struct torch_zip_reader {
    const char *path;
    zip_file zip;
    arena *memory;
    const char *folder; /* NAME of NAME/data.pkl */
} torch_zip_reader;

/* NAME of the only entry NAME/data.pkl. */
static bert_status find_folder(torch_zip_reader *r, bert_err *err)
{
    static const char suffix[] = "/data.pkl";
    for (size_t i = 0; i < r->zip.n; i++) {
        const char *name = r->zip.entries[i].name, *slash = strchr(name, '/');
        if (!slash || strcmp(slash, suffix))
            continue;
        if (r->folder)
            return fail(err, BERT_ERR_FORMAT, "%s: holds two pickles, %s and %s/data.pkl", r->path, name, r->folder);
        if (!(r->folder = arena_copy(r->memory, name, (size_t)(slash - name))))
            return fail_memory(err, r->path);
    }
    return r->folder
               ? BERT_OK
               : fail(err, BERT_ERR_FORMAT, "%s: a zip without NAME/data.pkl, not one that torch.save wrote", r->path);
}

/* The entry NAME/inner; *bytes is NULL where there is none. */
static bert_status inner_bytes(torch_zip_reader *r, const char *inner, const unsigned char **bytes, size_t *size,
                               bert_err *err)
{
    char *name = arena_printf(r->memory, "%s/%s", r->folder, inner);
    return name ? zip_bytes(&r->zip, name, bytes, size, err) : fail_memory(err, r->path);
}

static bert_status check_byte_order(torch_zip_reader *r, bert_err *err)
{
    const unsigned char *bytes;
    size_t size;
    bert_status s = inner_bytes(r, "byteorder", &bytes, &size, err);
    if (!s && bytes && (size != 6 || memcmp(bytes, "little", 6)))
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: byte order \"%.*s\", expected \"little\"", r->path,
                 size < 16 ? (int)size : 16, bytes);
    return s;
}

static bert_status torch_zip_find_storage(void *context, const char *key, const char **name,
                                          const unsigned char **bytes, size_t *size, bert_err *err)
{
    torch_zip_reader *r = context;
    *name = arena_printf(r->memory, "%s/data/%s", r->folder, key);
    return *name ? zip_bytes(&r->zip, *name, bytes, size, err) : fail_memory(err, r->path);
}

static bert_status read_tensors(tensor_set *set, torch_zip_reader *r, bert_err *err)
{
    const unsigned char *bytes;
    size_t size;
    torch_state state;
    const torch_storages storages = { r->path, r->zip.total_size, r, torch_zip_find_storage };
    bert_status s = inner_bytes(r, "data.pkl", &bytes, &size, err);
    if (s)
        return s;
    const torch_pickle pickle = { .path = r->path, .name = "data.pkl", .bytes = bytes, .n = size };
    s = torch_pickle_read(&state, &set->memory, &pickle, err);
    return s ? s : torch_tensors_add(set, &state, &storages, err);
}

bert_status torch_zip_read(tensor_set *set, const char *path, const file_mapping *view, bert_err *err)
{
    torch_zip_reader r = { .path = path, .memory = &set->memory };
    bert_status s = zip_open(&r.zip, path, view, &set->memory, err);
    if (!s)
        s = find_folder(&r, err);
    if (!s)
        s = check_byte_order(&r, err);
    if (!s)
        s = read_tensors(set, &r, err);
    zip_close(&r.zip);
    return s;
}
