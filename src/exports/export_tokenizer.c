/* Where another program reads texts otherwise than the model does, and the files that it reads have no word for it: one
 * row a difference. What tokenizer.json, tokenizer_config.json and GGUF's keys can say is written there and is no
 * row. */
#include "exports/export.h"

#include "text/tokenizer.h"

enum { USUAL_WORD_CHARS = 100 }; /* words of more characters are rare enough not to be told */

static const bert_tokenizer_options *rules_of(const export_model *e)
{
    return bert_tokenizer_settings(e->model->module->tokenizer);
}

/* Two texts in one sequence, of which the first keeps the odd token. */
static bool odd_to_first(const export_model *e)
{
    return !rules_of(e)->odd_token && e->config.type_vocab_size > 1 && (!e->task || e->task->form == ROW_TOGETHER);
}

static bool keeps_private_use(const export_model *e)
{
    return !rules_of(e)->normalizer && rules_of(e)->clean_text;
}

static bool writes_final_sigma(const export_model *e)
{
    return !rules_of(e)->normalizer && rules_of(e)->do_lower_case;
}

static bool splits_special(const export_model *e)
{
    return !rules_of(e)->special_in_text;
}

static bool keeps_case_or_accents(const export_model *e)
{
    return !rules_of(e)->do_lower_case || !tokenizer_strips(rules_of(e));
}

static bool keeps_chinese_words(const export_model *e)
{
    return !rules_of(e)->tokenize_chinese_chars;
}

static bool keeps_controls(const export_model *e)
{
    return !rules_of(e)->clean_text;
}

static bool has_short_words(const export_model *e)
{
    return rules_of(e)->max_word_chars < USUAL_WORD_CHARS;
}

static bool has_flags(const export_model *e)
{
    const bert_tokenizer_options *o = rules_of(e);
    bool any = false;
    for (size_t i = 0; i < o->n_added_tokens; i++) {
        const bert_added_token *t = &o->added_tokens[i];
        any |= t->single_word || t->lstrip || t->rstrip || (t->normalized && o->do_lower_case);
    }
    return any;
}

static bool cuts_earlier(const export_model *e)
{
    return e->model->layer->spec.seq_len < config_positions(&e->config);
}

static const struct {
    bool (*differs)(const export_model *e);
    const char *hf, *gguf; /* NULL: it is the same there */
} DIFFERENCES[] = {
    { odd_to_first,
      "of a pair that is cut to an odd number of tokens the model's first text keeps the odd one, as in Google's "
      "run_classifier; transformers "
      "gives it to the longer text, or the second",
      NULL },
    { cuts_earlier, NULL,
      "the model cuts texts at its seq_len; llama.cpp reads as many tokens as there are positions, and cuts none" },
    { keeps_private_use,
      "private-use characters are [UNK] or tokens to the model, as to Google's tokeniser; transformers drops them",
      "private-use characters are [UNK] or tokens to the model, as to Google's tokeniser; llama.cpp drops them" },
    { writes_final_sigma,
      "the model lower-cases a final Greek sigma to one, as Google's tokeniser; transformers to a common one",
      "the model lower-cases a final Greek sigma to one, as Google's tokeniser; llama.cpp to a common one" },
    { splits_special, NULL,
      "\"[SEP]\" and the like within a text are characters to the model; llama.cpp's programs read them as those "
      "tokens" },
    { keeps_case_or_accents, NULL,
      "the model keeps case or accents, as the file says; versions of llama.cpp that do not know its keys "
      "tokenizer.ggml.normalizer.* strip "
      "both" },
    { keeps_chinese_words, NULL,
      "a Chinese character is no word of its own to the model (handle_chinese_chars false); llama.cpp splits at each" },
    { keeps_controls, NULL, "the model keeps control characters (clean_text false); llama.cpp drops them" },
    { has_short_words, NULL,
      "a word of more characters than max_word_chars is [UNK] to the model; llama.cpp has no such limit" },
    { has_flags, NULL,
      "added tokens with flags (single_word, lstrip, rstrip, normalized) are found without them by llama.cpp, as they "
      "are written" },
};

void export_tell_tokenizer(const export_model *e, int format, buffer *notes)
{
    for (size_t i = 0; e->model->module->tokenizer && i < sizeof DIFFERENCES / sizeof *DIFFERENCES; i++) {
        const char *told = format == BERT_EXPORT_HF ? DIFFERENCES[i].hf : DIFFERENCES[i].gguf;
        if (told && DIFFERENCES[i].differs(e))
            buffer_printf(notes, "%s\n", told);
    }
}
