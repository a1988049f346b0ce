/* A component of a pipeline as a tokenizer.json has it: a normalizer or a pre-tokenizer, with its parameters. A kind is
 * a row of a table: the name there, who reads the parameters, who does the work. */
#pragma once

#include "base/buffer.h"
#include "formats/json.h"
#include "text/charsmap.h"
#include "text/pattern.h"

/* What becomes of what a split is made at. */
typedef enum split_behaviour {
    SPLIT_REMOVED,
    SPLIT_ISOLATED,
    SPLIT_MERGED_WITH_PREVIOUS,
    SPLIT_MERGED_WITH_NEXT,
    SPLIT_CONTIGUOUS
} split_behaviour;

typedef struct component component;
typedef void component_run(const component *c, text_work *work);

struct component {
    component_run *run;
    int form;               /* of its kind: which way of it */
    bool options[4];        /* its kind's, in the order of its file's members */
    bert_text text;         /* what is put in */
    const pattern *pattern; /* what is looked for */
    split_behaviour behaviour;
    charsmap charsmap;
};

/* How a component is read, and what for. */
typedef struct component_reader {
    arena *a;
    const char *where;
    bert_err *err;
} component_reader;

typedef bert_status component_read(component_reader *r, json_t *json, component *c);

typedef struct component_kind {
    const char *name;
    component_read *read; /* NULL: it has no parameters */
    component_run *run;
    const char *members[8]; /* its parameters' names */
    int form;
} component_kind;

/* Those of a pipeline, in their order. */
typedef struct component_list {
    component *items; /* (n) */
    size_t n;
} component_list;

/* Reads "normalizer" or "pre_tokenizer": null, one component, or a Sequence of them under `list`, laid flat. Fails with
 * BERT_ERR_UNSUPPORTED for a kind or a member that is not known, by name; BERT_ERR_FORMAT; BERT_ERR_MEMORY. */
bert_status components_read(component_list *out, json_t *json, const char *part, const char *list,
                            const component_kind *kinds, size_t n_kinds, component_reader *r);

/* Its type, with those of its parts where it is a sequence: "Sequence of NFC, Lowercase". */
void component_name(buffer *b, const json_t *part);

/* The kinds there are. */
const component_kind *normalizer_kinds(size_t *n);
const component_kind *pretokenizer_kinds(size_t *n);

/* Whether what it writes is bytes that stand for themselves (ByteLevel): the last one, of a model of bytes. */
bool component_makes_bytes(const component *c);
/* Whether it looks at places in the original, wanted or not. */
bool component_needs_places(const component *c);

/* {"String": "..."} or {"Regex": "..."}; also a bare string. */
bert_status component_pattern(component_reader *r, json_t *json, const char *key, const pattern **p);
bert_status component_text(component_reader *r, json_t *json, const char *key, bert_text *text);
/* A member that chooses among words, which end with NULL; absent: the first. */
bert_status component_choice(component_reader *r, json_t *json, const char *key, const char *const *words, int *choice);
/* Refuses members of a part that no list has. */
bert_status component_members(component_reader *r, json_t *json, const char *part, const char *const *known, size_t n);
