/* One text or pair as the ids that BERT reads, without padding: what bert_encode, data sets and packed batches are made
 * of. */
#ifndef TEXT_FEATURES_H
#define TEXT_FEATURES_H

#include "base/error.h"

/* One thread's memory for encoding. All zero before the first use; allocates nothing once it has seen the longest
 * text. */
typedef struct encode_scratch {
    bert_tokens first, second;
} encode_scratch;

void encode_scratch_free(encode_scratch *scratch);

/* What encode_pair made: ids[0 .. n), of which ids[second .. n) are segment 1; second is n where there is no pair. */
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

/* Writes [CLS] a [SEP] or [CLS] a [SEP] b [SEP] to ids, which has room for seq_len. pair: size 0 for none.
 * Cut as bert_encode says. Fails with BERT_ERR_ARGUMENT (seq_len below 3, a text of 4 GiB or more), BERT_ERR_MEMORY. */
bert_status encode_pair(const bert_tokenizer *tokenizer, bert_text text, bert_text pair, size_t seq_len,
                        encode_scratch *scratch, int32_t *ids, encoded *out, bert_err *err);

/* How many segments the module has that the ids are for; a tokenizer begins with two. */
void encode_set_segments(bert_tokenizer *tokenizer, size_t segments);

/* What it checks of a second text: fails with BERT_ERR_DATA where there is one and the module has one segment alone. */
bert_status encode_check_second(const bert_tokenizer *tokenizer, const bert_tokens *second, bert_err *err);

#endif
