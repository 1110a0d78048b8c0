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

// Pair i of a head: adjacent channels (2i, 2i+1), or the two halves (i, i + width/2) as LLaMA stores them.
#define PAIR(i) long first = halves ? (i) : 2 * (i), second = halves ? (i) + half : 2 * (i) + 1

CLONES void atelier_heads(float *y, float *norms, const float *x, long stride, const float *gain, const float *cosine,
                          const float *sine, long begin, long end, long tokens, long heads, long head_width,
                          bool normalize, bool halves) {
    FAST
    long half = head_width / 2;
    for (long r = begin; r < end; r++) {
        for (long h = 0; h < heads; h++) {
            const float *in = x + r * stride + h * head_width;
            float *out = y + r * stride + h * head_width;
            float factor = gain ? gain[h] : 1.0f;
            if (normalize) {
                float square = 0;
                for (long i = 0; i < head_width; i++) square += in[i] * in[i];
                float length = sqrtf(square), inverse = 1.0f / (length > 1e-12f ? length : 1e-12f);
                norms[r * heads + h] = inverse;
                factor *= inverse;
            }
            if (cosine) {
                const float *c = cosine + r % tokens * half, *s = sine + r % tokens * half;
                for (long i = 0; i < half; i++) {
                    PAIR(i);
                    float a = in[first] * factor, b = in[second] * factor;
                    out[first] = a * c[i] - b * s[i];
                    out[second] = a * s[i] + b * c[i];
                }
            } else {
                for (long i = 0; i < head_width; i++) out[i] = in[i] * factor;
            }
        }
    }
}

CLONES void atelier_heads_backward(float *dx, long stride, float *dgain_rows, const float *dy, const float *x,
                                   const float *norms, const float *gain, const float *cosine, const float *sine,
                                   long begin, long end, long tokens, long heads, long head_width, bool normalize,
                                   bool halves) {
    FAST
    long half = head_width / 2;
    for (long r = begin; r < end; r++) {
        for (long h = 0; h < heads; h++) {
            const float *in = x + r * stride + h * head_width, *d = dy + r * stride + h * head_width;
            float *out = dx + r * stride + h * head_width;
            float g = gain ? gain[h] : 1.0f, inverse = normalize ? norms[r * heads + h] : 1.0f, dot = 0;
            if (cosine) {
                const float *c = cosine + r % tokens * half, *s = sine + r % tokens * half;
                for (long i = 0; i < half; i++) {
                    PAIR(i);
                    out[first] = d[first] * c[i] + d[second] * s[i];
                    out[second] = d[second] * c[i] - d[first] * s[i];
                }
            } else {
                for (long i = 0; i < head_width; i++) out[i] = d[i];
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
