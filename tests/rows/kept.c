/* Kept outputs: the bits of computing them anew, whatever is kept, where, and whatever has become of the file. */
#include "each_isa.h"
#include "rows/toy_rows.h"

#include "rows/kept.h"
#include "rows/kept_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char OTHER[] =
    "the file of kept outputs is of other data, another module or another version: it is made anew";
static const char DAMAGED[] = "the file of kept outputs is damaged: it is made anew";
static const char NO_ROOM[] = "the disk has no room for the file of kept outputs: they stay in memory";
static const char IN_USE[] = "the file of kept outputs is in use by another process: this one keeps them in memory";
enum { PLENTY = 1 << 20 };

/* A layer with one tuned layer of three, rows, and what their frozen part gives. */
typedef struct scene {
    bert_module *module;
    bert_layer *layer;
    token_rows rows;
    float *expected, *found; /* (tokens, H) */
    size_t n;
    arena memory;
} scene;

static scene scene_make(void)
{
    scene s = { .module = words_module(NULL, true) };
    s.layer = frozen_below(s.module, BERT_POOLING_CLS, 1);
    s.rows = toy_rows(s.module, ROW_TOGETHER, 1);
    s.n = s.rows.start[ROWS] * HIDDEN;
    s.expected = frozen_part(s.layer, &s.rows, &s.memory);
    s.found = arena_array(&s.memory, s.n, sizeof *s.found);
    return s;
}

static void scene_free(scene *s)
{
    token_rows_free(&s->rows);
    bert_layer_free(s->layer);
    bert_module_free(s->module);
    arena_free(&s->memory);
}

static kept_options in_file(const char *name)
{
    return (kept_options){ .budget = PLENTY, .path = name ? scratch(name) : NULL, .key = "the data" };
}

/* Makes kept outputs, which must come with this note (NULL: none). */
static kept_outputs *open_kept(scene *s, const kept_options *options, const char *expected_note)
{
    kept_outputs *kept;
    const char *note = "not set";
    assert_works(kept_create(&kept, s->layer, &s->rows, options, &note, err));
    if (expected_note)
        assert_string_equal(note, expected_note);
    else
        assert_null(note);
    return kept;
}

/* Rows `from` to `to` - 1 in batches of a random order, each compared with what is expected. */
static void read_part(scene *s, kept_outputs *kept, random_stream *r, size_t from, size_t to)
{
    uint32_t *rows = all_rows(r);
    for (size_t i = from, n; i < to; i += n) {
        n = 1 + random_below(r, 50);
        n = n < to - i ? n : to - i;
        assert_works(kept_read(kept, rows + i, n, s->found, err));
        const float *x = s->found;
        for (size_t k = i; k < i + n; k++) {
            size_t numbers = token_rows_length(&s->rows, rows[k]) * HIDDEN;
            assert_same_bits(x, s->expected + s->rows.start[rows[k]] * HIDDEN, numbers);
            x += numbers;
        }
    }
}

static void read_all(scene *s, kept_outputs *kept)
{
    random_stream r = { 4, 0, 0 };
    read_part(s, kept, &r, 0, ROWS);
}

static uint16_t *bits_above(float *x)
{
    return (uint16_t *)(void *)x + 1;
}

/* To nearest, ties to even, by the definition: of the two neighbours the nearer one, of two equally near the one whose
 * last bit is 0. */
static float rounded(float x)
{
    float down = x, up;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits &= 0xFFFF0000;
    memcpy(&down, &bits, sizeof bits);
    bits += 0x10000;
    memcpy(&up, &bits, sizeof bits);
    double below = (double)x - down, above = (double)up - x, size = x < 0 ? -1 : 1;
    if (below * size != above * size)
        return below * size < above * size ? down : up;
    return *bits_above(&down) % 2 ? up : down;
}

static void expect_rounded(scene *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->expected[i] = rounded(s->expected[i]);
}

static void in_memory_every_budget_gives_the_same_bits_and_is_kept_to(void **state)
{
    (void)state;
    scene s = scene_make();
    size_t whole = 0;
    for (uint64_t budget = 0; budget < 80000; budget = budget < 8000 ? budget + 500 : budget * 2) {
        kept_options options = { .budget = budget };
        for (int threads = 1; threads <= 4; threads++) {
            threads_allow((size_t)threads);
            kept_outputs *kept = open_kept(&s, &options, NULL);
            assert_int_equal(kept_layer(kept), 2);
            assert_int_equal(kept_rows(kept), 0);
            for (int epoch = 0; epoch < 3; epoch++)
                read_all(&s, kept);
            assert_true(kept_bytes(kept) <= budget);
            assert_true(kept_rows(kept) > 0 || budget < 8000);
            assert_true(kept_rows(kept) <= ROWS);
            whole += kept_rows(kept) == ROWS;
            kept_free(kept);
        }
    }
    assert_int_equal(whole, 4); /* the largest budget alone has room for all */
    scene_free(&s);
}

static void as_bf16_every_row_is_rounded_kept_or_not(void **state)
{
    (void)state;
    scene s = scene_make();
    expect_rounded(&s);
    for (uint64_t budget = 0; budget <= 40000; budget += 10000)
        for (int with_file = 0; with_file < 2; with_file++) {
            kept_options options = in_file(with_file ? "rows" : NULL);
            options.budget = budget;
            options.bf16 = true;
            for (int run = 0; run < 2; run++) {
                kept_outputs *kept = open_kept(&s, &options, NULL);
                assert_int_equal(kept_rows(kept) > 0, run && with_file && budget);
                read_all(&s, kept);
                read_all(&s, kept);
                assert_true(kept_bytes(kept) <= budget);
                assert_true(budget < 30000 || kept_rows(kept) == ROWS);
                kept_free(kept);
            }
            if (with_file && budget)
                unlink(options.path);
        }
    scene_free(&s);
}

static void a_file_serves_the_next_run(void **state)
{
    (void)state;
    scene s = scene_make();
    kept_options options = in_file("rows");
    random_stream r = { 1, 0, 0 };
    kept_outputs *kept = open_kept(&s, &options, NULL);
    read_part(&s, kept, &r, 0, ROWS / 2);
    assert_int_equal(kept_rows(kept), ROWS / 2);
    uint64_t bytes = kept_bytes(kept);
    kept_free(kept);
    kept = open_kept(&s, &options, NULL);
    assert_int_equal(kept_rows(kept), ROWS / 2);
    assert_int_equal(kept_bytes(kept), bytes);
    read_all(&s, kept);
    assert_int_equal(kept_rows(kept), ROWS);
    kept_free(kept);

    /* Rows that are kept are not computed: with other weights below they are what they were. */
    bert_param *norm = weight_at(&s.layer->weights, ATTENTION_NORM_WEIGHT, 0);
    const float *weights = norm->value;
    float *twice = arena_array(&s.memory, HIDDEN, sizeof *twice);
    for (size_t i = 0; i < HIDDEN; i++)
        twice[i] = 2 * weights[i];
    norm->value = twice;
    kept = open_kept(&s, &options, NULL);
    assert_int_equal(kept_rows(kept), ROWS);
    read_all(&s, kept);
    kept_free(kept);
    norm->value = weights;
    scene_free(&s);
}

static void a_file_may_get_another_budget(void **state)
{
    (void)state;
    static const uint64_t BUDGETS[] = { 20000, 40000, 15000, 0, 100000, 30000 };
    scene s = scene_make();
    kept_options options = in_file("rows");
    size_t before = 0;
    for (size_t i = 0; i < sizeof BUDGETS / sizeof *BUDGETS; i++) {
        struct stat st;
        options.budget = BUDGETS[i];
        kept_outputs *kept = open_kept(&s, &options, NULL);
        assert_true(!BUDGETS[i] || !before || kept_rows(kept) > 0);
        read_all(&s, kept);
        read_all(&s, kept);
        assert_true(kept_bytes(kept) <= BUDGETS[i]);
        assert_int_equal(stat(options.path, &st), 0);
        assert_true(!BUDGETS[i] || (uint64_t)st.st_size <= BUDGETS[i]);
        before = kept_rows(kept);
        kept_free(kept);
    }
    scene_free(&s);
}

static void a_file_of_something_else_is_made_anew(void **state)
{
    (void)state;
    scene s = scene_make();
    kept_options options = in_file("rows"), other = options;
    kept_outputs *kept = open_kept(&s, &options, NULL);
    read_all(&s, kept);
    kept_free(kept);

    other.key[0]++; /* other data */
    kept = open_kept(&s, &other, OTHER);
    assert_int_equal(kept_rows(kept), 0);
    read_all(&s, kept);
    kept_free(kept);

    kept = open_kept(&s, &options, OTHER);
    read_all(&s, kept);
    kept_free(kept);
    s.module->sha256[0] ^= 1; /* another module */
    kept = open_kept(&s, &options, OTHER);
    assert_int_equal(kept_rows(kept), 0);
    read_all(&s, kept);
    kept_free(kept);

    options.bf16 = true; /* another form */
    kept = open_kept(&s, &options, OTHER);
    assert_int_equal(kept_rows(kept), 0);
    kept_free(kept);
    options.bf16 = false;

    kept = open_kept(&s, &options, OTHER);
    kept_free(kept);
    bert_layer *two = frozen_below(s.module, BERT_POOLING_CLS, 2); /* another layer */
    bert_layer *one = s.layer;
    s.layer = two;
    kept = open_kept(&s, &options, OTHER);
    kept_free(kept);
    s.layer = one;
    bert_layer_free(two);
    scene_free(&s);
}

/* What the tuned layers make of rows. */
static float *tuned_part(scene *s, const float *x)
{
    packed_batch batch;
    output_request request = { .name = "y", .layer = (int)s->layer->encoder.n_layers - 1, .tokens = true };
    assert_works(token_rows_pack(&s->rows, all_rows(NULL), ROWS, &batch, &s->memory, err));
    forward f = { .e = &s->layer->encoder,
                  .batch = &batch,
                  .requests = &request,
                  .n_requests = 1,
                  .x = x,
                  .from = s->layer->first_kept,
                  .first_kept = s->layer->encoder.n_layers };
    assert_works(forward_run(&f, &s->memory, err));
    return f.outputs[0].value;
}

/* In another precision: other bits, but close: the cosine of no token is below `least`. */
static void assert_close_rows(const scene *s, const float *x, const float *exact, double least)
{
    assert_memory_not_equal(x, exact, s->n * sizeof *x);
    for (size_t i = 0; i < s->n; i += HIDDEN) {
        double xy = 0, xx = 0, yy = 0;
        for (size_t k = i; k < i + HIDDEN; k++) {
            xy += (double)x[k] * exact[k];
            xx += (double)x[k] * x[k];
            yy += (double)exact[k] * exact[k];
        }
        if (xy < least * sqrt(xx * yy))
            fail_msg("token %zu: the cosine is %g, the least %g", i / HIDDEN, xy / sqrt(xx * yy), least);
    }
}

/* int8 without VNNI has the operations of fp32, and yet a file of its own. */
static void another_precision_below_is_close_and_something_else(void **state)
{
    (void)state;
    static const struct {
        ops_precision precision;
        double least;
    } CASES[] = { { OPS_INT8, 0.98 }, { OPS_BF16, 0.999 }, { OPS_FP32, 0 } };
    scene s = scene_make();
    const float *exact = s.expected, *above = tuned_part(&s, exact);
    kept_options options = in_file("rows");
    kept_outputs *kept = open_kept(&s, &options, NULL);
    read_all(&s, kept);
    kept_free(kept);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const ops *o;
        if (ops_select_precision(CASES[i].precision, &o, NULL)) {
            print_message("this machine has no bf16\n");
            continue;
        }
        assert_works(layer_set_precision(s.layer, OPS_FP32, CASES[i].precision, err));
        assert_works(layer_ready(s.layer, err));
        s.expected = frozen_part(s.layer, &s.rows, &s.memory);
        if (CASES[i].precision == OPS_FP32)
            assert_same_bits(s.expected, exact, s.n);
        else
            assert_close_rows(&s, s.expected, exact, CASES[i].least);
        assert_same_bits(tuned_part(&s, exact), above, s.n);
        kept = open_kept(&s, &options, OTHER);
        assert_int_equal(kept_rows(kept), 0);
        read_all(&s, kept);
        kept_free(kept);
    }
    scene_free(&s);
}

/* What a damaged file leads to: the right bits, and a file that is whole afterwards. */
static void check_damaged(scene *s, const char *bytes, size_t n, bool noted)
{
    scratch_file("rows", bytes, n);
    kept_options options = in_file("rows");
    kept_outputs *kept;
    const char *note;
    assert_works(kept_create(&kept, s->layer, &s->rows, &options, &note, err));
    if (noted)
        assert_true(note && (!strcmp(note, DAMAGED) || !strcmp(note, OTHER)));
    read_all(s, kept);
    kept_free(kept);
    kept = open_kept(s, &options, NULL);
    assert_int_equal(kept_rows(kept), ROWS);
    read_all(s, kept);
    kept_free(kept);
}

/* The bytes of a file that holds every row. */
static char *whole_file(scene *s, size_t *n)
{
    kept_options options = in_file("rows");
    file_mapping m;
    kept_outputs *kept = open_kept(s, &options, NULL);
    read_all(s, kept);
    kept_free(kept);
    assert_works(file_map(&m, options.path, err));
    char *bytes = arena_copy(&s->memory, (const char *)m.data, m.size);
    *n = m.size;
    file_unmap(&m);
    return bytes;
}

static void a_file_that_is_cut_off_is_made_anew(void **state)
{
    (void)state;
    size_t n;
    scene s = scene_make();
    threads_allow(1);
    char *bytes = whole_file(&s, &n);
    for (size_t cut = 1; cut < n; cut = cut < 600 ? cut + 37 : cut + 2111)
        check_damaged(&s, bytes, cut, true);
    check_damaged(&s, bytes, n - 1, true);
    bytes = memcpy(arena_alloc(&s.memory, n + 7), bytes, n);
    check_damaged(&s, bytes, n + 7, true);
    scene_free(&s);
}

static void a_file_with_a_wrong_byte_gives_no_wrong_bits(void **state)
{
    (void)state;
    size_t n;
    scene s = scene_make();
    threads_allow(1);
    char *bytes = whole_file(&s, &n);
    random_stream r = { 6, 0, 0 };
    for (size_t at = 0; at < n; at += at < sizeof(kept_header) + 64 ? 3 : 1 + random_below(&r, 500)) {
        char flip = (char)(1u << random_below(&r, 8));
        bytes[at] ^= flip;
        check_damaged(&s, bytes, n, at < sizeof(kept_header));
        bytes[at] ^= flip;
    }
    scene_free(&s);
}

/* Rows that change places: each entry is sound, but of another row. */
static void entries_that_name_each_others_rows_give_no_wrong_bits(void **state)
{
    (void)state;
    size_t n;
    scene s = scene_make();
    threads_allow(1);
    char *bytes = whole_file(&s, &n);
    kept_entry *entries = (kept_entry *)(void *)(bytes + 512);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = i + 1; k < ROWS; k++)
            if (entries[i].tokens == entries[k].tokens && i % 3 == 0) {
                kept_entry e = entries[i];
                entries[i] = entries[k];
                entries[k] = e;
            }
    check_damaged(&s, bytes, n, false);
    for (size_t i = 0; i < ROWS; i++) /* all of them at one place */
        entries[i].place = entries[5].place;
    check_damaged(&s, bytes, n, true);
    for (size_t i = 0; i < ROWS; i++)
        entries[i] = (kept_entry){ UINT64_MAX - i, UINT32_MAX, 0 };
    check_damaged(&s, bytes, n, true);
    scene_free(&s);
}

static void a_run_that_is_killed_leaves_whole_rows(void **state)
{
    (void)state;
    scene s = scene_make();
    kept_options options = in_file("rows");
    for (size_t rows = 10; rows < ROWS; rows += 30) {
        unlink(options.path);
        pid_t child = fork();
        if (child == 0) {
            random_stream r = { rows, 0, 0 };
            threads_allow(1);
            read_part(&s, open_kept(&s, &options, NULL), &r, 0, rows);
            raise(SIGKILL);
        }
        int status;
        assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        kept_outputs *kept = open_kept(&s, &options, NULL);
        assert_int_equal(kept_rows(kept), rows);
        read_all(&s, kept);
        kept_free(kept);
    }
    scene_free(&s);
}

static void the_second_of_two_runs_on_one_file_keeps_in_memory(void **state)
{
    (void)state;
    scene s = scene_make();
    kept_options options = in_file("rows");
    kept_outputs *first = open_kept(&s, &options, NULL), *second = open_kept(&s, &options, IN_USE);
    read_all(&s, second);
    assert_int_equal(kept_rows(second), ROWS);
    assert_int_equal(kept_rows(first), 0);
    read_all(&s, first);
    kept_free(first);
    kept_free(second);
    first = open_kept(&s, &options, NULL);
    assert_int_equal(kept_rows(first), ROWS);
    kept_free(first);
    scene_free(&s);
}

/* A limit on the size of files stands for a full disk. */
static void on_a_full_disk_they_stay_in_memory(void **state)
{
    (void)state;
    scene s = scene_make();
    kept_options options = in_file("rows");
    struct rlimit before, limit;
    struct stat st;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 20000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    kept_outputs *kept = open_kept(&s, &options, NO_ROOM);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    read_all(&s, kept);
    assert_int_equal(kept_rows(kept), ROWS);
    assert_int_equal(stat(options.path, &st), 0);
    assert_int_equal(st.st_size, 0);
    kept_outputs *other = open_kept(&s, &options, NULL); /* the file is free for others */
    read_all(&s, other);
    kept_free(other);
    kept_free(kept);
    scene_free(&s);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    scene s = scene_make();
    kept_options options = in_file("no/rows");
    kept_outputs *kept;
    assert_fails(kept_create(&kept, s.layer, &s.rows, &options, NULL, err), BERT_ERR_IO,
                 "no/rows: cannot open: No such file or directory");
    options.path = "/dev/null";
    assert_fails(kept_create(&kept, s.layer, &s.rows, &options, NULL, err), BERT_ERR_IO,
                 "/dev/null: is not a regular file");
    scene_free(&s);
}

static void a_file_that_a_link_leads_to_is_left_alone(void **state)
{
    (void)state;
    bert_err e;
    scene s = scene_make();
    kept_outputs *kept;
    kept_options options = in_file("link");
    assert_int_equal(file_write_whole(scratch("precious"), "precious", 8, &e), BERT_OK);
    assert_int_equal(symlink("precious", scratch("link")), 0);
    assert_fails(kept_create(&kept, s.layer, &s.rows, &options, NULL, err), BERT_ERR_IO,
                 "link: is a symbolic link, which kept outputs are not written through");
    file_mapping m;
    assert_int_equal(file_map(&m, scratch("precious"), &e), BERT_OK);
    assert_int_equal(m.size, 8);
    file_unmap(&m);
    scene_free(&s);
}

static int all_groups(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_run_that_is_killed_leaves_whole_rows),
        in_a_folder(in_memory_every_budget_gives_the_same_bits_and_is_kept_to),
        in_a_folder(as_bf16_every_row_is_rounded_kept_or_not),
        in_a_folder(a_file_serves_the_next_run),
        in_a_folder(a_file_may_get_another_budget),
        in_a_folder(a_file_of_something_else_is_made_anew),
        in_a_folder(another_precision_below_is_close_and_something_else),
        in_a_folder(a_file_that_is_cut_off_is_made_anew),
        in_a_folder(a_file_with_a_wrong_byte_gives_no_wrong_bits),
        in_a_folder(entries_that_name_each_others_rows_give_no_wrong_bits),
        in_a_folder(the_second_of_two_runs_on_one_file_keeps_in_memory),
        in_a_folder(on_a_full_disk_they_stay_in_memory),
        in_a_folder(what_is_no_file_is_refused),
        in_a_folder(a_file_that_a_link_leads_to_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return run_each_isa(all_groups);
}
