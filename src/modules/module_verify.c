/* A module's files beside what module.json says of them. */
#include "base/file.h"
#include "base/size.h"
#include "formats/json.h"
#include "modules/module.h"
#include "modules/tokenizer_info.h"

#include <inttypes.h>
#include <string.h>

static bert_status differs(const char *path, const char *what, const char *found, const char *says,
                           const char *expected, bert_err *err)
{
    const char *more = strlen(found) > 12 ? "..." : "";
    return fail(err, BERT_ERR_FORMAT, "%s: the data is damaged (its %s is %.12s%s, %s says %.12s%s)", path, what, found,
                more, says, expected, more);
}

static bert_status verify_file(const bert_module *m, const char *name, const json_t *entry, const char *where, arena *a,
                               bert_err *err)
{
    const char *expected, *path = path_join(a, m->folder, name);
    char found[SHA256_HEX];
    bert_status s = path ? json_get_string(entry, "sha256", &expected, where, err) : fail_memory(err, name);
    if (!s)
        s = sha256_file(path, found, err);
    return s || !strcmp(found, expected) ? s : differs(path, "SHA-256", found, "module.json", expected, err);
}

/* Files that are read whole wherever a module is opened. */
static bool is_small(const char *name)
{
    return !strcmp(name, "config.json") || !strcmp(name, VOCABULARY_LINES) || !strcmp(name, VOCABULARY_PACKED);
}

static bert_status verify_files(const bert_module *m, bool all, bert_err *err)
{
    arena a = { 0 };
    json_t *json = NULL, *entry;
    const char *name, *where = path_join(&a, m->folder, "module.json");
    bert_status s = where ? json_read_file(&json, where, err) : fail_memory(err, m->folder);
    json_object_foreach(json_object_get(json, "files"), name, entry)
    {
        if (!s && (all || is_small(name)))
            s = verify_file(m, name, entry, where, &a, err);
    }
    json_decref(json);
    arena_free(&a);
    return s;
}

bert_status module_verify(const bert_module *m, bert_err *err)
{
    return verify_files(m, true, err);
}

static bert_status verify_weights(const bert_module *m, bert_err *err)
{
    if ((!m->frozen && !m->weights_sha256[0]) || m->tensors.n_files != 1) /* modules of before there were hashes */
        return BERT_OK;
    const file_mapping *file = &m->tensors.files[0];
    bool has_crc = m->weights_crc32c[0];
    const char *expected = has_crc ? m->weights_crc32c : m->weights_sha256;
    char found[SHA256_HEX];
    if (has_crc) /* finds damage as well, in a tenth of the time */
        crc32c_mapped_hex(file, found);
    else
        sha256_mapped(file, m->frozen ? 8 + (size_t)load_le64(file->data) : 0, found);
    if (!strcmp(found, expected))
        return BERT_OK;
    arena a = { 0 };
    const char *path = m->frozen ? m->path : path_join(&a, m->folder, "model.safetensors");
    bert_status s = differs(path ? path : m->path, has_crc ? "CRC-32C" : "SHA-256", found,
                            m->frozen ? "the file" : "module.json", expected, err);
    arena_free(&a);
    return s;
}

bert_status module_verify_read(const bert_module *m, bert_err *err)
{
    bert_status s = verify_weights(m, err);
    return s || m->frozen ? s : verify_files(m, false, err);
}
