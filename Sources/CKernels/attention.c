#include "include/kernels.h"
#include "elementary.h"
#include <math.h>

CLONES void atelier_softmax(float *scores, const float *bias, const int32_t *visible, long rows, long keys, long stride,
                            long bias_stride, float logit_scale) {
    FAST
    for (long r = 0; r < rows; r++) {
        float *s = scores + r * stride;
        long n = visible && visible[r] < keys ? visible[r] : keys;
        if (bias) for (long j = 0; j < n; j++) s[j] = s[j] * logit_scale + bias[r * bias_stride + j];
        else if (logit_scale != 1.0f) for (long j = 0; j < n; j++) s[j] *= logit_scale;
        float largest = -INFINITY, sum = 0;
        for (long j = 0; j < n; j++) largest = s[j] > largest ? s[j] : largest;
        for (long j = 0; j < n; j++) { float e = exp_inline(s[j] - largest); s[j] = e; sum += e; }
        float inverse = n > 0 ? 1.0f / sum : 0.0f;
        for (long j = 0; j < n; j++) s[j] *= inverse;
        for (long j = n; j < keys; j++) s[j] = 0;
    }
}

CLONES void atelier_softmax_backward(float *dp, const float *p, long rows, long keys, long stride, float logit_scale) {
    FAST
    for (long r = 0; r < rows; r++) {
        float *d = dp + r * stride;
        const float *q = p + r * stride;
        float dot = 0;
        for (long j = 0; j < keys; j++) dot += d[j] * q[j];
        for (long j = 0; j < keys; j++) d[j] = q[j] * (d[j] - dot) * logit_scale;
    }
}

// Eight channels, and each beside its neighbour's place.
typedef float eight __attribute__((vector_size(32), aligned(4)));
#define SWAPPED(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6)

// A row's rotation for every channel of a head: y[i] = x[i]·c[i] + x[partner of i]·s[i]. Partners are neighbours
// (2i, 2i + 1), or the two halves (i, i + width/2) as LLaMA stores them. `turn` −1 turns back.
INLINE void expand_angles(float *c, float *s, const float *cosine, const float *sine, long half, bool halves,
                          float turn) {
    for (long i = 0; i < half; i++) {
        long first = halves ? i : 2 * i, second = halves ? i + half : 2 * i + 1;
        c[first] = c[second] = cosine[i];
        s[first] = -turn * sine[i];
        s[second] = turn * sine[i];
    }
}

INLINE void rotate(float *restrict y, const float *restrict x, const float *restrict c, const float *restrict s,
                   long width, bool halves, float factor) {
    FAST
    long half = width / 2;
    if (halves) {
        for (long i = 0; i < half; i++) y[i] = factor * (x[i] * c[i] + x[i + half] * s[i]);
        for (long i = 0; i < half; i++) y[i + half] = factor * (x[i + half] * c[i + half] + x[i] * s[i + half]);
    } else if (width % 8 == 0) {
        for (long i = 0; i < width; i += 8) {
            eight v = *(const eight *)(x + i);
            *(eight *)(y + i) = factor * (v * *(const eight *)(c + i) + SWAPPED(v) * *(const eight *)(s + i));
        }
    } else {
        for (long i = 0; i < width; i++) y[i] = factor * (x[i] * c[i] + x[i ^ 1] * s[i]);
    }
}

CLONES void atelier_heads(float *y, float *norms, const float *x, long stride, const float *gain, const float *cosine,
                          const float *sine, long begin, long end, long tokens, long heads, long head_width,
                          bool normalize, bool halves) {
    FAST
    long half = head_width / 2;
    float c[cosine ? head_width : 1], s[cosine ? head_width : 1];
    for (long r = begin; r < end; r++) {
        long angles = r % tokens * half;
        if (cosine) expand_angles(c, s, cosine + angles, sine + angles, half, halves, 1);
        for (long h = 0; h < heads; h++) {
            const float *restrict in = x + r * stride + h * head_width;
            float *restrict out = y + r * stride + h * head_width;
            float factor = gain ? gain[h] : 1.0f;
            if (normalize) {
                float square = 0;
                for (long i = 0; i < head_width; i++) square += in[i] * in[i];
                float length = sqrtf(square), inverse = 1.0f / (length > 1e-12f ? length : 1e-12f);
                norms[r * heads + h] = inverse;
                factor *= inverse;
            }
            if (cosine) rotate(out, in, c, s, head_width, halves, factor);
            else for (long i = 0; i < head_width; i++) out[i] = in[i] * factor;
        }
    }
}

CLONES void atelier_heads_backward(float *dx, long stride, float *dgain_rows, const float *dy, const float *x,
                                   const float *norms, const float *gain, const float *cosine, const float *sine,
                                   long begin, long end, long tokens, long heads, long head_width, bool normalize,
                                   bool halves) {
    FAST
    long half = head_width / 2;
    float c[cosine ? head_width : 1], s[cosine ? head_width : 1];
    for (long r = begin; r < end; r++) {
        long angles = r % tokens * half;
        if (cosine) expand_angles(c, s, cosine + angles, sine + angles, half, halves, -1);
        for (long h = 0; h < heads; h++) {
            const float *restrict in = x + r * stride + h * head_width, *restrict d = dy + r * stride + h * head_width;
            float *restrict out = dx + r * stride + h * head_width;
            float g = gain ? gain[h] : 1.0f, inverse = normalize ? norms[r * heads + h] : 1.0f, dot = 0;
            if (cosine) rotate(out, d, c, s, head_width, halves, 1);
            else for (long i = 0; i < head_width; i++) out[i] = d[i];
            if (!normalize && !dgain_rows) {
                if (gain) for (long i = 0; i < head_width; i++) out[i] *= g;
                continue;
            }
            for (long i = 0; i < head_width; i++) dot += out[i] * in[i];
            if (dgain_rows) dgain_rows[r * heads + h] = dot * inverse;
            if (normalize) {
                float along = dot * inverse * inverse;
                for (long i = 0; i < head_width; i++) out[i] = g * inverse * (out[i] - in[i] * along);
            } else if (gain) {
                for (long i = 0; i < head_width; i++) out[i] *= g;
            }
        }
    }
}
