// Elementary functions written so that the compiler vectorizes the loops that call them.
#pragma once
#include "clones.h"
#include <stdint.h>
#include <string.h>

// e^x by range reduction to [−ln2/2, ln2/2] and the Cephes polynomial (relative error below 2 ulp); saturates instead
// of overflowing.
INLINE float exp_inline(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float shifted = x * 1.44269504088896341f + 12582912.0f; // 1.5·2^23 rounds to an integer
    float n = shifted - 12582912.0f;
    float r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return p * power;
}

INLINE float sigmoid_inline(float x) { return 1.0f / (1.0f + exp_inline(-x)); }

// The error function (Abramowitz and Stegun 7.1.26, absolute error below 2e-7).
INLINE float erf_inline(float x) {
    float a = x < 0 ? -x : x, t = 1.0f / (1.0f + 0.3275911f * a);
    float p = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    float y = 1.0f - p * exp_inline(-a * a);
    return x < 0 ? -y : y;
}

// Which of `groups` vectors belongs to row r; the last is followed by the first.
INLINE long group_of(long r, long rows_per_group, long groups) { return r / rows_per_group % groups; }
