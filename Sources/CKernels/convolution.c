#include "include/kernels.h"
#include "clones.h"
#include <string.h>

// Where a kernel is wider than the picture, some of its columns see nothing but what is padded.
INLINE long within(long place, long least, long most) { return place < least ? least : place > most ? most : place; }

CLONES void atelier_im2col(float *columns, const float *x, long channels, long height, long width, long kernel,
                           long stride, long pad_top, long pad_left, long out_width, long row_begin, long row_end) {
    long band = (row_end - row_begin) * out_width;
    for (long c = 0; c < channels; c++)
        for (long i = 0; i < kernel; i++)
            for (long j = 0; j < kernel; j++) {
                float *column = columns + ((c * kernel + i) * kernel + j) * band;
                for (long row = row_begin; row < row_end; row++, column += out_width) {
                    long y = row * stride + i - pad_top;
                    if (y < 0 || y >= height) { memset(column, 0, sizeof(float) * out_width); continue; }
                    const float *source = x + (c * height + y) * width;
                    long shift = j - pad_left; // source column of output column 0
                    if (stride == 1) {
                        long first = within(-shift, 0, out_width), last = within(width - shift, first, out_width);
                        for (long o = 0; o < first; o++) column[o] = 0;
                        if (last > first)
                            memcpy(column + first, source + shift + first, sizeof(float) * (last - first));
                        for (long o = last; o < out_width; o++) column[o] = 0;
                    } else {
                        for (long o = 0; o < out_width; o++) {
                            long s = o * stride + shift;
                            column[o] = s >= 0 && s < width ? source[s] : 0;
                        }
                    }
                }
            }
}

CLONES void atelier_col2im(float *dx, const float *columns, long channels, long height, long width, long kernel,
                           long stride, long pad_top, long pad_left, long out_width, long row_begin, long row_end) {
    long band = (row_end - row_begin) * out_width;
    for (long c = 0; c < channels; c++)
        for (long i = 0; i < kernel; i++)
            for (long j = 0; j < kernel; j++) {
                const float *column = columns + ((c * kernel + i) * kernel + j) * band;
                for (long row = row_begin; row < row_end; row++, column += out_width) {
                    long y = row * stride + i - pad_top;
                    if (y < 0 || y >= height) continue;
                    float *target = dx + (c * height + y) * width;
                    long shift = j - pad_left;
                    if (stride == 1) {
                        long first = within(-shift, 0, out_width), last = within(width - shift, first, out_width);
                        for (long o = first; o < last; o++) target[o + shift] += column[o];
                    } else {
                        for (long o = 0; o < out_width; o++) {
                            long s = o * stride + shift;
                            if (s >= 0 && s < width) target[s] += column[o];
                        }
                    }
                }
            }
}

void atelier_upsample_nearest(float *y, const float *x, long begin, long end, long height, long width) {
    for (long p = begin; p < end; p++)
        for (long i = 0; i < 2 * height; i++)
            for (long j = 0; j < width; j++) {
                float v = x[(p * height + i / 2) * width + j];
                float *out = y + (p * 2 * height + i) * 2 * width + 2 * j;
                out[0] = v;
                out[1] = v;
            }
}

void atelier_upsample_nearest_backward(float *dx, const float *dy, long begin, long end, long height, long width) {
    for (long p = begin; p < end; p++)
        for (long i = 0; i < height; i++)
            for (long j = 0; j < width; j++) {
                const float *top = dy + (p * 2 * height + 2 * i) * 2 * width + 2 * j, *bottom = top + 2 * width;
                dx[(p * height + i) * width + j] = (top[0] + top[1]) + (bottom[0] + bottom[1]);
            }
}
