/* Entities as text. JSON: an object a text. TSV: a line an entity, the row first. */
#include "base/fields.h"

static void add_places(buffer *out, const bert_entity *e, const char *between)
{
    field_integer(out, (int64_t)e->char_start);
    buffer_string(out, between);
    field_integer(out, (int64_t)e->char_end);
}

static void add_entity(buffer *out, const bert_entity *e, bert_text text)
{
    buffer_string(out, "{\"label\": ");
    field_json(out, e->label, strlen(e->label));
    buffer_string(out, ", \"start\": ");
    add_places(out, e, ", \"end\": ");
    buffer_string(out, ", \"text\": ");
    field_json(out, text.data + e->byte_start, e->byte_end - e->byte_start);
    buffer_string(out, ", \"score\": ");
    field_number(out, e->score);
    buffer_char(out, '}');
}

/* "3\tLOC\t10\t15\t0.99\tParis" */
static void add_line(buffer *out, const bert_entity *e, bert_text text, size_t row)
{
    field_integer(out, (int64_t)row);
    buffer_char(out, '\t');
    field_tsv(out, e->label, strlen(e->label));
    buffer_char(out, '\t');
    add_places(out, e, "\t");
    buffer_char(out, '\t');
    field_number(out, e->score);
    buffer_char(out, '\t');
    field_tsv(out, text.data + e->byte_start, e->byte_end - e->byte_start);
    buffer_char(out, '\n');
}

void bert_entities_write(bert_buffer *out, const bert_entity *entities, size_t n_entities, const bert_text *texts,
                         size_t n, size_t first, bert_answer_format format)
{
    const bert_entity *e = entities, *end = entities + n_entities;
    bool json = format == BERT_ANSWER_JSONL;
    for (size_t i = 0; format != BERT_ANSWER_NUMBERS && i < n; i++) {
        buffer_string(out, json ? "{\"entities\": [" : "");
        for (const bert_entity *begin = e; e < end && e->text == i; e++) {
            buffer_string(out, json && e > begin ? ", " : "");
            if (json)
                add_entity(out, e, texts[i]);
            else
                add_line(out, e, texts[i], first + i + 1);
        }
        buffer_string(out, json ? "]}\n" : "");
    }
}
