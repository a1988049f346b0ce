/* Which checkpoint a folder holds. TF1 writes a file `checkpoint` beside its checkpoints, a CheckpointState in
 * protobuf's text format:
 *     model_checkpoint_path: "model.ckpt-1000"
 *     all_model_checkpoint_paths: "model.ckpt-500" */
#include "formats/tf_bundle.h"

#include "base/buffer.h"
#include "formats/foreign.h"

#include <string.h>

static const char FIELD[] = "model_checkpoint_path";

/* The string that starts behind a quote, without its escapes (\", \\, \303); NULL where it does not end on its line. */
static char *unquoted(arena *a, const char *p, const char *end)
{
    char *string = arena_alloc(a, (size_t)(end - p) + 1), *to = string;
    for (; string && p < end && *p != '"'; p++) {
        if (*p != '\\' || end - p < 2)
            *to++ = *p;
        else if (end - p >= 4 && p[1] >= '0' && p[1] <= '3') {
            *to++ = (char)((p[1] - '0') << 6 | (p[2] & 7) << 3 | (p[3] & 7));
            p += 3;
        } else
            *to++ = *++p;
    }
    return p < end ? string : NULL;
}

/* What model_checkpoint_path is set to; NULL where it is not. */
static char *named_path(arena *a, const char *text, const char *end)
{
    for (const char *line = text, *stop; line < end; line = stop + 1) {
        stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop)
            stop = end;
        while (line < stop && (*line == ' ' || *line == '\t'))
            line++;
        size_t n = (size_t)(stop - line), field = sizeof FIELD - 1;
        if (n <= field || memcmp(line, FIELD, field) || line[field] != ':')
            continue;
        const char *quote = memchr(line, '"', n);
        char *path = quote ? unquoted(a, quote + 1, stop) : NULL;
        return path && *path ? path : NULL;
    }
    return NULL;
}

static bool has_index(arena *a, const char *prefix)
{
    char *index = arena_printf(a, "%s.index", prefix);
    return index && file_exists(index);
}

/* By the `checkpoint` file. An absolute path is often that of another machine: the same name in this folder will do
 * then. */
static bert_status prefix_by_state(arena *a, const char *folder, const char *state_path, char **prefix, bert_err *err)
{
    file_mapping file;
    bert_status s = file_map(&file, state_path, err);
    if (s)
        return s;
    const char *text = (const char *)file.data;
    char *named = named_path(a, text, text + file.size);
    if (!named && file.size)
        s = foreign_check_bytes(file.data, file.size, state_path, err);
    file_unmap(&file);
    if (s)
        return s;
    if (!named)
        return fail(err, BERT_ERR_FORMAT, "%s: names no %s", state_path, FIELD);
    *prefix = path_join(a, folder, named);
    if (*prefix && !has_index(a, *prefix))
        *prefix = path_join(a, folder, path_name(named));
    if (!*prefix)
        return fail_memory(err, state_path);
    s = foreign_check_file(*prefix, err);
    if (!s && !has_index(a, *prefix))
        return fail(err, BERT_ERR_FORMAT, "%s: names the checkpoint %s, there is no %s.index", state_path, named,
                    path_name(named));
    return s;
}

/* By the only NAME.index of the folder. */
static bert_status prefix_by_listing(arena *a, const char *folder, char **prefix, bert_err *err)
{
    static const char suffix[] = ".index";
    folder_names list;
    buffer names = { 0 };
    size_t n = 0;
    *prefix = NULL;
    bert_status s = folder_list(&list, a, folder, err);
    for (size_t i = 0; i < list.n; i++) {
        const char *entry = list.names[i];
        if (!path_ends(entry, suffix))
            continue;
        buffer_printf(&names, "%s%s", n++ ? ", " : "", entry);
        char *name = arena_copy(a, entry, strlen(entry) - (sizeof suffix - 1));
        *prefix = name ? path_join(a, folder, name) : NULL;
    }
    if (!s && n == 0)
        s = fail(err, BERT_ERR_FORMAT, "%s: holds no TensorFlow checkpoint (NAME.index)", folder);
    else if (!s && (names.failed || !*prefix))
        s = fail_memory(err, folder);
    else if (!s && n > 1)
        s = fail(err, BERT_ERR_FORMAT, "%s: holds %zu checkpoints (%s) and no `checkpoint` file that names one", folder,
                 n, names.data);
    buffer_free(&names);
    return s;
}

bert_status tf_bundle_prefix(arena *a, const char *folder, char **prefix, bert_err *err)
{
    char *state_path = path_join(a, folder, "checkpoint");
    if (!state_path)
        return fail_memory(err, folder);
    return file_exists(state_path) ? prefix_by_state(a, folder, state_path, prefix, err)
                                   : prefix_by_listing(a, folder, prefix, err);
}
