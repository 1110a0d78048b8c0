// One source, three instruction sets, chosen when the library loads; elsewhere what the target has (NEON on aarch64).
#pragma once
#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define FAST _Pragma("clang fp reassociate(on) contract(fast)")
#define INLINE static inline __attribute__((always_inline))
