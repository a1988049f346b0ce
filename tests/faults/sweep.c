/* Whatever fails, the command ends with a message, or gives the right result; what stands at -o is whole or absent, and
 * nothing else is left.
 *
 *     faults FILES [--stride N] [--verb NAME] [--fault NAME] [--at N]
 *
 * FILES is tests/files. Each verb of the command runs once undisturbed, which tells what is right and how many calls
 * there are, and then once for each n, the n-th call of a kind failing; then with less memory or disk than it needs, a
 * step more each time. With a stride only each N-th run is made. The command is linked in, and forked for each run. */
#include "faults/fail.h"
#include "faults/tree.h"
#include "http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int bert_main(int argc, char **argv); /* main of src/cli, by another name */

#define COLUMNS "--text-columns question1,question2 --label-column is_duplicate"

/* What runs. "@" begins a path in FILES, "%" one in $BERT_SHARED/cases, without which the verb is left out; `before`, a
 * line for the shell, makes what the verb reads. out is what -o names; of it, differs are the files that are never
 * twice the same; beside it may stay what `kept` names. */
typedef struct verb {
    const char *name, *call;
    const char *out, *differs, *kept;
    bool prints; /* its standard output is the same each time */
    bool makes;  /* its out is what later verbs read */
    enum {
        WHOLE,
        OPENS,
        FILLED
    } partly; /* what out may be after a fault: as it was before or is right; what `bert inspect` opens, as training
               * goes on in it; a folder that a download fills, each file of it right */
    const char *before;
    const char *old; /* what stands at -o when it starts; there it is afterwards, or what is right */
} verb;

static const verb VERBS[] = {
    { "import", "import @toy -o module", "module", "", "", true, true, WHOLE, NULL, NULL },
    { "inspect", "inspect ../module", NULL, "", "", true, false, WHOLE, NULL, NULL },
    { "train",
      "train --module ../module --train @toy-train.tsv --valid @toy-valid.tsv -o model " COLUMNS
      " --epochs 2 --n-tune-layers 1 --seq-len 16 --copy-module",
      "model", "history.json report.html logs checkpoint.safetensors", "", false, true, OPENS, NULL, NULL },
    { "inspect-model", "inspect ../model --json", NULL, "", "", true, false, WHOLE, NULL, NULL },
    { "eval", "eval -m ../model @toy-valid.tsv " COLUMNS, NULL, "", "", true, false, WHOLE, NULL, NULL },
    { "freeze", "freeze ../model -o frozen --precision int8", "frozen", "", "", false, true, WHOLE, NULL, NULL },
    { "predict", "predict -m ../frozen @toy-valid.tsv -o rows --text-columns question1,question2", "rows", "",
      "rows.part rows.part.json", true, false, WHOLE, NULL, NULL },
    { "embed", "embed -m ../module @toy-valid.tsv --text-columns question1 -o vectors.npy --format npy", "vectors.npy",
      "", "vectors.npy.part vectors.npy.part.json", true, false, WHOLE, NULL, NULL },
    { "tokenize", "tokenize -m ../module @toy-valid.tsv --text-columns question1,question2", NULL, "", "", true, false,
      WHOLE, NULL, NULL },
    { "export-onnx", "export ../model --format onnx -o x.onnx", "x.onnx", "", "", false, false, WHOLE, NULL, NULL },
    { "export-gguf", "export ../module --format gguf -o x.gguf", "x.gguf", "", "", false, false, WHOLE, NULL, NULL },
    { "export-hf", "export ../model --format hf -o x", "x", "", "", false, false, WHOLE, NULL, NULL },
    { "predict-gzip", "predict -m ../frozen ../valid.tsv.gz --text-columns question1,question2 --encoding cp1252", NULL,
      "", "", true, false, WHOLE, "gzip -c $FILES/toy-valid.tsv >../valid.tsv.gz", NULL },
    { "inspect-tar", "inspect ../module.tar.gz", NULL, "", "", true, false, WHOLE,
      "tar -C .. -czf ../module.tar.gz module", NULL },
    { "import-legacy", "import %legacy-bin -o module", "module", "", "", true, false, WHOLE, NULL, NULL },
    { "import-tf", "import %tf-finetuned -o module", "module", "", "", true, false, WHOLE, NULL, NULL },
    { "pull", "pull toy/model -o pulled", "pulled", "", "", false, false, FILLED, NULL, NULL },
    { "import-over", "import @toy -o other", "other", "", "", true, false, WHOLE, NULL, "../module" },
    { "train-over",
      "train --module ../module --train @toy-train.tsv -o again " COLUMNS
      " --epochs 1 --n-tune-layers 1 --seq-len 8 --force",
      "again", "history.json report.html logs checkpoint.safetensors", "", false, false, OPENS, NULL, "../model" },
    { "freeze-over", "freeze ../model -o smaller", "smaller", "", "", false, false, WHOLE, NULL, "../frozen" },
    { "predict-over", "predict -m ../frozen @toy-valid.tsv -o words --text-columns question1", "words", "",
      "words.part words.part.json", true, false, WHOLE, NULL, "../right-rows" },
    { "embed-over", "embed -m ../module @toy-valid.tsv --text-columns question2 -o v.npy --format npy", "v.npy", "",
      "v.npy.part v.npy.part.json", true, false, WHOLE, NULL, "../right-vectors.npy" },
    { "export-over", "export ../module --format hf -o y", "y", "", "", false, false, WHOLE, NULL, "../right-x" },
    { "bench", "bench -m ../frozen --seconds 0.001", NULL, "", "", false, false, WHOLE, NULL, NULL },
};
enum { N_VERBS = sizeof VERBS / sizeof *VERBS, MOST_WORDS = 40 };

/* What one run did. */
typedef struct outcome {
    int status; /* as of waitpid */
    char *out, *err;
} outcome;

static const char *files, *cases; /* absolute; cases NULL: there are none */
static size_t n_runs, n_faults;
static bool telling;

/* ---- a run ------------------------------------------------------------------------------------------------------- */

/* In the child: does not come back. err: a pipe, which no limit of files ends. */
static void be_the_command(const char *call, const fault *f, size_t at, int err)
{
    static char memory[4096], paths[MOST_WORDS][4096], *words[MOST_WORDS + 1];
    int n = 0, out = open("../stdout", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    words[n++] = (char *)"bert";
    strcpy(memory, call);
    for (char *word = strtok(memory, " "); word && n < MOST_WORDS; word = strtok(NULL, " "), n++) {
        snprintf(paths[n], sizeof paths[n], "%s/%s", *word == '@' ? files : cases, word + 1);
        words[n] = *word == '@' || *word == '%' ? paths[n] : word;
    }
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    alarm(60);
    fault_tell = telling;
    if (f && !fault_arm(f, at))
        _exit(99);
    exit(bert_main(n, words));
}

/* All that comes out of a pipe, to its end. */
static char *read_to_end(int pipe)
{
    size_t size = 0, n = 1 << 16;
    char *text = malloc(n + 1);
    for (ssize_t got; text && (got = read(pipe, text + size, n - size)) > 0;) {
        size += (size_t)got;
        if (size == n)
            text = realloc(text, (n *= 2) + 1);
    }
    if (!text)
        exit(1);
    text[size] = 0;
    return text;
}

static outcome run(const char *call, const fault *f, size_t at)
{
    outcome o = { 0 };
    int ends[2];
    fflush(NULL);
    if (pipe(ends))
        exit(1);
    pid_t child = fork();
    if (!child) {
        close(ends[0]);
        be_the_command(call, f, at, ends[1]);
    }
    close(ends[1]);
    o.err = read_to_end(ends[0]);
    close(ends[0]);
    while (waitpid(child, &o.status, 0) < 0 && errno == EINTR)
        ;
    o.out = tree_text("../stdout");
    return o;
}

static void outcome_free(outcome *o)
{
    free(o->out);
    free(o->err);
}

/* ---- what is right ----------------------------------------------------------------------------------------------- */

static bool opens(const char *path)
{
    char call[64];
    snprintf(call, sizeof call, "inspect %s", path);
    outcome o = run(call, NULL, 0);
    bool fine = !o.status;
    outcome_free(&o);
    return fine;
}

/* NULL, or what is wrong with what stands in the folder of the run. */
static const char *check_files(const verb *v, const char *right, bool done)
{
    static char what[512];
    char allowed[256];
    struct stat st;
    bool there = v->out && !lstat(v->out, &st);
    snprintf(allowed, sizeof allowed, "cache %s %s", v->out ? v->out : "", done ? "" : v->kept);
    const char *other = tree_other(".", allowed);
    if (other)
        snprintf(what, sizeof what, "%s is left", other);
    else if (done && v->out && !there)
        snprintf(what, sizeof what, "%s is absent", v->out);
    else if (v->old && !there)
        snprintf(what, sizeof what, "%s is lost", v->out);
    else if (there && v->partly == FILLED && !done)
        return tree_part(right, v->out, ".part", what, sizeof what) ? NULL : what;
    else if (there && v->partly == OPENS && !done)
        return (!v->old && access("model/model.json", F_OK)) || opens(v->out) ? NULL : "what is there does not open";
    else if (there && !tree_same(right, v->out, v->differs, what, sizeof what) &&
             (done || !v->old || !tree_same(v->old, v->out, v->differs, what, sizeof what)))
        return what;
    else
        return NULL;
    return what;
}

/* gnutls, which libcurl brings, ends a process that leaves where not sixteen bytes are left: its answer is given by
 * then. */
static int code_of(const verb *v, const outcome *o)
{
    if (v->partly == FILLED && strstr(o->err, "cannot allocate memory for thread-local data: ABORT"))
        return strstr(o->err, "bert: error: ") != NULL;
    return WEXITSTATUS(o->status);
}

static const char *check(const verb *v, const fault *f, const outcome *o, const outcome *right_words, const char *right)
{
    static char what[64];
    if (WIFSIGNALED(o->status)) {
        snprintf(what, sizeof what, WTERMSIG(o->status) == SIGALRM ? "hangs" : "dies of signal %d",
                 WTERMSIG(o->status));
        return what;
    }
    int code = code_of(v, o);
    if (code > 1)
        return snprintf(what, sizeof what, "exit code %d", code), what;
    if (code == 1 && !strstr(o->err, "bert: error: "))
        return "fails without a message";
    /* libcurl has other names for want of memory, too */
    if (code == 1 && f->words && !strcasestr(o->err, f->words) && v->partly != FILLED)
        return "the message is of another fault";
    if (!code && v->prints && strcmp(o->out, right_words->out))
        return "gives another answer";
    return check_files(v, right, !code);
}

/* ---- the sweep --------------------------------------------------------------------------------------------------- */

static void enter(const char *folder)
{
    if (chdir(folder))
        abort();
}

static void fresh_folder(const verb *v)
{
    char copy[128];
    if (tree_remove(".", false))
        abort();
    enter("..");
    enter("run");
    snprintf(copy, sizeof copy, "cp -a %s %s", v->old, v->out);
    if (v->old && system(copy))
        abort();
}

/* Whether the command ended with 0. */
static bool one_run(const verb *v, const fault *f, size_t at, const outcome *right_words, const char *right, bool loud)
{
    fresh_folder(v);
    outcome o = run(v->call, f, at);
    const char *wrong = check(v, f, &o, right_words, right);
    bool done = !o.status;
    n_runs++;
    n_faults += wrong != NULL;
    if (wrong || loud)
        printf("%s: %s: call %zu: %s\n    %s%s", v->name, f->name, at, wrong ? wrong : "fine", o.err,
               *o.err ? "" : "\n");
    outcome_free(&o);
    return done;
}

/* The undisturbed run: what it leaves is kept beside the folder of runs. */
static outcome prepare(const verb *v, char right[64])
{
    fresh_folder(v);
    if (v->before && system(v->before))
        exit(1);
    outcome o = run(v->call, NULL, 0);
    if (o.status) {
        fprintf(stderr, "%s: does not work undisturbed: %s", v->name, o.err);
        exit(1);
    }
    snprintf(right, 64, "../%s%s", v->makes ? "" : "right-", v->out ? v->out : "nothing");
    if (v->out && (tree_remove(right, true), rename(v->out, right)))
        abort();
    return o;
}

/* How many calls of the kind the verb makes; a fault that never comes. */
static size_t count_calls(const verb *v, const fault *f)
{
    fresh_folder(v);
    outcome o = run(v->call, f, (size_t)-1);
    if (o.status) {
        fprintf(stderr, "%s: %s: cannot count calls: %s", v->name, f->name, o.err);
        exit(1);
    }
    outcome_free(&o);
    return fault_calls();
}

typedef struct choice {
    size_t stride, at;
    const char *verb, *fault;
} choice;

/* Each stride-th call of the kind fails. */
static size_t sweep_calls(const verb *v, const fault *f, size_t stride, const outcome *right_words, const char *right)
{
    size_t calls = count_calls(v, f);
    stride *= f->step;
    stride = stride < calls || !calls ? stride : calls; /* at least one */
    for (size_t at = (size_t)(v - VERBS) % stride; at < calls; at += stride)
        one_run(v, f, at, right_words, right, false);
    return calls;
}

/* From almost nothing on (a message is a file, too) until there is enough. */
static size_t sweep_limit(const verb *v, const fault *f, size_t stride, const outcome *right_words, const char *right)
{
    size_t at = 1;
    for (size_t enough = 0; enough < 3; at += stride)
        enough = one_run(v, f, at, right_words, right, false) ? enough + 1 : 0;
    return at;
}

static void sweep_fault(const verb *v, const fault *f, const choice *c, const outcome *right_words, const char *right)
{
    size_t before = n_faults, n = 0;
    if (f->limit == DISK_LIMIT && (enter(".."), !disk_mount() || chdir("run")))
        abort();
    if (c->at != (size_t)-1)
        one_run(v, f, c->at, right_words, right, true);
    else
        n = (f->limit ? sweep_limit : sweep_calls)(v, f, c->stride, right_words, right);
    if (f->limit == DISK_LIMIT && (enter(".."), !disk_unmount() || chdir("run")))
        abort();
    printf("%-14s %-16s %6zu %s %4zu faults\n", v->name, f->name, n, f->limit ? "steps" : "calls", n_faults - before);
    fflush(stdout);
}

static void sweep(const verb *v, const choice *c)
{
    char right[64];
    outcome right_words = prepare(v, right);
    for (const fault *f = FAULTS; f < FAULTS + N_FAULTS && (!c->verb || !strcmp(c->verb, v->name)); f++)
        if ((!c->fault || !strncmp(f->name, c->fault, strlen(c->fault))) && (f->limit != DISK_LIMIT || disk_allowed()))
            sweep_fault(v, f, c, &right_words, right);
    outcome_free(&right_words);
}

static http_server hub; /* of the verb `pull` */

static void start_hub(void)
{
    static const char *const NAMES[] = { "config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt" };
    enum { N = sizeof NAMES / sizeof *NAMES };
    static char listing[512] = "{\"siblings\": [", paths[N][128], path[4096];
    static route routes[N + 1] = { { .path = "/api/models/toy/model", .body = listing } };
    for (size_t i = 0; i < N; i++) {
        struct stat st;
        snprintf(path, sizeof path, "%s/toy/%s", files, NAMES[i]);
        snprintf(paths[i], sizeof paths[i], "/toy/model/resolve/main/%s", NAMES[i]);
        routes[i + 1] = (route){
            .path = paths[i], .body = tree_text(path), .size = stat(path, &st) ? 0 : (size_t)st.st_size, .etag = "\"x\""
        };
        size_t n = strlen(listing);
        snprintf(listing + n, sizeof listing - n, "%s{\"rfilename\": \"%s\"}", i ? ", " : "", NAMES[i]);
    }
    strcat(listing, "]}");
    server_start(&hub, routes, N + 1);
    setenv("HF_ENDPOINT", server_url(&hub, ""), 1);
}

int main(int argc, char **argv)
{
    choice c = { .stride = 1, .at = (size_t)-1 };
    char folder[] = "/dev/shm/libbert-faults-XXXXXX"; /* there fsync takes no time */
    if (argc < 2 || !(files = realpath(argv[1], NULL)))
        return fprintf(stderr, "usage: faults FILES [--stride N] [--verb NAME] [--fault NAME] [--at N]\n"), 2;
    for (int i = 2; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], "--stride"))
            c.stride = strtoul(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--verb"))
            c.verb = argv[i + 1];
        else if (!strcmp(argv[i], "--fault"))
            c.fault = argv[i + 1];
        else if (!strcmp(argv[i], "--at"))
            c.at = strtoul(argv[i + 1], NULL, 10), telling = true;
    setenv("OMP_NUM_THREADS", "1", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("BERT_CACHE", "cache", 1);
    setenv("FILES", files, 1);
    char shared[4096];
    snprintf(shared, sizeof shared, "%s/cases", getenv("BERT_SHARED") ? getenv("BERT_SHARED") : "../shared");
    cases = realpath(shared, NULL);
    start_hub();
    if (!c.stride || !mkdtemp(folder) || chdir(folder) || mkdir("run", 0777) || chdir("run") || !fault_share())
        return perror("faults"), 1;
    for (const verb *v = VERBS; v < VERBS + N_VERBS; v++)
        if (cases || !strchr(v->call, '%'))
            sweep(v, &c);
    if (!disk_allowed())
        puts("the disk's limit is left out: no mount namespace can be made here");
    server_stop(&hub);
    tree_remove(folder, true);
    printf("%zu runs, %zu faults\n", n_runs, n_faults);
    return n_faults > 0;
}
