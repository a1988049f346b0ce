/* Bytes as text, RFC 4648. */
#pragma once

#include "base/buffer.h"

/* The bytes that a text stands for, its padding there or not; false: it is none. bytes has room for text.size. */
bool base64_decode(bert_text text, unsigned char *bytes, size_t *n);
/* Appends the text of bytes, padded. */
void base64_encode(buffer *out, bert_text bytes);
