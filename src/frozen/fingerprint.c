/* bert_model_fingerprint: two CRC-32C, one of the weights, one of all that is said about them. */
#include "base/checksum.h"
#include "formats/json.h"
#include "models/model.h"

#include <stdlib.h>
#include <string.h>

static uint32_t crc_of_weights(const bert_model *m)
{
    uint32_t crc = 0;
    const tensor_set *set = &m->module->tensors;
    const weight_list *w = &m->layer->weights;
    for (size_t i = 0; i < set->n_files; i++) /* of a frozen file the description, too */
        crc = crc32c_mapped(crc, &set->files[i]);
    for (size_t i = 0; i < w->n; i++)
        if (w->items[i].tuned)
            crc = crc32c(crc, w->items[i].value, weight_size(&w->items[i]) * sizeof(float));
    return crc;
}

bert_status bert_model_fingerprint(const bert_model *m, uint64_t *fingerprint, bert_err *err)
{
    json_t *json = json_pack("{s:o, s:b}", "layer", layer_spec_to_json(&m->layer->spec, ""), "normalize", m->normalize);
    head_to_json(m, &json);
    char *text = json ? json_text(json) : NULL;
    json_decref(json);
    if (!text)
        return fail_memory(err, "a model's fingerprint");
    uint32_t crc = crc32c(0, text, strlen(text));
    crc = crc32c(crc, m->module->sha256, strlen(m->module->sha256));
    crc = crc32c(crc, m->module->vocabulary, m->module->vocabulary_size);
    *fingerprint = (uint64_t)crc_of_weights(m) << 32 | crc;
    free(text);
    return BERT_OK;
}
