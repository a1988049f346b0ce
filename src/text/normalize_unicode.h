/* Unicode's normal forms, and what drops or changes single characters. */
#pragma once

#include "text/normal_text.h"

typedef enum unicode_form { UNICODE_NFC, UNICODE_NFD, UNICODE_NFKC, UNICODE_NFKD } unicode_form;

typedef enum unicode_filter {
    UNICODE_LOWER,    /* each character by itself: a final sigma is a sigma */
    UNICODE_NO_MARKS, /* M* */
    UNICODE_NMT,      /* SentencePiece's nmt rules: controls go, rare white space becomes a blank */
    UNICODE_NO_NONSPACING,
    UNICODE_CLEAN,  /* BertNormalizer's clean_text */
    UNICODE_CHINESE /* a blank on each side of a Chinese character */
} unicode_filter;

void normalize_form(text_work *work, unicode_form form);
void normalize_characters(text_work *work, unicode_filter filter);
/* BertNormalizer, step by step. */
void normalize_bert(text_work *work, bool clean, bool chinese, bool strip, bool lower);
