"""The C between views and tiles: blocks of weights where they lie, sums and differences of pairs."""

PRODUCTS = r"""
/* y (+)= f W x, a block of weights as it lies: W[o, k] at o * so + k * sk */
INLINE void NAME(block)(R *restrict y, const R *restrict x, const R *restrict w, I N, I K, I so, I sk, R f) {
  for (I o = 0; o < N; o++) {
    R t = 0;
    for (I k = 0; k < K; k++) t += w[o * so + k * sk] * x[k];
    y[o] += f * t;
  }
}
INLINE void NAME(block_outer)(R *restrict w, const R *restrict y, const R *restrict x, I N, I K, I so, I sk, R f) {
  for (I o = 0; o < N; o++) for (I k = 0; k < K; k++) w[o * so + k * sk] += f * y[o] * x[k];
}
/* plain: p, N, add, terms, d, ext.., d strides.., terms: K, N, sk, so, column, factor, s, w, s strides */
APART const I *NAME(plain)(const I *q, const double *f, R **b, const I *step, I entries) {
  I p = q[0], at[AXES] = {0}, size = 10 + p, M = 1;
  const I *ext = q + 6, *ds = ext + p, *terms = ds + p;
  for (I a = 0; a < p; a++) M *= ext[a];
  ENTRIES for (I v = 0; v < M; v++) {
    NAME(seek)(v, ext, p, at);
    R *d = AT(4) + NAME(place)(at, ds, p);
    if (!q[2]) memset(d, 0, (size_t)q[1] * sizeof(R));
    const I *o = terms;
    for (I i = 0; i < q[3]; i++, o += size)
      NAME(block)(d + o[4], b[o[6]] + o[7] + e * step[o[6]] + NAME(place)(at, o + 10, p), b[o[8]] + o[9], o[1],
                  o[0], o[3], o[2], (R)f[o[5]]);
  }
  return terms + q[3] * size;
}
/* meet: p, terms, ext.., terms: K, N, sk, so, factor, gradient, left, right, left strides.., right.. */
APART const I *NAME(meet)(const I *q, const double *f, R **b, const I *step, I entries) {
  I p = q[0], at[AXES] = {0}, size = 11 + 2 * p, M = 1;
  const I *ext = q + 2, *terms = ext + p;
  for (I a = 0; a < p; a++) M *= ext[a];
  ENTRIES for (I v = 0; v < M; v++) {
    NAME(seek)(v, ext, p, at);
    const I *o = terms;
    for (I i = 0; i < q[1]; i++, o += size)
      NAME(block_outer)(b[o[5]] + o[6], b[o[7]] + o[8] + e * step[o[7]] + NAME(place)(at, o + 11, p),
                        b[o[9]] + o[10] + e * step[o[9]] + NAME(place)(at, o + 11 + p, p), o[1], o[0], o[3], o[2],
                        (R)f[o[4]]);
  }
  return terms + q[1] * size;
}
/* sums and differences of n rows of two views */
OWN void NAME(both)(const R *x, I xs, const R *y, I ys, R *s, R *d, I ld, I n, I C) {
  I c = 0;
#define ROW(T)                                                                                      \
  NAME(T) a = ON(T, x + v * xs + c), b = ON(T, y + v * ys + c);                                     \
  ON(T, s + v * ld + c) = a + b;                                                                    \
  ON(T, d + v * ld + c) = a - b;
  STRIPS(ROW)
#undef ROW
}
/* d = p + sign q + up to three views times factors, on n rows of C numbers */
typedef struct { const R *s; I apart; R f; } NAME(more);
OWN void NAME(spread)(R *d, I ds, const R *p, const R *q, R sign, I n, I C, const NAME(more) *m, I starts) {
  I c = 0;
#define ROW(T)                                                                                      \
  NAME(T) t = ON(T, p + v * C + c) + sign * ON(T, q + v * C + c);                                   \
  for (I a = 0; a < starts; a++) t += m[a].f * ON(T, m[a].s + v * m[a].apart + c);                  \
  ON(T, d + v * ds + c) = t;
  STRIPS(ROW)
#undef ROW
}
/* pairs i <= j of n indices, in tiles, so that both orders of a pair stay near: some j from one on, for one i */
typedef struct { I i, j, run; } NAME(run_of);
INLINE void NAME(first_run)(NAME(run_of) *o, I n, I i, I j) {
  I end = (j / TILED + 1) * TILED;
  o->i = i;
  o->j = j < i ? i : j;
  o->run = (end < n ? end : n) - o->j;
}
INLINE void NAME(next_run)(NAME(run_of) *o, I n) {
  I top = o->i / TILED * TILED, left = o->j / TILED * TILED, i = o->i + 1;
  I low = top + TILED < n ? top + TILED : n, right = left + TILED < n ? left + TILED : n;
  if (i < low && i < right) NAME(first_run)(o, n, i, left);
  else if (right < n) NAME(first_run)(o, n, top, right);
  else NAME(first_run)(o, n, low, low);
}
/* the sums and differences of the pieces at q from a run on, until the pile is full */
OWN I NAME(pairs)(const I *q, I pieces, R **b, const I *step, I e, I n, NAME(run_of) *from, I rows, R *s, R *d, I K,
                     R half) {
  I full = 0;
  for (; from->i < n && full + from->run <= rows; full += from->run, NAME(next_run)(from, n)) {
    I i = from->i, j = from->j, at = full * K;
    const I *o = q;
    for (I a = 0; a < pieces; at += o[0], a++, o += 5) {
      const R *x = b[o[1]] + o[2] + e * step[o[1]];
      NAME(both)(x + i * o[3] + j * o[4], o[4], x + j * o[3] + i * o[4], o[3], s + at, d + at, K, from->run, o[0]);
    }
    if (i == j && half != 1) for (I k = 0; k < K; k++) s[full * K + k] *= half;
  }
  return full;
}
/* paired: n, N, K, rows at once, weights' rows apart, add, starts, pieces, even weights, odd, pile, d,
   pieces: C, s, strides, starts: factor, s, strides */
APART const I *NAME(paired)(const I *q, const double *f, R **b, const I *step, I entries) {
  I n = q[0], N = q[1], K = q[2], rows = q[3], ldw = q[4], starts = q[6], pieces = q[7];
  const I *piece = q + 16, *begin = piece + 5 * pieces;
  R *s = HERE(12), *t = s + rows * K, *even = t + rows * K, *odd = even + rows * N;
  ENTRIES {
    R *d = AT(14);
    NAME(run_of) from, o;
    NAME(first_run)(&from, n, 0, 0);
    while (from.i < n) {
      o = from;
      I full = NAME(pairs)(piece, pieces, b, step, e, n, &from, rows, s, t, K, 1);
      NAME(gemm)(full, N, K, s, K, 1, HERE(8), ldw, even, N, 0);
      NAME(gemm)(full, N, K, t, K, 1, HERE(10), ldw, odd, N, 0);
      for (I v = 0; v < full; v += o.run, NAME(next_run)(&o, n)) {
        I i = o.i, j = o.j, skip = i == j;
        NAME(more) m[3], l[3];
        for (I a = 0; a < starts; a++) {
          const I *u = begin + 5 * a;
          const R *x = b[u[1]] + u[2] + e * step[u[1]];
          m[a] = (NAME(more)){x + i * u[3] + j * u[4], u[4], (R)f[u[0]]};
          l[a] = (NAME(more)){x + (j + skip) * u[3] + i * u[4], u[3], (R)f[u[0]]};
        }
        R *y = d + (i * n + j) * N, *z = d + ((j + skip) * n + i) * N;
        if (q[5]) {
          m[starts] = (NAME(more)){y, N, 1};
          l[starts] = (NAME(more)){z, n * N, 1};
        }
        I more = starts + (q[5] != 0);
        NAME(spread)(y, N, even + v * N, odd + v * N, 1, o.run, N, m, more);
        NAME(spread)(z, n * N, even + (v + skip) * N, odd + (v + skip) * N, -1, o.run - skip, N, l, more);
      }
    }
  }
  return begin + 5 * starts;
}
/* meet paired: n, N, K, gradients' rows apart, rows at once, left pieces, right, even, odd, pile, ... */
APART const I *NAME(meet_paired)(const I *q, const double *f, R **b, const I *step, I entries) {
  I n = q[0], N = q[1], K = q[2], ldg = q[3], rows = q[4], left = q[5], right = q[6];
  const I *one = q + 13, *other = one + 5 * left;
  R *s = HERE(11), *t = s + rows * N, *u = t + rows * N, *v = u + rows * K;
  ENTRIES for (NAME(run_of) from = {0, 0, TILED < n ? TILED : n}; from.i < n;) {
    NAME(run_of) same = from;
    I full = NAME(pairs)(one, left, b, step, e, n, &from, rows, s, t, N, (R)0.5);
    NAME(pairs)(other, right, b, step, e, n, &same, rows, u, v, K, 1);
    NAME(gemm)(N, K, full, s, 1, N, u, K, HERE(7), ldg, 1);
    NAME(gemm)(N, K, full, t, 1, N, v, K, HERE(9), ldg, 1);
  }
  return other + 5 * right;
}
"""
