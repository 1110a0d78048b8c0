// Every kernel on the same numbers, one line of results each: what two processors print is compared by
// ops/portability. Where the machine it was built on stands, the kernels are held against their definitions by the
// tests of Tensors and Autograd. A processor without the kernels that round to bfloat16 prints what those are to say;
// `kernels has-bfloat16` tells by its status whether it has them.
#include "kernels.h"
#include <math.h>
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
    atelier_layer_norm(y, statistics, x, scale, shift, 1, 0, rows, width, 2, rows, 1e-6f);
    show("layer_norm", y, count);
    atelier_layer_norm_backward(y, dy, x, statistics, scale, 1, 0, rows, width, 2, rows);
    show("layer_norm_backward", y, count);
    atelier_layer_norm_backward_affine(first, second, dy, x, statistics, rows, width, 2, rows, 0, width);
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

// As bfloat16 has them.
static float *rounded(const float *x, long n) {
    float *y = memory(n);
    uint16_t *words = calloc(n, sizeof *words);
    if (!words) abort();
    atelier_round_bfloat16(words, x, n);
    atelier_widen_bfloat16(y, words, n);
    free(words);
    return y;
}

// c[m, n] = a[m, k] · b[k, n] + bias[n] + beta · c, by definition.
static void product(
    float *c, const float *a, bool a_transposed, const float *b, bool b_transposed, long m, long n, long k,
    const float *bias, float beta) {
    for (long i = 0; i < m; i++)
        for (long j = 0; j < n; j++) {
            double sum = (bias ? bias[j] : 0) + (beta != 0 ? beta * c[i * n + j] : 0);
            for (long p = 0; p < k; p++)
                sum += (double)a[a_transposed ? p * m + i : i * k + p] * b[b_transposed ? j * k + p : p * n + j];
            c[i * n + j] = (float)sum;
        }
}

// Two blocks of k, the last of an odd depth.
static void rounded_products(void) {
    enum { m = 29, n = 45, k = 301 };
    const float *a = numbers(m * k, 38), *b = numbers(n * k, 39), *bias = numbers(n, 40);
    const float *rounded_a = rounded(a, m * k), *rounded_b = rounded(b, n * k);
    bool has_kernels = atelier_has_bfloat16();
    for (int turned = 0; turned < 4; turned++) {
        bool turn_a = turned & 1, turn_b = turned & 2;
        for (int adds = 0; adds <= 1; adds++) {
            float *c = numbers(m * n, 41), beta = adds ? 0.5f : 0;
            const float *added = adds ? NULL : bias;
            if (has_kernels)
                atelier_multiply_bfloat16(
                    a, turn_a ? m : k, turn_a, b, turn_b ? k : n, turn_b, c, n, m, n, k, added, beta, m);
            else product(c, rounded_a, turn_a, rounded_b, turn_b, m, n, k, added, beta);
            show("multiply_bfloat16", c, m * n);
        }
    }
    uint16_t *halves = calloc(n * k, sizeof *halves);
    if (!halves) abort();
    atelier_round_bfloat16(halves, b, n * k);
    for (int turn_b = 0; turn_b <= 1; turn_b++) {
        float *y = memory(m * n);
        if (has_kernels) atelier_multiply_halves(a, k, halves, turn_b ? k : n, turn_b, y, n, m, n, k, bias);
        else product(y, rounded_a, false, rounded_b, turn_b, m, n, k, bias, 0);
        show("multiply_halves", y, m * n);
    }
    free(halves);
    float *c = memory(m * m);
    if (has_kernels) atelier_multiply_bfloat16(a, k, false, a, k, true, c, m, m, m, k, NULL, 0, 0);
    else product(c, rounded_a, false, rounded_a, true, m, m, k, NULL, 0);
    atelier_mirror(c, m, 0, m);
    show("multiply_bfloat16_symmetric", c, m * m);
}

// out and sums as the kernel of one head writes them.
static void attend(const struct atelier_attention *a, float *out, float *sums) {
    if (atelier_has_bfloat16()) { atelier_attention_bfloat16(a, out, a->width, sums); return; }
    const float *q = rounded(a->q, a->queries * a->width), *k = rounded(a->k, a->keys * a->width);
    float *p = memory(a->queries * a->keys);
    product(p, q, false, k, true, a->queries, a->keys, a->width, NULL, 0);
    for (long t = 0; t < a->queries; t++) sums[t] = a->logit_scale * p[t * a->keys];
    atelier_softmax(p, NULL, a->visible, a->queries, a->keys, a->keys, 0, a->logit_scale);
    for (long t = 0; t < a->queries; t++) sums[t] -= logf(p[t * a->keys]);
    product(out, p, false, rounded(a->v, a->keys * a->width), false, a->queries, a->width, a->keys, NULL, 0);
}

static void attend_backward(
    const struct atelier_attention *a, const struct atelier_attention_gradients *d, const float *out, const float *dout,
    const float *sums) {
    if (atelier_has_bfloat16()) { atelier_attention_bfloat16_backward(a, d, out, dout, a->width, sums); return; }
    long queries = a->queries, keys = a->keys, width = a->width;
    const float *q = rounded(a->q, queries * width), *k = rounded(a->k, keys * width), *v = rounded(a->v, keys * width);
    float *p = memory(queries * keys), *dp = memory(queries * keys);
    dout = rounded(dout, queries * width);
    product(p, q, false, k, true, queries, keys, width, NULL, 0);
    atelier_softmax(p, NULL, a->visible, queries, keys, keys, 0, a->logit_scale);
    product(dp, dout, false, v, true, queries, keys, width, NULL, 0);
    atelier_softmax_backward(dp, p, queries, keys, keys, a->logit_scale);
    product(d->q, dp, false, k, false, queries, width, keys, NULL, 0);
    product(d->k, dp, true, q, false, keys, width, queries, NULL, 1);
    product(d->v, p, true, dout, false, keys, width, queries, NULL, 1);
}

static void rounded_attention(void) {
    enum { queries = 29, keys = 45, head = 64 };
    const float *q = numbers(queries * head, 42), *k = numbers(keys * head, 43), *v = numbers(keys * head, 44);
    float *out = memory(queries * head), *sums = memory(queries);
    int32_t visible[queries];
    for (int t = 0; t < queries; t++) visible[t] = t < 1 ? 1 : t < 5 ? 5 : t < 25 ? 21 : keys;
    for (int limited = 0; limited <= 1; limited++) {
        const struct atelier_attention a = { q, k, v, head, head, head, queries, keys, head, limited ? visible : NULL,
                                             0.3f };
        const struct atelier_attention_gradients d = { memory(queries * head), numbers(keys * head, 45),
                                                       numbers(keys * head, 46), head, head, head };
        attend(&a, out, sums);
        show("attention_bfloat16", out, queries * head);
        show("attention_bfloat16_sums", sums, queries);
        attend_backward(&a, &d, out, numbers(queries * head, 47), sums);
        show("attention_bfloat16_backward", d.q, queries * head);
        show("attention_bfloat16_backward", d.k, keys * head);
        show("attention_bfloat16_backward", d.v, keys * head);
    }
}

static void convolve(const struct atelier_convolution *s, long pictures) {
    long places = s->out_height * s->out_width, depth = s->channels * s->kernel * s->kernel;
    long size = s->channels * s->height * s->width, outputs = s->outputs * places;
    const float *x = numbers(pictures * size, 48), *w = numbers(s->outputs * depth, 49);
    const float *bias = numbers(s->outputs, 50), *dy = numbers(pictures * outputs, 51);
    float *y = memory(pictures * outputs), *dw = memory(s->outputs * depth);
    if (atelier_has_bfloat16()) {
        // As several threads have them.
        for (long first = 0; first < pictures * places; first += 48)
            atelier_convolution_bfloat16(
                s, y, x, w, bias, first, first + 48 < pictures * places ? first + 48 : pictures * places);
        atelier_convolution_bfloat16_weights(s, dw, x, dy, 0, pictures);
    } else {
        float *columns = memory(depth * places);
        x = rounded(x, pictures * size), w = rounded(w, s->outputs * depth), dy = rounded(dy, pictures * outputs);
        for (long i = 0; i < pictures; i++) {
            atelier_im2col(
                columns, x + i * size, s->channels, s->height, s->width, s->kernel, 1, s->pad_top, s->pad_left,
                s->out_width, 0, s->out_height);
            for (long o = 0; o < s->outputs; o++) atelier_fill(y + i * outputs + o * places, bias[o], places);
            product(y + i * outputs, w, false, columns, false, s->outputs, places, depth, NULL, 1);
            product(dw, dy + i * outputs, false, columns, true, s->outputs, depth, places, NULL, 1);
        }
    }
    show("convolution_bfloat16", y, pictures * outputs);
    show("convolution_bfloat16_weights", dw, s->outputs * depth);
}

// Outputs for tiles of 12 rows and for tiles of 8; a part of a block of the depth, and more than one.
static void rounded_convolutions(void) {
    const struct atelier_convolution odd = { 3, 5, 16, 7, 3, 1, 1, 5, 16 }, even = { 43, 3, 16, 16, 3, 1, 1, 3, 16 };
    convolve(&odd, 2);
    convolve(&even, 1);
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

int main(int argc, char **argv) {
    if (argc > 1) return strcmp(argv[1], "has-bfloat16") != 0 || !atelier_has_bfloat16();
    pointwise();
    half_weights();
    few_rows();
    weights_of_eight_bits();
    norms();
    attention();
    rounded_products();
    rounded_attention();
    rounded_convolutions();
    losses();
    pictures();
    optimizer();
    threads();
}
