/* Any bytes as saved_model.pb. */
#include "formats/tf_hub.h"

#include "fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tf_hub_info info;
    arena a = { 0 };
    input_file("saved_model.pb", data, size);
    tf_hub_read(&info, &a, input_folder, NULL);
    arena_free(&a);
    return 0;
}
