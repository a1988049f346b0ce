/* Fuzz target: the first byte chooses a format and how it is read, where its highest bit says so the second one more,
 * the rest is the file. Any file: the rows and the error are the same however many rows are asked for at a time, and
 * lines go forward. Where bad rows are left out, those before the first bad one are the same. */
#include "bert.h"

#include "base/buffer.h"
#include "fuzz/expect.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_texts(buffer *out, const bert_text *texts, size_t i)
{
    if (texts) {
        buffer_printf(out, "%zu:", texts[i].size);
        buffer_add(out, texts[i].data, texts[i].size);
    }
    buffer_char(out, ';');
}

/* What was read of a table. */
typedef struct reading {
    buffer rows; /* as text */
    size_t skipped;
    bert_err err;
} reading;

static reading read_table(const char *path, const bert_table_options *options, bool want_labels, size_t most)
{
    reading out = { 0 };
    bert_table *table;
    bert_rows rows = { .n = 1 };
    bert_status s = bert_table_open(path, options, want_labels, &table, &out.err);
    for (size_t line = 0; !s && rows.n;) {
        s = bert_table_next(table, most, &rows, &out.err);
        expect(rows.n <= most && !(s && rows.n), "at most the rows that were asked for, and none with an error");
        for (size_t i = 0; i < rows.n; i++) {
            expect(rows.lines[i] >= line, "lines go forward");
            line = rows.lines[i];
            buffer_printf(&out.rows, "%zu:", line);
            add_texts(&out.rows, rows.texts, i);
            add_texts(&out.rows, rows.pairs, i);
            add_texts(&out.rows, rows.labels, i);
        }
    }
    for (size_t i = 0; table && i < 100; i++)
        expect(!bert_table_note(table, i) || (i < 20 && bert_table_note(table, i)[0]), "few notes, and none is empty");
    expect(s == out.err.code && (!s || out.err.message[0]), "an error has its code and its words");
    out.skipped = table ? bert_table_skipped(table) : 0;
    bert_table_close(table);
    return out;
}

static bool begins_with(const buffer *whole, const buffer *start)
{
    return whole->size >= start->size && (!start->size || !memcmp(whole->data, start->data, start->size));
}

/* Reads it in two ways that must give the same. */
static reading read_both(const char *path, const bert_table_options *options, bool want_labels)
{
    reading one = read_table(path, options, want_labels, 1), many = read_table(path, options, want_labels, 100);
    expect(one.rows.size == many.rows.size && begins_with(&one.rows, &many.rows) && one.skipped == many.skipped &&
               !strcmp(one.err.message, many.err.message),
           "the same rows however they are grouped");
    buffer_free(&many.rows);
    return one;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = { "tsv", "csv", "jsonl", "txt" };
    if (!size)
        return 0;
    bert_table_options options;
    bert_table_defaults(&options);
    bool conll = data[0] & 16, want_labels = data[0] & 8;
    options.format = conll ? "conll" : formats[data[0] & 3];
    options.no_header = data[0] & 4;
    options.text_columns = !(data[0] & 64) ? NULL : conll ? "2" : "1,2";
    options.label_column = conll && (data[0] & 32) ? "3" : NULL;
    if (data[0] & 128 && size > 1) {
        static const char *const encodings[] = { NULL,        "utf-8-drop",  "cp1252", "utf-16",
                                                 "shift_jis", "iso-2022-jp", "utf-7",  "euc-kr" };
        options.encoding = encodings[data[1] & 7];
        options.quoting = conll || (data[0] & 3) > 1 ? 0 : data[1] >> 3 & 3;
        options.label_names = data[1] & 32 ? "a,B-X,O" : NULL;
        options.word_tags = data[1] & 128;
        options.label_column = !conll && data[1] & 64 ? "label,b" : options.label_column;
        data++;
        size--;
    }

    char path[64];
    int file = memfd_create("table", MFD_CLOEXEC);
    expect(file >= 0 && write(file, data + 1, size - 1) == (ssize_t)(size - 1), "a file in memory");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    reading strict = read_both(path, &options, want_labels);
    options.skip_bad_rows = true;
    reading lenient = read_both(path, &options, want_labels);
    expect(!strict.skipped && begins_with(&lenient.rows, &strict.rows), "rows before the first bad one are the same");
    expect(strict.err.code || (!lenient.skipped && lenient.rows.size == strict.rows.size && !lenient.err.code),
           "good rows are not left out");
    buffer_free(&strict.rows);
    buffer_free(&lenient.rows);
    close(file);
    return 0;
}
