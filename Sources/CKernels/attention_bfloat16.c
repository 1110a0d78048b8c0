// Attention of one head with operands rounded to bfloat16 and sums kept in float. As in FlashAttention (Dao et al.,
// arXiv 2205.14135) probabilities are never kept: the backward pass computes them again from the scores and each row's
// log Σ exp. 12 queries at a time stay in the first cache; for the gradients of keys and values, which sum over
// queries, probabilities and scores' gradients of a block of queries are packed as they arise.
#include "bfloat16.h"
#include "include/kernels.h"
#include <math.h>
#include <string.h>

enum {
    most_keys = atelier_attention_most_keys,
    most_width = atelier_attention_most_width,
    query_words = most_width / 2 + 16, // a row of queries, rounded
    key_words = most_keys / 2 + 16,    // a row of probabilities, rounded
    score_stride = most_keys + 16,
    block_queries = 32 * tile_rows
};

// e^x for x up to 0 and a little more (relative error below 1e-6); from −87 down it stays e^−87, and what is no number
// stays none.
TARGET_INLINE floats exp_of(floats x) {
    x = larger(all(-87), x);
    floats n = nearest_whole(x * all(1.44269504f));
    floats r = multiply_add(n, all(-0.693359375f), x);
    r = multiply_add(n, all(2.12194440e-4f), r);
    floats p = multiply_add(all(1.3981999507e-3f), r, all(8.3334519073e-3f));
    p = multiply_add(p, r, all(4.1665795894e-2f));
    p = multiply_add(p, r, all(1.6666665459e-1f));
    p = multiply_add(p, r, all(5.0000001201e-1f));
    p = multiply_add(p * r, r, r + all(1));
    return times_power(p, n);
}

TARGET static long seen(const struct atelier_attention *a, long query) {
    return a->visible ? smaller(a->visible[query], a->keys) : a->keys;
}

// Most keys that one of `count` queries sees.
TARGET static long most_seen(const struct atelier_attention *a, long first, long count) {
    long most = 0;
    for (long i = 0; i < count; i++) {
        long n = seen(a, first + i);
        most = n > most ? n : most;
    }
    return most;
}

// Rows of keys or values as the columns of a product over the width: tiles [width / 2][tile_columns].
TARGET static void pack_keys(uint32_t *out, const float *x, long stride, long keys, long width) {
    for (long start = 0; start < keys; start += tile_columns, out += width / 2 * tile_columns)
        pack_lines(out, x + start * stride, false, stride, keys - start, width, tile_columns);
}

// scores[12, keys] = rows · keysᵀ.
TARGET static void score(float *scores, const uint32_t *rows, const uint32_t *keys, long count, long width) {
    for (long start = 0; start < count; start += tile_columns, keys += width / 2 * tile_columns) {
        floats sum[tile_rows][2];
        tile_product(sum, rows, query_words, 1, keys, width / 2);
        store_tile(scores + start, score_stride, sum, tile_rows, tile_columns, NULL, 0);
    }
}

// out[rows, width] = weights · values, each row times its factor; `pairs` is the depth of the packed values.
TARGET static void weigh(
    float *out, long stride, const uint32_t *weights, const uint32_t *values, long pairs, long keys, long rows,
    long width, const float *factors) {
    for (long start = 0; start < width; start += tile_columns, values += pairs * tile_columns) {
        floats sum[tile_rows][2];
        tile_product(sum, weights, key_words, 1, values, (keys + 1) / 2);
#pragma clang loop unroll(full)
        for (int i = 0; i < tile_rows; i++) {
            floats factor = all(i < rows ? factors[i] : 0);
            sum[i][0] *= factor;
            sum[i][1] *= factor;
        }
        store_tile(out + start, stride, sum, rows, tile_columns, NULL, 0);
    }
}

// Scores of a row become exponentials, rounded; those past `visible`, up to `keys`, become 0. Gives their sum and the
// largest score.
TARGET static float exponentials(
    uint32_t *out, const float *scores, long visible, long keys, float logit_scale, float *largest) {
    floats most = all(-INFINITY), total = all(0), scale = all(logit_scale);
    for (long j = 0; j < visible; j += lanes) most = first_of(larger(most, load(scores + j)), visible - j, most);
    // With a positive scale the largest score stays the largest.
    *largest = visible > 0 ? logit_scale * largest_of(most) : 0;
    floats shift = all(-*largest);
    for (long j = 0; j < keys; j += 2 * lanes) {
        floats low = exp_of(multiply_add(scale, load(scores + j), shift));
        floats high = exp_of(multiply_add(scale, load(scores + j + lanes), shift));
        if (j + 2 * lanes > visible) {
            low = first_of(low, visible - j, all(0));
            high = first_of(high, visible - j - lanes, all(0));
        }
        total += low + high;
        store_words(out + j / 2, halves_of(low, high));
    }
    return sum_of(total);
}

TARGET void atelier_attention_bfloat16(const struct atelier_attention *a, float *out, long out_stride, float *sums) {
    long width = a->width, pairs = (a->keys + 1) / 2;
    uint32_t *keys = words(rounded_up(a->keys, tile_columns) * (width / 2)), *values = words(pairs * width + 16);
    uint32_t *query = words(tile_rows * query_words), *weights = words(tile_rows * key_words);
    float *scores = (float *)words(tile_rows * score_stride);
    pack_keys(keys, a->k, a->k_stride, a->keys, width);
    pack_rows(values, a->v, a->v_stride, width, a->keys, tile_columns);
    for (long first = 0; first < a->queries; first += tile_rows) {
        long rows = smaller(tile_rows, a->queries - first), most = most_seen(a, first, rows);
        float inverse[tile_rows], largest;
        round_lines(query, query_words, a->q + first * a->q_stride, a->q_stride, rows, width);
        score(scores, query, keys, most, width);
        for (long i = 0; i < rows; i++) {
            float sum = exponentials(
                weights + i * key_words, scores + i * score_stride, seen(a, first + i), most, a->logit_scale, &largest);
            sums[first + i] = sum > 0 ? largest + logf(sum) : 0;
            inverse[i] = sum > 0 ? 1 / sum : 0;
        }
        weigh(out + first * out_stride, out_stride, weights, values, pairs, most, rows, width, inverse);
    }
    free(keys); free(values); free(query); free(weights); free(scores);
}

// What the backward pass of one head keeps.
struct backward {
    // Keys and values as columns over the width; keys as columns over the keys.
    uint32_t *keys, *values, *key_rows;
    // 12 rows of queries, of dout, and of the scores' gradients.
    uint32_t *query, *dquery, *dweights;
    float *scores, *dweight_scores;
    // Probabilities and scores' gradients of a block of queries: tiles [queries / 2][tile_columns].
    uint32_t *probabilities, *dscores;
    // Queries and dout of a block as the rows of a product over queries: tiles [queries / 2][8].
    uint32_t *query_columns, *dout_columns;
    float *transposed; // [width, keys]
};

// A row's probabilities p = exp(s − sum) and scores' gradients p · (dp − dot) · scale; zeros past what it sees.
TARGET_INLINE void row_gradients(
    floats *p, floats *ds, const float *scores, const float *dp, long visible, long j, float sum, float dot,
    float scale) {
    *p = exp_of(multiply_add(all(scale), load(scores + j), all(-sum)));
    *ds = *p * all(scale) * (load(dp + j) - all(dot));
    if (j + lanes > visible) {
        *p = first_of(*p, visible - j, all(0));
        *ds = first_of(*ds, visible - j, all(0));
    }
}

// Rows i and i + 1 of 12, whose pair of queries is number `pair` of its block.
TARGET static void pair_gradients(
    const struct atelier_attention *a, struct backward *b, const float *sums, const float *dots, long first, long i,
    long rows, long most, long pair, long block_pairs) {
    long see0 = i < rows ? seen(a, first + i) : 0, see1 = i + 1 < rows ? seen(a, first + i + 1) : 0;
    float sum0 = i < rows ? sums[first + i] : 0, sum1 = i + 1 < rows ? sums[first + i + 1] : 0;
    const float *s0 = b->scores + i * score_stride, *s1 = s0 + score_stride;
    const float *d0 = b->dweight_scores + i * score_stride, *d1 = d0 + score_stride;
    for (long j = 0; j < most; j += tile_columns) {
        long place = (j / tile_columns * block_pairs + pair) * tile_columns;
        floats p0[2], p1[2], g0[2], g1[2];
#pragma clang loop unroll(full)
        for (int h = 0; h < 2; h++) {
            row_gradients(&p0[h], &g0[h], s0, d0, see0, j + lanes * h, sum0, dots[i], a->logit_scale);
            row_gradients(&p1[h], &g1[h], s1, d1, see1, j + lanes * h, sum1, dots[i + 1], a->logit_scale);
            store_words(b->probabilities + place + lanes * h, pairs_of(p0[h], p1[h]));
            store_words(b->dscores + place + lanes * h, pairs_of(g0[h], g1[h]));
        }
        store_words(b->dweights + i * key_words + j / 2, halves_of(g0[0], g0[1]));
        store_words(b->dweights + (i + 1) * key_words + j / 2, halves_of(g1[0], g1[1]));
    }
}

// Σ dout · out of each row.
TARGET static void row_dots(float *dots, const float *dout, const float *out, long stride, long rows, long width) {
    for (long i = 0; i < tile_rows; i++) {
        floats dot = all(0);
        for (long c = 0; i < rows && c < width; c += lanes)
            dot = multiply_add(load(dout + i * stride + c), load(out + i * stride + c), dot);
        dots[i] = sum_of(dot);
    }
}

// target[key, width] += Σ over a block's queries of weights[query, key] · rows[query, width], for keys in [0, keys).
// starts[t] is the first pair of queries that sees tile t of keys.
TARGET static void sum_over_queries(
    float *target, long stride, const uint32_t *rows, const uint32_t *weights, float *transposed, const long *starts,
    long pairs, long block_pairs, long keys, long width) {
    long columns = rounded_up(keys, tile_columns);
    for (long t = 0; t < columns / tile_columns; t++) {
        long skipped = smaller(starts[t], pairs);
        const uint32_t *tile = weights + (t * block_pairs + skipped) * tile_columns;
        for (long w = 0; w < width; w += short_rows) {
            floats sum[tile_rows][2];
            rows_product(
                sum, short_rows, rows + w * pairs + skipped * short_rows, 1, short_rows, tile, pairs - skipped);
            store_tile(transposed + w * tile_columns, tile_columns, sum, short_rows, tile_columns, NULL, 0);
        }
        for (long half = 0; half < 2; half++)
            for (long w = 0; w < width; w += lanes) {
                halves block[lanes];
#pragma clang loop unroll(full)
                for (long i = 0; i < lanes; i++)
                    block[i] = (halves)load(transposed + (w + i) * tile_columns + lanes * half);
                transpose(block);
                long first = t * tile_columns + lanes * half;
                for (long i = 0; i < lanes && first + i < keys; i++) {
                    float *row = target + (first + i) * stride + w;
                    store(row, load(row) + (floats)block[i]);
                }
            }
    }
}

TARGET static void block_backward(
    const struct atelier_attention *a, struct backward *b, const struct atelier_attention_gradients *d,
    const float *out, const float *dout, long out_stride, const float *sums, long begin, long end) {
    long width = a->width, block_pairs = (end - begin + tile_rows - 1) / tile_rows * (tile_rows / 2);
    long starts[most_keys / tile_columns], known = 0, key_tiles = (a->keys + tile_columns - 1) / tile_columns;
    float ones[tile_rows];
    for (long i = 0; i < tile_rows; i++) ones[i] = 1;
    for (long first = begin; first < end; first += tile_rows) {
        long rows = smaller(tile_rows, end - first), most = most_seen(a, first, rows), pair = (first - begin) / 2;
        float dots[tile_rows];
        round_lines(b->query, query_words, a->q + first * a->q_stride, a->q_stride, rows, width);
        round_lines(b->dquery, query_words, dout + first * out_stride, out_stride, rows, width);
        score(b->scores, b->query, b->keys, most, width);
        score(b->dweight_scores, b->dquery, b->values, most, width);
        row_dots(dots, dout + first * out_stride, out + first * out_stride, out_stride, rows, width);
        for (long i = 0; i < tile_rows; i += 2)
            pair_gradients(a, b, sums, dots, first, i, rows, most, pair + i / 2, block_pairs);
        weigh(
            d->q + first * d->q_stride, d->q_stride, b->dweights, b->key_rows, (a->keys + 1) / 2, most, rows, width,
            ones);
        // Tiles of keys that these queries are the first to see, and those that they do not see but others did.
        long tiles = (most + tile_columns - 1) / tile_columns;
        for (; known < tiles; known++) starts[known] = pair;
        for (long t = tiles; t < known; t++) {
            long place = (t * block_pairs + pair) * tile_columns, bytes = tile_rows / 2 * tile_columns * 4;
            memset(b->probabilities + place, 0, bytes);
            memset(b->dscores + place, 0, bytes);
        }
    }
    for (; known < key_tiles; known++) starts[known] = block_pairs;
    long pairs = (end - begin + 1) / 2;
    pack_rows(b->query_columns, a->q + begin * a->q_stride, a->q_stride, width, end - begin, short_rows);
    pack_rows(b->dout_columns, dout + begin * out_stride, out_stride, width, end - begin, short_rows);
    sum_over_queries(
        d->v, d->v_stride, b->dout_columns, b->probabilities, b->transposed, starts, pairs, block_pairs, a->keys,
        width);
    sum_over_queries(
        d->k, d->k_stride, b->query_columns, b->dscores, b->transposed, starts, pairs, block_pairs, a->keys, width);
}

TARGET void atelier_attention_bfloat16_backward(
    const struct atelier_attention *a, const struct atelier_attention_gradients *d, const float *out, const float *dout,
    long out_stride, const float *sums) {
    long width = a->width, columns = rounded_up(a->keys, tile_columns), pairs = (a->keys + 1) / 2;
    long queries = rounded_up(smaller(a->queries, block_queries), tile_rows);
    struct backward b = {
        .keys = words(columns * (width / 2)), .values = words(columns * (width / 2)),
        .key_rows = words(pairs * width + 16),
        .query = words(tile_rows * query_words), .dquery = words(tile_rows * query_words),
        .dweights = words(tile_rows * key_words), .scores = (float *)words(tile_rows * score_stride),
        .dweight_scores = (float *)words(tile_rows * score_stride), .probabilities = words(columns * (queries / 2)),
        .dscores = words(columns * (queries / 2)), .query_columns = words((width + packed_lines) * (queries / 2)),
        .dout_columns = words((width + packed_lines) * (queries / 2)),
        .transposed = (float *)words((width + tile_rows) * tile_columns)};
    pack_keys(b.keys, a->k, a->k_stride, a->keys, width);
    pack_keys(b.values, a->v, a->v_stride, a->keys, width);
    pack_rows(b.key_rows, a->k, a->k_stride, width, a->keys, tile_columns);
    for (long begin = 0; begin < a->queries; begin += block_queries)
        block_backward(a, &b, d, out, dout, out_stride, sums, begin, smaller(begin + block_queries, a->queries));
    free(b.keys); free(b.values); free(b.key_rows); free(b.query); free(b.dquery); free(b.dweights); free(b.scores);
    free(b.dweight_scores); free(b.probabilities); free(b.dscores); free(b.query_columns); free(b.dout_columns);
    free(b.transposed);
}
