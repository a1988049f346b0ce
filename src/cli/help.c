/* --help, from the tables. */
#include "cli/help.h"
#include "cli/results.h"

#include <stdio.h>
#include <string.h>

enum { HELP_COLUMN = 30, HELP_WIDTH = 100, HELP_MOST = 1024 };

static void list_commands(bert_buffer *out, const command *const *commands)
{
    bert_buffer_printf(out, "usage: bert COMMAND [options]\n\n");
    for (; *commands; commands++)
        bert_buffer_printf(out, "  %-10s %s\n", (*commands)->name, (*commands)->summary);
    bert_buffer_printf(out, "\nbert COMMAND --help explains a command, bert --version tells the version.\n");
}

int help_all(const command *const *commands)
{
    bert_buffer out = { 0 };
    bert_buffer_printf(
        &out, "bert fine-tunes BERT on your own text and turns the result into one small file that predicts.\n\n");
    list_commands(&out, commands);
    bert_buffer_printf(
        &out, "\n  checkpoint --import--> module --train--> model --freeze--> frozen model --> predictions, vectors\n");
    return results_print(&out, STATUS_FINE);
}

void help_hint(const command *const *commands)
{
    bert_buffer text = { 0 };
    list_commands(&text, commands);
    fputs(text.failed ? "" : text.data, stderr);
    bert_buffer_free(&text);
}

/* "--seq-len N", "-o, --output FILE", "--[no-]tune-embeddings" */
static void option_head(const bert_option *o, char *head, size_t size)
{
    char letter[8] = "";
    for (const short_option *s = SHORT_OPTIONS; s->letter && !*letter; s++)
        if (!strcmp(s->name, o->name))
            snprintf(letter, sizeof letter, "-%c, ", s->letter);
    bool turned_off = o->type == BERT_OPTION_BOOL && o->fallback && !strcmp(o->fallback, "true");
    int dashes = snprintf(head, size, "  %s--%s", letter, turned_off ? "[no-]" : "");
    snprintf(head + dashes, size - (size_t)dashes, "%s", o->name);
    for (char *p = head + dashes; *p; p++)
        *p = *p == '_' ? '-' : *p;
    size_t n = strlen(head);
    if (o->type != BERT_OPTION_BOOL)
        snprintf(head + n, size - n, " %s", o->value ? o->value : o->type == BERT_OPTION_CHOICE ? "WORD" : "VALUE");
}

static void add(char *text, size_t size, const char *piece)
{
    strncat(text, piece, size - strlen(text) - 1);
}

/* "auto, cls or mean" */
static void add_choices(char *text, size_t size, const char *const *choices)
{
    for (size_t i = 0; choices[i]; i++) {
        add(text, size, !i ? "" : choices[i + 1] ? ", " : " or ");
        add(text, size, choices[i]);
    }
}

/* Bounds that hold nobody back are not worth a reader's time. */
static void add_range(char *text, size_t size, double min, double max)
{
    enum { LARGE = 1000000000 };
    char range[96] = "";
    if (min > -LARGE && max < LARGE)
        snprintf(range, sizeof range, "%.10g to %.10g", min, max);
    else if (min > -LARGE)
        snprintf(range, sizeof range, "at least %.10g", min);
    else if (max < LARGE)
        snprintf(range, sizeof range, "at most %.10g", max);
    add(text, size, range);
}

/* What the option does, then what it may be and what it is if not given. */
static void help_text(const bert_option *o, char *text, size_t size)
{
    snprintf(text, size, "%s", o->help);
    char tail[HELP_MOST / 2] = "";
    if (o->type == BERT_OPTION_CHOICE)
        add_choices(tail, sizeof tail, o->choices);
    if (o->type == BERT_OPTION_INT || o->type == BERT_OPTION_FLOAT)
        add_range(tail, sizeof tail, o->min, o->max);
    if (o->fallback && o->type != BERT_OPTION_BOOL) {
        add(tail, sizeof tail, *tail ? "; default " : "default ");
        add(tail, sizeof tail, o->fallback);
    }
    if (*tail) {
        add(text, size, " (");
        add(text, size, tail);
        add(text, size, ")");
    }
}

/* Words of one paragraph from column `indent` on, where the pen stands; none goes beyond HELP_WIDTH. Returns what
 * follows it. */
static const char *print_wrapped(bert_buffer *out, const char *text, size_t indent)
{
    size_t at = indent;
    const char *word = text;
    while (*word && *word != '\n') {
        size_t n = strcspn(word, " \n");
        if (word != text && at + 1 + n > HELP_WIDTH) {
            bert_buffer_printf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (word != text) {
            bert_buffer_printf(out, " ");
            at++;
        }
        bert_buffer_printf(out, "%.*s", (int)n, word);
        at += n;
        word += n + strspn(word + n, " ");
    }
    bert_buffer_printf(out, "\n");
    return word + (*word == '\n');
}

static void print_paragraphs(bert_buffer *out, const char *text)
{
    while (*text)
        text = print_wrapped(out, text, 0);
}

static void print_option(bert_buffer *out, const char *head, const char *text)
{
    size_t n = strlen(head);
    bert_buffer_printf(out, "%s", head);
    if (n + 2 > HELP_COLUMN) {
        bert_buffer_printf(out, "\n");
        n = 0;
    }
    bert_buffer_printf(out, "%*s", (int)(HELP_COLUMN - n), "");
    print_wrapped(out, text, HELP_COLUMN);
}

static void print_group(bert_buffer *out, const command *c, const option_group *g)
{
    bert_option_table table = group_options(g);
    for (size_t i = 0; i < table.n; i++) {
        char head[128], text[HELP_MOST];
        if (!group_takes(c, g, &table.options[i]))
            continue;
        option_head(&table.options[i], head, sizeof head);
        help_text(&table.options[i], text, sizeof text);
        print_option(out, head, text);
    }
}

int help_command(const command *c)
{
    bert_buffer out = { 0 };
    bert_buffer_printf(&out, "usage: bert %s %s\n\n", c->name, c->usage);
    bert_buffer_printf(&out, "%s.\n", c->summary);
    if (c->details) {
        bert_buffer_printf(&out, "\n");
        print_paragraphs(&out, c->details);
    }
    for (const option_group *g = c->groups; g->title; g++) {
        bool titled = g > c->groups && !strcmp(g->title, g[-1].title);
        if (!titled)
            bert_buffer_printf(&out, "\n%s:\n", g->title);
        print_group(&out, c, g);
    }
    return results_print(&out, STATUS_FINE);
}
