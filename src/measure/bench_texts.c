/* Texts that are made up for measuring: words of the vocabulary in random order. */
#include "measure/bench.h"

#include "base/random.h"
#include "text/tokenizer.h"

#include <stdlib.h>

enum { MOST_WORDS = 1024, TEXT_SEED = 1 };

typedef struct word_list {
    bert_text words[MOST_WORDS];
    size_t n;
} word_list;

/* Entries of the vocabulary that are read back as themselves, from all over it. */
static bert_status find_words(word_list *list, const bert_tokenizer *t, bert_err *err)
{
    bert_tokens tokens = { 0 };
    size_t n = bert_tokenizer_size(t), step = 1 + n / MOST_WORDS / 4;
    bert_status s = BERT_OK;
    list->n = 0;
    for (size_t id = 0; !s && id < n && list->n < MOST_WORDS; id += step) {
        bert_text word;
        word.data = bert_tokenizer_token(t, (int32_t)id, &word.size);
        s = bert_tokenize(t, word, &tokens, err);
        if (!s && tokens.n == 1 && tokens.ids[0] == (int32_t)id)
            list->words[list->n++] = word;
    }
    if (!list->n)
        list->words[list->n++] = (bert_text){ "a", 1 }; /* one token, if only [UNK] */
    bert_tokens_free(&tokens);
    return s;
}

/* So many words, a blank behind each. */
static void bench_add_words(buffer *b, const word_list *list, size_t n, random_stream *r)
{
    while (n--) {
        bert_text word = list->words[random_below(r, (uint32_t)list->n)];
        buffer_add(b, word.data, word.size);
        buffer_char(b, ' ');
    }
}

bert_status bench_texts(const bert_tokenizer *tokenizer, size_t n, size_t least, size_t most, bool pairs,
                        bert_dataset **data, bert_err *err)
{
    random_stream r = { TEXT_SEED, 0, 0 };
    buffer all = { 0 };
    word_list *list = malloc(sizeof *list);
    size_t special = special_count(tokenizer->specials, false), columns = pairs ? 2 : 1;
    size_t *ends = calloc(n * columns, sizeof *ends);
    /* of which no use is made */
    bert_text *texts = calloc(n * columns, sizeof *texts), *labels = calloc(n, sizeof *labels);
    *data = NULL;
    bert_status s = list && ends && texts && labels ? find_words(list, tokenizer, err)
                                                    : fail_memory(err, "texts to measure with");
    for (size_t i = 0; !s && i < n * columns; i++) {
        bench_add_words(&all, list, least + random_below(&r, (uint32_t)(most - least + 1)) - special, &r);
        ends[i] = all.size;
    }
    if (!s && all.failed)
        s = fail_memory(err, "texts to measure with");
    for (size_t i = 0, start = 0; !s && i < n * columns; start = ends[i++])
        texts[i] = (bert_text){ all.data + start, ends[i] - start };
    if (!s)
        s = bert_dataset_create(texts, pairs ? texts + n : NULL, labels, n, data, err);
    buffer_free(&all);
    free(texts);
    free(labels);
    free(ends);
    free(list);
    return s;
}
