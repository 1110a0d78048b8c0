#include "include/kernels.h"
#include "elementary.h"
#include <math.h>

// log(1 + e^−|x|) + max(−x, 0) in double for the sum; the gradient stays in float.
static inline double softplus(double x) { return (x > 0 ? x : 0) + log1p(exp(x > 0 ? -x : x)); }

double atelier_bit_cross_entropy(float *dlogits, const float *logits, const uint8_t *bits, const float *weights, long n,
                                 long bits_per_weight) {
    double total = 0;
    for (long i = 0; i < n; i++) {
        float w = weights[i / bits_per_weight];
        float margin = logits[2 * i + 1] - logits[2 * i]; // log-odds of bit 1
        total += w * softplus(bits[i] ? -margin : margin);
        if (dlogits) {
            float d = w * (sigmoid_inline(margin) - bits[i]);
            dlogits[2 * i + 1] = d;
            dlogits[2 * i] = -d;
        }
    }
    return total;
}

double atelier_bit_divergence(float *dstudent, const float *student, const float *teacher, const float *weights, long n,
                              long bits_per_weight) {
    double total = 0;
    for (long i = 0; i < n; i++) {
        float w = weights[i / bits_per_weight];
        double s = (double)student[2 * i + 1] - student[2 * i], t = (double)teacher[2 * i + 1] - teacher[2 * i];
        double p = 1 / (1 + exp(-t));
        // log p_t − log p_s for each class, with log sigmoid(x) = −softplus(−x)
        total += w * (p * (softplus(-s) - softplus(-t)) + (1 - p) * (softplus(s) - softplus(t)));
        if (dstudent) {
            float d = w * (float)(1 / (1 + exp(-s)) - p);
            dstudent[2 * i + 1] = d;
            dstudent[2 * i] = -d;
        }
    }
    return total;
}

CLONES void atelier_cross_entropy(float *losses, float *dlogits, const float *logits, const int32_t *targets,
                                  float weight, long begin, long end, long classes) {
    FAST
    for (long r = begin; r < end; r++) {
        const float *row = logits + r * classes;
        float *d = dlogits + r * classes;
        if (targets[r] < 0) {
            losses[r] = 0;
            for (long j = 0; j < classes; j++) d[j] = 0;
            continue;
        }
        float largest = -INFINITY, sum = 0;
        for (long j = 0; j < classes; j++) largest = row[j] > largest ? row[j] : largest;
        for (long j = 0; j < classes; j++) { float e = exp_inline(row[j] - largest); d[j] = e; sum += e; }
        float inverse = 1.0f / sum;
        for (long j = 0; j < classes; j++) d[j] *= inverse;
        d[targets[r]] -= 1.0f;
        for (long j = 0; j < classes; j++) d[j] *= weight;
        losses[r] = logf(sum) + largest - row[targets[r]];
    }
}

CLONES void atelier_divergence(float *losses, float *dstudent, const float *student, const float *teacher, float weight,
                               long begin, long end, long classes) {
    FAST
    for (long r = begin; r < end; r++) {
        const float *s = student + r * classes, *t = teacher + r * classes;
        float *d = dstudent + r * classes;
        float largest_s = -INFINITY, largest_t = -INFINITY, sum_s = 0, sum_t = 0, weighted = 0;
        for (long j = 0; j < classes; j++) {
            largest_s = s[j] > largest_s ? s[j] : largest_s;
            largest_t = t[j] > largest_t ? t[j] : largest_t;
        }
        for (long j = 0; j < classes; j++) {
            float e = exp_inline(t[j] - largest_t);
            sum_t += e;
            // The difference of log probabilities, but for what all classes share.
            weighted += e * ((t[j] - largest_t) - (s[j] - largest_s));
            sum_s += exp_inline(s[j] - largest_s);
        }
        losses[r] = weighted / sum_t + logf(sum_s / sum_t);
        float inverse_s = 1.0f / sum_s, inverse_t = 1.0f / sum_t;
        for (long j = 0; j < classes; j++)
            d[j] = exp_inline(s[j] - largest_s) * inverse_s - exp_inline(t[j] - largest_t) * inverse_t;
        for (long j = 0; j < classes; j++) d[j] *= weight;
    }
}
