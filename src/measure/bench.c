/* bert_model_bench: a session, texts, what is measured, how it is told. */
#include "measure/roofline.h"

#include "base/options.h"

#include <stdlib.h>

enum { MADE_UP = 4096, MADE_UP_LEAST = 8, MADE_UP_MOST = 56 }; /* as long as questions on the web are */

static const bert_option BENCH[] = {
    OPTION_FLOAT(bert_bench_options, seconds, "1", 0.001, 3600, "S", "about so long for each figure"),
    OPTION_BOOL(bert_bench_options, roofline, "false",
                "beside it what the machine could do: matrix products alone, the memory's speed"),
};

bert_option_table bert_bench_option_table(void)
{
    return OPTION_TABLE(BENCH);
}

void bert_bench_defaults(bert_bench_options *options)
{
    bert_options_defaults(options, bert_bench_option_table());
}

/* The data given, or texts that are made up. */
static bert_status take_texts(bench *b, const bert_dataset *data, bert_err *err)
{
    size_t most = bert_session_seq_len(b->session);
    b->data = data;
    b->made_up = !data;
    if (data)
        return data->n ? BERT_OK : fail(err, BERT_ERR_DATA, "no texts to measure with");
    bert_status s = bench_texts(b->model->module->tokenizer, MADE_UP, most < MADE_UP_LEAST ? most : MADE_UP_LEAST,
                                most < MADE_UP_MOST ? most : MADE_UP_MOST, bench_form(b) == ROW_APART, &b->picked, err);
    b->data = b->picked;
    return s;
}

static void bench_free(bench *b)
{
    bert_dataset_free(b->picked);
    bert_dataset_free(b->sixteen);
    bert_session_free(b->session);
    free(b->out);
    free(b->counts);
}

bert_status bert_model_bench(const bert_model *model, const bert_session_options *session, const bert_dataset *data,
                             const bert_bench_options *options, bool json, char **out, bert_err *err)
{
    bert_bench_options defaults;
    bert_bench_defaults(&defaults);
    bench b = { .model = model, .options = options ? options : &defaults };
    roofline r = { 0 };
    locale_t before = uselocale(plain_locale());
    *out = NULL;
    bert_status s = options_check(b.options, bert_bench_option_table(), err);
    if (!s)
        s = bert_session_create(model, session, &b.session, err);
    if (!s)
        s = take_texts(&b, data, err);
    if (!s)
        s = bench_measure(&b, err);
    if (!s && b.options->roofline)
        s = roofline_measure(&r, &b, err);
    const roofline *beside = b.options->roofline ? &r : NULL;
    if (!s)
        *out = json ? bench_write_json(&b, beside) : bench_write_text(&b, beside);
    if (!s && !*out)
        s = fail_memory(err, "figures");
    bench_free(&b);
    uselocale(before);
    return s;
}
