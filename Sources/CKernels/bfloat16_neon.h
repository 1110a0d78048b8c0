// Vectors for the bfloat16 kernels on aarch64 with BF16, function by function those of AVX-512 beside them, which say
// more. Its products round each pair's sum to odd before it is added, and take what is denormal for zero.
#pragma once
#include <arm_neon.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>

#define TARGET __attribute__((target("bf16")))
#define TARGET_INLINE TARGET static inline __attribute__((always_inline))

enum { lanes = 4 };
typedef float32x4_t floats;
typedef uint32x4_t halves;

static inline bool processor_has_bfloat16(void) { return getauxval(AT_HWCAP2) & HWCAP2_BF16; }

TARGET_INLINE floats all(float x) { return vdupq_n_f32(x); }
TARGET_INLINE floats load(const float *x) { return vld1q_f32(x); }
TARGET_INLINE void store(float *y, floats x) { vst1q_f32(y, x); }
TARGET_INLINE halves load_words(const uint32_t *x) { return vld1q_u32(x); }
TARGET_INLINE void store_words(uint32_t *y, halves x) { vst1q_u32(y, x); }

TARGET_INLINE halves load_first_halves(const uint16_t *x, long count) {
    uint16x8_t y = {0};
    if (count >= 2 * lanes) y = vld1q_u16(x);
    else for (long i = 0; i < count; i++) y[i] = x[i];
    return vreinterpretq_u32_u16(y);
}
TARGET_INLINE halves load_first_pairs(const uint16_t *first, const uint16_t *second, long count) {
    uint16x4_t low = {0}, high = {0};
    for (long i = 0; i < count && i < lanes; i++) {
        low[i] = first[i];
        if (second) high[i] = second[i];
    }
    return vreinterpretq_u32_u16(vcombine_u16(vzip1_u16(low, high), vzip2_u16(low, high)));
}

TARGET_INLINE floats load_first(const float *x, long count) {
    if (count >= lanes) return load(x);
    floats y = {0};
    for (long i = 0; i < count; i++) y[i] = x[i];
    return y;
}
TARGET_INLINE void store_first(float *y, floats x, long count) {
    if (count >= lanes) store(y, x);
    else for (long i = 0; i < count; i++) y[i] = x[i];
}
TARGET_INLINE void store_first_words(uint32_t *y, halves x, long count) {
    if (count >= lanes) store_words(y, x);
    else for (long i = 0; i < count; i++) y[i] = x[i];
}

TARGET_INLINE floats first_of(floats x, long count, floats rest) {
    const int32x4_t lane = {0, 1, 2, 3};
    return vbslq_f32(vcltq_s32(lane, vdupq_n_s32((int)count)), x, rest);
}

TARGET_INLINE floats multiply_add(floats a, floats b, floats c) { return vfmaq_f32(c, a, b); }
TARGET_INLINE floats larger(floats a, floats b) { return vmaxq_f32(a, b); } // no number where either is none
TARGET_INLINE floats nearest_whole(floats x) { return vrndnq_f32(x); }
// Infinity from n = 128 on.
TARGET_INLINE floats times_power(floats x, floats n) {
    int32x4_t exponent = vcvtq_s32_f32(vminq_f32(n, all(128))) + 127;
    return x * vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23));
}
TARGET_INLINE float largest_of(floats x) { return vmaxvq_f32(x); }
TARGET_INLINE float sum_of(floats x) { return vaddvq_f32(x); }

TARGET_INLINE halves halves_of(floats first, floats second) {
    return vreinterpretq_u32_bf16(vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(first), second));
}

TARGET_INLINE halves pairs_of(floats first, floats second) {
    uint16x8_t low = vreinterpretq_u16_bf16(vcvtq_low_bf16_f32(first));
    return vreinterpretq_u32_u16(vzip1q_u16(low, vreinterpretq_u16_bf16(vcvtq_low_bf16_f32(second))));
}

TARGET_INLINE floats add_products(floats sum, uint32_t a, halves b) {
    return vbfdotq_f32(sum, vreinterpretq_bf16_u32(b), vreinterpretq_bf16_u32(vdupq_n_u32(a)));
}

TARGET_INLINE void transpose(halves r[lanes]) {
    uint64x2_t even0 = (uint64x2_t)vtrn1q_u32(r[0], r[1]), odd0 = (uint64x2_t)vtrn2q_u32(r[0], r[1]);
    uint64x2_t even2 = (uint64x2_t)vtrn1q_u32(r[2], r[3]), odd2 = (uint64x2_t)vtrn2q_u32(r[2], r[3]);
    r[0] = (halves)vtrn1q_u64(even0, even2);
    r[1] = (halves)vtrn1q_u64(odd0, odd2);
    r[2] = (halves)vtrn2q_u64(even0, even2);
    r[3] = (halves)vtrn2q_u64(odd0, odd2);
}
