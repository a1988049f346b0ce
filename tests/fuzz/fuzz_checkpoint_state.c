/* Any JSON as the state of a checkpoint: refused, or a place in the data that the run has. */
#include "formats/json.h"
#include "train/checkpoint_state.h"

#include "fuzz/expect.h"
#include "fuzz/input.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static train_run run;
static size_t batches_of_epoch;

static void must(bert_status s, const bert_err *err)
{
    expect(!s, s ? err->message : "");
}

/* A run over a few rows: batches of 2 and one of 1, two batches a step. */
static void make_run(void)
{
    static const char *const LABELS[] = { "0", "1" };
    bert_err err;
    bert_text texts[5], labels[5];
    bert_layer_spec spec;
    bert_head_spec head;
    bert_train_options options;
    bert_dataset *rows;
    bert_model *model;
    static char module[128];
    snprintf(module, sizeof module, "%s.module", input_file("run", "", 0));
    must(bert_import("tests/files/toy", module, NULL, NULL, &err), &err);
    for (size_t i = 0; i < 5; i++) {
        texts[i] = (bert_text){ "how are you", 3 + 4 * (i % 3) };
        labels[i] = (bert_text){ LABELS[i % 2], 1 };
    }
    must(bert_dataset_create(texts, NULL, labels, 5, &rows, &err), &err);
    bert_layer_defaults(&spec);
    spec.module = module;
    spec.seq_len = 8;
    spec.n_tune_layers = 1;
    bert_head_defaults(&head);
    head.task = BERT_TASK_BINARY;
    head.labels = LABELS;
    head.n_labels = 2;
    must(bert_model_create(&spec, &head, 1, &model, &err), &err);
    bert_train_defaults(&options);
    options.epochs = 3;
    options.batch_size = 2;
    options.accumulate = 2;
    must(run_check(&run, model, rows, NULL, &options, &err), &err);
    must(run_prepare(&run, false, &err), &err);
    batches_of_epoch = 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *state;
    if (!run.model)
        make_run();
    if (json_read_bytes(&state, (const char *)data, size, "input", NULL))
        return 0;
    progress p = { 0 };
    run_record record = { 0 };
    buffer differences = { 0 };
    state_differences(&differences, state, &run);
    buffer_free(&differences);
    if (!state_to_run(state, "input", &run, &p, &record, NULL)) {
        expect(p.epoch >= 1 && p.batch <= batches_of_epoch && p.rows <= 5 && p.targets == p.rows &&
                   p.correct <= p.targets,
               "a place in the data");
        expect(p.step == 2 * (p.epoch - 1) + (int64_t)((p.batch + 1) / 2), "the step of that place");
        expect(isfinite(p.loss) && p.seconds >= 0 && p.best_epoch >= 0 && p.best_epoch <= p.epoch,
               "numbers within bounds");
        for (size_t i = 0; i < run.optimizer->n_slots; i++)
            expect(run.optimizer->slots[i].steps <= p.step, "no tensor took more steps than the run");
    }
    run_record_free(&record);
    json_decref(state);
    return 0;
}
