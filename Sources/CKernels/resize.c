#include "include/kernels.h"
#include "clones.h"

// Rows first: a plane's h rows become `columns` wide in `half`, then its columns become `rows` high.
CLONES void atelier_resize(float *y, const float *x, float *half, const struct atelier_taps *down,
                           const struct atelier_taps *across, long begin, long end, long height, long width) {
    long rows = down->count, columns = across->count;
    for (long plane = begin; plane < end; plane++) {
        const float *source = x + plane * height * width;
        float *target = y + plane * rows * columns;
        for (long i = 0; i < height; i++)
            for (long j = 0; j < columns; j++) {
                float sum = 0;
                for (int32_t tap = across->starts[j]; tap < across->starts[j + 1]; tap++)
                    sum += across->weights[tap] * source[i * width + across->indices[tap]];
                half[i * columns + j] = sum;
            }
        for (long i = 0; i < rows; i++) {
            float *out = target + i * columns;
            for (long j = 0; j < columns; j++) out[j] = 0;
            for (int32_t tap = down->starts[i]; tap < down->starts[i + 1]; tap++) {
                float weight = down->weights[tap];
                const float *row = half + down->indices[tap] * columns;
                for (long j = 0; j < columns; j++) out[j] += weight * row[j];
            }
        }
    }
}
