/* What is added to the scores of attention by how far a key stands from its query: a number for each head and bucket of
 * distances. Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer" (2020),
 * section 2.1: near distances have a bucket each, further ones share them by their logarithm. */
#pragma once

#include <stddef.h>

/* Buckets of both sides; distances from the last on are in the outermost. */
enum { RELATIVE_BUCKETS = 32, RELATIVE_SPAN = 128 };

/* Of a key `distance` places behind its query; below 0: before it. */
size_t relative_bucket(ptrdiff_t distance);

/* bias (heads, 2 RELATIVE_SPAN + 1), as attention_rule has it, from the table (RELATIVE_BUCKETS, heads). */
void relative_bias_spread(float *bias, const float *table, size_t heads);

/* dtable += the gradient by the table, given that by the bias. */
void relative_bias_backward(float *dtable, const float *dbias, size_t heads);
