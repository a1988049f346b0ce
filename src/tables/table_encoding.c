/* The bytes of a table as UTF-8. */
#include "tables/table_encoding.h"

#include "base/utf8.h"
#include "tables/encoding_guess.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INPUT_SIZE = 1 << 16 };

/* ---- input ------------------------------------------------------------------------------------------------------- */

static bert_status table_text_fill(table_text *t, bert_err *err)
{
    size_t n = 0;
    if (t->at)
        memmove(t->input, t->input + t->at, t->n - t->at);
    t->n -= t->at;
    t->at = 0;
    bert_status s = table_stream_read(&t->stream, (char *)t->input + t->n, INPUT_SIZE - t->n, &n, err);
    t->ended = !s && n == 0;
    t->n += n;
    return s;
}

/* ---- which encoding ---------------------------------------------------------------------------------------------- */

/* A mark that another begins with stands behind it. */
static const struct mark {
    const char *bytes;
    size_t size;
    const char *family, *encoding;
} MARKS[] = {
    { "\xEF\xBB\xBF", 3, "utf8", NULL },        { "\xFF\xFE\0\0", 4, "utf32", "utf-32le" },
    { "\0\0\xFE\xFF", 4, "utf32", "utf-32be" }, { "\xFF\xFE", 2, "utf16", "utf-16le" },
    { "\xFE\xFF", 2, "utf16", "utf-16be" },
};
enum { N_MARKS = sizeof MARKS / sizeof *MARKS, MARK_MOST = 4 };

/* Whether the first n bytes may be the beginning of a mark that is longer. */
static bool begins_mark(const unsigned char *bytes, size_t n)
{
    bool begins = n == 0;
    for (size_t i = 0; i < N_MARKS; i++)
        begins |= n < MARKS[i].size && !memcmp(bytes, MARKS[i].bytes, n);
    return begins;
}

static const struct mark *find_mark(const table_text *t)
{
    for (size_t i = 0; i < N_MARKS; i++)
        if (t->n >= MARKS[i].size && !memcmp(t->input, MARKS[i].bytes, MARKS[i].size))
            return &MARKS[i];
    return NULL;
}

/* "UTF-16LE" is of the family "utf16". */
static bool is_of_family(const char *encoding, const char *family)
{
    for (; *family; encoding++) {
        if (*encoding == '-' || *encoding == '_')
            continue;
        if ((*encoding | 0x20) != (*family | 0x20))
            return false;
        family++;
    }
    return true;
}

/* Python's spellings, "latin-1" and "utf_16_le", are tried as iconv's. */
static iconv_t open_spelling(const char *name)
{
    char dashes[64], bare[64];
    size_t n = 0;
    iconv_t converter = iconv_open("UTF-8", name);
    if (converter != (iconv_t)-1 || errno != EINVAL || strlen(name) >= sizeof dashes)
        return converter;
    for (size_t i = 0; i <= strlen(name); i++) {
        dashes[i] = name[i] == '_' ? '-' : name[i];
        if (dashes[i] != '-')
            bare[n++] = dashes[i];
    }
    converter = iconv_open("UTF-8", dashes);
    return converter == (iconv_t)-1 && errno == EINVAL ? iconv_open("UTF-8", bare) : converter;
}

static bert_status open_converter(table_text *t, bert_err *err)
{
    bool plain = t->encoding[0];
    for (const char *p = t->encoding; *p; p++) /* "cp1252//IGNORE" would drop in silence */
        plain &= *p != '/' && *p > ' ' && *p < 127;
    iconv_t converter = plain ? open_spelling(t->encoding) : (iconv_t)-1;
    if (converter == (iconv_t)-1 && plain && errno == ENOMEM)
        return fail_memory(err, t->stream.name);
    if (converter != (iconv_t)-1) {
        t->converter = converter;
        return BERT_OK;
    }
    iconv_t usual = iconv_open("UTF-8", "ISO-8859-1");
    bool tables = usual != (iconv_t)-1;
    if (tables)
        iconv_close(usual);
    return fail(err, BERT_ERR_ARGUMENT, "%s: --encoding: \"%.100s\" is %s", t->stream.name, t->encoding,
                tables ? "neither utf-8, utf-8-drop nor a name that iconv knows (iconv -l lists them)"
                       : "not to be had here: this system lacks the tables of encodings (glibc's gconv modules); turn "
                         "the file into UTF-8 elsewhere");
}

static bool is_utf8(const char *encoding)
{
    static const char *const NAMES[] = { "utf-8", "utf8", "utf_8", "utf-8-sig" };
    bool utf8 = !encoding;
    for (size_t i = 0; !utf8 && i < sizeof NAMES / sizeof *NAMES; i++)
        utf8 = !strcasecmp(encoding, NAMES[i]);
    return utf8;
}

static bert_status choose_decoding(table_text *t, const char *encoding, bert_err *err)
{
    const struct mark *mark = find_mark(t);
    bool drop = encoding && !strcasecmp(encoding, "utf-8-drop");
    const char *disguised = mark || encoding ? NULL : encoding_in_disguise(t->input, t->n);
    if (disguised)
        return fail(err, BERT_ERR_DATA, "%s: looks like %s: --encoding %s reads it", t->stream.name, disguised,
                    disguised);
    if (mark && encoding && !is_of_family(encoding, mark->family))
        return fail(err, BERT_ERR_DATA,
                    "%s: begins with the byte order mark of %s, and --encoding says %.100s; leave it out",
                    t->stream.name, mark->encoding ? mark->encoding : "UTF-8", encoding);
    t->at = mark ? mark->size : 0;
    t->marked = mark && mark->encoding && !encoding;
    t->encoding = mark && mark->encoding ? mark->encoding : encoding;
    t->how = drop ? DECODING_DROP : is_utf8(t->encoding) ? DECODING_NONE : DECODING_ICONV;
    return t->how == DECODING_ICONV ? open_converter(t, err) : BERT_OK;
}

bert_status table_text_open(table_text *t, const char *path, const char *encoding, bert_err *err)
{
    *t = (table_text){ .input = malloc(INPUT_SIZE) };
    bert_status s = t->input ? table_stream_open(&t->stream, path, err) : fail_memory(err, path);
    while (!s && !t->ended && t->n < MARK_MOST && begins_mark(t->input, t->n))
        s = table_text_fill(t, err);
    if (!s)
        s = choose_decoding(t, encoding, err);
    if (s)
        table_text_close(t);
    return s;
}

/* ---- decoding ---------------------------------------------------------------------------------------------------- */

/* Copies what is UTF-8. */
static size_t drop(table_text *t, char *to, size_t room)
{
    enum { LONGEST = 4 };
    size_t out = 0;
    uint32_t cp;
    while (t->at < t->n && room - out >= LONGEST) {
        const unsigned char *from = t->input + t->at;
        size_t left = t->n - t->at, sound = utf8_sound(from, left < room - out ? left : room - out);
        memcpy(to + out, from, sound);
        out += sound;
        t->at += sound;
        from += sound;
        left -= sound;
        if (!left || utf8_decode(from, left, &cp))
            continue; /* there was no room for more */
        if (!t->ended && utf8_begins(from, left))
            break; /* more bytes decide */
        t->at++;
        t->dropped++;
    }
    return out;
}

/* Nothing may come out where the encoding has states, or where a character is not whole yet. */
static size_t convert(table_text *t, char *to, size_t room)
{
    char *in = (char *)t->input + t->at, *out = to;
    size_t left = t->n - t->at, free_room = room;
    bool last = !left && t->ended;
    size_t result = iconv(t->converter, last ? NULL : &in, &left, &out, &free_room);
    t->cut = result == (size_t)-1 && errno == EINVAL && t->ended;
    t->broken = t->cut || (result == (size_t)-1 && errno == EILSEQ);
    t->at = t->n - left;
    return room - free_room;
}

bert_status table_text_read(table_text *t, char *to, size_t room, size_t *n, bert_err *err)
{
    *n = 0;
    if (t->how == DECODING_NONE && t->at == t->n)
        return t->ended ? BERT_OK : table_stream_read(&t->stream, to, room, n, err);
    if (t->how == DECODING_NONE) {
        *n = t->n - t->at < room ? t->n - t->at : room;
        memcpy(to, t->input + t->at, *n);
        t->at += *n;
        return BERT_OK;
    }
    while (!t->broken) {
        bert_status s;
        size_t before = t->at;
        *n = t->how == DECODING_DROP ? drop(t, to, room) : convert(t, to, room);
        if (*n || (t->ended && t->at == t->n))
            return BERT_OK;
        if (t->at == before && !t->broken && !t->ended && (s = table_text_fill(t, err)))
            return s;
    }
    return BERT_OK;
}

bert_status table_text_broken(const table_text *t, size_t line, size_t column, bert_err *err)
{
    if (t->cut)
        return fail(err, BERT_ERR_DATA, "%s:%zu:%zu: the file ends within a character of %s", t->stream.name, line,
                    column, t->encoding);
    return fail(err, BERT_ERR_DATA, "%s:%zu:%zu: byte 0x%02X begins no character of %s; is that the file's encoding?",
                t->stream.name, line, column, t->input[t->at], t->encoding);
}

bool table_text_would_wait(const table_text *t)
{
    return t->at == t->n && table_stream_would_wait(&t->stream);
}

uint64_t table_text_used(const table_text *t, size_t ahead)
{
    /* Unpacked and decoded bytes are none of the file's. */
    return table_stream_used(&t->stream) - (t->stream.gzip ? 0 : t->n - t->at + (t->how == DECODING_NONE ? ahead : 0));
}

void table_text_close(table_text *t)
{
    table_stream_close(&t->stream);
    if (t->converter)
        iconv_close(t->converter);
    free(t->input);
    *t = (table_text){ 0 };
}
