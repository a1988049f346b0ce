/* Options structs as JSON. */
#include "formats/option_json.h"

#include "formats/json_build.h"

json_t *option_to_json(const void *options, const bert_option *o)
{
    const void *field = (const char *)options + o->offset;
    switch (o->type) {
    case BERT_OPTION_BOOL:
        return json_boolean(*(const bool *)field);
    case BERT_OPTION_INT:
        return json_integer((json_int_t) * (const int64_t *)field);
    case BERT_OPTION_FLOAT:
        return json_real(*(const double *)field);
    case BERT_OPTION_STRING:
        return *(const char *const *)field ? json_of_bytes(*(const char *const *)field) : json_null();
    default:
        return json_string(o->choices[*(const int *)field]);
    }
}

json_t *options_to_json(const void *options, bert_option_table table)
{
    json_t *json = json_object();
    for (size_t i = 0; i < table.n; i++)
        json_put(&json, table.options[i].name, option_to_json(options, &table.options[i]));
    return json;
}
