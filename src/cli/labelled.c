/* Tables with labels. */
#include "cli/labelled.h"

bert_head_spec labelled_head(const bert_model *model)
{
    bert_head_spec head;
    bert_head_defaults(&head);
    head.task = (int)bert_model_task(model);
    head.n_labels = bert_model_labels(model, &head.labels);
    return head;
}

bert_status labelled_load(const char *path, const bert_table_options *table, const bert_head_spec *head, bert_dataset **dataset, bert_err *err)
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
