#include "include/kernels.h"
#include "elementary.h"
#include <math.h>

CLONES void atelier_fill(float *y, float value, long n) { for (long i = 0; i < n; i++) y[i] = value; }
CLONES void atelier_add(float *y, const float *a, const float *b, long n) {
    for (long i = 0; i < n; i++) y[i] = a[i] + b[i];
}
CLONES void atelier_accumulate(float *y, const float *x, float scale, long n) {
    FAST
    for (long i = 0; i < n; i++) y[i] += scale * x[i];
}
CLONES void atelier_scale(float *y, const float *x, float scale, long n) {
    for (long i = 0; i < n; i++) y[i] = scale * x[i];
}
CLONES void atelier_multiply(float *y, const float *a, const float *b, long n) {
    for (long i = 0; i < n; i++) y[i] = a[i] * b[i];
}

// GELU, tanh approximation (Hendrycks and Gimpel 2016): x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))) = x·sigmoid(2·…).
CLONES void atelier_gelu(float *y, const float *x, long n) {
    FAST
    for (long i = 0; i < n; i++) {
        float u = 1.5957691216057308f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
        y[i] = x[i] * sigmoid_inline(u);
    }
}

CLONES void atelier_gelu_backward(float *dx, const float *x, const float *dy, long n) {
    FAST
    for (long i = 0; i < n; i++) {
        float u = 1.5957691216057308f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
        float du = 1.5957691216057308f * (1.0f + 0.134145f * x[i] * x[i]);
        float s = sigmoid_inline(u);
        dx[i] = dy[i] * (s + x[i] * s * (1.0f - s) * du);
    }
}

// GELU itself: x·Φ(x), Φ the normal distribution.
CLONES void atelier_gelu_exact(float *y, const float *x, long n) {
    FAST
    for (long i = 0; i < n; i++) y[i] = 0.5f * x[i] * (1.0f + erf_inline(x[i] * 0.70710678118654752f));
}

CLONES void atelier_gelu_exact_backward(float *dx, const float *x, const float *dy, long n) {
    FAST
    for (long i = 0; i < n; i++) {
        float share = 0.5f * (1.0f + erf_inline(x[i] * 0.70710678118654752f));
        dx[i] = dy[i] * (share + x[i] * 0.39894228040143268f * exp_inline(-0.5f * x[i] * x[i]));
    }
}

// x·sigmoid(slope·x): SiLU with slope 1, CLIP's quick GELU with slope 1.702.
CLONES void atelier_swish(float *y, const float *x, float slope, long n) {
    FAST
    for (long i = 0; i < n; i++) y[i] = x[i] * sigmoid_inline(slope * x[i]);
}

CLONES void atelier_swish_backward(float *dx, const float *x, const float *dy, float slope, long n) {
    FAST
    for (long i = 0; i < n; i++) {
        float s = sigmoid_inline(slope * x[i]);
        dx[i] = dy[i] * s * (1.0f + slope * x[i] * (1.0f - s));
    }
}

CLONES void atelier_relu(float *y, const float *x, long n) { for (long i = 0; i < n; i++) y[i] = x[i] < 0 ? 0 : x[i]; }
CLONES void atelier_relu_backward(float *dx, const float *y, const float *dy, long n) {
    for (long i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

CLONES double atelier_sum(const float *x, long n) {
    FAST
    double s = 0;
    for (long i = 0; i < n; i++) s += x[i];
    return s;
}
CLONES double atelier_sum_of_squares(const float *x, long n) {
    FAST
    double s = 0;
    for (long i = 0; i < n; i++) s += (double)x[i] * x[i];
    return s;
}
CLONES float atelier_max_abs(const float *x, long n) {
    float m = 0;
    for (long i = 0; i < n; i++) {
        float a = fabsf(x[i]);
        m = a > m ? a : m;
    }
    return m;
}

CLONES void atelier_add_rows(float *y, const float *x, const float *v, long begin, long end, long width,
                             long rows_per_group, long group_count) {
    for (long r = begin; r < end; r++) {
        const float *group = v + group_of(r, rows_per_group, group_count) * width;
        for (long c = 0; c < width; c++) y[r * width + c] = x[r * width + c] + group[c];
    }
}

CLONES void atelier_multiply_rows(float *y, const float *x, const float *v, long begin, long end, long width,
                                  long rows_per_group) {
    for (long r = begin; r < end; r++) {
        const float *group = v + r / rows_per_group * width;
        for (long c = 0; c < width; c++) y[r * width + c] = x[r * width + c] * group[c];
    }
}

CLONES void atelier_reduce_rows(float *dv, const float *dy, const float *x, long rows, long width, long rows_per_group,
                                long group_count, long column_begin, long column_end) {
    FAST
    for (long r = 0; r < rows; r++) {
        float *group = dv + group_of(r, rows_per_group, group_count) * width;
        const float *row = dy + r * width;
        if (x) for (long c = column_begin; c < column_end; c++) group[c] += row[c] * x[r * width + c];
        else for (long c = column_begin; c < column_end; c++) group[c] += row[c];
    }
}

CLONES void atelier_transpose(float *restrict y, const float *restrict x, long rows, long columns) {
    enum { block = 16 }; // a cache line each way
    for (long r = 0; r < rows; r += block) {
        long last_row = r + block < rows ? r + block : rows;
        for (long c = 0; c < columns; c += block) {
            long last_column = c + block < columns ? c + block : columns;
            for (long j = c; j < last_column; j++)
                for (long i = r; i < last_row; i++) y[j * rows + i] = x[i * columns + j];
        }
    }
}

void atelier_mirror(float *x, long stride, long begin, long end) {
    enum { block = 16 };
    for (long r = begin; r < end; r += block)
        for (long c = 0; c < r + block; c += block)
            for (long i = r; i < r + block && i < end; i++)
                for (long j = c; j < c + block && j < i; j++) x[i * stride + j] = x[j * stride + i];
}

CLONES void atelier_add_gated_rows(float *y, const float *x, const float *g, const float *v, long begin, long end,
                                   long width, long rows_per_group) {
    for (long r = begin; r < end; r++) {
        const float *group = v + r / rows_per_group * width;
        for (long c = 0; c < width; c++) y[r * width + c] = x[r * width + c] + g[r * width + c] * group[c];
    }
}
