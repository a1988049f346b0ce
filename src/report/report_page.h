/* A page under way: its text, what is escaped, and the small parts that sections are made of. */
#pragma once

#include "base/buffer.h"
#include "report/report.h"

typedef struct page {
    buffer out;   /* failed: memory ran out somewhere */
    arena memory; /* what sections compute, until the page is done */
    const report *r;
} page;

/* n items, zeroed; NULL: memory is out, which the page remembers. */
void *page_array(page *p, size_t n, size_t size);

void page_begin(page *p, const char *title);
void page_end(page *p);

/* A section with its heading, and grids of figures within. note: a sentence under the heading, or NULL. */
void section_begin(page *p, const char *heading, const char *note);
void section_end(page *p);

/* Text of anybody's: what HTML would read as its own is escaped, what is not UTF-8 or not to be seen becomes U+FFFD. */
void page_text(page *p, bert_text text);
void page_string(page *p, const char *string);
/* The string between two pieces of HTML. */
void page_between(page *p, const char *before, const char *string, const char *after);
/* At most `most` code points of it, then an ellipsis. */
void page_cut(page *p, bert_text text, size_t most);
/* A number for people: four decimals or so; a dash for NaN. */
void page_number(page *p, double x);

/* A table that scrolls sideways where it is wide. heads: "Label|Rows|F1"; the first column and those whose head begins
 * with "<" are left-aligned, the others hold numbers. */
void table_begin(page *p, const char *caption, const char *heads);
void table_end(page *p);
void row_begin(page *p, const char *head);              /* its first cell */
void row_begin_number(page *p, double head, bool best); /* best: the row stands out */
void row_end(page *p);
void cell_number(page *p, double x);
void cell_count(page *p, size_t n);
void cell_percent(page *p, double share);
void cell_string(page *p, const char *string);

/* What stands folded under a figure: its numbers. */
void fold_begin(page *p, const char *summary);
void fold_end(page *p);
/* A folded table: a row for each of firsts (n), with the numbers of each column at it. */
void fold_numbers(page *p, const char *heads, const double *firsts, size_t n, const double *const *columns,
                  size_t n_columns);
