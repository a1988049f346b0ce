# The arithmetic of src/ops/cpu, compiled once per instruction set. OPS_ISA is the suffix of its symbols (see cpu/kernels.h).
file(GLOB kernel_sources CONFIGURE_DEPENDS src/ops/cpu/*.c)

# Adds a row of operations: its sources, compiled for an instruction set (flags_ISA).
function(add_isa isa)
  add_library(bert_ops_${isa} OBJECT ${ARGN})
  target_link_libraries(bert_ops_${isa} PRIVATE bert_source_flags)
  target_compile_definitions(bert_ops_${isa} PRIVATE OPS_ISA=${isa})
  # A product and a sum are fused where the source says so and nowhere else: what an element gives may not depend on the loop it is in.
  # It is what takes the time, under sanitizers, too: -O3; all else is at -O2, which is as fast and a tenth smaller.
  target_compile_options(bert_ops_${isa} PRIVATE ${flags_${isa}} -ffp-contract=off -O3)
endfunction()

# ThreadSanitizer sees no access of more than 16 bytes: under it nothing wider is used.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND NOT sanitizers STREQUAL "thread")
  set(OPS_ISAS avx2 avx512)
  set(flags_avx2 -mavx2 -mfma -mbmi -mbmi2)
  set(flags_avx512 ${flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
  set(flags_avx512_bf16 ${flags_avx512} -mavx512bf16)
  set(flags_avx512_vnni ${flags_avx512} -mavx512vnni)
  set(flags_avx2_vnni ${flags_avx2} -mavxvnni)
else()
  set(OPS_ISAS generic)
  target_compile_definitions(bert_flags INTERFACE OPS_GENERIC)
endif()

foreach(isa ${OPS_ISAS})
  add_isa(${isa} ${kernel_sources})
endforeach()
if(avx512 IN_LIST OPS_ISAS) # some other products; all else is that of the base (cpu/ops_table.c)
  file(GLOB bf16_sources CONFIGURE_DEPENDS src/ops/bf16/*.c)
  add_isa(avx512_bf16 ${bf16_sources} src/ops/cpu/dense.c src/ops/cpu/gemm.c src/ops/cpu/ops_table.c)
  target_compile_definitions(bert_ops_avx512_bf16 PRIVATE OPS_WORD_BF16 OPS_BASE=avx512 OPS_WORDS=avx512_bf16
                             OPS_INT16=avx512_vnni)
  file(GLOB bf16_fma_sources CONFIGURE_DEPENDS src/ops/bf16_fma/*.c)
  set(flags_avx512_bf16_fma ${flags_avx512_bf16})
  add_isa(avx512_bf16_fma ${bf16_fma_sources} src/ops/cpu/dense.c src/ops/cpu/gemm.c src/ops/cpu/ops_table.c)
  target_compile_definitions(bert_ops_avx512_bf16_fma PRIVATE OPS_WORD_ROUNDED OPS_BASE=avx512 OPS_WORDS=avx512_bf16_fma
                             OPS_NAME=avx512_bf16 OPS_INT16=avx512_vnni)
  foreach(base avx512 avx2)
    set(flags_${base}_int8 ${flags_${base}})
    add_isa(${base}_int8 src/ops/cpu/ops_table.c)
    target_compile_definitions(bert_ops_${base}_int8 PRIVATE OPS_BASE=${base} OPS_INT16=${base})
    add_isa(${base}_vnni src/ops/cpu/int8.c src/ops/cpu/attention_int16.c src/ops/cpu/ops_table.c)
    target_compile_definitions(bert_ops_${base}_vnni PRIVATE OPS_VNNI OPS_BASE=${base} OPS_BYTES=${base}_vnni
                               OPS_INT16=${base}_vnni)
    list(APPEND OPS_ISAS ${base}_int8 ${base}_vnni)
  endforeach()
  list(APPEND OPS_ISAS avx512_bf16 avx512_bf16_fma)
endif()

foreach(isa ${OPS_ISAS})
  list(APPEND OPS_ISA_TARGETS bert_ops_${isa})
  list(APPEND OPS_ISA_OBJECTS $<TARGET_OBJECTS:bert_ops_${isa}>)
endforeach()
