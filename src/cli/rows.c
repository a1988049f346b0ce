/* Rows of a table in, lines of results out. */
#include "cli/rows.h"
#include "cli/messages.h"

#include <string.h>
#include <unistd.h>

enum { CHUNK_MOST = 65536 };

const char *const LABEL_COLUMN[] = { "label_column", "label_names", "word_tags", NULL };

static const bert_option ROWS_OPTIONS[] = {
    OPTION_INT(rows_options, chunk, "0", 0, CHUNK_MOST, "N",
               "rows that are computed at a time; 1 answers each line of a pipe at once, 0 chooses"),
};

bert_option_table rows_option_table(void)
{
    return OPTION_TABLE(ROWS_OPTIONS);
}

size_t rows_most(const rows_options *options, size_t most)
{
    size_t chunk = (size_t)options->chunk;
    return chunk && chunk < most ? chunk : most;
}

bool rows_is_pair(const bert_rows *rows, size_t i)
{
    bert_text text = rows->pairs ? rows->pairs[i] : (bert_text){ 0 };
    size_t k = 0;
    while (k < text.size && (text.data[k] == ' ' || (text.data[k] >= '\t' && text.data[k] <= '\r')))
        k++;
    return k < text.size;
}

/* A person at a terminal gets an answer to each line. */
static bool greet_terminal(const char *path)
{
    if (strcmp(path, "-") || !isatty(STDIN_FILENO))
        return false;
    report_note("reading from the terminal, one text a line, a pair as a ||| b; Ctrl-D ends");
    return true;
}

size_t rows_chunk(const char *path, const rows_options *options, size_t most)
{
    return greet_terminal(path) ? 1 : rows_most(options, most);
}

void rows_note_table(bert_table *table)
{
    const char *note;
    for (size_t i = 0; (note = bert_table_note(table, i)); i++)
        report_note("%s", note);
}

void rows_note_dataset(const bert_dataset *dataset)
{
    const char *note;
    for (size_t i = 0; (note = bert_dataset_note(dataset, i)); i++)
        report_note("%s", note);
}

static int each_chunk(bert_table *table, size_t most, rows_write write, void *context, results *out, size_t *n)
{
    for (;;) {
        bert_rows rows;
        bert_err err;
        if (bert_table_next(table, most, &rows, &err))
            return report_failure(&err);
        if (!rows.n)
            return STATUS_FINE;
        if (write(context, &rows, out, &err))
            return report_failure(&err);
        if (results_flush(out))
            return STATUS_FAILED;
        *n += rows.n;
    }
}

int rows_each(const char *path, const rows_options *options, size_t most, rows_write write, void *context, results *out,
              size_t *n)
{
    *n = 0;
    path = path ? path : "-";
    bert_table *table;
    bert_err err;
    if (bert_table_open(path, &options->table, false, &table, &err))
        return report_failure(&err);
    int status = each_chunk(table, rows_chunk(path, options, most), write, context, out, n);
    rows_note_table(table);
    bert_table_close(table);
    return status;
}
