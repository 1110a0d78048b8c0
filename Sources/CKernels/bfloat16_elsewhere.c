// Processors that are no x86-64 round nothing: whoever asks `atelier_has_bfloat16` first never comes here.
#if !defined(__x86_64__)
#include "include/kernels.h"
#include <stdlib.h>

bool atelier_has_bfloat16(void) { return false; }

void atelier_multiply_bfloat16(
    const float *a, long a_stride, bool a_transposed, const float *b, long b_stride, bool b_transposed, float *c,
    long c_stride, long m, long n, long k, const float *bias, float beta, long diagonal) { abort(); }
void atelier_multiply_halves(
    const float *a, long a_stride, const uint16_t *b, long b_stride, bool b_transposed, float *c, long c_stride, long m,
    long n, long k, const float *bias) { abort(); }
void atelier_attention_bfloat16(const struct atelier_attention *a, float *out, long out_stride, float *sums) {
    abort();
}
void atelier_attention_bfloat16_backward(
    const struct atelier_attention *a, const struct atelier_attention_gradients *d, const float *out, const float *dout,
    long out_stride, const float *sums) { abort(); }
void atelier_convolution_bfloat16(
    const struct atelier_convolution *s, float *y, const float *x, const float *w, const float *bias, long begin,
    long end) { abort(); }
void atelier_convolution_bfloat16_weights(
    const struct atelier_convolution *s, float *dw, const float *x, const float *dy, long begin, long end) { abort(); }
#endif
