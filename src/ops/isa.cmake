# The arithmetic of src/ops/cpu, compiled once per instruction set. OPS_ISA is the suffix of its symbols (see cpu/kernels.h).
file(GLOB kernel_sources CONFIGURE_DEPENDS src/ops/cpu/*.c)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(OPS_ISAS avx2 avx512)
  set(flags_avx2 -mavx2 -mfma -mbmi -mbmi2)
  set(flags_avx512 ${flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
else()
  set(OPS_ISAS generic)
endif()

foreach(isa ${OPS_ISAS})
  add_library(bert_ops_${isa} OBJECT ${kernel_sources})
  target_link_libraries(bert_ops_${isa} PRIVATE bert_flags)
  target_compile_definitions(bert_ops_${isa} PRIVATE OPS_ISA=${isa})
  # A product and a sum are fused where the source says so and nowhere else: what an element gives may not depend on the loop it is in.
  target_compile_options(bert_ops_${isa} PRIVATE ${flags_${isa}} -ffp-contract=off)
  if(BERT_SANITIZE) # the golden models run under the sanitizers, too: minutes at the -O1 of the rest
    target_compile_options(bert_ops_${isa} PRIVATE -O3)
  endif()
  list(APPEND LIBRARIES bert_ops_${isa})
  list(APPEND OPS_ISA_OBJECTS $<TARGET_OBJECTS:bert_ops_${isa}>)
endforeach()
