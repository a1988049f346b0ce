/* What characters are, of all of Unicode: utf8proc's tables, in the terms that pipelines use. */
#pragma once

#include "text/characters.h"

#include <utf8proc.h>

/* Sets of general categories, as bits: CATEGORY_BIT(cp) & CATEGORIES_LETTER. */
enum {
    CATEGORIES_LETTER = 1 << UTF8PROC_CATEGORY_LU | 1 << UTF8PROC_CATEGORY_LL | 1 << UTF8PROC_CATEGORY_LT |
                        1 << UTF8PROC_CATEGORY_LM | 1 << UTF8PROC_CATEGORY_LO,
    CATEGORIES_MARK = 1 << UTF8PROC_CATEGORY_MN | 1 << UTF8PROC_CATEGORY_MC | 1 << UTF8PROC_CATEGORY_ME,
    CATEGORIES_NUMBER = 1 << UTF8PROC_CATEGORY_ND | 1 << UTF8PROC_CATEGORY_NL | 1 << UTF8PROC_CATEGORY_NO,
    CATEGORIES_PUNCTUATION = 1 << UTF8PROC_CATEGORY_PC | 1 << UTF8PROC_CATEGORY_PD | 1 << UTF8PROC_CATEGORY_PS |
                             1 << UTF8PROC_CATEGORY_PE | 1 << UTF8PROC_CATEGORY_PI | 1 << UTF8PROC_CATEGORY_PF |
                             1 << UTF8PROC_CATEGORY_PO,
    CATEGORIES_SYMBOL = 1 << UTF8PROC_CATEGORY_SM | 1 << UTF8PROC_CATEGORY_SC | 1 << UTF8PROC_CATEGORY_SK |
                        1 << UTF8PROC_CATEGORY_SO,
    CATEGORIES_SEPARATOR = 1 << UTF8PROC_CATEGORY_ZS | 1 << UTF8PROC_CATEGORY_ZL | 1 << UTF8PROC_CATEGORY_ZP,
    CATEGORIES_OTHER = 1 << UTF8PROC_CATEGORY_CC | 1 << UTF8PROC_CATEGORY_CF | 1 << UTF8PROC_CATEGORY_CS |
                       1 << UTF8PROC_CATEGORY_CO
};

static inline uint32_t unicode_category_bit(uint32_t cp)
{
    return 1u << utf8proc_get_property((utf8proc_int32_t)cp)->category;
}

static inline bool unicode_is(uint32_t cp, uint32_t categories)
{
    return unicode_category_bit(cp) & categories;
}

/* What a split at punctuation takes for it: P*, and all of ASCII that looks so. */
static inline bool unicode_is_punctuation(uint32_t cp)
{
    if (cp < 128)
        return (cp >= '!' && cp <= '/') || (cp >= ':' && cp <= '@') || (cp >= '[' && cp <= '`') ||
               (cp >= '{' && cp <= '~');
    return unicode_is(cp, CATEGORIES_PUNCTUATION);
}

/* \w: alphabetic, marks, decimal digits, connectors, joiners. */
static inline bool unicode_is_word(uint32_t cp)
{
    if (cp < 128)
        return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || cp == '_';
    return unicode_is(cp, CATEGORIES_LETTER | CATEGORIES_MARK | 1 << UTF8PROC_CATEGORY_ND | 1 << UTF8PROC_CATEGORY_NL |
                              1 << UTF8PROC_CATEGORY_PC) ||
           cp == 0x200C || cp == 0x200D || (cp >= 0x24B6 && cp <= 0x24E9) || (cp >= 0x1F130 && cp <= 0x1F149) ||
           (cp >= 0x1F150 && cp <= 0x1F169) || (cp >= 0x1F170 && cp <= 0x1F189);
}

/* The same to Oniguruma, which has the digits of Latin-1 that are no decimal ones, and no joiners. */
static inline bool unicode_is_pattern_word(uint32_t cp)
{
    return cp == 0xB2 || cp == 0xB3 || cp == 0xB9 || (cp >= 0xBC && cp <= 0xBE) ||
           (cp != 0x200C && cp != 0x200D && unicode_is_word(cp));
}

static inline bool unicode_is_space(uint32_t cp)
{
    return cp < 128 ? cp == ' ' || (cp >= '\t' && cp <= '\r') : character_is_space(cp);
}
