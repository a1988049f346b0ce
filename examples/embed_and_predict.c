/* Do two texts ask the same? Asks a model, then looks at the vector of the first.
 *     cc embed_and_predict.c $(pkg-config --cflags --libs libbert) -o same
 *     ./same demo/banking.bert "My card is gone" "I lost my card" */
#include <bert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    bert_err err = { .message = "usage: same MODEL TEXT TEXT" };
    bert_model *model = NULL;
    bert_session *session = NULL;
    bert_session_options options;
    bert_session_defaults(&options);
    if (argc != 4 || bert_model_load(argv[1], &model, &err) || bert_session_create(model, &options, &session, &err))
        return fprintf(stderr, "%s\n", err.message), 1;

    bert_text a = { argv[2], strlen(argv[2]) }, b = { argv[3], strlen(argv[3]) };
    const char *const *labels;
    size_t K = bert_model_labels(model, &labels), hidden = bert_session_hidden(session);
    float *scores = calloc(K, sizeof(float)), *vector = calloc(hidden, sizeof(float));
    if (bert_session_predict(session, &a, &b, 1, scores, NULL, &err) ||
        bert_session_embed(session, &a, NULL, 1, vector, NULL, NULL, &err))
        return fprintf(stderr, "%s\n", err.message), 1;
    for (size_t k = 0; k < K; k++)
        printf("%s: %.4f\n", labels[k], scores[k]);
    printf("%zu numbers: %.4f, %.4f, ...\n", hidden, vector[0], vector[1]);

    free(scores);
    free(vector);
    bert_session_free(session);
    bert_model_free(model);
}
