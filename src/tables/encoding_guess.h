/* Which encodings bytes fit that are not UTF-8. */
#pragma once

#include <stddef.h>

enum { ENCODING_GUESS = 256 };

/* A clause for a message: which encodings the bytes fit, all of those that people meet, and what to do. The first tens
 * of thousands of bytes count; a character may be cut at their end. They are only read (iconv's type has no const).
 * Returns out. */
const char *encoding_guess(char out[ENCODING_GUESS], char *bytes, size_t n);

/* The encoding of bytes that would pass for UTF-8, and have zeros or escapes as others do: UTF-16 and UTF-32 without a
 * mark, ISO-2022. NULL: they have not. */
const char *encoding_in_disguise(const unsigned char *bytes, size_t n);
