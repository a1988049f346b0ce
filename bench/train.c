/* How fast a model trains: the last three layers, batches of 32, up to 64 tokens, one epoch.
 *
 *     bench_train [MODULE [TABLE [COLUMNS [LABEL [ROWS]]]]]
 *
 * Samples/s, useful GFLOP/s (see work.h) beside oneDNN's on this machine at this moment, and the most memory that was in use. */
#include "work.h"

#include <sys/resource.h>

enum { SEQ_LEN = 64, BATCH = 32 };

/* The first rows of a table with their labels, as a data set. */
static bert_dataset *read_dataset(const char *path, const char *columns, const char *label, size_t most, table_rows *r)
{
    bert_err err;
    bert_dataset *d;
    bert_table *table;
    bert_rows rows;
    bert_table_options options;
    bert_table_defaults(&options);
    options.text_columns = columns;
    options.label_column = label;
    *r = read_rows(path, columns, most);
    bert_text *labels = calloc(r->n, sizeof *labels);
    check(bert_table_open(path, &options, true, &table, &err), &err);
    for (size_t n = 0; n < r->n; n += rows.n) {
        check(bert_table_next(table, r->n - n, &rows, &err), &err);
        for (size_t i = 0; i < rows.n; i++)
            labels[n + i] = copy_text(rows.labels[i]);
    }
    bert_table_close(table);
    check(bert_dataset_create(r->texts, r->pairs, labels, r->n, &d, &err), &err);
    return d;
}

int main(int argc, char **argv)
{
    bert_err err;
    bert_model *model;
    bert_layer_spec spec;
    bert_train_options options;
    table_rows r;
    const char *const *labels;
    struct rusage usage;
    const char *module = argc > 1 ? argv[1] : default_module();
    bert_dataset *d = read_dataset(argc > 2 ? argv[2] : "../shared/data/qqp/train.tsv", argc > 3 ? argv[3] : "question1,question2",
                                   argc > 4 ? argv[4] : "is_duplicate", argc > 5 ? (size_t)atol(argv[5]) : 1000, &r);
    size_t n_labels = bert_dataset_labels(d, &labels);
    bert_layer_defaults(&spec);
    spec.module = module;
    spec.seq_len = SEQ_LEN;
    check(bert_model_create(&spec, BERT_TASK_AUTO, labels, n_labels, 1, &model, &err), &err);
    bert_train_defaults(&options);
    options.epochs = 1;
    options.batch_size = BATCH;
    double start = clock_seconds();
    check(bert_model_train(model, d, NULL, &options, NULL, false, NULL, NULL, &err), &err);
    double spent = clock_seconds() - start;
    token_count c = count_tokens(bert_model_tokenizer(model), &r, SEQ_LEN);
    double rate = 1e-9 * work_of(bert_model_layer(model), c, true) / spent, limit = onednn_rate(bert_model_layer(model), 960);
    getrusage(RUSAGE_SELF, &usage);
    printf("%d threads, %zu rows of %.1f tokens: %.1f samples/s, %.1f ms/sample, %.1f GFLOP/s   oneDNN %.1f   share %.2f   peak memory %ld MB\n",
           omp_get_max_threads(), r.n, c.tokens / (double)r.n, (double)r.n / spent, 1e3 * spent / (double)r.n, rate, limit, rate / limit,
           usage.ru_maxrss / 1024);
    bert_model_free(model);
    bert_dataset_free(d);
    drop_module();
    return 0;
}
