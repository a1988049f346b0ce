/* What a tokenizer.json says of special tokens around texts, and of white space in offsets. */
#pragma once

#include "text/component.h"
#include "text/special_tokens.h"
#include "text/tokenizer.h"
#include "text/tokens.h"

/* Whether tokens' offsets leave out the white space that the tokens have; the first one keeps a blank that was put
 * before the text. */
typedef struct offset_trim {
    bool trims, keeps_first;
} offset_trim;

/* Reads "post_processor", which may be null: no special tokens. Fills the tokenizer's special ids and where they stand.
 * Fails with BERT_ERR_UNSUPPORTED for what a special_template cannot say, BERT_ERR_FORMAT. */
bert_status post_processor_read(json_t *json, bert_tokenizer *tokenizer, special_template *specials, offset_trim *trim,
                                component_reader *r);
/* Trims the bytes of a token's span: as many characters as the token begins and ends with blanks, wherever these come
 * from. first: it is the text's first. */
void post_processor_trim(const offset_trim *trim, bert_text text, bert_text token, bool first, token_span *span);
