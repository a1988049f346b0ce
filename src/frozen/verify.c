/* bert_verify: whether a file or folder is what it was written as. */
#include "base/file.h"
#include "frozen/frozen.h"

bert_status bert_verify(const char *path, bert_err *err)
{
    bert_model *model = NULL;
    if (!file_is_folder(path) && !path_ends(path, ".tar.gz") && !path_ends(path, ".tgz"))
        return frozen_verify(path, err);
    bert_status s = bert_model_load(path, &model, err);
    if (!s)
        s = module_verify(model->module, err);
    bert_model_free(model);
    return s;
}
