/* SentencePiece's table of what strings become before they are tokenised (precompiled_charsmap): a double array in
 * Darts-clone's form and, behind it, what they become, each ended by NUL. Read as `spm_precompiled` of Hugging Face
 * reads it, which differs from SentencePiece: by grapheme, then by character, the first entry that is a prefix. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "text/normal_text.h"

typedef struct charsmap {
    const uint32_t *units; /* (n_units) */
    size_t n_units;
    const char *strings; /* (size) the last byte is a NUL */
    size_t size;
    bool plain[128]; /* an ASCII character that stays as it is */
} charsmap;

/* From its bytes, which are copied. Fails with BERT_ERR_FORMAT (cut, or strings that are not UTF-8),
 * BERT_ERR_MEMORY. */
bert_status charsmap_read(charsmap *c, const void *bytes, size_t size, arena *a, const char *where, bert_err *err);
void charsmap_normalize(const charsmap *c, text_work *work);
