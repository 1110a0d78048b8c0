// Products with weights that stay in eight bits, a scale to each row: a quarter of the bytes of floats to hold, and to
// read for every token.
#include "clones.h"
#include "include/kernels.h"
#include <stddef.h>
#include <stdlib.h>

CLONES void atelier_widen_int8(float *y, const int8_t *x, const float *scales, long rows, long k) {
    for (long row = 0; row < rows; row++, x += k, y += k)
        for (long i = 0; i < k; i++) y[i] = scales[row] * (float)x[i];
}

typedef int8_t bytes __attribute__((vector_size(16), aligned(1)));
typedef float floats __attribute__((vector_size(64), aligned(4)));

// `m` rows of x with `lines` rows of w, 16 numbers in a step: constants where this is called, so that the sums stay in
// registers, and enough of them that none waits for the one before.
INLINE void project_lines(
    float *y, long y_stride, const float *x, const int8_t *w, const float *scales, const float *bias, long m,
    long lines, long k) {
    FAST
    floats sum[4][atelier_most_mapped_rows] = {{{0}}};
    long i = 0;
    for (; i + 16 <= k; i += 16) {
        for (long line = 0; line < lines; line++) {
            __builtin_prefetch(w + line * k + i + 1024);
            floats wide = __builtin_convertvector(*(const bytes *)(w + line * k + i), floats);
            for (long j = 0; j < m; j++) sum[line][j] += wide * *(const floats *)(x + j * k + i);
        }
    }
    for (long line = 0; line < lines; line++)
        for (long j = 0; j < m; j++) {
            float total = 0;
            for (int lane = 0; lane < 16; lane++) total += sum[line][j][lane];
            for (long rest = i; rest < k; rest++) total += (float)w[line * k + rest] * x[j * k + rest];
            y[j * y_stride + line] = scales[line] * total + (bias ? bias[line] : 0);
        }
}

INLINE void project_rows(
    float *y, long y_stride, const float *x, const int8_t *w, const float *scales, const float *bias, long m, long k,
    long begin, long end) {
    const long lines = m <= 4 ? 4 : 2;
    long row = begin;
    for (; row + lines <= end; row += lines)
        project_lines(y + row, y_stride, x, w + row * k, scales + row, bias ? bias + row : NULL, m, lines, k);
    for (; row < end; row++)
        project_lines(y + row, y_stride, x, w + row * k, scales + row, bias ? bias + row : NULL, m, 1, k);
}

#define WITH(ROWS) \
    case ROWS: project_rows(y, y_stride, x, w, scales, bias, ROWS, k, begin, end); break;
CLONES void atelier_project_int8(
    float *y, long y_stride, const float *x, const int8_t *w, const float *scales, const float *bias, long m, long k,
    long begin, long end) {
    switch (m) { WITH(1) WITH(2) WITH(3) WITH(4) WITH(5) WITH(6) WITH(7) WITH(8) default: abort(); }
}
