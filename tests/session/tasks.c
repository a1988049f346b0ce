/* Sessions of every task: scores from vectors, entities and where they stand, evaluation with its files, and what a
 * task refuses. */
#include "toy_model.h"

#include "task/head.h"
#include "task/outcomes.h"

enum { N = 9, SEQ_LEN = 14, MOST_COLUMNS = 3 };

static const char *const WORDS[] = { "a", "b", "c" }, *const TAGS[] = { "O", "B-X", "I-X" };

static bert_head_spec head_spec_of(bert_task id)
{
    bert_head_spec head = toy_head((int)id, WORDS, id == BERT_TASK_BINARY ? 2 : 3);
    if (id == BERT_TASK_TOKENS)
        head.labels = TAGS;
    if (id == BERT_TASK_REGRESSION || id == BERT_TASK_SIMILARITY)
        head.n_labels = 0;
    head.label_min = 1;
    head.label_max = 5;
    return head;
}

static bert_model *model_of(bert_task id, int64_t hidden)
{
    bert_head_spec head = head_spec_of(id);
    head.head_hidden = hidden;
    return toy_model_of(toy_module("module", (toy){ 0 }), BERT_POOLING_AUTO, SEQ_LEN, &head);
}

typedef struct sample {
    bert_text texts[N], pairs[N];
} sample;

static sample random_sample(void)
{
    random_stream r = { 12, 0, 0 };
    sample s;
    for (size_t i = 0; i < N; i++) {
        s.texts[i] = toy_text(&r, random_below(&r, SEQ_LEN));
        s.pairs[i] = toy_text(&r, 1 + random_below(&r, 4));
    }
    return s;
}

/* ---- scores ------------------------------------------------------------------------------------------------------ */

/* What the head says of the vectors that the session gives. */
static void scores_of_vectors(const bert_model *m, const float *vectors, float *scores)
{
    float logits[N * MOST_COLUMNS], hidden[N * 8];
    model_head h = head_over(m, &m->layer->weights);
    head_forward(&h, ops_room_create(&golden_memory), logits, hidden, vectors, N);
    task_by_id(m->task)->output->scores(m, scores, logits, N, task_width(m));
}

static void check_scores(bert_task id, int64_t hidden)
{
    bert_err err;
    sample s = random_sample();
    bert_model *m = model_of(id, hidden);
    bert_session *session = open_session(m, 0, BERT_POOLING_AUTO, false);
    bool apart = id == BERT_TASK_SIMILARITY;
    float vectors[2 * N * TOY_HIDDEN], expected[N * MOST_COLUMNS], got[N * MOST_COLUMNS];
    size_t columns = bert_session_outputs(session), truncated = 0;
    assert_int_equal(columns, id == BERT_TASK_BINARY ? 2 : id == BERT_TASK_REGRESSION || apart ? 1 : 3);
    for (size_t i = 0; i < N && apart; i++) {
        check(bert_session_embed(session, &s.texts[i], NULL, 1, vectors + 2 * i * TOY_HIDDEN, NULL, NULL, &err), &err);
        check(bert_session_embed(session, &s.pairs[i], NULL, 1, vectors + (2 * i + 1) * TOY_HIDDEN, NULL, NULL, &err),
              &err);
    }
    if (!apart)
        check(bert_session_embed(session, s.texts, s.pairs, N, vectors, NULL, NULL, &err), &err);
    scores_of_vectors(m, vectors, expected);
    check(bert_session_predict(session, s.texts, s.pairs, N, got, &truncated, &err), &err);
    assert_memory_equal(got, expected, N * columns * sizeof *got);
    for (size_t i = 0; i < N; i++) { /* each alone has the same bits */
        check(bert_session_predict(session, &s.texts[i], &s.pairs[i], 1, expected, NULL, &err), &err);
        assert_memory_equal(got + i * columns, expected, columns * sizeof *got);
    }
    bert_session_free(session);
    bert_model_free(m);
}

static void scores_are_the_heads_on_the_sessions_vectors(void **state)
{
    (void)state;
    for (bert_task id = BERT_TASK_BINARY; id < BERT_TASK_SIMILARITY; id++) {
        check_scores(id, 0);
        check_scores(id, 8);
    }
    check_scores(BERT_TASK_SIMILARITY, 0);
}

static void equal_texts_are_as_similar_as_can_be(void **state)
{
    (void)state;
    bert_err err;
    sample s = random_sample();
    random_stream r = { 13, 0, 0 };
    bert_model *m = model_of(BERT_TASK_SIMILARITY, 0);
    bert_session *session = open_session(m, 0, BERT_POOLING_AUTO, false);
    float scores[N], swapped[N];
    for (size_t i = 0; i < N; i++)
        s.texts[i] = toy_text(&r, 1 + random_below(&r, SEQ_LEN)); /* none is empty: each is a second text, too */
    check(bert_session_predict(session, s.texts, s.texts, N, scores, NULL, &err), &err);
    for (size_t i = 0; i < N; i++)
        assert_true(fabsf(scores[i] - 5) < 1e-5f);
    check(bert_session_predict(session, s.texts, s.pairs, N, scores, NULL, &err), &err);
    check(bert_session_predict(session, s.pairs, s.texts, N, swapped, NULL, &err), &err);
    for (size_t i = 0; i < N; i++)
        assert_true(fabsf(scores[i] - swapped[i]) < 1e-5f && scores[i] >= -3 && scores[i] < 5);
    bert_session_free(session);
    bert_model_free(m);
}

/* ---- entities ---------------------------------------------------------------------------------------------------- */

/* Every word has the tag of the largest bias: logits are the biases alone. */
static bert_model *constant_tagger(float outside, float begins, float inside)
{
    bert_model *m = model_of(BERT_TASK_TOKENS, 0);
    bert_param *weight = weight_at(&m->layer->weights, HEAD_WEIGHT, 0);
    memset(weight->tuned, 0, weight_size(weight) * sizeof(float));
    weight[1].tuned[0] = outside;
    weight[1].tuned[1] = begins;
    weight[1].tuned[2] = inside;
    return m;
}

static const bert_entity *found(bert_session *session, const bert_text *texts, size_t n, size_t *n_entities)
{
    bert_err err;
    const bert_entity *entities;
    check(bert_session_entities(session, texts, n, &entities, n_entities, NULL, &err), &err);
    return entities;
}

static void assert_entity(const bert_entity *e, size_t text, size_t byte_start, size_t byte_end, size_t char_start,
                          size_t char_end)
{
    if (e->text != text || e->byte_start != byte_start || e->byte_end != byte_end || e->char_start != char_start ||
        e->char_end != char_end)
        fail_msg("text %zu, bytes %zu to %zu, characters %zu to %zu; expected %zu, %zu to %zu, %zu to %zu", e->text,
                 e->byte_start, e->byte_end, e->char_start, e->char_end, text, byte_start, byte_end, char_start,
                 char_end);
    assert_string_equal(e->label, "X");
}

static void an_entity_stands_where_its_words_stand(void **state)
{
    (void)state;
    size_t n;
    bert_model *m = constant_tagger(0, 1, 0);
    bert_session *session = open_session(m, 0, BERT_POOLING_AUTO, false);
    assert_int_equal(bert_session_outputs(session), 0);
    assert_true(bert_session_per_token(session));
    const bert_text texts[] = { text_of("a bc"), text_of(""),
                                text_of("\xc3\xa9\xe4\xb8\xad x.\n\t \xff"
                                        "b\xff c  "),
                                text_of("  \x01 d") };
    const bert_entity *e = found(session, texts, 4, &n);
    assert_int_equal(n, 7);
    assert_entity(&e[0], 0, 0, 1, 0, 1);
    assert_entity(&e[1], 0, 2, 4, 2, 4);
    assert_entity(&e[2], 2, 0, 5, 0, 2);   /* two bytes and three: two code points */
    assert_entity(&e[3], 2, 6, 8, 3, 5);   /* "x." is one word */
    assert_entity(&e[4], 2, 11, 14, 8, 9); /* bytes that are no UTF-8 count as no code point */
    assert_entity(&e[5], 2, 15, 16, 10, 11);
    assert_entity(&e[6], 3, 4, 5, 4, 5);
    e = found(session, texts + 3, 1, &n);
    assert_int_equal(n, 1);
    assert_entity(&e[0], 0, 4, 5, 4, 5); /* a word of nothing but a control character has no token, and no tag */
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(e[i].score - exp(1) / (exp(1) + 2)) < 1e-6);
    bert_session_free(session);
    bert_model_free(m);
}

static void words_inside_are_one_entity_until_the_text_is_cut(void **state)
{
    (void)state;
    size_t n, truncated = 0;
    bert_err err;
    bert_model *m = constant_tagger(0, 0, 2);
    bert_session *session = open_session(m, 6, BERT_POOLING_AUTO, false);
    const bert_text texts[] = { text_of("a b c"), text_of("a b cd e f") };
    const bert_entity *e;
    check(bert_session_entities(session, texts, 2, &e, &n, &truncated, &err), &err);
    assert_int_equal(n, 2);
    assert_int_equal(truncated, 1);
    assert_entity(&e[0], 0, 0, 5, 0, 5);
    assert_entity(&e[1], 1, 0, 6, 0, 6); /* a, b, c and ##d are the four tokens that fit */
    const bert_text outside[] = { text_of("O O O"), text_of("O O O O O") };
    bert_dataset *d;
    bert_evaluation evaluation;
    check(bert_dataset_create(texts, NULL, outside, 2, &d, &err), &err);
    check(bert_session_evaluate(session, d, NULL, NULL, &evaluation, &err), &err);
    assert_int_equal(evaluation.metrics.n, 8);
    assert_true(fabs(evaluation.metrics.accuracy - 2.0 / 8) < 1e-12);    /* words that are cut off count as outside */
    assert_true(fabs(evaluation.metrics.loss - log(exp(2) + 2)) < 1e-6); /* the mean over those that are seen */
    assert_int_equal(evaluation.truncated, 1);
    assert_int_equal(evaluation.cut_words, 2);
    bert_dataset_free(d);
    bert_session_free(session);
    bert_model_free(m);
}

static void nothing_is_found_where_all_is_outside(void **state)
{
    (void)state;
    size_t n = 7;
    bert_model *m = constant_tagger(3, 0, 0);
    bert_session *session = open_session(m, 0, BERT_POOLING_AUTO, false);
    sample s = random_sample();
    found(session, s.texts, N, &n);
    assert_int_equal(n, 0);
    found(session, NULL, 0, &n);
    assert_int_equal(n, 0);
    bert_session_free(session);
    bert_model_free(m);
}

/* The tags of a text that has these entities; letters stand at even places. */
static bert_text tags_of(bert_text text, const bert_entity *e, size_t n)
{
    size_t words = text.size / 2, at = 0;
    char *out = arena_alloc(&golden_memory, 4 * words + 1);
    for (size_t w = 0; w < words; w++) {
        const char *tag = "O";
        for (size_t i = 0; i < n; i++)
            if (2 * w >= e[i].byte_start && 2 * w < e[i].byte_end)
                tag = 2 * w == e[i].byte_start ? "B-X" : "I-X";
        at += (size_t)snprintf(out + at, 5, "%s%s", w ? " " : "", tag);
    }
    return (bert_text){ out, at };
}

/* What a random head finds is, as the truth, found in full; a call of many texts finds what each alone has. */
static void evaluation_finds_the_same_entities(void **state)
{
    (void)state;
    enum { MANY = 2100 };
    bert_err err;
    bert_dataset *d;
    bert_evaluation evaluation;
    random_stream r = { 31, 0, 0 };
    bert_model *m = model_of(BERT_TASK_TOKENS, 8);
    bert_session *session = open_session(m, SEQ_LEN, BERT_POOLING_AUTO, false),
                 *one = open_session(m, SEQ_LEN, BERT_POOLING_AUTO, false);
    bert_text *texts = arena_alloc(&golden_memory, MANY * sizeof *texts),
              *labels = arena_alloc(&golden_memory, MANY * sizeof *labels);
    size_t n, at = 0, of_one;
    for (size_t i = 0; i < MANY; i++)
        texts[i] = toy_text(&r, random_below(&r, SEQ_LEN + 4));
    const bert_entity *all = found(session, texts, MANY, &n);
    for (size_t i = 0; i < MANY; i++) {
        size_t first = at;
        while (at < n && all[at].text == i)
            at++;
        labels[i] = tags_of(texts[i], all + first, at - first);
        if (i % 50)
            continue;
        const bert_entity *alone = found(one, texts + i, 1, &of_one);
        assert_int_equal(of_one, at - first);
        for (size_t k = 0; k < of_one; k++) {
            assert_entity(&alone[k], 0, all[first + k].byte_start, all[first + k].byte_end, all[first + k].char_start,
                          all[first + k].char_end);
            assert_true(alone[k].score == all[first + k].score);
        }
    }
    assert_int_equal(at, n);
    assert_true(n > MANY / 4);
    check(bert_dataset_create(texts, NULL, labels, MANY, &d, &err), &err);
    check(bert_session_evaluate(session, d, NULL, NULL, &evaluation, &err), &err);
    assert_true(evaluation.metrics.f1 == 1 && evaluation.metrics.precision == 1 && evaluation.metrics.recall == 1);
    assert_true(evaluation.metrics.accuracy > 0.5 && isfinite(evaluation.metrics.loss) &&
                isnan(evaluation.metrics.auc));
    bert_dataset_free(d);
    bert_session_free(session);
    bert_session_free(one);
    bert_model_free(m);
}

/* ---- evaluation -------------------------------------------------------------------------------------------------- */

static bert_dataset *dataset_of(bert_task id, const sample *s)
{
    static const char *const LABELS[][3] = { [BERT_TASK_BINARY] = { "a", "b", "a" },
                                             [BERT_TASK_MULTICLASS] = { "a", "b", "c" },
                                             [BERT_TASK_MULTILABEL] = { "a,c", "", "b" },
                                             [BERT_TASK_REGRESSION] = { "1", "2.5", "5" },
                                             [BERT_TASK_SIMILARITY] = { "1", "2", "5" } };
    bert_err err;
    bert_dataset *d;
    bert_text labels[N];
    for (size_t i = 0; i < N; i++)
        labels[i] = id == BERT_TASK_TOKENS ? tags_of(s->texts[i], NULL, 0) : text_of(LABELS[id][i % 3]);
    check(bert_dataset_create(s->texts, id == BERT_TASK_TOKENS ? NULL : s->pairs, labels, N, &d, &err), &err);
    return d;
}

static void every_task_is_evaluated_with_a_page_and_a_table(void **state)
{
    (void)state;
    for (bert_task id = BERT_TASK_BINARY; id <= BERT_TASK_TOKENS; id++) {
        bert_err err;
        bert_evaluation first, second;
        file_mapping page, table;
        sample s = random_sample();
        bert_model *m = model_of(id, 0);
        bert_dataset *d = dataset_of(id, &s);
        bert_session *session = open_session(m, 0, BERT_POOLING_AUTO, false);
        check(bert_session_evaluate(session, d, NULL, NULL, &first, &err), &err);
        check(bert_session_evaluate(session, d, scratch("report.html"), scratch("predictions.tsv"), &second, &err),
              &err);
        assert_memory_equal(&first, &second, sizeof first);
        assert_true(isfinite(bert_metric_value(&first.metrics, metric_by_name(task_by_id(id)->watch))) ||
                    id == BERT_TASK_TOKENS);
        check(file_map(&page, scratch("report.html"), &err), &err);
        check(file_map(&table, scratch("predictions.tsv"), &err), &err);
        assert_true(page.size > 1000 && !memcmp(page.data, "<!", 2));
        size_t lines = 0;
        for (size_t i = 0; i < table.size; i++)
            lines += table.data[i] == '\n';
        assert_int_equal(lines, N + 1);
        file_unmap(&page);
        file_unmap(&table);
        bert_session_free(session);
        bert_dataset_free(d);
        bert_model_free(m);
    }
}

/* Metrics and decisions follow the model's threshold. */
static void a_models_threshold_decides(void **state)
{
    (void)state;
    bert_err err;
    bert_evaluation low, high;
    sample s = random_sample();
    bert_model *m = model_of(BERT_TASK_BINARY, 0);
    bert_dataset *d = dataset_of(BERT_TASK_BINARY, &s);
    m->threshold = 1e-9;
    bert_session *session = open_session(m, 0, BERT_POOLING_AUTO, false);
    check(bert_session_evaluate(session, d, NULL, NULL, &low, &err), &err);
    bert_session_free(session);
    m->threshold = 1;
    session = open_session(m, 0, BERT_POOLING_AUTO, false);
    check(bert_session_evaluate(session, d, NULL, NULL, &high, &err), &err);
    assert_true(low.metrics.recall == 1 && fabs(low.metrics.accuracy - 3.0 / 9) < 1e-12); /* all are said to be b */
    assert_true(high.metrics.recall == 0 && fabs(high.metrics.accuracy - 6.0 / 9) < 1e-12);
    assert_true(low.metrics.loss == high.metrics.loss && low.metrics.auc == high.metrics.auc);
    bert_session_free(session);
    bert_dataset_free(d);
    bert_model_free(m);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void what_a_task_has_not_is_refused(void **state)
{
    (void)state;
    sample s = random_sample();
    float scores[N * MOST_COLUMNS];
    const bert_entity *entities;
    size_t n;
    bert_evaluation evaluation;
    bert_model *tagger = model_of(BERT_TASK_TOKENS, 0), *pairs = model_of(BERT_TASK_SIMILARITY, 0),
               *classes = model_of(BERT_TASK_MULTICLASS, 0);
    bert_session *t = open_session(tagger, 0, BERT_POOLING_AUTO, false),
                 *p = open_session(pairs, 0, BERT_POOLING_AUTO, false),
                 *c = open_session(classes, 0, BERT_POOLING_AUTO, false);
    assert_fails(bert_session_predict(t, s.texts, NULL, N, scores, NULL, err), BERT_ERR_ARGUMENT,
                 "a model of task tokens has no scores for a text; ask for its entities");
    assert_fails(bert_session_entities(c, s.texts, N, &entities, &n, NULL, err), BERT_ERR_ARGUMENT,
                 "a model of task multiclass finds no entities; ask for its scores");
    assert_null(entities);
    assert_fails(bert_session_predict(p, s.texts, NULL, N, scores, NULL, err), BERT_ERR_ARGUMENT,
                 "task similarity compares two texts, and there are no second ones");
    s.pairs[3] = text_of(" \n");
    assert_fails(bert_session_predict(p, s.texts, s.pairs, N, scores, NULL, err), BERT_ERR_ARGUMENT,
                 "row 3: task similarity needs two texts");
    bert_dataset *d = dataset_of(BERT_TASK_MULTILABEL, &s);
    assert_fails(bert_session_evaluate(c, d, NULL, NULL, &evaluation, err), BERT_ERR_DATA,
                 "row 0: label \"a,c\" is not one of the model's: a, b, c");
    bert_dataset_free(d);
    d = dataset_of(BERT_TASK_MULTICLASS, &s);
    assert_fails(bert_session_evaluate(c, d, NULL, scratch("predictions.doc"), &evaluation, err), BERT_ERR_ARGUMENT,
                 arena_printf(&golden_memory, "%s: predictions are written as .tsv, .csv or .jsonl",
                              scratch("predictions.doc")));
    bert_dataset_free(d);
    bert_session_free(t);
    bert_session_free(p);
    bert_session_free(c);
    bert_model_free(tagger);
    bert_model_free(pairs);
    bert_model_free(classes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(scores_are_the_heads_on_the_sessions_vectors),
        in_a_folder(equal_texts_are_as_similar_as_can_be),
        in_a_folder(an_entity_stands_where_its_words_stand),
        in_a_folder(words_inside_are_one_entity_until_the_text_is_cut),
        in_a_folder(nothing_is_found_where_all_is_outside),
        in_a_folder(evaluation_finds_the_same_entities),
        in_a_folder(every_task_is_evaluated_with_a_page_and_a_table),
        in_a_folder(a_models_threshold_decides),
        in_a_folder(what_a_task_has_not_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
