/* The gradient that examples/siamese.c computes through two passes at once is that of its loss, by central
 * differences. */
int siamese_main(int argc, char **argv);
#define main siamese_main
#include "examples/siamese.c"
#undef main

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { PAIRS = 3 };
static const char *const TEXTS[2][PAIRS] = {
    { "how do i get a new card", "my card was lost", "top up" },
    { "where can i get a card", "the exchange rate", "can i top up my account ?" },
};
static const char LABELS[] = "4.51.23.0"; /* three characters each: a text does not end with NUL */

static bert_text text_of(const char *string)
{
    return (bert_text){ string, strlen(string) };
}

static double loss_now(bert_layer *layer, const bert_rows *rows, bool keep)
{
    static double seen[COLUMNS][MOST];
    return epoch(layer, rows, (bert_run){ .keep = keep }, NULL, seen);
}

/* |grad|^2 for one tensor is the change of the loss along grad: (L(w + h g) - L(w - h g)) / 2h. */
static void check_tensor(bert_layer *layer, const bert_rows *rows, const bert_param *p)
{
    size_t n = p->rows * p->cols;
    double square = 0;
    float *before = malloc(n * sizeof(float));
    memcpy(before, p->tuned, n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        square += (double)p->grad[i] * p->grad[i];
    double h = 1e-2 / sqrt(square), change = 0; /* a step of length 0.01 */
    for (int sign = -1; square > 1e-10 && sign <= 1; sign += 2) {
        for (size_t i = 0; i < n; i++)
            p->tuned[i] = (float)(before[i] + sign * h * p->grad[i]);
        change += sign * loss_now(layer, rows, false);
    }
    memcpy(p->tuned, before, n * sizeof(float));
    free(before);
    if (square <= 1e-10) /* a key's bias: its gradient is zero, what is there is rounding */
        assert_non_null(strstr(p->name, "key.bias"));
    else if (fabs(change / (2 * h) - square) > 0.01 * square)
        fail_msg("%s: along its gradient the loss changes by %g, the gradient says %g", p->name, change / (2 * h),
                 square);
}

static void siamese_gradient_matches_differences(void **state)
{
    (void)state;
    char folder[] = "/tmp/siamese-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/module", folder);
    bert_text texts[2][PAIRS], labels[PAIRS];
    for (size_t i = 0; i < PAIRS; i++)
        texts[0][i] = text_of(TEXTS[0][i]), texts[1][i] = text_of(TEXTS[1][i]),
        labels[i] = (bert_text){ LABELS + 3 * i, 3 };
    bert_rows rows = { .n = PAIRS, .texts = texts[0], .pairs = texts[1], .labels = labels };

    bert_import_options import;
    bert_layer_spec spec;
    bert_module *module;
    bert_layer *layer;
    bert_import_defaults(&import);
    bert_layer_defaults(&spec);
    spec.seq_len = 16, spec.pooling = BERT_POOLING_MEAN, spec.n_tune_layers = 3, spec.tune_embeddings = true;
    assert_int_equal(bert_import("tests/files/toy", path, &import, NULL, &err), BERT_OK);
    assert_int_equal(bert_module_open(path, &module, &err), BERT_OK);
    assert_int_equal(bert_layer_create(module, &spec, 1, &layer, NULL, &err), BERT_OK);

    bert_layer_zero_grad(layer);
    loss_now(layer, &rows, true);
    size_t n, tuned = 0;
    const bert_param *params = bert_layer_params(layer, &n);
    for (size_t i = 0; i < n; i++)
        if (params[i].tuned) {
            check_tensor(layer, &rows, &params[i]);
            tuned++;
        }
    assert_int_equal(tuned, 5 + 3 * 16); /* the embeddings' five tensors, sixteen of each layer */

    bert_layer_free(layer);
    bert_module_free(module);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(siamese_gradient_matches_differences) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
