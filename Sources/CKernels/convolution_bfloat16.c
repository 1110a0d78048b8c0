// Convolution at stride 1 with operands rounded to bfloat16 and sums kept in float. Columns of the picture are never
// laid out: what would be a row of them is the padded picture, read from a place of its own, and is rounded and packed
// from there. The gradient of the picture is the convolution of the output's with the kernel turned around.
#include "bfloat16.h"
#include "include/kernels.h"
#include <string.h>

enum { block_positions = 512 };

static long padded_height(const struct atelier_convolution *s) { return s->out_height + s->kernel - 1; }
static long padded_width(const struct atelier_convolution *s) { return s->out_width + s->kernel - 1; }
static long columns(const struct atelier_convolution *s) { return s->channels * s->kernel * s->kernel; }
static long positions(const struct atelier_convolution *s) { return s->out_height * s->out_width; }

// `height` rows from `top` of the picture [C, H, W] with zeros around, as far as the kernel reaches.
static void pad(const struct atelier_convolution *s, float *out, const float *x, long top, long height) {
    long width = padded_width(s), count = smaller(s->width, width - s->pad_left), first = top - s->pad_top;
    memset(out, 0, sizeof(float) * s->channels * height * width);
    for (long c = 0; c < s->channels; c++)
        for (long y = first < 0 ? -first : 0; y < smaller(height, s->height - first); y++)
            memcpy(
                out + (c * height + y) * width + s->pad_left, x + (c * s->height + first + y) * s->width,
                sizeof(float) * count);
}

// Where row (c, i, j) of the columns begins in so many rows of the padded picture.
static void row_starts(const struct atelier_convolution *s, long *starts, long height) {
    for (long c = 0; c < s->channels; c++)
        for (long i = 0; i < s->kernel; i++)
            for (long j = 0; j < s->kernel; j++) *starts++ = (c * height + i) * padded_width(s) + j;
}

// Where `lanes` positions from `first` begin in the padded picture, for the row that begins at its start.
static long place(const struct atelier_convolution *s, long first) {
    return first / s->out_width * padded_width(s) + first % s->out_width;
}

// Columns of [first, first + count) positions and of `depth` rows: tiles [row / 2][tile_columns].
TARGET static void pack_positions(
    const struct atelier_convolution *s, uint32_t *out, const float *x, const long *starts, long first, long count,
    long depth) {
    for (long t = 0; t < count; t += tile_columns) {
        const float *left = x + place(s, first + t);
        const float *right = t + lanes < count ? x + place(s, first + t + lanes) : left;
        for (long k = 0; k < depth; k += 2, out += tile_columns) {
            long even = starts[k], odd = starts[k + 1 < depth ? k + 1 : k];
            long odds = k + 1 < depth ? lanes : 0;
            store_words(out, pairs_of(load(left + even), load_first(left + odd, odds)));
            store_words(out + lanes, pairs_of(load(right + even), load_first(right + odd, odds)));
        }
    }
}

TARGET static void multiply_rows(
    float *y, long stride, const uint32_t *w, const uint32_t *b, long pairs, long rows, long count) {
    floats sum[tile_rows][2];
    tile_product(sum, w, row_words, 1, b, pairs);
    store_tile(y, stride, sum, rows, count, NULL, 1);
}

TARGET static void multiply_short_rows(
    float *y, long stride, const uint32_t *w, const uint32_t *b, long pairs, long rows, long count) {
    floats sum[tile_rows][2];
    rows_product(sum, short_rows, w, row_words, 1, b, pairs);
    store_tile(y, stride, sum, rows, count, NULL, 1);
}

TARGET void atelier_convolution_bfloat16(
    const struct atelier_convolution *s, float *y, const float *x, const float *w, const float *bias, long begin,
    long end) {
    long depth = columns(s), blocks = (depth + block_k - 1) / block_k, places = positions(s);
    long height = rounded_up(s->outputs, tile_rows);
    bool is_short = s->outputs % tile_rows != 0 && s->outputs % short_rows == 0;
    long step = is_short ? short_rows : tile_rows;
    // The most rows that one of the pictures is read of.
    long band = smaller(padded_height(s), (end - begin) / s->out_width + s->kernel + 1);
    uint32_t *weights = words(blocks * height * row_words), *packed = words(block_positions * (block_k / 2));
    float *padded = (float *)words(s->channels * band * padded_width(s));
    long *starts = malloc(sizeof(long) * depth);
    if (!starts) abort();
    row_starts(s, starts, band);
    for (long k = 0; k < blocks; k++)
        round_lines(
            weights + k * height * row_words, row_words, w + k * block_k, depth, s->outputs,
            smaller(block_k, depth - k * block_k));
    for (long image = begin / places; image * places < end; image++) {
        long from = image * places < begin ? begin - image * places : 0, to = smaller(places, end - image * places);
        long top = from / s->out_width;
        float *out = y + image * s->outputs * places;
        pad(s, padded, x + image * s->channels * s->height * s->width, top, band);
        for (long o = 0; o < s->outputs; o++) atelier_fill(out + o * places + from, bias ? bias[o] : 0, to - from);
        for (long first = from; first < to; first += block_positions) {
            long count = smaller(block_positions, to - first);
            for (long k = 0; k < blocks; k++) {
                long steps = smaller(block_k, depth - k * block_k), pairs = (steps + 1) / 2;
                pack_positions(
                    s, packed, padded, starts + k * block_k, first - top * s->out_width, count, steps);
                for (long t = 0; t < count; t += tile_columns)
                    for (long o = 0; o < s->outputs; o += step)
                        (is_short ? multiply_short_rows : multiply_rows)(
                            out + o * places + first + t, places, weights + (k * height + o) * row_words,
                            packed + t * pairs, pairs, smaller(step, s->outputs - o),
                            smaller(tile_columns, count - t));
            }
        }
    }
    free(weights); free(packed); free(padded); free(starts);
}

// Rows of the columns, rounded as they lie: out[row][position / 2].
TARGET static void round_positions(
    const struct atelier_convolution *s, uint32_t *out, const float *x, const long *starts, long rows, long first,
    long count) {
    for (long t = 0; t < count; t += 2 * lanes) {
        const float *left = x + place(s, first + t);
        const float *right = t + lanes < count ? x + place(s, first + t + lanes) : NULL;
        for (long row = 0; row < rows; row++) {
            floats high = right ? load(right + starts[row]) : all(0);
            store_words(out + row * row_words + t / 2, halves_of(load(left + starts[row]), high));
        }
    }
}

TARGET void atelier_convolution_bfloat16_weights(
    const struct atelier_convolution *s, float *dw, const float *x, const float *dy, long begin, long end) {
    long rows = columns(s), places = positions(s), width = rounded_up(s->outputs, tile_columns);
    uint32_t *packed = words(width * (block_k / 2)), *rounded = words(block_rows * row_words);
    float *padded = (float *)words(s->channels * padded_height(s) * padded_width(s));
    float *transposed = (float *)words(rounded_up(rows, 16) * width); // [rows, outputs]
    long *starts = malloc(sizeof(long) * rows);
    if (!starts) abort();
    row_starts(s, starts, padded_height(s));
    memset(transposed, 0, sizeof(float) * rows * width);
    for (long image = begin; image < end; image++) {
        pad(s, padded, x + image * s->channels * s->height * s->width, 0, padded_height(s));
        for (long first = 0; first < places; first += block_k) {
            long count = smaller(block_k, places - first), pairs = count / 2;
            const float *outputs = dy + image * s->outputs * places + first;
            for (long o = 0; o < s->outputs; o += tile_columns)
                pack_lines(
                    packed + o * pairs, outputs + o * places, false, places, s->outputs - o, count, tile_columns);
            for (long row = 0; row < rows; row += block_rows) {
                long some = smaller(block_rows, rows - row);
                round_positions(s, rounded, padded, starts + row, some, first, count);
                for (long o = 0; o < s->outputs; o += tile_columns)
                    for (long i = 0; i < some; i += tile_rows)
                        multiply_rows(
                            transposed + (row + i) * width + o, width, rounded + i * row_words, packed + o * pairs,
                            pairs, smaller(tile_rows, some - i), tile_columns);
            }
        }
    }
    if (width == s->outputs) atelier_transpose(dw, transposed, rows, width);
    else
        for (long o = 0; o < s->outputs; o++)
            for (long row = 0; row < rows; row++) dw[o * rows + row] = transposed[row * width + o];
    free(packed); free(rounded); free(padded); free(transposed); free(starts);
}
