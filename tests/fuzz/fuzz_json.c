/* Any bytes as JSON: read, written, read again. */
#include "formats/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *root, *again;
    int64_t i;
    double r;
    bool b;
    const char *s;
    if (json_read_bytes(&root, (const char *)data, size, "input", NULL))
        return 0;
    json_get_int_or(root, "i", -5, 5, 0, &i, "input", NULL);
    json_get_real_or(root, "r", -5, 5, 0, &r, "input", NULL);
    json_get_bool_or(root, "b", false, &b, "input", NULL);
    json_get_string_or(root, "s", "", &s, "input", NULL);
    json_get_object(root, "o", &again, "input", NULL);
    char *text = json_text(root);
    if (!text || json_read_bytes(&again, text, strlen(text), "text", NULL))
        abort(); /* what we write, we read */
    json_decref(again);
    json_decref(root);
    free(text);
    return 0;
}
