/* A ring of chunks between three threads. A chunk goes from EMPTY to READ to COMPUTED and back; each thread takes the
 * chunks in the order of the rows, so the i-th chunk of the table always stands in the same place of the ring, and
 * nobody else touches it meanwhile. */
#include "cli/pipeline.h"
#include "cli/hash.h"
#include "cli/meter.h"
#include "cli/messages.h"
#include "cli/stop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS = 3, FIRST_ROWS = 128, LEAST_ROWS = 16 };
/* how long a chunk should take, so that a run that is asked to stop does so soon */
static const double CHUNK_SECONDS = 2;

const char *const ANSWER_FORMATS[] = { "jsonl", "tsv", "npy", NULL };

typedef enum slot_state { EMPTY, READ, COMPUTED } slot_state;

typedef struct slot {
    slot_state state;
    row_chunk chunk;
    bert_text *texts, *pairs; /* (most) */
    size_t *lines;            /* (most) */
    char *bytes;              /* what texts and pairs point into */
    size_t room;
    bool last; /* no row comes behind these, at the end of the table or because of err */
    bert_err err;
    uint64_t read, total; /* bytes of the table */
} slot;

typedef struct pipeline {
    const char *file; /* for messages */
    const pipeline_work *work;
    bert_table *table;
    output *out;
    slot slots[SLOTS];
    pthread_mutex_t lock; /* for what follows, and the slots' states */
    pthread_cond_t changed;
    size_t wanted; /* rows of the chunk that is read next */
    size_t end;    /* how many chunks there will be, once that is known */
    bool broken;   /* results cannot be written */
} pipeline;

/* ---- chunks ------------------------------------------------------------------------------------------------------ */

bool row_chunk_keep_entities(row_chunk *c, const bert_entity *entities, size_t n)
{
    if (n > c->entities_room) {
        bert_entity *more = realloc(c->entities, n * sizeof *more);
        if (!more)
            return false;
        c->entities = more;
        c->entities_room = n;
    }
    if (n)
        memcpy(c->entities, entities, n * sizeof *entities);
    c->n_entities = n;
    return true;
}

static bool slot_open(slot *s, const pipeline_work *work)
{
    s->texts = calloc(work->most, sizeof *s->texts);
    s->pairs = calloc(work->most, sizeof *s->pairs);
    s->lines = calloc(work->most, sizeof *s->lines);
    s->chunk.counts = calloc(work->most, sizeof *s->chunk.counts);
    s->chunk.numbers = calloc(work->most, (work->numbers + 1) * sizeof *s->chunk.numbers); /* entities need none */
    return s->texts && s->pairs && s->lines && s->chunk.counts && s->chunk.numbers;
}

static void slot_close(slot *s)
{
    free(s->texts);
    free(s->pairs);
    free(s->lines);
    free(s->bytes);
    free(s->chunk.counts);
    free(s->chunk.numbers);
    free(s->chunk.entities);
}

/* Copies a text behind the others. */
static bert_text place(char **at, bert_text text)
{
    bert_text copy = { *at, text.size };
    memcpy(*at, text.data, text.size);
    *at += text.size;
    return copy;
}

/* Copies rows, which stay only until the table is read on. */
static bool slot_fill(slot *s, const bert_rows *rows)
{
    size_t bytes = 1;
    for (size_t i = 0; i < rows->n; i++)
        bytes += rows->texts[i].size + (rows->pairs ? rows->pairs[i].size : 0);
    if (bytes > s->room) {
        free(s->bytes);
        s->bytes = malloc(bytes);
        s->room = s->bytes ? bytes : 0;
        if (!s->bytes)
            return false;
    }
    char *at = s->bytes;
    for (size_t i = 0; i < rows->n; i++) {
        s->texts[i] = place(&at, rows->texts[i]);
        if (rows->pairs)
            s->pairs[i] = place(&at, rows->pairs[i]);
        s->lines[i] = rows->lines[i];
    }
    s->chunk.rows = (bert_rows){
        .n = rows->n, .texts = s->texts, .pairs = rows->pairs ? s->pairs : NULL, .lines = s->lines
    };
    return true;
}

static void slot_read(slot *s, bert_table *table, size_t most)
{
    bert_rows rows = { 0 };
    s->err = (bert_err){ 0 };
    s->last = bert_table_next(table, most, &rows, &s->err) || !rows.n;
    if (!slot_fill(s, &rows)) {
        s->last = true;
        s->err = (bert_err){ BERT_ERR_MEMORY, "out of memory: rows of the table" };
        s->chunk.rows.n = 0;
    }
    bert_table_progress(table, &s->read, &s->total);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static struct timespec after(long milliseconds)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += milliseconds * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* The i-th chunk once it is in that state; NULL: it will never be, or (heeding) the user asks to stop. */
static slot *await(pipeline *p, size_t i, slot_state state, bool heeding)
{
    slot *s = &p->slots[i % SLOTS];
    pthread_mutex_lock(&p->lock);
    while (s->state != state && !p->broken && i < p->end && !(heeding && stop_asked())) {
        struct timespec until = after(100); /* then a signal may have come that nobody waits for */
        if (heeding)
            pthread_cond_timedwait(&p->changed, &p->lock, &until);
        else
            pthread_cond_wait(&p->changed, &p->lock);
    }
    bool there = s->state == state && !p->broken && i < p->end && !(heeding && stop_asked());
    pthread_mutex_unlock(&p->lock);
    return there ? s : NULL;
}

static void hand_on(pipeline *p, slot *s, slot_state state)
{
    pthread_mutex_lock(&p->lock);
    s->state = state;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* There are so many chunks, and no more. */
static void end_with(pipeline *p, size_t chunks)
{
    pthread_mutex_lock(&p->lock);
    p->end = chunks;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* ---- the threads ------------------------------------------------------------------------------------------------- */

/* Waiting for a pipe's writer is the one thing in which a thread may be cancelled. */
static void *read_chunks(void *pipeline_)
{
    pipeline *p = pipeline_;
    int before;
    slot *s;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    for (size_t i = 0, first = p->out->done; (s = await(p, i, EMPTY, false)); i++) {
        pthread_mutex_lock(&p->lock);
        size_t wanted = p->wanted;
        pthread_mutex_unlock(&p->lock);
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
        slot_read(s, p->table, wanted);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
        s->chunk.first = first;
        first += s->chunk.rows.n;
        bool last = s->last; /* the slot is another thread's from here on */
        hand_on(p, s, READ);
        if (last)
            break;
    }
    return NULL;
}

static void *write_chunks(void *pipeline_)
{
    pipeline *p = pipeline_;
    slot *s;
    for (size_t i = 0; (s = await(p, i, COMPUTED, false)); i++) {
        p->work->write(p->work->context, &s->chunk, &p->out->to);
        bool pushed = results_push(&p->out->to);
        if (pushed)
            output_wrote(p->out, &s->chunk.rows);
        pthread_mutex_lock(&p->lock);
        p->broken = !pushed;
        pthread_mutex_unlock(&p->lock);
        hand_on(p, s, EMPTY);
    }
    return NULL;
}

/* Rows that take about CHUNK_SECONDS at the pace of the chunk that took `seconds`. */
static void choose_rows(pipeline *p, const slot *s, double seconds)
{
    double rows = (double)s->chunk.rows.n * CHUNK_SECONDS / (seconds + 1e-9);
    size_t most = p->work->most, least = LEAST_ROWS < most ? LEAST_ROWS : most;
    pthread_mutex_lock(&p->lock);
    p->wanted = rows > (double)most ? most : rows < (double)least ? least : (size_t)rows;
    pthread_mutex_unlock(&p->lock);
}

/* The library names a row by its number in the call; a person looks for a line of the file. */
static bert_status compute_chunk(const pipeline *p, row_chunk *c, bert_err *err)
{
    size_t n = c->rows.n, row;
    bert_status status = p->work->compute(p->work->context, c, err);
    if (status && bert_err_row(err, &row) && row < n) {
        char place[sizeof err->message];
        snprintf(place, sizeof place, "%s:%zu", p->file, c->rows.lines[row]);
        bert_err_place(err, place);
    }
    return status;
}

/* Takes part in the flow as the thread that computes. Returns how many rows it did. */
static size_t compute_chunks(pipeline *p, meter *m, bert_err *err)
{
    size_t i = 0, n = 0;
    slot *s;
    bool last = false;
    while (!last && (s = await(p, i, READ, true))) {
        double began = bar_clock();
        last = s->last;
        *err = s->err;
        if (s->chunk.rows.n && compute_chunk(p, &s->chunk, err))
            last = true;
        n += s->chunk.rows.n;
        if (s->chunk.rows.n)
            choose_rows(p, s, bar_clock() - began);
        meter_show(m, p->out->done + n, n, s->read, s->total);
        hand_on(p, s, COMPUTED);
        i++;
    }
    end_with(p, i);
    return n;
}

/* ---- a run ------------------------------------------------------------------------------------------------------- */

static int tell_end(const pipeline *p, const bert_err *err, bool stopped, size_t n)
{
    if (p->broken)
        return results_flush(&p->out->to);
    if (err->code)
        return report_failure(err);
    return stopped ? report_error("stopped after %zu rows", p->out->done + n) : STATUS_FINE;
}

/* Only a reader that waits is cancelled: for that glibc loads an unwinder, and ends the process where memory does not
 * suffice. */
static void end_reader(pthread_t reader)
{
    struct timespec soon = after(200);
    if (pthread_timedjoin_np(reader, NULL, &soon)) {
        pthread_cancel(reader);
        pthread_join(reader, NULL);
    }
}

static int flow(pipeline *p, size_t *n)
{
    /* a terminal's bar stands before it */
    static const char ANSWER[] = "\nbert: note: finishing what is begun; once more ends at once\n";
    pthread_t reader, writer;
    meter m = meter_start(p->out->to.fd, p->table);
    if (pthread_create(&writer, NULL, write_chunks, p))
        return report_error("out of memory: a thread that writes");
    if (pthread_create(&reader, NULL, read_chunks, p)) {
        end_with(p, 0);
        pthread_join(writer, NULL);
        return report_error("out of memory: a thread that reads");
    }
    bert_err err = { 0 };
    stop_watch(ANSWER + !m.bar.terminal);
    *n = compute_chunks(p, &m, &err);
    pthread_join(writer, NULL);
    end_reader(reader);
    bool stopped = stop_asked();
    stop_forget();
    meter_end(&m, p->out->done + *n, *n, !p->broken && !err.code && !stopped);
    return tell_end(p, &err, stopped, *n);
}

/* Passes over the rows that are done. */
static int resume(pipeline *p)
{
    bert_rows rows = { .n = 1 };
    bert_err err;
    uint64_t input = HASH_START;
    for (size_t left = p->out->done; left && rows.n; left -= rows.n) {
        if (bert_table_next(p->table, left < 4096 ? left : 4096, &rows, &err))
            return report_failure(&err);
        input = output_hash(input, &rows);
    }
    return output_continue(p->out, input);
}

static int run_pipeline(pipeline *p, size_t *n)
{
    bool room = true;
    for (int i = 0; i < SLOTS; i++)
        room = room && slot_open(&p->slots[i], p->work);
    int status = !room ? report_error("out of memory: %zu rows of %zu numbers", p->work->most, p->work->numbers)
                 : p->out->done ? resume(p)
                                : STATUS_FINE;
    if (!status)
        status = flow(p, n);
    rows_note_table(p->table);
    for (int i = 0; i < SLOTS; i++)
        slot_close(&p->slots[i]);
    return status;
}

int target_check(const command *c, const char *path, bool npy, bool resume)
{
    if (npy && results_special(path))
        return report_usage(c, "--format npy needs --output FILE");
    if (resume && results_special(path))
        return report_usage(c, "--resume needs --output FILE");
    return STATUS_FINE;
}

int pipeline_run(const char *path, const rows_options *options, const pipeline_work *work,
                 const pipeline_target *target, size_t *n)
{
    output out;
    bert_err err;
    path = path ? path : "-";
    pipeline_work chosen = *work;
    pipeline p = { .file = strcmp(path, "-") ? path : "standard input",
                   .work = &chosen,
                   .out = &out,
                   .end = SIZE_MAX,
                   .lock = PTHREAD_MUTEX_INITIALIZER,
                   .changed = PTHREAD_COND_INITIALIZER };
    *n = 0;
    if (bert_table_open(path, &options->table, false, &p.table, &err))
        return report_failure(&err);
    int status = STATUS_FAILED;
    switch (output_open(&out, target)) {
    case OUTPUT_READY:
        chosen.most = rows_chunk(path, options, work->most);
        p.wanted = options->chunk ? chosen.most : FIRST_ROWS;
        p.wanted = p.wanted < chosen.most ? p.wanted : chosen.most;
        status = output_close(&out, run_pipeline(&p, n));
        break;
    case OUTPUT_DONE:
        status = STATUS_FINE;
        break;
    case OUTPUT_FAILED:
        break;
    }
    bert_table_close(p.table);
    return status;
}
