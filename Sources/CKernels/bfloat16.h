// What the bfloat16 kernels share: packing floats as pairs of bfloat16, and the micro-kernel, which keeps a tile of c,
// 12 rows of two vectors, in registers and takes two steps of k at a time.
#pragma once
#if defined(__x86_64__)
#include "bfloat16_avx512.h"
#elif defined(__aarch64__)
#include "bfloat16_neon.h"
#else
#error "The bfloat16 kernels know the vectors of x86-64 and of aarch64; another processor needs a header of its own."
#endif
#include <stdlib.h>

enum { tile_rows = 12, short_rows = 8, tile_columns = 2 * lanes };

// Blocks that are packed at a time: steps of k, and rows of a. A row of a rounded as it lies takes a cache line more
// than it needs, so that 12 rows spread over the cache's sets.
enum { block_k = 256, block_rows = 240, row_words = block_k / 2 + 16 };

// Lines that pack_rows takes together, whole tiles of any size.
enum { packed_lines = 192 };

static inline long smaller(long a, long b) { return a < b ? a : b; }
static inline long rounded_up(long n, long tile) { return (n + tile - 1) / tile * tile; }

// Cache-aligned words; a kernel that cannot have its scratch cannot go on.
static inline uint32_t *words(long count) {
    uint32_t *memory = aligned_alloc(64, rounded_up(sizeof(uint32_t) * (count + 16), 64));
    if (!memory) abort();
    return memory;
}

// The words of one double step of k for `count` lines that lie side by side, the last tile filled up with zeros.
TARGET_INLINE void pack_step(
    uint32_t *out, const float *first, const float *second, long count, long tile, long tile_words) {
    for (long line = 0; line < count; line += tile, out += tile_words)
        for (long part = 0; part < tile; part += lanes) {
            long some = smaller(tile, count - line) - part;
            floats low = load_first(first + line + part, some);
            floats high = second ? load_first(second + line + part, some) : all(0);
            store_first_words(out + part, pairs_of(low, high), tile - part);
        }
}

// Packs tiles of lines that lie side by side in memory, where every step of k is a row to read:
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

// The first `count` of 2 · lanes floats, and zeros.
TARGET_INLINE halves first_halves(const float *x, long count) {
    return halves_of(load_first(x, count), load_first(x + lanes, count - lanes));
}

// Packs a tile whose lines are rows in memory, of floats or, where they are rounded already, of bfloat16: squares of
// lines and pairs of k are transposed in registers.
TARGET_INLINE void pack_lines(
    uint32_t *out, const void *x, bool rounded, long line_stride, long lines, long depth, long tile) {
    for (long line = 0; line < tile; line += lanes)
        for (long k = 0; k < depth; k += 2 * lanes) {
            halves block[lanes];
#pragma clang loop unroll(full)
            for (int i = 0; i < lanes; i++) {
                long start = (line + i) * line_stride + k;
                if (line + i >= lines) block[i] = (halves){0};
                else if (rounded) block[i] = load_first_halves((const uint16_t *)x + start, depth - k);
                else block[i] = first_halves((const float *)x + start, depth - k);
            }
            transpose(block);
            long count = smaller((depth - k + 1) / 2, lanes);
            for (long p = 0; p < count; p++) store_words(out + (k / 2 + p) * tile + line, block[p]);
        }
}

// Rounds lines that are rows in memory, as they lie: out[line][k / 2], `stride` words a line, of which whole vectors
// are written.
TARGET static inline void round_lines(
    uint32_t *out, long stride, const float *x, long line_stride, long lines, long depth) {
    for (long line = 0; line < lines; line++, out += stride, x += line_stride) {
        long k = 0;
        for (; k + 2 * lanes <= depth; k += 2 * lanes)
            store_words(out + k / 2, halves_of(load(x + k), load(x + k + lanes)));
        if (k < depth) store_words(out + k / 2, first_halves(x + k, depth - k));
    }
}

// sum[rows, tile_columns] = a · b over `pairs` double steps. Word (row, p) of a lies at row · row_stride + p ·
// pair_stride, that of b at p · tile_columns. 12 rows, or 8 where they divide what 12 do not: fewer could not hide how
// long a sum takes.
TARGET_INLINE void rows_product(
    floats sum[tile_rows][2], int rows, const uint32_t *a, long row_stride, long pair_stride, const uint32_t *b,
    long pairs) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = all(0);
    for (long p = 0; p < pairs; p++, a += pair_stride, b += tile_columns) {
        halves left = load_words(b), right = load_words(b + lanes);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            sum[i][0] = add_products(sum[i][0], a[i * row_stride], left);
            sum[i][1] = add_products(sum[i][1], a[i * row_stride], right);
        }
    }
}

TARGET_INLINE void tile_product(
    floats sum[tile_rows][2], const uint32_t *a, long row_stride, long pair_stride, const uint32_t *b, long pairs) {
    rows_product(sum, tile_rows, a, row_stride, pair_stride, b, pairs);
}

// Asks for c's lines while the product is summed: rows of a wide c lie in pages of their own, where nothing foresees
// them.
TARGET_INLINE void prefetch_tile(const float *c, long stride, long rows) {
#pragma clang loop unroll(full)
    for (int i = 0; i < tile_rows; i++) {
        if (i >= rows) break;
        __builtin_prefetch(c + i * stride, 1);
        __builtin_prefetch(c + i * stride + lanes, 1);
    }
}

// c[rows ≤ 12, columns ≤ tile_columns] = sum + bias[columns] + beta · c; no bias where it is NULL.
TARGET_INLINE void store_tile(
    float *c, long stride, floats sum[tile_rows][2], long rows, long columns, const float *bias, float beta) {
    floats left = bias ? load_first(bias, columns) : all(0);
    floats right = bias ? load_first(bias + lanes, columns - lanes) : all(0);
#pragma clang loop unroll(full)
    for (int i = 0; i < tile_rows; i++) {
        if (i >= rows) break;
        float *row = c + i * stride;
        floats low = sum[i][0] + left, high = sum[i][1] + right;
        if (beta != 0) {
            low = multiply_add(all(beta), load_first(row, columns), low);
            high = multiply_add(all(beta), load_first(row + lanes, columns - lanes), high);
        }
        store_first(row, low, columns);
        store_first(row + lanes, high, columns - lanes);
    }
}
