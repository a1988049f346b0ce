/* JSON that is put together part by part. */
#include "formats/json_build.h"

#include "base/buffer.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

static void json_settle(json_t **whole, int failed)
{
    if (!failed)
        return;
    json_decref(*whole);
    *whole = NULL;
}

/* jansson's own functions take a NULL on either side: they free the value and fail. */
void json_put(json_t **object, const char *key, json_t *value)
{
    json_settle(object, json_object_set_new(*object, key, value));
}

void json_add(json_t **array, json_t *value)
{
    json_settle(array, json_array_append_new(*array, value));
}

void json_put_all(json_t **object, json_t *others)
{
    json_settle(object, json_object_update(*object, others));
    json_decref(others);
}

json_t *json_of_words(const char *const *words, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        json_add(&array, json_string(words[i]));
    return array;
}

json_t *json_of_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *json_of_bytes(const char *string)
{
    buffer b = { 0 };
    for (size_t i = 0, n = strlen(string), step; i < n; i += step ? step : 1) {
        uint32_t character;
        step = utf8_decode((const unsigned char *)string + i, n - i, &character);
        buffer_add(&b, step ? string + i : "\xEF\xBF\xBD", step ? step : 3);
    }
    json_t *json = b.failed ? NULL : json_string(b.size ? b.data : "");
    buffer_free(&b);
    return json;
}
