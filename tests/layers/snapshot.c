/* Snapshots of a layer's weights: one for all who ask while nothing changes, another as soon as anything does. */
#include "layers/toy_layer.h"

#include "layers/snapshot.h"

static layer_snapshot *take(bert_layer *l, bert_pooling pooling)
{
    output_request r;
    layer_snapshot *s;
    assert_works(request_of_pooling(&r, pooling, l, err));
    r.layer = (int)l->encoder.n_layers - 1;
    assert_works(layer_snapshot_take(l, &r, &s, err));
    return s;
}

static bert_layer *tuned_layer(const bert_module *module)
{
    bert_layer *l = NULL;
    bert_layer_spec spec = spec_of(BERT_POOLING_CLS, "output");
    spec.n_tune_layers = 1;
    spec.tune_embeddings = true;
    assert_works(layer_create(module, &spec, &(head_shape){ 3, 5 }, 7, &l, NULL, err));
    return l;
}

static void a_snapshot_is_shared_until_any_weight_changes(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    bert_layer *l = tuned_layer(module);
    layer_snapshot *first = take(l, BERT_POOLING_CLS), *again = take(l, BERT_POOLING_CLS);
    assert_ptr_equal(again, first);
    assert_int_equal(first->users, 2);
    size_t changed = 0;
    for (size_t i = 0; i < l->weights.n; i++) {
        const bert_param *p = &l->weights.items[i];
        if (!p->tuned)
            continue;
        float *last = &p->tuned[weight_size(p) - 1], was = *last;
        *last += 1;
        layer_snapshot *other = take(l, BERT_POOLING_CLS), *same = take(l, BERT_POOLING_CLS);
        assert_ptr_not_equal(other, first);
        assert_ptr_equal(same, other);
        *last = was;
        assert_ptr_equal(take(l, BERT_POOLING_CLS), first); /* as it was */
        layer_snapshot_release(l, first);
        layer_snapshot_release(l, other);
        layer_snapshot_release(l, same);
        changed++;
    }
    assert_true(changed > 20);
    assert_ptr_equal(l->snapshots, first);
    assert_null(first->next);
    layer_snapshot_release(l, first);
    layer_snapshot_release(l, again);
    assert_null(l->snapshots);
    layer_snapshot_release(l, NULL);
    bert_layer_free(l);
    bert_module_free(module);
}

static void snapshots_differ_by_pooler_and_precision(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    bert_layer *l = tuned_layer(module);
    layer_snapshot *cls = take(l, BERT_POOLING_CLS), *mean = take(l, BERT_POOLING_MEAN);
    assert_ptr_not_equal(cls, mean);
    /* frozen layers are packed once for the layer and for both */
    const dense *frozen = &encoder_layer(&l->encoder, 0)->linears[0].base;
    if (!encoder_layer(&l->encoder, 0)->tuned)
        assert_int_equal(frozen->packed->users, 3);
    assert_works(layer_set_precision(l, OPS_INT8, OPS_INT8, err));
    layer_snapshot *int8 = take(l, BERT_POOLING_CLS);
    assert_ptr_not_equal(int8, cls);
    assert_int_equal(int8->encoder.precision, OPS_INT8);
    assert_ptr_equal(take(l, BERT_POOLING_CLS), int8);
    layer_snapshot_release(l, int8);
    layer_snapshot_release(l, cls);
    layer_snapshot_release(l, int8);
    layer_snapshot_release(l, mean);
    assert_null(l->snapshots);
    bert_layer_free(l);
    bert_module_free(module);
}

static void what_is_kept_is_what_was(void **state)
{
    (void)state;
    bert_module *module = words_module(NULL, true);
    bert_layer *l = tuned_layer(module);
    layer_snapshot *s = take(l, BERT_POOLING_CLS);
    for (size_t i = 0; i < l->n_tuned; i++)
        l->values[i] += 1;
    for (size_t i = 0; i < s->weights.n; i++) {
        const bert_param *was = &s->weights.items[i], *is = &l->weights.items[i];
        assert_string_equal(was->name, is->name);
        bool packed = weight_kind_of(&s->weights, i) == WEIGHT_MATRIX && weight_group_of(&s->weights, i) != GROUP_HEAD;
        if (is->tuned && !packed)
            for (size_t k = 0; k < weight_size(is); k++)
                assert_true(was->value[k] + 1 == is->value[k]);
    }
    layer_snapshot_release(l, s);
    bert_layer_free(l);
    bert_module_free(module);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_snapshot_is_shared_until_any_weight_changes, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(snapshots_differ_by_pooler_and_precision, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(what_is_kept_is_what_was, scratch_make, scratch_remove),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
