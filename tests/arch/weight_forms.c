/* The forms of a frozen file: what numbers they stand for, and that a file gives back what was written. */
#include "golden.h"

#include "arch/families.h"
#include "base/bf16.h"
#include "base/random.h"
#include "base/scratch.h"
#include "net/weight_forms.h"

enum { LAYERS = 3 };

/* A list of random values with a pooler and a head. hidden: with 40 query, key and value do not begin with a panel,
 * with 96 they do. */
static weight_list random_list(arena *a, config *c, int64_t hidden)
{
    weight_list list;
    random_stream r = { 3, 8, 0 };
    *c = (config){ .family = &FAMILY_BERT,
                   .vocab_size = 57,
                   .hidden_size = hidden,
                   .num_hidden_layers = LAYERS,
                   .num_attention_heads = 8,
                   .intermediate_size = 71,
                   .max_position_embeddings = 13,
                   .type_vocab_size = 2 };
    assert_works(weights_create(&list, a, c, LAYERS, true, &(head_shape){ 3, 7 }, err));
    for (size_t i = 0; i < list.n; i++) {
        float *value = arena_array(a, weight_size(&list.items[i]), sizeof *value);
        for (size_t k = 0; k < weight_size(&list.items[i]); k++)
            value[k] = random_normal(&r);
        list.items[i].value = value;
    }
    return list;
}

static bool in_a_form(const weight_list *list, size_t i)
{
    return list->items[i].cols > 1 && weight_group_of(list, i) != GROUP_HEAD;
}

/* Checks a number that a form of a row whose largest is `most` stands for. */
static void check_number(float found, float exact, weight_storage stored, float most)
{
    if (stored == STORED_FP32)
        assert_true(found == exact);
    else if (stored == STORED_BF16)
        assert_true(found == bf16_to_f32(bf16_of(exact)));
    else /* a step of at most most / 127, and what is cut off at a smaller scale */
        assert_true(fabsf(found - exact) <= most * 0.25f && fabsf(found) <= most * 1.0001f);
}

static void check_stands_for(const weight_list *found, const weight_list *exact, weight_storage stored)
{
    arena a = { 0 };
    for (size_t i = 0; i < exact->n; i++) {
        const bert_param *p = &exact->items[i];
        bool kept = !in_a_form(exact, i) || (stored == STORED_INT8 && weight_group_of(exact, i) == GROUP_POOLER);
        const float *floats = weight_floats(found, i, &a);
        assert_non_null(floats);
        double lost = 0, all = 0;
        for (size_t r = 0; r < p->rows; r++) {
            float most = 0;
            for (size_t c = 0; c < p->cols; c++)
                most = fmaxf(most, fabsf(p->value[r * p->cols + c]));
            for (size_t c = 0; c < p->cols; c++) {
                float x = p->value[r * p->cols + c], y = floats[r * p->cols + c];
                check_number(y, x, kept ? STORED_FP32 : stored, most);
                lost += (double)(x - y) * (x - y);
                all += (double)x * x;
            }
        }
        assert_true(sqrt(lost / all) <= 0.01); /* of normal numbers int8 loses less than a hundredth */
    }
    arena_free(&a);
}

static const weight_storage FORMS[] = { STORED_FP32, STORED_BF16, STORED_INT8 };

static void forms_stand_for_the_values_that_they_were_made_of(void **state)
{
    (void)state;
    for (size_t k = 0; k < 6; k++) {
        arena a = { 0 };
        config c;
        weight_list exact = random_list(&a, &c, k % 2 ? 96 : 40), made = random_list(&a, &c, k % 2 ? 96 : 40);
        assert_works(weights_make_forms(&made, &a, FORMS[k / 2], err));
        for (size_t i = 0; i < made.n; i++) {
            assert_int_equal(weight_in_form(&made, &made.items[i]), in_a_form(&made, i));
            if (in_a_form(&made, i))
                made.items[i].value = NULL; /* the form alone */
            assert_true(weight_is_there(&made, &made.items[i]));
        }
        check_stands_for(&made, &exact, FORMS[k / 2]);
        assert_works(weights_leave_forms(&made, &a, err));
        for (size_t i = 0; i < made.n; i++)
            assert_true(made.items[i].value && !weight_in_form(&made, &made.items[i]));
        check_stands_for(&made, &exact, FORMS[k / 2]);
        arena_free(&a);
    }
}

static void a_file_gives_back_the_forms_that_were_written(void **state)
{
    (void)state;
    for (size_t k = 0; k < 6; k++) {
        arena a = { 0 };
        config c;
        tensor *items;
        tensor_set set;
        size_t n;
        weight_list exact = random_list(&a, &c, k % 2 ? 96 : 40), made = exact, read;
        made.forms = arena_array(&a, made.n, sizeof *made.forms);
        assert_works(weights_make_forms(&made, &a, FORMS[k / 2], err));
        assert_works(weights_form_tensors(&made, &a, &items, &n, err));
        assert_works(safetensors_write(scratch("forms"), items, n, NULL, err));
        assert_works(safetensors_open(&set, scratch("forms"), NULL, err));
        assert_works(weights_create(&read, &a, &c, LAYERS, true, &made.head, err));
        assert_works(weights_read_forms(&read, &a, &set, FORMS[k / 2], "forms", err));
        check_stands_for(&read, &exact, FORMS[k / 2]);
        tensors_close(&set);
        arena_free(&a);
    }
}

/* A list of fewer layers, as a session's with another pooling: what it takes are the forms of the entries of the same
 * names. */
static void forms_are_taken_by_other_lists(void **state)
{
    (void)state;
    arena a = { 0 };
    config c;
    weight_list exact = random_list(&a, &c, 40), made = exact, fewer;
    made.forms = arena_array(&a, made.n, sizeof *made.forms);
    assert_works(weights_make_forms(&made, &a, STORED_FP32, err));
    for (size_t i = 0; i < made.n; i++)
        made.items[i].value = weight_in_form(&made, &made.items[i]) ? NULL : made.items[i].value;
    assert_works(weights_create(&fewer, &a, &c, 2, false, NULL, err));
    weights_take(&fewer, &made);
    for (size_t i = 0; i < fewer.n; i++) {
        assert_true(weight_is_there(&fewer, &fewer.items[i]));
        assert_string_equal(fewer.items[i].name, made.items[i].name);
        const float *x = weight_floats(&fewer, i, &a), *y = weight_floats(&made, i, &a);
        assert_memory_equal(x, y, weight_size(&fewer.items[i]) * sizeof *x);
    }
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_stand_for_the_values_that_they_were_made_of),
        in_a_folder(a_file_gives_back_the_forms_that_were_written),
        cmocka_unit_test(forms_are_taken_by_other_lists),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&golden_memory);
    return failed;
}
