/* The filled-in list of operations of one instruction set: ops_avx2, ops_avx512, ops_generic. */
#include "ops/cpu/kernels.h"
#include "ops/select.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

const ops OP(ops) = {
    .name = TEXT(OPS_ISA),
    .dense_forward = OP(dense_forward),
    .dense_backward_input = OP(dense_backward_input),
    .dense_backward_weight = OP(dense_backward_weight),
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
    .add = OP(add),
};
