/* One BERT reads both sentences; the cosine of their vectors learns the similarity that people gave them (STS-B: 0 to
 * 5). The loss is ours, the layer libbert's (Reimers and Gurevych, "Sentence-BERT", 2019).
 *     ./siamese MODULE sts-train.tsv sts-dev.tsv OUT */
#include <bert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(call) ((call) ? (fprintf(stderr, "%s\n", err.message), exit(1)) : (void)0)
enum { BATCH = 32, MOST = 10000, EPOCHS = 4, PRIME = 4099 };
enum { COSINE, SCORE, COSINE_RANK, SCORE_RANK, COLUMNS }; /* of the rows, in the order in which they were seen */
static bert_err err = { .message = "usage: siamese MODULE TRAIN DEV OUT" };

/* (cos - score)^2, and its gradient by both vectors (H) times weight:   dcos/du = v / (|u||v|) - cos u / |u|^2 */
static double loss_of_pair(const float *u, const float *v, size_t H, double score, double weight, float *du, float *dv,
                           double *cosine)
{
    double uu = 0, vv = 0, uv = 0;
    for (size_t i = 0; i < H; i++)
        uu += u[i] * u[i], vv += v[i] * v[i], uv += u[i] * v[i];
    double norms = sqrt(uu * vv), c = *cosine = uv / norms, g = 2 * (c - score) * weight;
    for (size_t i = 0; i < H; i++)
        du[i] = g * (v[i] / norms - c * u[i] / uu), dv[i] = g * (u[i] / norms - c * v[i] / vv);
    return (c - score) * (c - score);
}

/* One way through the rows; returns the mean loss. Under train or keep gradients are added; adam, where given, steps
 * after each batch. */
static double epoch(bert_layer *layer, const bert_rows *rows, bert_run run, bert_optimizer *adam, double seen[][MOST])
{
    size_t H = bert_layer_hidden(layer), n;
    double loss = 0;
    for (size_t at = 0; at < rows->n; at += n) {
        n = rows->n - at < BATCH ? rows->n - at : BATCH;
        bert_text texts[2][BATCH];
        bert_pass *pass[2]; /* both are alive at once */
        float *grad[2] = { calloc(n * H, sizeof(float)), calloc(n * H, sizeof(float)) };
        for (size_t i = 0; i < n; i++) {
            size_t row = (at + i) * PRIME % rows->n; /* shuffled: each row once */
            texts[0][i] = rows->texts[row], texts[1][i] = rows->pairs[row];
            char number[16];
            snprintf(number, sizeof number, "%.*s", (int)rows->labels[row].size, rows->labels[row].data);
            seen[SCORE][at + i] = atof(number) / 5;
        }
        for (int k = 0; k < 2; k++, run.step++) /* each pass has its own dropout */
            CHECK(bert_layer_forward(layer, &(bert_input){ .n = n, .texts = texts[k] }, &run, &pass[k], &err));
        /* (n, H) */
        const float *u = bert_pass_output(pass[0], "output", NULL), *v = bert_pass_output(pass[1], "output", NULL);
        for (size_t i = 0; i < n; i++)
            loss += loss_of_pair(u + i * H, v + i * H, H, seen[SCORE][at + i], 1.0 / n, grad[0] + i * H,
                                 grad[1] + i * H, &seen[COSINE][at + i]);
        for (int k = 0; k < 2; k++) {
            CHECK((run.train || run.keep) &&
                  bert_pass_backward(pass[k], &(bert_output_grad){ "output", grad[k] }, 1, &err));
            bert_pass_free(pass[k]), free(grad[k]);
        }
        if (adam)
            bert_optimizer_step(adam);
    }
    return loss / rows->n;
}

static double pearson(const double *x, const double *y, size_t n)
{
    double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++)
        sx += x[i], sy += y[i], xx += x[i] * x[i], yy += y[i] * y[i], xy += x[i] * y[i];
    return (n * xy - sx * sy) / sqrt((n * xx - sx * sx) * (n * yy - sy * sy));
}

static const double *rank(const double *x, size_t n, double *ranks) /* equal values share theirs */
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = ranks[i] = 0; j < n; j++)
            ranks[i] += (x[j] < x[i]) + 0.5 * (x[j] == x[i]);
    return ranks;
}

int main(int argc, char **argv)
{
    static double seen[COLUMNS][MOST];
    bert_table *table[2];
    bert_rows rows[2]; /* train, dev */
    bert_module *module;
    bert_layer *layer;
    bert_optimizer *adam;
    bert_layer_spec spec;
    bert_optimizer_options options;
    size_t n;
    bert_layer_defaults(&spec), spec.pooling = BERT_POOLING_MEAN;
    bert_optimizer_defaults(&options), options.learning_rate = 2e-5;
    CHECK(argc != 5 || bert_module_open(argv[1], &module, &err) ||
          bert_layer_create(module, &spec, 1, &layer, NULL, &err));
    for (int k = 0; k < 2; k++)
        CHECK(bert_table_open(argv[2 + k],
                              &(bert_table_options){
                                  .format = "tsv", .text_columns = "6,7", .label_column = "5", .no_header = true },
                              true, &table[k], &err) ||
              bert_table_next(table[k], MOST, &rows[k], &err));
    const bert_param *params = bert_layer_params(layer, &n);
    CHECK(bert_optimizer_create(params, n, &options, &adam, &err));
    for (uint64_t e = 0; e < EPOCHS; e++) {
        double loss = epoch(layer, &rows[0], (bert_run){ .train = true, .seed = e }, adam, seen);
        epoch(layer, &rows[1], (bert_run){ 0 }, NULL, seen);
        printf("epoch %d: loss %.4f, dev Pearson %.4f, Spearman %.4f\n", (int)e + 1, loss,
               pearson(seen[COSINE], seen[SCORE], rows[1].n),
               pearson(rank(seen[COSINE], rows[1].n, seen[COSINE_RANK]), rank(seen[SCORE], rows[1].n, seen[SCORE_RANK]),
                       rows[1].n));
    }
    CHECK(bert_layer_save(layer, argv[4], &err));
    bert_optimizer_free(adam), bert_layer_free(layer), bert_module_free(module);
    bert_table_close(table[0]), bert_table_close(table[1]);
    return 0;
}
