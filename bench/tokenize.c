/* Megabytes of text per second that the tokeniser splits: ids alone, with offsets, by the general path alone; one
 * thread and all.      bench_tokenize [--hf] [FOLDER [VOCABULARY]]  FOLDER holds .txt files, a text a line; VOCABULARY
 * is a vocab.txt, or a tokenizer.json that is run as a pipeline. --hf runs bench/tokenize_hf.py on the same lines
 * beside it (Python 3 with the package `tokenizers`; another interpreter by the variable PYTHON) and prints how many
 * times faster one thread is. */
#include "base/clock.h"
#include "base/file.h"
#include "base/threads.h"
#include "text/split.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 64, REPEATS = 3, LINES_PER_TURN = 64 };

typedef struct corpus {
    file_mapping files[MOST_FILES];
    size_t n_files, n, bytes;
    bert_text *lines; /* (n) */
} corpus;

static void die(const bert_err *err)
{
    fprintf(stderr, "bench_tokenize: error: %s\n", err->message);
    exit(1);
}

static void add_lines(corpus *c, const file_mapping *file)
{
    const char *at = (const char *)file->data, *end = at + file->size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((newline ? newline : end) - at);
        if ((c->n & (c->n - 1)) == 0 && !(c->lines = realloc(c->lines, (c->n ? 2 * c->n : 1) * sizeof *c->lines)))
            die(&(bert_err){ .message = "out of memory" });
        c->lines[c->n++] = (bert_text){ at, size };
        c->bytes += size;
        at += size + 1;
    }
}

static void read_corpus(corpus *c, const char *folder)
{
    char pattern[4096];
    bert_err err = { 0 };
    glob_t found = { 0 };
    snprintf(pattern, sizeof pattern, "%s/*.txt", folder);
    if (glob(pattern, 0, NULL, &found)) {
        snprintf(err.message, sizeof err.message, "%s: no .txt files", folder);
        die(&err);
    }
    for (size_t i = 0; i < found.gl_pathc && i < MOST_FILES; i++) {
        if (file_map(&c->files[c->n_files], found.gl_pathv[i], &err))
            die(&err);
        add_lines(c, &c->files[c->n_files++]);
    }
    globfree(&found);
}

typedef struct splitting {
    const bert_tokenizer *tokenizer;
    const corpus *corpus;
    split_options options;
    struct {
        bert_tokens tokens;
        size_t n;
        char apart[64];
    } * own; /* (threads) */
} splitting;

static void split_turn(void *context, size_t turn, size_t thread)
{
    const splitting *s = context;
    const corpus *c = s->corpus;
    bert_err err;
    for (size_t i = turn * LINES_PER_TURN; i < c->n && i < (turn + 1) * LINES_PER_TURN; i++) {
        if (split_text(s->tokenizer, c->lines[i], s->options, &s->own[thread].tokens, &err))
            die(&err);
        s->own[thread].n += s->own[thread].tokens.n;
    }
}

/* Seconds for the whole corpus; *n_tokens receives how many tokens it has. */
static double split_all(const bert_tokenizer *t, const corpus *c, split_options options, size_t threads,
                        size_t *n_tokens)
{
    double start = clock_seconds();
    splitting s = { t, c, options, calloc(threads, sizeof *s.own) };
    if (!s.own)
        die(&(bert_err){ .message = "out of memory" });
    threads_run((c->n + LINES_PER_TURN - 1) / LINES_PER_TURN, threads, split_turn, &s);
    *n_tokens = 0;
    for (size_t i = 0; i < threads; i++) {
        *n_tokens += s.own[i].n;
        bert_tokens_free(&s.own[i].tokens);
    }
    free(s.own);
    return clock_seconds() - start;
}

/* The best of a few runs, printed. Returns MB/s. */
static double measure(const char *name, const bert_tokenizer *t, const corpus *c, split_options options, size_t threads)
{
    double best = 0;
    size_t n_tokens = 0;
    for (int i = 0; i < REPEATS; i++) {
        double speed = (double)c->bytes / 1e6 / split_all(t, c, options, threads, &n_tokens);
        best = speed > best ? speed : best;
    }
    printf("%-24s %2zu thread%s %8.1f MB/s  %zu tokens\n", name, threads, threads == 1 ? " " : "s", best, n_tokens);
    fflush(stdout);
    return best;
}

/* What bench/tokenize_hf.py measures on the same text in one thread; 0 where it cannot run. */
static double measure_hf(const char *folder, const char *vocabulary_path)
{
    char command[9000];
    const char *python = getenv("PYTHON");
    double speed = 0;
    snprintf(command, sizeof command, "%s bench/tokenize_hf.py '%s' '%s'", python ? python : "python3", folder,
             vocabulary_path);
    FILE *child = popen(command, "r");
    if (!child || fscanf(child, "%lf", &speed) != 1)
        speed = 0;
    if (child)
        pclose(child);
    return speed;
}

int main(int argc, char **argv)
{
    bool hf = argc > 1 && !strcmp(argv[1], "--hf");
    const char *folder = argc > 1 + hf ? argv[1 + hf] : "../shared/data/wiki";
    const char *vocabulary_path = argc > 2 + hf ? argv[2 + hf]
                                                : "../shared/data/checkpoints/tf-index-L8-H512/vocab.txt";
    corpus c = { 0 };
    bert_tokenizer *t;
    bert_err err;
    double start = clock_seconds();
    if (bert_tokenizer_load(vocabulary_path, NULL, &t, &err))
        die(&err);
    printf("vocabulary of %zu tokens read in %.1f ms\n", bert_tokenizer_size(t), (clock_seconds() - start) * 1e3);
    read_corpus(&c, folder);
    printf("%zu texts, %.1f MB\n", c.n, (double)c.bytes / 1e6);

    split_options ids = { .limit = SIZE_MAX }, spans = { .limit = SIZE_MAX, .spans = true },
                  general = { .limit = SIZE_MAX, .spans = true, .general_path = true };
    size_t all = threads_allowed();
    double ids_alone = measure("ids", t, &c, ids, 1), with_spans = measure("ids and offsets", t, &c, spans, 1);
    measure("general path, offsets", t, &c, general, 1);
    measure("ids", t, &c, ids, all);
    measure("ids and offsets", t, &c, spans, all);
    if (hf) {
        double speed = measure_hf(folder, vocabulary_path);
        if (speed > 0)
            printf("%-24s  1 thread  %8.1f MB/s\none thread of ours: %.1f times as fast with ids, %.1f times with "
                   "offsets\n",
                   "Hugging Face tokenizers", speed, ids_alone / speed, with_spans / speed);
        else
            printf("Hugging Face tokenizers: not measured, bench/tokenize_hf.py did not run\n");
    }
    bert_tokenizer_free(t);
    free(c.lines);
    for (size_t i = 0; i < c.n_files; i++)
        file_unmap(&c.files[i]);
}
