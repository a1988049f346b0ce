/* Any file as a PyTorch file; and, since no input would come past the CRCs, the same bytes as a pickle. */
#include "io/torch_zip.h"

#include "fuzz/input.h"
#include "io/torch_pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tensor_set set;
    torch_state state;
    arena a = { 0 };
    if (!torch_zip_open(&set, input_file("m", data, size), NULL))
        tensors_close(&set);
    torch_pickle_read(&state, &a, data, size, "input", NULL);
    arena_free(&a);
    return 0;
}
