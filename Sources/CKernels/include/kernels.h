// Hot loops, forward beside backward. Every kernel is serial and works on the rows it is given; the caller splits the
// rows over threads with `atelier_parallel`. Matrices are row-major and contiguous unless a stride is passed. Gradients
// are prefixed `d`. Kernels whose gradient is shared by many rows (weights) accumulate with `+=` and split by columns
// instead, so that a result never depends on the number of threads.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// --- threads.c
// Threads used by `atelier_parallel`, the caller included: ATELIER_THREADS, or as many as this process has processors.
long atelier_thread_count(void);
// Calls body(context, begin, end) for contiguous ranges that cover [0, count), each a multiple of `grain` long but the
// last.
void atelier_parallel(long count, long grain, void (*body)(void *context, long begin, long end), void *context);

// --- processors.c
// Those this process may run on, or fewer where its control groups are given the time of fewer.
long atelier_processor_count(void);
// How many processors' time the control group at the folder `group` is given, rounded up; 0 where it has no limit.
long atelier_processor_quota(const char *group);

// --- memory.c
// Keeps freed blocks in the process: activations of one step serve the next instead of going back to the kernel and
// being zeroed.
void atelier_keep_freed_memory(void);

// --- elementwise.c   (n floats)
void atelier_fill(float *y, float value, long n);
void atelier_add(float *y, const float *a, const float *b, long n);              // y = a + b
void atelier_accumulate(float *y, const float *x, float scale, long n);          // y += scale·x
void atelier_scale(float *y, const float *x, float scale, long n);               // y = scale·x
void atelier_multiply(float *y, const float *a, const float *b, long n);         // y = a·b
void atelier_gelu(float *y, const float *x, long n);                             // tanh approximation
void atelier_gelu_backward(float *dx, const float *x, const float *dy, long n);  // ∂GELU/∂x · dy
void atelier_gelu_exact(float *y, const float *x, long n);
void atelier_gelu_exact_backward(float *dx, const float *x, const float *dy, long n);
void atelier_swish(float *y, const float *x, float slope, long n);               // x·sigmoid(slope·x)
void atelier_swish_backward(float *dx, const float *x, const float *dy, float slope, long n);
void atelier_relu(float *y, const float *x, long n);
void atelier_relu_backward(float *dx, const float *y, const float *dy, long n);  // from the output
double atelier_sum(const float *x, long n);
double atelier_sum_of_squares(const float *x, long n);
float atelier_max_abs(const float *x, long n);
// Rows that share a vector: row r uses v[(r / rows_per_group) · width ...].
void atelier_add_rows(float *y, const float *x, const float *v, long begin, long end, long width, long rows_per_group,
                      long group_count);
void atelier_multiply_rows(float *y, const float *x, const float *v, long begin, long end, long width,
                           long rows_per_group);
// y = x + g · v[group], rows in groups as above.
void atelier_add_gated_rows(float *y, const float *x, const float *g, const float *v, long begin, long end, long width,
                            long rows_per_group);
// y [columns, rows] = x [rows, columns] turned.
void atelier_transpose(float *y, const float *x, long rows, long columns);
// Rows [begin, end) of a square x: what lies below the diagonal becomes what lies above it.
void atelier_mirror(float *x, long stride, long begin, long end);
// dv[g, c] += Σ_r dy[r, c] (· x[r, c] when x is given) for the columns [column_begin, column_end) of
// `group_count` groups.
void atelier_reduce_rows(float *dv, const float *dy, const float *x, long rows, long width, long rows_per_group,
                         long group_count, long column_begin, long column_end);

// --- half_weights.c, int8_weights.c
// The most rows of x that a call of theirs takes: with more, sums would not stay in registers. Others end the process.
enum { atelier_most_mapped_rows = 8 };

// --- half_weights.c   (weights in bfloat16, the upper halves of floats)
void atelier_widen_bfloat16(float *y, const uint16_t *x, long n);
// The nearest of the halves, the even one of two that are as near; x holds numbers.
void atelier_round_bfloat16(uint16_t *y, const float *x, long n);
bool atelier_is_finite_bfloat16(const uint16_t *x, long n);
// y[m, k up to a multiple of 32] = x[m, k], of each 32 numbers the even ones before the odd ones; zeros behind k.
void atelier_deal_floats(float *y, const float *x, long x_stride, long m, long k);
// y[m, row] = x[m, k] · w[row, k] (+ bias[row]) for the rows [begin, end) of w; m is 1 to
// atelier_most_mapped_rows, and x dealt as above.
void atelier_project_bfloat16(float *y, long y_stride, const float *x, const uint16_t *w, const float *bias, long m,
                              long k, long begin, long end);

// --- few_rows.c   (weights in floats, read as they lie)
// So many rows or fewer are faster with atelier_project_floats than with a product that packs the weights first.
long atelier_few_rows(void);
// y[m, row] = x[m, k] · w[row, k] (+ bias[row]) for the rows [begin, end) of w; every number the same whatever else is
// computed with it.
void atelier_project_floats(float *y, long y_stride, const float *x, long x_stride, const float *w, long w_stride,
                            const float *bias, long m, long k, long begin, long end);

// --- int8_weights.c   (weights in eight bits, each row times its scale)
void atelier_widen_int8(float *y, const int8_t *x, const float *scales, long rows, long k);
// y[m, row] = x[m, k] · w[row, k] · scales[row] (+ bias[row]) for the rows [begin, end) of w; m is 1 to
// atelier_most_mapped_rows.
void atelier_project_int8(float *y, long y_stride, const float *x, const int8_t *w, const float *scales,
                          const float *bias, long m, long k, long begin, long end);

// --- norms.c
// y = (x − mean)·rstd·(offset + scale[g]) + shift[g]; g = r / rows_per_group mod groups. scale and shift may be
// NULL.
// statistics[2·r] = mean, [2·r+1] = rstd.
void atelier_layer_norm(float *y, float *statistics, const float *x, const float *scale, const float *shift,
                        float offset, long begin, long end, long width, long rows_per_group, long groups,
                        float epsilon);
void atelier_layer_norm_backward(float *dx, const float *dy, const float *x, const float *statistics,
                                 const float *scale, float offset, long begin, long end, long width,
                                 long rows_per_group, long groups);
void atelier_layer_norm_backward_affine(float *dscale, float *dshift, const float *dy, const float *x,
                                        const float *statistics, long rows, long width, long rows_per_group,
                                        long groups, long column_begin, long column_end);
// y = w · x / sqrt(mean(x²) + ε); statistics[r] = the reciprocal root.
void atelier_rms_norm(float *y, float *statistics, const float *x, const float *w, long begin, long end, long width,
                      float epsilon);
void atelier_rms_norm_backward(float *dx, const float *dy, const float *x, const float *statistics, const float *w,
                               long begin, long end, long width);
void atelier_rms_norm_backward_weight(float *dw, const float *dy, const float *x, const float *statistics, long rows,
                                      long width, long column_begin, long column_end);
// Group norm over planes: x is [B, C, P]; task t = b · groups + g. `swish` applies x·sigmoid(x) after the affine map.
void atelier_group_norm(float *y, float *statistics, const float *x, const float *w, const float *b, long begin,
                        long end, long channels, long planes, long groups, float epsilon, bool swish);
// dw_tasks, db_tasks: [tasks, C/groups], one row a task, reduced by the caller over the batch.
void atelier_group_norm_backward(float *dx, float *dw_tasks, float *db_tasks, const float *dy, const float *x,
                                 const float *statistics, const float *w, const float *b, long begin, long end,
                                 long channels, long planes, long groups, bool swish);

// --- attention.c
// In place over rows of scores [rows, keys] (row stride `stride`): softmax over the first visible[r] keys (all when
// NULL), rest 0. `logit_scale` multiplies the scores, then `bias` (stride bias_stride) is added when given.
void atelier_softmax(float *scores, const float *bias, const int32_t *visible, long rows, long keys, long stride,
                     long bias_stride, float logit_scale);
// In place: dscores becomes p·(dp − Σ p·dp)·logit_scale.
void atelier_softmax_backward(float *dp, const float *p, long rows, long keys, long stride, float logit_scale);
// The first heads·head_width columns of rows of `stride` floats, from x to y: L2-normalized (ε 1e-12) when `normalize`,
// times gain[h] when given, then rotated when cosine is given ([tokens, head_width/2], row r uses token r % tokens):
// adjacent channels pair up, or with `halves` channel i with i + head_width/2. norms[r, h] keeps 1/max(‖x‖, ε).
void atelier_heads(float *y, float *norms, const float *x, long stride, const float *gain, const float *cosine,
                   const float *sine, long begin, long end, long tokens, long heads, long head_width, bool normalize,
                   bool halves);
// dx = … in the same columns; dgain_rows [rows, heads] is written when given.
void atelier_heads_backward(float *dx, long stride, float *dgain_rows, const float *dy, const float *x,
                            const float *norms, const float *gain, const float *cosine, const float *sine, long begin,
                            long end, long tokens, long heads, long head_width, bool normalize, bool halves);

// --- losses.c
// Two-class cross-entropy per bit: logits [n, 2], bits[n] in {0, 1}. Returns Σ w·loss and writes dlogits =
// w·(p − onehot) when given. The weight of bit i is weights[i / bits_per_weight].
double atelier_bit_cross_entropy(float *dlogits, const float *logits, const uint8_t *bits, const float *weights, long n,
                                 long bits_per_weight);
// Σ w·KL(teacher ‖ student) over two-class bits; dstudent = w·(p_s − p_t).
double atelier_bit_divergence(float *dstudent, const float *student, const float *teacher, const float *weights, long n,
                              long bits_per_weight);
// Softmax cross-entropy rows [begin, end) of [rows, classes]; target < 0 skips the row. losses[r] (unweighted) and
// dlogits = weight·(p − onehot) are written.
void atelier_cross_entropy(float *losses, float *dlogits, const float *logits, const int32_t *targets, float weight,
                           long begin, long end, long classes);
// KL(softmax(teacher) ‖ softmax(student)) of rows [begin, end) of [rows, classes] into losses (unweighted); dstudent =
// weight·(p_s − p_t).
void atelier_divergence(float *losses, float *dstudent, const float *student, const float *teacher, float weight,
                        long begin, long end, long classes);

// --- convolution.c
// Columns of a band of output rows [row_begin, row_end): columns [C·kh·kw, (row_end − row_begin)·out_w] of x [C, H, W].
void atelier_im2col(float *columns, const float *x, long channels, long height, long width, long kernel, long stride,
                    long pad_top, long pad_left, long out_width, long row_begin, long row_end);
void atelier_col2im(float *dx, const float *columns, long channels, long height, long width, long kernel, long stride,
                    long pad_top, long pad_left, long out_width, long row_begin, long row_end);         // +=
void atelier_upsample_nearest(float *y, const float *x, long begin, long end, long height, long width); // planes, ×2
void atelier_upsample_nearest_backward(float *dx, const float *dy, long begin, long end, long height, long width);

// --- resize.c
// A linear map along one dimension: output i is Σ weights[t] · input[indices[t]] for t in [starts[i], starts[i + 1]).
struct atelier_taps { const int32_t *starts, *indices; const float *weights; long count; };
// Planes [begin, end) of x [planes, height, width] to y [planes, down->count, across->count]; half holds height ·
// across->count floats.
void atelier_resize(float *y, const float *x, float *half, const struct atelier_taps *down,
                    const struct atelier_taps *across, long begin, long end, long height, long width);

// --- optimizer.c
// Decoupled weight decay (Loshchilov and Hutter 2019): p *= 1 − lr·wd; m, v; p −= step · m / (sqrt(v)·root + ε).
void atelier_adamw(float *p, float *m, float *v, const float *g, long n, float learning_rate, float beta1, float beta2,
                   float epsilon, float weight_decay, float correction1, float correction2, float gradient_scale);

// --- optimizer_8bit.c
// A byte a number, in blocks that share a scale: codes of numbers spread over seven powers of ten.
enum { atelier_codes_block = 256 };
struct atelier_moment { uint8_t *codes; float *scales; };
void atelier_read_codes(float *values, const uint8_t *stored, const float *scales, bool is_signed, long n);
void atelier_write_codes(uint8_t *stored, float *scales, const float *values, bool is_signed, long n);
// AdamW whose moments are kept so between steps; p, codes and g start at a block.
void atelier_adamw_8bit(float *p, struct atelier_moment first, struct atelier_moment second, const float *g, long n,
                        float learning_rate, float beta1, float beta2, float epsilon, float weight_decay,
                        float correction1, float correction2, float gradient_scale);

// --- bfloat16.c
bool atelier_has_bfloat16(void);
// c = a · b + bias + beta · c with operands rounded to bfloat16; bias [n] is added to every row unless it is NULL. What
// lies below row = column + diagonal may be left as it was: nothing where `diagonal` is m. Only where
// atelier_has_bfloat16().
void atelier_multiply_bfloat16(
    const float *a, long a_stride, bool a_transposed, const float *b, long b_stride, bool b_transposed, float *c,
    long c_stride, long m, long n, long k, const float *bias, float beta, long diagonal);
// c = a · b + bias, b in bfloat16 as it lies; else the same.
void atelier_multiply_halves(
    const float *a, long a_stride, const uint16_t *b, long b_stride, bool b_transposed, float *c, long c_stride, long m,
    long n, long k, const float *bias);

// --- attention_bfloat16.c
// One head: out[t] = softmax over the first visible[t] keys (all when NULL) of logit_scale · q·k, times v. Strides are
// in floats; width is a multiple of 32, logit_scale positive. Operands are rounded to bfloat16. Only where
// atelier_has_bfloat16().
enum { atelier_attention_most_keys = 1024, atelier_attention_most_width = 256 };
struct atelier_attention {
    const float *q, *k, *v;
    long q_stride, k_stride, v_stride, queries, keys, width;
    const int32_t *visible;
    float logit_scale;
};
// dq is written; dk and dv are added to.
struct atelier_attention_gradients {
    float *q, *k, *v;
    long q_stride, k_stride, v_stride;
};
// sums[t] keeps log Σ exp of a row's scores for the backward pass.
void atelier_attention_bfloat16(const struct atelier_attention *a, float *out, long out_stride, float *sums);
void atelier_attention_bfloat16_backward(
    const struct atelier_attention *a, const struct atelier_attention_gradients *d, const float *out, const float *dout,
    long out_stride, const float *sums);

// --- convolution_bfloat16.c
// At stride 1; out_width is a multiple of 16. x [B, C, H, W], w [O, C·k·k], y [B, O, out_height, out_width]. Operands
// are rounded to bfloat16. Only where atelier_has_bfloat16().
struct atelier_convolution {
    long channels, height, width, outputs, kernel, pad_top, pad_left, out_height, out_width;
};
// Writes positions [begin, end) of y, counted through all pictures, multiples of 16. Each is summed by itself: its bits
// are the same whatever is written with it. bias [O], or NULL.
void atelier_convolution_bfloat16(
    const struct atelier_convolution *s, float *y, const float *x, const float *w, const float *bias, long begin,
    long end);
// dw = Σ over the pictures [begin, end) of dy · columnsᵀ.
void atelier_convolution_bfloat16_weights(
    const struct atelier_convolution *s, float *dw, const float *x, const float *dy, long begin, long end);
