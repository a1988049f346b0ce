/* Characters as Unicode 14.0 has them, whatever version utf8proc has: the original's results are those of Python 3.11, whose tables are
 * of that version. What later versions assigned counts as unassigned, what they changed is put back. */
#ifndef TEXT_UNICODE_14_H
#define TEXT_UNICODE_14_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <utf8proc.h>

typedef struct unicode_range {
    uint32_t first, last;
} unicode_range;

/* The ranges that are assigned, ascending, without surrogates and private use. */
const unicode_range *unicode_14_assigned(size_t *n);

utf8proc_category_t unicode_14_category(uint32_t cp);
bool unicode_14_cased(uint32_t cp);          /* Cased, less what is case-ignorable */
bool unicode_14_case_ignorable(uint32_t cp); /* Case_Ignorable */

#endif
