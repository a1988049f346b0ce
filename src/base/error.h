/* How a function fails: it fills the caller's bert_err and returns the code. */
#pragma once

#include "bert.h"

#include <math.h>

/* Fills err (NULL is fine) and returns code, so that `return fail(err, BERT_ERR_FORMAT, "%s: ...", path)` is one
 * line. */
bert_status fail(bert_err *err, bert_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As fail, with ": " and the words of errno (as it is at the call) behind the message; the code is BERT_ERR_IO. */
bert_status fail_errno(bert_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Out of memory while making `what`. */
bert_status fail_memory(bert_err *err, const char *what);

/* As fail, for what another library could not do without saying why: where errno is ENOMEM, as malloc leaves it, memory
 * ran out. The caller has set errno to 0 before the call. */
bert_status fail_elsewhere(bert_err *err, bert_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before a message that a deeper function has filled. Returns err's code. */
bert_status fail_in(bert_err *err, bert_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A number for a message: NaN has no sign that means anything, and printf would print one. */
static inline double plain_nan(double x)
{
    return isnan(x) ? fabs((double)NAN) : x;
}
