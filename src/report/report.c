/* The page as a whole: its head, the tiles, and the sections in their order. */
#include "report/report.h"

#include "base/file.h"
#include "base/options.h"
#include "report/report_page.h"
#include "report/report_sections.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { MOST_TILES = 6 };

/* In their order; those with an id are of outcomes whose kind of label has it. */
static const struct {
    unsigned id;
    void (*add)(page *p);
} SECTIONS[] = {
    { 0, section_curves },
    { 0, section_metrics },
    { PAGE_CONFUSION, section_confusion },
    { PAGE_LABELS, section_labels },
    { PAGE_THRESHOLDS, section_thresholds },
    { PAGE_CALIBRATION, section_calibration },
    { PAGE_NUMBERS, section_numbers },
    { PAGE_ENTITIES, section_entities },
    { PAGE_MISTAKES, section_mistakes },
    { 0, section_lengths },
    { 0, section_run },
};

const char *watched_metric(const report *r)
{
    const task *t = r->outcomes ? r->outcomes->task : r->model ? task_by_id(r->model->task) : NULL;
    return r->watch && *r->watch ? r->watch : t ? t->watch : NULL;
}

/* ---- the head ---------------------------------------------------------------------------------------------------- */

static void add_subtitle(page *p)
{
    const report *r = p->r;
    char date[64] = "";
    time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M", &local);
    buffer_string(&p->out, "<p>");
    if (r->model && r->model->task)
        page_between(p, "Task <strong>", bert_task_name(r->model->task), "</strong> · ");
    if (r->model && r->model->module && r->model->module->path)
        page_between(p, "module <strong>", path_name(r->model->module->path), "</strong> · ");
    if (r->data && r->data->name)
        page_between(p, "data <strong>", path_name(r->data->name), "</strong> · ");
    buffer_printf(&p->out, "%s</p>\n", date);
}

/* ---- tiles ------------------------------------------------------------------------------------------------------- */

static void add_tile(page *p, const char *name, double value, bool main)
{
    buffer_printf(&p->out, "<div class=\"tile%s\"><b>", main ? " main" : "");
    page_number(p, value);
    page_between(p, "</b><span>", name, "</span></div>\n");
}

/* The watched metric, then the best known of the others that the task has. */
static void add_metric_tiles(page *p)
{
    static const char *const order[] = { "accuracy", "f1",      "auc",      "mcc", "precision",
                                         "recall",   "pearson", "spearman", "mse", "loss" };
    const char *watch = watched_metric(p->r);
    const bert_metric *watched = watch ? metric_by_name(watch) : NULL;
    size_t shown = 0;
    if (watched && !isnan(bert_metric_value(p->r->metrics, watched))) {
        add_tile(p, watched->name, bert_metric_value(p->r->metrics, watched), true);
        shown++;
    }
    for (size_t i = 0; i < sizeof order / sizeof *order && shown < MOST_TILES; i++) {
        const bert_metric *m = metric_by_name(order[i]);
        if (!m || m == watched || isnan(bert_metric_value(p->r->metrics, m)))
            continue;
        add_tile(p, m->name, bert_metric_value(p->r->metrics, m), false);
        shown++;
    }
}

static void add_tiles(page *p)
{
    const report *r = p->r;
    size_t epochs = r->run ? r->run->n_epochs : 0;
    buffer_string(&p->out, "<div class=\"tiles\">\n");
    if (r->metrics)
        add_metric_tiles(p);
    else if (epochs)
        add_tile(p, "training loss", r->run->epochs[epochs - 1].loss, true);
    if (epochs && r->best_epoch > 0) {
        buffer_printf(&p->out, "<div class=\"tile\"><b>%lld</b><span>best epoch of %zu</span></div>\n",
                      (long long)r->best_epoch, epochs);
    }
    if (r->metrics)
        add_tile(p, r->outcomes && r->outcomes->truth->start ? "words judged" : "rows judged", (double)r->metrics->n,
                 false);
    buffer_string(&p->out, "</div>\n");
}

static void add_page(page *p)
{
    const char *title = p->r->title ? p->r->title : "Report";
    page_begin(p, title);
    page_between(p, "<header>\n<h1>", title, "</h1>\n");
    add_subtitle(p);
    add_tiles(p);
    buffer_string(&p->out, "</header>\n");
    const outcomes *o = p->r->outcomes;
    unsigned shown = o && o->n ? o->task->kind->sections : 0;
    for (size_t i = 0; i < sizeof SECTIONS / sizeof *SECTIONS; i++)
        if (!SECTIONS[i].id || shown & SECTIONS[i].id)
            SECTIONS[i].add(p);
    buffer_printf(&p->out, "</main>\n<footer>Made by libbert %s.</footer>\n", bert_version());
    page_end(p);
}

bert_status report_write(const report *r, const char *path, bert_err *err)
{
    page p = { .r = r };
    locale_t before = uselocale(plain_locale());
    add_page(&p);
    uselocale(before);
    bert_status s = p.out.failed ? fail_memory(err, path) : file_write_whole(path, p.out.data, p.out.size, err);
    buffer_free(&p.out);
    arena_free(&p.memory);
    return s;
}
