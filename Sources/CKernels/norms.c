#include "include/kernels.h"
#include "elementary.h"
#include <math.h>

CLONES void atelier_layer_norm(float *y, float *statistics, const float *x, const float *scale, const float *shift,
                               float offset, long begin, long end, long width, long rows_per_group, long groups,
                               float epsilon) {
    FAST
    for (long r = begin; r < end; r++) {
        const float *in = x + r * width;
        float *out = y + r * width;
        float mean = 0, variance = 0;
        for (long c = 0; c < width; c++) mean += in[c];
        mean /= width;
        for (long c = 0; c < width; c++) variance += (in[c] - mean) * (in[c] - mean);
        float rstd = 1.0f / sqrtf(variance / width + epsilon);
        statistics[2 * r] = mean;
        statistics[2 * r + 1] = rstd;
        long group = group_of(r, rows_per_group, groups);
        const float *a = scale ? scale + group * width : 0;
        const float *b = shift ? shift + group * width : 0;
        if (a && b) for (long c = 0; c < width; c++) out[c] = (in[c] - mean) * rstd * (offset + a[c]) + b[c];
        else if (a) for (long c = 0; c < width; c++) out[c] = (in[c] - mean) * rstd * (offset + a[c]);
        else for (long c = 0; c < width; c++) out[c] = (in[c] - mean) * rstd;
    }
}

CLONES void atelier_layer_norm_backward(float *restrict dx, const float *restrict dy, const float *restrict x,
                                        const float *statistics, const float *scale, float offset, long begin, long end,
                                        long width, long rows_per_group, long groups) {
    FAST
    for (long r = begin; r < end; r++) {
        // Rows may be as short as a head: what overlaps nothing needs no check in each of them.
        const float *restrict in = x + r * width, *restrict d = dy + r * width;
        float *restrict out = dx + r * width;
        float mean = statistics[2 * r], rstd = statistics[2 * r + 1], sum = 0, dot = 0;
        const float *a = scale ? scale + group_of(r, rows_per_group, groups) * width : 0;
        // Without a scale there is nothing at `a`, and masked reads of nothing cost hundreds of cycles each.
        if (a) for (long c = 0; c < width; c++) out[c] = d[c] * (offset + a[c]);
        const float *restrict g = a ? out : d;
        for (long c = 0; c < width; c++) {
            sum += g[c];
            dot += g[c] * (in[c] - mean);
        }
        sum /= width;
        dot *= rstd * rstd / width;
        if (a) for (long c = 0; c < width; c++) out[c] = rstd * (out[c] - sum - (in[c] - mean) * dot);
        else for (long c = 0; c < width; c++) out[c] = rstd * (d[c] - sum - (in[c] - mean) * dot);
    }
}

CLONES void atelier_layer_norm_backward_affine(float *dscale, float *dshift, const float *dy, const float *x,
                                               const float *statistics, long rows, long width, long rows_per_group,
                                               long groups, long column_begin, long column_end) {
    FAST
    for (long r = 0; r < rows; r++) {
        long group = group_of(r, rows_per_group, groups);
        float *a = dscale ? dscale + group * width : 0;
        float *b = dshift ? dshift + group * width : 0;
        const float *in = x + r * width, *d = dy + r * width;
        float mean = statistics[2 * r], rstd = statistics[2 * r + 1];
        if (a) for (long c = column_begin; c < column_end; c++) a[c] += d[c] * (in[c] - mean) * rstd;
        if (b) for (long c = column_begin; c < column_end; c++) b[c] += d[c];
    }
}

CLONES void atelier_rms_norm(float *y, float *statistics, const float *x, const float *w, long begin, long end,
                             long width, float epsilon) {
    FAST
    for (long r = begin; r < end; r++) {
        const float *in = x + r * width;
        float square = 0;
        for (long c = 0; c < width; c++) square += in[c] * in[c];
        float root = 1.0f / sqrtf(square / width + epsilon);
        statistics[r] = root;
        for (long c = 0; c < width; c++) y[r * width + c] = in[c] * root * w[c];
    }
}

CLONES void atelier_rms_norm_backward(float *dx, const float *dy, const float *x, const float *statistics,
                                      const float *w, long begin, long end, long width) {
    FAST
    for (long r = begin; r < end; r++) {
        const float *in = x + r * width, *d = dy + r * width;
        float root = statistics[r], dot = 0;
        for (long c = 0; c < width; c++) dot += d[c] * w[c] * in[c];
        dot *= root * root / width;
        for (long c = 0; c < width; c++) dx[r * width + c] = root * (d[c] * w[c] - in[c] * dot);
    }
}

CLONES void atelier_rms_norm_backward_weight(float *dw, const float *dy, const float *x, const float *statistics,
                                             long rows, long width, long column_begin, long column_end) {
    FAST
    for (long r = 0; r < rows; r++)
        for (long c = column_begin; c < column_end; c++) dw[c] += dy[r * width + c] * x[r * width + c] * statistics[r];
}

CLONES void atelier_group_norm(float *y, float *statistics, const float *x, const float *w, const float *b, long begin,
                               long end, long channels, long planes, long groups, float epsilon, bool swish) {
    FAST
    long per_group = channels / groups, n = per_group * planes;
    for (long t = begin; t < end; t++) {
        const float *in = x + t * n;
        float *out = y + t * n;
        double sum = 0, square = 0;
        for (long p = 0; p < per_group; p++) {
            float s = 0;
            for (long i = 0; i < planes; i++) s += in[p * planes + i];
            sum += s;
        }
        float mean = (float)(sum / n);
        for (long p = 0; p < per_group; p++) {
            float s = 0;
            for (long i = 0; i < planes; i++) s += (in[p * planes + i] - mean) * (in[p * planes + i] - mean);
            square += s;
        }
        float rstd = 1.0f / sqrtf((float)(square / n) + epsilon);
        statistics[2 * t] = mean;
        statistics[2 * t + 1] = rstd;
        for (long p = 0; p < per_group; p++) {
            long c = t % groups * per_group + p;
            float gain = w[c] * rstd, shift = b[c] - mean * gain;
            const float *row = in + p * planes;
            float *into = out + p * planes;
            if (swish)
                for (long i = 0; i < planes; i++) {
                    float u = row[i] * gain + shift;
                    into[i] = u * sigmoid_inline(u);
                }
            else for (long i = 0; i < planes; i++) into[i] = row[i] * gain + shift;
        }
    }
}

CLONES void atelier_group_norm_backward(float *dx, float *dw_tasks, float *db_tasks, const float *dy, const float *x,
                                        const float *statistics, const float *w, const float *b, long begin, long end,
                                        long channels, long planes, long groups, bool swish) {
    FAST
    long per_group = channels / groups, n = per_group * planes;
    for (long t = begin; t < end; t++) {
        const float *in = x + t * n, *d = dy + t * n;
        float *out = dx + t * n;
        float mean = statistics[2 * t], rstd = statistics[2 * t + 1];
        double sum = 0, dot = 0;
        for (long p = 0; p < per_group; p++) {
            long c = t % groups * per_group + p;
            float gain = w[c] * rstd, shift = b[c] - mean * gain, s = 0, q = 0;
            const float *row = in + p * planes, *drow = d + p * planes;
            float *into = out + p * planes;
            for (long i = 0; i < planes; i++) {
                float g = drow[i];
                if (swish) {
                    float u = row[i] * gain + shift, e = sigmoid_inline(u);
                    g = g * e * (1.0f + u * (1.0f - e));
                }
                into[i] = g;
                s += g;
                q += g * (row[i] - mean);
            }
            if (dw_tasks) dw_tasks[t * per_group + p] = q * rstd;
            if (db_tasks) db_tasks[t * per_group + p] = s;
            sum += (double)s * w[c];
            dot += (double)q * w[c];
        }
        float average = (float)(sum / n), slope = (float)(dot / n) * rstd * rstd;
        for (long p = 0; p < per_group; p++) {
            float gain = w[t % groups * per_group + p];
            const float *row = in + p * planes;
            float *into = out + p * planes;
            for (long i = 0; i < planes; i++) into[i] = rstd * (into[i] * gain - average - (row[i] - mean) * slope);
        }
    }
}
