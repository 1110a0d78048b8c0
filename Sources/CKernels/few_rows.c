// Products of few rows with weights in floats: a token by token model, or what a time or a sentence modulates, reads
// each weight for a handful of rows. A library's product packs the weights first, which then takes longer than the
// product; here they are read as they lie.
#include "clones.h"
#include "include/kernels.h"
#include <stddef.h>

typedef float floats __attribute__((vector_size(64), aligned(4)));

long atelier_few_rows(void) {
#if defined(__x86_64__)
    // Four times four sums of sixteen lanes need the 32 registers of AVX-512; with fewer, packing soon pays.
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return 32;
#endif
    return 4;
}

// Half as many lanes to each of twice as many sums: of groups of 2·`half` lanes, the first half is added to the second.
#define FOLD(NAME, LOW, HIGH) \
    INLINE void NAME(floats *to, const floats *from, long n) { \
        for (long i = 0; i < n; i++) \
            to[i] = __builtin_shufflevector(from[2 * i], from[2 * i + 1], LOW) \
                + __builtin_shufflevector(from[2 * i], from[2 * i + 1], HIGH); \
    }
#define LANES(...) __VA_ARGS__
FOLD(fold_eights, LANES(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
    LANES(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
FOLD(fold_fours, LANES(0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
    LANES(4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31))
FOLD(fold_twos, LANES(0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29),
    LANES(2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31))
FOLD(fold_ones, LANES(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
    LANES(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31))

// `rows` of x with `lines` of w, sixteen numbers in a step: constants where this is called, so that their sums, sixteen
// at most, stay in registers. The order in which a sum is added up is the same whatever is computed beside it.
INLINE void project_tile(
    float *y, long y_stride, const float *x, long x_stride, const float *w, long w_stride, const float *bias,
    long rows, long lines, long k) {
    // Contraction alone: with more the compiler might add up differently beside other rows.
    _Pragma("clang fp contract(fast)")
    floats sum[16] = {{0}};
    long i = 0;
    for (; i + 16 <= k; i += 16)
        for (long line = 0; line < lines; line++) {
            floats weights = *(const floats *)(w + line * w_stride + i);
            for (long row = 0; row < rows; row++)
                sum[row * lines + line] += weights * *(const floats *)(x + row * x_stride + i);
        }
    fold_eights(sum, sum, 8);
    fold_fours(sum, sum, 4);
    fold_twos(sum, sum, 2);
    fold_ones(sum, sum, 1);
    for (long row = 0; row < rows; row++)
        for (long line = 0; line < lines; line++) {
            float total = sum[0][row * lines + line] + (bias ? bias[line] : 0);
            for (long rest = i; rest < k; rest++) total += w[line * w_stride + rest] * x[row * x_stride + rest];
            y[row * y_stride + line] = total;
        }
}

INLINE void project_lines(
    float *y, long y_stride, const float *x, long x_stride, const float *w, long w_stride, const float *bias, long rows,
    long most, long k, long begin, long end) {
    long line = begin;
    for (; line + most <= end; line += most)
        project_tile(
            y + line, y_stride, x, x_stride, w + line * w_stride, w_stride, bias ? bias + line : NULL, rows, most, k);
    for (; line < end; line++)
        project_tile(
            y + line, y_stride, x, x_stride, w + line * w_stride, w_stride, bias ? bias + line : NULL, rows, 1, k);
}

#define WITH(ROWS, LINES) \
    for (; row + ROWS <= m; row += ROWS) \
        project_lines( \
            y + row * y_stride, y_stride, x + row * x_stride, x_stride, w, w_stride, bias, ROWS, LINES, k, from, to);
CLONES void atelier_project_floats(
    float *y, long y_stride, const float *x, long x_stride, const float *w, long w_stride, const float *bias, long m,
    long k, long begin, long end) {
    // So many lines of w stay in the cache until all rows have met them.
    for (long from = begin; from < end; from += 64) {
        long to = from + 64 < end ? from + 64 : end, row = 0;
        WITH(4, 4) WITH(2, 8) WITH(1, 8)
    }
}
