/* Tokens and features as JSON. */
#include "base/fields.h"

/* The tokens of a line: [CLS] a [SEP] b [SEP], or a b alone. */
typedef struct token_line {
    const bert_tokens *text, *pair; /* pair NULL: there is none */
    bool special;
    int32_t cls, sep;
} token_line;

/* One of them: from a text, or a special one, which stands nowhere: [0, 0]. */
typedef struct line_token {
    int32_t id;
    uint32_t start, end; /* code points of its own text */
    int segment;         /* 0: of the text; 1: of its pair */
} line_token;

static line_token token_at(const token_line *l, size_t i)
{
    const bert_tokens *a = l->text, *b = l->pair;
    if (l->special && i-- == 0)
        return (line_token){ .id = l->cls };
    if (i < a->n)
        return (line_token){ a->ids[i], a->char_start[i], a->char_end[i], 0 };
    i -= a->n;
    if (l->special && i-- == 0)
        return (line_token){ .id = l->sep };
    if (b && i < b->n)
        return (line_token){ b->ids[i], b->char_start[i], b->char_end[i], 1 };
    return (line_token){ .id = l->sep, .segment = 1 };
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

static int32_t id_of(const bert_tokenizer *t, const char *token)
{
    return bert_tokenizer_id(t, token, strlen(token));
}

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
    const bert_tokenizer_options *o = bert_tokenizer_settings(tokenizer);
    bool two = pair && pair->n;
    token_line line = { text, two ? pair : NULL, special, id_of(tokenizer, o->cls_token),
                        id_of(tokenizer, o->sep_token) };
    size_t n = text->n + (two ? pair->n : 0) + (special ? 2 + (size_t)two : 0);
    for (size_t m = 0; m < (two ? 4 : 3); m++) {
        buffer_string(out, MEMBERS[m].head);
        for (size_t i = 0; i < n; i++) {
            buffer_string(out, i ? ", " : "");
            MEMBERS[m].add(out, tokenizer, token_at(&line, i));
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
