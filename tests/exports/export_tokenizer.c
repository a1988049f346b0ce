/* Rules of a tokenizer that an export's files have no word for are told; the others come back from it. What
 * transformers makes of the files is for tests/hf/check_hf.py, what llama.cpp does for tests/cli/export_llama.sh. */
#include "exports/exported.h"

#include "modules/tokenizer_info.h"

static char *note_of(const bert_model *m, int format)
{
    bert_export_options options;
    char *note;
    bert_export_defaults(&options);
    options.format = format;
    options.force = true;
    assert_works(bert_model_export(m, scratch(format == BERT_EXPORT_HF ? "theirs" : "m.gguf"), &options, &note, err));
    return note;
}

/* note is what was told, and `expected`, NULL: nothing, all of it. */
static void assert_told(char *note, const char *expected, const char *of)
{
    if (expected ? !note || strcmp(note, expected) : note != NULL)
        fail_msg("%s: \"%s\", expected \"%s\"", of, note ? note : "", expected ? expected : "");
    bert_free(note);
}

/* The rules of the folder `theirs`, imported, are the model's but for what was told, the token among them. */
static void assert_comes_back(const bert_model *m, const bert_added_token *added, const char *of)
{
    bert_tokenizer_options expected = *bert_tokenizer_settings(m->module->tokenizer);
    assert_works(bert_import(scratch("theirs"), scratch("ours"), NULL, NULL, err));
    bert_model *ours = load_model(scratch("ours"));
    bert_tokenizer_options found = *bert_tokenizer_settings(ours->module->tokenizer);
    size_t i = 0;
    while (added && i < found.n_added_tokens && strcmp(found.added_tokens[i].content, added->content))
        i++;
    assert_true(!added || (i < found.n_added_tokens && found.added_tokens[i].single_word == added->single_word));
    expected.normalizer = expected.odd_token = 1;
    expected.n_added_tokens = found.n_added_tokens = 0; /* special tokens may stand among those that come back */
    json_t *a = tokenizer_info_to_json(&expected, false), *b = tokenizer_info_to_json(&found, false);
    if (!json_equal(a, b))
        fail_msg("%s: came back as %s, was %s", of, json_dumps(b, 0), json_dumps(a, 0));
    json_decref(a);
    json_decref(b);
    bert_model_free(ours);
}

/* Each option by itself beside transformers' rules, and the flags of added tokens. */
static void what_the_other_program_reads_otherwise_is_told(void **state)
{
    (void)state;
    static const bert_added_token FLAGGED = { .content = "<user>", .single_word = true },
                                  PLAIN = { .content = "<user>" };
    static const struct {
        const char *option, *value;
        const bert_added_token *added;
        const char *hf, *gguf;
    } CASES[] = {
        { .option = NULL },
        { "odd_token", "first", NULL,
          "of a pair that is cut to an odd number of tokens the model's first text keeps the odd one, as in Google's "
          "run_classifier; "
          "transformers "
          "gives it to the longer text, or the second",
          NULL },
        { "normalizer", "google", NULL,
          "private-use characters are [UNK] or tokens to the model, as to Google's tokeniser; transformers drops them\n"
          "the model lower-cases a final Greek sigma to one, as Google's tokeniser; transformers to a common one",
          "private-use characters are [UNK] or tokens to the model, as to Google's tokeniser; llama.cpp drops them\n"
          "the model lower-cases a final Greek sigma to one, as Google's tokeniser; llama.cpp to a common one" },
        { "special_in_text", "split", NULL, NULL,
          "\"[SEP]\" and the like within a text are characters to the model; llama.cpp's programs read them as those "
          "tokens" },
        { "do_lower_case", "false", NULL, NULL,
          "the model keeps case or accents, as the file says; versions of llama.cpp that do not know its keys "
          "tokenizer.ggml.normalizer.* strip "
          "both" },
        { "strip_accents", "false", NULL, NULL,
          "the model keeps case or accents, as the file says; versions of llama.cpp that do not know its keys "
          "tokenizer.ggml.normalizer.* strip "
          "both" },
        { "tokenize_chinese_chars", "false", NULL, NULL,
          "a Chinese character is no word of its own to the model (handle_chinese_chars false); llama.cpp splits at "
          "each" },
        { "clean_text", "false", NULL, NULL,
          "the model keeps control characters (clean_text false); llama.cpp drops them" },
        { "max_word_chars", "99", NULL, NULL,
          "a word of more characters than max_word_chars is [UNK] to the model; llama.cpp has no such limit" },
        { "max_word_chars", "200", NULL, NULL, NULL },
        { "truncation_side", "left", NULL, NULL, NULL },
        { "prefix", "@@", NULL, NULL, NULL },
        { NULL, NULL, &FLAGGED, NULL,
          "added tokens with flags (single_word, lstrip, rstrip, normalized) are found without them by llama.cpp, as "
          "they are written" },
        { NULL, NULL, &PLAIN, NULL, NULL },
    };
    bert_model *m = load_model(toy_module("module", (toy){ 0 }));
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        bert_tokenizer_options o = transformers_rules();
        const char *option = CASES[i].option ? CASES[i].option : "added tokens";
        if (CASES[i].option)
            assert_works(bert_options_set(&o, bert_tokenizer_option_table(), option, CASES[i].value, err));
        o.added_tokens = CASES[i].added;
        o.n_added_tokens = CASES[i].added != NULL;
        set_rules(m, &o);
        assert_told(note_of(m, BERT_EXPORT_HF), CASES[i].hf, option);
        assert_told(note_of(m, BERT_EXPORT_GGUF), CASES[i].gguf, option);
        assert_comes_back(m, CASES[i].added, option);
    }
    bert_model_free(m);
}

/* A model that never has two texts in a sequence cuts none; one that cuts before its positions end says so to
 * llama.cpp's user. */
static void pairs_and_lengths_are_told_where_they_matter(void **state)
{
    (void)state;
    bert_tokenizer_options o = transformers_rules();
    o.odd_token = 0;
    bert_model *m = model_of(BERT_TASK_TOKENS, BERT_POOLING_AUTO, 0);
    set_rules(m, &o);
    assert_told(note_of(m, BERT_EXPORT_HF), NULL, "tokens");
    bert_model_free(m);
    o.odd_token = 1;
    m = model_of(BERT_TASK_SIMILARITY, BERT_POOLING_MEAN, 0);
    set_rules(m, &o);
    char *note = note_of(m, BERT_EXPORT_GGUF);
    assert_non_null(strstr(
        note,
        "the model cuts texts at its seq_len; llama.cpp reads as many tokens as there are positions, and cuts none"));
    bert_free(note);
    bert_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(what_the_other_program_reads_otherwise_is_told),
        in_a_folder(pairs_and_lengths_are_told_where_they_matter),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
