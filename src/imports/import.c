/* bert_import: a module, or a model where a head stands on the encoder. */
#include "imports/fine_tuned.h"

static bert_status write_any(source *s, const char *folder, const bert_import_options *options, bert_err *err)
{
    return (fine_tuned_is(s) ? fine_tuned_write : source_to_module)(s, folder, options, err);
}

bert_status bert_import(const char *path, const char *folder, const bert_import_options *options, char **note,
                        bert_err *err)
{
    return source_import(path, folder, options, write_any, note, err);
}
