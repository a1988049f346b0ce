/* The words of byte-level BPE, by GPT-2's pattern:
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * and the characters that its vocabularies write for bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The end of the word that begins at `at`; size > at. */
size_t byte_word_end(const unsigned char *text, size_t at, size_t size);

/* The character that stands for a byte: itself where it is printed, else one from U+0100 on. */
uint32_t byte_character(unsigned char byte);
