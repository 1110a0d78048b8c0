// Matrix products with operands rounded to bfloat16 and sums kept in float, for processors with AVX512_BF16 and
// for aarch64 with BF16: about twice the speed of single precision where it was measured, with AVX512_BF16. For all
// that learns, and for drawing with weights that are held in bfloat16.
//
// The loops are those of Goto and van de Geijn (2008): blocks of b packed for the cache, blocks of a rounded beside
// them. 256 steps of k let a tile of b (16 KiB; 4 of NEON's) and one of a (7 KiB) share the first cache.
#include "bfloat16.h"
#include "include/kernels.h"

enum { block_columns = 1024 };

bool atelier_has_bfloat16(void) { return processor_has_bfloat16(); }

// One tile of c, of a block of a whose rows were rounded as they lie.
TARGET static void multiply_rounded(
    float *c, long stride, const uint32_t *a, const uint32_t *b, long pairs, long rows, long columns, const float *bias,
    float beta) {
    floats sum[tile_rows][2];
    prefetch_tile(c, stride, rows);
    tile_product(sum, a, row_words, 1, b, pairs);
    store_tile(c, stride, sum, rows, columns, bias, beta);
}

// The same, of a block of a that was packed: tiles [k / 2][12].
TARGET static void multiply_packed(
    float *c, long stride, const uint32_t *a, const uint32_t *b, long pairs, long rows, long columns, const float *bias,
    float beta) {
    floats sum[tile_rows][2];
    prefetch_tile(c, stride, rows);
    tile_product(sum, a, 1, tile_rows, b, pairs);
    store_tile(c, stride, sum, rows, columns, bias, beta);
}

// Columns of b, in floats or, where there are none, in bfloat16 as it lies.
struct columns {
    const float *floats;
    const uint16_t *halves;
    long stride;
    bool transposed;
};

// What lies so many steps of k and columns further on.
static struct columns from(struct columns b, long step, long column) {
    long offset = b.transposed ? column * b.stride + step : step * b.stride + column;
    return (struct columns){
        b.floats ? b.floats + offset : NULL, b.halves ? b.halves + offset : NULL, b.stride, b.transposed};
}

// As pack_rows, of lines of bfloat16 that lie side by side.
TARGET static void pack_half_rows(uint32_t *out, const uint16_t *x, long k_stride, long lines, long depth) {
    const long pairs = (depth + 1) / 2;
    for (long p = 0; p < pairs; p++, x += 2 * k_stride)
        for (long line = 0; line < rounded_up(lines, tile_columns); line += lanes) {
            const uint16_t *second = 2 * p + 1 < depth ? x + k_stride + line : NULL;
            __builtin_prefetch(x + 8 * k_stride + line);
            __builtin_prefetch(x + 9 * k_stride + line);
            store_words(
                out + (line / tile_columns * pairs + p) * tile_columns + line % tile_columns,
                load_first_pairs(x + line, second, lines - line));
        }
}

// Columns of b for k in [0, depth): out[tile][k / 2][column of the tile].
TARGET static void pack_columns(uint32_t *out, struct columns b, long columns, long depth) {
    if (!b.transposed) {
        if (b.floats) pack_rows(out, b.floats, b.stride, columns, depth, tile_columns);
        else pack_half_rows(out, b.halves, b.stride, columns, depth);
        return;
    }
    for (long start = 0; start < columns; start += tile_columns, out += (depth + 1) / 2 * tile_columns) {
        struct columns tile = from(b, 0, start);
        if (b.floats) pack_lines(out, tile.floats, false, b.stride, columns - start, depth, tile_columns);
        else pack_lines(out, tile.halves, true, b.stride, columns - start, depth, tile_columns);
    }
}

TARGET static void pack_block_rows(uint32_t *out, const float *a, long stride, bool transposed, long rows, long depth) {
    if (transposed) pack_rows(out, a, stride, rows, depth, tile_rows);
    else round_lines(out, row_words, a, stride, rows, depth);
}

TARGET static void multiply(
    const float *a, long a_stride, bool a_transposed, struct columns b, float *c, long c_stride, long m, long n, long k,
    const float *bias, float beta, long diagonal) {
    uint32_t *packed_b = words(rounded_up(smaller(n, block_columns), tile_columns) * (block_k / 2));
    uint32_t *packed_a = words(rounded_up(smaller(m, block_rows), tile_rows) * row_words + 16);
    for (long j = 0; j < n; j += block_columns) {
        long columns = smaller(block_columns, n - j);
        for (long p = 0; p < k; p += block_k) {
            long depth = smaller(block_k, k - p), pairs = (depth + 1) / 2;
            long tile = a_transposed ? tile_rows * pairs : tile_rows * row_words;
            const float *first_bias = bias && p == 0 ? bias + j : NULL;
            pack_columns(packed_b, from(b, p, j), columns, depth);
            for (long i = 0; i < m; i += block_rows) {
                long rows = smaller(block_rows, m - i);
                pack_block_rows(
                    packed_a, a_transposed ? a + p * a_stride + i : a + i * a_stride + p, a_stride, a_transposed, rows,
                    depth);
                for (long jj = 0; jj < columns; jj += tile_columns)
                    for (long ii = 0; ii < rows && i + ii < j + jj + tile_columns + diagonal; ii += tile_rows)
                        (a_transposed ? multiply_packed : multiply_rounded)(
                            c + (i + ii) * c_stride + j + jj, c_stride, packed_a + ii / tile_rows * tile,
                            packed_b + jj * pairs, pairs, smaller(tile_rows, rows - ii),
                            smaller(tile_columns, columns - jj), first_bias ? first_bias + jj : NULL,
                            p == 0 ? beta : 1);
            }
        }
    }
    free(packed_a);
    free(packed_b);
}

void atelier_multiply_bfloat16(
    const float *a, long a_stride, bool a_transposed, const float *b, long b_stride, bool b_transposed, float *c,
    long c_stride, long m, long n, long k, const float *bias, float beta, long diagonal) {
    struct columns columns = {b, NULL, b_stride, b_transposed};
    multiply(a, a_stride, a_transposed, columns, c, c_stride, m, n, k, bias, beta, diagonal);
}

void atelier_multiply_halves(
    const float *a, long a_stride, const uint16_t *b, long b_stride, bool b_transposed, float *c, long c_stride, long m,
    long n, long k, const float *bias) {
    struct columns columns = {NULL, b, b_stride, b_transposed};
    multiply(a, a_stride, false, columns, c, c_stride, m, n, k, bias, 0, m);
}
