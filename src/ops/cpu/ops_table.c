/* The filled-in list of operations of one instruction set. Where only some products differ from another's (OPS_BASE),
 * the rest is that one's. */
#include "ops/cpu/kernels.h"
#include "ops/dense_pack.h"
#include "ops/select.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

#if !defined(OPS_BASE)
#define OPS_BASE OPS_ISA
#endif
#if !defined(OPS_WORDS) /* whose products are those of words that are floats or bf16 */
#define OPS_WORDS OPS_BASE
#endif
#if !defined(OPS_BYTES) /* and whose those of int8 */
#define OPS_BYTES OPS_BASE
#endif
/* OPS_INT16: whose attention of integers, where the table's is not that of floats */
#define BASE(name) OPS_JOIN(name, OPS_BASE)
#define WORDS(name) OPS_JOIN(name, OPS_WORDS)
#define BYTES(name) OPS_JOIN(name, OPS_BYTES)

#if !defined(OPS_NAME)
#define OPS_NAME OPS_ISA
#endif

#define DECLARE(name) extern __typeof__(OP(name)) BASE(name);
OPS_KERNELS(DECLARE)
extern __typeof__(OP(dense_forward_words)) WORDS(dense_forward_words);
extern __typeof__(OP(dense_backward_input)) WORDS(dense_backward_input);
extern __typeof__(OP(dense_backward_weight)) WORDS(dense_backward_weight);
extern __typeof__(OP(dense_forward_int8)) BYTES(dense_forward_int8);

/* A packed weight says how it is multiplied. */
static void dense_forward(ops_room room, float *y, size_t ldy, float *pre, const float *x, size_t ldx, const dense *d,
                          activation act, size_t n)
{
    if (d->packed && d->packed->stored == STORED_INT8)
        BYTES(dense_forward_int8)(room, y, ldy, pre, x, ldx, d, act, n);
    else if (d->packed && d->packed->stored == STORED_FP32)
        BASE(dense_forward_words)(room, y, ldy, pre, x, ldx, d, act, n);
    else
        WORDS(dense_forward_words)(room, y, ldy, pre, x, ldx, d, act, n);
}

#if defined(OPS_INT16)
extern __typeof__(OP(attention_forward_int16)) OPS_JOIN(attention_forward_int16, OPS_INT16);

/* What keeps something for backward, or drops, is trained on: in floats. */
static void attention_forward(ops_room room, float *y, float *lse, const attention_input *in)
{
    if (lse || in->drop.rate > 0)
        BASE(attention_forward)(room, y, lse, in);
    else
        OPS_JOIN(attention_forward_int16, OPS_INT16)(room, y, in);
}
#define ATTENTION_FORWARD attention_forward
#else
#define ATTENTION_FORWARD BASE(attention_forward)
#endif

const ops OP(ops) = {
    .name = TEXT(OPS_NAME),
    .dense_forward = dense_forward,
    .dense_backward_input = WORDS(dense_backward_input),
    .dense_backward_weight = WORDS(dense_backward_weight),
    .activation_forward = BASE(activation_forward),
    .activation_backward = BASE(activation_backward),
    .gate_forward = BASE(gate_forward),
    .gate_backward = BASE(gate_backward),
    .embed_forward = BASE(embed_forward),
    .embed_backward = BASE(embed_backward),
    .layer_norm_forward = BASE(layer_norm_forward),
    .layer_norm_backward = BASE(layer_norm_backward),
    .dropout_apply = BASE(dropout_apply),
    .attention_forward = ATTENTION_FORWARD,
    .attention_weights = BASE(attention_weights),
    .attention_backward = BASE(attention_backward),
    .rotate = BASE(rotate),
    .pool_forward = BASE(pool_forward),
    .pool_backward = BASE(pool_backward),
    .adam_step = BASE(adam_step),
    .sum_squares = BASE(sum_squares),
    .add = BASE(add),
};
