/* Any file as a PyTorch file, of either container; and, since no input would come past a zip's CRCs, the same bytes as
 * a pickle. */
#include "formats/torch_file.h"

#include "fuzz/input.h"
#include "formats/torch_pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tensor_set set;
    torch_state state;
    arena a = { 0 };
    const torch_pickle pickle = { .path = "input", .name = "pickle", .bytes = data, .n = size };
    if (!torch_file_open(&set, input_file("m", data, size), NULL))
        tensors_close(&set);
    torch_pickle_read(&state, &a, &pickle, NULL);
    arena_free(&a);
    return 0;
}
