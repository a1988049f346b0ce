/* How fast a model runs over a table of texts in each precision of a frozen file, beside what oneDNN's matrix product
 * reaches on this machine at this moment.
 *
 *     bench_predict [MODEL [TABLE [COLUMNS [ROWS]]]]
 *
 * MODEL is a module or a model folder; without one, .cache/all-MiniLM-L6-v2 is imported. For each precision, pooling
 * and number of
 * threads: sequences/s and tokens/s, the median time of one text of 16 tokens, sequences/s of 32 texts of 128 tokens;
 * with mean pooling also GFLOP/s and their share of oneDNN's (of f32 for bf16, too). */
#include "work.h"

enum { FULL_TEXTS = 32, FULL_TOKENS = 128 };

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

/* Seconds for all rows: the best of three, the first of which also makes what is made once. */
static double seconds(bert_session *session, const table_rows *r, float *vectors)
{
    bert_err err;
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        double start = clock_seconds();
        check(bert_session_embed(session, r->texts, r->pairs, r->n, vectors, NULL, NULL, &err), &err);
        double spent = clock_seconds() - start;
        best = spent < best ? spent : best;
    }
    return best;
}

/* Texts that fill FULL_TOKENS with words of one token each. */
static table_rows full_rows(void)
{
    static char words[4 * (FULL_TOKENS - 2)];
    for (size_t i = 0; i < sizeof words; i += 4)
        memcpy(words + i, "the ", 4);
    table_rows r = { FULL_TEXTS, calloc(FULL_TEXTS, sizeof *r.texts), NULL };
    if (!r.texts)
        exit(1);
    for (size_t i = 0; i < r.n; i++)
        r.texts[i] = (bert_text){ words, sizeof words - 1 };
    return r;
}

typedef struct pooling {
    int number;
    const char *name;
} pooling;

/* One line of the table. limit: oneDNN's GFLOP/s. */
static void run(const bert_model *model, const bert_layer *layer, const table_rows *r, const table_rows *full,
                token_count c, pooling pool, size_t threads, double limit)
{
    bert_err err;
    bert_session *session;
    bert_session_options options;
    bert_session_defaults(&options);
    options.pooling = pool.number;
    options.threads = (int64_t)threads;
    bert_status s = bert_session_create(model, &options, &session, &err);
    if (s) {
        printf("    %s\n", err.message);
        return;
    }
    size_t most = r->n > full->n ? r->n : full->n;
    float *vectors = malloc(most * bert_session_hidden(session) * sizeof *vectors);
    if (!vectors)
        exit(1);
    double best = seconds(session, r, vectors);
    printf("    %-4s %2zu thread%s %8.0f sequences/s %9.0f tokens/s   one text %6.2f ms   full texts %7.1f /s",
           pool.name, threads, threads > 1 ? "s" : " ", (double)r->n / best, c.tokens / best, latency(session, vectors),
           (double)full->n / seconds(session, full, vectors));
    double rate = 1e-9 * work_of(layer, c, WORK_INFERENCE) / best;
    if (pool.number == BERT_POOLING_MEAN)
        printf("   %7.1f GFLOP/s, oneDNN %7.1f, share %.2f", rate, limit, rate / limit);
    printf("\n");
    fflush(stdout);
    free(vectors);
    bert_session_free(session);
}

/* All lines of a precision, of a file frozen for it; layer: of the model that it is frozen from. */
static void run_precision(bert_model *model, const table_rows *r, const table_rows *full, token_count c, int precision)
{
    static const char *const NAMES[] = { "fp32", "bf16", "int8" };
    static const pooling POOLINGS[] = { { BERT_POOLING_CLS_RAW, "cls" }, { BERT_POOLING_MEAN, "mean" } };
    const bert_layer *layer = bert_model_layer(model);
    char path[128];
    snprintf(path, sizeof path, "%s/%s.bert", bench_folder, NAMES[precision]);
    bert_err err;
    bert_freeze_options options;
    bert_freeze_defaults(&options);
    options.precision = precision;
    check(bert_model_freeze(model, path, &options, NULL, NULL, &err), &err);
    bert_model *frozen;
    check(bert_model_load(path, &frozen, &err), &err);
    printf("%s\n", NAMES[precision]);
    size_t all = threads_allowed();
    for (size_t threads = 1;; threads = all) {
        use_threads(threads);
        int64_t rows = (int64_t)(192 * threads);
        double limit = onednn_rate(layer, rows, precision == 2);
        for (size_t p = 0; p < sizeof POOLINGS / sizeof *POOLINGS; p++)
            run(frozen, layer, r, full, c, POOLINGS[p], threads, limit);
        if (threads == all)
            break;
    }
    use_threads(all);
    bert_model_free(frozen);
    remove(path);
}

int main(int argc, char **argv)
{
    bert_err err;
    bert_model *model;
    const char *path = argc > 1 ? argv[1] : default_module();
    const char *table = argc > 2 ? argv[2] : "../shared/data/qqp/valid.tsv",
               *columns = argc > 3 ? argv[3] : "question1,question2";
    if (argc > 1)
        bench_path();
    table_rows r = read_rows(table, columns, argc > 4 ? (size_t)atol(argv[4]) : 1000), full = full_rows();
    check(bert_model_load(path, &model, &err), &err);
    bert_session *session;
    check(bert_session_create(model, NULL, &session, &err), &err);
    token_count c = count_tokens(bert_model_tokenizer(model), &r, bert_session_seq_len(session));
    bert_session_free(session);
    printf("%s: %zu rows, %.1f tokens each; full texts: %d of %d tokens\n", table, r.n, c.tokens / (double)r.n,
           FULL_TEXTS, FULL_TOKENS);
    for (int precision = 0; precision < 3; precision++)
        run_precision(model, &r, &full, c, precision);
    bert_model_free(model);
    drop_module();
    return 0;
}
