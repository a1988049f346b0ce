/* What stands at a path is one of the kinds below, by its content. What may be written there is a row for each output: which kinds it replaces by
 * itself, and which with force. */
#include "io/target.h"

#include "base/file.h"
#include "base/lock.h"
#include "io/json.h"
#include "io/results_form.h"
#include "io/safetensors.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- what stands there ---------------------------------------------------------------------------------------------------- */

typedef enum kind {
    NOTHING,
    MODULE,
    IMPORTED,
    TRAINED,
    UNFINISHED,
    EXPORTED,
    CHECKPOINT,
    OTHERS,
    FROZEN,
    ONNX,
    GGUF,
    RESULTS,
    TEXT,
    NPY,
    PAGE,
    PART,
    SPECIAL,
    FOREIGN,
    N_KINDS
} kind;

static const char *const WORDS[N_KINDS] = {
    [NOTHING] = "nothing",
    [MODULE] = "a module",
    [IMPORTED] = "an imported model",
    [TRAINED] = "a trained model",
    [UNFINISHED] = "a training run that is not finished",
    [EXPORTED] = "an exported folder",
    [CHECKPOINT] = "a checkpoint of another program",
    [OTHERS] = "a folder of other files",
    [FROZEN] = "a frozen file",
    [ONNX] = "an ONNX file of libbert",
    [GGUF] = "a GGUF file of libbert",
    [RESULTS] = "a table of results",
    [TEXT] = "a text that libbert did not write",
    [NPY] = "an .npy file of libbert",
    [PAGE] = "a report",
    [PART] = "a part of a model, a module or a checkpoint",
    [SPECIAL] = "a device or a pipe",
    [FOREIGN] = "a file that libbert did not write",
};

static bool listed(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name))
        names++;
    return *names != NULL;
}

/* What a module, a model, an export for transformers or a checkpoint is made of, and what stands beside that in folders of libbert
 * (steps of sentence-transformers, 1_Pooling and so on, are told by their form). */
static const char *const PARTS[] = { "module.json",
                                     "config.json",
                                     "vocab.txt",
                                     "model.safetensors",
                                     "tokenizer.json",
                                     "tokenizer_config.json",
                                     "added_tokens.json",
                                     "special_tokens_map.json",
                                     "model.json",
                                     "weights.safetensors",
                                     "weights.next.safetensors",
                                     "checkpoint.safetensors",
                                     "history.json",
                                     "pytorch_model.bin",
                                     "modules.json",
                                     "sentence_bert_config.json",
                                     "config_sentence_transformers.json",
                                     NULL };
static const char *const COMPANY[] = { ".", "..", "module", "logs", "train.lock", "report.html", NULL };

static bool holds_any(const char *folder, const char *const *names)
{
    while (*names && !folder_holds(folder, *names))
        names++;
    return *names != NULL;
}

/* A model of which nothing but the head is tuned, and that no run of training made: bert import can make it again. */
static bool is_import(const char *folder, arena *a)
{
    json_t *json = NULL;
    const char *path = path_join(a, folder, "model.json");
    if (path)
        json_read_file(&json, path, NULL);
    const json_t *layer = json_object_get(json, "layer"), *tuned = json_object_get(layer, "n_tune_layers");
    bool is = json_is_integer(tuned) && !json_integer_value(tuned) && json_is_false(json_object_get(layer, "tune_embeddings")) &&
              folder_holds(folder, "module");
    json_decref(json);
    return is;
}

/* Metadata of a safetensors file: a member of that name, as text; "" where there is none. Freed with *metadata. */
static const char *metadata_of(const char *folder, const char *name, const char *member, json_t **metadata, arena *a)
{
    tensor_set set = { 0 };
    const char *path = path_join(a, folder, name);
    *metadata = NULL;
    if (!path || safetensors_open(&set, path, metadata, NULL))
        return "";
    tensors_close(&set);
    const char *text = json_string_value(json_object_get(*metadata, member));
    return text ? text : "";
}

static kind kind_of_training(const char *folder, arena *a)
{
    json_t *metadata, *state;
    const char *text = metadata_of(folder, "checkpoint.safetensors", "state", &metadata, a);
    json_error_t unread;
    state = *text ? json_parse(text, strlen(text), 0, &unread) : NULL;
    kind k = json_is_false(json_object_get(state, "finished")) ? UNFINISHED : TRAINED;
    json_decref(state);
    json_decref(metadata);
    return k;
}

/* Whether a folder holds nothing that is lost with it: a run that ended before its first checkpoint leaves its lock and its logs. */
static bool is_empty(const char *folder)
{
    DIR *d = opendir(folder);
    bool empty = d != NULL;
    for (struct dirent *e; empty && (e = readdir(d));)
        empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "logs") || !strcmp(e->d_name, "train.lock");
    if (d)
        closedir(d);
    return empty;
}

static kind kind_of_folder(const char *folder, arena *a)
{
    static const char *const TRAINING[] = { "checkpoint.safetensors", "history.json", NULL };
    static const char *const MODEL[] = { "model.json", "weights.safetensors", NULL };
    if (folder_holds(folder, "module.json"))
        return MODULE;
    if (holds_any(folder, TRAINING))
        return kind_of_training(folder, a);
    if (holds_any(folder, MODEL))
        return is_import(folder, a) ? IMPORTED : TRAINED;
    if (folder_holds(folder, "config.json")) {
        json_t *metadata;
        bool ours = *metadata_of(folder, "model.safetensors", TARGET_MARK, &metadata, a);
        json_decref(metadata);
        return ours ? EXPORTED : CHECKPOINT;
    }
    return is_empty(folder) ? NOTHING : OTHERS;
}

/* A file whose folder would be another one without it. */
static bool is_part(const char *path, arena *a)
{
    static const char *const MARKS[] = { "module.json", "model.json", "config.json", NULL };
    const char *folder = path_folder(a, path);
    return folder && listed(PARTS, path_name(path)) && holds_any(folder, MARKS);
}

/* What else is in a folder of libbert: the first such name; NULL: nothing. It would go with the folder. */
static const char *stranger_in(const char *folder, arena *a)
{
    DIR *d = opendir(folder);
    const char *name = NULL;
    for (struct dirent *e; d && !name && (e = readdir(d));)
        if (!listed(PARTS, e->d_name) && !listed(COMPANY, e->d_name) && !strstr(e->d_name, ".tmp-") && fnmatch("[0-9]_*", e->d_name, 0))
            name = arena_string(a, e->d_name);
    if (d)
        closedir(d);
    return name;
}

static bool begins(const char *bytes, const char *with)
{
    return !strncmp(bytes, with, strlen(with));
}

static kind kind_of_file(const char *path, size_t size, arena *a)
{
    static const char FROZEN_BEGINNING[] = "{\"__metadata__\":{\"format\":\"libbert.frozen\"";
    static const char NPY_BEGINNING[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
    char bytes[RESULTS_FORM_BYTES + 1] = "";
    size_t n = file_begins(path, bytes, RESULTS_FORM_BYTES);
    if (is_part(path, a))
        return PART;
    if (!n)
        return size ? FOREIGN : NOTHING;
    bool marked = memmem(bytes, n, TARGET_MARK, strlen(TARGET_MARK)) != NULL;
    if (n > 8 && begins(bytes + 8, FROZEN_BEGINNING))
        return FROZEN;
    if (marked && begins(bytes, "GGUF"))
        return GGUF;
    if (marked && bytes[0] == '\b' && bytes[2] == '\x12')
        return ONNX;
    if (begins(bytes, "\x93NUMPY"))
        return n > 10 && begins(bytes + 10, NPY_BEGINNING) ? NPY : FOREIGN;
    if (memchr(bytes, 0, n) || begins(bytes, "\x1f\x8b"))
        return FOREIGN;
    if (marked && begins(bytes, "<!DOCTYPE html"))
        return PAGE;
    return results_form_is(bytes) ? RESULTS : TEXT;
}

static kind kind_at(const char *path, const struct stat *st, arena *a)
{
    if (S_ISDIR(st->st_mode))
        return kind_of_folder(path, a);
    return S_ISREG(st->st_mode) ? kind_of_file(path, (size_t)st->st_size, a) : SPECIAL;
}

/* ---- what may be written there --------------------------------------------------------------------------------------------- */

#define BIT(kind) (1u << (kind))
enum {
    FOLDERS = BIT(MODULE) | BIT(IMPORTED) | BIT(TRAINED) | BIT(UNFINISHED) | BIT(EXPORTED),
    FILES = BIT(FROZEN) | BIT(ONNX) | BIT(GGUF) | BIT(RESULTS) | BIT(NPY) | BIT(PAGE)
};

static const struct {
    const char *words;
    bool folder;
    unsigned replaced; /* kinds of the same shape that are made again in a moment; training and downloads: that are filled */
    unsigned forced;   /* with force these, too */
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

/* What the user can do. */
static const char *way_out(kind k, bert_output output)
{
    bool forced = OUTPUTS[output].forced & BIT(k);
    if (output == BERT_OUTPUT_TRAINING && (k == TRAINED || k == UNFINISHED))
        return "--resume goes on with it, --force begins anew";
    if (output == BERT_OUTPUT_TRAINING && k == MODULE)
        return "give the model a folder of its own";
    return forced ? "give another name, or replace it with --force" : k == OTHERS ? "give a new name or an empty folder" : "give another name";
}

static bert_status check_busy(const char *path, bert_err *err)
{
    long holder = lock_holder(path);
    return holder ? fail(err, BERT_ERR_ARGUMENT, "%s: process %ld is training into this folder (train.lock)", path, holder) : BERT_OK;
}

static bool may_stand(kind k, bert_output output, bool force)
{
    return k == NOTHING || ((OUTPUTS[output].replaced | (force ? OUTPUTS[output].forced : 0)) & BIT(k));
}

static bert_status refuse(const char *path, kind k, bool folder, bert_output output, bool force, arena *a, bert_err *err)
{
    const char *words = k != NOTHING ? WORDS[k] : folder ? "an empty folder" : "an empty file";
    bool filled = output == BERT_OUTPUT_TRAINING || output == BERT_OUTPUT_DOWNLOAD;
    if (folder != OUTPUTS[output].folder)
        return fail(err, BERT_ERR_ARGUMENT, "%s: %s stands there; %s is a %s and needs another name", path, words, OUTPUTS[output].words,
                    folder ? "file" : "folder");
    if (folder && check_busy(path, err))
        return BERT_ERR_ARGUMENT;
    if (k == OTHERS && output == BERT_OUTPUT_TRAINING && folder_holds(path, "report.html"))
        return fail(err, BERT_ERR_ARGUMENT, "%s: holds a report.html of something else, which training would replace; give another name", path);
    if (!may_stand(k, output, force))
        return fail(err, BERT_ERR_ARGUMENT, "%s: %s stands there; %s", path, words, way_out(k, output));
    const char *stranger = folder && !filled ? stranger_in(path, a) : NULL;
    return stranger ? fail(err, BERT_ERR_ARGUMENT, "%s: holds %s, which would go with the folder; move it, or give another name", path, stranger)
                    : BERT_OK;
}

bert_status bert_output_check(const char *path, bert_output output, bool force, bert_err *err)
{
    struct stat st;
    if (stat(path, &st))
        return BERT_OK;
    arena a = { 0 };
    kind k = kind_at(path, &st, &a);
    bert_status s = refuse(path, k, S_ISDIR(st.st_mode), output, force, &a, err);
    arena_free(&a);
    return s;
}
