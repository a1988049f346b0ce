/* Any bytes as a frozen file, its header's CRC made right: opened, verified, and where it opens, asked. */
#include "bert.h"

#include "base/size.h"
#include "frozen/frozen.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_OUTPUTS = 64, TEXTS = 2, SEQ_LEN = 3 };

static const bert_text WORDS[TEXTS] = { { "where is my card", 16 }, { "", 0 } };

/* Vectors, scores and entities: what the model does not give is an error. */
static void ask_session(bert_session *session)
{
    bert_err err;
    const bert_entity *entities;
    float scores[TEXTS * MOST_OUTPUTS],
        *vectors = malloc(TEXTS * SEQ_LEN * bert_session_hidden(session) * sizeof *vectors);
    size_t counts[TEXTS], n;
    if (vectors)
        bert_session_embed(session, WORDS, NULL, TEXTS, vectors, counts, NULL, &err);
    if (bert_session_outputs(session) <= MOST_OUTPUTS) {
        bert_session_predict(session, WORDS, NULL, TEXTS, scores, NULL, &err);
        bert_session_predict(session, WORDS, WORDS, TEXTS, scores, NULL, &err);
    }
    if (!bert_session_entities(session, WORDS, TEXTS, &entities, &n, NULL, &err))
        for (size_t i = 0; i < n; i++)
            if (entities[i].text >= TEXTS || entities[i].byte_end > WORDS[entities[i].text].size ||
                entities[i].byte_start >= entities[i].byte_end)
                abort();
    free(vectors);
}

static void ask(const bert_model *model)
{
    bert_session_options options;
    bert_session *session;
    bert_err err;
    bert_session_defaults(&options);
    options.seq_len = SEQ_LEN;
    for (int pooling = BERT_POOLING_AUTO; pooling <= BERT_POOLING_MAX; pooling++) {
        options.pooling = pooling;
        if (bert_session_create(model, &options, &session, &err))
            continue;
        ask_session(session);
        bert_session_free(session);
    }
}

/* Without this, none of a changed header would be read. */
static void seal(char *bytes, size_t size)
{
    if (size < 8 || load_le64(bytes) > size - 8)
        return;
    frozen_seal(&(buffer){ .data = bytes, .size = 8 + (size_t)load_le64(bytes) });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    bert_model *model;
    bert_err err;
    char *bytes = malloc(size + 1);
    int file = memfd_create("frozen", MFD_CLOEXEC);
    if (!bytes)
        return 0;
    if (size)
        memcpy(bytes, data, size);
    seal(bytes, size);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        abort();
    free(bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    bert_verify(path, &err);
    if (!bert_model_load(path, &model, &err))
        ask(model);
    bert_model_free(model);
    close(file);
    return 0;
}
