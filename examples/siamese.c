/* One BERT reads both sentences; the cosine of their vectors learns the similarity that people gave them (STS-B: 0 to 5). The loss is ours, the
 * layer libbert's.  Reimers and Gurevych, "Sentence-BERT" (2019).
 *     cc -O2 siamese.c $(pkg-config --cflags --libs libbert) -lm -o siamese
 *     ./siamese MODULE sts-train.tsv sts-dev.tsv OUT [EPOCHS] */
#include <bert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 32, MOST = 100000 };
static bert_err err;

typedef struct pairs { bert_text *a, *b; double *score; size_t n; } pairs; /* (n) each */

static bool load(pairs *p, const char *path)
{
    bert_table_options options = { "tsv", "6,7", "5", true };
    bert_table *table;
    bert_rows rows;
    if (bert_table_open(path, &options, true, &table, &err) || bert_table_next(table, MOST, &rows, &err))
        return false;
    *p = (pairs) { calloc(rows.n, sizeof(bert_text)), calloc(rows.n, sizeof(bert_text)), calloc(rows.n, sizeof(double)), rows.n };
    for (size_t i = 0; i < rows.n; i++) {
        char number[32];
        snprintf(number, sizeof number, "%.*s", (int)rows.labels[i].size, rows.labels[i].data);
        p->a[i] = rows.texts[i], p->b[i] = rows.pairs[i], p->score[i] = strtod(number, NULL) / 5;
    }
    return true; /* the texts live in the table, which stays open */
}

/* (cos - score)^2 * weight, and its gradient by both vectors (H):  dcos/du = v / (|u||v|) - cos u / |u|^2 */
static double loss_of_pair(const float *u, const float *v, size_t H, double score, double weight, float *du, float *dv, double *cosine)
{
    double uu = 0, vv = 0, uv = 0;
    for (size_t i = 0; i < H; i++)
        uu += (double)u[i] * u[i], vv += (double)v[i] * v[i], uv += (double)u[i] * v[i];
    double norms = sqrt(uu * vv), c = *cosine = uv / norms, g = 2 * (c - score) * weight;
    for (size_t i = 0; i < H; i++) {
        du[i] = (float)(g * (v[i] / norms - c * u[i] / uu));
        dv[i] = (float)(g * (u[i] / norms - c * v[i] / vv));
    }
    return (c - score) * (c - score) * weight;
}

/* The mean loss of n pairs from `first` on, and their cosines; under train or keep its gradient is added to the layer's. NAN: err tells. */
static double loss_of_batch(bert_layer *layer, const pairs *p, size_t first, size_t n, bert_run run, double *cosines)
{
    size_t H = bert_layer_hidden(layer);
    float *du = calloc(n * H, sizeof(float)), *dv = calloc(n * H, sizeof(float));
    bert_pass *a = NULL, *b = NULL; /* alive at once */
    bert_run run_b = run;
    run_b.step++; /* dropout of its own */
    double loss = 0;
    if (bert_layer_forward(layer, &(bert_input) { .n = n, .texts = p->a + first }, &run, &a, &err) ||
        bert_layer_forward(layer, &(bert_input) { .n = n, .texts = p->b + first }, &run_b, &b, &err))
        loss = NAN;
    for (size_t i = 0; i < n && !isnan(loss); i++)
        loss += loss_of_pair(bert_pass_output(a, "output", NULL) + i * H, bert_pass_output(b, "output", NULL) + i * H, H, p->score[first + i],
                             1.0 / (double)n, du + i * H, dv + i * H, cosines + i);
    if ((run.train || run.keep) && !isnan(loss) &&
        (bert_pass_backward(a, &(bert_output_grad) { "output", du }, 1, &err) || bert_pass_backward(b, &(bert_output_grad) { "output", dv }, 1, &err)))
        loss = NAN;
    bert_pass_free(a), bert_pass_free(b), free(du), free(dv);
    return loss;
}

static double pearson(const double *x, const double *y, size_t n)
{
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++)
        mx += x[i] / (double)n, my += y[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        xx += (x[i] - mx) * (x[i] - mx), yy += (y[i] - my) * (y[i] - my), xy += (x[i] - mx) * (y[i] - my);
    return xy / sqrt(xx * yy);
}
