/* What stands at a path is one of the kinds below, by its content. What may be written there is a row for each output:
 * which kinds it replaces by itself, and which with force. */
#include "formats/target.h"

#include "base/words.h"
#include "base/file.h"
#include "base/lock.h"
#include "formats/json.h"
#include "formats/results_form.h"
#include "formats/safetensors.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- what stands there ------------------------------------------------------------------------------------------- */

/* clang-format off */
#define LIST_OF_KINDS(KIND)                                      \
    KIND(NOTHING, "nothing")                                     \
    KIND(MODULE, "a module")                                     \
    KIND(IMPORTED, "an imported model")                          \
    KIND(TRAINED, "a trained model")                             \
    KIND(UNFINISHED, "a training run that is not finished")      \
    KIND(EXPORTED, "an exported folder")                         \
    KIND(CHECKPOINT, "a checkpoint of another program")          \
    KIND(OTHERS, "a folder of other files")                      \
    KIND(FROZEN, "a frozen file")                                \
    KIND(ONNX, "an ONNX file of libbert")                        \
    KIND(GGUF, "a GGUF file of libbert")                         \
    KIND(RESULTS, "a table of results")                          \
    KIND(TEXT, "a text that libbert did not write")              \
    KIND(NPY, "an .npy file of libbert")                         \
    KIND(PAGE, "a report")                                       \
    KIND(PART, "a part of a model, a module or a checkpoint")    \
    KIND(SPECIAL, "a device or a pipe")                          \
    KIND(FOREIGN, "a file that libbert did not write")
#define NAME_OF_KIND(name, words) name,
#define WORDS_OF_KIND(name, words) words,
/* clang-format on */

typedef enum target_kind { LIST_OF_KINDS(NAME_OF_KIND) } target_kind;

static const char *const WORDS[] = { LIST_OF_KINDS(WORDS_OF_KIND) };

/* What a module, a model, an export for transformers or a checkpoint is made of, and what stands beside that in folders
 * of libbert (steps of sentence-transformers, 1_Pooling and so on, are told by their form). */
/* clang-format off */
static const char *const PARTS[] = {
    "module.json", "config.json", "vocab.txt", "tokenizer.bin", "model.safetensors", "tokenizer.json",
    "tokenizer_config.json", "added_tokens.json", "special_tokens_map.json", "model.json", "weights.safetensors",
    "weights.next.safetensors", "checkpoint.safetensors", "history.json", "pytorch_model.bin", "modules.json",
    "sentence_bert_config.json", "config_sentence_transformers.json", NULL
};
/* clang-format on */
static const char *const COMPANY[] = { "module", "logs", "train.lock", "report.html", NULL };

static bool holds_any(const char *folder, const char *const *names)
{
    while (*names && !folder_holds(folder, *names))
        names++;
    return *names != NULL;
}

/* A look at what stands there. What cannot be read for want of memory or by a fault of the disk is not taken for
 * something else: the look has failed. */
typedef struct look {
    arena memory;
    bert_status status;
    bert_err *err;
} look;

static bool look_failed(look *l, bert_status s, const bert_err *err)
{
    if ((s == BERT_ERR_MEMORY || s == BERT_ERR_IO) && !l->status) {
        l->status = s;
        if (l->err)
            *l->err = *err;
    }
    return s != BERT_OK;
}

/* "folder/name", where there is one; NULL: there is none, or the look has failed. */
static const char *look_for(look *l, const char *folder, const char *name)
{
    const char *path = folder_holds(folder, name) ? path_join(&l->memory, folder, name) : "";
    if (!path)
        l->status = fail_memory(l->err, folder);
    return path && *path ? path : NULL;
}

/* A model of which nothing but the head is tuned, and that no run of training made: bert import can make it again. */
static bool is_import(look *l, const char *folder)
{
    json_t *json = NULL;
    bert_err err;
    const char *path = look_for(l, folder, "model.json");
    if (path)
        look_failed(l, json_read_file(&json, path, &err), &err);
    const json_t *layer = json_object_get(json, "layer"), *tuned = json_object_get(layer, "n_tune_layers");
    bool is = json_is_integer(tuned) && !json_integer_value(tuned) &&
              json_is_false(json_object_get(layer, "tune_embeddings")) && folder_holds(folder, "module");
    json_decref(json);
    return is;
}

/* Metadata of a safetensors file: a member of that name, as text; "" where there is none. Freed with *metadata. */
static const char *metadata_of(look *l, const char *folder, const char *name, const char *member, json_t **metadata)
{
    tensor_set set = { 0 };
    bert_err err;
    const char *path = look_for(l, folder, name);
    *metadata = NULL;
    if (!path || look_failed(l, safetensors_open(&set, path, metadata, &err), &err))
        return "";
    tensors_close(&set);
    const char *text = json_string_value(json_object_get(*metadata, member));
    return text ? text : "";
}

static target_kind kind_of_training(look *l, const char *folder)
{
    json_t *metadata, *state = NULL;
    bert_err err;
    const char *text = metadata_of(l, folder, "checkpoint.safetensors", "state", &metadata);
    if (*text)
        look_failed(l, json_read_bytes(&state, text, strlen(text), "state", &err), &err);
    target_kind k = json_is_false(json_object_get(state, "finished")) ? UNFINISHED : TRAINED;
    json_decref(state);
    json_decref(metadata);
    return k;
}

/* The first entry of a folder that is not passed over, in the look's memory; NULL: there is none, or the look has
 * failed. */
static const char *first_entry(look *l, const char *folder, bool (*passed_over)(const char *name))
{
    folder_names list;
    bert_err err;
    look_failed(l, folder_list(&list, &l->memory, folder, &err), &err);
    for (size_t i = 0; i < list.n; i++)
        if (!passed_over(list.names[i]))
            return list.names[i];
    return NULL;
}

/* A run that ended before its first checkpoint leaves its lock and its logs: with them nothing is lost. */
static bool is_worthless(const char *name)
{
    static const char *const NAMES[] = { "logs", "train.lock", NULL };
    return word_listed(NAMES, name);
}

/* Of a folder of libbert. What is not would go with it. */
static bool is_own(const char *name)
{
    return word_listed(PARTS, name) || word_listed(COMPANY, name) || strstr(name, ".tmp-") ||
           !fnmatch("[0-9]_*", name, 0);
}

static target_kind kind_of_folder(look *l, const char *folder)
{
    static const char *const TRAINING[] = { "checkpoint.safetensors", "history.json", NULL };
    static const char *const MODEL[] = { "model.json", "weights.safetensors", NULL };
    if (folder_holds(folder, "module.json"))
        return MODULE;
    if (holds_any(folder, TRAINING))
        return kind_of_training(l, folder);
    if (holds_any(folder, MODEL))
        return is_import(l, folder) ? IMPORTED : TRAINED;
    if (folder_holds(folder, "config.json")) {
        json_t *metadata;
        bool ours = *metadata_of(l, folder, "model.safetensors", TARGET_MARK, &metadata);
        json_decref(metadata);
        return ours ? EXPORTED : CHECKPOINT;
    }
    return first_entry(l, folder, is_worthless) ? OTHERS : NOTHING;
}

/* A file whose folder would be another one without it. */
static bool is_part(look *l, const char *path)
{
    static const char *const MARKS[] = { "module.json", "model.json", "config.json", NULL };
    const char *folder = path_folder(&l->memory, path);
    if (!folder)
        l->status = fail_memory(l->err, path);
    return folder && word_listed(PARTS, path_name(path)) && holds_any(folder, MARKS);
}

static bool text_begins(const char *bytes, const char *with)
{
    return !strncmp(bytes, with, strlen(with));
}

static target_kind kind_of_file(look *l, const char *path, size_t size)
{
    static const char FROZEN_BEGINNING[] = "{\"__metadata__\":{\"format\":\"libbert.frozen\"";
    static const char NPY_BEGINNING[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    char bytes[RESULTS_FORM_BYTES + 1] = "";
    size_t n = file_begins(path, bytes, RESULTS_FORM_BYTES);
    if (is_part(l, path))
        return PART;
    if (!n)
        return size ? FOREIGN : NOTHING;
    bool marked = memmem(bytes, n, TARGET_MARK, strlen(TARGET_MARK)) != NULL;
    if (n > 8 && text_begins(bytes + 8, FROZEN_BEGINNING))
        return FROZEN;
    if (marked && text_begins(bytes, "GGUF"))
        return GGUF;
    if (marked && bytes[0] == '\b' && bytes[2] == '\x12')
        return ONNX;
    if (text_begins(bytes, "\x93NUMPY"))
        return n > 10 && text_begins(bytes + 10, NPY_BEGINNING) ? NPY : FOREIGN;
    if (memchr(bytes, 0, n) || text_begins(bytes, "\x1f\x8b"))
        return FOREIGN;
    if (marked && text_begins(bytes, "<!DOCTYPE html"))
        return PAGE;
    return results_form_is(bytes) ? RESULTS : TEXT;
}

static target_kind kind_at(look *l, const char *path, const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return kind_of_folder(l, path);
    return S_ISREG(st->st_mode) ? kind_of_file(l, path, (size_t)st->st_size) : SPECIAL;
}

/* ---- what may be written there ----------------------------------------------------------------------------------- */

#define BIT(k) (1u << (k))
enum {
    FOLDERS = BIT(MODULE) | BIT(IMPORTED) | BIT(TRAINED) | BIT(UNFINISHED) | BIT(EXPORTED),
    FILES = BIT(FROZEN) | BIT(ONNX) | BIT(GGUF) | BIT(RESULTS) | BIT(NPY) | BIT(PAGE)
};

static const struct {
    const char *words;
    bool folder;
    /* kinds of the same shape that are made again in a moment; training and downloads: that are filled */
    unsigned replaced;
    unsigned forced; /* with force these, too */
} OUTPUTS[] = {
    [BERT_OUTPUT_MODULE] = { "a module", true, BIT(MODULE), FOLDERS },
    [BERT_OUTPUT_IMPORT] = { "an import", true, BIT(MODULE) | BIT(IMPORTED), FOLDERS },
    [BERT_OUTPUT_TRAINING] = { "a training run", true, BIT(OTHERS), BIT(IMPORTED) | BIT(TRAINED) | BIT(UNFINISHED) },
    [BERT_OUTPUT_FROZEN] = { "a frozen file", false, BIT(FROZEN), FILES },
    [BERT_OUTPUT_ONNX] = { "an ONNX file", false, BIT(ONNX), FILES },
    [BERT_OUTPUT_GGUF] = { "a GGUF file", false, BIT(GGUF), FILES },
    [BERT_OUTPUT_HF] = { "an exported folder", true, BIT(EXPORTED), FOLDERS },
    [BERT_OUTPUT_TABLE] = { "a table", false, BIT(RESULTS) | BIT(NPY) | BIT(SPECIAL), FILES | BIT(TEXT) },
    [BERT_OUTPUT_PAGE] = { "an HTML page", false, BIT(PAGE), FILES },
    [BERT_OUTPUT_DOWNLOAD] = { "a download", true, BIT(CHECKPOINT) | BIT(OTHERS), 0 },
};

/* What the user can do. A run that was killed as it saved its first epoch has no checkpoint. */
static const char *way_out(const char *path, target_kind k, bert_output output)
{
    bool forced = OUTPUTS[output].forced & BIT(k);
    if (output == BERT_OUTPUT_TRAINING && (k == TRAINED || k == UNFINISHED))
        return folder_holds(path, "checkpoint.safetensors")
                   ? "--resume goes on with it, --force begins anew"
                   : "it has no checkpoint to go on from; --force begins anew, or give another name";
    if (output == BERT_OUTPUT_TRAINING && k == MODULE)
        return "give the model a folder of its own";
    return forced        ? "give another name, or replace it with --force"
           : k == OTHERS ? "give a new name or an empty folder"
                         : "give another name";
}

static bert_status check_busy(const char *path, bert_err *err)
{
    long holder = lock_holder(path);
    return holder
               ? fail(err, BERT_ERR_ARGUMENT, "%s: process %ld is training into this folder (train.lock)", path, holder)
               : BERT_OK;
}

static bool may_stand(target_kind k, bert_output output, bool force)
{
    return k == NOTHING || ((OUTPUTS[output].replaced | (force ? OUTPUTS[output].forced : 0)) & BIT(k));
}

static bert_status target_refuse(look *l, const char *path, target_kind k, bool folder, bert_output output, bool force)
{
    bert_err *err = l->err;
    const char *words = k != NOTHING ? WORDS[k] : folder ? "an empty folder" : "an empty file";
    bool filled = output == BERT_OUTPUT_TRAINING || output == BERT_OUTPUT_DOWNLOAD;
    if (folder != OUTPUTS[output].folder)
        return fail(err, BERT_ERR_ARGUMENT, "%s: %s stands there; %s is a %s and needs another name", path, words,
                    OUTPUTS[output].words, folder ? "file" : "folder");
    if (folder && check_busy(path, err))
        return BERT_ERR_ARGUMENT;
    if (k == OTHERS && output == BERT_OUTPUT_TRAINING && folder_holds(path, "report.html"))
        return fail(err, BERT_ERR_ARGUMENT,
                    "%s: holds a report.html of something else, which training would replace; give another name", path);
    if (!may_stand(k, output, force))
        return fail(err, BERT_ERR_ARGUMENT, "%s: %s stands there; %s", path, words, way_out(path, k, output));
    const char *stranger = folder && !filled ? first_entry(l, path, is_own) : NULL;
    return stranger
               ? fail(err, BERT_ERR_ARGUMENT,
                      "%s: holds %s, which would go with the folder; move it, or give another name", path, stranger)
               : l->status;
}

bert_status bert_output_check(const char *path, bert_output output, bool force, bert_err *err)
{
    struct stat st;
    if (stat(path, &st))
        return errno == ENOENT || errno == ENOTDIR ? BERT_OK : fail_errno(err, "%s: cannot look at", path);
    look l = { .err = err };
    target_kind k = kind_at(&l, path, &st);
    bert_status s = l.status ? l.status : target_refuse(&l, path, k, S_ISDIR(st.st_mode), output, force);
    arena_free(&l.memory);
    return s;
}
