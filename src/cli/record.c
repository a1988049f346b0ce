/* What a run's results depend on. */
#include "cli/record.h"
#include "cli/hash.h"
#include "cli/messages.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* These say where, when and how fast, or what is done about a row behind those that are written. The model is known by
 * what it says. */
static const char *const WITHOUT_EFFECT[] = { "model", "output",  "resume",  "force",         "verify",
                                              "chunk", "threads", "streams", "skip_bad_rows", NULL };

/* ---- options ----------------------------------------------------------------------------------------------------- */

static bool has_effect(const char *name)
{
    for (const char *const *w = WITHOUT_EFFECT; *w; w++)
        if (!strcmp(*w, name))
            return false;
    return true;
}

static void put_options(bert_buffer *out, const command *c, const char *options)
{
    for (const option_group *g = c->groups; g->title; g++) {
        bert_option_table table = group_options(g);
        for (size_t i = 0; i < table.n; i++) {
            const bert_option *o = &table.options[i];
            if (!group_takes(c, g, o) || !has_effect(o->name))
                continue;
            bert_buffer_printf(out, "  \"%s\": ", o->name);
            bert_option_write(out, options + g->offset, o);
            bert_buffer_printf(out, ",\n");
        }
    }
}

/* ---- fingerprints ------------------------------------------------------------------------------------------------ */

/* The bits that the model gives for one text: they depend on the precision and the machine's arithmetic. */
static bert_status fingerprint(bert_session *session, uint64_t *hash, bert_err *err)
{
    static const char WORDS[] = "Resume where it stopped: 1, 2, 3.";
    bert_text text = { WORDS, sizeof WORDS - 1 };
    bool tokens = bert_session_per_token(session);
    size_t K = bert_session_outputs(session), hidden = bert_session_hidden(session), n = 1;
    float *vectors = calloc(tokens ? bert_session_seq_len(session) * hidden : hidden, sizeof *vectors),
          *scores = calloc(K + 1, sizeof *scores);
    bert_status s = BERT_ERR_MEMORY;
    if (vectors && scores)
        s = bert_session_embed(session, &text, NULL, 1, vectors, tokens ? &n : NULL, NULL, err);
    else
        *err = (bert_err){ s, "out of memory: a vector" };
    if (!s && K)
        s = bert_session_predict(session, &text, &text, 1, scores, NULL, err);
    if (!s)
        *hash = hash_bytes(hash_bytes(HASH_START, vectors, n * hidden * sizeof *vectors), scores, K * sizeof *scores);
    free(vectors);
    free(scores);
    return s;
}

/* ------------------------------------------------------------------------------------------------------------------ */

int record_make(const command *c, const void *options, const bert_model *model, bert_session *session, char **record)
{
    uint64_t words, weights;
    bert_err err;
    *record = NULL;
    if (bert_model_fingerprint(model, &weights, &err) || fingerprint(session, &words, &err))
        return report_failure(&err);
    bert_buffer out = { 0 };
    bert_buffer_printf(&out, "{\n  \"command\": \"%s\",\n", c->name);
    put_options(&out, c, options);
    bert_buffer_printf(&out, "  \"model\": \"%016" PRIx64 "\",\n  \"arithmetic\": \"%016" PRIx64 "\"\n}\n", weights,
                       words);
    if (!out.failed) {
        *record = out.data;
        return STATUS_FINE;
    }
    bert_buffer_free(&out);
    return report_error("out of memory: the record of a run");
}
