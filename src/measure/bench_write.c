/* The figures as lines for people and as JSON. */
#include "measure/roofline.h"

#include "base/options.h"
#include "formats/json.h"
#include "formats/json_build.h"
#include "report/report.h"

#include <string.h>

static const char *const PRECISIONS[] = {
    [OPS_FP32] = "fp32", [OPS_BF16] = "bf16", [OPS_BF16_WIDENED] = "bf16", [OPS_INT8] = "int8"
};
/* Words for people and names in JSON. */
static const struct {
    const char *words, *name;
} PARTS[PROFILE_PARTS] = {
    [PROFILE_EMBEDDINGS] = { "embeddings", "embeddings" }, [PROFILE_PRODUCTS] = { "matrix products", "products" },
    [PROFILE_ATTENTION] = { "attention", "attention" },    [PROFILE_NORMS] = { "norms", "norms" },
    [PROFILE_POOLING] = { "pooling", "pooling" },
};

static double bench_share_of(const bench_parts *p, size_t part)
{
    return p->all > 0 ? p->seconds[part] / p->all : 0;
}

/* What no part has: rows that are packed, threads that wait. */
static double share_of_rest(const bench_parts *p)
{
    double rest = 1;
    for (size_t i = 0; i < PROFILE_PARTS; i++)
        rest -= bench_share_of(p, i);
    return rest > 0 ? rest : 0;
}

static const encoder *bench_encoder_of(const bench *b)
{
    return &b->session->encoder;
}

static const char *task_name(const bench *b)
{
    return bert_task_name(bert_model_task(b->model));
}

static const char *pooling_name(const bench *b)
{
    int pooling = b->session->options.pooling;
    bool own = b->model->task || pooling == BERT_POOLING_AUTO;
    return POOLING_WORDS[own ? b->model->layer->spec.pooling : pooling];
}

/* The time that reading the weights takes, as a share of what one text takes: at 1 nothing could be faster. */
static double share_of_reading(const bench *b, const roofline *r)
{
    return r->weights > 0 && b->one.p50 > 0 ? (double)b->memory.weights / r->weights / b->one.p50 : 0;
}

static double bench_ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

static void write_setting(buffer *out, const bench *b)
{
    char machine[256];
    const config *c = bench_encoder_of(b)->config;
    machine_describe(machine, sizeof machine);
    buffer_printf(out, "model      %s, %zu layers of %lld channels, pooling %s, task %s\n",
                  PRECISIONS[bench_encoder_of(b)->precision], bench_encoder_of(b)->n_layers, (long long)c->hidden_size,
                  pooling_name(b), task_name(b));
    buffer_printf(out, "machine    %s\n", machine);
    buffer_printf(out, "threads    %zu (operations for %s)\n", b->threads, bench_encoder_of(b)->ops->name);
    buffer_printf(out, "texts      %zu%s, %.1f tokens each\n", b->data->n, b->made_up ? " that are made up" : "",
                  (double)b->n_tokens / (double)b->data->n);
}

static void write_rates(buffer *out, const bench *b)
{
    buffer_printf(out, "\n%-34s %12s %12s\n", "throughput", "sequences/s", "tokens/s");
    buffer_printf(out, "  %-32s %12.0f %12.0f\n", "tokenised before", b->tokenised.sequences, b->tokenised.tokens);
    buffer_printf(out, "  %-32s %12.0f %12.0f\n", "with tokenising", b->whole.sequences, b->whole.tokens);
}

static void write_latency(buffer *out, const char *name, const bench_latency *l)
{
    buffer_printf(out, "  %-32s %9.3f %9.3f %9.3f ms\n", name, 1e3 * l->p50, 1e3 * l->p95, 1e3 * l->p99);
}

static void write_shares(buffer *out, const bench *b)
{
    buffer_printf(out, "\n%-34s %12s %12s\n", "shares of the time", "many texts", "one text");
    for (size_t i = 0; i < PROFILE_PARTS; i++)
        buffer_printf(out, "  %-32s %10.1f %% %10.1f %%\n", PARTS[i].words, 100 * bench_share_of(&b->many_parts, i),
                      100 * bench_share_of(&b->one_parts, i));
    buffer_printf(out, "  %-32s %10.1f %% %10.1f %%\n", "the rest", 100 * share_of_rest(&b->many_parts),
                  100 * share_of_rest(&b->one_parts));
}

static void write_bytes(buffer *out, const char *name, size_t bytes)
{
    if (bytes)
        buffer_printf(out, "  %-32s %12.1f MB\n", name, (double)bytes / 1e6);
}

static void write_memory(buffer *out, const bench_memory *m)
{
    buffer_string(out, "\nmemory\n");
    write_bytes(out, "the file", m->file);
    write_bytes(out, "matrices of the layers", m->weights);
    write_bytes(out, "resident after the first text", m->resident);
    write_bytes(out, "most", m->peak);
}

/* A rate that is not known is a dash. */
static void write_rate(buffer *out, double rate)
{
    if (rate > 0)
        buffer_printf(out, " %11.1f", rate / 1e9);
    else
        buffer_printf(out, " %11s", "-");
}

static void write_products(buffer *out, const roofline *r)
{
    buffer_printf(out, "\n%-38s %11s %11s\n", "matrix products alone, GFLOP/s", "libbert",
                  *r->library ? r->library : "oneDNN");
    for (size_t i = 0; i < r->n; i++) {
        const roofline_product *p = &r->products[i];
        buffer_printf(out, "  %-18s %d x %4zu x %4zu", p->name, ROOFLINE_ROWS, p->in, p->out);
        write_rate(out, p->alone);
        write_rate(out, p->onednn);
        buffer_char(out, '\n');
    }
    buffer_printf(out, "  %-36s", "a layer's together");
    write_rate(out, r->alone);
    write_rate(out, r->onednn);
    buffer_printf(out, "\n  %-36s", "in the model");
    write_rate(out, r->in_situ);
    buffer_printf(out, "\n  in the model they take %.1f %% of the time, at %.1f %% of their rate alone", 100 * r->share,
                  100 * bench_ratio(r->in_situ, r->alone));
    if (r->onednn > 0)
        buffer_printf(out, " and %.1f %% of oneDNN's", 100 * bench_ratio(r->in_situ, r->onednn));
    buffer_char(out, '\n');
}

static void write_reading(buffer *out, const bench *b, const roofline *r)
{
    buffer_string(out, "\nreading\n");
    if (r->memory > 0)
        buffer_printf(out, "  memory: %.1f GB/s by one thread, %.1f by all\n", r->memory_one / 1e9, r->memory / 1e9);
    buffer_printf(out, "  the matrices' %.1f MB again and again: %.1f GB/s, %.3f ms\n", (double)b->memory.weights / 1e6,
                  r->weights / 1e9, 1e3 * bench_ratio((double)b->memory.weights, r->weights));
    buffer_printf(out, "  a text of 16 tokens cannot be faster than that; it is at %.1f %%\n",
                  100 * share_of_reading(b, r));
}

char *bench_write_text(const bench *b, const roofline *r)
{
    buffer out = { 0 };
    write_setting(&out, b);
    write_rates(&out, b);
    buffer_printf(&out, "\n%-34s %9s %9s %9s\n", "latency of one text", "p50", "p95", "p99");
    write_latency(&out, "16 tokens", &b->one);
    write_latency(&out, b->made_up ? "the made-up texts" : "the texts", &b->each);
    write_shares(&out, b);
    write_memory(&out, &b->memory);
    if (r) {
        write_products(&out, r);
        write_reading(&out, b, r);
    }
    return buffer_take(&out);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* Null where it is not known. */
static json_t *number(double x)
{
    return x > 0 ? json_real(x) : json_null();
}

static json_t *whole_number(size_t n)
{
    return n ? json_integer((json_int_t)n) : json_null();
}

static json_t *json_of_rate(const bench_rate *r)
{
    return json_pack("{s:f, s:f}", "sequences_per_second", r->sequences, "tokens_per_second", r->tokens);
}

static json_t *json_of_latency(const bench_latency *l)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "p50", 1e3 * l->p50, "p95", 1e3 * l->p95, "p99", 1e3 * l->p99, "calls",
                     (json_int_t)l->calls);
}

static json_t *json_of_parts(const bench_parts *p)
{
    json_t *out = json_object();
    for (size_t i = 0; i < PROFILE_PARTS; i++)
        json_put(&out, PARTS[i].name, json_real(bench_share_of(p, i)));
    json_put(&out, "rest", json_real(share_of_rest(p)));
    return out;
}

static json_t *json_of_memory(const bench_memory *m)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "file", whole_number(m->file), "matrices", whole_number(m->weights),
                     "resident", whole_number(m->resident), "peak", whole_number(m->peak));
}

static json_t *json_of_products(const roofline *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->n; i++) {
        const roofline_product *p = &r->products[i];
        json_add(&out, json_pack("{s:s, s:i, s:I, s:I, s:o, s:o}", "name", p->name, "rows", ROOFLINE_ROWS, "in",
                                 (json_int_t)p->in, "out", (json_int_t)p->out, "gflops", number(p->alone / 1e9),
                                 "onednn_gflops", number(p->onednn / 1e9)));
    }
    return out;
}

static json_t *json_of_roofline(const bench *b, const roofline *r)
{
    json_t *products = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "library", *r->library ? json_string(r->library) : json_null(),
        "alone", json_of_products(r), "gflops_alone", number(r->alone / 1e9), "gflops_onednn", number(r->onednn / 1e9),
        "gflops_in_model", number(r->in_situ / 1e9), "share_of_time", json_real(r->share), "of_alone",
        number(bench_ratio(r->in_situ, r->alone)), "of_onednn", number(bench_ratio(r->in_situ, r->onednn)));
    json_t *reading = json_pack("{s:o, s:o, s:o, s:o}", "memory_gb_per_second_one_thread", number(r->memory_one / 1e9),
                                "memory_gb_per_second", number(r->memory / 1e9), "matrices_gb_per_second",
                                number(r->weights / 1e9), "share_of_latency", number(share_of_reading(b, r)));
    return json_pack("{s:o, s:o}", "products", products, "reading", reading);
}

static json_t *json_of_model(const bench *b)
{
    return json_pack("{s:s, s:I, s:I, s:s, s:s}", "precision", PRECISIONS[bench_encoder_of(b)->precision], "layers",
                     (json_int_t)bench_encoder_of(b)->n_layers, "hidden",
                     (json_int_t)bench_encoder_of(b)->config->hidden_size, "pooling", pooling_name(b), "task",
                     task_name(b));
}

char *bench_write_json(const bench *b, const roofline *r)
{
    char machine[256];
    machine_describe(machine, sizeof machine);
    json_t *texts = json_pack("{s:I, s:I, s:I, s:b}", "rows", (json_int_t)b->data->n, "sequences",
                              (json_int_t)b->n_sequences, "tokens", (json_int_t)b->n_tokens, "made_up", b->made_up);
    json_t *json = json_pack(
        "{s:o, s:s, s:s, s:I, s:o, s:o, s:o, s:{s:o, s:o}, s:{s:o, s:o}, s:o}", "model", json_of_model(b), "machine",
        machine, "operations", bench_encoder_of(b)->ops->name, "threads", (json_int_t)b->threads, "texts", texts,
        "tokenised", json_of_rate(&b->tokenised), "with_tokenising", json_of_rate(&b->whole), "latency_ms",
        "text_of_16_tokens", json_of_latency(&b->one), "texts", json_of_latency(&b->each), "shares", "many_texts",
        json_of_parts(&b->many_parts), "one_text", json_of_parts(&b->one_parts), "memory", json_of_memory(&b->memory));
    if (r)
        json_put(&json, "roofline", json_of_roofline(b, r));
    char *text = json ? json_text(json) : NULL;
    json_decref(json);
    return text;
}
