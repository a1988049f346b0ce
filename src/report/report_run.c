/* How the numbers came about: metrics in full, options, time, machine and memory. */
#include "formats/json.h"
#include "formats/option_json.h"
#include "report/report_sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void useless_words(page *p, const char *words)
{
    page_between(
        p, "<p><strong>", words,
        ".</strong> The model has learned nothing of use for this data. Try a higher learning rate, more epochs, "
        "more tuned layers, for rare labels balanced class weights; and look whether texts and labels are the "
        "right columns.</p>\n");
}

static void metrics_table(page *p)
{
    size_t n;
    const bert_metric *metrics = bert_metric_table(&n);
    const bert_baseline *b = p->r->baseline;
    table_begin(p, NULL, b ? "Metric|Value|The same answer always" : "Metric|Value");
    for (size_t i = 0; i < n; i++) {
        double v = bert_metric_value(p->r->metrics, &metrics[i]);
        if (isnan(v))
            continue;
        row_begin(p, metrics[i].name);
        cell_number(p, v);
        if (b && isnan(bert_metric_value(&b->metrics, &metrics[i])))
            buffer_string(&p->out, "<td></td>");
        else if (b)
            cell_number(p, bert_metric_value(&b->metrics, &metrics[i]));
        row_end(p);
    }
    if (b) {
        row_begin(p, "the same answer always");
        buffer_string(&p->out, "<td></td>");
        cell_string(p, b->answer);
        row_end(p);
    }
    if (p->r->outcomes && p->r->outcomes->task->output->threshold) {
        row_begin(p, "decision threshold");
        cell_number(p, p->r->threshold);
        buffer_string(&p->out, b ? "<td></td>" : "");
        row_end(p);
    }
    table_end(p);
}

void section_metrics(page *p)
{
    const char *useless = p->r->baseline ? p->r->baseline->note : p->r->useless;
    bool told = useless && *useless;
    if (!p->r->metrics && !told)
        return;
    section_begin(p, "Metrics", NULL);
    if (told)
        useless_words(p, useless);
    if (p->r->metrics)
        metrics_table(p);
    section_end(p);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void add_duration(page *p, double seconds)
{
    if (seconds < 60)
        buffer_printf(&p->out, "<td>%.1f s</td>", seconds);
    else if (seconds < 3600)
        buffer_printf(&p->out, "<td>%d min %02d s</td>", (int)seconds / 60, (int)seconds % 60);
    else
        buffer_printf(&p->out, "<td>%.0f h %02d min</td>", floor(seconds / 3600), (int)(fmod(seconds, 3600) / 60));
}

static void add_parts(page *p)
{
    double total = 0;
    for (size_t i = 0; i < p->r->n_parts; i++)
        total += fmax(0, p->r->parts[i].seconds);
    if (!(total > 0) || !isfinite(total))
        return;
    table_begin(p, "Time by part of the work", "Part|Time|Share|");
    for (size_t i = 0; i < p->r->n_parts; i++) {
        double seconds = fmax(0, p->r->parts[i].seconds);
        row_begin(p, p->r->parts[i].name);
        add_duration(p, seconds);
        cell_percent(p, seconds / total);
        buffer_printf(&p->out, "<td class=\"bars\"><span class=\"bar\" style=\"width:%.1f%%\"></span></td>",
                      100 * seconds / total);
        row_end(p);
    }
    row_begin(p, "all");
    add_duration(p, total);
    buffer_string(&p->out, "<td></td><td></td>");
    row_end(p);
    table_end(p);
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

/* As history.json spells them, words without their quotes. */
static void add_option(page *p, const option_set *set, const bert_option *o)
{
    buffer text = { 0 };
    json_t *value = option_to_json(set->values, o);
    if (json_is_string(value))
        buffer_string(&text, json_string_value(value));
    else
        json_print(&text, value);
    if (!json_is_null(value) || set->unset) {
        row_begin(p, o->name);
        cell_string(p, text.size ? text.data : "");
        row_end(p);
    }
    p->out.failed |= text.failed;
    json_decref(value);
    buffer_free(&text);
}

static void add_options(page *p)
{
    if (!p->r->n_options)
        return;
    fold_begin(p, "Options");
    table_begin(p, NULL, "Option|<Value");
    for (size_t k = 0; k < p->r->n_options; k++)
        for (size_t i = 0; i < p->r->options[k].table.n; i++)
            add_option(p, &p->r->options[k], &p->r->options[k].table.options[i]);
    table_end(p);
    fold_end(p);
}

/* ---- machine and memory ------------------------------------------------------------------------------------------ */

static void add_machine(page *p)
{
    char words[512];
    struct rusage usage;
    machine_describe(words, sizeof words);
    table_begin(p, NULL, "This run|<");
    row_begin(p, "machine");
    cell_string(p, words);
    row_end(p);
    if (!getrusage(RUSAGE_SELF, &usage)) {
        row_begin(p, "most memory so far");
        buffer_printf(&p->out, "<td class=\"l\">%.0f MiB</td>", (double)usage.ru_maxrss / 1024);
        row_end(p);
    }
    if (p->r->seq_len) {
        row_begin(p, "tokens of a text, at most");
        buffer_printf(&p->out, "<td class=\"l\">%zu</td>", p->r->seq_len);
        row_end(p);
    }
    table_end(p);
}

void section_run(page *p)
{
    section_begin(p, p->r->run ? "The run" : "The machine", NULL);
    add_parts(p);
    add_machine(p);
    add_options(p);
    section_end(p);
}
