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
/* sums and differences of rows of two views */
INLINE void NAME(both_run)(const R *restrict x, I xs, const R *restrict y, I ys, R *restrict s, R *restrict d, I ld,
                           I n, I C) {
  for (I v = 0; v < n; v++, x += xs, y += ys, s += ld, d += ld)
    for (I c = 0; c < C; c++) { R a = x[c], b = y[c]; s[c] = a + b; d[c] = a - b; }
}
APART void NAME(both)(const R *x, I xs, const R *y, I ys, R *s, R *d, I ld, I n, I C) {
  switch (C) {
    case 8: NAME(both_run)(x, xs, y, ys, s, d, ld, n, 8); break;
    case 16: NAME(both_run)(x, xs, y, ys, s, d, ld, n, 16); break;
    case 32: NAME(both_run)(x, xs, y, ys, s, d, ld, n, 32); break;
    default: for (I c = 0; c < C; c += 16)
      NAME(both_run)(x + c, xs, y + c, ys, s + c, d + c, ld, n, C - c < 16 ? C - c : 16);
  }
}
/* d = p + sign q + up to three views times factors, on n rows */
typedef struct { const R *s; I apart; R f; } NAME(more);
INLINE void NAME(spread_run)(R *d, I ds, const R *restrict p, const R *restrict q, R sign, I n, I N, I C,
                             const NAME(more) *m, I starts) {
  for (I v = 0; v < n; v++, d += ds, p += N, q += N) {
    R t[16];
    for (I c = 0; c < C; c++) t[c] = p[c] + sign * q[c];
    for (I a = 0; a < starts; a++) {
      const R *x = m[a].s + v * m[a].apart;
      for (I c = 0; c < C; c++) t[c] += m[a].f * x[c];
    }
    for (I c = 0; c < C; c++) d[c] = t[c];
  }
}
APART void NAME(spread)(R *d, I ds, const R *p, const R *q, R sign, I n, I N, NAME(more) *m, I starts) {
  I c = 0;
  for (; c + 16 <= N; c += 16, d += 16, p += 16, q += 16) {
    if (starts == 2) NAME(spread_run)(d, ds, p, q, sign, n, N, 16, m, 2);
    else NAME(spread_run)(d, ds, p, q, sign, n, N, 16, m, starts);
    for (I i = 0; i < starts; i++) m[i].s += 16;
  }
  for (; c < N; c++, d++, p++, q++) {
    NAME(spread_run)(d, ds, p, q, sign, n, N, 1, m, starts);
    for (I i = 0; i < starts; i++) m[i].s++;
  }
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
APART I NAME(pairs)(const I *q, I pieces, R **b, const I *step, I e, I n, NAME(run_of) *from, I rows, R *s, R *d, I K,
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
"""
