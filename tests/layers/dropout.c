/* Where training drops out: every family's layers against a forward pass in double precision that is written as
 * transformers has it, under the very masks that the counter gives. */
#include "layers/toy_layer.h"

#include "ops/dropout.h"

#include <math.h>

enum { H = 12, INNER = 20, HEADS = 3, D = H / HEADS, LAYERS = 3, TOKENS = 13 };

static const size_t START[N + 1] = { 0, 6, 10, TOKENS }; /* rows of 6, 4 and 3 tokens */
static const double MOST_DIFFERENCE = 2e-5;

/* What transformers' modules of a family drop out beside embeddings, probabilities and the feed-forward's output. */
static const struct {
    const family *family;
    bool
        attention_output; /* Bert- and RobertaSelfOutput have a dropout; DistilBERT's MultiHeadSelfAttention has none */
} ORIGINALS[] = { { &FAMILY_BERT, true }, { &FAMILY_DISTILBERT, false }, { &FAMILY_ROBERTA, true } };
enum { N_ORIGINALS = sizeof ORIGINALS / sizeof *ORIGINALS };

static config family_config(const family *f)
{
    config c = words_config();
    c.family = f;
    c.type_vocab_size = f->one_segment ? 1 : 2;
    c.first_position = f->counts_positions ? 2 : 0;
    c.hidden_dropout_prob = 0.3;
    return c;
}

/* ---- the reference ----------------------------------------------------------------------------------------------- */

typedef struct reference {
    const bert_layer *layer;
    double x[TOKENS * H], y[TOKENS * H], q[TOKENS * H], k[TOKENS * H], v[TOKENS * H], inner[TOKENS * INNER];
} reference;

static double dropped(double x, double rate, uint32_t site, uint64_t element)
{
    dropout_mask m = dropout_start((dropout){ TRAIN_ALL.seed, TRAIN_ALL.step, site, (float)rate, 0 });
    return dropout_keeps(&m, element) ? x / (1 - rate) : 0;
}

static void drop_rows(double *x, double rate, uint32_t site)
{
    for (size_t i = 0; i < TOKENS * H; i++)
        x[i] = dropped(x[i], rate, site, i);
}

static const float *values(const reference *r, weight_id id, size_t layer)
{
    return weight_at(&r->layer->weights, id, layer)->value;
}

static void dense_rows(const reference *r, double *y, const double *x, weight_id weight, weight_id bias, size_t layer,
                       size_t in, size_t out)
{
    const float *w = values(r, weight, layer), *b = values(r, bias, layer);
    for (size_t i = 0; i < TOKENS; i++)
        for (size_t o = 0; o < out; o++) {
            double sum = b[o];
            for (size_t c = 0; c < in; c++)
                sum += w[o * in + c] * x[i * in + c];
            y[i * out + o] = sum;
        }
}

/* x = norm(x + added) */
static void norm_rows(const reference *r, double *x, const double *added, weight_id weight, size_t layer)
{
    const float *gamma = values(r, weight, layer), *beta = values(r, (weight_id)(weight + 1), layer);
    for (size_t i = 0; i < TOKENS; i++) {
        double *row = x + i * H, mean = 0, variance = 0;
        for (size_t c = 0; c < H; c++)
            mean += (row[c] += added ? added[i * H + c] : 0) / H;
        for (size_t c = 0; c < H; c++)
            variance += (row[c] - mean) * (row[c] - mean) / H;
        for (size_t c = 0; c < H; c++)
            row[c] = (row[c] - mean) / sqrt(variance + r->layer->config.layer_norm_eps) * gamma[c] + beta[c];
    }
}

/* y: the context of one token and head */
static void attend(reference *r, size_t first, size_t T, size_t query, size_t head, uint32_t site)
{
    double p[S], total = 0, *y = r->y + query * H + head * D;
    for (size_t j = 0; j < T; j++) {
        double dot = 0;
        for (size_t d = 0; d < D; d++)
            dot += r->q[query * H + head * D + d] * r->k[(first + j) * H + head * D + d];
        total += p[j] = exp(dot / sqrt(D));
    }
    memset(y, 0, D * sizeof *y);
    for (size_t j = 0; j < T; j++) {
        double kept = dropped(p[j] / total, r->layer->config.attention_probs_dropout_prob, site,
                              (query * HEADS + head) * 65536 + j);
        for (size_t d = 0; d < D; d++)
            y[d] += kept * r->v[(first + j) * H + head * D + d];
    }
}

static void reference_embeddings(reference *r)
{
    const config *c = &r->layer->config;
    for (size_t s = 0; s < N; s++)
        for (size_t i = START[s]; i < START[s + 1]; i++) {
            size_t place = i - START[s], position = place + (size_t)c->first_position;
            const bert_param *segments = weight_at(&r->layer->weights, TOKEN_TYPE_EMBEDDINGS, 0);
            for (size_t h = 0; h < H; h++)
                r->x[i * H + h] = (double)values(r, WORD_EMBEDDINGS, 0)[(size_t)(5 + i) * H + h] +
                                  values(r, POSITION_EMBEDDINGS, 0)[position * H + h] +
                                  (segments ? segments->value[h] : 0);
        }
    norm_rows(r, r->x, NULL, EMBEDDINGS_NORM_WEIGHT, 0);
    drop_rows(r->x, c->hidden_dropout_prob, DROPOUT_SITE_EMBEDDINGS);
}

static void reference_layer(reference *r, size_t layer, bool attention_output)
{
    const config *c = &r->layer->config;
    uint32_t site = (uint32_t)layer * SITES_PER_LAYER;
    double y[TOKENS * H];
    dense_rows(r, r->q, r->x, QUERY_WEIGHT, QUERY_BIAS, layer, H, H);
    dense_rows(r, r->k, r->x, KEY_WEIGHT, KEY_BIAS, layer, H, H);
    dense_rows(r, r->v, r->x, VALUE_WEIGHT, VALUE_BIAS, layer, H, H);
    for (size_t s = 0; s < N; s++)
        for (size_t i = START[s]; i < START[s + 1]; i++)
            for (size_t head = 0; head < HEADS; head++)
                attend(r, START[s], START[s + 1] - START[s], i, head, site);
    dense_rows(r, y, r->y, ATTENTION_WEIGHT, ATTENTION_BIAS, layer, H, H);
    if (attention_output)
        drop_rows(y, c->hidden_dropout_prob, site + 1);
    norm_rows(r, r->x, y, ATTENTION_NORM_WEIGHT, layer);
    dense_rows(r, r->inner, r->x, INTERMEDIATE_WEIGHT, INTERMEDIATE_BIAS, layer, H, INNER);
    for (size_t i = 0; i < TOKENS * INNER; i++)
        r->inner[i] *= (1 + erf(r->inner[i] / sqrt(2))) / 2;
    dense_rows(r, y, r->inner, OUTPUT_WEIGHT, OUTPUT_BIAS, layer, INNER, H);
    drop_rows(y, c->hidden_dropout_prob, site + 2);
    norm_rows(r, r->x, y, OUTPUT_NORM_WEIGHT, layer);
}

/* ------------------------------------------------------------------------------------------------------------------ */

static void expect_rows(const reference *r, const bert_pass *pass, const char *output)
{
    const float *got = output_of(pass, output, NULL);
    for (size_t s = 0; s < N; s++)
        for (size_t i = START[s]; i < START[s + 1]; i++)
            for (size_t h = 0; h < H; h++) {
                double found = got[(s * S + i - START[s]) * H + h], expected = r->x[i * H + h];
                if (!(fabs(found - expected) < MOST_DIFFERENCE))
                    fail_msg("%s: %s, token %zu, channel %zu: %.9g, expected %.9g", r->layer->config.family->name,
                             output, i, h, found, expected);
            }
}

static void every_family_drops_out_where_transformers_does(void **state)
{
    (void)state;
    static const char *const LAYER_OUTPUTS[LAYERS] = { "layer_0", "layer_1", "layer_2" };
    int32_t ids[N * S] = { 0 }, mask[N * S] = { 0 }, segments[N * S] = { 0 };
    for (size_t s = 0; s < N; s++)
        for (size_t i = START[s]; i < START[s + 1]; i++) {
            ids[s * S + i - START[s]] = (int32_t)(5 + i);
            mask[s * S + i - START[s]] = 1;
        }
    for (size_t f = 0; f < N_ORIGINALS; f++) {
        config c = family_config(ORIGINALS[f].family);
        bert_module *module = words_module(&c, false);
        bert_layer_spec spec = spec_of(BERT_POOLING_MEAN, "embedding_output,layer_0,layer_1,layer_2");
        bert_layer *layer = layer_of(module, &spec);
        bert_input input = { .n = N, .input_ids = ids, .input_mask = mask, .segment_ids = segments };
        bert_pass *pass = forward_of(layer, &input, TRAIN_ALL);
        static reference r;
        r.layer = layer;
        reference_embeddings(&r);
        expect_rows(&r, pass, "embedding_output");
        for (size_t l = 0; l < LAYERS; l++) {
            reference_layer(&r, l, ORIGINALS[f].attention_output);
            expect_rows(&r, pass, LAYER_OUTPUTS[l]);
        }
        bert_pass_free(pass);
        bert_layer_free(layer);
        bert_module_free(module);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(every_family_drops_out_where_transformers_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
