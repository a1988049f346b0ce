/* The bytes of a table as UTF-8: passed on, decoded from another encoding by the system's iconv, or freed of what is
 * not UTF-8. */
#pragma once

#include "tables/table_stream.h"

typedef enum table_decoding {
    DECODING_NONE, /* passed on as it is: who reads it looks whether it is UTF-8 */
    DECODING_DROP, /* bytes that are not UTF-8 are left out and counted */
    DECODING_ICONV
} table_decoding;

/* All zero is closed. */
typedef struct table_text {
    table_stream stream;
    table_decoding how;
    const char *encoding; /* what it is decoded from; NULL: nobody said, and it is UTF-8 */
    bool marked;          /* the file's byte order mark said so */
    void *converter;      /* iconv_t */
    unsigned char *input; /* bytes of the stream: */
    size_t at, n;         /* input[at .. n) are still to be decoded */
    bool ended;           /* the stream has no more than those */
    size_t dropped;       /* bytes that were left out */
    bool broken;          /* input[at] begins no character of the encoding: there is no more text */
    bool cut;             /* because the file ends within it */
} table_text;

/* encoding: NULL for UTF-8, or what a byte order mark at the start tells; "utf-8-drop"; a name that iconv knows. A byte
 * order mark is passed over. Fails as table_stream_open; with BERT_ERR_ARGUMENT for a name that iconv does not know;
 * with BERT_ERR_DATA for a file whose mark says another encoding, or which is of another one by its zeros or
 * escapes. */
bert_status table_text_open(table_text *t, const char *path, const char *encoding, bert_err *err);

/* At least one byte, at most room (256 or more) of them; *n is 0 at the end, and where the text is broken. Fails as
 * table_stream_read. */
bert_status table_text_read(table_text *t, char *to, size_t room, size_t *n, bert_err *err);

/* Whether reading would have to wait for whoever writes the other end of a pipe. */
bool table_text_would_wait(const table_text *t);

/* Bytes of the file that have been used, where `ahead` bytes of the text are still to be. */
uint64_t table_text_used(const table_text *t, size_t ahead);

/* The error of a broken text, which stands in this line and column. */
bert_status table_text_broken(const table_text *t, size_t line, size_t column, bert_err *err);

void table_text_close(table_text *t);
