/* A file of tokens or of kept outputs that somebody has changed in places, with checksums that are right again: made
 * anew, or every index within its bounds. Input: 't' or 'k', then changes: two bytes of a place, one of a length, so
 * many bytes. */
#include "base/checksum.h"
#include "rows/kept_store.h"
#include "train/token_cache.h"

#include "fuzz/expect.h"
#include "fuzz/input.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N = 4, SEQ_LEN = 8, HEADER_OF_TOKENS = 96, CRC_OF_TOKENS = 88, TOKEN_BYTES = 16, BUDGET = 1 << 16 };
static const char VOCABULARY[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n";
static bert_tokenizer *tokenizer;
static bert_dataset *rows;
static unsigned char key[32];
static kept_header header = { .rows = N, .layer = 1, .hidden = 4, .token_bytes = TOKEN_BYTES };
static token_rows tokens;
static unsigned char whole[2][1 << 15];
static size_t whole_size[2];

static void read_whole(int which, const char *path)
{
    FILE *f = fopen(path, "rb");
    whole_size[which] = f ? fread(whole[which], 1, sizeof whole[which], f) : 0;
    expect(whole_size[which] > 0, "a file to change");
    fclose(f);
}

static void make_files(void)
{
    const bert_text texts[N] = { { "a b c", 5 }, { "", 0 }, { "a", 1 }, { "c b a c b a c b", 15 } };
    const bert_text labels[N] = { { "0", 1 }, { "1", 1 }, { "0", 1 }, { "1", 1 } };
    cached_tokens made;
    kept_store store;
    const char *note = NULL, *path = input_file("cache", "", 0);
    remove(path);
    expect(!bert_tokenizer_create(VOCABULARY, sizeof VOCABULARY - 1, "vocabulary", NULL, &tokenizer, NULL),
           "a tokenizer");
    expect(!bert_dataset_create(texts, NULL, labels, N, &rows, NULL), "rows");
    expect(!cached_tokens_create(&made, rows, tokenizer, SEQ_LEN, ROW_WORDS, key, path, &note, NULL) && !note,
           "a file of tokens");
    read_whole(0, path);
    cached_tokens_free(&made);
    remove(path);
    expect(!token_rows_create(&tokens, rows, tokenizer, SEQ_LEN, ROW_TOGETHER, NULL), "tokens");
    header.tokens = tokens.start[N];
    expect(!kept_store_open(&store, path, &header, &tokens, BUDGET, &note, NULL) && !note, "a file of kept outputs");
    for (size_t i = 0; i < N; i++) {
        float numbers[SEQ_LEN * TOKEN_BYTES / sizeof(float)] = { (float)i };
        kept_store_add(&store, i, numbers);
    }
    kept_store_close(&store);
    read_whole(1, path);
}

static void try_tokens(const char *path)
{
    cached_tokens t;
    const char *note = NULL;
    if (cached_tokens_create(&t, rows, tokenizer, SEQ_LEN, ROW_WORDS, key, path, &note, NULL))
        return;
    for (size_t i = 0; i < N; i++) {
        size_t n = token_rows_length(&t.rows, i);
        expect(n >= 2 && n <= SEQ_LEN && n <= t.rows.longest && t.rows.second[i] <= n, "a row of its length");
        for (size_t k = t.rows.start[i]; k < t.rows.start[i + 1]; k++)
            expect(t.rows.ids[k] >= 0 && (size_t)t.rows.ids[k] < bert_tokenizer_size(tokenizer) &&
                       t.rows.words[k] >= -1 && t.rows.words[k] < 8,
                   "ids and words that there are");
    }
    cached_tokens_free(&t);
}

static void try_kept(const char *path)
{
    kept_store store;
    const char *note;
    float numbers[SEQ_LEN * TOKEN_BYTES / sizeof(float)] = { 0 };
    if (kept_store_open(&store, path, &header, &tokens, BUDGET, &note, NULL))
        return;
    for (size_t i = 0; i < N; i++) {
        const unsigned char *found = kept_store_find(&store, i);
        if (found)
            memcpy(numbers, found, token_rows_length(&tokens, i) * TOKEN_BYTES);
        else
            kept_store_add(&store, i, numbers);
    }
    kept_store_close(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char changed[1 << 15];
    if (!tokenizer)
        make_files();
    int which = size && data[0] == 'k';
    memcpy(changed, whole[which], whole_size[which]);
    for (size_t i = 1; i + 3 < size;) {
        size_t at = (size_t)(data[i] | data[i + 1] << 8), n = data[i + 2];
        i += 3;
        n = n < size - i ? n : size - i;
        if (at + n <= whole_size[which])
            memcpy(changed + at, data + i, n);
        i += n;
    }
    uint64_t crc = crc32c(0, changed + HEADER_OF_TOKENS, whole_size[which] - HEADER_OF_TOKENS);
    kept_header *h = (kept_header *)changed;
    if (which)
        h->crc = crc32c(0, h, offsetof(kept_header, crc));
    else
        memcpy(changed + CRC_OF_TOKENS, &crc, sizeof crc);
    (which ? try_kept : try_tokens)(input_file("cache", changed, whole_size[which]));
    return 0;
}
