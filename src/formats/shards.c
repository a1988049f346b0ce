/* Weights in several files, by their index. */
#include "formats/shards.h"

#include "formats/json.h"

#include <string.h>

/* Reads every file once. `files` collects the names that were met: { file name: path }. */
static bert_status read_shard_files(tensor_set *set, const char *index_path, json_t *weight_map, json_t *files,
                                    shard_reader read, bert_err *err)
{
    const char *name;
    json_t *value;
    char *folder = path_folder(&set->memory, index_path);
    json_object_foreach(weight_map, name, value)
    {
        const char *file = json_string_value(value);
        if (!file || !*file || strchr(file, '/'))
            return fail(err, BERT_ERR_FORMAT,
                        "%s: tensor %s is in \"%s\", expected the name of a file in the same folder", index_path, name,
                        file ? file : "(no string)");
        if (json_object_get(files, file))
            continue;
        char *path = folder ? path_join(&set->memory, folder, file) : NULL;
        if (!path || json_object_set_new(files, file, json_string_nocheck(path)))
            return fail_memory(err, index_path);
        bert_status s = read(set, path, err);
        if (s)
            return s;
    }
    return BERT_OK;
}

/* Every tensor of the index is in the file that the index says. */
static bert_status check_places(const tensor_set *set, const char *index_path, json_t *weight_map, const json_t *files,
                                bert_err *err)
{
    const char *name;
    json_t *value;
    json_object_foreach(weight_map, name, value)
    {
        const tensor *t = tensors_find(set, name);
        const char *path = json_string_value(json_object_get(files, json_string_value(value)));
        if (!t || strcmp(t->file, path))
            return fail(err, BERT_ERR_FORMAT, "%s: tensor %s should be in %s, which does not hold it", index_path, name,
                        path);
    }
    return BERT_OK;
}

bert_status shards_open(tensor_set *set, const char *index_path, shard_reader read, bert_err *err)
{
    *set = (tensor_set){ 0 };
    json_t *index, *weight_map = NULL, *files = json_object();
    bert_status s = json_read_file(&index, index_path, err);
    if (!s && !files)
        s = fail_memory(err, index_path);
    if (!s)
        s = json_get_object(index, "weight_map", &weight_map, index_path, err);
    if (!s)
        s = read_shard_files(set, index_path, weight_map, files, read, err);
    if (!s)
        s = tensors_seal(set, index_path, err);
    if (!s)
        s = check_places(set, index_path, weight_map, files, err);
    if (s)
        tensors_close(set);
    json_decref(files);
    json_decref(index);
    return s;
}
