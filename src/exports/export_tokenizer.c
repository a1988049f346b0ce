/* Where another program reads texts otherwise than the model does, and the files that it reads have no word for it: one
 * row a difference. What tokenizer.json, tokenizer_config.json and GGUF's keys can say is written there and is no
 * row. */
#include "exports/export.h"

#include "text/tokenizer.h"

enum { USUAL_WORD_CHARS = 100 }; /* words of more characters are rare enough not to be told */

static bool has_flags(const bert_tokenizer_options *o)
{
    bool any = false;
    for (size_t i = 0; i < o->n_added_tokens; i++) {
        const bert_added_token *t = &o->added_tokens[i];
        any |= t->single_word || t->lstrip || t->rstrip || (t->normalized && o->do_lower_case);
    }
    return any;
}

void export_tell_tokenizer(const export_model *e, int format, buffer *notes)
{
    if (!e->model->module->tokenizer)
        return;
    const bert_tokenizer_options *o = bert_tokenizer_settings(e->model->module->tokenizer);
    bool googles = !e->model->module->tokenizer->pipeline && !o->normalizer;
    bool two_in_one = e->config.type_vocab_size > 1 && (!e->task || e->task->form == ROW_TOGETHER);
    bool cuts_earlier = e->model->layer->spec.seq_len < config_positions(&e->config);
    const struct {
        bool differs;
        const char *hf, *gguf; /* NULL: it is the same there */
    } differences[] = {
        { !o->odd_token && two_in_one,
          "of a pair that is cut to an odd number of tokens the model's first text keeps the odd one, as in Google's "
          "run_classifier; transformers gives it to the longer text, or the second",
          NULL },
        { cuts_earlier, NULL,
          "the model cuts texts at its seq_len; llama.cpp reads as many tokens as there are positions, and cuts none" },
        { googles && o->clean_text,
          "private-use characters are [UNK] or tokens to the model, as to Google's tokeniser; transformers drops them",
          "private-use characters are [UNK] or tokens to the model, as to Google's tokeniser; llama.cpp drops them" },
        { googles && o->do_lower_case,
          "the model lower-cases a final Greek sigma to one, as Google's tokeniser; transformers to a common one",
          "the model lower-cases a final Greek sigma to one, as Google's tokeniser; llama.cpp to a common one" },
        { !o->special_in_text, NULL,
          "\"[SEP]\" and the like within a text are characters to the model; llama.cpp's programs read them as those "
          "tokens" },
        { !o->do_lower_case || !tokenizer_strips(o), NULL,
          "the model keeps case or accents, as the file says; versions of llama.cpp that do not know its keys "
          "tokenizer.ggml.normalizer.* strip both" },
        { !o->tokenize_chinese_chars, NULL,
          "a Chinese character is no word of its own to the model (handle_chinese_chars false); llama.cpp splits at "
          "each" },
        { !o->clean_text, NULL, "the model keeps control characters (clean_text false); llama.cpp drops them" },
        { o->max_word_chars < USUAL_WORD_CHARS, NULL,
          "a word of more characters than max_word_chars is [UNK] to the model; llama.cpp has no such limit" },
        { has_flags(o), NULL,
          "added tokens with flags (single_word, lstrip, rstrip, normalized) are found without them by llama.cpp, as "
          "they are written" },
    };
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        const char *told = format == BERT_EXPORT_HF ? differences[i].hf : differences[i].gguf;
        if (told && differences[i].differs)
            buffer_printf(notes, "%s\n", told);
    }
}
