/* Which files of a published checkpoint hold its tensors, and in which form. */
#include "imports/source_files.h"

#include "base/file.h"
#include "formats/foreign.h"
#include "formats/json.h"
#include "formats/safetensors.h"
#include "formats/tf_bundle.h"
#include "formats/torch_file.h"

#include <string.h>

typedef bert_status open_file(tensor_set *set, const char *path, bert_err *err);
typedef bert_status open_form(source *s, bool with_data, bert_err *err);

static bert_status open_safetensors(tensor_set *set, const char *path, bert_err *err)
{
    return safetensors_open(set, path, NULL, err);
}

static bert_status open_bundle(source *s, bool with_data, bert_err *err)
{
    return tf_bundle_open(&s->tensors, s->weights_path, with_data, err);
}

static bert_status open_hub(source *s, bool with_data, bert_err *err)
{
    s->weights_path = path_join(&s->memory, s->folder, "variables/variables");
    bert_status status = s->weights_path ? tf_hub_read(&s->hub, &s->memory, s->folder, err)
                                         : fail_memory(err, s->folder);
    return status ? status : open_bundle(s, with_data, err);
}

/* The file that marks a folder, in the order of preference (NULL: none does); a file of that ending given by itself;
 * what to call it. */
static const struct source_form {
    const char *mark, *ending, *kind;
    open_file *file; /* opens weights_path; NULL: open does it */
    open_form *open;
} FORMS[] = {
    { "model.safetensors", ".safetensors", "Hugging Face folder (safetensors)", open_safetensors, NULL },
    { "model.safetensors.index.json", ".safetensors.index.json", "Hugging Face folder (sharded safetensors)",
      safetensors_open_sharded, NULL },
    { "pytorch_model.bin", ".bin", "Hugging Face folder (pytorch_model.bin)", torch_file_open, NULL },
    { "pytorch_model.bin.index.json", ".bin.index.json", "Hugging Face folder (sharded pytorch_model.bin)",
      torch_file_open_sharded, NULL },
    { "saved_model.pb", "saved_model.pb", "TF1 Hub module", NULL, open_hub },
    { NULL, ".pt", "PyTorch file", torch_file_open, NULL },
    { NULL, ".pth", "PyTorch file", torch_file_open, NULL },
};
enum { N_FORMS = sizeof FORMS / sizeof *FORMS };

/* What has none of the marks. */
static const struct source_form BUNDLE = { NULL, NULL, "TensorFlow checkpoint", NULL, open_bundle };

/* A sentence-transformers folder keeps its encoder in the folder of its first step ("" or "0_Transformer"). */
static bert_status find_steps(source *s, bert_err *err)
{
    char *path = path_join(&s->memory, s->outer, "modules.json");
    json_t *steps = NULL;
    const char *inner = NULL;
    bert_status status = !path               ? fail_memory(err, s->outer)
                         : file_exists(path) ? json_read_array(&steps, path, err)
                                             : BERT_OK;
    s->n_steps = json_array_size(steps);
    if (steps && !s->n_steps)
        status = fail(err, BERT_ERR_FORMAT, "%s: no step in it", path);
    if (s->n_steps)
        status = json_get_string_or(json_array_get(steps, 0), "path", NULL, &inner, path, err);
    if (!status && inner && *inner && inner[0] != '/' && !strstr(inner, "..")) {
        char *joined = path_join(&s->memory, s->outer, inner);
        if (joined && file_is_folder(joined))
            s->folder = joined;
    }
    json_decref(steps);
    return status;
}

/* "model.fp16.safetensors" is a variant of "model.safetensors". */
static bool is_variant(const char *name, const char *mark)
{
    const char *ending = strrchr(mark, '.');
    size_t stem = (size_t)(ending - mark);
    return strlen(name) > strlen(mark) + 1 && !strncmp(name, mark, stem) && name[stem] == '.' &&
           path_ends(name, ending) && !memchr(name + stem + 1, '.', strlen(name) - stem - 1 - strlen(ending));
}

/* The only variant of a form's file that the folder holds; *name NULL: none. */
static bert_status find_variant(source *s, const struct source_form *form, char **name, bert_err *err)
{
    folder_names list;
    *name = NULL;
    bert_status status = folder_list(&list, &s->memory, s->folder, err);
    for (size_t i = 0; !status && i < list.n; i++) {
        if (!is_variant(list.names[i], form->mark))
            continue;
        if (*name)
            status = fail(err, BERT_ERR_FORMAT, "%s: no %s, but %s and %s; name one of them", s->folder, form->mark,
                          *name, list.names[i]);
        else
            *name = list.names[i];
    }
    return status;
}

/* A file of the folder is what the form reads. */
static bert_status take_file(source *s, const struct source_form *f, const char *name, bert_err *err)
{
    s->kind = f->kind;
    s->weights_path = path_join(&s->memory, s->folder, name);
    s->form = f;
    return s->weights_path ? BERT_OK : fail_memory(err, s->folder);
}

/* By the marks, exactly, then by their variants; form stays NULL where the folder has neither. */
static bert_status find_marked(source *s, bert_err *err)
{
    for (int i = 0; i < N_FORMS && FORMS[i].mark; i++) {
        char *path = path_join(&s->memory, s->folder, FORMS[i].mark);
        if (!path)
            return fail_memory(err, s->folder);
        if (file_exists(path))
            return take_file(s, &FORMS[i], FORMS[i].mark, err);
    }
    for (int i = 0; i < N_FORMS && FORMS[i].mark; i++) {
        char *name;
        bert_status status = find_variant(s, &FORMS[i], &name, err);
        if (status)
            return status;
        if (name) {
            buffer_printf(&s->notes, "%s: no %s; read %s\n", s->folder, FORMS[i].mark, name);
            return take_file(s, &FORMS[i], name, err);
        }
    }
    return BERT_OK;
}

static bert_status find_in_folder(source *s, const char *path, bert_err *err)
{
    char *folder = arena_string(&s->memory, path), *state = path_join(&s->memory, path, "checkpoint");
    if (!folder || !state)
        return fail_memory(err, path);
    s->outer = s->folder = folder;
    bert_status status = find_steps(s, err);
    if (!status)
        status = find_marked(s, err);
    if (status || s->form)
        return status;
    s->form = &BUNDLE;
    s->kind = BUNDLE.kind;
    status = tf_bundle_prefix(&s->memory, s->folder, &s->weights_path, err);
    if (status == BERT_ERR_FORMAT && !s->weights_path && !file_exists(state)) { /* not even TensorFlow's */
        status = foreign_check_folder(s->folder, err);
        if (!status) /* then name all that would do */
            status = fail(
                err, BERT_ERR_FORMAT,
                "%s: no checkpoint that is known (model.safetensors, pytorch_model.bin, saved_model.pb, *.index)",
                path);
    }
    return status;
}

static bert_status find_file(source *s, const char *path, bert_err *err)
{
    s->folder = path_folder(&s->memory, path);
    s->weights_path = arena_string(&s->memory, path);
    s->kind = BUNDLE.kind;
    s->form = &BUNDLE;
    char *index = arena_printf(&s->memory, "%s.index", path);
    if (!s->folder || !s->weights_path || !index)
        return fail_memory(err, path);
    if (file_exists(index)) /* the prefix itself */
        return BERT_OK;
    if (!file_exists(path))
        return fail(err, BERT_ERR_IO, "%s: no such file or folder", path);
    if (path_ends(path, ".index")) {
        s->weights_path[strlen(path) - strlen(".index")] = 0;
        return BERT_OK;
    }
    for (int i = 0; i < N_FORMS; i++)
        if (path_ends(path, FORMS[i].ending)) {
            s->kind = FORMS[i].kind;
            s->form = &FORMS[i];
            return BERT_OK;
        }
    bert_status status = foreign_check_file(path, err);
    return status
               ? status
               : fail(
                     err, BERT_ERR_UNSUPPORTED,
                     "%s: not a checkpoint that is known by its name (.safetensors, .bin, .pt, .index, saved_model.pb)",
                     path);
}

bert_status source_find(source *s, const char *path, bert_err *err)
{
    return file_is_folder(path) ? find_in_folder(s, path, err) : find_file(s, path, err);
}

bert_status source_open_tensors(source *s, bool with_data, bert_err *err)
{
    const struct source_form *f = s->form;
    return f->file ? f->file(&s->tensors, s->weights_path, err) : f->open(s, with_data, err);
}

bert_status source_find_beside(source *s, const char *const *names, char **path, bert_err *err)
{
    *path = NULL;
    for (; !*path && *names; names++) {
        char *joined = path_join(&s->memory, s->folder, *names);
        if (!joined)
            return fail_memory(err, s->folder);
        if (file_exists(joined))
            *path = joined;
    }
    return BERT_OK;
}
