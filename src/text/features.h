/* One text or pair as the ids that BERT reads, without padding: what bert_encode, data sets and packed batches are made
 * of. */
#pragma once

#include "base/error.h"
#include "text/special_tokens.h"

/* One thread's memory for encoding. All zero before the first use; allocates nothing once it has seen the longest
 * text. */
typedef struct encode_scratch {
    bert_tokens first, second;
} encode_scratch;

void encode_scratch_free(encode_scratch *scratch);

/* What encode_pair made: ids[0 .. n), of which ids[second .. n) are the second text and what stands behind it; second
 * is n where there is none. */
typedef struct encoded {
    size_t n, second;
    size_t skipped; /* tokens of the first text that are cut from its beginning */
    bool truncated;
    /* bytes that were not UTF-8 in what was read: a text is read until more tokens are found than fit */
    size_t dropped;
} encoded;

/* How many tokens of a pair of so many stay where both must fit into `room`: the longer loses its last until they do;
 * an odd one is the first text's, or as odd_token of bert_tokenizer_options says. */
void pair_cut(int odd_token, size_t *first, size_t *second, size_t room);

/* Tokens of one text. */
typedef struct id_run {
    const int32_t *ids;
    size_t n;
} id_run;

/* The n tokens of a text that stay where it is cut: the first ones or, as truncation_side says, the last. */
id_run encode_kept(const bert_tokenizer *tokenizer, const bert_tokens *tokens, size_t n);

/* Writes a, or a and b where that has tokens, among the special tokens of the tokenizer's template. Returns how many
 * ids these are. second: as in `encoded`. */
size_t encode_sequence(const bert_tokenizer *tokenizer, id_run a, id_run b, int32_t *ids, size_t *second);

/* A text, or a pair (size 0: there is none), by encode_sequence; ids has room for seq_len. Cut as bert_encode says.
 * Fails with BERT_ERR_ARGUMENT (seq_len below a pair's special tokens, a text of 4 GiB or more), BERT_ERR_MEMORY. */
bert_status encode_pair(const bert_tokenizer *tokenizer, bert_text text, bert_text pair, size_t seq_len,
                        encode_scratch *scratch, int32_t *ids, encoded *out, bert_err *err);

/* What it checks of a second text: fails with BERT_ERR_DATA where there is one and the module has one segment alone. */
bert_status encode_check_second(const bert_tokenizer *tokenizer, const bert_tokens *second, bert_err *err);
