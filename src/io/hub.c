/* The Hugging Face hub: GET ENDPOINT/api/models/NAME lists a repository ("siblings"), ENDPOINT/NAME/resolve/main/FILE is a file of it. Large
 * files are redirected to a store; X-Linked-Etag is then the SHA-256 of the content, for small ones ETag is the git blob's SHA-1. */
#include "io/hub.h"

#include "base/buffer.h"
#include "base/file.h"
#include "io/download.h"
#include "io/http.h"
#include "io/json.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC_HUB "https://huggingface.co"
enum { MOST_LISTING = 64 << 20, MOST_REPOSITORY = 96 };

/* ---- which files -------------------------------------------------------------------------------------------------------- */

/* What is taken of every repository. '*' does not match a slash. */
static const char *const ALWAYS[] = { "config.json",
                                      "vocab.txt",
                                      "tokenizer.json",
                                      "tokenizer_config.json",
                                      "special_tokens_map.json",
                                      "modules.json",
                                      "*/config.json",
                                      "sentence_bert_config.json",
                                      "config_sentence_transformers.json" };

/* Forms of weights, the best first: the first row whose key is there is taken, with its shards. */
static const struct {
    const char *key, *shards;
} WEIGHTS[] = { { "model.safetensors", NULL },
                { "model.safetensors.index.json", "model-*-of-*.safetensors" },
                { "pytorch_model.bin", NULL },
                { "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin" } };

static bool matches(const char *pattern, const char *name)
{
    return pattern && fnmatch(pattern, name, FNM_PATHNAME) == 0;
}

static bool listed(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

/* True where a name stays in its folder: relative, without "..", an empty part, a backslash or a control character. */
static bool stays_inside(const char *name)
{
    for (const char *part = name;; part++) {
        size_t n = strcspn(part, "/");
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += n;
        if (!*part)
            break;
    }
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < ' ' || *p == '\\' || *p == 127)
            return false;
    return true;
}

bert_status hub_choose(arena *a, const char *const *names, size_t n_names, const char *repository, const char ***chosen, size_t *n,
                       bert_err *err)
{
    const size_t n_weights = sizeof WEIGHTS / sizeof *WEIGHTS;
    size_t w = 0;
    while (w < n_weights && !listed(names, n_names, WEIGHTS[w].key))
        w++;
    if (w == n_weights)
        return fail(err, BERT_ERR_UNSUPPORTED, "%s: holds no weights that are read here: no model.safetensors, no pytorch_model.bin",
                    repository);
    *n = 0;
    if (!(*chosen = arena_array(a, n_names, sizeof **chosen)))
        return fail_memory(err, repository);
    for (size_t i = 0; i < n_names; i++) {
        bool take = matches(WEIGHTS[w].key, names[i]) || matches(WEIGHTS[w].shards, names[i]);
        for (size_t k = 0; k < sizeof ALWAYS / sizeof *ALWAYS; k++)
            take |= matches(ALWAYS[k], names[i]);
        if (take && !stays_inside(names[i]))
            return fail(err, BERT_ERR_FORMAT, "%s: refused, a file's name leads out of its folder: %.200s", repository, names[i]);
        if (take)
            (*chosen)[(*n)++] = names[i];
    }
    return BERT_OK;
}

/* ---- the listing -------------------------------------------------------------------------------------------------------- */

/* A pull under way. */
typedef struct pull {
    arena memory;
    const char *repository, *folder, *token;
    char *endpoint; /* without a slash at its end */
    bert_download_progress progress;
    void *context;
} pull;

static bool add_listing(void *context, const http_response *r, const void *bytes, size_t n, bert_err *err)
{
    buffer *b = context;
    if (r->status != 200)
        return true;
    if (b->size + n > MOST_LISTING) {
        fail(err, BERT_ERR_NETWORK, "a listing of more than %d bytes", MOST_LISTING);
        return false;
    }
    buffer_add(b, bytes, n);
    if (b->failed)
        fail_memory(err, "a repository's listing");
    return !b->failed;
}

/* The names in "siblings": [{"rfilename": NAME}, ...], copied. */
static bert_status read_names(pull *p, const json_t *root, const char *url, const char ***names, size_t *n, bert_err *err)
{
    const json_t *siblings = json_object_get(root, "siblings");
    if (!json_is_array(siblings))
        return fail(err, BERT_ERR_NETWORK, "%s: the answer has no list of files (\"siblings\")", url);
    *n = json_array_size(siblings);
    if (!(*names = arena_array(&p->memory, *n, sizeof **names)))
        return fail_memory(err, url);
    for (size_t i = 0; i < *n; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(siblings, i), "rfilename"));
        if (!name)
            return fail(err, BERT_ERR_NETWORK, "%s: file %zu of the answer has no name (\"rfilename\")", url, i + 1);
        if (!((*names)[i] = arena_string(&p->memory, name)))
            return fail_memory(err, url);
    }
    return BERT_OK;
}

/* A listing that is being read. */
typedef struct listing {
    const pull *p;
    const char *url;
    buffer text;
} listing;

static bert_status try_listing(void *context, bool *retry, bert_err *err)
{
    listing *l = context;
    http_get get = { .url = l->url, .bearer = l->p->token, .body = add_listing, .context = &l->text };
    buffer_clear(&l->text);
    bert_status s = http_get_run(&get, err);
    *retry = get.retry;
    return s || get.response.status == 200 ? s : http_fail_status(&get, err);
}

static bert_status list_files(pull *p, const char ***names, size_t *n, bert_err *err)
{
    json_t *root = NULL;
    listing l = { .p = p, .url = arena_printf(&p->memory, "%s/api/models/%s", p->endpoint, p->repository) };
    bert_status s = l.url ? http_retry(try_listing, &l, 0, err) : fail_memory(err, p->repository);
    if (!s && (s = json_read_bytes(&root, l.text.data ? l.text.data : "", l.text.size, l.url, err)) == BERT_ERR_FORMAT)
        s = fail_in(err, BERT_ERR_NETWORK, "no listing of a repository");
    if (!s)
        s = read_names(p, root, l.url, names, n, err);
    json_decref(root);
    buffer_free(&l.text);
    return s;
}

/* ---- the pull ----------------------------------------------------------------------------------------------------------- */

/* True for "NAME" and "OWNER/NAME" of letters, digits, '-', '_' and '.', neither beginning with a '.'. */
static bool is_repository(const char *name)
{
    const char *slash = strchr(name, '/');
    if (!*name || strlen(name) > MOST_REPOSITORY || *name == '.' || *name == '/')
        return false;
    if (slash && (!slash[1] || slash[1] == '.' || strchr(slash + 1, '/')))
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./") == strlen(name);
}

static bert_status set_up(pull *p, bert_err *err)
{
    if (!is_repository(p->repository))
        return fail(err, BERT_ERR_ARGUMENT, "\"%.200s\": not a repository's name, expected OWNER/NAME", p->repository);
    const char *endpoint = getenv("HF_ENDPOINT"), *token = getenv("HF_TOKEN");
    p->token = token && *token ? token : NULL;
    p->endpoint = arena_string(&p->memory, endpoint && *endpoint ? endpoint : PUBLIC_HUB);
    if (!p->endpoint)
        return fail_memory(err, p->repository);
    for (size_t n = strlen(p->endpoint); n && p->endpoint[n - 1] == '/'; n--)
        p->endpoint[n - 1] = 0;
    if (!http_is_address(p->endpoint))
        return fail(err, BERT_ERR_ARGUMENT, "HF_ENDPOINT is %s, expected an http:// or https:// address", p->endpoint);
    return BERT_OK;
}

static bert_status pull_file(pull *p, const char *name, bert_err *err)
{
    buffer url = { 0 };
    buffer_printf(&url, "%s/%s/resolve/main/", p->endpoint, p->repository);
    http_escape_path(&url, name);
    char *path = path_join(&p->memory, p->folder, name), *above = path ? path_folder(&p->memory, path) : NULL;
    bert_status s = above && !url.failed ? folder_create(above, err) : fail_memory(err, name);
    if (!s) {
        download d = {
            .url = url.data, .path = path, .name = name, .bearer = p->token, .from_hub = true, .progress = p->progress, .context = p->context
        };
        s = download_file(&d, err);
    }
    buffer_free(&url);
    return s;
}

bert_status bert_pull(const char *name, const char *folder, bert_download_progress progress, void *context, bert_err *err)
{
    pull p = { .repository = name, .folder = folder, .progress = progress, .context = context };
    const char **names = NULL, **chosen = NULL;
    size_t n_names = 0, n = 0;
    bert_status s = set_up(&p, err);
    if (!s)
        s = list_files(&p, &names, &n_names, err);
    if (!s)
        s = hub_choose(&p.memory, names, n_names, name, &chosen, &n, err);
    for (size_t i = 0; !s && i < n; i++)
        s = pull_file(&p, chosen[i], err);
    arena_free(&p.memory);
    return s;
}
