/* Options structs as data: every field is read, checked and printed by its row. Numbers are read and printed as in the
 * C locale, whatever the program has set. */
#include "base/options.h"

#include "base/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLAG_SIZE = 64 };

/* "n_tune_layers" as the user types it: "--n-tune-layers" */
static const char *flag(const char *name, char out[FLAG_SIZE])
{
    snprintf(out, FLAG_SIZE, "--%s", name);
    for (char *p = out; *p; p++)
        if (*p == '_')
            *p = '-';
    return out;
}

static bool option_is_named(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
            return false;
    return *a == *b;
}

const bert_option *option_find(bert_option_table table, const char *name)
{
    for (size_t i = 0; i < table.n; i++)
        if (option_is_named(table.options[i].name, name))
            return &table.options[i];
    return NULL;
}

/* ---- numbers ---- */

locale_t plain_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc hands out a constant here: cannot fail, nothing to free */
}

void number_text(buffer *out, double number)
{
    char text[32];
    locale_t before = uselocale(plain_locale());
    bool whole = number == trunc(number) && fabs(number) < 1e15; /* 100, not 1e+02 */
    for (int digits = whole ? 15 : 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    uselocale(before);
    buffer_string(out, text);
}

bool number_read(const char *text, double *number)
{
    char *end;
    *number = strtod_l(text, &end, plain_locale());
    return end != text && !*end;
}

/* A bound without end is left out of the message: "at least 0". */
static bert_status out_of_range(const bert_option *o, const char *value, bert_err *err)
{
    char name[FLAG_SIZE];
    buffer range = { 0 };
    bool low = o->min > -0x1p63, high = o->max < 0x1p63;
    buffer_string(&range, low && high ? "" : low ? "at least " : high ? "at most " : "too large");
    if (low)
        number_text(&range, o->min);
    if (low && high)
        buffer_string(&range, " to ");
    if (high)
        number_text(&range, o->max);
    bert_status s = range.failed ? fail_memory(err, "a message")
                                 : fail(err, BERT_ERR_ARGUMENT, "%s: %s is out of range, %s", flag(o->name, name),
                                        value, range.data);
    buffer_free(&range);
    return s;
}

static bool in_range(const bert_option *o, double v)
{
    return v >= o->min && v <= o->max; /* false for NaN */
}

/* ---- reading, one function a type: text to field ---- */

static bert_status option_read_bool(const bert_option *o, const char *value, void *field, bert_err *err)
{
    static const char *const words[] = { "false", "true", "no", "yes", "0", "1" };
    char name[FLAG_SIZE];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(value, words[i]))
            return *(bool *)field = i % 2, BERT_OK;
    return fail(err, BERT_ERR_ARGUMENT, "%s: \"%s\" is neither true nor false", flag(o->name, name), value);
}

static bert_status option_read_int(const bert_option *o, const char *value, void *field, bert_err *err)
{
    char name[FLAG_SIZE], *end;
    errno = 0;
    int64_t v = strtoll(value, &end, 10);
    if (end == value || *end)
        return fail(err, BERT_ERR_ARGUMENT, "%s: \"%s\" is not a whole number", flag(o->name, name), value);
    if (errno || !in_range(o, (double)v))
        return out_of_range(o, value, err);
    *(int64_t *)field = v;
    return BERT_OK;
}

static bert_status option_read_float(const bert_option *o, const char *value, void *field, bert_err *err)
{
    char name[FLAG_SIZE];
    double v;
    if (!number_read(value, &v))
        return fail(err, BERT_ERR_ARGUMENT, "%s: \"%s\" is not a number", flag(o->name, name), value);
    if (!isfinite(v) || !in_range(o, v))
        return out_of_range(o, value, err);
    *(double *)field = v;
    return BERT_OK;
}

static bert_status option_read_string(const bert_option *o, const char *value, void *field, bert_err *err)
{
    (void)o, (void)err;
    *(const char **)field = value;
    return BERT_OK;
}

static bert_status not_a_choice(const bert_option *o, const char *value, bert_err *err)
{
    char name[FLAG_SIZE];
    buffer words = { 0 };
    for (const char *const *c = o->choices; *c; c++)
        buffer_printf(&words, "%s%s", c == o->choices ? "" : ", ", *c);
    bert_status s = words.failed ? fail_memory(err, "a message")
                                 : fail(err, BERT_ERR_ARGUMENT, "%s: \"%s\" is not one of %s", flag(o->name, name),
                                        value, words.data);
    buffer_free(&words);
    return s;
}

static bert_status option_read_choice(const bert_option *o, const char *value, void *field, bert_err *err)
{
    for (int i = 0; o->choices[i]; i++)
        if (option_is_named(o->choices[i], value))
            return *(int *)field = i, BERT_OK;
    return not_a_choice(o, value, err);
}

/* ---- printing, one function a type: field to text ---- */

static bool print_bool(const bert_option *o, const void *field, buffer *out)
{
    (void)o;
    return buffer_string(out, *(const bool *)field ? "true" : "false"), true;
}

static bool print_int(const bert_option *o, const void *field, buffer *out)
{
    (void)o;
    return buffer_printf(out, "%" PRId64, *(const int64_t *)field), true;
}

static bool print_float(const bert_option *o, const void *field, buffer *out)
{
    (void)o;
    return number_text(out, *(const double *)field), true;
}

static bool print_string(const bert_option *o, const void *field, buffer *out)
{
    (void)o;
    const char *string = *(const char *const *)field;
    if (string)
        buffer_string(out, string);
    return string;
}

static bool print_choice(const bert_option *o, const void *field, buffer *out)
{
    int index = *(const int *)field, n = 0;
    while (o->choices[n])
        n++;
    if (index < 0 || index >= n)
        return false;
    return buffer_string(out, o->choices[index]), true;
}

static const struct {
    size_t size; /* of the field */
    bert_status (*read)(const bert_option *o, const char *value, void *field, bert_err *err);
    bool (*print)(const bert_option *o, const void *field, buffer *out);
} TYPES[] = {
    [BERT_OPTION_BOOL] = { sizeof(bool), option_read_bool, print_bool },
    [BERT_OPTION_INT] = { sizeof(int64_t), option_read_int, print_int },
    [BERT_OPTION_FLOAT] = { sizeof(double), option_read_float, print_float },
    [BERT_OPTION_STRING] = { sizeof(const char *), option_read_string, print_string },
    [BERT_OPTION_CHOICE] = { sizeof(int), option_read_choice, print_choice },
};

/* ---- structs ---- */

bool option_text(const void *options, const bert_option *o, buffer *out)
{
    return TYPES[o->type].print(o, (const char *)options + o->offset, out);
}

void bert_option_write(bert_buffer *out, const void *options, const bert_option *o)
{
    buffer value = { 0 };
    bool word = o->type == BERT_OPTION_STRING || o->type == BERT_OPTION_CHOICE;
    bool some = option_text(options, o, &value);
    out->failed |= value.failed;
    if (!some)
        buffer_string(out, "null");
    else if (word)
        field_json(out, value.data ? value.data : "", value.size);
    else
        buffer_add(out, value.data, value.size);
    buffer_free(&value);
}

void bert_options_defaults(void *options, bert_option_table table)
{
    for (size_t i = 0; i < table.n; i++) {
        const bert_option *o = &table.options[i];
        void *field = (char *)options + o->offset;
        memset(field, 0, TYPES[o->type].size);
        if (o->fallback)
            TYPES[o->type].read(o, o->fallback, field, NULL);
    }
}

bert_status bert_options_set(void *options, bert_option_table table, const char *name, const char *value, bert_err *err)
{
    char typed[FLAG_SIZE];
    const bert_option *o = option_find(table, name);
    if (!o)
        return fail(err, BERT_ERR_ARGUMENT, "%s: no such option", flag(name, typed));
    if (!value)
        return fail(err, BERT_ERR_ARGUMENT, "%s: a value is missing", flag(name, typed));
    return TYPES[o->type].read(o, value, (char *)options + o->offset, err);
}

/* A number or choice is checked by printing it and reading it again: there is one set of rules. */
bert_status options_check(const void *options, bert_option_table table, bert_err *err)
{
    bert_status s = BERT_OK;
    buffer text = { 0 };
    for (size_t i = 0; !s && i < table.n; i++) {
        const bert_option *o = &table.options[i];
        if (o->type == BERT_OPTION_BOOL || o->type == BERT_OPTION_STRING)
            continue;
        union {
            int64_t i;
            double f;
            int choice;
        } unused;
        buffer_clear(&text);
        if (!option_text(options, o, &text)) /* a choice beyond the words: its number is none of them */
            buffer_printf(&text, "%d", *(const int *)((const char *)options + o->offset));
        s = text.failed ? fail_memory(err, "a message") : TYPES[o->type].read(o, text.data, &unused, err);
    }
    buffer_free(&text);
    return s;
}
