/* How a value is written where lines are made for machines: JSON, and columns with tabs or commas between. Byte for
 * byte the same in any locale. */
#pragma once

#include "base/buffer.h"

#include <stdint.h>

/* A JSON string, quoted; a byte that is not UTF-8 becomes U+FFFD, for JSON has no way to say it. */
void field_json(buffer *b, const char *bytes, size_t n);
/* What has no place between tabs is written as \t, \n, \r, and so is the backslash: table option quoting `backslash`
 * reads it back. */
void field_tsv(buffer *b, const char *bytes, size_t n);
/* Quoted as RFC 4180 says where it must be. */
void field_csv(buffer *b, const char *bytes, size_t n);
/* Nine significant digits, as C's %.9g, which tell any two floats apart; null where it is not finite. */
void field_number(buffer *b, double x);
void field_integer(buffer *b, int64_t x);
