"""The C that runs a program of `catnn.native.program`: six instructions on strided views, channels last.

One text for all layers, so it is compiled once a machine.  A program is a table of 64-bit integers; a view is a buffer,
an offset in elements and a stride for each axis.  Everything is done for one entry of the batch after another, so that
what lies between input and output stays in the cache.
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
INLINE void NAME(sum_chunk)(R *restrict d, const R *restrict s, I st, I t, I W, R f) {
  R a[64];
  for (I c = 0; c < W; c++) a[c] = 0;
  for (I k = 0; k < t; k++, s += st) for (I c = 0; c < W; c++) a[c] += s[c];
  for (I c = 0; c < W; c++) d[c] = f * a[c];
}
static void NAME(sums)(R *d, const R *s, I C, I st, I t, R f) {
  I c = 0;
  for (; c + 64 <= C; c += 64) NAME(sum_chunk)(d + c, s + c, st, t, 64, f);
  for (; c + 16 <= C; c += 16) NAME(sum_chunk)(d + c, s + c, st, t, 16, f);
  for (; c + 8 <= C; c += 8) NAME(sum_chunk)(d + c, s + c, st, t, 8, f);
  for (; c + 4 <= C; c += 4) NAME(sum_chunk)(d + c, s + c, st, t, 4, f);
  for (; c < C; c++) NAME(sum_chunk)(d + c, s + c, st, t, 1, f);
}
typedef R NAME(wide) __attribute__((vector_size(WIDE), aligned(sizeof(R)), may_alias));
typedef R NAME(vec) __attribute__((vector_size(32), aligned(sizeof(R)), may_alias));
typedef R NAME(half) __attribute__((vector_size(16), aligned(sizeof(R)), may_alias));
/* C += A B on m rows of A (at most 6) and a band of V vectors of B's columns */
#define TILE(T, MB, V)                                                                              \
  static void NAME(tile_##T##_##MB##_##V)(I K, const R *restrict A, I sm, I sk, const R *restrict B, I ldb, \
                                          R *restrict C, I ldc, int add) {                          \
    NAME(T) t[MB][V];                                                                               \
    const I L = sizeof(NAME(T)) / sizeof(R);                                                        \
    EACH(m, MB) EACH(v, V)                                        \
      t[m][v] = add ? *(const NAME(T) *)(C + m * ldc + v * L) : (NAME(T)){0};                       \
    for (I k = 0; k < K; k++, B += ldb) EACH(m, MB) {                                               \
      R a = A[m * sm + k * sk];                                                                     \
      EACH(v, V) t[m][v] += a * *(const NAME(T) *)(B + v * L);                     \
    }                                                                                               \
    EACH(m, MB) EACH(v, V) *(NAME(T) *)(C + m * ldc + v * L) = t[m][v]; \
  }
TILE(wide, 6, 2) TILE(wide, 3, 2) TILE(wide, 1, 2) TILE(wide, 6, 1) TILE(wide, 3, 1) TILE(wide, 1, 1)
TILE(vec, 6, 1) TILE(vec, 3, 1) TILE(vec, 1, 1) TILE(half, 6, 1) TILE(half, 3, 1) TILE(half, 1, 1)
static void NAME(tile_one)(I K, const R *restrict A, I sk, const R *restrict B, I ldb, R *C, int add) {
  R t = add ? *C : 0;
  for (I k = 0; k < K; k++) t += A[k * sk] * B[k * ldb];
  *C = t;
}
/* C (+)= A B: C is M x N, A[m, k] lies at m * sm + k * sk */
static void NAME(gemm)(I M, I N, I K, const R *A, I sm, I sk, const R *B, I ldb, R *C, I ldc, int add) {
  const I X = WIDE / sizeof(R), W = 32 / sizeof(R), H = W / 2;
#define BAND(T, V, L)                                                                               \
  {                                                                                                 \
    I m = 0;                                                                                        \
    for (; m + 6 <= M; m += 6) NAME(tile_##T##_6_##V)(K, A + m * sm, sm, sk, B + n, ldb, C + m * ldc + n, ldc, add); \
    for (; m + 3 <= M; m += 3) NAME(tile_##T##_3_##V)(K, A + m * sm, sm, sk, B + n, ldb, C + m * ldc + n, ldc, add); \
    for (; m < M; m++) NAME(tile_##T##_1_##V)(K, A + m * sm, sm, sk, B + n, ldb, C + m * ldc + n, ldc, add); \
    n += L;                                                                                         \
  }
  I n = 0;
  while (n + 2 * X <= N) BAND(wide, 2, 2 * X)
  while (n + X <= N) BAND(wide, 1, X)
  while (n + W <= N) BAND(vec, 1, W)
  while (n + H <= N) BAND(half, 1, H)
  for (; n < N; n++) for (I m = 0; m < M; m++) NAME(tile_one)(K, A + m * sm, sk, B + n, ldb, C + m * ldc + n, add);
#undef BAND
}
#undef TILE
/* a pile of p axes: rows `first` to `first + count` of the voxels of a view, side by side from d on */
static void NAME(pack)(const R *s, const I *ext, const I *str, I p, I first, I count, R *d, I ld, I C) {
  if (p == 0) { NAME(copies)(s, 0, d, ld, count, C); return; }
  I inner = ext[p - 1], last = str[p - 1];
  for (I v = first; v < first + count;) {
    I rest = v, off = 0;
    for (I a = p - 1; a >= 0; a--) { off += (rest % ext[a]) * str[a]; rest /= ext[a]; }
    I run = inner - v % inner;
    if (run > first + count - v) run = first + count - v;
    NAME(copies)(s + off, last, d, ld, run, C);
    d += run * ld;
    v += run;
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
static void NAME(entry)(const I *q, const double *f, R **b) {
  for (;;) switch (*q++) {
    case 0: return;
    case 1: { /* zero: buffer, offset, count */
      memset(b[q[0]] + q[1], 0, (size_t)q[2] * sizeof(R));
      q += 3;
      break;
    }
    case 2: { /* sum: C, factor, t, its stride, p, d, s, ext.., d strides.., s strides.. */
      I p = q[4];
      NAME(sum_view)(b[q[5]] + q[6], q + 9 + p, b[q[7]] + q[8], q + 9 + 2 * p, q + 9, p, q[0], q[2], q[3], (R)f[q[1]]);
      q += 9 + 3 * p;
      break;
    }
    case 3: { /* add: C, factor, p, d, s, ext.., d strides.., s strides.. */
      I p = q[2];
      NAME(add_view)(b[q[3]] + q[4], q + 7 + p, b[q[5]] + q[6], q + 7 + 2 * p, q + 7, p, q[0], (R)f[q[1]]);
      q += 7 + 3 * p;
      break;
    }
    case 4: { /* product: M, N, K, step, weights, pile, d, add, p, ext.., pieces: C, s, strides.. */
      I M = q[0], N = q[1], K = q[2], step = q[3], p = q[11], n = q[12];
      const R *w = b[q[4]] + q[5];
      R *pile = b[q[6]] + q[7], *d = b[q[8]] + q[9];
      const I *ext = q + 13, *piece = ext + p;
      int add = (int)q[10], straight = step == 0;
      if (straight) NAME(gemm)(M, N, K, b[piece[1]] + piece[2], K, 1, w, N, d, N, add);
      for (I v = 0; v < M && !straight; v += step) {
        I count = M - v < step ? M - v : step, at = 0;
        for (I i = 0; i < n; i++) {
          const I *o = piece + i * (3 + p);
          NAME(pack)(b[o[1]] + o[2], ext, o + 3, p, v, count, pile + at, K, o[0]);
          at += o[0];
        }
        NAME(gemm)(count, N, K, pile, K, 1, w, N, d + v * N, N, add);
      }
      q = piece + n * (3 + p);
      break;
    }
    case 5: { /* outer: M, N, K, S, step, gradient, piles, p, left pieces, right pieces, ext.., pieces.. */
      I M = q[0], N = q[1], K = q[2], S = q[3], step = q[4], p = q[9], n = q[10], m = q[11];
      R *g = b[q[5]] + q[6], *pile = b[q[7]] + q[8], *other = pile + step * N;
      const I *ext = q + 12, *piece = ext + p;
      for (I v = 0; v < M; v += step) {
        I count = M - v < step ? M - v : step, at = 0;
        for (I i = 0; i < n; i++) {
          const I *o = piece + i * (3 + p);
          NAME(pack)(b[o[1]] + o[2], ext, o + 3, p, v, count, pile + at, N, o[0]);
          at += o[0];
        }
        at = 0;
        for (I i = n; i < n + m; i++) {
          const I *o = piece + i * (3 + p);
          NAME(pack)(b[o[1]] + o[2], ext, o + 3, p, v, count, other + at, S * K, o[0]);
          at += o[0];
        }
        for (I s = 0; s < S; s++) NAME(gemm)(N, K, count, pile, 1, N, other + s * K, S * K, g + s * N * K, K, 1);
      }
      q = piece + (n + m) * (3 + p);
      break;
    }
    case 6: { /* combine: length, C, values, d, d's offset, s, add, rows, then for each: place, n, pairs.. */
      const R *v = b[q[2]], *s = b[q[5]];
      R *d = b[q[3]] + q[4];
      const I *o = q + 8;
      for (I r = 0; r < q[7]; r++, o += 2 + 2 * o[1]) NAME(combine)(d + o[0], s, o + 2, o[1], v, q[1], (int)q[6]);
      q += q[0];
      break;
    }
  }
}
/* b: the buffers; the first `moving` have an entry for each of the batch, strides elements apart */
void NAME(run)(const I *q, const double *f, R **b, const I *strides, I moving, I buffers, I first, I last) {
  R **here = malloc((size_t)buffers * sizeof(R *));
  for (I i = 0; i < buffers; i++) here[i] = b[i];
  for (I e = first; e < last; e++) {
    for (I i = 0; i < moving; i++) here[i] = b[i] + e * strides[i];
    NAME(entry)(q, f, here);
  }
  free(here);
}
/* weights (S, N, K) as a matrix of S * K rows and N columns */
void NAME(turn)(const R *w, R *d, I S, I N, I K) {
  const I T = 16; /* tiles, so that neither side is read or written across the cache */
  for (I s = 0; s < S; s++, w += N * K, d += N * K)
    for (I a = 0; a < N; a += T) for (I b = 0; b < K; b += T) {
      I p = a + T < N ? a + T : N, q = b + T < K ? b + T : K;
      for (I k = b; k < q; k++) for (I n = a; n < p; n++) d[k * N + n] = w[n * K + k];
    }
}
"""


def source() -> str:
    """The whole text: the kernels for floats and for doubles."""
    head = "#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\ntypedef int64_t I;\n"
    head += "#define INLINE static inline __attribute__((always_inline))\n"
    head += "#ifdef __AVX512F__\n#define WIDE 64\n#else\n#define WIDE 32\n#endif\n"
    head += '#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < n; i++)\n'
    parts = [head]
    for kind in ("float", "double"):
        parts.append(f"#define R {kind}\n#define NAME(x) x##_{kind}\n{KERNELS}\n#undef R\n#undef NAME\n")
    return "".join(parts)
