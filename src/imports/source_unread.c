/* What a checkpoint holds beside the tensors that were read, told once in one line: heads of other tasks, an
 * optimizer's state, anything else by the beginning of its name. */
#include "imports/source.h"

#include <string.h>

enum { MOST_GROUPS = 12 };

/* What any checkpoint may have; the rest is known by its family. */
static const family_part KNOWN[] = {
    { NULL, "/adam_m", "an optimizer's state", NULL },     { NULL, "/adam_v", "an optimizer's state", NULL },
    { NULL, "/Adam", "an optimizer's state", NULL },       { NULL, "/Adam_1", "an optimizer's state", NULL },
    { NULL, "/lamb_m", "an optimizer's state", NULL },     { NULL, "/lamb_v", "an optimizer's state", NULL },
    { NULL, "/Momentum", "an optimizer's state", NULL },   { NULL, "_power", "an optimizer's state", NULL },
    { NULL, "global_step", "an optimizer's state", NULL },
};

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

/* The row of a list that knows a tensor; NULL: none. */
static const family_part *unread_part(const family_part *list, size_t n, const char *name, const char *inner)
{
    for (const family_part *p = list; p < list + n; p++)
        if (p->begins ? !strncmp(inner, p->begins, strlen(p->begins)) : path_ends(name, p->ends))
            return p;
    return NULL;
}

/* The group of a tensor; what is known by nothing is grouped by its first part. false: nothing is told of it. */
static bool group_of(const source *s, const char *name, unread_group *g)
{
    const family *f = s->naming.family;
    const char *inner = behind_prefix(s, name);
    const family_part *p = unread_part(KNOWN, sizeof KNOWN / sizeof *KNOWN, name, inner);
    if (!p && f)
        p = unread_part(f->parts, f->n_parts, name, inner);
    if (p) {
        *g = (unread_group){ p->group, p->group ? strlen(p->group) : 0, p->what, 1 };
        return p->group != NULL;
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
