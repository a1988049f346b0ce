/* config.json of a fine-tuned folder, and what CrossEncoder keeps beside it. */
#include "imports/fine_tuned_words.h"

#include "formats/json.h"

#include <stdio.h>
#include <string.h>

/* Whether the folder's own count of labels is the classifier's. */
static bert_status check_count(const fine_tuned *f, int64_t told, bert_err *err)
{
    if (told == (int64_t)f->rows)
        return BERT_OK;
    return fail(err, BERT_ERR_FORMAT, "%s: %lld labels, the classifier has %zu rows", f->where, (long long)told,
                f->rows);
}

/* id2label gives each row its word; without it transformers calls them LABEL_0 and so on. */
static bert_status read_names(fine_tuned *f, bert_err *err)
{
    const json_t *settings = f->source->settings;
    json_t *words = json_object_get(settings, "id2label");
    size_t n = json_object_size(words);
    int64_t told;
    bert_status s = json_get_int_or(settings, "num_labels", 0, INT64_MAX, (int64_t)f->rows, &told, f->where, err);
    if (!s && words && !json_is_object(words))
        s = fail(err, BERT_ERR_FORMAT, "%s: \"id2label\" is no object", f->where);
    if (!s)
        s = check_count(f, told, err);
    if (!s && n)
        s = check_count(f, (int64_t)n, err);
    f->names = arena_array(&f->memory, f->rows, sizeof *f->names);
    if (!s && !f->names)
        s = fail_memory(err, "labels");
    for (size_t i = 0; !s && i < f->rows; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        const json_t *word = json_object_get(words, number);
        f->names[i] = !n                      ? arena_printf(&f->memory, "LABEL_%zu", i)
                      : json_is_integer(word) ? arena_printf(&f->memory, "%lld", (long long)json_integer_value(word))
                                              : json_string_value(word);
        if (!f->names[i])
            s = fail(err, BERT_ERR_FORMAT, "%s: id2label has no text for \"%zu\"", f->where, i);
    }
    return s;
}

/* label2id is for training: transformers, too, says the words of id2label. */
static bert_status compare_ids(const fine_tuned *f, bert_err *err)
{
    json_t *ids = json_object_get(f->source->settings, "label2id"), *id;
    const char *word;
    if (ids && !json_is_object(ids) && !json_is_null(ids))
        return fail(err, BERT_ERR_FORMAT, "%s: \"label2id\" is no object", f->where);
    json_object_foreach(ids, word, id)
    {
        json_int_t row = json_integer_value(id);
        if (json_is_integer(id) && row >= 0 && row < (json_int_t)f->rows && !strcmp(f->names[row], word))
            continue;
        char number[32] = "of that number";
        if (json_is_integer(id))
            snprintf(number, sizeof number, "%lld", (long long)row);
        buffer_printf(&f->source->notes,
                      "%s: label2id contradicts id2label, where \"%.100s\" is not output %s; the words are those of "
                      "id2label, as with transformers\n",
                      f->where, word, number);
        break;
    }
    return BERT_OK;
}

/* What CrossEncoder puts behind the outputs, as sentence-transformers before 5 has it in config.json; the newer key
 * counts first. */
static bert_status read_activation(const fine_tuned *f, const char **found, bert_err *err)
{
    const json_t *settings = f->source->settings, *newer = json_object_get(settings, "sentence_transformers");
    const char *older;
    *found = NULL;
    if (newer && !json_is_object(newer) && !json_is_null(newer))
        return fail(err, BERT_ERR_FORMAT, "%s: \"sentence_transformers\" is no object", f->where);
    bert_status s = json_get_string_or(settings, "sbert_ce_default_activation_function", NULL, &older, f->where, err);
    return s ? s : json_get_string_or(newer, "activation_fn", older, found, f->where, err);
}

static bert_status read_meaning(fine_tuned *f, bert_err *err)
{
    static const char *const PROBLEMS[] = { "regression", "single_label_classification", "multi_label_classification" };
    json_t *settings = f->source->settings;
    const char *file, *set;
    bert_status s = source_sentence_setting(f->source, "activation_fn", &file, err);
    if (!s)
        s = read_activation(f, &set, err);
    if (s)
        return s;
    f->activation = file ? file : set;
    if (f->activation && strrchr(f->activation, '.'))
        f->activation = strrchr(f->activation, '.') + 1;
    s = json_get_string_or(settings, "problem_type", NULL, &f->problem, f->where, err);
    for (int i = 0; !s && f->problem && i < 3; i++)
        if (!strcmp(f->problem, PROBLEMS[i]))
            return BERT_OK;
    if (!s && f->problem)
        s = fail(err, BERT_ERR_UNSUPPORTED, "%s: problem_type \"%s\" is not one of %s, %s, %s", f->where, f->problem,
                 PROBLEMS[0], PROBLEMS[1], PROBLEMS[2]);
    return s;
}

bert_status fine_tuned_words(fine_tuned *f, bert_err *err)
{
    bert_status s = read_names(f, err);
    if (!s)
        s = compare_ids(f, err);
    return s ? s : read_meaning(f, err);
}
