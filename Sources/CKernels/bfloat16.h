// What the bfloat16 kernels share: packing floats as pairs of bfloat16, and the micro-kernel, which keeps a 12 × 32
// tile of c in registers and takes two steps of k at a time.
#pragma once
#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")))
#define TARGET_INLINE TARGET static inline __attribute__((always_inline))

enum { tile_rows = 12, short_rows = 8, tile_columns = 32 };

// Blocks that are packed at a time: steps of k, and rows of a. A row of a rounded as it lies takes a cache line more
// than it needs, so that 12 rows spread over the cache's sets.
enum { block_k = 256, block_rows = 240, row_words = block_k / 2 + 16 };

// Lines that pack_rows takes together, whole tiles of 8, 12 and 32 alike.
enum { packed_lines = 192 };

static inline long smaller(long a, long b) { return a < b ? a : b; }
static inline long rounded_up(long n, long tile) { return (n + tile - 1) / tile * tile; }

// Cache-aligned words; a kernel that cannot have its scratch cannot go on.
static inline uint32_t *words(long count) {
    uint32_t *memory = aligned_alloc(64, rounded_up(sizeof(uint32_t) * (count + 16), 64));
    if (!memory) abort();
    return memory;
}

TARGET_INLINE __mmask16 first_lanes(long count) {
    return count >= 16 ? 0xFFFF : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

// 16 pairs of bfloat16, each a 32-bit word with the first value in the low half; rounds to nearest even.
TARGET_INLINE __m512i pairs_of(__m512 first, __m512 second) {
    const __m512i interleaved = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
        16, 0);
    return _mm512_permutexvar_epi16(interleaved, (__m512i)_mm512_cvtne2ps_pbh(second, first));
}

// Turns 16 rows of 16 words into 16 columns.
TARGET_INLINE void transpose(__m512i r[16]) {
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

// The words of one double step of k for `count` lines that lie side by side, the last tile filled up with zeros.
TARGET_INLINE void pack_step(
    uint32_t *out, const float *first, const float *second, long count, long tile, long tile_words) {
    for (long line = 0; line < count; line += tile, out += tile_words)
        for (long part = 0; part < tile; part += 16) {
            __mmask16 mask = first_lanes(smaller(tile, count - line) - part);
            __m512 low = _mm512_maskz_loadu_ps(mask, first + line + part);
            __m512 high = second ? _mm512_maskz_loadu_ps(mask, second + line + part) : _mm512_setzero_ps();
            _mm512_mask_storeu_epi32(out + part, first_lanes(tile - part), pairs_of(low, high));
        }
}

// Packs tiles of 12 or 32 lines that lie side by side in memory, where every step of k is a row to read:
// out[tile][k / 2][line of the tile]. Some tiles are packed together, so that rows are read in longer pieces, and rows
// to come are asked for, since nothing foresees them when each lies in a page of its own.
TARGET_INLINE void pack_rows(uint32_t *out, const float *x, long k_stride, long lines, long depth, long tile) {
    const long pairs = (depth + 1) / 2, together = packed_lines;
    for (long start = 0; start < lines; start += together, out += pairs * together) {
        long count = smaller(lines - start, together);
        const float *row = x + start;
        for (long p = 0; p < pairs; p++, row += 2 * k_stride) {
            const float *second = 2 * p + 1 < depth ? row + k_stride : NULL, *ahead = row + 8 * k_stride;
            for (long line = 0; line < count; line += 16) {
                __builtin_prefetch(ahead + line);
                __builtin_prefetch(ahead + k_stride + line);
            }
            if (count == together && second) pack_step(out + p * tile, row, second, together, tile, pairs * tile);
            else pack_step(out + p * tile, row, second, count, tile, pairs * tile);
        }
    }
}

// Packs a tile whose lines are rows in memory: 16 lines and 16 pairs of k at a time are transposed in registers.
TARGET static inline void pack_lines(
    uint32_t *out, const float *x, long line_stride, long lines, long depth, long tile) {
    for (long line = 0; line < tile; line += 16)
        for (long k = 0; k < depth; k += 32) {
            __m512i block[16];
            __mmask16 first = first_lanes(depth - k), second = first_lanes(depth - k - 16);
#pragma clang loop unroll(full)
            for (int i = 0; i < 16; i++) {
                const float *at = x + (line + i) * line_stride + k;
                block[i] = line + i >= lines ? _mm512_setzero_si512()
                    : (__m512i)_mm512_cvtne2ps_pbh(
                          _mm512_maskz_loadu_ps(second, at + 16), _mm512_maskz_loadu_ps(first, at));
            }
            transpose(block);
            long count = smaller((depth - k + 1) / 2, 16);
            for (long p = 0; p < count; p++)
                _mm512_storeu_si512(out + (k / 2 + p) * tile + line, block[p]);
        }
}

// Rounds lines that are rows in memory, as they lie: out[line][k / 2], `stride` words a line, of which whole 16s are
// written.
TARGET static inline void round_lines(
    uint32_t *out, long stride, const float *x, long line_stride, long lines, long depth) {
    for (long line = 0; line < lines; line++, out += stride, x += line_stride) {
        long k = 0;
        for (; k + 32 <= depth; k += 32)
            _mm512_storeu_si512(
                out + k / 2, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + k + 16), _mm512_loadu_ps(x + k)));
        if (k < depth) {
            __mmask16 first = first_lanes(depth - k), second = first_lanes(depth - k - 16);
            _mm512_storeu_si512(
                out + k / 2, (__m512i)_mm512_cvtne2ps_pbh(
                                 _mm512_maskz_loadu_ps(second, x + k + 16), _mm512_maskz_loadu_ps(first, x + k)));
        }
    }
}

// sum[rows, 32] = a · b over `pairs` double steps. Word (row, p) of a lies at row · row_stride + p · pair_stride, that
// of b at p · 32. 12 rows, or 8 where they divide what 12 do not: fewer could not hide how long a sum takes.
TARGET_INLINE void rows_product(
    __m512 sum[tile_rows][2], int rows, const uint32_t *a, long row_stride, long pair_stride, const uint32_t *b,
    long pairs) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = _mm512_setzero_ps();
    for (long p = 0; p < pairs; p++, a += pair_stride, b += tile_columns) {
        __m512bh left = (__m512bh)_mm512_load_si512(b), right = (__m512bh)_mm512_load_si512(b + 16);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            __m512bh value = (__m512bh)_mm512_set1_epi32((int)a[i * row_stride]);
            sum[i][0] = _mm512_dpbf16_ps(sum[i][0], value, left);
            sum[i][1] = _mm512_dpbf16_ps(sum[i][1], value, right);
        }
    }
}

TARGET_INLINE void tile_product(
    __m512 sum[tile_rows][2], const uint32_t *a, long row_stride, long pair_stride, const uint32_t *b, long pairs) {
    rows_product(sum, tile_rows, a, row_stride, pair_stride, b, pairs);
}

// Asks for c's lines while the product is summed: rows of a wide c lie in pages of their own, where nothing foresees
// them.
TARGET_INLINE void prefetch_tile(const float *c, long stride, long rows) {
#pragma clang loop unroll(full)
    for (int i = 0; i < tile_rows; i++) {
        if (i >= rows) break;
        __builtin_prefetch(c + i * stride, 1);
        __builtin_prefetch(c + i * stride + 16, 1);
    }
}

// c[rows ≤ 12, columns ≤ 32] = sum + bias[columns] + beta · c; no bias where it is NULL.
TARGET_INLINE void store_tile(
    float *c, long stride, __m512 sum[tile_rows][2], long rows, long columns, const float *bias, float beta) {
    __mmask16 first = first_lanes(columns), second = first_lanes(columns - 16);
    __m512 left = bias ? _mm512_maskz_loadu_ps(first, bias) : _mm512_setzero_ps();
    __m512 right = bias ? _mm512_maskz_loadu_ps(second, bias + 16) : _mm512_setzero_ps();
    __m512 factor = _mm512_set1_ps(beta);
#pragma clang loop unroll(full)
    for (int i = 0; i < tile_rows; i++) {
        if (i >= rows) break;
        float *row = c + i * stride;
        __m512 low = _mm512_add_ps(sum[i][0], left), high = _mm512_add_ps(sum[i][1], right);
        if (beta != 0) {
            low = _mm512_fmadd_ps(factor, _mm512_maskz_loadu_ps(first, row), low);
            high = _mm512_fmadd_ps(factor, _mm512_maskz_loadu_ps(second, row + 16), high);
        }
        _mm512_mask_storeu_ps(row, first, low);
        _mm512_mask_storeu_ps(row + 16, second, high);
    }
}
