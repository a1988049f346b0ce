/* Reading components: nothing of them is passed over. */
#include "text/component.h"

#include "base/size.h"

#include <string.h>

bert_status component_members(component_reader *r, json_t *json, const char *part, const char *const *known, size_t n)
{
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        bool found = !strcmp(key, "type");
        for (size_t k = 0; !found && k < n && known[k]; k++)
            found = !strcmp(key, known[k]);
        if (!found)
            return fail(r->err, BERT_ERR_UNSUPPORTED, "%s: %s: \"%.100s\" is not known to libbert", r->where, part,
                        key);
    }
    return BERT_OK;
}

bert_status component_text(component_reader *r, json_t *json, const char *key, bert_text *text)
{
    const json_t *value = json_object_get(json, key);
    if (!json_is_string(value))
        return fail(r->err, BERT_ERR_FORMAT, "%s: \"%s\" is no string", r->where, key);
    text->size = json_string_length(value);
    text->data = arena_copy(r->a, json_string_value(value), text->size);
    return text->data ? BERT_OK : fail_memory(r->err, r->where);
}

bert_status component_pattern(component_reader *r, json_t *json, const char *key, const pattern **p)
{
    json_t *value = json_object_get(json, key);
    bool regex = json_is_object(value) && json_object_get(value, "Regex");
    bert_text text;
    bert_status s = json_is_object(value) ? component_text(r, value, regex ? "Regex" : "String", &text)
                                          : component_text(r, json, key, &text);
    return s ? s : pattern_compile(p, text, !regex, r->a, r->where, r->err);
}

bert_status component_choice(component_reader *r, json_t *json, const char *key, const char *const *words, int *choice)
{
    const char *word = words[0];
    bert_status s = json_get_string_or(json, key, words[0], &word, r->where, r->err);
    if (s)
        return s;
    for (*choice = 0; words[*choice]; ++*choice)
        if (!strcmp(words[*choice], word))
            return BERT_OK;
    return fail(r->err, BERT_ERR_UNSUPPORTED, "%s: %s \"%.100s\" is not known to libbert", r->where, key, word);
}

void component_name(buffer *b, const json_t *part)
{
    static const char *const LISTS[] = { "normalizers", "pretokenizers", "processors" };
    const char *type = json_string_value(json_object_get(part, "type"));
    size_t i;
    json_t *inner;
    buffer_string(b, json_is_null(part) || !part ? "absent" : type ? type : "of no known type");
    for (size_t k = 0; k < sizeof LISTS / sizeof *LISTS; k++)
        json_array_foreach(json_object_get(part, LISTS[k]), i, inner)
        {
            const char *name = json_string_value(json_object_get(inner, "type"));
            buffer_printf(b, "%s%s", i ? ", " : " of ", name ? name : "?");
        }
}

/* One that is no Sequence. */
static bert_status read_one(component_list *out, json_t *json, const char *part, const component_kind *kinds, size_t n,
                            component_reader *r)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    const component_kind *kind = NULL;
    for (size_t i = 0; type && i < n; i++)
        kind = !strcmp(kinds[i].name, type) ? &kinds[i] : kind;
    if (!kind)
        return fail(r->err, BERT_ERR_UNSUPPORTED, "%s: %s %.100s is not known to libbert", r->where, part,
                    type ? type : "without a type");
    char name[128];
    snprintf(name, sizeof name, "%s %s", part, type);
    component *c = &out->items[out->n++];
    *c = (component){ .run = kind->run, .form = kind->form };
    bert_status s = component_members(r, json, name, kind->members, sizeof kind->members / sizeof *kind->members);
    return s || !kind->read ? s : kind->read(r, json, c);
}

enum { MOST_COMPONENTS = 64 };

static bert_status read_any(component_list *out, json_t *json, const char *part, const char *list,
                            const component_kind *kinds, size_t n, component_reader *r, int depth)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    if (!json || json_is_null(json))
        return BERT_OK;
    if (depth > 4 || out->n >= MOST_COMPONENTS)
        return fail(r->err, BERT_ERR_UNSUPPORTED,
                    "%s: %s: more than %d components, or five sequences within each other", r->where, part,
                    MOST_COMPONENTS);
    if (!type || strcmp(type, "Sequence"))
        return read_one(out, json, part, kinds, n, r);
    json_t *items = json_object_get(json, list);
    bert_status s = component_members(r, json, part, &list, 1);
    if (!s && !json_is_array(items))
        s = fail(r->err, BERT_ERR_FORMAT, "%s: %s: a Sequence without the list \"%s\"", r->where, part, list);
    for (size_t i = 0; !s && i < json_array_size(items); i++)
        s = read_any(out, json_array_get(items, i), part, list, kinds, n, r, depth + 1);
    return s;
}

bert_status components_read(component_list *out, json_t *json, const char *part, const char *list,
                            const component_kind *kinds, size_t n_kinds, component_reader *r)
{
    out->n = 0;
    out->items = arena_array(r->a, MOST_COMPONENTS, sizeof *out->items);
    return out->items ? read_any(out, json, part, list, kinds, n_kinds, r, 0) : fail_memory(r->err, r->where);
}
