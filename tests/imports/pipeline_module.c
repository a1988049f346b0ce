/* A module whose tokeniser is a pipeline goes every way that one of word pieces goes: written, opened, verified,
 * copied, frozen, exported, imported again; texts have the same ids everywhere. */
#include "toy_model.h"
#include "imports/tokenizer_source.h"
#include "modules/module.h"
#include "text/tokenizer.h"

static const char *const TEXTS[] = { "the cat", "The cats, and the dog.", "don't the  cat\n\nthe", "a<mask>b",
                                     "\xc3\xa9 \xe4\xb8\xad" };
enum { N_TEXTS = sizeof TEXTS / sizeof *TEXTS, LENGTH = 24 };

static const char *const FOLDERS[] = { "roberta", "xlm-roberta", "camembert", "albert" };
enum { N_FOLDERS = sizeof FOLDERS / sizeof *FOLDERS };

/* A module of random weights with the tokeniser of such a folder, in the scratch folder. */
static const char *make_module(const char *tokenizer_folder)
{
    buffer notes = { 0 };
    tokenizer_source source;
    bert_tokenizer *t;
    char *folder = arena_printf(&golden_memory, "tests/imports/files/old/%s", tokenizer_folder),
         *path = path_join(&golden_memory, scratch_folder, tokenizer_folder);
    const tokenizer_place place = {
        .folder = folder, .transformers = true, .specials = &SPECIALS_OF_BERT, .tokenizer_class = "BertTokenizer"
    };
    assert_works(tokenizer_source_read(&source, &place, &golden_memory, &notes, err));
    assert_works(bert_tokenizer_create(source.vocabulary, source.vocabulary_size, "old", &source.options, &t, err));
    config c = toy_config((toy){ 0 });
    c.vocab_size = (int64_t)bert_tokenizer_size(t);
    weight_list w = toy_weights(&golden_memory, &c, true, ROUNDED);
    module_parts parts = { .config = &c,
                           .weights = &w,
                           .vocabulary = source.vocabulary,
                           .vocabulary_size = source.vocabulary_size,
                           .tokenizer = t,
                           .seq_layer = c.num_hidden_layers - 1 };
    assert_works(module_write(&parts, path, err));
    bert_tokenizer_free(t);
    buffer_free(&notes);
    return path;
}

/* The ids of all texts, alone and as pairs with the first. */
static void encode_all(const bert_tokenizer *t, bert_features *f)
{
    bert_text texts[2 * N_TEXTS], pairs[2 * N_TEXTS] = { 0 };
    for (size_t i = 0; i < 2 * N_TEXTS; i++)
        texts[i] = text_of(TEXTS[i % N_TEXTS]);
    for (size_t i = N_TEXTS; i < 2 * N_TEXTS; i++)
        pairs[i] = text_of(TEXTS[0]);
    assert_works(bert_encode(t, texts, pairs, 2 * N_TEXTS, LENGTH, f, err));
}

static void assert_same_ids(const bert_tokenizer *t, const bert_features *expected, const char *of)
{
    bert_features f = { 0 };
    assert_non_null(t);
    encode_all(t, &f);
    for (size_t i = 0; i < f.n * f.seq_len; i++)
        if (f.input_ids[i] != expected->input_ids[i] || f.input_mask[i] != expected->input_mask[i] ||
            f.segment_ids[i] != expected->segment_ids[i])
            fail_msg("%s: text %zu, place %zu: id %d, expected %d", of, i / LENGTH, i % LENGTH, f.input_ids[i],
                     expected->input_ids[i]);
    bert_features_free(&f);
}

static void assert_module_has(const char *path, const bert_features *expected)
{
    bert_module *m;
    assert_works(bert_module_open(path, &m, err));
    assert_works(module_verify(m, err));
    assert_same_ids(m->tokenizer, expected, path);
    bert_module_free(m);
}

/* Imports what was exported. */
static void assert_comes_back(const bert_model *m, const bert_features *expected)
{
    bert_export_options options;
    bert_export_defaults(&options);
    options.format = BERT_EXPORT_HF;
    options.force = true;
    assert_works(bert_model_export(m, scratch("exported"), &options, NULL, err));
    bert_import_options again;
    bert_import_defaults(&again);
    again.force = true;
    assert_works(bert_import(scratch("exported"), scratch("imported"), &again, NULL, err));
    assert_module_has(scratch("imported"), expected);
}

/* A frozen file's vectors are the model's. */
static void assert_freezes(bert_model *m, const bert_features *expected)
{
    bert_model *frozen;
    bert_freeze_options options;
    bert_freeze_defaults(&options);
    options.force = true;
    assert_works(bert_model_freeze(m, scratch("frozen.bert"), &options, NULL, NULL, err));
    assert_works(bert_model_load(scratch("frozen.bert"), &frozen, err));
    assert_same_ids(bert_model_tokenizer(frozen), expected, "frozen");
    float vectors[2][N_TEXTS * TOY_HIDDEN];
    bert_text texts[N_TEXTS];
    for (size_t i = 0; i < N_TEXTS; i++)
        texts[i] = text_of(TEXTS[i]);
    for (int i = 0; i < 2; i++) {
        bert_session *session;
        assert_works(bert_session_create(i ? frozen : m, NULL, &session, err));
        assert_works(bert_session_embed(session, texts, NULL, N_TEXTS, vectors[i], NULL, NULL, err));
        bert_session_free(session);
    }
    assert_memory_equal(vectors[0], vectors[1], sizeof vectors[0]);
    bert_model_free(frozen);
}

static void a_pipeline_goes_every_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FOLDERS; i++) {
        const char *path = make_module(FOLDERS[i]);
        bert_module *m;
        bert_model *model;
        bert_features expected = { 0 };
        assert_works(bert_module_open(path, &m, err));
        assert_non_null(m->tokenizer->pipeline);
        encode_all(m->tokenizer, &expected);
        assert_works(module_copy(m, scratch("copied"), err));
        assert_module_has(scratch("copied"), &expected);
        assert_works(folder_remove(scratch("copied"), err));
        bert_module_free(m);
        assert_works(bert_model_load(path, &model, err));
        assert_freezes(model, &expected);
        assert_comes_back(model, &expected);
        bert_model_free(model);
        bert_features_free(&expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_pipeline_goes_every_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
