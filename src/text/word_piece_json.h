/* A tokenizer.json of Hugging Face `tokenizers` whose pipeline is BERT's: it becomes options and lines, which the fast
 * path reads. */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "formats/json.h"
#include "text/special_tokens.h"

/* Its rules, without its added tokens; the template must be `specials`. Fails with BERT_ERR_FORMAT; with
 * BERT_ERR_UNSUPPORTED where a part is not BERT's, by name. Strings are the arena's. */
bert_status word_piece_rules(const json_t *json, const special_template *specials, bert_tokenizer_options *options,
                             arena *a, const char *where, bert_err *err);

/* Its word pieces as lines, in the order of their ids. A piece that no line can hold, and an id that no piece has, get
 * a name that no text has; that is told. Fails with BERT_ERR_FORMAT, BERT_ERR_UNSUPPORTED (another model). */
bert_status word_piece_lines(json_t *json, buffer *lines, arena *a, const char *where, buffer *notes, bert_err *err);

/* Members of it and of its parts that are not known, one a line. */
void word_piece_unknown(json_t *json, buffer *names);

/* "single" or "pair" of a post-processor's TemplateProcessing. tokens: by their roles. NULL: out of memory. */
json_t *template_to_json(const special_template *specials, const char *const tokens[N_SPECIAL_ROLES], bool pair);
/* The whole post-processor; ids: of the tokens. */
json_t *template_processing_to_json(const special_template *specials, const char *const tokens[N_SPECIAL_ROLES],
                                    const json_int_t ids[N_SPECIAL_ROLES]);
