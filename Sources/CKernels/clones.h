// One source, three instruction sets, chosen when the library loads.
#pragma once
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define FAST _Pragma("clang fp reassociate(on) contract(fast)")
#define INLINE static inline __attribute__((always_inline))
