// Vectors for the bfloat16 kernels on processors with AVX512_BF16.
#pragma once
#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")))
#define TARGET_INLINE TARGET static inline __attribute__((always_inline))

enum { lanes = 16 };
typedef __m512 floats;
// Words of two bfloat16, the first in the low half.
typedef __m512i halves;

static inline bool processor_has_bfloat16(void) {
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw");
}

TARGET_INLINE __mmask16 first_lanes(long count) {
    return count >= 16 ? 0xFFFF : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

TARGET_INLINE floats all(float x) { return _mm512_set1_ps(x); }
TARGET_INLINE floats load(const float *x) { return _mm512_loadu_ps(x); }
TARGET_INLINE void store(float *y, floats x) { _mm512_storeu_ps(y, x); }
TARGET_INLINE halves load_words(const uint32_t *x) { return _mm512_loadu_si512(x); }
TARGET_INLINE void store_words(uint32_t *y, halves x) { _mm512_storeu_si512(y, x); }

// The first `count` of 2 · lanes bfloat16 as they lie, and zeros.
TARGET_INLINE halves load_first_halves(const uint16_t *x, long count) {
    __mmask32 first = count >= 32 ? 0xFFFFFFFFu : count <= 0 ? 0 : (1u << count) - 1;
    return _mm512_maskz_loadu_epi16(first, x);
}
// The first `count` of a vector of words, each with one bfloat16 of both; zeros for a second that is NULL.
TARGET_INLINE halves load_first_pairs(const uint16_t *first, const uint16_t *second, long count) {
    __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(count), first));
    if (!second) return low;
    __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_lanes(count), second));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

// Only the first `count` lanes, none where that is negative: what lies behind is not touched, and loaded as zeros.
TARGET_INLINE floats load_first(const float *x, long count) { return _mm512_maskz_loadu_ps(first_lanes(count), x); }
TARGET_INLINE void store_first(float *y, floats x, long count) { _mm512_mask_storeu_ps(y, first_lanes(count), x); }
TARGET_INLINE void store_first_words(uint32_t *y, halves x, long count) {
    _mm512_mask_storeu_epi32(y, first_lanes(count), x);
}

// The first `count` lanes of x, the others of `rest`.
TARGET_INLINE floats first_of(floats x, long count, floats rest) {
    return _mm512_mask_blend_ps(first_lanes(count), rest, x);
}

// a · b + c, rounded once.
TARGET_INLINE floats multiply_add(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
// The larger of two, but b where either is no number.
TARGET_INLINE floats larger(floats a, floats b) { return _mm512_max_ps(a, b); }
TARGET_INLINE floats nearest_whole(floats x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT); }
// x · 2^n for whole n from −126 on.
TARGET_INLINE floats times_power(floats x, floats n) { return _mm512_scalef_ps(x, n); }
TARGET_INLINE float largest_of(floats x) { return _mm512_reduce_max_ps(x); }
TARGET_INLINE float sum_of(floats x) { return _mm512_reduce_add_ps(x); }

// Both rounded to nearest even, one after the other.
TARGET_INLINE halves halves_of(floats first, floats second) { return (halves)_mm512_cvtne2ps_pbh(second, first); }

// The same in pairs, each word with one of both.
TARGET_INLINE halves pairs_of(floats first, floats second) {
    const __m512i interleaved = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
        16, 0);
    return _mm512_permutexvar_epi16(interleaved, halves_of(first, second));
}

// sum + the two products of each word of b with the one of a.
TARGET_INLINE floats add_products(floats sum, uint32_t a, halves b) {
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_epi32((int)a), (__m512bh)b);
}

// Turns rows of words into columns.
TARGET_INLINE void transpose(halves r[lanes]) {
    __m512i t[16];
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xDD);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xDD);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xDD);
    }
}
