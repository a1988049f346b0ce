/* Five pickles, then the storages in the order of their keys. */
#include "formats/torch_legacy.h"

#include "base/size.h"
#include "formats/torch_machine.h"
#include "formats/torch_tensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PROTOCOL = 1001, MAGIC_WITHIN = 64 };

/* A number of ten bytes, 0x1950a86a20f9469cfc6c, and the pickle's end. */
static const unsigned char MAGIC[] = { 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.' };

/* A storage as the file has it. */
typedef struct stored {
    const char *key;
    const unsigned char *bytes;
    size_t size;
} stored;

/* The file under way. */
typedef struct legacy_reader {
    torch_pickle pickle; /* the one that comes next: bytes and n are the whole file's */
    arena *memory;
    torch_state state;
    stored *storages; /* (n), after the last has been found sorted by key */
    size_t n;
} legacy_reader;

/* Where the magic number ends; NULL where there is none. */
static const unsigned char *behind_magic(const file_mapping *view)
{
    if (view->size < sizeof MAGIC || view->data[0] != 0x80)
        return NULL;
    const unsigned char *at = memmem(view->data, view->size < MAGIC_WITHIN ? view->size : MAGIC_WITHIN, MAGIC,
                                     sizeof MAGIC);
    return at ? at + sizeof MAGIC : NULL;
}

bool torch_legacy_is(const file_mapping *view)
{
    return behind_magic(view) != NULL;
}

/* ---- the small pickles ------------------------------------------------------------------------------------------- */

/* Runs the next pickle; what it ends with is on the machine's stack. */
static bert_status run_next(legacy_reader *r, machine *m, bert_err *err)
{
    bert_status s = machine_run(m, r->memory, &r->pickle, err);
    r->pickle.at = (size_t)(m->at - m->start);
    return s;
}

static bert_status read_protocol(legacy_reader *r, bert_err *err)
{
    machine m;
    bert_status s = run_next(r, &m, err);
    const value *v = s ? NULL : top(&m);
    if (!s && (!v || v->kind != INT || v->integer != PROTOCOL))
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: %s: not torch.save's protocol %d", r->pickle.path, r->pickle.name,
                 PROTOCOL);
    machine_free(&m);
    return s;
}

/* {"protocol_version": 1001, "little_endian": True, "type_sizes": {...}} */
static bert_status read_system(legacy_reader *r, bert_err *err)
{
    machine m;
    bert_status s = run_next(r, &m, err);
    value little = s || !top(&m) ? (value){ .kind = ABSENT } : machine_get(&m, *top(&m), "little_endian");
    if (!s && (little.kind != INT || !little.integer))
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: %s: not written on a little-endian machine", r->pickle.path,
                 r->pickle.name);
    machine_free(&m);
    return s;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const stored *)a)->key, ((const stored *)b)->key);
}

/* The list of keys, in the order of the storages. */
static bert_status read_keys(legacy_reader *r, bert_err *err)
{
    machine m;
    bert_status s = run_next(r, &m, err);
    const value *keys = s ? NULL : top(&m);
    if (!s && (!keys || keys->kind != LIST))
        s = fail(err, BERT_ERR_FORMAT, "%s: %s: no list of the storages' keys", r->pickle.path, r->pickle.name);
    if (!s && !(r->storages = arena_array(r->memory, m.pairs.n, sizeof *r->storages)))
        s = fail_memory(err, r->pickle.path);
    for (size_t i = 0; !s && i < m.pairs.n; i++) {
        const pair *p = (const pair *)m.pairs.items + i;
        if (p->container != keys->index)
            continue;
        char *key = p->value.kind == STRING ? arena_copy(r->memory, p->value.string, p->value.n) : NULL;
        r->storages[r->n++].key = key;
        if (!key)
            s = p->value.kind == STRING
                    ? fail_memory(err, r->pickle.path)
                    : fail(err, BERT_ERR_FORMAT, "%s: %s: a storage's key is no text", r->pickle.path, r->pickle.name);
    }
    machine_free(&m);
    return s;
}

/* ---- storages ---------------------------------------------------------------------------------------------------- */

static int by_storage_key(const void *a, const void *b)
{
    return strcmp(((const torch_storage *)a)->key, ((const torch_storage *)b)->key);
}

/* Finds the elements behind a key's count; *at moves behind them. */
static bert_status take_storage(const legacy_reader *r, stored *to, size_t *at, bert_err *err)
{
    const torch_storage wanted = { .key = to->key };
    const torch_storage *of = r->state.n_storages ? bsearch(&wanted, r->state.storages, r->state.n_storages,
                                                            sizeof wanted, by_storage_key)
                                                  : NULL;
    const char *path = r->pickle.path;
    size_t left = r->pickle.n - *at;
    if (!of)
        return fail(err, BERT_ERR_FORMAT, "%s: byte %zu: storage %s belongs to no tensor", path, *at, to->key);
    if (left < 8)
        return fail(err, BERT_ERR_FORMAT, "%s: byte %zu: cut short before storage %s", path, *at, to->key);
    uint64_t n = load_le64(r->pickle.bytes + *at);
    if (n != (uint64_t)of->n || !mul_size((size_t)n, of->element, &to->size) || to->size > left - 8)
        return fail(err, BERT_ERR_FORMAT,
                    "%s: byte %zu: storage %s of %" PRIu64 " elements, %" PRId64 " expected and %zu bytes left", path,
                    *at, to->key, n, of->n, left - 8);
    to->bytes = r->pickle.bytes + *at + 8;
    *at += 8 + to->size;
    return BERT_OK;
}

static bert_status legacy_read_storages(legacy_reader *r, bert_err *err)
{
    bert_status s = BERT_OK;
    size_t at = r->pickle.at;
    if (r->state.n_storages)
        qsort(r->state.storages, r->state.n_storages, sizeof *r->state.storages, by_storage_key);
    for (size_t i = 0; !s && i < r->n; i++)
        s = take_storage(r, &r->storages[i], &at, err);
    if (!s && at != r->pickle.n)
        s = fail(err, BERT_ERR_FORMAT, "%s: byte %zu: %zu bytes behind the last storage", r->pickle.path, at,
                 r->pickle.n - at);
    if (!s && r->n)
        qsort(r->storages, r->n, sizeof *r->storages, by_key);
    return s;
}

static bert_status legacy_find_storage(void *context, const char *key, const char **name, const unsigned char **bytes,
                                       size_t *size, bert_err *err)
{
    (void)err;
    const legacy_reader *r = context;
    const stored wanted = { .key = key },
                 *found = r->n ? bsearch(&wanted, r->storages, r->n, sizeof wanted, by_key) : NULL;
    *name = key;
    *bytes = found ? found->bytes : NULL;
    *size = found ? found->size : 0;
    return BERT_OK;
}

bert_status torch_legacy_read(tensor_set *set, const char *path, const file_mapping *view, bert_err *err)
{
    legacy_reader r = { .pickle = { .path = path, .name = "pickle", .bytes = view->data, .n = view->size },
                        .memory = &set->memory };
    const torch_storages storages = { path, view->size, &r, legacy_find_storage };
    r.pickle.at = (size_t)(behind_magic(view) - view->data);
    bert_status s = read_protocol(&r, err);
    if (!s)
        s = read_system(&r, err);
    if (!s)
        s = torch_pickle_read(&r.state, &set->memory, &r.pickle, err);
    r.pickle.at = r.state.end;
    if (!s)
        s = read_keys(&r, err);
    if (!s)
        s = legacy_read_storages(&r, err);
    return s ? s : torch_tensors_add(set, &r.state, &storages, err);
}
