/* Any file as safetensors: every element of what opens is read. */
#include "formats/safetensors.h"

#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tensor_set set;
    json_t *metadata;
    if (safetensors_open(&set, input_file("m", data, size), &metadata, NULL))
        return 0;
    float *out = malloc((size + 1) * sizeof *out); /* no tensor has more elements than the file has bytes */
    for (size_t i = 0; out && i < set.n; i++)
        tensor_to_f32(&set.items[i], out, NULL);
    free(out);
    json_decref(metadata);
    tensors_close(&set);
    return 0;
}
