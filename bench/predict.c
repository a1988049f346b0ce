/* How fast a model runs over a table of texts, beside what oneDNN's matrix product reaches on this machine at this moment.
 *
 *     bench_predict [MODEL [TABLE [COLUMNS [ROWS]]]]
 *
 * MODEL is a module, a model folder or a frozen file; without one, .cache/all-MiniLM-L6-v2 is imported. For one thread and for all:
 * sequences/s, tokens/s, GFLOP/s and their share of oneDNN's; then the median time of one text of 16 tokens. */
#include "work.h"

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Milliseconds: the median of 200 single texts. */
static double latency(bert_session *session, float *vector)
{
    enum { CALLS = 200 };
    static const bert_text TEXT = { "how do i get a new card for my old bank account in the city", 59 };
    bert_err err;
    double times[CALLS];
    for (size_t i = 0; i < CALLS; i++) {
        double start = clock_seconds();
        check(bert_session_embed(session, &TEXT, NULL, 1, vector, NULL, NULL, &err), &err);
        times[i] = 1e3 * (clock_seconds() - start);
    }
    qsort(times, CALLS, sizeof *times, compare_doubles);
    return times[CALLS / 2];
}

static void run(const bert_model *model, const table_rows *r, token_count c, int threads)
{
    bert_err err;
    bert_session *session;
    const bert_layer *layer = bert_model_layer((bert_model *)(uintptr_t)model);
    omp_set_num_threads(threads);
    check(bert_session_create(model, NULL, &session, &err), &err);
    float *vectors = malloc(r->n * bert_session_hidden(session) * sizeof *vectors);
    if (!vectors)
        exit(1);
    double best = 1e9;
    for (int i = 0; i < 3; i++) { /* the first one also makes what is made once */
        double start = clock_seconds();
        check(bert_session_embed(session, r->texts, r->pairs, r->n, vectors, NULL, NULL, &err), &err);
        double spent = clock_seconds() - start;
        best = spent < best ? spent : best;
    }
    double rate = 1e-9 * work_of(layer, c, WORK_INFERENCE) / best, limit = onednn_rate(layer, 192 * threads);
    printf("%d thread%s %8.0f sequences/s %9.0f tokens/s %7.1f GFLOP/s   oneDNN %7.1f   share %.2f   one text of 16 tokens %6.2f ms\n", threads,
           threads > 1 ? "s" : " ", (double)r->n / best, c.tokens / best, rate, limit, rate / limit, latency(session, vectors));
    free(vectors);
    bert_session_free(session);
}

int main(int argc, char **argv)
{
    bert_err err;
    bert_model *model;
    const char *path = argc > 1 ? argv[1] : default_module();
    const char *table = argc > 2 ? argv[2] : "../shared/data/qqp/valid.tsv", *columns = argc > 3 ? argv[3] : "question1,question2";
    table_rows r = read_rows(table, columns, argc > 4 ? (size_t)atol(argv[4]) : 1000);
    check(bert_model_load(path, &model, &err), &err);
    bert_session *session;
    check(bert_session_create(model, NULL, &session, &err), &err);
    token_count c = count_tokens(bert_model_tokenizer(model), &r, bert_session_seq_len(session));
    bert_session_free(session);
    printf("%s: %zu rows, %.1f tokens each\n", table, r.n, c.tokens / (double)r.n);
    int all = omp_get_max_threads();
    run(model, &r, c, 1);
    if (all > 1)
        run(model, &r, c, all);
    bert_model_free(model);
    drop_module();
    return 0;
}
