/* Numbers of weights that no model means. */
#include "net/weights.h"

#include "base/finite.h"

#include <string.h>

enum { MOST_NAMES = 4 };

bert_status weights_check_finite(const weight_list *list, const char *where, bert_err *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const bert_param *p = &list->items[i];
        size_t n = p->value ? weight_size(p) : 0, bad = n ? first_not_finite(p->value, n) : 0;
        if (bad == n)
            continue;
        const char *word = not_finite_word(p->value[bad]);
        if (p->cols == 1)
            return fail(err, BERT_ERR_NUMERIC, "%s: tensor %s is %s at [%zu]", where, p->name, word, bad);
        return fail(err, BERT_ERR_NUMERIC, "%s: tensor %s is %s at [%zu, %zu]", where, p->name, word, bad / p->cols,
                    bad % p->cols);
    }
    return BERT_OK;
}

/* Biases may well be zero; a matrix, or what a layer norm multiplies by, may not. */
static bool is_empty(const weight_list *list, size_t i)
{
    const bert_param *p = &list->items[i];
    return p->value && weight_kind_of(list, i) != WEIGHT_BIAS && all_zero(p->value, weight_size(p));
}

/* The items from i on of one group that are zero; *end is one past the group. */
static size_t count_empty(const weight_list *list, size_t i, size_t *end, size_t *of)
{
    size_t n = 0;
    const char *group = list->items[i].group;
    for (*of = 0; i < list->n && !strcmp(list->items[i].group, group); i++) {
        *of += list->items[i].value && weight_kind_of(list, i) != WEIGHT_BIAS;
        n += is_empty(list, i);
    }
    *end = i;
    return n;
}

void weights_tell_zeros(const weight_list *list, const char *where, buffer *notes)
{
    size_t told = 0, more = 0;
    for (size_t i = 0, end; i < list->n; i = end) {
        size_t of, n = count_empty(list, i, &end, &of);
        bool whole = n && n == of;
        for (size_t k = i; k < end && n; k++) {
            if (!whole && !is_empty(list, k))
                continue;
            if (told >= MOST_NAMES)
                more++;
            else
                buffer_printf(notes, "%s%s%s", told ? ", " : where,
                              told ? "" : ": all zero: ", whole ? list->items[i].group : list->items[k].name);
            told++;
            if (whole)
                break;
        }
    }
    if (more)
        buffer_printf(notes, " and %zu more", more);
    if (told)
        buffer_string(notes, "; a converter may have left them out, and what the model gives then means nothing\n");
}
