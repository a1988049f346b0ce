/* How a function fails. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bert_status fail(bert_err *err, bert_status code, const char *format, ...)
{
    if (!err)
        return code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->code = code;
    return code;
}

bert_status fail_errno(bert_err *err, const char *format, ...)
{
    int number = errno;
    char what[sizeof err->message], words[128];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return fail(err, BERT_ERR_IO, "%s: %s", what, strerror_r(number, words, sizeof words));
}

bert_status fail_memory(bert_err *err, const char *what)
{
    return fail(err, BERT_ERR_MEMORY, "out of memory: %s", what);
}

bert_status fail_elsewhere(bert_err *err, bert_status code, const char *format, ...)
{
    bool memory = errno == ENOMEM;
    char what[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return memory ? fail_memory(err, what) : fail(err, code, "%s", what);
}

bert_status fail_in(bert_err *err, bert_status code, const char *format, ...)
{
    char what[sizeof err->message];
    bert_err inner = err ? *err : (bert_err){ 0 };
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return fail(err, code, "%s: %s", what, inner.message);
}

/* The message behind "row N: "; NULL: it is about no row. */
static const char *behind_row(const bert_err *err, size_t *row)
{
    int words = 0;
    return sscanf(err->message, "row %zu: %n", row, &words) == 1 && words ? err->message + words : NULL;
}

bool bert_err_row(const bert_err *err, size_t *row)
{
    return behind_row(err, row) != NULL;
}

void bert_err_place(bert_err *err, const char *place)
{
    size_t row;
    const char *what = behind_row(err, &row);
    bert_err named = *err;
    if (what)
        fail(&named, err->code, "%s: %s", place, what);
    *err = named;
}

const char *bert_status_name(bert_status status)
{
    static const char *const NAMES[] = { "BERT_OK",         "BERT_ERR_ARGUMENT", "BERT_ERR_MEMORY",
                                         "BERT_ERR_IO",     "BERT_ERR_FORMAT",   "BERT_ERR_UNSUPPORTED",
                                         "BERT_ERR_DATA",   "BERT_ERR_NETWORK",  "BERT_ERR_NUMERIC",
                                         "BERT_ERR_STOPPED" };
    return (size_t)status < sizeof NAMES / sizeof *NAMES ? NAMES[status] : "unknown status";
}
