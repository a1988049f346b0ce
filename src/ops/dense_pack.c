/* Packing a dense layer's weight, and the int8 form of numbers. Compiled for the plainest machine: a form is the same
 * on all. */
#include "ops/dense_pack.h"

#include "base/bf16.h"
#include "base/size.h"
#include "base/threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

static size_t panels_of(size_t out)
{
    return out / GEMM_PANEL + (out % GEMM_PANEL != 0);
}

/* How many k share a word. */
static size_t depth_of_word(weight_storage stored)
{
    return stored == STORED_INT8 ? 4 : stored == STORED_FP32 ? 1 : 2;
}

/* Bytes of one panel. */
static bool panel_size(size_t in, weight_storage stored, size_t *size)
{
    size_t depth = depth_of_word(stored);
    return mul_size(in / depth + (in % depth != 0), GEMM_PANEL * sizeof(float), size);
}

bool dense_panels_size(size_t in, size_t out, weight_storage stored, size_t *size)
{
    return panel_size(in, stored, size) && mul_size(*size, panels_of(out), size);
}

/* int8 adds `in` products of at most 255 * 127 in an int32. */
static bert_status check_in(size_t in, weight_storage stored, bert_err *err)
{
    if (stored == STORED_INT8 && in > INT8_MOST_IN)
        return fail(err, BERT_ERR_UNSUPPORTED, "precision int8: a dense layer of %zu inputs; the most is %d", in,
                    INT8_MOST_IN);
    return BERT_OK;
}

/* ---- numbers as int8 --------------------------------------------------------------------------------------------- */

/* Scales that are tried, the largest number's and below it, each by a share of it lower. */
enum { SCALES_TRIED = 12 };
static const float SCALE_STEP = 0.02f;

static float nearest_int8(float x, float inverse)
{
    /* Adding 1.5 * 2^23 rounds to an integer. */
    float q = x * inverse + 0x1.8p23f - 0x1.8p23f;
    return q > 127 ? 127 : q < -127 ? -127 : q;
}

/* Some of the scales side by side: each sum alone would wait for its additions. */
enum { SCALES_OF_VECTOR = 4, SCALE_VECTORS = 3 };
typedef float scale_vector __attribute__((vector_size(4 * SCALES_OF_VECTOR)));
typedef int32_t scale_mask __attribute__((vector_size(4 * SCALES_OF_VECTOR)));
_Static_assert(SCALES_TRIED == SCALES_OF_VECTOR * SCALE_VECTORS, "a place for each scale");

static scale_vector choose_scales(scale_mask where, scale_vector a, scale_vector b)
{
    return (scale_vector)((where & (scale_mask)a) | (~where & (scale_mask)b));
}

/* nearest_int8 in each lane */
static scale_vector nearest_lanes(scale_vector x, scale_vector inverse)
{
    scale_vector zero = { 0 }, most = zero + 127, q = x * inverse + 0x1.8p23f - 0x1.8p23f;
    q = choose_scales(q > most, most, q);
    return choose_scales(q < -most, -most, q);
}

static scale_vector square_lost(scale_vector x, scale_vector scale, scale_vector inverse)
{
    scale_vector d = x - scale * nearest_lanes(x, inverse);
    return d * d;
}

/* lost = the sums of squares of what x (n) loses as int8 with each of the scales. */
static void squares_lost(float lost[SCALES_TRIED], const float *x, size_t n, const float scales[SCALES_TRIED])
{
    scale_vector scale[SCALE_VECTORS], inverse[SCALE_VECTORS], sum[SCALE_VECTORS] = { { 0 } };
    memcpy(scale, scales, sizeof scale);
    for (int s = 0; s < SCALE_VECTORS; s++)
        inverse[s] = 1 / scale[s];
    for (size_t i = 0; i < n; i++) {
        scale_vector v = x[i] - (scale_vector){ 0 };
        sum[0] += square_lost(v, scale[0], inverse[0]); /* by hand, so that the sums stay in registers */
        sum[1] += square_lost(v, scale[1], inverse[1]);
        sum[2] += square_lost(v, scale[2], inverse[2]);
    }
    memcpy(lost, sum, sizeof sum);
}

/* The scale for x (n): the one by which least is lost of those that reach the largest number or some way towards it.
 * 0 where all are 0 (or so small that 1 / scale is not a number); NaN where one is not finite. */
static float int8_scale(const float *x, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            return NAN;
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    }
    if (most < 1e-30f)
        return 0;
    float scale[SCALES_TRIED], lost[SCALES_TRIED];
    for (int i = 0; i < SCALES_TRIED; i++)
        scale[i] = most / 127 * (1 - SCALE_STEP * (float)i);
    squares_lost(lost, x, n, scale);
    int best = 0;
    for (int i = 1; i < SCALES_TRIED; i++)
        best = lost[i] < lost[best] ? i : best;
    return scale[best];
}

/* What x is multiplied by on its way to int8. */
static float inverse_of(float scale)
{
    return scale > 0 ? 1 / scale : 0;
}

float embedding_quantise(int8_t *q, const float *row, size_t H)
{
    float scale = int8_scale(row, H), inverse = inverse_of(scale);
    for (size_t i = 0; i < H; i++)
        q[i] = inverse > 0 ? (int8_t)nearest_int8(row[i], inverse) : 0;
    return scale;
}

void embedding_row(float *row, const embedding_table *t, size_t H, size_t number)
{
    size_t first = number * H;
    for (size_t i = 0; i < H; i++)
        switch (t->stored) {
        case STORED_INT8:
            row[i] = t->scale[number] * ((const int8_t *)t->rows)[first + i];
            break;
        case STORED_FP32:
            row[i] = ((const float *)t->rows)[first + i];
            break;
        case STORED_BF16:
            row[i] = bf16_to_f32(((const uint16_t *)t->rows)[first + i]);
            break;
        }
}

/* ---- panels ------------------------------------------------------------------------------------------------------ */

enum { BLOCK = 16 }; /* inputs of a column that are packed before the next column's */

/* Where in a panel the number of input k and output j stands. */
static size_t packed_place(size_t k, size_t j, size_t depth)
{
    return k / depth * depth * GEMM_PANEL + j * depth + k % depth;
}

/* A panel under way: outputs first .. first + cols of weight (out, in), and, as int8, by what each is multiplied. */
typedef struct packing {
    const float *weight; /* of the first output */
    size_t in, cols;
    float inverse[GEMM_PANEL];
} packing;

static void pack_floats(void *panel, const packing *p, size_t j, size_t k, size_t end)
{
    for (; k < end; k++)
        ((float *)panel)[packed_place(k, j, 1)] = p->weight[j * p->in + k];
}

static void pack_pairs(void *panel, const packing *p, size_t j, size_t k, size_t end)
{
    for (; k < end; k++)
        ((uint16_t *)panel)[packed_place(k, j, 2)] = bf16_of(p->weight[j * p->in + k]);
}

static void pack_quadruples(void *panel, const packing *p, size_t j, size_t k, size_t end)
{
    for (; k < end && p->inverse[j] > 0; k++)
        ((int8_t *)panel)[packed_place(k, j, 4)] = (int8_t)nearest_int8(p->weight[j * p->in + k], p->inverse[j]);
}

static void add_sums(int32_t *sums, const int8_t *panel, size_t in, size_t cols)
{
    for (size_t k = 0; k < in; k++)
        for (size_t j = 0; j < cols; j++)
            sums[j] += panel[packed_place(k, j, 4)];
}

/* Panel `number`, zero already; scale and sums: of its columns. */
static void pack_panel(const dense *d, weight_storage stored, size_t number, void *panel, float *scale, int32_t *sums)
{
    size_t first = number * GEMM_PANEL;
    packing p = { .weight = d->weight + first * d->in,
                  .in = d->in,
                  .cols = d->out - first < GEMM_PANEL ? d->out - first : GEMM_PANEL };
    for (size_t j = 0; stored == STORED_INT8 && j < p.cols; j++) {
        scale[j] = int8_scale(p.weight + j * p.in, p.in);
        p.inverse[j] = inverse_of(scale[j]);
    }
    void (*pack)(void *, const packing *, size_t, size_t, size_t) = stored == STORED_INT8   ? pack_quadruples
                                                                    : stored == STORED_FP32 ? pack_floats
                                                                                            : pack_pairs;
    for (size_t k = 0; k < p.in; k += BLOCK)
        for (size_t j = 0; j < p.cols; j++)
            pack(panel, &p, j, k, p.in - k < BLOCK ? p.in : k + BLOCK);
    if (stored == STORED_INT8)
        add_sums(sums, panel, p.in, p.cols);
}

/* ---- forms ------------------------------------------------------------------------------------------------------- */

/* A form that is made of d's numbers, all panels at once. */
typedef struct packing_job {
    const dense *d;
    weight_storage stored;
    size_t panel_size;
    char *panels;
    float *scale; /* of int8, as sums */
    int32_t *sums;
} packing_job;

/* Memory for d's numbers, all zero: panels, scales, sums, each a multiple of 128 bytes. */
static bert_status form_allocate(packing_job *j, bert_err *err)
{
    size_t all, panels, columns = j->stored == STORED_INT8 ? panels_of(j->d->out) * GEMM_PANEL : 0;
    if (!dense_panels_size(j->d->in, j->d->out, j->stored, &panels) ||
        !add_size(panels, columns * (sizeof *j->scale + sizeof *j->sums), &all) ||
        !(j->panels = aligned_alloc(64, all)))
        return fail_memory(err, "packed weights");
    memset(j->panels, 0, all);
    j->scale = columns ? (float *)(j->panels + panels) : NULL;
    j->sums = columns ? (int32_t *)(j->scale + columns) : NULL;
    return BERT_OK;
}

bert_status dense_pack_over(dense *d, const struct dense_packed *form, bert_err *err)
{
    bert_status s = check_in(d->in, form->stored, err);
    if (s)
        return s;
    struct dense_packed *packed = malloc(sizeof *packed);
    if (!packed)
        return fail_memory(err, "packed weights");
    *packed = *form;
    packed->users = 1;
    dense_unpack(d);
    d->packed = packed;
    return BERT_OK;
}

static void pack_part(void *context, size_t number, size_t thread)
{
    const packing_job *j = context;
    size_t first = number * GEMM_PANEL;
    (void)thread;
    pack_panel(j->d, j->stored, number, j->panels + number * j->panel_size, j->scale ? j->scale + first : NULL,
               j->sums ? j->sums + first : NULL);
}

bert_status dense_pack_stored(dense *d, weight_storage stored, bert_err *err)
{
    packing_job job = { .d = d, .stored = stored };
    bert_status s = check_in(d->in, stored, err);
    if (!s)
        s = form_allocate(&job, err);
    if (s)
        return s;
    panel_size(d->in, stored, &job.panel_size);
    threads_run(panels_of(d->out), threads_allowed(), pack_part, &job);
    s = dense_pack_over(d, &(struct dense_packed){ stored, job.panels, job.scale, job.sums, job.panels, 0 }, err);
    if (s)
        free(job.panels);
    return s;
}

bert_status dense_pack_as(dense *d, ops_precision precision, bert_err *err)
{
    static const weight_storage READ[] = {
        [OPS_FP32] = STORED_FP32, [OPS_BF16] = STORED_BF16, [OPS_BF16_WIDENED] = STORED_BF16, [OPS_INT8] = STORED_INT8
    };
    const ops *o;
    bert_status s = ops_select_precision(precision, &o, err);
    return s ? s : dense_pack_stored(d, READ[precision], err);
}

bert_status dense_pack(dense *d, bert_err *err)
{
    return dense_pack_as(d, OPS_FP32, err);
}

void dense_unpack(dense *d)
{
    if (d->packed && --d->packed->users == 0) {
        free(d->packed->owned);
        free(d->packed);
    }
    d->packed = NULL;
}

void dense_share_packed(dense *d, const dense *from)
{
    from->packed->users++;
    dense_unpack(d);
    d->packed = from->packed;
}

bool dense_packed_is_now(const dense *d)
{
    const struct dense_packed *was = d->packed;
    size_t size;
    char *panel = panel_size(d->in, was->stored, &size) ? malloc(size) : NULL;
    bool same = panel != NULL;
    for (size_t i = 0; same && i < panels_of(d->out); i++) {
        float scale[GEMM_PANEL] = { 0 };
        int32_t sums[GEMM_PANEL] = { 0 };
        pack_panel(d, was->stored, i, memset(panel, 0, size), scale, sums);
        same = !memcmp(panel, (const char *)was->panels + i * size, size) &&
               (!was->scale || !memcmp(scale, was->scale + i * GEMM_PANEL, sizeof scale));
    }
    free(panel);
    return same;
}

/* The number of input k and column j of a panel; output: that of the column. */
static float packed_number(const struct dense_packed *form, const void *panel, size_t k, size_t j, size_t output)
{
    switch (form->stored) {
    case STORED_INT8:
        return form->scale[output] * ((const int8_t *)panel)[packed_place(k, j, 4)];
    case STORED_FP32:
        return ((const float *)panel)[packed_place(k, j, 1)];
    case STORED_BF16:
        break;
    }
    return bf16_to_f32(((const uint16_t *)panel)[packed_place(k, j, 2)]);
}

void dense_packed_weight(float *weight, const dense *d)
{
    size_t size = 0;
    panel_size(d->in, d->packed->stored, &size);
    for (size_t first = 0; first < d->out; first += GEMM_PANEL) {
        const char *panel = (const char *)d->packed->panels + first / GEMM_PANEL * size;
        size_t cols = d->out - first < GEMM_PANEL ? d->out - first : GEMM_PANEL;
        for (size_t k = 0; k < d->in; k += BLOCK)
            for (size_t j = 0; j < cols; j++)
                for (size_t l = k; l < d->in && l < k + BLOCK; l++)
                    weight[(first + j) * d->in + l] = packed_number(d->packed, panel, l, j, first + j);
    }
}
