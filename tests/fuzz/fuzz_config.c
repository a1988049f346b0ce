/* Any JSON as a configuration, a layer spec and a head: refused, or within its bounds and the same after it was written
 * and read again. */
#include "base/options.h"
#include "formats/json.h"
#include "models/model.h"
#include "fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_config(const json_t *json)
{
    config c, again;
    if (config_parse(json, &c, "input", NULL))
        return;
    expect(c.hidden_size % c.num_attention_heads == 0 && c.hidden_size / c.num_attention_heads <= ATTENTION_MAX_HEAD,
           "heads that attention takes");
    json_t *written = config_to_json(&c);
    expect(written && !config_parse(written, &again, "written", NULL), "a configuration is read as it is written");
    json_t *twice = config_to_json(&again);
    expect(json_equal(written, twice), "the same configuration");
    json_decref(twice);
    json_decref(written);
}

static void try_layer(json_t *json)
{
    bert_layer_spec spec, again;
    if (layer_spec_from_json(json, &spec, "input", NULL))
        return;
    expect(!options_check(&spec, bert_layer_option_table(), NULL), "a spec within its bounds");
    json_t *written = layer_spec_to_json(&spec, spec.module);
    expect(written && !layer_spec_from_json(written, &again, "written", NULL), "a spec is read as it is written");
    json_t *twice = layer_spec_to_json(&again, again.module);
    expect(json_equal(written, twice), "the same spec");
    json_decref(twice);
    json_decref(written);
}

static void try_head(const json_t *json)
{
    arena a = { 0 };
    head_spec head;
    if (!head_from_json(json, &head, &a, "input", NULL)) {
        expect(head.n_labels >= 2 && head.outputs >= 1 && head.task, "a head with labels");
        for (size_t i = 0; i < head.n_labels; i++)
            expect(head.labels[i], "a word each");
    }
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json;
    if (json_read_bytes(&json, (const char *)data, size, "input", NULL))
        return 0;
    try_config(json);
    try_layer(json);
    try_head(json);
    json_decref(json);
    return 0;
}
