/* Where results go. */
#include "cli/command.h"
#include "cli/report.h"
#include "cli/results.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool results_special(const char *path)
{
    struct stat st;
    return !stat(path, &st) && !S_ISREG(st.st_mode);
}

int results_open(results *r, const char *path)
{
    *r = (results){ .stream = stdout };
    if (!path || !strcmp(path, "-"))
        return STATUS_FINE;
    r->path = strdup(path);
    r->stream = r->path ? fopen(path, "we") : NULL;
    if (r->stream)
        return STATUS_FINE;
    int status = report_error("%s: %s", path, strerror(errno));
    free(r->path);
    return status;
}

/* Remembers why the first write failed: stdio only knows that one did. */
void results_bytes(results *r, const void *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, r->stream) != n && !r->error)
        r->error = errno;
}

void results_string(results *r, const char *string)
{
    results_bytes(r, string, strlen(string));
}

void results_line(results *r, const char *string)
{
    size_t n = strlen(string);
    results_string(r, string);
    results_string(r, n && string[n - 1] == '\n' ? "" : "\n");
}

void results_printf(results *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vfprintf(r->stream, format, args) < 0 && !r->error)
        r->error = errno;
    va_end(args);
}

/* The bytes of the UTF-8 character at p, 0 where there is none. Overlong forms, surrogates and what lies beyond U+10FFFF are none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f, beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : n;
}

/* How many bytes from p on stand in a JSON string as they are. */
static size_t plain_length(const unsigned char *p, size_t n)
{
    size_t i = 0;
    for (size_t length; i < n; i += length) {
        length = utf8_length(p + i, n - i);
        if (!length || p[i] < 0x20 || p[i] == 0x7f || p[i] == '"' || p[i] == '\\')
            break;
    }
    return i;
}

void results_json_string(results *r, const char *bytes, size_t n)
{
    const unsigned char *p = (const unsigned char *)bytes;
    results_string(r, "\"");
    for (size_t i = 0; i < n; i++) {
        size_t plain = plain_length(p + i, n - i);
        results_bytes(r, bytes + i, plain);
        i += plain;
        if (i == n)
            break;
        if (p[i] >= 0x80)
            results_string(r, "\\ufffd");
        else if (p[i] == '"' || p[i] == '\\')
            results_printf(r, "\\%c", p[i]);
        else
            results_printf(r, "\\u%04x", p[i]);
    }
    results_string(r, "\"");
}

void results_tsv(results *r, const char *bytes, size_t n)
{
    static const char SPECIAL[] = "\t\n\r\\", LETTERS[] = "tnr\\";
    for (size_t i = 0, plain; i < n; i += plain + 1) {
        for (plain = 0; i + plain < n && (!bytes[i + plain] || !strchr(SPECIAL, bytes[i + plain])); plain++) {
        }
        results_bytes(r, bytes + i, plain);
        if (i + plain < n)
            results_printf(r, "\\%c", LETTERS[strchr(SPECIAL, bytes[i + plain]) - SPECIAL]);
    }
}

void results_number(results *r, double x)
{
    if (isfinite(x))
        results_printf(r, "%.9g", x);
    else
        results_string(r, "null");
}

void results_numbers(results *r, const float *x, size_t n, const char *between)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            results_string(r, between);
        results_number(r, x[i]);
    }
}

bool results_push(results *r)
{
    if (fflush(r->stream) && !r->error)
        r->error = errno;
    return !r->error;
}

int results_flush(results *r)
{
    if (results_push(r))
        return STATUS_FINE;
    if (r->error == EPIPE)
        return STATUS_FAILED;
    return report_error("%s: %s", r->path ? r->path : "standard output", strerror(r->error));
}

int results_close(results *r, int status)
{
    if (!status)
        status = results_flush(r);
    else
        fflush(r->stream); /* what went wrong has been told already */
    if (r->path && fclose(r->stream) && !status)
        status = report_error("%s: %s", r->path, strerror(errno));
    free(r->path);
    return status;
}
