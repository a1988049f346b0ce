/* The model folder: model.json, weights.safetensors, with copy_module also module/.
 *
 * model.json names the weights that it belongs to by their CRC-32C. A save replaces both in three steps: the weights
 * appear as weights.next.safetensors, then model.json, then the weights take their name. Whenever it ends, one of the
 * two files of weights is the one that model.json names, and that one is loaded. */
#include "base/checksum.h"
#include "base/file.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "formats/safetensors.h"
#include "models/model.h"

#include <stdio.h>
#include <string.h>

static const char DESCRIPTION[] = "model.json", WEIGHTS[] = "weights.safetensors", NEXT[] = "weights.next.safetensors",
                  CRC[] = "weights_crc32c";

/* The files of a folder. */
typedef struct places {
    arena memory;
    char *description, *weights, *next;
} places;

static bert_status places_of(places *p, const char *folder, bert_err *err)
{
    *p = (places){ 0 };
    p->description = path_join(&p->memory, folder, DESCRIPTION);
    p->weights = path_join(&p->memory, folder, WEIGHTS);
    p->next = path_join(&p->memory, folder, NEXT);
    return p->description && p->weights && p->next ? BERT_OK : fail_memory(err, folder);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Opens a file of weights; *right: it is the one that the digits name ("": any). */
static bert_status open_weights_with(tensor_set *set, const char *path, const char *digits, bool *right,
                                     char found[CRC32C_HEX], bert_err *err)
{
    bert_status s = safetensors_open(set, path, NULL, err);
    if (s)
        return s;
    crc32c_mapped_hex(&set->files[0], found);
    *right = !*digits || !strcmp(digits, found);
    if (!*right)
        tensors_close(set);
    return BERT_OK;
}

/* The weights that model.json names, and where they stand. */
static bert_status find_weights(tensor_set *set, const places *p, const json_t *json, const char **path, bert_err *err)
{
    const char *digits;
    char found[CRC32C_HEX], other[CRC32C_HEX];
    bool right = false;
    *path = p->weights;
    bert_status s = json_get_string_or(json, CRC, "", &digits, p->description, err);
    if (!s && file_exists(p->weights))
        s = open_weights_with(set, p->weights, digits, &right, found, err);
    else if (!s && !file_exists(p->next))
        return safetensors_open(set, p->weights, NULL, err); /* which says that it is not there */
    if (s || right)
        return s;
    if (*digits && file_exists(p->next) && !open_weights_with(set, p->next, digits, &right, other, NULL) && right) {
        *path = p->next;
        return BERT_OK;
    }
    return fail(err, BERT_ERR_FORMAT,
                "%s: is not the file that %s was written with (its CRC-32C is %s, expected %.16s): one of the two is "
                "damaged, or was replaced",
                p->weights, path_name(p->description), found, digits);
}

static bert_status load_weights(bert_model *model, const places *p, const json_t *json, bert_err *err)
{
    tensor_set set = { 0 };
    const char *path;
    bert_status s = find_weights(&set, p, json, &path, err);
    if (!s)
        s = model_take_weights(model, &set, path, err);
    tensors_close(&set);
    return s;
}

bert_status model_open_weights(const char *folder, tensor_set *set, bert_err *err)
{
    places p;
    json_t *json = NULL;
    const char *path;
    bert_status s = places_of(&p, folder, err);
    if (!s)
        s = json_read_file(&json, p.description, err);
    if (!s)
        s = find_weights(set, &p, json, &path, err);
    json_decref(json);
    arena_free(&p.memory);
    return s;
}

static bert_status open_once(const char *folder, const places *p, bert_model **model, bert_err *err)
{
    json_t *json = NULL;
    bert_status s = json_read_file(&json, p->description, err);
    if (!s)
        s = model_from_json(json, folder, p->description, model, err);
    if (!s)
        s = load_weights(*model, p, json, err);
    if (s) {
        bert_model_free(*model);
        *model = NULL;
    }
    json_decref(json);
    return s;
}

bert_status model_open_folder(const char *folder, bert_model **model, bert_err *err)
{
    places p;
    *model = NULL;
    bert_status s = places_of(&p, folder, err);
    /* A run that trains into the folder may have replaced both between the two looks. */
    for (int tries = 0; !s && tries < 2; tries++)
        if ((s = open_once(folder, &p, model, err)) != BERT_ERR_FORMAT || tries)
            break;
        else
            s = BERT_OK;
    arena_free(&p.memory);
    return s;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* True where the folder holds a copy of this very module already: an epoch's save need not copy it again. */
static bool holds_module(const char *path, const bert_module *module)
{
    bert_module *there = NULL;
    bool same = !bert_module_open(path, &there, NULL) && !strcmp(there->sha256, module->sha256);
    bert_module_free(there);
    return same;
}

static bert_status copy_module(const bert_model *m, const char *folder, bert_err *err)
{
    arena a = { 0 };
    char *path = path_join(&a, folder, "module");
    bert_status s = path ? BERT_OK : fail_memory(err, folder);
    if (!s && !holds_module(path, m->module))
        s = module_copy(m->module, path, err);
    arena_free(&a);
    return s;
}

bert_status model_check_folder(const char *folder, bert_err *err)
{
    arena a = { 0 };
    const char *mark = path_join(&a, folder, "module.json");
    bert_status s = !mark ? fail_memory(err, folder)
                    : file_exists(mark)
                        ? fail(err, BERT_ERR_ARGUMENT,
                               "%s: this is a module; give the model a folder of its own (--output)", folder)
                        : BERT_OK;
    arena_free(&a);
    return s;
}

/* Ends a save that came to its last step but one: what model.json names may stand in the place that the next save
 * takes. */
static bert_status settle(const places *p, bert_err *err)
{
    tensor_set set = { 0 };
    json_t *json = NULL;
    const char *path = NULL;
    if (!file_exists(p->next) || json_read_file(&json, p->description, NULL))
        return BERT_OK;
    bool there = !find_weights(&set, p, json, &path, NULL);
    tensors_close(&set);
    json_decref(json);
    return there && path == p->next && rename(p->next, p->weights) ? fail_errno(err, "%s: cannot write", p->weights)
                                                                   : BERT_OK;
}

static bert_status write_both(const bert_model *m, const places *p, json_t *json, bert_err *err)
{
    tensor_set set = { 0 };
    char digits[CRC32C_HEX] = "";
    bool right;
    bert_status s = bert_model_save_weights(m, p->next, err);
    if (!s)
        s = open_weights_with(&set, p->next, "", &right, digits, err);
    tensors_close(&set);
    json_put(&json, CRC, json_string(digits));
    if (!s)
        s = json ? json_write_file(json, p->description, err) : fail_memory(err, p->description);
    if (!s && (rename(p->next, p->weights) || folder_sync_above(p->weights)))
        s = fail_errno(err, "%s: cannot write", p->weights);
    json_decref(json);
    return s;
}

bert_status bert_model_save(const bert_model *model, const char *folder, bool with_module, bert_err *err)
{
    places p;
    json_t *json = NULL;
    bert_status s = model_check_saved(model, folder, err);
    if (!s)
        s = model_check_folder(folder, err);
    if (s)
        return s;
    s = places_of(&p, folder, err);
    if (!s)
        s = folder_create(folder, err);
    if (!s && with_module)
        s = copy_module(model, folder, err);
    if (!s)
        s = model_json(model, folder, with_module, &json, err);
    if (!s && (s = settle(&p, err)))
        json_decref(json);
    if (!s)
        s = write_both(model, &p, json, err);
    arena_free(&p.memory);
    return s;
}
