"""The C that runs a program of `catnn.native.program`: nine instructions on strided views, channels last.

One text for all layers, so it is compiled once a machine.  A program is a table of 64-bit integers; a view is a buffer,
an offset in elements and a stride for each axis.  Everything is done for a few entries of the batch after others, so
that what lies between input and output stays in the cache.
"""

from __future__ import annotations

KERNELS = r"""
INLINE void NAME(copy_run)(const R *restrict s, I ss, R *restrict d, I ds, I n, I C) {
  for (I v = 0; v < n; v++, s += ss, d += ds) for (I c = 0; c < C; c++) d[c] = s[c];
}
static void NAME(copies)(const R *s, I ss, R *d, I ds, I n, I C) {
  switch (C) {
    case 1: NAME(copy_run)(s, ss, d, ds, n, 1); break;
    case 4: NAME(copy_run)(s, ss, d, ds, n, 4); break;
    case 8: NAME(copy_run)(s, ss, d, ds, n, 8); break;
    case 16: NAME(copy_run)(s, ss, d, ds, n, 16); break;
    case 32: NAME(copy_run)(s, ss, d, ds, n, 32); break;
    default: for (I v = 0; v < n; v++) memcpy(d + v * ds, s + v * ss, (size_t)C * sizeof(R));
  }
}
INLINE void NAME(add_run)(R *restrict d, I ds, const R *restrict s, I ss, I n, I C, R f) {
  for (I v = 0; v < n; v++, s += ss, d += ds) for (I c = 0; c < C; c++) d[c] += f * s[c];
}
static void NAME(adds)(R *d, I ds, const R *s, I ss, I n, I C, R f) {
  switch (C) {
    case 1: NAME(add_run)(d, ds, s, ss, n, 1, f); break;
    case 4: NAME(add_run)(d, ds, s, ss, n, 4, f); break;
    case 8: NAME(add_run)(d, ds, s, ss, n, 8, f); break;
    case 16: NAME(add_run)(d, ds, s, ss, n, 16, f); break;
    case 32: NAME(add_run)(d, ds, s, ss, n, 32, f); break;
    default: NAME(add_run)(d, ds, s, ss, n, C, f);
  }
}
INLINE void NAME(set_run)(R *restrict d, I ds, const R *restrict s, I ss, I n, I C, R f) {
  for (I v = 0; v < n; v++, s += ss, d += ds) for (I c = 0; c < C; c++) d[c] = f * s[c];
}
static void NAME(sets)(R *d, I ds, const R *s, I ss, I n, I C, R f) {
  switch (C) {
    case 1: NAME(set_run)(d, ds, s, ss, n, 1, f); break;
    case 4: NAME(set_run)(d, ds, s, ss, n, 4, f); break;
    case 8: NAME(set_run)(d, ds, s, ss, n, 8, f); break;
    case 16: NAME(set_run)(d, ds, s, ss, n, 16, f); break;
    case 32: NAME(set_run)(d, ds, s, ss, n, 32, f); break;
    default: NAME(set_run)(d, ds, s, ss, n, C, f);
  }
}
INLINE void NAME(sum_chunk)(R *restrict d, const R *restrict s, I st, I t, I W, R f) {
  R a[64];
  for (I c = 0; c < W; c++) a[c] = 0;
  for (I k = 0; k < t; k++, s += st) for (I c = 0; c < W; c++) a[c] += s[c];
  for (I c = 0; c < W; c++) d[c] = f * a[c];
}
INLINE void NAME(sum_rows)(R *restrict d, const R *restrict s, I st, I C, int four, int add, R f) {
  const R *restrict t = s + st, *restrict u = t + st, *restrict v = u + st;
  for (I c = 0; c < C; c += 16) for (int e = 0; e < 16; e++) {
    R a = four ? s[c + e] + t[c + e] + u[c + e] + v[c + e] : s[c + e];
    d[c + e] = (add ? d[c + e] + a : a) * f;
  }
}
/* few numbers: four sums at a time, for an addition takes longer than it is to begin one */
INLINE void NAME(sum_few)(R *restrict d, const R *restrict s, I st, I t, I W, R f) {
  R a[16], b[16], g[16], h[16];
  I k = 0;
  for (I c = 0; c < W; c++) a[c] = b[c] = g[c] = h[c] = 0;
  for (; k + 4 <= t; k += 4, s += 4 * st) {
    for (I c = 0; c < W; c++) a[c] += s[c];
    for (I c = 0; c < W; c++) b[c] += s[st + c];
    for (I c = 0; c < W; c++) g[c] += s[2 * st + c];
    for (I c = 0; c < W; c++) h[c] += s[3 * st + c];
  }
  for (; k < t; k++, s += st) for (I c = 0; c < W; c++) a[c] += s[c];
  for (I c = 0; c < W; c++) d[c] = f * ((a[c] + b[c]) + (g[c] + h[c]));
}
static void NAME(sums)(R *d, const R *s, I C, I st, I t, R f) {
  I c = 0;
  if (C >= 256 && t > 4) { /* long rows are read one after another, as they lie */
    I k = 4, all = C - C % 16;
    NAME(sum_rows)(d, s, st, all, 1, 0, 1);
    for (; k + 4 < t; k += 4) NAME(sum_rows)(d, s + k * st, st, all, 1, 1, 1);
    for (; k + 1 < t; k++) NAME(sum_rows)(d, s + k * st, st, all, 0, 1, 1);
    NAME(sum_rows)(d, s + k * st, st, all, 0, 1, f);
    c = all;
  }
  for (; c + 64 <= C; c += 64) NAME(sum_chunk)(d + c, s + c, st, t, 64, f);
  for (; c + 16 <= C; c += 16) NAME(sum_few)(d + c, s + c, st, t, 16, f);
  for (; c + 8 <= C; c += 8) NAME(sum_few)(d + c, s + c, st, t, 8, f);
  for (; c + 4 <= C; c += 4) NAME(sum_few)(d + c, s + c, st, t, 4, f);
  for (; c < C; c++) NAME(sum_few)(d + c, s + c, st, t, 1, f);
}
typedef R NAME(wide) __attribute__((vector_size(WIDE), aligned(sizeof(R)), may_alias));
typedef R NAME(vec) __attribute__((vector_size(32), aligned(sizeof(R)), may_alias));
typedef R NAME(half) __attribute__((vector_size(16), aligned(sizeof(R)), may_alias));
/* some rows of a piece of A: row m, channel k lies at s[m * apart + k * along] */
typedef struct { const R *s; I apart, along, K; } NAME(rows);
/* C (+)= A B on MB rows of A, which is n pieces side by side, and V vectors of columns of B */
#define TILE(T, MB, V)                                                                              \
  static void NAME(tile_##T##_##MB##_##V)(const NAME(rows) *q, I n, I m0, const R *restrict B, I ldb, \
                                          R *restrict C, I ldc, int add) {                          \
    NAME(T) t[MB][V];                                                                               \
    const I L = sizeof(NAME(T)) / sizeof(R);                                                        \
    EACH(m, MB) EACH(v, V)                                                                          \
      t[m][v] = add ? *(const NAME(T) *)(C + m * ldc + v * L) : (NAME(T)){0};                       \
    for (I i = 0; i < n; i++) {                                                                     \
      const I sm = q[i].apart, sk = q[i].along;                                                     \
      const R *restrict A = q[i].s + m0 * sm;                                                       \
      for (I k = q[i].K; k > 0; k--, A += sk, B += ldb) EACH(m, MB) {                               \
        R a = A[m * sm];                                                                            \
        EACH(v, V) t[m][v] += a * *(const NAME(T) *)(B + v * L);                                    \
      }                                                                                             \
    }                                                                                               \
    EACH(m, MB) EACH(v, V) *(NAME(T) *)(C + m * ldc + v * L) = t[m][v];                             \
  }
TILE(wide, 8, 2) TILE(wide, 4, 2) TILE(wide, 1, 2) TILE(wide, 8, 1) TILE(wide, 6, 1) TILE(wide, 4, 1) TILE(wide, 1, 1)
TILE(vec, 8, 1) TILE(vec, 6, 1) TILE(vec, 4, 1) TILE(vec, 1, 1) TILE(half, 8, 1) TILE(half, 4, 1) TILE(half, 1, 1)
#undef TILE
static void NAME(tile_one)(const NAME(rows) *q, I n, I m, const R *restrict B, I ldb, R *C, int add) {
  R t = add ? *C : 0;
  for (I i = 0; i < n; i++) {
    const R *A = q[i].s + m * q[i].apart;
    for (I k = 0; k < q[i].K; k++, B += ldb) t += A[k * q[i].along] * *B;
  }
  *C = t;
}
/* four columns: four channels of a row at a time, each of which meets its weights for all columns at once */
#ifdef BROADCAST
#define ROW(m) t##m += w * BROADCAST(A + m * sm + k);
#define LAST(m)                                                                                     \
  {                                                                                                 \
    sixteen u = PERMUTED(t##m, turned);                                                             \
    four *d = (four *)(C + m * ldc), *s = (four *)&u, sum = (s[0] + s[1]) + (s[2] + s[3]);           \
    if (add) sum += *d;                                                                             \
    *d = sum;                                                                                       \
  }
#define ROWS(MB, FIRST, ROWS, LASTS)                                                                \
  static void NAME(fours_##MB)(const NAME(rows) *q, I n, I m0, const float *restrict B, float *C, I ldc, int add) { \
    const sixteen_numbers turned = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};          \
    sixteen FIRST;                                                                                  \
    for (I i = 0; i < n; i++) {                                                                     \
      const I sm = q[i].apart;                                                                      \
      const float *restrict A = (const float *)q[i].s + m0 * sm;                                    \
      for (I k = 0; k < q[i].K; k += 4, B += 16) {                                                  \
        sixteen w = PERMUTED(*(const sixteen *)B, turned);                                          \
        ROWS                                                                                        \
      }                                                                                             \
    }                                                                                               \
    LASTS                                                                                           \
  }
#define O = {0}
ROWS(8, t0 O; sixteen t1 O; sixteen t2 O; sixteen t3 O; sixteen t4 O; sixteen t5 O; sixteen t6 O; sixteen t7 O,
     ROW(0) ROW(1) ROW(2) ROW(3) ROW(4) ROW(5) ROW(6) ROW(7),
     LAST(0) LAST(1) LAST(2) LAST(3) LAST(4) LAST(5) LAST(6) LAST(7))
ROWS(1, t0 O, ROW(0), LAST(0))
#undef O
#undef ROWS
#undef LAST
#undef ROW
static int NAME(fours)(I M, const NAME(rows) *q, I n, const float *B, float *C, I ldc, int add) {
  I m = 0;
  for (I i = 0; i < n; i++) if (q[i].K % 4 || q[i].along != 1) return 0;
  for (; m + 8 <= M; m += 8) NAME(fours_8)(q, n, m, B, C + m * ldc, ldc, add);
  for (; m < M; m++) NAME(fours_1)(q, n, m, B, C + m * ldc, ldc, add);
  return 1;
}
#endif
/* C (+)= A B: C is M x N, A lies in n pieces side by side */
static void NAME(lay)(I M, I N, const NAME(rows) *q, I n, const R *B, I ldb, R *C, I ldc, int add) {
  const I X = WIDE / sizeof(R), W = 32 / sizeof(R), H = W / 2;
#ifdef BROADCAST
  if (sizeof(R) == 4 && N == 4 && ldb == 4 && NAME(fours)(M, q, n, (const float *)B, (float *)C, ldc, add)) return;
#endif
#define TILES(T, V, MB) for (; m + MB <= M; m += MB) NAME(tile_##T##_##MB##_##V)(q, n, m, B + v, ldb, C + m * ldc + v, ldc, add);
#define BAND(T, V, L, SIX) \
  for (; v + L <= N; v += L) { I m = 0; if (M == 12) { SIX } TILES(T, V, 8) SIX TILES(T, V, 4) TILES(T, V, 1) }
  I v = 0;
  BAND(wide, 2, 2 * X, )
  BAND(wide, 1, X, TILES(wide, 1, 6))
  BAND(vec, 1, W, TILES(vec, 1, 6))
  BAND(half, 1, H, )
  for (; v < N; v++) for (I m = 0; m < M; m++) NAME(tile_one)(q, n, m, B + v, ldb, C + m * ldc + v, add);
#undef BAND
#undef TILES
}
/* the same for a matrix A as it lies: A[m, k] at m * sm + k * sk */
static void NAME(gemm)(I M, I N, I K, const R *A, I sm, I sk, const R *B, I ldb, R *C, I ldc, int add) {
  NAME(rows) all = {A, sm, sk, K};
  NAME(lay)(M, N, &all, 1, B, ldb, C, ldc, add);
}
/* where voxel v of p axes is; the place of the first channel there in a view of these strides */
INLINE void NAME(seek)(I v, const I *ext, I p, I *at) {
  for (I a = p - 1; a >= 0; a--) { at[a] = v % ext[a]; v /= ext[a]; }
}
INLINE I NAME(place)(const I *at, const I *str, I p) {
  I o = 0;
  for (I a = 0; a < p; a++) o += at[a] * str[a];
  return o;
}
/* to the next index of the axes before the last; the place moves along */
INLINE I NAME(next)(I *at, const I *ext, const I *str, I p, I o) {
  for (I a = p - 2; a >= 0; a--) {
    o += str[a];
    if (++at[a] < ext[a]) return o;
    o -= ext[a] * str[a];
    at[a] = 0;
  }
  return o;
}
/* rows `first` to `first + count` of the voxels of a view of p > 0 axes, side by side from d on */
static void NAME(pack)(const R *s, const I *ext, const I *str, I p, I first, I count, R *d, I ld, I C) {
  I at[AXES], inner = ext[p - 1], last = str[p - 1];
  NAME(seek)(first, ext, p, at);
  I o = NAME(place)(at, str, p), run = inner - at[p - 1];
  o -= at[p - 1] * last;
  for (I skip = at[p - 1]; count > 0; skip = 0, run = inner) {
    if (run > count) run = count;
    NAME(copies)(s + o + skip * last, last, d, ld, run, C);
    d += run * ld;
    count -= run;
    o = NAME(next)(at, ext, str, p, o);
  }
}
/* the same, times f; added, if that is asked for */
static void NAME(start)(const R *s, const I *ext, const I *str, I p, I first, I count, R *d, I C, R f, int add) {
  I at[AXES], inner = ext[p - 1], last = str[p - 1];
  NAME(seek)(first, ext, p, at);
  I o = NAME(place)(at, str, p), run = inner - at[p - 1];
  o -= at[p - 1] * last;
  for (I skip = at[p - 1]; count > 0; skip = 0, run = inner) {
    if (run > count) run = count;
    if (add) NAME(adds)(d, C, s + o + skip * last, last, run, C, f);
    else NAME(sets)(d, C, s + o + skip * last, last, run, C, f);
    d += run * C;
    count -= run;
    o = NAME(next)(at, ext, str, p, o);
  }
}
static void NAME(add_view)(R *d, const I *ds, const R *s, const I *ss, const I *ext, I p, I C, R f) {
  if (p == 0) { NAME(adds)(d, 0, s, 0, 1, C, f); return; }
  if (p == 1) { NAME(adds)(d, ds[0], s, ss[0], ext[0], C, f); return; }
  for (I i = 0; i < ext[0]; i++) NAME(add_view)(d + i * ds[0], ds + 1, s + i * ss[0], ss + 1, ext + 1, p - 1, C, f);
}
static void NAME(sum_view)(R *d, const I *ds, const R *s, const I *ss, const I *ext, I p, I C, I t, I st, R f) {
  if (p == 0) { NAME(sums)(d, s, C, st, t, f); return; }
  for (I i = 0; i < ext[0]; i++)
    NAME(sum_view)(d + i * ds[0], ds + 1, s + i * ss[0], ss + 1, ext + 1, p - 1, C, t, st, f);
}
/* d (+)= a sum of n rows of C numbers, each times a number of v: pairs of their places in s and in v */
INLINE void NAME(combine_chunk)(R *restrict d, const R *restrict s, const I *o, I n, const R *restrict v, I W,
                                int add) {
  R a[64];
  for (I c = 0; c < W; c++) a[c] = add ? d[c] : 0;
  for (I k = 0; k < n; k++, o += 2) {
    const R *restrict x = s + o[0];
    R f = v[o[1]];
    for (I c = 0; c < W; c++) a[c] += f * x[c];
  }
  for (I c = 0; c < W; c++) d[c] = a[c];
}
static void NAME(combine)(R *d, const R *s, const I *o, I n, const R *v, I C, int add) {
  I c = 0;
  for (; c + 64 <= C; c += 64) NAME(combine_chunk)(d + c, s + c, o, n, v, 64, add);
  for (; c + 32 <= C; c += 32) NAME(combine_chunk)(d + c, s + c, o, n, v, 32, add);
  for (; c + 8 <= C; c += 8) NAME(combine_chunk)(d + c, s + c, o, n, v, 8, add);
  for (; c < C; c++) NAME(combine_chunk)(d + c, s + c, o, n, v, 1, add);
}
/* d (+)= f s, numbers that lie side by side */
static void NAME(line)(R *d, const R *s, I n, R f, int add) {
  I c = n - n % 16;
  if (add) {
    NAME(add_run)(d, 16, s, 16, c / 16, 16, f);
    for (; c < n; c++) d[c] += f * s[c];
  } else {
    NAME(set_run)(d, 16, s, 16, c / 16, 16, f);
    for (; c < n; c++) d[c] = f * s[c];
  }
}
/* d (+)= f s on two axes, a block at a time, so that neither side is read or written across the cache */
static void NAME(turn)(R *d, const R *s, I B, I C, I db, I dc, I sb, I sc, R f, int add) {
  const I T = 16;
  if (sizeof(R) == 4 && dc == 1 && sb == 1 && !add && B % 4 == 0 && C % 4 == 0) {
    for (I b = 0; b < B; b += 4) for (I c = 0; c < C; c += 4)
      turn_four((float *)(d + b * db + c), db, (const float *)(s + b + c * sc), sc, (float)f);
    return;
  }
  for (I b0 = 0; b0 < B; b0 += T) for (I c0 = 0; c0 < C; c0 += T) {
    I b1 = b0 + T < B ? b0 + T : B, c1 = c0 + T < C ? c0 + T : C;
    for (I b = b0; b < b1; b++) {
      R *restrict y = d + b * db;
      const R *restrict x = s + b * sb;
      if (add) for (I c = c0; c < c1; c++) y[c * dc] += f * x[c * sc];
      else for (I c = c0; c < c1; c++) y[c * dc] = f * x[c * sc];
    }
  }
}
/* d (+)= f s on three axes */
static void NAME(move)(R *d, const R *s, const I *ext, const I *ds, const I *ss, R f, int add) {
  for (I a = 0; a < ext[0]; a++, d += ds[0], s += ss[0]) {
    if (ds[2] == 1 && ss[2] == 1) for (I b = 0; b < ext[1]; b++) NAME(line)(d + b * ds[1], s + b * ss[1], ext[2], f, add);
    else NAME(turn)(d, s, ext[1], ext[2], ds[1], ds[2], ss[1], ss[2], f, add);
  }
}
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
/* rows `v` to `v + count` of pieces, side by side; of one axis, the entries, where each of them has a single row */
static void NAME(piles)(const I *q, I n, R **b, const I *step, I e, const I *ext, I p, I v, I count, R *pile, I ld,
                        int single) {
  for (I i = 0; i < n; pile += q[0], i++, q += 3 + p) {
    const R *s = b[q[1]] + q[2];
    if (single) NAME(copies)(s + v * step[q[1]], step[q[1]], pile, ld, count, q[0]);
    else NAME(pack)(s + e * step[q[1]], ext, q + 3, p, v, count, pile, ld, q[0]);
  }
}
/* sums and differences of rows of two views */
INLINE void NAME(both_run)(const R *restrict x, I xs, const R *restrict y, I ys, R *restrict s, R *restrict d, I ld, I n,
                           I C) {
  for (I v = 0; v < n; v++, x += xs, y += ys, s += ld, d += ld)
    for (I c = 0; c < C; c++) { R a = x[c], b = y[c]; s[c] = a + b; d[c] = a - b; }
}
static void NAME(both)(const R *x, I xs, const R *y, I ys, R *s, R *d, I ld, I n, I C) {
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
static void NAME(spread)(R *d, I ds, const R *p, const R *q, R sign, I n, I N, NAME(more) *m, I starts) {
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
static I NAME(pairs)(const I *q, I pieces, R **b, const I *step, I e, I n, NAME(run_of) *from, I rows, R *s, R *d, I K,
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
/* one instruction for `count` entries of the batch, that lie step[buffer] apart; the next one */
static const I *NAME(instruction)(const I *q, const double *f, R **b, const I *step, I entries) {
#define ENTRIES for (I e = 0; e < entries; e++)
#define AT(k) (b[q[k]] + q[(k) + 1] + e * step[q[k]])
#define HERE(k) (b[q[k]] + q[(k) + 1])
  switch (*q++) {
    case 1: /* zero: d, count */
      if (step[q[0]] == 0) memset(HERE(0), 0, (size_t)q[2] * sizeof(R));
      else ENTRIES memset(AT(0), 0, (size_t)q[2] * sizeof(R));
      return q + 3;
    case 2: { /* sum: C, factor, t, its stride, p, d, s, ext.., d strides.., s strides.. */
      I p = q[4];
      ENTRIES NAME(sum_view)(AT(5), q + 9 + p, AT(7), q + 9 + 2 * p, q + 9, p, q[0], q[2], q[3], (R)f[q[1]]);
      return q + 9 + 3 * p;
    }
    case 3: { /* add: C, factor, p, d, s, ext.., d strides.., s strides.. */
      I p = q[2];
      ENTRIES NAME(add_view)(AT(3), q + 7 + p, AT(5), q + 7 + 2 * p, q + 7, p, q[0], (R)f[q[1]]);
      return q + 7 + 3 * p;
    }
    case 4: { /* product: M, N, K, rows at once, way, rows apart, weights' rows apart, add, starts, p, pieces,
                 weights, pile, d, ext.., pieces: C, s, strides.., starts: factor, s, strides.. */
      I M = q[0], N = q[1], K = q[2], rows = q[3], way = q[4], ldw = q[6], starts = q[8], p = q[9], n = q[10];
      const R *w = HERE(11);
      R *pile = HERE(13);
      const I *ext = q + 17, *piece = ext + p, *begin = piece + n * (3 + p);
      int add = (int)q[7] || starts;
      NAME(rows) row[PIECES];
      if (M == 1) { /* a row an entry */
        I ldd = step[q[15]];
        for (I i = 0; i < n; i++) {
          const I *o = piece + i * (3 + p);
          row[i] = (NAME(rows)){b[o[1]] + o[2], step[o[1]], 1, o[0]};
        }
        NAME(lay)(entries, N, row, n, w, ldw, HERE(15), ldd, add);
        return begin;
      }
      ENTRIES {
        I most = way == 2 ? ext[p - 1] : way == 1 && !starts ? M : rows, at[AXES] = {0};
        for (I v = 0; v < M; v += most) {
          I count = M - v < most ? M - v : most;
          R *d = AT(15) + v * N;
          const I *o = begin;
          for (I i = 0; i < starts; i++, o += 3 + p)
            NAME(start)(b[o[1]] + o[2] + e * step[o[1]], ext, o + 3, p, v, count, d, N, (R)f[o[0]], i > 0 || q[7]);
          if (way == 1)
            NAME(gemm)(count, N, K, b[piece[1]] + piece[2] + e * step[piece[1]] + v * q[5], q[5], 1, w, ldw, d, N, add);
          else if (way == 2) {
            o = piece;
            for (I i = 0; i < n; i++, o += 3 + p)
              row[i] = (NAME(rows)){b[o[1]] + o[2] + e * step[o[1]] + NAME(place)(at, o + 3, p), o[2 + p], 1, o[0]};
            NAME(lay)(count, N, row, n, w, ldw, d, N, add);
            NAME(next)(at, ext, ext, p, 0);
          } else {
            NAME(piles)(piece, n, b, step, e, ext, p, v, count, pile, K, 0);
            NAME(gemm)(count, N, K, pile, K, 1, w, ldw, d, N, add);
          }
        }
      }
      return begin + starts * (3 + p);
    }
    case 5: { /* outer: M, N, K, gradient's rows apart, rows at once, left's rows apart, right's (0: piled up), p,
                 left pieces, right pieces, gradient, pile, ext.., pieces: C, s, strides.. */
      I M = q[0], N = q[1], K = q[2], ldg = q[3], rows = q[4], p = q[7], n = q[8], m = q[9];
      R *g = HERE(10), *pile = HERE(12), *other = pile + (q[5] ? 0 : rows * N);
      const I *ext = q + 14, *left = ext + p, *right = left + n * (3 + p);
      int single = M == 1;
      I all = single ? entries : M;
      for (I e = 0; e < (single ? 1 : entries); e++)
        for (I v = 0; v < all; v += rows) {
          I count = all - v < rows ? all - v : rows, lda = N, ldb = K;
          const R *x = pile, *y = other;
          if (q[5]) {
            lda = single ? step[left[1]] : q[5];
            x = b[left[1]] + left[2] + e * step[left[1]] + v * lda;
          } else NAME(piles)(left, n, b, step, e, ext, p, v, count, pile, N, single);
          if (q[6]) {
            ldb = single ? step[right[1]] : q[6];
            y = b[right[1]] + right[2] + e * step[right[1]] + v * ldb;
          } else NAME(piles)(right, m, b, step, e, ext, p, v, count, other, K, single);
          NAME(gemm)(N, K, count, x, 1, lda, y, ldb, g, ldg, 1);
        }
      return right + m * (3 + p);
    }
    case 6: { /* combine: length, C, values, d, s, add, rows, then for each: place, n, pairs.. */
      ENTRIES {
        const R *v = b[q[2]], *s = AT(5);
        R *d = AT(3);
        const I *o = q + 9;
        for (I r = 0; r < q[8]; r++, o += 2 + 2 * o[1]) NAME(combine)(d + o[0], s, o + 2, o[1], v, q[1], (int)q[7]);
      }
      return q + q[0];
    }
    case 7: /* move: d, s, three lengths, strides of d, strides of s, factor, add */
      NAME(move)(HERE(0), HERE(2), q + 4, q + 7, q + 10, (R)f[q[13]], (int)q[14]);
      return q + 15;
    case 8: { /* plain: p, N, add, terms, d, ext.., d strides.., terms: K, N, sk, so, column, factor, s, w, s strides */
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
    case 9: { /* meet: p, terms, ext.., terms: K, N, sk, so, factor, gradient, left, right, left strides.., right.. */
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
    case 10: { /* paired: n, N, K, rows at once, weights' rows apart, add, starts, pieces, even weights, odd, pile, d,
                  pieces: C, s, strides, starts: factor, s, strides */
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
    case 11: { /* meet paired: n, N, K, gradients' rows apart, rows at once, left pieces, right, even, odd, pile, ... */
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
  }
  return q;
#undef ENTRIES
#undef AT
#undef HERE
}
static const I *NAME(part)(const I *q, const double *f, R **b, const I *step, I entries) {
  while (*q) q = NAME(instruction)(q, f, b, step, entries);
  return q + 1;
}
/* the three parts of a program: once, for `chunk` entries of the batch after as many others, once.
   b: the buffers, which move along: an entry lies step[buffer] behind the one before; the first starts anew */
void NAME(run)(const I *q, const double *f, R **b, const I *step, I buffers, I entries, I chunk) {
  const I *last = q;
  q = NAME(part)(q, f, b, step, 1);
  for (I e = 0; e < entries; e += chunk) {
    last = NAME(part)(q, f, b, step, entries - e < chunk ? entries - e : chunk);
    for (I i = 1; i < buffers; i++) b[i] += chunk * step[i];
  }
  NAME(part)(last, f, b, step, 1);
}
"""


HEAD = r"""#include <stdint.h>
#include <string.h>
typedef int64_t I;
#define AXES 32
#define PIECES 64
#define TILED 8
#define INLINE static inline __attribute__((always_inline))
#ifdef __AVX512F__
#define WIDE 64
#else
#define WIDE 32
#endif
#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < n; i++)
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
#ifdef __AVX512F__
typedef float sixteen __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t sixteen_numbers __attribute__((vector_size(64)));
/* four numbers, four times side by side */
INLINE sixteen broadcast(const float *p) {
  sixteen x;
  __asm__("vbroadcastf32x4 %1, %0" : "=v"(x) : "m"(*(const four *)p));
  return x;
}
INLINE sixteen permuted(sixteen x, sixteen_numbers at) {
  sixteen y;
  __asm__("vpermps %1, %2, %0" : "=v"(y) : "v"(x), "v"(at));
  return y;
}
#define BROADCAST broadcast
#define PERMUTED permuted
#endif
#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLES 1
#endif
#endif
/* the transpose of a block of four rows of four numbers, times f */
#ifdef SHUFFLES
INLINE void turn_four(float *d, I ds, const float *s, I ss, float f) {
  four a = *(const four *)s, b = *(const four *)(s + ss), c = *(const four *)(s + 2 * ss), e = *(const four *)(s + 3 * ss);
  four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ce = __builtin_shufflevector(c, e, 0, 4, 1, 5);
  four ba = __builtin_shufflevector(a, b, 2, 6, 3, 7), ec = __builtin_shufflevector(c, e, 2, 6, 3, 7);
  *(four *)d = f * __builtin_shufflevector(ab, ce, 0, 1, 4, 5);
  *(four *)(d + ds) = f * __builtin_shufflevector(ab, ce, 2, 3, 6, 7);
  *(four *)(d + 2 * ds) = f * __builtin_shufflevector(ba, ec, 0, 1, 4, 5);
  *(four *)(d + 3 * ds) = f * __builtin_shufflevector(ba, ec, 2, 3, 6, 7);
}
#else
INLINE void turn_four(float *d, I ds, const float *s, I ss, float f) {
  for (I i = 0; i < 4; i++) for (I j = 0; j < 4; j++) d[i * ds + j] = f * s[j * ss + i];
}
#endif
"""


def source() -> str:
    """The whole text: the kernels for floats and for doubles."""
    parts = [HEAD]
    for kind in ("float", "double"):
        parts.append(f"#define R {kind}\n#define NAME(x) x##_{kind}\n{KERNELS}\n#undef R\n#undef NAME\n")
    return "".join(parts)
