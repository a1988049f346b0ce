/* Labels as they are written. */
#include "task/label_words.h"

#include "base/fields.h"
#include "base/label_word.h"
#include "base/options.h"
#include "base/words.h"

#include <math.h>
#include <string.h>

bool label_number(bert_text label, double *number)
{
    char text[64];
    bert_text bare = text_bare(label);
    if (!bare.size || bare.size >= sizeof text)
        return false;
    for (size_t i = 0; i < bare.size; i++) /* neither "nan" nor "0x1p3" */
        if (!bare.data[i] || !strchr("0123456789+-.eE", bare.data[i]))
            return false;
    memcpy(text, bare.data, bare.size);
    text[bare.size] = 0;
    return number_read(text, number) && isfinite(*number);
}

void label_scores_json(buffer *b, const char *const *labels, size_t n, const float *scores)
{
    buffer_string(b, ", \"scores\": {");
    for (size_t k = 0; k < n; k++) {
        buffer_string(b, k ? ", " : "");
        field_json(b, labels[k], strlen(labels[k]));
        buffer_string(b, ": ");
        field_number(b, (double)scores[k]);
    }
    buffer_char(b, '}');
}

bool label_next(bert_text list, size_t *at, bert_text *label)
{
    if (*at > list.size || (!*at && !text_bare(list).size))
        return false;
    const char *start = list.data + *at, *comma = memchr(start, ',', list.size - *at);
    size_t size = comma ? (size_t)(comma - start) : list.size - *at;
    *label = label_word((bert_text){ start, size });
    *at += size + 1;
    return true;
}

bool tag_next(bert_text tags, size_t *at, bert_text *tag)
{
    size_t start, end;
    if (!word_next(tags, at, &start, &end))
        return false;
    *tag = (bert_text){ tags.data + start, end - start };
    return true;
}

bert_status tags_check_count(const bert_dataset *d, size_t row, size_t n, bert_err *err)
{
    char place[DATASET_PLACE];
    size_t words = 0, start, end;
    for (size_t at = 0; word_next(d->texts[row], &at, &start, &end);)
        words++;
    return words == n ? BERT_OK
                      : fail(err, BERT_ERR_DATA, "%s: %zu tags for %zu words", dataset_place(d, row, place), n, words);
}

bool tag_is_one(bert_text tag)
{
    if (tag.size == 1)
        return tag.data[0] == 'O';
    return tag.size > 2 && (tag.data[0] == 'B' || tag.data[0] == 'I') && tag.data[1] == '-';
}
