/* The command line as it was typed. */
#include "cli/command_line.h"

#include <stdio.h>
#include <string.h>

static struct {
    int n;
    char **words;
} typed;

void command_line_keep(int argc, char **argv)
{
    typed.n = argc;
    typed.words = argv;
}

/* A shell leaves such words alone; all others stand between single quotes. */
static void print_word(FILE *out, const char *word)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
    if (*word && !word[strspn(word, PLAIN)]) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (const char *p = word; *p; p++)
        if (*p == '\'')
            fputs("'\\''", out);
        else
            fputc(*p, out);
    fputc('\'', out);
}

void command_line_print(FILE *out, const char *more)
{
    for (int i = 0; i < typed.n; i++) {
        if (i)
            fputc(' ', out);
        print_word(out, typed.words[i]);
    }
    fputs(more, out);
}
