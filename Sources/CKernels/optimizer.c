#include "include/kernels.h"
#include "clones.h"
#include <math.h>

CLONES void atelier_adamw(float *p, float *m, float *v, const float *g, long n, float learning_rate, float beta1,
                          float beta2, float epsilon, float weight_decay, float correction1, float correction2,
                          float gradient_scale) {
    FAST
    float keep = 1.0f - learning_rate * weight_decay, step = learning_rate / correction1,
          root = 1.0f / sqrtf(correction2);
    for (long i = 0; i < n; i++) {
        float d = g[i] * gradient_scale;
        float first = beta1 * m[i] + (1.0f - beta1) * d;
        float second = beta2 * v[i] + (1.0f - beta2) * d * d;
        m[i] = first;
        v[i] = second;
        p[i] = p[i] * keep - step * first / (sqrtf(second) * root + epsilon);
    }
}
