/* Tables in memory. */
#include "cli/labelled.h"
#include "cli/rows.h"

#include <stdio.h>
#include <stdlib.h>

enum { UNLABELLED_MOST = 1 << 16 };

bert_head_spec labelled_head(const bert_model *model)
{
    bert_head_spec head;
    bert_head_defaults(&head);
    head.task = (int)bert_model_task(model);
    head.n_labels = bert_model_labels(model, &head.labels);
    return head;
}

bert_status labelled_load(const char *path, const bert_table_options *table, const bert_head_spec *head,
                          bert_dataset **dataset, bert_err *err)
{
    bert_dataset *all = NULL;
    bert_table_options options = *table;
    options.word_tags |= bert_task_facts_of((bert_task)head->task).words;
    bert_status s = bert_dataset_load(path, &options, &all, err);
    if (s || !table->skip_bad_rows) {
        *dataset = all;
        return s;
    }
    s = bert_dataset_suited(all, head, dataset, err);
    bert_dataset_free(all);
    return s;
}

/* The rows of a data set have labels. */
static bert_status without_labels(const bert_rows *rows, bert_dataset **dataset, bert_err *err)
{
    bert_text *labels = calloc(rows->n, sizeof *labels);
    *err = (bert_err){ BERT_ERR_MEMORY, "out of memory: texts" };
    bert_status s = labels ? bert_dataset_create(rows->texts, rows->pairs, labels, rows->n, dataset, err) : err->code;
    free(labels);
    return s;
}

bert_status unlabelled_load(const char *path, const bert_table_options *options, bert_dataset **dataset, bert_err *err)
{
    bert_table *table = NULL;
    bert_rows rows = { 0 };
    bert_status s = bert_table_open(path, options, false, &table, err);
    if (!s)
        s = bert_table_next(table, UNLABELLED_MOST, &rows, err);
    if (!s)
        rows_note_table(table);
    if (!s && rows.n) {
        s = without_labels(&rows, dataset, err);
    } else if (!s) {
        s = err->code = BERT_ERR_DATA;
        snprintf(err->message, sizeof err->message, "%s: no rows", path);
    }
    bert_table_close(table);
    return s;
}
