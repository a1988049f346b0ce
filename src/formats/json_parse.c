/* JSON into jansson's values: a reader of tokens, and a loop around it that keeps the open objects and arrays in a list
 * instead of on the stack. */
#include "formats/json_parse.h"

#include "base/buffer.h"
#include "base/options.h"
#include "base/utf8.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPEN = 200, MOST_NEAR = 20 };

/* A token: one of "{}[],:", or one of these. */
enum { END = 0, STRING = '"', WHOLE = '0', REAL = '.', TRUE = 't', FALSE = 'f', NOTHING = 'n', WRONG = '?' };

typedef struct parser {
    const char *begin, *token, *at, *end; /* token: where the one begins that ends at `at` */
    size_t flags;
    json_error_t *error;
    buffer text, key; /* of the last string or number; of the member that is under way */
    int kind;         /* of the token */
    int n_open;
    json_t *open[MOST_OPEN]; /* each in the one before it */
    json_t *root;
} parser;

/* ---- errors ---- */

/* Line and column of the token's last character, and the token, if it is short. */
static bool parser_wrong(parser *p, enum json_error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool parser_wrong(parser *p, enum json_error_code code, const char *format, ...)
{
    json_error_t *e = p->error;
    size_t room = sizeof e->text - 1, near = (size_t)(p->at - p->token); /* the last byte is the code */
    va_list args;
    va_start(args, format);
    int n = vsnprintf(e->text, room, format, args);
    va_end(args);
    if (code != json_error_out_of_memory && n > 0 && near <= MOST_NEAR)
        snprintf(e->text + n, room - (size_t)n, near ? " near '%.*s'" : " near end of file", (int)near, p->token);
    e->text[room] = (char)code;
    e->line = 1;
    e->column = 0;
    for (const char *c = p->begin; c < p->at; c++)
        if (*c == '\n')
            e->line++, e->column = 0;
        else
            e->column += ((unsigned char)*c & 0xC0) != 0x80;
    e->position = (int)(p->at - p->begin);
    return false;
}

static bool out_of_memory(parser *p)
{
    return parser_wrong(p, json_error_out_of_memory, "out of memory");
}

/* ---- tokens ---- */

/* Four hexadecimal digits behind \u; -1: there are none. */
static int32_t read_unit(parser *p)
{
    int32_t unit = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        static const char DIGITS[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = p->at < p->end && *p->at ? strchr(DIGITS, *p->at) : NULL;
        if (!digit)
            return -1;
        unit = unit << 4 | (int32_t)((digit - DIGITS) & 15);
    }
    return unit;
}

static bool read_escaped_unit(parser *p)
{
    int32_t high = read_unit(p), low = 0;
    unsigned char bytes[4];
    if (high < 0)
        return parser_wrong(p, json_error_invalid_syntax, "invalid escape");
    if (high >= 0xD800 && high < 0xDC00) {
        bool pair = p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u';
        p->at += pair ? 2 : 0;
        low = pair ? read_unit(p) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return parser_wrong(p, json_error_invalid_syntax, "invalid Unicode '\\u%04X'", (unsigned)high);
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    } else if (high >= 0xDC00 && high < 0xE000)
        return parser_wrong(p, json_error_invalid_syntax, "invalid Unicode '\\u%04X'", (unsigned)high);
    buffer_add(&p->text, bytes, utf8_encode((uint32_t)high, bytes));
    return true;
}

static bool read_escape(parser *p)
{
    static const char NAMES[] = "\"\\/bfnrt", CHARACTERS[] = "\"\\/\b\f\n\r\t";
    char name = p->at < p->end ? *p->at : 0;
    const char *found = name ? strchr(NAMES, name) : NULL;
    p->at += p->at < p->end;
    if (name == 'u')
        return read_escaped_unit(p);
    if (!found)
        return parser_wrong(p, json_error_invalid_syntax, "invalid escape");
    buffer_char(&p->text, CHARACTERS[found - NAMES]);
    return true;
}

static bool parse_string(parser *p)
{
    for (p->at++; p->at < p->end && *p->at != '"';) {
        const char *from = p->at;
        while (p->at < p->end && (unsigned char)*p->at >= ' ' && (unsigned char)*p->at < 0x80 && *p->at != '"' &&
               *p->at != '\\')
            p->at++;
        buffer_add(&p->text, from, (size_t)(p->at - from));
        if (p->at == p->end || *p->at == '"')
            break;
        unsigned char c = (unsigned char)*p->at;
        uint32_t character;
        size_t length = c >= 0x80 ? utf8_decode((const unsigned char *)p->at, (size_t)(p->end - p->at), &character) : 1;
        if (c >= 0x80 && !length)
            return parser_wrong(p, json_error_invalid_utf8, "unable to decode byte 0x%x", c);
        if (c == '\n')
            return parser_wrong(p, json_error_invalid_syntax, "unexpected newline");
        if (c < ' ')
            return parser_wrong(p, json_error_invalid_syntax, "control character 0x%x", c);
        p->at += length;
        if (c == '\\') {
            if (!read_escape(p))
                return false;
        } else
            buffer_add(&p->text, p->at - length, length);
    }
    if (p->at == p->end)
        return parser_wrong(p, json_error_premature_end_of_input, "premature end of input");
    p->at++;
    return true;
}

static bool read_digits(parser *p)
{
    const char *from = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return p->at > from;
}

/* Whether there is one of these characters, which is passed over. */
static bool parser_take(parser *p, const char *characters)
{
    bool there = p->at < p->end && *p->at && strchr(characters, *p->at);
    p->at += there;
    return there;
}

static int number_kind(parser *p)
{
    int kind = WHOLE;
    parser_take(p, "-");
    if (!parser_take(p, "0") && !read_digits(p))
        return WRONG;
    if (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        return WRONG;
    if (parser_take(p, ".")) {
        kind = REAL;
        if (!read_digits(p))
            return WRONG;
    }
    if (parser_take(p, "eE")) {
        kind = REAL;
        parser_take(p, "+-");
        if (!read_digits(p))
            return WRONG;
    }
    buffer_add(&p->text, p->token, (size_t)(p->at - p->token));
    return kind;
}

static int word_kind(parser *p)
{
    static const char *const WORDS[] = { "true", "false", "null" };
    while (p->at < p->end && ((*p->at >= 'a' && *p->at <= 'z') || (*p->at >= 'A' && *p->at <= 'Z')))
        p->at++;
    size_t n = (size_t)(p->at - p->token);
    for (int i = 0; i < 3; i++)
        if (n == strlen(WORDS[i]) && !memcmp(p->token, WORDS[i], n))
            return *WORDS[i];
    p->at += !n;
    return WRONG;
}

/* The next token, WRONG where there is none; false where a string is wrong, with the error. */
static bool next(parser *p)
{
    while (p->at < p->end && *p->at && strchr(" \t\r\n", *p->at))
        p->at++;
    p->token = p->at;
    buffer_clear(&p->text);
    char c = p->at < p->end ? *p->at : 0;
    if (p->at == p->end) {
        while (p->at > p->begin && strchr(" \t\r\n", p->at[-1])) /* the error stands at the last character */
            p->at--;
        p->token = p->at;
        p->kind = END;
    } else if (c && strchr("{}[],:", c)) {
        p->at++;
        p->kind = c;
    } else if (c == '"') {
        p->kind = STRING;
        if (!parse_string(p))
            return false;
    } else if (c == '-' || (c >= '0' && c <= '9'))
        p->kind = number_kind(p);
    else
        p->kind = word_kind(p);
    return p->text.failed ? out_of_memory(p) : true;
}

/* ---- values ---- */

static json_t *number_value(const parser *p)
{
    double real = 0;
    errno = 0;
    long long whole = strtoll(p->text.data, NULL, 10);
    if (p->kind == WHOLE && errno != ERANGE)
        return json_integer(whole);
    number_read(p->text.data, &real);
    return json_real(isinf(real) ? copysign(DBL_MAX, real) : real);
}

/* The value that the token is, or begins; NULL with the error. */
static json_t *token_value(parser *p)
{
    json_t *value = NULL;
    switch (p->kind) {
    case '{':
        value = json_object();
        break;
    case '[':
        value = json_array();
        break;
    case STRING:
        if (!(p->flags & JSON_ALLOW_NUL) && p->text.size && memchr(p->text.data, 0, p->text.size)) {
            parser_wrong(p, json_error_null_character, "\\u0000 is not allowed without JSON_ALLOW_NUL");
            return NULL;
        }
        value = json_stringn_nocheck(p->text.size ? p->text.data : "", p->text.size);
        break;
    case WHOLE:
    case REAL:
        value = number_value(p);
        break;
    case TRUE:
        return json_true();
    case FALSE:
        return json_false();
    case NOTHING:
        return json_null();
    default:
        parser_wrong(p, json_error_invalid_syntax, p->kind == WRONG ? "invalid token" : "unexpected token");
        return NULL;
    }
    if (!value)
        out_of_memory(p);
    return value;
}

/* Puts a value, which is taken, where it belongs. */
static bool parser_place(parser *p, json_t *value)
{
    json_t *in = p->n_open ? p->open[p->n_open - 1] : NULL;
    if (!in)
        p->root = value;
    else if (json_is_array(in) ? json_array_append_new(in, value) : json_object_set_new_nocheck(in, p->key.data, value))
        return out_of_memory(p);
    return true;
}

/* A member's key, which is the token, and the colon. */
static bool read_key(parser *p)
{
    const json_t *in = p->open[p->n_open - 1];
    if (p->kind != STRING)
        return parser_wrong(p, json_error_invalid_syntax, "string or '}' expected");
    if (p->text.size && memchr(p->text.data, 0, p->text.size))
        return parser_wrong(p, json_error_null_byte_in_key, "NUL byte in object key not supported");
    buffer_clear(&p->key);
    buffer_add(&p->key, p->text.data, p->text.size);
    if (p->key.failed)
        return out_of_memory(p);
    if (p->flags & JSON_REJECT_DUPLICATES && json_object_get(in, p->key.data))
        return parser_wrong(p, json_error_duplicate_key, "duplicate object key");
    if (!next(p))
        return false;
    return p->kind == ':' || parser_wrong(p, json_error_invalid_syntax, "':' expected");
}

/* With a value's first token at hand: reads it up to where another value begins, or with nothing open to where the
 * whole ends. */
static bool read_value(parser *p)
{
    json_t *value = token_value(p);
    if (!value || !parser_place(p, value))
        return false;
    bool fresh = json_is_object(value) || json_is_array(value);
    if (fresh && p->n_open == MOST_OPEN)
        return parser_wrong(p, json_error_stack_overflow, "maximum parsing depth reached");
    if (fresh)
        p->open[p->n_open++] = value;
    while (p->n_open) {
        bool object = json_is_object(p->open[p->n_open - 1]);
        if (!next(p))
            return false;
        if (p->kind == (object ? '}' : ']')) {
            p->n_open--;
            fresh = false;
            continue;
        }
        if (!fresh && p->kind != ',')
            return parser_wrong(p, json_error_invalid_syntax, object ? "'}' expected" : "']' expected");
        if (!fresh && !next(p))
            return false;
        return object ? read_key(p) && next(p) : true;
    }
    return true;
}

static bool parse_whole_number(parser *p)
{
    if (!next(p))
        return false;
    if (!(p->flags & JSON_DECODE_ANY) && p->kind != '{' && p->kind != '[')
        return parser_wrong(p, json_error_invalid_syntax, "'[' or '{' expected");
    do
        if (!read_value(p))
            return false;
    while (p->n_open);
    if (!next(p))
        return false;
    return p->kind == END || parser_wrong(p, json_error_end_of_input_expected, "end of file expected");
}

json_t *json_parse(const char *bytes, size_t n, size_t flags, json_error_t *error)
{
    size_t mark = n >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
    parser p = { .begin = bytes + mark,
                 .token = bytes + mark,
                 .at = bytes + mark,
                 .end = bytes + n,
                 .flags = flags,
                 .error = error };
    *error = (json_error_t){ .line = 1 };
    if (!parse_whole_number(&p)) {
        json_decref(p.root);
        p.root = NULL;
    }
    buffer_free(&p.text);
    buffer_free(&p.key);
    return p.root;
}
