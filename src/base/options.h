/* Options structs as data: how the tables of bert.h are written, and what the library does with them beyond
 * bert_options_set. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <locale.h>
#include <stddef.h>

/* One row of a table:   static const bert_option OPTIONS[] = {
 *     OPTION_INT(bert_train_options, batch_size, "32", 1, 65536, "N", "texts in a step"),
 *     ...
 * };
 * A bound that no sensible value reaches is INFINITY or -INFINITY. */
/* clang-format off */
#define OPTION_ROW(type, field, kind, fallback, min, max, choices, value, help) \
    { #field, BERT_OPTION_##kind, offsetof(type, field), fallback, min, max, choices, value, help }
/* clang-format on */
#define OPTION_BOOL(type, field, fallback, help) OPTION_ROW(type, field, BOOL, fallback, 0, 0, NULL, NULL, help)
#define OPTION_INT(type, field, fallback, min, max, value, help) \
    OPTION_ROW(type, field, INT, fallback, min, max, NULL, value, help)
#define OPTION_FLOAT(type, field, fallback, min, max, value, help) \
    OPTION_ROW(type, field, FLOAT, fallback, min, max, NULL, value, help)
#define OPTION_STRING(type, field, fallback, value, help) \
    OPTION_ROW(type, field, STRING, fallback, 0, 0, NULL, value, help)
#define OPTION_CHOICE(type, field, fallback, choices, value, help) \
    OPTION_ROW(type, field, CHOICE, fallback, 0, 0, choices, value, help)

/* One option with one meaning, wherever something is written. */
#define OPTION_FORCE_HELP "replace what stands at --output if libbert made it"

#define OPTION_TABLE(rows) ((bert_option_table){ (rows), sizeof(rows) / sizeof(rows)[0] })

/* The row of that name, '-' and '_' alike; NULL: none. */
const bert_option *option_find(bert_option_table table, const char *name);

/* Appends a field's value, as bert_options_set reads it and, but for words, as JSON spells it. false, and nothing
 * appended, where it has none: a string that is NULL, a choice that is not among the words. */
bool option_text(const void *options, const bert_option *option, buffer *out);

/* Checks the numbers and choices of a struct that the caller filled by hand, with the messages of bert_options_set. */
bert_status options_check(const void *options, bert_option_table table, bert_err *err);

/* A finite number with as few digits as give it back when read, in any locale: "1e-05", "0.1", "32". */
void number_text(buffer *out, double number);
/* The way back, in any locale: whether the whole text is one number (nan and inf count). */
bool number_read(const char *text, double *number);

/* Digits as C writes them, whatever the program's locale is: for uselocale around what prints. Nothing to free. */
locale_t plain_locale(void);
