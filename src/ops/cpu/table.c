/* The filled-in list of operations of one instruction set: back_end_avx2, back_end_avx512, back_end_generic. */
#include "ops/cpu/gemm.h"
#include "ops/cpu/kernels.h"
#include "ops/select.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

static void pack_panel(void *panel, const dense *d, size_t first)
{
    OP(gemm_pack)(panel, d->weight + first * d->in, 1, d->in, d->in, d->out - first < GEMM_PANEL ? d->out - first : GEMM_PANEL);
}

const back_end OP(back_end) = {
    .depth_of_word = 1,
    .pack_panel = pack_panel,
    .ops = {
        .name = TEXT(OPS_ISA),
        .dense_forward = OP(dense_forward),
        .dense_backward_input = OP(dense_backward_input),
        .dense_backward_weight = OP(dense_backward_weight),
        .activation_forward = OP(activation_forward),
        .activation_backward = OP(activation_backward),
        .embed_forward = OP(embed_forward),
        .embed_backward = OP(embed_backward),
        .layer_norm_forward = OP(layer_norm_forward),
        .layer_norm_backward = OP(layer_norm_backward),
        .dropout_apply = OP(dropout_apply),
        .attention_forward = OP(attention_forward),
        .attention_backward = OP(attention_backward),
        .pool_forward = OP(pool_forward),
        .pool_backward = OP(pool_backward),
        .adam_step = OP(adam_step),
        .sum_squares = OP(sum_squares),
        .add = OP(add),
    },
};
