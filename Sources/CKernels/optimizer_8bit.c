#include "include/kernels.h"
#include "clones.h"
#include <math.h>
#include <pthread.h>
#include <string.h>

enum { block = atelier_codes_block };

// The 256 numbers that codes stand for, ascending, and what finds the nearest of them.
struct codes {
    float values[256], middles[256];  // middles[c] lies between values c and c + 1
    // The code to begin with, by the upper 16 bits of a float.
    uint8_t near[1 << 16];
};

static struct codes with_sign, without_sign;

// Every power of ten from 1 down to 1e-6 is divided the more finely the larger it is, so that small numbers keep their
// magnitude and large ones their digits (dynamic tree quantization, as bitsandbytes' create_dynamic_map has it).
static void fill(struct codes *codes, bool is_signed) {
    float *values = codes->values;
    int count = 0;
    for (int power = 0; power < 7; power++) {
        int parts = 1 << (is_signed ? power : power + 1);
        double scale = pow(10, power - 6);
        for (int part = 0; part < parts; part++) {
            float value = (float)(scale * (0.1 + 0.9 * (part + 0.5) / parts));
            values[count++] = value;
            if (is_signed) values[count++] = -value;
        }
    }
    values[count++] = 0;
    values[count++] = 1;
    for (int i = 1; i < count; i++) {
        float value = values[i];
        int j = i;
        for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
        values[j] = value;
    }
    for (int c = 0; c < 255; c++) codes->middles[c] = 0.5f * (values[c] + values[c + 1]);
    codes->middles[255] = INFINITY;
    for (uint32_t bits = 0; bits < 1 << 16; bits++) {
        uint32_t whole = bits << 16;
        float value;
        memcpy(&value, &whole, sizeof value);
        int c = 0;
        while (c < 255 && value > codes->middles[c]) c++;
        codes->near[bits] = (uint8_t)c;
    }
}

static void fill_both(void) {
    fill(&with_sign, true);
    fill(&without_sign, false);
}

static void prepare(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_both);
}

INLINE uint8_t nearest(const struct codes *codes, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    int c = codes->near[bits >> 16];
    while (value > codes->middles[c]) c++;
    while (c > 0 && value <= codes->middles[c - 1]) c--;
    return (uint8_t)c;
}

// The numbers that a block's codes and its scale stand for.
static void read_block(float *values, const uint8_t *stored, float scale, const struct codes *codes, long n) {
    for (long i = 0; i < n; i++) values[i] = codes->values[stored[i]] * scale;
}

// Keeps a block's numbers as the nearest codes, and gives its scale.
static float write_block(uint8_t *stored, const float *values, const struct codes *codes, long n) {
    float largest = atelier_max_abs(values, n);
    float factor = largest > 0 ? 1 / largest : 0;
    // The reciprocal of a subnormal number may be infinite: such a block is kept as zeros.
    if (!isfinite(factor)) factor = largest = 0;
    for (long i = 0; i < n; i++) stored[i] = nearest(codes, values[i] * factor);
    return largest;
}

void atelier_read_codes(float *values, const uint8_t *stored, const float *scales, bool is_signed, long n) {
    prepare();
    for (long i = 0; i < n; i += block)
        read_block(values + i, stored + i, scales[i / block], is_signed ? &with_sign : &without_sign,
                   n - i < block ? n - i : block);
}

void atelier_write_codes(uint8_t *stored, float *scales, const float *values, bool is_signed, long n) {
    prepare();
    for (long i = 0; i < n; i += block)
        scales[i / block] = write_block(stored + i, values + i, is_signed ? &with_sign : &without_sign,
                                        n - i < block ? n - i : block);
}

void atelier_adamw_8bit(float *p, struct atelier_moment first, struct atelier_moment second, const float *g, long n,
                        float learning_rate, float beta1, float beta2, float epsilon, float weight_decay,
                        float correction1, float correction2, float gradient_scale) {
    prepare();
    for (long i = 0; i < n; i += block) {
        float m[block], v[block];
        long count = n - i < block ? n - i : block;
        read_block(m, first.codes + i, first.scales[i / block], &with_sign, count);
        read_block(v, second.codes + i, second.scales[i / block], &without_sign, count);
        atelier_adamw(p + i, m, v, g + i, count, learning_rate, beta1, beta2, epsilon, weight_decay, correction1,
                      correction2, gradient_scale);
        first.scales[i / block] = write_block(first.codes + i, m, &with_sign, count);
        second.scales[i / block] = write_block(second.codes + i, v, &without_sign, count);
        // A second moment that is not zero never becomes zero: the next step would be divided by epsilon alone.
        for (long j = 0; j < count; j++)
            if (v[j] > 0 && second.codes[i + j] == 0) second.codes[i + j] = 1;
    }
}
