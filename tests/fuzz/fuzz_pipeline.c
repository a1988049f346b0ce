/* Fuzz target: a tokenizer.json, a NUL, and a text; or a packed tokenizer. Either is refused, or splits texts: ids are
 * of the vocabulary, spans stand within the text, ids without spans are the same. */
#include "fuzz/expect.h"
#include "text/packed_vocabulary.h"
#include "text/split.h"
#include "text/tokenizer_json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void split_any(const bert_tokenizer *t, bert_text text)
{
    bert_tokens with = { 0 }, without = { 0 };
    bert_err err;
    bert_status s = bert_tokenize(t, text, &with, &err);
    expect(s == split_text(t, text, (split_options){ .limit = SIZE_MAX }, &without, &err), "the same status");
    for (size_t i = 0; !s && i < with.n; i++) {
        expect(with.n == without.n && with.ids[i] == without.ids[i], "the same ids");
        expect(with.ids[i] >= 0 && (size_t)with.ids[i] < bert_tokenizer_size(t), "an id of the vocabulary");
        expect(with.byte_start[i] <= with.byte_end[i] && with.byte_end[i] <= text.size, "a span within the text");
        expect(with.char_start[i] <= with.char_end[i] && with.char_end[i] <= with.byte_end[i], "a span of characters");
    }
    bert_tokens_free(&with);
    bert_tokens_free(&without);
}

static void make_and_split(const char *packed, size_t size, const bert_tokenizer_options *options, bert_text text)
{
    static const char HARD[] =
        "Don't \xC3\x84pfel e\xCC\x81\xCC\xA7 \xEF\xAC\x81 <mask>  a\tb\n\n12 "
        "\xE4\xBD\xA0\xFF\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD \xE2\x96\x81 zzzzzzzzzzzzzzzzzzzzzzzzzzzzz";
    bert_tokenizer *t = NULL;
    bert_err err;
    if (bert_tokenizer_create(packed, size, "fuzz", options, &t, &err)) {
        expect(err.message[0], "a failure has its message");
        return;
    }
    json_t *back = t->pipeline ? tokenizer_json_unpack(t) : NULL;
    json_decref(back);
    split_any(t, text);
    split_any(t, (bert_text){ HARD, sizeof HARD - 1 });
    bert_tokenizer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data, *end = size ? memchr(bytes, 0, size) : NULL;
    size_t n = end ? (size_t)(end - bytes) : size;
    bert_text text = { bytes + n, size - n };
    bert_tokenizer_options options;
    arena a = { 0 };
    buffer packed = { 0 };
    bert_err err;
    json_t *json = NULL;
    bert_tokenizer_defaults(&options);
    options.special_in_text = 1;
    if (packed_vocabulary_is(bytes, size)) {
        make_and_split(bytes, size, &options, text);
    } else if (!json_read_bytes(&json, bytes, n, "fuzz", &err) && !tokenizer_json_pack(json, &packed, "fuzz", &err) &&
               !tokenizer_json_added(json, &options, &a, "fuzz", &err)) {
        make_and_split(packed.data, packed.size, &options, text);
    }
    json_decref(json);
    buffer_free(&packed);
    arena_free(&a);
    return 0;
}
