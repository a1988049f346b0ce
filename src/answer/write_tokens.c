/* Tokens and features as JSON. */
#include "base/fields.h"
#include "text/tokenizer.h"

/* A part of a line: a text, or special tokens. */
typedef struct line_part {
    const bert_tokens *text;
    const special_run *special;
    size_t n; /* tokens of it that are written */
    int segment;
} line_part;

/* One of them: from a text, or a special one, which stands nowhere: [0, 0]. */
typedef struct line_token {
    int32_t id;
    uint32_t start, end; /* code points of its own text */
    int segment;         /* 0: of the text; 1: of its pair */
} line_token;

static line_token token_at(const bert_tokenizer *t, const line_part *p, size_t i)
{
    const bert_tokens *text = p->text;
    return text ? (line_token){ text->ids[i], text->char_start[i], text->char_end[i], p->segment }
                : (line_token){ .id = t->special[p->special->roles[i]], .segment = p->segment };
}

static void add_integers(buffer *out, const int32_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buffer_string(out, i ? ", " : "");
        field_integer(out, x[i]);
    }
}

/* ---- members of a token ------------------------------------------------------------------------------------------ */

static void add_token_name(buffer *out, const bert_tokenizer *t, line_token k)
{
    size_t size = 0;
    const char *name = bert_tokenizer_token(t, k.id, &size);
    field_json(out, name ? name : "", name ? size : 0);
}

static void add_id(buffer *out, const bert_tokenizer *t, line_token k)
{
    (void)t;
    field_integer(out, k.id);
}

static void add_offsets(buffer *out, const bert_tokenizer *t, line_token k)
{
    (void)t;
    buffer_char(out, '[');
    field_integer(out, k.start);
    buffer_string(out, ", ");
    field_integer(out, k.end);
    buffer_char(out, ']');
}

static void add_segment(buffer *out, const bert_tokenizer *t, line_token k)
{
    (void)t;
    field_integer(out, k.segment);
}

/* ------------------------------------------------------------------------------------------------------------------ */

void bert_tokens_write(bert_buffer *out, const bert_tokenizer *tokenizer, const bert_tokens *text,
                       const bert_tokens *pair, bool special)
{
    static const struct {
        const char *head;
        void (*add)(buffer *out, const bert_tokenizer *t, line_token k);
    } MEMBERS[] = {
        { "{\"tokens\": [", add_token_name },
        { "], \"ids\": [", add_id },
        { "], \"offsets\": [", add_offsets },
        { "], \"segments\": [", add_segment },
    };
    const special_template *s = tokenizer->specials;
    bool two = pair && pair->n;
    int second = two ? s->second_segment : 0;
    const line_part parts[] = { { NULL, &s->before, special ? s->before.n : 0, 0 },
                                { text, NULL, text->n, 0 },
                                { NULL, &s->between, special && two ? s->between.n : 0, 0 },
                                { pair, NULL, two ? pair->n : 0, second },
                                { NULL, &s->after, special ? s->after.n : 0, second } };
    for (size_t m = 0; m < (two ? 4 : 3); m++) {
        buffer_string(out, MEMBERS[m].head);
        const char *between = "";
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
            for (size_t i = 0; i < parts[p].n; i++, between = ", ") {
                buffer_string(out, between);
                MEMBERS[m].add(out, tokenizer, token_at(tokenizer, &parts[p], i));
            }
    }
    buffer_string(out, "]}\n");
}

void bert_features_write(bert_buffer *out, const bert_features *features, size_t row)
{
    const size_t n = features->seq_len, first = row * n;
    buffer_string(out, "{\"input_ids\": [");
    add_integers(out, features->input_ids + first, n);
    buffer_string(out, "], \"input_mask\": [");
    add_integers(out, features->input_mask + first, n);
    buffer_string(out, "], \"segment_ids\": [");
    add_integers(out, features->segment_ids + first, n);
    buffer_string(out, "]}\n");
}
