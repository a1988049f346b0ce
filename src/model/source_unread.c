/* What a checkpoint holds beside the tensors that were read, told once in one line: heads of other tasks, an
 * optimizer's state, anything else by the beginning of its name. */
#include "model/source.h"

#include <string.h>

enum { MOST_GROUPS = 12 };

/* By the beginning of a name behind the encoder's prefix, or by its end. */
static const struct {
    const char *begins, *ends;
    /* what it is called in the line; NULL: not worth telling, for it says nothing that the configuration does not */
    const char *group;
    const char *what;
} KNOWN[] = {
    { NULL, "embeddings.position_ids", NULL, NULL },
    { NULL, "embeddings.token_type_ids", NULL, NULL },
    { NULL, "/adam_m", "an optimizer's state", NULL },
    { NULL, "/adam_v", "an optimizer's state", NULL },
    { NULL, "/Adam", "an optimizer's state", NULL },
    { NULL, "/Adam_1", "an optimizer's state", NULL },
    { NULL, "/lamb_m", "an optimizer's state", NULL },
    { NULL, "/lamb_v", "an optimizer's state", NULL },
    { NULL, "/Momentum", "an optimizer's state", NULL },
    { NULL, "_power", "an optimizer's state", NULL },
    { NULL, "global_step", "an optimizer's state", NULL },
    { "cls.predictions.", NULL, "cls.predictions", "the masked-language head" },
    { "cls/predictions/", NULL, "cls/predictions", "the masked-language head" },
    { "cls.seq_relationship.", NULL, "cls.seq_relationship", "the next-sentence head" },
    { "cls/seq_relationship/", NULL, "cls/seq_relationship", "the next-sentence head" },
    { "qa_outputs.", NULL, "qa_outputs", "a question-answering head, a task that libbert has not" },
    { "cls/squad/", NULL, "cls/squad", "a question-answering head, a task that libbert has not" },
    { "classifier.", NULL, "classifier", "a head, whose task nothing tells" },
    { "output_", NULL, "output_weights, output_bias", "a head, whose task nothing tells" },
    { "encoder.layer.", NULL, "encoder.layer",
      "of layers beyond num_hidden_layers, or parts that BERT's layers have not" },
    { "encoder/layer_", NULL, "encoder/layer",
      "of layers beyond num_hidden_layers, or parts that BERT's layers have not" },
};
enum { N_KNOWN = sizeof KNOWN / sizeof *KNOWN };

typedef struct unread_group {
    const char *name;
    size_t size; /* of the name */
    const char *what;
    size_t n; /* tensors */
} unread_group;

void source_mark_read(source *s, const tensor *t)
{
    if (t && s->read)
        s->read[t - s->tensors.items] = true;
}

static const char *behind_prefix(const source *s, const char *name)
{
    size_t n = s->naming.prefix ? strlen(s->naming.prefix) : 0;
    return n && !strncmp(name, s->naming.prefix, n) ? name + n : name;
}

/* The group of a tensor; what is known by nothing is grouped by its first part. false: nothing is told of it. */
static bool group_of(const source *s, const char *name, unread_group *g)
{
    const char *inner = behind_prefix(s, name);
    for (int i = 0; i < N_KNOWN; i++)
        if (KNOWN[i].begins ? !strncmp(inner, KNOWN[i].begins, strlen(KNOWN[i].begins))
                            : path_ends(name, KNOWN[i].ends)) {
            *g = (unread_group){ KNOWN[i].group, KNOWN[i].group ? strlen(KNOWN[i].group) : 0, KNOWN[i].what, 1 };
            return KNOWN[i].group != NULL;
        }
    size_t part = strcspn(inner, "./");
    *g = (unread_group){ name, (size_t)(inner - name) + part, NULL, 1 };
    return true;
}

static void add_group(unread_group *groups, size_t *n, const unread_group *g)
{
    for (size_t i = 0; i < *n; i++)
        if (groups[i].size == g->size && !memcmp(groups[i].name, g->name, g->size)) {
            groups[i].n++;
            return;
        }
    groups[(*n)++] = *g;
}

void source_tell_unread(source *s)
{
    unread_group groups[MOST_GROUPS + 1], g;
    size_t n = 0, more = 0;
    for (size_t i = 0; s->read && i < s->tensors.n; i++) {
        if (s->read[i] || !group_of(s, s->tensors.items[i].name, &g))
            continue;
        add_group(groups, &n, &g);
        if (n > MOST_GROUPS) {
            n = MOST_GROUPS;
            more++;
        }
    }
    for (size_t i = 0; i < n; i++)
        buffer_printf(&s->notes, "%s%.*s (%zu tensor%s%s%s)", i ? "; " : "not read: ", (int)groups[i].size,
                      groups[i].name, groups[i].n, groups[i].n == 1 ? "" : "s", groups[i].what ? ", " : "",
                      groups[i].what ? groups[i].what : "");
    if (more)
        buffer_printf(&s->notes, "; %zu more tensors", more);
    if (n)
        buffer_char(&s->notes, '\n');
}
