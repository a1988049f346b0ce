/* What a label is, however it is spelled. */
#include "base/label_word.h"
#include "base/words.h"

/* How much of a bare label is a whole number's digits; 0: it is none, or is written with zeros before it. */
static size_t whole_digits(bert_text t)
{
    size_t n = 0, zeros;
    while (n < t.size && t.data[n] >= '0' && t.data[n] <= '9')
        n++;
    if (!n || (t.data[0] == '0' && n > 1))
        return 0;
    for (zeros = n; zeros < t.size && t.data[zeros] == (zeros == n ? '.' : '0'); zeros++) {
    }
    return zeros == t.size && zeros != n + 1 ? n : 0;
}

static bert_text label_whole_number(bert_text label)
{
    bert_text digits = label;
    bool sign = label.size && (label.data[0] == '-' || label.data[0] == '+');
    digits.data += sign;
    digits.size -= sign;
    digits.size = whole_digits(digits);
    if (!digits.size)
        return label;
    bool negative = label.data[0] == '-' && digits.data[0] != '0';
    return (bert_text){ digits.data - negative, digits.size + negative };
}

bert_text label_word(bert_text label)
{
    static const char *const TRUTHS[][3] = { { "true", "True", "TRUE" }, { "false", "False", "FALSE" } };
    label = text_bare(label);
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 3; k++)
            if (text_is(label, TRUTHS[i][k]))
                return (bert_text){ TRUTHS[i][0], label.size };
    return label_whole_number(label);
}
