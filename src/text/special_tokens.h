/* Where special tokens stand around the texts of a sequence. A family of encoders names its template; nothing else
 * spells one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What a special token is for; a tokenizer knows its id. Those of a pipeline are numbered as they are met. */
typedef enum special_role { SPECIAL_CLASSIFY, SPECIAL_SEPARATE, N_SPECIAL_ROLES } special_role;

enum { MOST_SPECIALS = 16, MOST_SPECIAL_RUN = 8 };

/* Some that stand together. */
typedef struct special_run {
    size_t n;
    unsigned char roles[MOST_SPECIAL_RUN];
} special_run;

/* before a after, or before a between b after. */
typedef struct special_template {
    special_run before, between, after;
    int second_segment; /* of the second text and what stands behind it; all else is of segment 0 */
} special_template;

/* Of BERT's tokeniser: [CLS] a [SEP], or [CLS] a [SEP] b [SEP]. */
extern const special_template SPECIALS_OF_BERT;
/* <s> a </s>, or <s> a </s></s> b </s> */
extern const special_template SPECIALS_OF_FAIRSEQ;

/* How many stand in a sequence of one text, or of a pair. */
static inline size_t special_count(const special_template *t, bool pair)
{
    return t->before.n + (pair ? t->between.n : 0) + t->after.n;
}
