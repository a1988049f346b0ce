/* Any bytes as a frozen file: opened, and where that succeeds, asked. */
#include "bert.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_LABELS = 64 };

static void ask(const bert_model *model)
{
    static const bert_text TEXTS[] = { { "where is my card", 16 }, { "", 0 } };
    bert_session_options options;
    bert_session *session;
    bert_err err;
    float scores[2 * MOST_LABELS];
    bert_session_defaults(&options);
    options.seq_len = 3;
    for (int pooling = BERT_POOLING_AUTO; pooling <= BERT_POOLING_MAX; pooling++) {
        options.pooling = pooling;
        if (bert_session_create(model, &options, &session, &err))
            continue;
        size_t counts[2], H = bert_session_hidden(session), K = bert_model_labels(model, NULL);
        float *vectors = malloc(2 * 3 * H * sizeof *vectors);
        if (vectors)
            bert_session_embed(session, TEXTS, NULL, 2, vectors, counts, NULL, &err);
        if (K <= MOST_LABELS)
            bert_session_predict(session, TEXTS, NULL, 2, scores, NULL, &err);
        free(vectors);
        bert_session_free(session);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    bert_model *model;
    bert_err err;
    int file = memfd_create("frozen", MFD_CLOEXEC);
    if (file < 0 || write(file, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (!bert_model_load(path, &model, &err))
        ask(model);
    bert_model_free(model);
    close(file);
    return 0;
}
