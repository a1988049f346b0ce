/* Results that outlive a run which is stopped. */
#include "cli/output.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what a part holds -------------------------------------------------------------------------------------------------- */

typedef struct part_state {
    size_t rows;    /* of the input, up to the last one that it tells of */
    long last, end; /* [last, end) is what it says of that; half a line or vector behind it does not count */
} part_state;

static part_state read_lines(FILE *part, bool numbered)
{
    part_state state = { 0 };
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    while ((n = getline(&line, &room, part)) > 0 && line[n - 1] == '\n') {
        size_t row = numbered ? strtoul(line, NULL, 10) : state.rows + 1;
        if (row != state.rows)
            state.last = state.end;
        state.rows = row;
        state.end += n;
    }
    free(line);
    return state;
}

static part_state read_part(FILE *part, output_form form, size_t cols)
{
    struct stat st;
    long header = BERT_NPY_HEADER, row = (long)(cols * sizeof(float));
    if (form != OUTPUT_NPY)
        return read_lines(part, form == OUTPUT_NUMBERED);
    if (fstat(fileno(part), &st) || st.st_size < header + row)
        return (part_state){ 0 };
    long rows = (st.st_size - header) / row;
    return (part_state){ (size_t)rows, header + (rows - 1) * row, header + rows * row };
}

/* ---- the record --------------------------------------------------------------------------------------------------------- */

static char *read_record(const char *path)
{
    char *text = NULL;
    size_t room = 0;
    FILE *f = fopen(path, "re");
    ssize_t n = f ? getdelim(&text, &room, 0, f) : -1;
    if (f)
        fclose(f);
    if (n > 0)
        return text;
    free(text);
    return NULL;
}

/* A member without what stands around it. */
static int member_size(const char **line)
{
    *line += strspn(*line, " ");
    size_t n = strcspn(*line, "\n");
    return (int)(n && (*line)[n - 1] == ',' ? n - 1 : n);
}

/* Both are written by the same program: where they differ, it is in the value of one member. */
static int check_record(const output *o, const char *now)
{
    char *then = read_record(o->record);
    if (!then)
        return report_error("%s: what %s was made with is not known; remove that to begin anew", o->record, o->part);
    const char *a = then, *b = now;
    while (*a && strcspn(a, "\n") == strcspn(b, "\n") && !strncmp(a, b, strcspn(a, "\n") + 1)) {
        a += strcspn(a, "\n") + (a[strcspn(a, "\n")] == '\n');
        b += strcspn(b, "\n") + (b[strcspn(b, "\n")] == '\n');
    }
    int status = STATUS_FINE;
    if (*a || *b) {
        int na = member_size(&a), nb = member_size(&b);
        status = report_error("%s: made with %.*s, this run has %.*s; remove it to begin anew", o->part, na, a, nb, b);
    }
    free(then);
    return status;
}

static int write_record(const output *o, const char *record)
{
    FILE *f = fopen(o->record, "we");
    bool written = f && fputs(record, f) >= 0;
    written = f && !fclose(f) && written;
    return written ? STATUS_FINE : report_error("%s: %s", o->record, strerror(errno));
}

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

static void write_header(output *o, size_t rows)
{
    char header[BERT_NPY_HEADER];
    if (o->form != OUTPUT_NPY)
        return;
    bert_npy_header(header, rows, o->cols);
    results_bytes(&o->to, header, sizeof header);
}

static int begin_part(output *o, const char *record)
{
    if (ftruncate(fileno(o->to.stream), 0))
        return report_error("%s: %s", o->path, strerror(errno));
    rewind(o->to.stream);
    write_header(o, 0);
    return write_record(o, record);
}

static int resume_part(output *o, const char *record)
{
    int status = check_record(o, record);
    if (status)
        return status;
    part_state state = read_part(o->to.stream, o->form, o->cols);
    if (!state.rows)
        return begin_part(o, record);
    o->done = state.rows;
    o->last_at = state.last;
    o->last_size = (size_t)(state.end - state.last);
    o->last = malloc(o->last_size);
    if (!o->last || pread(fileno(o->to.stream), o->last, o->last_size, state.last) != (ssize_t)o->last_size)
        return report_error("%s: %s", o->part, strerror(errno));
    return STATUS_FINE;
}

/* Opens the part for this process alone. */
static int open_part(output *o)
{
    int fd = open(o->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return report_error("%s: %s", o->path, strerror(errno));
    o->to = (results){ .stream = fdopen(fd, "r+"), .path = o->path };
    if (o->to.stream && !flock(fd, LOCK_EX | LOCK_NB))
        return STATUS_FINE;
    int status = errno == EWOULDBLOCK ? report_error("%s: another process is writing it", o->part)
                                      : report_error("%s: %s", o->part, strerror(errno));
    if (o->to.stream)
        fclose(o->to.stream);
    else
        close(fd);
    return status;
}

static void forget(output *o)
{
    free(o->path);
    free(o->part);
    free(o->record);
    free(o->last);
    *o = (output){ 0 };
}

static output_state open_kept(output *o, const char *path, bool resume, const char *record)
{
    o->path = strdup(path);
    if (!o->path || asprintf(&o->part, "%s.part", path) < 0 || asprintf(&o->record, "%s.part.json", path) < 0) {
        report_error("out of memory: the name of %s", path);
        return OUTPUT_FAILED;
    }
    bool there = !access(o->part, F_OK);
    if (resume && !there && !access(path, F_OK)) {
        report_note("%s is done already", path);
        return OUTPUT_DONE;
    }
    if (open_part(o))
        return OUTPUT_FAILED;
    if (!(resume && there ? resume_part : begin_part)(o, record))
        return OUTPUT_READY;
    fclose(o->to.stream);
    if (!there)
        unlink(o->part);
    return OUTPUT_FAILED;
}

output_state output_open(output *o, const char *path, output_form form, size_t cols, bool resume, const char *record)
{
    *o = (output){ .form = form, .cols = cols, .resume = resume };
    if (!path || !strcmp(path, "-") || results_special(path))
        return results_open(&o->to, path) ? OUTPUT_FAILED : OUTPUT_READY;
    output_state state = open_kept(o, path, resume, record);
    if (state != OUTPUT_READY)
        forget(o);
    return state;
}

int output_continue(output *o, const char *text, size_t size)
{
    o->refused = size < o->last_size || memcmp(text, o->last, o->last_size);
    if (o->refused)
        return report_error("%s: row %zu of the input says something else now: another input, or another model; remove it to begin anew",
                            o->part, o->done);
    if (ftruncate(fileno(o->to.stream), o->last_at) || fseek(o->to.stream, o->last_at, SEEK_SET))
        return report_error("%s: %s", o->part, strerror(errno));
    results_bytes(&o->to, text, size);
    return STATUS_FINE;
}

/* ---- the end ------------------------------------------------------------------------------------------------------------ */

static int put_in_place(output *o)
{
    if (o->form == OUTPUT_NPY && !o->to.error && !fseek(o->to.stream, 0, SEEK_SET))
        write_header(o, o->done + o->rows);
    int status = results_flush(&o->to);
    if (status)
        return status;
    if (fsync(fileno(o->to.stream)) || rename(o->part, o->path))
        return report_error("%s: %s", o->path, strerror(errno));
    unlink(o->record);
    return STATUS_FINE;
}

/* Cuts off what is half there, so that the part is a sound file of its rows. */
static int trim(output *o, FILE *part, size_t *rows)
{
    char header[BERT_NPY_HEADER];
    part_state state = read_part(part, o->form, o->cols);
    *rows = state.rows;
    if (ftruncate(fileno(part), state.end))
        return report_error("%s: %s", o->part, strerror(errno));
    if (o->form != OUTPUT_NPY || !state.rows)
        return STATUS_FINE;
    bert_npy_header(header, state.rows, o->cols);
    return pwrite(fileno(part), header, sizeof header, 0) > 0 ? STATUS_FINE : report_error("%s: %s", o->part, strerror(errno));
}

static void keep(output *o)
{
    size_t rows;
    FILE *part = fopen(o->part, "r+e");
    if (!part || trim(o, part, &rows))
        rows = 0;
    else if (!rows) {
        unlink(o->part);
        unlink(o->record);
    }
    if (part)
        fclose(part);
    if (!rows)
        return;
    report_note("%s has what the first %zu row%s gave", o->part, rows, rows == 1 ? "" : "s");
    fputs("go on with: ", stderr);
    command_line_print(stderr, o->resume ? "\n" : " --resume\n");
}

int output_close(output *o, int status)
{
    if (!o->path)
        return results_close(&o->to, status);
    if (!status)
        status = put_in_place(o);
    else
        results_push(&o->to); /* what went wrong has been told already */
    fclose(o->to.stream);
    if (status && !o->refused)
        keep(o);
    forget(o);
    return status;
}
