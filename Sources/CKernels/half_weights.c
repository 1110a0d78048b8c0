// Products with weights that stay in bfloat16: token-by-token decoding is bound by the bytes of the weights it reads,
// and half the bytes are half the time. A bfloat16 is the upper half of a float, so that nothing is rounded here.
#include "clones.h"
#include "include/kernels.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

INLINE float widened(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

CLONES void atelier_widen_bfloat16(float *y, const uint16_t *x, long n) {
    for (long i = 0; i < n; i++) y[i] = widened(x[i]);
}

CLONES void atelier_round_bfloat16(uint16_t *y, const float *x, long n) {
    for (long i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        y[i] = (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }
}

CLONES bool atelier_is_finite_bfloat16(const uint16_t *x, long n) {
    uint16_t largest = 0;
    for (long i = 0; i < n; i++) {
        uint16_t magnitude = x[i] & 0x7FFF;
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest < 0x7F80;
}

typedef uint32_t wide_words __attribute__((vector_size(64), aligned(2)));
typedef float floats __attribute__((vector_size(64), aligned(4)));

// Numbers of x in the order in which a word of two weights has them: of each 32 the even ones, then the odd ones.
CLONES void atelier_deal_floats(float *y, const float *x, long x_stride, long m, long k) {
    long width = (k + 31) / 32 * 32;
    for (long row = 0; row < m; row++, x += x_stride, y += width)
        for (long i = 0; i < width; i++) y[i / 32 * 32 + i % 2 * 16 + i % 32 / 2] = i < k ? x[i] : 0;
}

// `m` rows of x with `lines` rows of w, 32 numbers in a step: constants where this is called, so that the sums stay in
// registers. There are enough of them that none waits for the one before, and what is read of x, which no longer fits
// the first cache when its rows are many, serves all lines. A word is two weights, one as it lies and one behind it: a
// mask and a shift part them. Each line is asked for before it is needed, at its end in the lines that come next.
INLINE void project_lines(
    float *y, long y_stride, const float *x, const uint16_t *w, const float *bias, long m, long lines, long parts,
    long k) {
    FAST
    const long width = (k + 31) / 32 * 32;
    floats sum[4][atelier_most_mapped_rows][2] = {{{{0}}}};
    long i = 0;
    for (; i + 32 <= k; i += 32) {
        const long next = i + (lines == 1 ? 2048 : 1024), ahead = next < k ? next : next + (lines - 1) * k;
        for (long line = 0; line < lines; line++) {
            __builtin_prefetch(w + line * k + ahead);
            wide_words words = *(const wide_words *)(w + line * k + i);
            floats even = (floats)(words << 16), odd = (floats)(words & 0xFFFF0000u);
            for (long j = 0; j < m; j++) {
                sum[line][j][0] += even * *(const floats *)(x + j * width + i);
                sum[line][j][parts - 1] += odd * *(const floats *)(x + j * width + i + 16);
            }
        }
    }
    for (long line = 0; line < lines; line++)
        for (long j = 0; j < m; j++) {
            float total = bias ? bias[line] : 0;
            floats both = parts > 1 ? sum[line][j][0] + sum[line][j][1] : sum[line][j][0];
            for (int lane = 0; lane < 16; lane++) total += both[lane];
            for (long rest = i; rest < k; rest++)
                total += widened(w[line * k + rest]) * x[j * width + i + rest % 2 * 16 + rest % 32 / 2];
            y[j * y_stride + line] = total;
        }
}

INLINE void project_rows(
    float *y, long y_stride, const float *x, const uint16_t *w, const float *bias, long m, long k, long begin,
    long end) {
    // One line is read fastest; more rows of x are worth reading once for several.
    const long lines = m <= 2 ? 1 : m <= 4 ? 4 : 3, parts = m <= 2 ? 2 : 1;
    long row = begin;
    for (; row + lines <= end; row += lines)
        project_lines(y + row, y_stride, x, w + row * k, bias ? bias + row : NULL, m, lines, parts, k);
    for (; row < end; row++)
        project_lines(y + row, y_stride, x, w + row * k, bias ? bias + row : NULL, m, 1, parts, k);
}

#define WITH(ROWS) \
    case ROWS: project_rows(y, y_stride, x, w, bias, ROWS, k, begin, end); break;
CLONES void atelier_project_bfloat16(
    float *y, long y_stride, const float *x, const uint16_t *w, const float *bias, long m, long k, long begin,
    long end) {
    switch (m) { WITH(1) WITH(2) WITH(3) WITH(4) WITH(5) WITH(6) WITH(7) WITH(8) default: abort(); }
}
