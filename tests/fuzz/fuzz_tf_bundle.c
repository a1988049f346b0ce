/* Any file as the index of a bundle; and, since no input would come past the CRCs, the same bytes as the entries of a
 * block with a right one. */
#include "formats/tf_bundle.h"

#include "fuzz/input.h"
#include "formats/bundle_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_index(const void *bytes, size_t size)
{
    tensor_set set;
    char prefix[128];
    const char *path = input_file("m.index", bytes, size);
    snprintf(prefix, sizeof prefix, "%.*s", (int)(strlen(path) - 6), path);
    for (int check = 0; check < 2; check++)
        if (!tf_bundle_open(&set, prefix, check, NULL))
            tensors_close(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char numbers[64];
    table_writer t = { .per_block = 1 };
    arena a = { 0 };
    char *prefix;
    input_file("m.data-00000-of-00001", numbers, sizeof numbers);
    open_index(data, size);
    table_add_header(&t, 1, 0, 0);
    table_flush(&t);
    buffer_add(&t.block, data, size);
    t.in_block = 1;
    table_end(&t);
    open_index(t.file.data, t.file.size);
    table_free(&t);
    input_file("checkpoint", data, size);
    tf_bundle_prefix(&a, input_folder, &prefix, NULL);
    arena_free(&a);
    return 0;
}
