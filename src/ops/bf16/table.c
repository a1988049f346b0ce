/* The back end of AVX512-BF16: the operations of AVX-512, but for the products of dense layers. */
#include "ops/bf16/pairs.h"
#include "ops/select.h"

/* The function of that name that was compiled for AVX-512. */
#define OF_AVX512(name) extern __typeof__(OP(name)) name##_avx512;
OF_AVX512(activation_forward)
OF_AVX512(activation_backward)
OF_AVX512(embed_forward)
OF_AVX512(embed_backward)
OF_AVX512(layer_norm_forward)
OF_AVX512(layer_norm_backward)
OF_AVX512(dropout_apply)
OF_AVX512(attention_forward)
OF_AVX512(attention_backward)
OF_AVX512(pool_forward)
OF_AVX512(pool_backward)
OF_AVX512(adam_step)
OF_AVX512(sum_squares)
OF_AVX512(add)

const back_end OP(back_end) = {
    .depth_of_word = 2,
    .pack_panel = OP(gemm_pack_panel),
    .ops = {
        .name = "avx512_bf16",
        .dense_forward = OP(dense_forward),
        .dense_backward_input = OP(dense_backward_input),
        .dense_backward_weight = OP(dense_backward_weight),
        .activation_forward = activation_forward_avx512,
        .activation_backward = activation_backward_avx512,
        .embed_forward = embed_forward_avx512,
        .embed_backward = embed_backward_avx512,
        .layer_norm_forward = layer_norm_forward_avx512,
        .layer_norm_backward = layer_norm_backward_avx512,
        .dropout_apply = dropout_apply_avx512,
        .attention_forward = attention_forward_avx512,
        .attention_backward = attention_backward_avx512,
        .pool_forward = pool_forward_avx512,
        .pool_backward = pool_backward_avx512,
        .adam_step = adam_step_avx512,
        .sum_squares = sum_squares_avx512,
        .add = add_avx512,
    },
};
