/* bert pull: a repository from the Hugging Face hub. */
#include "cli/bar.h"
#include "cli/command.h"
#include "cli/messages.h"
#include "cli/results.h"
#include "cli/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct pull_options {
    const char *output;
} pull_options;

static const bert_option OPTIONS[] = {
    OPTION_STRING(pull_options, output, "DIR", "the folder to write; default: the part of NAME behind the slash"),
};

/* The file under way. */
typedef struct pull_state {
    bar bar;
    char file[256];
    uint64_t first; /* bytes that were there already */
    double started;
    bool told; /* it is whole, and its line is printed */
} pull_state;

/* "model.safetensors  [====>....]  41.2 / 90.9 MB - 12.3 MB/s - ETA: 4s" */
static void describe_download(const pull_state *d, uint64_t done, uint64_t total, char *line, size_t size)
{
    double seconds = bar_clock() - d->started, rate = seconds > 0 ? (double)(done - d->first) / seconds : 0;
    char filled[BAR_SIZE], left[32];
    bar_fill(filled, BAR_SIZE, done, total);
    bar_time(left, sizeof left, rate > 0 && total > done ? (double)(total - done) / rate : 0);
    if (!total)
        snprintf(line, size, "%s  %.1f MB - %.1f MB/s", d->file, (double)done / 1e6, rate / 1e6);
    else if (done < total)
        snprintf(line, size, "%s  %s  %.1f / %.1f MB - %.1f MB/s - ETA: %s", d->file, filled, (double)done / 1e6,
                 (double)total / 1e6, rate / 1e6, left);
    else
        snprintf(line, size, "%s  %.1f MB", d->file, (double)total / 1e6);
}

static bool on_progress(void *context, const char *file, uint64_t done, uint64_t total)
{
    pull_state *d = context;
    if (strcmp(d->file, file)) {
        bar_leave(&d->bar);
        snprintf(d->file, sizeof d->file, "%s", file);
        d->first = done;
        d->started = bar_clock();
        d->told = false;
    }
    char line[512];
    describe_download(d, done, total, line, sizeof line);
    if (total && done >= total && !d->told) {
        bar_finish(&d->bar, line);
        d->told = true;
    } else if (!d->told && bar_due(&d->bar)) {
        bar_draw(&d->bar, line);
    }
    return !stop_asked();
}

/* "all-MiniLM-L6-v2" of "sentence-transformers/all-MiniLM-L6-v2" */
static const char *last_part(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash && slash[1] ? slash + 1 : name;
}

/* Where no option names the folder. */
static int check_folder(const char *folder)
{
    bert_err err;
    stop_cleans(folder);
    return bert_output_check(folder, BERT_OUTPUT_DOWNLOAD, false, &err) ? report_failure(&err) : STATUS_FINE;
}

static int run_pull(const void *options, const char *name)
{
    const pull_options *o = options;
    const char *folder = o->output ? o->output : last_part(name);
    pull_state d = { .bar = bar_start() };
    bert_err err;
    int status = o->output ? STATUS_FINE : check_folder(folder);
    if (status)
        return status;
    stop_watch(NULL);
    bert_status s = bert_pull(name, folder, on_progress, &d, &err);
    stop_forget();
    bar_leave(&d.bar);
    if (s == BERT_ERR_STOPPED)
        return report_error("stopped; the same command goes on from here");
    if (s)
        return report_failure(&err);
    bert_buffer out = { 0 };
    bert_buffer_printf(&out, "%s\n", folder);
    return results_print(&out, STATUS_FINE);
}

const command pull_command = {
    .name = "pull",
    .usage = "NAME [-o DIR]",
    .summary = "Fetches a checkpoint from the Hugging Face hub",
    .details =
        "NAME is that of a repository: sentence-transformers/all-MiniLM-L6-v2. HF_ENDPOINT is the hub's address where "
        "it is not the "
        "public one, HF_TOKEN the token that some repositories want. What is there already is not fetched again.",
    .argument = "NAME",
    .argument_needed = true,
    .outputs = (const output_option[]){ { .name = "output", .output = BERT_OUTPUT_DOWNLOAD }, { .name = NULL } },
    .groups = (const option_group[]){ OWN_OPTIONS, { .title = NULL } },
    .options_size = sizeof(pull_options),
    .run = run_pull,
};
