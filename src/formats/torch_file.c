/* Which container a PyTorch file is. */
#include "formats/torch_file.h"

#include "formats/foreign.h"
#include "formats/shards.h"
#include "formats/torch_legacy.h"
#include "formats/torch_zip.h"

#include <string.h>

/* Adds a file's tensors to a set. */
static bert_status torch_add_file(tensor_set *set, const char *path, bert_err *err)
{
    file_mapping file, view;
    char *name = arena_string(&set->memory, path);
    bert_status s = name ? file_map(&file, path, err) : fail_memory(err, path);
    if (s)
        return s;
    view = file;
    if ((s = tensors_keep_file(set, &file, err)))
        return s;
    if (view.size >= 4 && !memcmp(view.data, "PK\3\4", 4))
        return torch_zip_read(set, name, &view, err);
    if (torch_legacy_is(&view))
        return torch_legacy_read(set, name, &view, err);
    s = foreign_check_file(path, err);
    return s ? s
             : fail(err, BERT_ERR_FORMAT,
                    "%s: is no PyTorch file: it begins neither as a zip does nor with torch.save's magic number", path);
}

bert_status torch_file_open(tensor_set *set, const char *path, bert_err *err)
{
    *set = (tensor_set){ 0 };
    bert_status s = torch_add_file(set, path, err);
    if (!s)
        s = tensors_seal(set, path, err);
    if (s)
        tensors_close(set);
    return s;
}

bert_status torch_file_open_sharded(tensor_set *set, const char *index_path, bert_err *err)
{
    return shards_open(set, index_path, torch_add_file, err);
}
