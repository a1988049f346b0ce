/* oneDNN's matrix product, as something to compare with. The library is opened when it is asked for and never linked:
 * nothing here needs it. */
#include "measure/roofline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_include)
#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#define HAVE_ONEDNN DNNL_VERSION_MAJOR
#endif
#endif

#if HAVE_ONEDNN == 2 || HAVE_ONEDNN == 3

#include <dlfcn.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

/* What is called in either version, and what one version alone has. */
#define EVERY_CALL(X)                                                                                      \
    X(dnnl_version)                                                                                        \
    X(dnnl_engine_create)                                                                                  \
    X(dnnl_engine_destroy)                                                                                 \
    X(dnnl_stream_create)                                                                                  \
    X(dnnl_stream_destroy)                                                                                 \
    X(dnnl_stream_wait)                                                                                    \
    X(dnnl_memory_create)                                                                                  \
    X(dnnl_memory_destroy) X(dnnl_memory_desc_get_size) X(dnnl_primitive_create) X(dnnl_primitive_destroy) \
        X(dnnl_primitive_execute) X(dnnl_primitive_desc_query_md) X(dnnl_primitive_desc_destroy)
#if HAVE_ONEDNN == 2
#define VERSION_CALL(X) X(dnnl_memory_desc_init_by_tag) X(dnnl_matmul_desc_init) X(dnnl_primitive_desc_create)
typedef const dnnl_memory_desc_t *shape_view;
#else
#define VERSION_CALL(X) \
    X(dnnl_memory_desc_create_with_tag) X(dnnl_memory_desc_destroy) X(dnnl_matmul_primitive_desc_create)
typedef const_dnnl_memory_desc_t shape_view;
#endif

typedef struct calls {
    void *library;
    int (*threads)(void); /* OpenMP's, where this oneDNN uses it: how many the calling thread may have */
    void (*set_threads)(int);
#define MEMBER(name) __typeof__(&(name)) name;
    EVERY_CALL(MEMBER)
    VERSION_CALL(MEMBER)
} calls;

/* false: the library is not there, or lacks a function. */
static bool open_library(calls *c)
{
    c->library = dlopen("libdnnl.so." TEXT(HAVE_ONEDNN), RTLD_NOW | RTLD_LOCAL);
    if (!c->library)
        return false;
    bool fine = true;
#define FIND(name) fine = (*(void **)&c->name = dlsym(c->library, #name)) != NULL && fine;
    EVERY_CALL(FIND)
    VERSION_CALL(FIND)
    *(void **)&c->threads = dlsym(c->library, "omp_get_max_threads");
    *(void **)&c->set_threads = dlsym(c->library, "omp_set_num_threads");
    return fine;
}

/* From here on the calling thread's products are its own. Returns what use_threads undoes it by. */
static int use_threads(const calls *c, int n)
{
    if (!c->threads || !c->set_threads)
        return n;
    int before = c->threads();
    c->set_threads(n);
    return before;
}

static void close_library(calls *c)
{
    if (c->library)
        dlclose(c->library);
    c->library = NULL;
}

bool onednn_name(char *name, size_t size)
{
    calls c = { 0 };
    bool fine = open_library(&c);
    const dnnl_version_t *v = fine ? c.dnnl_version() : NULL;
    if (v)
        snprintf(name, size, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    else
        *name = '\0';
    close_library(&c);
    return v != NULL;
}

enum { X, WEIGHT, Y, TENSORS };

struct onednn_product {
    calls calls;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    void *bytes[TENSORS];
    dnnl_memory_t memory[TENSORS];
};

static const dnnl_data_type_t TYPES[][TENSORS] = {
    [OPS_FP32] = { dnnl_f32, dnnl_f32, dnnl_f32 },
    [OPS_BF16] = { dnnl_bf16, dnnl_bf16, dnnl_f32 },
    [OPS_INT8] = { dnnl_u8, dnnl_s8, dnnl_s32 },
};

/* Memory of a shape, every byte of which is a small number. */
static bool make_memory(onednn_product *p, size_t which, shape_view md)
{
    size_t size = md ? p->calls.dnnl_memory_desc_get_size(md) : 0;
    p->bytes[which] = size ? aligned_alloc(64, (size + 63) / 64 * 64) : NULL;
    if (!p->bytes[which])
        return false;
    memset(p->bytes[which], 0x3C, size);
    return p->calls.dnnl_memory_create(&p->memory[which], md, p->engine, p->bytes[which]) == dnnl_success;
}

/* The primitive and its memory, from a description that says how it likes its weights. */
static bool make_parts(onednn_product *p, dnnl_primitive_desc_t pd)
{
    static const dnnl_query_t QUERIES[TENSORS] = { dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md };
    bool fine = p->calls.dnnl_primitive_create(&p->primitive, pd) == dnnl_success;
    for (size_t i = 0; fine && i < TENSORS; i++)
        fine = make_memory(p, i, p->calls.dnnl_primitive_desc_query_md(pd, QUERIES[i], 0));
    return fine;
}

/* Shapes and types of the product; W's order is left to oneDNN. */
static bool describe_onednn(const calls *c, dnnl_memory_desc_t md[TENSORS], ops_precision precision, size_t rows,
                            size_t in, size_t out)
{
    const dnnl_dims_t dims[TENSORS] = { { (dnnl_dim_t)rows, (dnnl_dim_t)in },
                                        { (dnnl_dim_t)in, (dnnl_dim_t)out },
                                        { (dnnl_dim_t)rows, (dnnl_dim_t)out } };
    static const dnnl_format_tag_t TAGS[TENSORS] = { dnnl_ab, dnnl_format_tag_any, dnnl_ab };
    bool fine = true;
    for (size_t i = 0; i < TENSORS; i++) {
#if HAVE_ONEDNN == 2
        fine = fine &&
               c->dnnl_memory_desc_init_by_tag(&md[i], 2, dims[i], TYPES[precision][i], TAGS[i]) == dnnl_success;
#else
        fine = fine &&
               c->dnnl_memory_desc_create_with_tag(&md[i], 2, dims[i], TYPES[precision][i], TAGS[i]) == dnnl_success;
#endif
    }
    return fine;
}

static bool make_product(onednn_product *p, ops_precision precision, size_t rows, size_t in, size_t out)
{
    const calls *c = &p->calls;
    dnnl_memory_desc_t md[TENSORS];
    dnnl_primitive_desc_t pd = NULL;
    memset(md, 0, sizeof md);
    bool fine = c->dnnl_engine_create(&p->engine, dnnl_cpu, 0) == dnnl_success &&
                c->dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags) == dnnl_success &&
                describe_onednn(c, md, precision, rows, in, out);
#if HAVE_ONEDNN == 2
    dnnl_matmul_desc_t matmul;
    fine = fine && c->dnnl_matmul_desc_init(&matmul, &md[X], &md[WEIGHT], NULL, &md[Y]) == dnnl_success &&
           c->dnnl_primitive_desc_create(&pd, &matmul, NULL, p->engine, NULL) == dnnl_success;
#else
    fine = fine &&
           c->dnnl_matmul_primitive_desc_create(&pd, p->engine, md[X], md[WEIGHT], NULL, md[Y], NULL) == dnnl_success;
    for (size_t i = 0; i < TENSORS; i++)
        if (md[i])
            c->dnnl_memory_desc_destroy(md[i]);
#endif
    fine = fine && make_parts(p, pd);
    if (pd)
        c->dnnl_primitive_desc_destroy(pd);
    return fine;
}

onednn_product *onednn_product_create(ops_precision precision, size_t rows, size_t in, size_t out)
{
    if ((size_t)precision >= sizeof TYPES / sizeof *TYPES || (precision != OPS_FP32 && !TYPES[precision][X]))
        return NULL;
    onednn_product *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    bool fine = open_library(&p->calls);
    if (fine) {
        int before = use_threads(&p->calls, 1);
        fine = make_product(p, precision, rows, in, out);
        use_threads(&p->calls, before);
    }
    if (fine)
        return p;
    onednn_product_free(p);
    return NULL;
}

void onednn_product_run(void *product)
{
    onednn_product *p = product;
    const dnnl_exec_arg_t arguments[TENSORS] = { { DNNL_ARG_SRC, p->memory[X] },
                                                 { DNNL_ARG_WEIGHTS, p->memory[WEIGHT] },
                                                 { DNNL_ARG_DST, p->memory[Y] } };
    int before = use_threads(&p->calls, 1);
    p->calls.dnnl_primitive_execute(p->primitive, p->stream, TENSORS, arguments);
    p->calls.dnnl_stream_wait(p->stream);
    use_threads(&p->calls, before);
}

void onednn_product_free(onednn_product *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < TENSORS; i++) {
        if (p->memory[i])
            p->calls.dnnl_memory_destroy(p->memory[i]);
        free(p->bytes[i]);
    }
    if (p->primitive)
        p->calls.dnnl_primitive_destroy(p->primitive);
    if (p->stream)
        p->calls.dnnl_stream_destroy(p->stream);
    if (p->engine)
        p->calls.dnnl_engine_destroy(p->engine);
    close_library(&p->calls);
    free(p);
}

#else /* built without oneDNN's header */

bool onednn_name(char *name, size_t size)
{
    (void)size;
    *name = '\0';
    return false;
}

onednn_product *onednn_product_create(ops_precision precision, size_t rows, size_t in, size_t out)
{
    (void)precision, (void)rows, (void)in, (void)out;
    return NULL;
}

void onednn_product_run(void *product)
{
    (void)product;
}

void onednn_product_free(onednn_product *product)
{
    (void)product;
}

#endif
