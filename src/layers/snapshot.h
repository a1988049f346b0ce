/* The weights of a layer as they are at one moment, in the form that is multiplied by. Sessions that are made of the
 * same weights share one snapshot; whoever changes a weight need not tell: a snapshot is compared with the weights. */
#pragma once

#include "layers/layer.h"

typedef struct layer_snapshot {
    struct layer_snapshot *next; /* of the layer's; this and users are its lock's */
    size_t users;
    weight_list weights; /* the layer's head with them; of what is tuned, copies of all that is not packed */
    encoder encoder;     /* over them, packed; frozen layers share their packed forms with the layer's */
    arena memory;
} layer_snapshot;

/* That of the weights as they are now, for what answers r (request_weights); any thread. Fails with BERT_ERR_MEMORY;
 * with BERT_ERR_ARGUMENT where r is with a pooler, and there is none. */
bert_status layer_snapshot_take(bert_layer *layer, const output_request *r, layer_snapshot **snapshot, bert_err *err);

/* Its user is done with it; NULL: nothing. The layer must be there. */
void layer_snapshot_release(bert_layer *layer, layer_snapshot *snapshot);
