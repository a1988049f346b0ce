/* The rules of a tokenizer as a table, and copies of them. */
#include "text/tokenizer.h"

#include "base/options.h"

#include <stdint.h>
#include <string.h>

enum { STRIP_AUTO, STRIP_YES, STRIP_NO };

static const char *const STRIP_WORDS[] = { "auto", "true", "false", NULL };
static const char *const NORMALIZER_WORDS[] = { "google", "huggingface", NULL };
static const char *const SPECIAL_WORDS[] = { "split", "keep", NULL };
static const char *const SIDE_WORDS[] = { "right", "left", NULL };
static const char *const ODD_WORDS[] = { "first", "longer", NULL };

static const bert_option TOKENIZER[] = {
    OPTION_BOOL(bert_tokenizer_options, do_lower_case, "true", "texts are lower-cased"),
    OPTION_CHOICE(bert_tokenizer_options, strip_accents, "auto", STRIP_WORDS, "WORD",
                  "accents are stripped; auto: where it lower-cases"),
    OPTION_BOOL(bert_tokenizer_options, tokenize_chinese_chars, "true", "a Chinese character is a word"),
    OPTION_BOOL(bert_tokenizer_options, clean_text, "true", "control characters are dropped"),
    OPTION_CHOICE(bert_tokenizer_options, normalizer, "google", NORMALIZER_WORDS, "WORD",
                  "whose cleaning, where they differ"),
    OPTION_STRING(bert_tokenizer_options, prefix, "##", "TEXT", "what a piece that continues a word begins with"),
    OPTION_INT(bert_tokenizer_options, max_word_chars, "200", 1, INT32_MAX, "N", "a longer word is unknown"),
    OPTION_CHOICE(bert_tokenizer_options, special_in_text, "split", SPECIAL_WORDS, "WORD",
                  "a special token within a text"),
    OPTION_CHOICE(bert_tokenizer_options, truncation_side, "right", SIDE_WORDS, "WORD",
                  "where a text that is too long is cut"),
    OPTION_CHOICE(bert_tokenizer_options, odd_token, "first", ODD_WORDS, "WORD",
                  "which text of a pair keeps the odd token"),
    OPTION_STRING(bert_tokenizer_options, unk_token, "[UNK]", "TOKEN", "stands for what the vocabulary has not"),
    OPTION_STRING(bert_tokenizer_options, cls_token, "[CLS]", "TOKEN", "begins a sequence"),
    OPTION_STRING(bert_tokenizer_options, sep_token, "[SEP]", "TOKEN", "ends a text"),
    OPTION_STRING(bert_tokenizer_options, pad_token, "[PAD]", "TOKEN", "fills a row"),
    OPTION_STRING(bert_tokenizer_options, mask_token, "[MASK]", "TOKEN", "stands for a word to be guessed"),
};

bert_option_table bert_tokenizer_option_table(void)
{
    return OPTION_TABLE(TOKENIZER);
}

void bert_tokenizer_defaults(bert_tokenizer_options *options)
{
    bert_options_defaults(options, bert_tokenizer_option_table());
    options->added_tokens = NULL;
    options->n_added_tokens = 0;
}

void tokenizer_start_as_transformers(bert_tokenizer_options *o)
{
    enum { THEIR_WORD_CHARS = 100 };
    bert_tokenizer_defaults(o);
    o->normalizer = 1;
    o->max_word_chars = THEIR_WORD_CHARS;
    o->special_in_text = 1;
    o->odd_token = 1;
}

bool tokenizer_strips(const bert_tokenizer_options *o)
{
    return o->strip_accents == STRIP_YES || (o->strip_accents == STRIP_AUTO && o->do_lower_case);
}

static bool copy_strings(bert_tokenizer_options *o, arena *a)
{
    bert_option_table table = bert_tokenizer_option_table();
    for (size_t i = 0; i < table.n; i++) {
        const char **field = (const char **)(void *)((char *)o + table.options[i].offset);
        if (table.options[i].type == BERT_OPTION_STRING && !(*field = arena_string(a, *field ? *field : "")))
            return false;
    }
    return true;
}

static bool copy_added(bert_tokenizer_options *o, arena *a)
{
    bert_added_token *added = arena_array(a, o->n_added_tokens, sizeof *added);
    for (size_t i = 0; added && i < o->n_added_tokens; i++) {
        added[i] = o->added_tokens[i];
        if (!(added[i].content = arena_string(a, added[i].content)))
            return false;
    }
    o->added_tokens = added;
    return added;
}

bert_status tokenizer_options_copy(bert_tokenizer_options *to, const bert_tokenizer_options *from, arena *a,
                                   bert_err *err)
{
    bert_status s = BERT_OK;
    if (from)
        s = options_check(from, bert_tokenizer_option_table(), err);
    if (s)
        return s;
    if (from)
        *to = *from;
    else
        bert_tokenizer_defaults(to);
    to->strip_accents = tokenizer_strips(to) ? STRIP_YES : STRIP_NO;
    return copy_strings(to, a) && copy_added(to, a) ? BERT_OK : fail_memory(err, "a tokenizer's options");
}
