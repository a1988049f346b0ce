/* The Hugging Face hub: GET ENDPOINT/api/models/NAME?blobs=true lists a repository ("siblings"),
 * ENDPOINT/NAME/resolve/main/FILE is a file of it. Large files are redirected to a store; X-Linked-Etag is then the
 * SHA-256 of the content, for small ones ETag is the git blob's SHA-1. */
#include "web/hub.h"

#include "base/buffer.h"
#include "base/file.h"
#include "web/download.h"
#include "web/http.h"
#include "formats/json.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC_HUB "https://huggingface.co"
enum { MOST_LISTING = 64 << 20, MOST_REPOSITORY = 96 };

/* ---- which files ------------------------------------------------------------------------------------------------- */

/* What is taken of every repository. '*' does not match a slash. */
/* clang-format off */
static const char *const ALWAYS[] = {
    "config.json", "vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "modules.json", "*/config.json",
    "sentence_bert_config.json", "config_sentence_transformers.json"
};
/* clang-format on */

/* Forms of weights, the best first: the first row whose key is there is taken, with its shards. */
static const struct {
    const char *key, *shards;
} WEIGHTS[] = { { "model.safetensors", NULL },
                { "model.safetensors.index.json", "model-*-of-*.safetensors" },
                { "pytorch_model.bin", NULL },
                { "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin" } };

static bool hub_name_matches(const char *pattern, const char *name)
{
    return pattern && fnmatch(pattern, name, FNM_PATHNAME) == 0;
}

static bool hub_listed(const hub_file *files, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(files[i].name, name))
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

bert_status hub_choose(arena *a, const hub_file *files, size_t n_files, const char *repository,
                       const hub_file ***chosen, size_t *n, bert_err *err)
{
    const size_t n_weights = sizeof WEIGHTS / sizeof *WEIGHTS;
    size_t w = 0;
    while (w < n_weights && !hub_listed(files, n_files, WEIGHTS[w].key))
        w++;
    if (w == n_weights)
        return fail(err, BERT_ERR_UNSUPPORTED,
                    "%s: holds no weights that are read here: no model.safetensors, no pytorch_model.bin", repository);
    *n = 0;
    if (!(*chosen = arena_array(a, n_files, sizeof **chosen)))
        return fail_memory(err, repository);
    for (size_t i = 0; i < n_files; i++) {
        bool take = hub_name_matches(WEIGHTS[w].key, files[i].name) ||
                    hub_name_matches(WEIGHTS[w].shards, files[i].name);
        for (size_t k = 0; k < sizeof ALWAYS / sizeof *ALWAYS; k++)
            take |= hub_name_matches(ALWAYS[k], files[i].name);
        if (take && !stays_inside(files[i].name))
            return fail(err, BERT_ERR_FORMAT, "%s: refused, a file's name leads out of its folder: %.200s", repository,
                        files[i].name);
        if (take)
            (*chosen)[(*n)++] = &files[i];
    }
    return BERT_OK;
}

/* ---- the listing ------------------------------------------------------------------------------------------------- */

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

static bool is_checksum(const char *s, size_t digits)
{
    return s && strlen(s) == digits && strspn(s, "0123456789abcdefABCDEF") == digits;
}

/* What a listing says of a file beside its name: a large one's SHA-256 stands under "lfs", a small one's git blob is
 * "blobId". */
static void read_sums(hub_file *f, const json_t *sibling)
{
    const json_t *size = json_object_get(sibling, "size"), *lfs = json_object_get(sibling, "lfs");
    const char *sha256 = json_string_value(json_object_get(lfs, "sha256")),
               *blob = json_string_value(json_object_get(sibling, "blobId"));
    if (json_is_integer(size) && json_integer_value(size) > 0)
        f->size = (uint64_t)json_integer_value(size);
    if (is_checksum(sha256, 64))
        strcpy(f->checksum, sha256);
    else if (!lfs && is_checksum(blob, 40))
        strcpy(f->checksum, blob);
}

bert_status hub_read_listing(arena *a, const char *bytes, size_t n_bytes, const char *url, hub_file **files, size_t *n,
                             bert_err *err)
{
    json_t *root = NULL;
    *n = 0;
    bert_status s = json_read_bytes(&root, bytes, n_bytes, url, err);
    if (s)
        return s == BERT_ERR_FORMAT ? fail_in(err, BERT_ERR_NETWORK, "no listing of a repository") : s;
    const json_t *siblings = json_object_get(root, "siblings");
    *files = arena_array(a, json_array_size(siblings), sizeof **files);
    if (!json_is_array(siblings))
        s = fail(err, BERT_ERR_NETWORK, "%s: the answer has no list of files (\"siblings\")", url);
    else if (!*files)
        s = fail_memory(err, url);
    for (size_t i = 0; !s && i < json_array_size(siblings); i++) {
        const json_t *sibling = json_array_get(siblings, i);
        const char *name = json_string_value(json_object_get(sibling, "rfilename"));
        hub_file *f = &(*files)[(*n)++];
        if (!name)
            s = fail(err, BERT_ERR_NETWORK, "%s: file %zu of the answer has no name (\"rfilename\")", url, i + 1);
        else if (!(f->name = arena_string(a, name)))
            s = fail_memory(err, url);
        else
            read_sums(f, sibling);
    }
    json_decref(root);
    return s;
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

static bert_status list_files(pull *p, hub_file **files, size_t *n, bert_err *err)
{
    listing l = { .p = p, .url = arena_printf(&p->memory, "%s/api/models/%s?blobs=true", p->endpoint, p->repository) };
    bert_status s = l.url ? http_retry(try_listing, &l, 0, err) : fail_memory(err, p->repository);
    if (!s)
        s = hub_read_listing(&p->memory, l.text.data ? l.text.data : "", l.text.size, l.url, files, n, err);
    buffer_free(&l.text);
    return s;
}

/* ---- the pull ---------------------------------------------------------------------------------------------------- */

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

static bert_status pull_set_up(pull *p, bert_err *err)
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

static bert_status pull_file(pull *p, const hub_file *file, bert_err *err)
{
    const char *name = file->name;
    buffer url = { 0 };
    buffer_printf(&url, "%s/%s/resolve/main/", p->endpoint, p->repository);
    http_escape_path(&url, name);
    char *path = path_join(&p->memory, p->folder, name), *above = path ? path_folder(&p->memory, path) : NULL;
    bert_status s = above && !url.failed ? folder_create(above, err) : fail_memory(err, name);
    if (!s) {
        download d = { .url = url.data,
                       .path = path,
                       .name = name,
                       .bearer = p->token,
                       .expected = file->checksum[0] ? file->checksum : NULL,
                       .expected_size = file->size,
                       .from_hub = true,
                       .progress = p->progress,
                       .context = p->context };
        s = download_file(&d, err);
    }
    buffer_free(&url);
    return s;
}

bert_status bert_pull(const char *name, const char *folder, bert_download_progress progress, void *context,
                      bert_err *err)
{
    pull p = { .repository = name, .folder = folder, .progress = progress, .context = context };
    hub_file *files = NULL;
    const hub_file **chosen = NULL;
    size_t n_files = 0, n = 0;
    bert_status s = pull_set_up(&p, err);
    if (!s)
        s = list_files(&p, &files, &n_files, err);
    if (!s)
        s = hub_choose(&p.memory, files, n_files, name, &chosen, &n, err);
    for (size_t i = 0; !s && i < n; i++)
        s = pull_file(&p, chosen[i], err);
    arena_free(&p.memory);
    return s;
}
