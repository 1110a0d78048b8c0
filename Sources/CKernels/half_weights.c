// Products with weights that stay in bfloat16: token-by-token decoding is bound by the bytes of the weights it reads,
// and half the bytes are half the time. A bfloat16 is the upper half of a float, so that nothing is rounded here.
#include "clones.h"
#include "include/kernels.h"
#include <stddef.h>
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

CLONES bool atelier_is_finite_bfloat16(const uint16_t *x, long n) {
    uint16_t largest = 0;
    for (long i = 0; i < n; i++) {
        uint16_t magnitude = x[i] & 0x7FFF;
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest < 0x7F80;
}

typedef uint16_t halves __attribute__((vector_size(32), aligned(2)));
typedef uint32_t wide_words __attribute__((vector_size(64)));
typedef float floats __attribute__((vector_size(64), aligned(4)));

// A macro: a function that gives vectors would be another one for each instruction set.
#define WIDENED(X) ((floats)(__builtin_convertvector(*(const halves *)(X), wide_words) << 16))

// `m` rows of x with `lines` rows of w at a time, in `steps` of 16 numbers: constants where this is called, so that the
// sums stay in registers. There are enough of them that none waits for the one before, and what is read of x, which no
// longer fits the first cache when its rows are many, serves all lines. Of several lines the processor foresees too
// little: they are asked for a page ahead.
INLINE void project_lines(
    float *y, long y_stride, const float *x, long x_stride, const uint16_t *w, const float *bias, long m, long lines,
    long steps, long k) {
    FAST
    floats sum[4][4][8] = {{{{0}}}};
    long i = 0;
    for (; i + 16 * steps <= k; i += 16 * steps)
        for (long step = 0; step < steps; step++)
            for (long line = 0; line < lines; line++) {
                const long at = i + 16 * step;
                __builtin_prefetch(w + line * k + at + 2048);
                floats weight = WIDENED(w + line * k + at);
                for (long j = 0; j < m; j++) sum[step][line][j] += weight * *(const floats *)(x + j * x_stride + at);
            }
    for (long line = 0; line < lines; line++)
        for (long j = 0; j < m; j++) {
            float total = bias ? bias[line] : 0;
            for (long step = 0; step < steps; step++)
                for (int lane = 0; lane < 16; lane++) total += sum[step][line][j][lane];
            for (long rest = i; rest < k; rest++) total += widened(w[line * k + rest]) * x[j * x_stride + rest];
            y[j * y_stride + line] = total;
        }
}

INLINE void project_rows(
    float *y, long y_stride, const float *x, long x_stride, const uint16_t *w, const float *bias, long m, long k,
    long begin, long end) {
    const long lines = m == 1 ? 1 : 4, steps = m == 1 ? 4 : 1;
    long row = begin;
    for (; row + lines <= end; row += lines)
        project_lines(y + row, y_stride, x, x_stride, w + row * k, bias ? bias + row : NULL, m, lines, steps, k);
    for (; row < end; row++)
        project_lines(y + row, y_stride, x, x_stride, w + row * k, bias ? bias + row : NULL, m, 1, steps, k);
}

#define WITH(ROWS) \
    case ROWS: project_rows(y, y_stride, x, x_stride, w, bias, ROWS, k, begin, end); break;
CLONES void atelier_project_bfloat16(
    float *y, long y_stride, const float *x, long x_stride, const uint16_t *w, const float *bias, long m, long k,
    long begin, long end) {
    switch (m) { WITH(1) WITH(2) WITH(3) WITH(4) WITH(5) WITH(6) WITH(7) WITH(8) }
}
