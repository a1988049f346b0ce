/* bert_model_export: the list of formats, and what is true of all of them. */
#include "exports/export.h"

#include "base/options.h"

static const export_format FORMATS[] = {
    [BERT_EXPORT_ONNX] = { "onnx", BERT_OUTPUT_ONNX, false, export_onnx },
    [BERT_EXPORT_GGUF] = { "gguf", BERT_OUTPUT_GGUF, true, export_gguf },
    [BERT_EXPORT_HF] = { "hf", BERT_OUTPUT_HF, false, export_hf },
};

static const char *const FORMAT_WORDS[] = { "onnx", "gguf", "hf", NULL };
static const char *const TYPE_WORDS[] = { "f32", "f16", "q8_0", NULL };

static const bert_option EXPORT[] = {
    OPTION_CHOICE(bert_export_options, format, "onnx", FORMAT_WORDS, "WORD", "whose format is written"),
    OPTION_CHOICE(bert_export_options, type, "f32", TYPE_WORDS, "WORD", "gguf: the numbers of the matrices"),
    OPTION_BOOL(bert_export_options, force, "false", OPTION_FORCE_HELP),
};

bert_option_table bert_export_option_table(void)
{
    return OPTION_TABLE(EXPORT);
}

void bert_export_defaults(bert_export_options *options)
{
    bert_options_defaults(options, bert_export_option_table());
}

bert_status export_model_open(export_model *e, const bert_model *model, arena *a, bert_err *err)
{
    *e = (export_model){ .model = model,
                         .config = model->layer->config,
                         .pooling = (bert_pooling)model->layer->spec.pooling };
    output_request request;
    bert_status s = model->task ? task_of_model(model, &e->task, err) : BERT_OK;
    if (!s)
        s = request_of_pooling(&request, e->pooling, model->layer, err);
    if (!s)
        s = request_weights(&request, model->layer, &model->layer->weights.head, &e->weights, a, err);
    if (s)
        return s;
    e->config.num_hidden_layers = (int64_t)e->weights.layers;
    for (size_t i = 0; i < e->weights.n; i++)
        if (!weight_is_there(&e->weights, &e->weights.items[i]))
            return fail(err, BERT_ERR_ARGUMENT,
                        "pooling cls: the module has no pooler; choose another pooling before exporting");
    return BERT_OK;
}

bert_status export_floats(const export_model *e, const bert_param *weight, arena *a, const float **floats,
                          bert_err *err)
{
    *floats = weight_floats(&e->weights, (size_t)(weight - e->weights.items), a);
    return *floats ? BERT_OK : fail_memory(err, weight->name);
}

static bert_status export_check(const char *path, const bert_export_options *o, bert_err *err)
{
    bert_status s = options_check(o, bert_export_option_table(), err);
    if (s)
        return s;
    const export_format *f = &FORMATS[o->format];
    if (o->type && !f->types)
        return fail(err, BERT_ERR_ARGUMENT, "--type %s: format %s has no types, gguf has", TYPE_WORDS[o->type],
                    f->name);
    return bert_output_check(path, f->output, o->force, err);
}

/* What a bf16 or int8 file holds is not quite what was trained, and who exports it should know. */
static void note_precision(const bert_model *model, buffer *notes)
{
    const weight_form *words = &model->module->weights.forms[WORD_EMBEDDINGS];
    if (words->joined && words->table.stored != STORED_FP32)
        buffer_printf(notes, "the frozen file's weights are %s; the export has what they stand for\n",
                      words->table.stored == STORED_INT8 ? "int8" : "bf16");
}

bert_status bert_model_export(const bert_model *model, const char *path, const bert_export_options *options,
                              char **note, bert_err *err)
{
    bert_export_options defaults;
    bert_export_defaults(&defaults);
    const bert_export_options *o = options ? options : &defaults;
    buffer notes = { 0 };
    if (note)
        *note = NULL;
    bert_status s = export_check(path, o, err);
    if (!s)
        s = module_verify_read(model->module, err);
    if (!s)
        s = FORMATS[o->format].write(model, path, o, &notes, err);
    note_precision(model, &notes);
    if (!s && note && notes.size) {
        notes.data[--notes.size] = 0; /* the last line break */
        *note = buffer_take(&notes);  /* without memory for it there is none */
    }
    buffer_free(&notes);
    return s;
}
