/* Tokenisers of folders of before tokenizer.json give what transformers makes of them, as
 * tests/hf/make_old_tokenizers.py wrote it down. */
#include "base/scratch.h"
#include "imports/tokenizer_source.h"
#include "text/features.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

/* Where a folder's tokeniser is of a family whose template is not BERT's. */
static const special_template *template_of(const char *name)
{
    return strcmp(name, "albert") ? &SPECIALS_OF_FAIRSEQ : &SPECIALS_OF_BERT;
}

static bert_status read_folder(const char *folder, const char *name, tokenizer_source *t, arena *a, bert_err *e)
{
    buffer notes = { 0 };
    const tokenizer_place place = {
        .folder = folder, .transformers = true, .specials = template_of(name), .tokenizer_class = "BertTokenizer"
    };
    bert_status s = tokenizer_source_read(t, &place, a, &notes, e);
    buffer_free(&notes);
    return s;
}

static bert_text text_of(const json_t *value)
{
    return (bert_text){ json_string_value(value), json_string_length(value) };
}

static void check_row(const bert_tokenizer *t, const json_t *row, size_t length, const char *name)
{
    bool pair = json_array_size(row) == 3;
    const json_t *ids = json_array_get(row, pair ? 2 : 1);
    bert_text text = text_of(json_array_get(row, 0)),
              second = pair ? text_of(json_array_get(row, 1)) : (bert_text){ 0 };
    bert_features f = { 0 };
    assert_works(bert_encode(t, &text, pair ? &second : NULL, 1, length, &f, err));
    size_t n = 0;
    while (n < length && f.input_mask[n])
        n++;
    bool same = n == json_array_size(ids);
    for (size_t i = 0; same && i < n; i++)
        same = f.input_ids[i] == json_integer_value(json_array_get(ids, i));
    if (!same)
        fail_msg("%s: \"%s\" gives other ids than %s", name, text.data, json_dumps(ids, 0));
    bert_features_free(&f);
}

static void old_folders_give_the_ids_of_transformers(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "roberta", "xlm-roberta", "camembert", "albert", "mpnet" };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        arena a = { 0 };
        tokenizer_source source;
        bert_tokenizer *t;
        json_t *golden, *row;
        size_t k;
        const char *folder = arena_printf(&a, "tests/imports/files/old/%s", NAMES[i]);
        assert_works(read_folder(folder, NAMES[i], &source, &a, err));
        assert_non_null(source.vocabulary);
        assert_works(
            bert_tokenizer_create(source.vocabulary, source.vocabulary_size, NAMES[i], &source.options, &t, err));
        if (!t->pipeline)
            t->specials = template_of(NAMES[i]);
        assert_works(json_read_file(&golden, path_join(&a, folder, "golden.json"), err));
        size_t length = (size_t)json_integer_value(json_object_get(golden, "length"));
        json_array_foreach(json_object_get(golden, "texts"), k, row) check_row(t, row, length, NAMES[i]);
        json_array_foreach(json_object_get(golden, "pairs"), k, row) check_row(t, row, length, NAMES[i]);
        json_decref(golden);
        bert_tokenizer_free(t);
        arena_free(&a);
    }
}

/* More than a tokenizer takes are refused where they are read: each is compared with those before it. */
static void too_many_added_tokens_are_refused(void **state)
{
    (void)state;
    arena a = { 0 };
    buffer json = { 0 };
    tokenizer_source source;
    for (int i = 0; i <= MOST_ADDED_TOKENS; i++)
        buffer_printf(&json, "%s\"<%d>\": %d", i ? ", " : "{", i, 5 + i);
    buffer_string(&json, "}");
    assert_works(folder_create(scratch("many"), err));
    scratch_text("many/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
    scratch_text("many/added_tokens.json", json.data);
    assert_fails(read_folder(scratch("many"), "albert", &source, &a, err), BERT_ERR_UNSUPPORTED,
                 "many: more than 16384 added tokens: libbert takes no more");
    buffer_free(&json);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_folders_give_the_ids_of_transformers),
        in_a_folder(too_many_added_tokens_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
