/* Tasks of tokens: how well each kind of entity is found. */
#include "report/report_sections.h"
#include "task/entities.h"

static void kind_row(page *p, const char *name, hits h)
{
    prf scores = prf_of(h);
    row_begin(p, name);
    cell_number(p, h.actual);
    cell_number(p, h.predicted);
    cell_number(p, scores.precision);
    cell_number(p, scores.recall);
    cell_number(p, scores.f1);
    row_end(p);
}

/* The kind is what stands behind "B-" or "I-". */
static const char *kind_of(const char *tag)
{
    return tag[0] && tag[1] == '-' ? tag + 2 : tag;
}

void section_entities(page *p)
{
    const outcomes *o = p->r->outcomes;
    size_t kinds;
    counts c = { .labels = page_array(p, o->model->n_labels, sizeof *c.labels), .n_labels = o->model->n_labels };
    if (!c.labels)
        return;
    if (entities_count(o, &c, &kinds, &p->memory, NULL)) {
        p->out.failed = true;
        return;
    }
    counts_sum(&c);
    section_begin(p, "Entities",
                  "An entity counts as found where its first word, its last word and its kind are right.");
    table_begin(p, NULL, "Kind|True|Predicted|Precision|Recall|F1");
    for (size_t k = 0; k < c.n_labels; k++)
        if (c.labels[k].actual > 0 || c.labels[k].predicted > 0)
            kind_row(p, kind_of(o->model->labels[k]), c.labels[k]);
    kind_row(p, "all", c.all);
    table_end(p);
    section_end(p);
}
