// Products with weights that stay in bfloat16: token-by-token decoding is bound by the bytes of the weights it reads,
// and half the bytes are half the time. A bfloat16 is the upper half of a float, so that nothing is rounded here.
#include "clones.h"
#include "include/kernels.h"
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

// `m` is a constant where this is called, so that its sums stay in registers while a row of w passes once.
INLINE void project_rows(
    float *y, long y_stride, const float *x, long x_stride, const uint16_t *w, const float *bias, long m, long k,
    long begin, long end) {
    FAST
    for (long row = begin; row < end; row++) {
        const uint16_t *line = w + row * k;
        float sum[8] = {0};
        for (long i = 0; i < k; i++) {
            float weight = widened(line[i]);
            for (long j = 0; j < m; j++) sum[j] += weight * x[j * x_stride + i];
        }
        for (long j = 0; j < m; j++) y[j * y_stride + row] = sum[j] + (bias ? bias[row] : 0);
    }
}

#define WITH(ROWS) \
    case ROWS: project_rows(y, y_stride, x, x_stride, w, bias, ROWS, k, begin, end); break;
CLONES void atelier_project_bfloat16(
    float *y, long y_stride, const float *x, long x_stride, const uint16_t *w, const float *bias, long m, long k,
    long begin, long end) {
    switch (m) { WITH(1) WITH(2) WITH(3) WITH(4) WITH(5) WITH(6) WITH(7) WITH(8) }
}
