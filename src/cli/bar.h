/* A line on standard error that is drawn again and again on a terminal; elsewhere only whole lines are printed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct bar {
    bool terminal;
    double drawn; /* when it was drawn last, in seconds; 0: not yet */
} bar;

enum { BAR_WIDTH = 30, BAR_SIZE = BAR_WIDTH + 3 }; /* a filled bar with its brackets; with its NUL */

bar bar_start(void);
double bar_clock(void);                    /* seconds from some moment on */
bool bar_due(const bar *b);                /* a terminal, and a tenth of a second has passed */
void bar_draw(bar *b, const char *line);   /* in place of the line before; cut to the terminal's width */
void bar_finish(bar *b, const char *line); /* in place of the line before, whole, with a newline */
void bar_leave(bar *b);                    /* what is drawn stays; later lines go below it */
void bar_clear(bar *b);                    /* what is drawn goes; a line may be printed in its place */

/* "[=====>........................]" as Keras fills it: BAR_WIDTH wide, or less where only `room` columns are left for
 * it, or empty. */
void bar_fill(char out[BAR_SIZE], int room, size_t done, size_t total);
int bar_columns(void); /* the width of the terminal */
/* "1:02:31", "2:31", "31s" */
void bar_time(char *out, size_t size, double seconds);
