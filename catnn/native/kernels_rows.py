"""The C of products with panels of weights: the rows of all entries of the batch as one matrix, and their gradients."""

ROWS = r"""
/* the entries of the batch are the first axis of rows, so that there are many of them even where an entry has few */
#define PLACES 8192
typedef struct { I M, p, ext[AXES + 1]; int32_t places[PLACES]; int32_t *next; } NAME(voxels);
OWN void NAME(begin)(NAME(voxels) *o, I M, const I *ext, I p, I entries) {
  o->M = M, o->p = p, o->next = o->places, o->ext[0] = entries;
  for (I a = 0; a < p; a++) o->ext[a + 1] = ext[a];
}
/* where the voxels of an entry are, for n pieces, if there is room to say it */
OWN const int32_t *NAME(placed)(NAME(voxels) *o, const I *piece, I n) {
  const I *ext = o->ext + 1;
  int32_t *first = o->next, *to = first;
  if (first + n * o->M > o->places + PLACES) return 0;
  for (I i = 0; i < n; i++, piece += 3 + o->p) {
    I at[AXES] = {0}, inner = o->p ? ext[o->p - 1] : 1, along = o->p ? piece[2 + o->p] : 0, from = 0;
    for (I v = 0; v < o->M; v += inner, from = NAME(next)(at, ext, piece + 3, o->p, from))
      for (I k = 0; k < inner; k++) *to++ = (int32_t)(from + k * along);
  }
  o->next = to;
  return first;
}
/* the strides of a piece, that of the entries first */
INLINE void NAME(strides)(const I *piece, I p, const I *step, I *to) {
  to[0] = step[piece[1]];
  for (I a = 0; a < p; a++) to[a + 1] = piece[3 + a];
}
OWN void NAME(copies_at)(const R *s, const int32_t *at, R *d, I ld, I n, I C) {
  I c = 0;
#define ROW(T) ON(T, d + v * ld + c) = ON(T, s + at[v] + c);
  STRIPS(ROW)
#undef ROW
}
/* rows `r` to `r + count` of a piece, side by side from d on */
OWN void NAME(gather)(const R *s, I step, const int32_t *at, I M, I r, I count, R *d, I ld, I C) {
  I e = r / M, v = r % M;
  s += e * step;
  if (M < 8 && v == 0 && count % M == 0) { /* few rows for many entries: one row of all of them after the other */
    for (; v < M; v++) NAME(copies)(d + v * ld, M * ld, s + at[v], step, count / M, C);
    return;
  }
  for (I run; count > 0; count -= run, d += run * ld, s += step, v = 0) {
    run = M - v < count ? M - v : count;
    NAME(copies_at)(s, at + v, d, ld, run, C);
  }
}
/* rows of pieces side by side; at: where their voxels are, if that is known */
OWN void NAME(piles)(const I *q, I n, R **b, const I *step, I e, const NAME(voxels) *o, const int32_t *at, I r,
                        I count, R *pile, I ld) {
  for (I i = 0; i < n; pile += q[0], i++, q += 3 + o->p) {
    const R *s = b[q[1]] + q[2] + e * step[q[1]];
    if (at) NAME(gather)(s, step[q[1]], at + i * o->M, o->M, r, count, pile, ld, q[0]);
    else {
      I strides[AXES + 1];
      NAME(strides)(q, o->p, step, strides);
      NAME(pack)(s, o->ext, strides, o->p + 1, r, count, pile, ld, q[0], COPIED, 1);
    }
  }
}
/* so many rows at once that entries are not cut, if there is room for one */
INLINE I NAME(rows_of)(I rows, I M) { return rows > M ? rows - rows % M : rows; }
/* product: M, N, K, rows at once, way, rows apart, weights' rows apart, add, starts, p, pieces, weights, pile, d,
   ext.., pieces: C, s, strides.., starts: factor, s, strides.. */
APART const I *NAME(product)(const I *q, const double *f, R **b, const I *step, I entries) {
  I M = q[0], N = q[1], K = q[2], way = q[4], apart = q[5], ldw = q[6], starts = q[8], p = q[9], n = q[10];
  const R *w = b[q[11]] + q[12];
  R *pile = b[q[13]] + q[14], *target = b[q[15]] + q[16];
  const I *ext = q + 17, *piece = ext + p, *begin = piece + n * (3 + p), *o;
  I ldd = step[q[15]], lds = step[piece[1]];
  int add = (int)q[7] || starts;
  NAME(rows) row[PIECES];
  if (M == 1) { /* a row an entry */
    for (I i = 0; i < n; i++) {
      o = piece + i * (3 + p);
      row[i] = (NAME(rows)){b[o[1]] + o[2], step[o[1]], 1, o[0]};
    }
    NAME(lay)(entries, N, row, n, w, ldw, target, ldd, add);
    return begin;
  }
  /* entries whose rows are no matrix together are taken one after the other */
  I inside = ldd != M * N || (way == 1 && lds != M * apart) ? 1 : entries, all = inside * M;
  NAME(voxels) v;
  NAME(begin)(&v, M, ext, p, inside);
  const int32_t *at = way == 0 ? NAME(placed)(&v, piece, n) : 0;
  I most = way == 2 ? ext[p - 1] : way == 1 && !starts ? all : NAME(rows_of)(q[3], M);
  for (I e = 0; e < entries; e += inside) {
    I index[AXES + 1] = {0};
    for (I r = 0; r < all; r += most) {
      I count = all - r < most ? all - r : most;
      R *d = target + e * ldd + r * N;
      o = begin;
      for (I i = 0; i < starts; i++, o += 3 + p) {
        int more = i > 0 || q[7];
        if (way == 2) { /* one line, and where it is is known */
          const R *s = b[o[1]] + o[2] + (e + index[0]) * step[o[1]] + NAME(place)(index + 1, o + 3, p);
          (more ? NAME(adds) : NAME(sets))(d, N, s, o[2 + p], count, N, (R)f[o[0]]);
          continue;
        }
        I strides[AXES + 1];
        NAME(strides)(o, p, step, strides);
        NAME(pack)(b[o[1]] + o[2] + e * strides[0], v.ext, strides, p + 1, r, count, d, N, N, more ? ADDED : SCALED,
                   (R)f[o[0]]);
      }
      if (way == 1)
        NAME(gemm)(count, N, K, b[piece[1]] + piece[2] + e * lds + r * apart, apart, 1, w, ldw, d, N, add);
      else if (way == 2) {
        o = piece;
        for (I i = 0; i < n; i++, o += 3 + p) {
          const R *s = b[o[1]] + o[2] + (e + index[0]) * step[o[1]];
          row[i] = (NAME(rows)){s + NAME(place)(index + 1, o + 3, p), o[2 + p], 1, o[0]};
        }
        NAME(lay)(count, N, row, n, w, ldw, d, N, add);
        NAME(next)(index, v.ext, v.ext, p + 1, 0);
      } else {
        NAME(piles)(piece, n, b, step, e, &v, at, r, count, pile, K);
        NAME(gemm)(count, N, K, pile, K, 1, w, ldw, d, N, add);
      }
    }
  }
  return begin + starts * (3 + p);
}
/* outer: M, N, K, gradient's rows apart, rows at once, left's rows apart, right's (0: piled up), p, left pieces, right
   pieces, gradient, pile, ext.., pieces: C, s, strides.. */
APART const I *NAME(outer)(const I *q, R **b, const I *step, I entries) {
  I M = q[0], N = q[1], K = q[2], rows = NAME(rows_of)(q[4], M), p = q[7], n = q[8], m = q[9];
  R *g = b[q[10]] + q[11], *pile = b[q[12]] + q[13], *other = pile + (q[5] ? 0 : q[4] * N);
  const I *ext = q + 14, *left = ext + p, *right = left + n * (3 + p);
  I one = step[left[1]], two = step[right[1]], lda = q[5] && M == 1 ? one : q[5], ldb = q[6] && M == 1 ? two : q[6];
  I inside = (lda && one != M * lda) || (ldb && two != M * ldb) ? 1 : entries, all = inside * M;
  NAME(voxels) v;
  NAME(begin)(&v, M, ext, p, inside);
  const int32_t *at = lda ? 0 : NAME(placed)(&v, left, n), *to = ldb ? 0 : NAME(placed)(&v, right, m);
  for (I e = 0; e < entries; e += inside) for (I r = 0; r < all; r += rows) {
    I count = all - r < rows ? all - r : rows;
    const R *x = b[left[1]] + left[2] + e * one + r * lda, *y = b[right[1]] + right[2] + e * two + r * ldb;
    if (!lda) NAME(piles)(left, n, b, step, e, &v, at, r, count, pile, N);
    if (!ldb) NAME(piles)(right, m, b, step, e, &v, to, r, count, other, K);
    NAME(gemm)(N, K, count, lda ? x : pile, 1, lda ? lda : N, ldb ? y : other, ldb ? ldb : K, g, q[3], 1);
  }
  return right + m * (3 + p);
}
"""
