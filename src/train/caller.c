/* The caller's callback listens. */
#include "train/listeners.h"

typedef struct caller {
    bert_on_event on_event;
    void *context;
} caller;

static void call_back(const caller *c, train_loop *l, const bert_event *e)
{
    l->stop |= !c->on_event(c->context, e);
}

static bert_status caller_hear(void *self, train_loop *l, const train_event *e, bert_err *err)
{
    bert_event_kind kind = e->told.kind;
    if (l->saved.path && (kind == BERT_EVENT_CHECKPOINT || kind == BERT_EVENT_EPOCH)) {
        bert_event saved = loop_event(l, BERT_EVENT_CHECKPOINT, l->saved.path);
        call_back(self, l, &saved);
    }
    if (kind != BERT_EVENT_CHECKPOINT)
        call_back(self, l, &e->told);
    return (void)err, BERT_OK;
}

bert_status caller_listen(train_loop *l, bert_on_event on_event, void *context, bert_err *err)
{
    caller *c = arena_alloc(&l->memory, sizeof *c);
    if (!c)
        return fail_memory(err, "a training run");
    *c = (caller){ on_event, context };
    if (on_event)
        loop_add(l, (listener){ .self = c, .hear = caller_hear });
    return BERT_OK;
}
