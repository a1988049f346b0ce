/* Fuzz target: the first byte chooses a format and how it is read, the rest is the file. Any file: the rows and the error are the same
 * however many rows are asked for at a time, and lines go forward. */
#include "bert.h"

#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise ends the run, with its words. */
static void expect(bool kept, const char *promise)
{
    if (kept)
        return;
    fprintf(stderr, "not kept: %s\n", promise);
    abort();
}

static void add_texts(buffer *out, const bert_text *texts, size_t i)
{
    if (texts) {
        buffer_printf(out, "%zu:", texts[i].size);
        buffer_add(out, texts[i].data, texts[i].size);
    }
    buffer_char(out, ';');
}

/* All rows, and the error at their end, as text. */
static void read_table(const char *path, const bert_table_options *options, bool want_labels, size_t most, buffer *out)
{
    bert_table *table;
    bert_rows rows = { .n = 1 };
    bert_err err = { 0 };
    bert_status s = bert_table_open(path, options, want_labels, &table, &err);
    for (size_t line = 0; !s && rows.n;) {
        s = bert_table_next(table, most, &rows, &err);
        expect(rows.n <= most && !(s && rows.n), "at most the rows that were asked for, and none with an error");
        for (size_t i = 0; i < rows.n; i++) {
            expect(rows.lines[i] > line, "lines go forward");
            line = rows.lines[i];
            buffer_printf(out, "%zu:", line);
            add_texts(out, rows.texts, i);
            add_texts(out, rows.pairs, i);
            add_texts(out, rows.labels, i);
        }
    }
    expect(s == err.code && (!s || err.message[0]), "an error has its code and its words");
    buffer_string(out, err.message);
    bert_table_close(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = { "tsv", "csv", "jsonl", "txt" };
    static const size_t most[] = { 1, 100 };
    if (!size)
        return 0;
    bert_table_options options;
    bert_table_defaults(&options);
    options.format = formats[data[0] & 3];
    options.no_header = data[0] & 4;
    options.text_columns = data[0] & 64 ? "1,2" : NULL;
    bool want_labels = data[0] & 8;

    char path[64];
    int file = memfd_create("table", MFD_CLOEXEC);
    expect(file >= 0 && write(file, data + 1, size - 1) == (ssize_t)(size - 1), "a file in memory");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    buffer read[2] = { 0 };
    for (int i = 0; i < 2; i++)
        read_table(path, &options, want_labels, most[i], &read[i]);
    expect(read[0].size == read[1].size && (!read[0].size || !memcmp(read[0].data, read[1].data, read[0].size)),
           "the same rows however they are grouped");
    buffer_free(&read[0]);
    buffer_free(&read[1]);
    close(file);
    return 0;
}
