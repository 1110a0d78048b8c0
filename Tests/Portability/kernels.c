// Every portable kernel on the same numbers, one line of results each: what two processors print is compared by
// ops/portability. Where the machine it was built on stands, the kernels are held against their definitions by the
// tests of Tensors and Autograd.
#include "kernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { rows = 6, width = 40, count = rows * width };

static float *memory(long n) {
    float *p = calloc(n, sizeof *p);
    if (!p) abort();
    return p;
}

// Numbers in −1…1 of an own sequence each.
static float *numbers(long n, uint32_t seed) {
    float *p = memory(n);
    for (long i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        p[i] = (float)(seed >> 8) / (1 << 23) - 1;
    }
    return p;
}

static float *positive(long n, uint32_t seed) {
    float *p = numbers(n, seed);
    for (long i = 0; i < n; i++) p[i] = 0.1f + p[i] * p[i];
    return p;
}

static uint16_t *halves(const float *x, long n) {
    uint16_t *p = calloc(n, sizeof *p);
    if (!p) abort();
    for (long i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        p[i] = bits >> 16;
    }
    return p;
}

static void show(const char *name, const float *y, long n) {
    printf("%s", name);
    for (long i = 0; i < n; i++) printf(" %.9g", y[i]);
    printf("\n");
}

static void pointwise(void) {
    const float *a = numbers(count, 1), *b = numbers(count, 2);
    float *y = memory(count);
#define SHOW(NAME, CALL) (CALL, show(NAME, y, count))
    SHOW("fill", atelier_fill(y, 0.5f, count));
    SHOW("add", atelier_add(y, a, b, count));
    SHOW("accumulate", atelier_accumulate(y, a, 0.3f, count));
    SHOW("scale", atelier_scale(y, a, 1.7f, count));
    SHOW("multiply", atelier_multiply(y, a, b, count));
    SHOW("gelu", atelier_gelu(y, a, count));
    SHOW("gelu_backward", atelier_gelu_backward(y, a, b, count));
    SHOW("gelu_exact", atelier_gelu_exact(y, a, count));
    SHOW("gelu_exact_backward", atelier_gelu_exact_backward(y, a, b, count));
    SHOW("swish", atelier_swish(y, a, 1.702f, count));
    SHOW("swish_backward", atelier_swish_backward(y, a, b, 1.702f, count));
    SHOW("relu", atelier_relu(y, a, count));
    SHOW("relu_backward", atelier_relu_backward(y, a, b, count));
    SHOW("mirror", (memcpy(y, a, sizeof(float) * count), atelier_mirror(y, width, 0, rows)));
    SHOW("transpose", atelier_transpose(y, a, rows, width));
    SHOW("add_rows", atelier_add_rows(y, a, b, 0, rows, width, 2, 3));
    SHOW("multiply_rows", atelier_multiply_rows(y, a, b, 0, rows, width, 2));
    SHOW("add_gated_rows", atelier_add_gated_rows(y, a, b, a, 0, rows, width, 2));
    float sums[] = { atelier_sum(a, count), atelier_sum_of_squares(a, count), atelier_max_abs(a, count) };
    show("sum_sum_of_squares_max_abs", sums, 3);
    float *dv = memory(3 * width);
    atelier_reduce_rows(dv, a, b, rows, width, 2, 3, 0, width);
    show("reduce_rows", dv, 3 * width);
}

static void half_weights(void) {
    const float *x = numbers(8 * width, 3), *bias = numbers(rows, 4);
    const uint16_t *w = halves(numbers(count, 5), count);
    float *y = memory(count);
    atelier_widen_bfloat16(y, w, count);
    show("widen_bfloat16", y, count);
    uint16_t *rounded = malloc(2 * count);
    atelier_round_bfloat16(rounded, numbers(count, 5), count);
    for (long i = 0; i < count; i++) y[i] = rounded[i];
    show("round_bfloat16", y, count);
    free(rounded);
    y[0] = atelier_is_finite_bfloat16(w, count);
    uint16_t infinite = 0x7F80;
    y[1] = atelier_is_finite_bfloat16(&infinite, 1);
    show("is_finite_bfloat16", y, 2);
    float *dealt = memory(8 * (width + 31));
    for (long m = 1; m <= 8; m++) {
        atelier_deal_floats(dealt, x, width, m, width);
        show("deal_floats", dealt, m * ((width + 31) / 32 * 32));
        atelier_project_bfloat16(y, rows, dealt, w, bias, m, width, 0, rows);
        show("project_bfloat16", y, m * rows);
    }
}

static void few_rows(void) {
    const float *x = numbers(7 * width, 35), *w = numbers(count, 36), *bias = numbers(rows, 37);
    float *y = memory(count);
    if (atelier_few_rows() < 1) abort();
    for (long m = 1; m <= 7; m++) {
        atelier_project_floats(y, rows, x, width, w, width, bias, m, width, 0, rows);
        show("project_floats", y, m * rows);
    }
}

static void weights_of_eight_bits(void) {
    const float *x = numbers(8 * width, 31), *bias = numbers(rows, 32), *scales = positive(rows, 33);
    const float *values = numbers(count, 34);
    int8_t w[count];
    for (long i = 0; i < count; i++) w[i] = (int8_t)(127 * values[i]);
    float *y = memory(count);
    atelier_widen_int8(y, w, scales, rows, width);
    show("widen_int8", y, count);
    for (long m = 1; m <= 8; m++) {
        atelier_project_int8(y, rows, x, w, scales, bias, m, width, 0, rows);
        show("project_int8", y, m * rows);
    }
}

static void norms(void) {
    const float *x = numbers(count, 6), *dy = numbers(count, 7), *scale = numbers(3 * width, 8);
    const float *shift = numbers(3 * width, 9);
    float *y = memory(count), *statistics = memory(2 * count), *first = memory(count), *second = memory(count);
    atelier_layer_norm(y, statistics, x, scale, shift, 1, 0, rows, width, 2, 1e-6f);
    show("layer_norm", y, count);
    atelier_layer_norm_backward(y, dy, x, statistics, scale, 1, 0, rows, width, 2);
    show("layer_norm_backward", y, count);
    atelier_layer_norm_backward_affine(first, second, dy, x, statistics, rows, width, 2, 0, width);
    show("layer_norm_backward_affine", first, 3 * width);
    atelier_rms_norm(y, statistics, x, scale, 0, rows, width, 1e-6f);
    show("rms_norm", y, count);
    atelier_rms_norm_backward(y, dy, x, statistics, scale, 0, rows, width);
    show("rms_norm_backward", y, count);
    memset(first, 0, count * sizeof *first);
    atelier_rms_norm_backward_weight(first, dy, x, statistics, rows, width, 0, width);
    show("rms_norm_backward_weight", first, width);
    // [1, 6, 40] in three groups of two channels.
    atelier_group_norm(y, statistics, x, scale, shift, 0, 3, rows, width, 3, 1e-6f, true);
    show("group_norm", y, count);
    atelier_group_norm_backward(y, first, second, dy, x, statistics, scale, shift, 0, 3, rows, width, 3, true);
    show("group_norm_backward", y, count);
    show("group_norm_backward_weights", first, rows);
}

static void attention(void) {
    float *scores = numbers(count, 10), *p = memory(count), *norms = memory(count), *y = memory(count);
    const float *bias = numbers(count, 11), *gain = positive(5, 12), *x = numbers(count, 13), *dy = numbers(count, 14);
    const float *cosine = numbers(3 * 4, 15), *sine = numbers(3 * 4, 16);
    const int32_t visible[rows] = { 1, 7, 40, 3, 22, 16 };
    memcpy(p, scores, count * sizeof *p);
    atelier_softmax(p, bias, visible, rows, width, width, width, 0.5f);
    show("softmax", p, count);
    atelier_softmax_backward(scores, p, rows, width, width, 0.5f);
    show("softmax_backward", scores, count);
    for (int halves = 0; halves <= 1; halves++) {
        atelier_heads(y, norms, x, width, gain, cosine, sine, 0, rows, 3, 5, 8, true, halves);
        show("heads", y, count);
        float *dgain = memory(count);
        atelier_heads_backward(
            y, width, dgain, dy, x, norms, gain, cosine, sine, 0, rows, 3, 5, 8, true, halves);
        show("heads_backward", y, count);
        show("heads_backward_gains", dgain, rows * 5);
    }
}

static void losses(void) {
    const float *a = numbers(count, 17), *b = numbers(count, 18), *weights = positive(12, 19);
    float *losses = memory(rows), *d = memory(count);
    uint8_t bits[count / 2];
    for (int i = 0; i < count / 2; i++) bits[i] = a[i] > 0;
    losses[0] = atelier_bit_cross_entropy(d, a, bits, weights, count / 2, 10);
    show("bit_cross_entropy", losses, 1);
    show("bit_cross_entropy_gradient", d, count);
    losses[0] = atelier_bit_divergence(d, a, b, weights, count / 2, 10);
    show("bit_divergence", losses, 1);
    show("bit_divergence_gradient", d, count);
    const int32_t targets[rows] = { 0, 39, -1, 5, 17, 20 };
    atelier_cross_entropy(losses, d, a, targets, 0.2f, 0, rows, width);
    show("cross_entropy", losses, rows);
    show("cross_entropy_gradient", d, count);
    atelier_divergence(losses, d, a, b, 0.2f, 0, rows, width);
    show("divergence", losses, rows);
    show("divergence_gradient", d, count);
}

static void pictures(void) {
    enum { channels = 2, side = 6, kernel = 3, columns = channels * kernel * kernel * side * side };
    const float *x = numbers(channels * side * side, 20);
    float *wide = memory(columns), *y = memory(4 * channels * side * side);
    atelier_im2col(wide, x, channels, side, side, kernel, 1, 1, 1, side, 0, side);
    show("im2col", wide, columns);
    atelier_col2im(y, wide, channels, side, side, kernel, 1, 1, 1, side, 0, side);
    show("col2im", y, channels * side * side);
    atelier_upsample_nearest(y, x, 0, channels, side, side);
    show("upsample_nearest", y, 4 * channels * side * side);
    float *back = memory(channels * side * side);
    atelier_upsample_nearest_backward(back, y, 0, channels, side, side);
    show("upsample_nearest_backward", back, channels * side * side);
    const int32_t starts[] = { 0, 2, 3, 6 }, indices[] = { 0, 1, 2, 3, 4, 5 };
    const float weights[] = { 0.25f, 0.75f, 1, 0.5f, 0.25f, 0.25f };
    const struct atelier_taps taps = { starts, indices, weights, 3 };
    float *half = memory(side * 3);
    atelier_resize(y, x, half, &taps, &taps, 0, channels, side, side);
    show("resize", y, channels * 9);
}

static void optimizer(void) {
    float *p = numbers(count, 21), *m = numbers(count, 22), *v = positive(count, 23);
    atelier_adamw(p, m, v, numbers(count, 24), count, 1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 0.1f, 0.001f, 0.5f);
    show("adamw", p, count);
    show("adamw_first", m, count);
    show("adamw_second", v, count);
    uint8_t codes[2][count];
    float scales[2][count / atelier_codes_block + 1], *read = memory(count);
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        const float *values = is_signed ? numbers(count, 25) : positive(count, 26);
        atelier_write_codes(codes[is_signed], scales[is_signed], values, is_signed, count);
        atelier_read_codes(read, codes[is_signed], scales[is_signed], is_signed, count);
        show("codes", read, count);
    }
    struct atelier_moment first = {codes[1], scales[1]}, second = {codes[0], scales[0]};
    atelier_adamw_8bit(p, first, second, numbers(count, 27), count, 1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 0.1f, 0.001f,
                       0.5f);
    show("adamw_8bit", p, count);
}

static void add_index(void *context, long begin, long end) {
    for (long i = begin; i < end; i++) ((float *)context)[i] += i;
}

static void threads(void) {
    float *y = memory(count);
    atelier_keep_freed_memory();
    if (atelier_thread_count() < 1 || atelier_processor_count() < 1) abort();
    if (atelier_processor_quota("/nowhere") != 0) abort();
    atelier_parallel(count, 16, add_index, y);
    show("parallel", y, count);
}

int main(void) {
    pointwise();
    half_weights();
    few_rows();
    weights_of_eight_bits();
    norms();
    attention();
    losses();
    pictures();
    optimizer();
    threads();
}
