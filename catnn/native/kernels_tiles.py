"""The C that multiplies: tiles of rows that lie in pieces with vectors of columns, for each vector that there is."""

TILES = r"""
typedef R NAME(wide) __attribute__((vector_size(WIDE), aligned(sizeof(R)), may_alias));
typedef R NAME(vec) __attribute__((vector_size(32), aligned(sizeof(R)), may_alias));
typedef R NAME(half) __attribute__((vector_size(16), aligned(sizeof(R)), may_alias));
/* some rows of a piece of A: row m, channel k lies at s[m * apart + k * along] */
typedef struct { const R *s; I apart, along, K; } NAME(rows);
/* C (+)= A B on MB rows of A, which is n pieces side by side, and V vectors of columns of B */
#define TILE(T, MB, V)                                                                              \
  APART void NAME(tile_##T##_##MB##_##V)(const NAME(rows) *q, I n, I m0, const R *restrict B, I ldb, \
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
TILE(wide, 8, 2) TILE(wide, 4, 2) TILE(wide, 2, 2) TILE(wide, 1, 2)
TILE(wide, 8, 1) TILE(wide, 6, 1) TILE(wide, 4, 1) TILE(wide, 2, 1) TILE(wide, 1, 1)
TILE(vec, 8, 1) TILE(vec, 6, 1) TILE(vec, 4, 1) TILE(vec, 2, 1) TILE(vec, 1, 1)
TILE(half, 8, 1) TILE(half, 4, 1) TILE(half, 1, 1)
#undef TILE
/* one column of B: it is taken from there once, then met by row after row as they lie */
#define COLUMN 1024
APART void NAME(one)(I M, const NAME(rows) *q, I n, const R *B, I ldb, R *C, I ldc, int add) {
  const I L = WIDE / sizeof(R);
  R column[COLUMN];
  I deep = 0;
  for (I i = 0; i < n; i++) deep += q[i].K;
  if (deep > COLUMN) deep = 0;
  for (I k = 0; k < deep; k++) column[k] = B[k * ldb];
  for (I m = 0; m < M; m++, C += ldc) {
    const R *w = deep ? column : B;
    I step = deep ? 1 : ldb;
    NAME(wide) sums = {0};
    R t = add ? *C : 0;
    for (I i = 0; i < n; i++) {
      const R *A = q[i].s + m * q[i].apart;
      I k = 0;
      if (q[i].along == 1 && step == 1)
        for (; k + L <= q[i].K; k += L, w += L) sums += *(const NAME(wide) *)(A + k) * *(const NAME(wide) *)w;
      for (; k < q[i].K; k++, w += step) t += A[k * q[i].along] * *w;
    }
    EACH(l, (int)L) t += sums[l];
    *C = t;
  }
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
  APART void NAME(fours_##MB)(const NAME(rows) *q, I n, I m0, const float *restrict B, float *C, I ldc, int add) { \
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
APART int NAME(fours)(I M, const NAME(rows) *q, I n, const float *B, float *C, I ldc, int add) {
  I m = 0;
  for (I i = 0; i < n; i++) if (q[i].K % 4 || q[i].along != 1) return 0;
  for (; m + 8 <= M; m += 8) NAME(fours_8)(q, n, m, B, C + m * ldc, ldc, add);
  for (; m < M; m++) NAME(fours_1)(q, n, m, B, C + m * ldc, ldc, add);
  return 1;
}
#endif
/* C (+)= A B: C is M x N, A lies in n pieces side by side */
APART void NAME(lay)(I M, I N, const NAME(rows) *q, I n, const R *B, I ldb, R *C, I ldc, int add) {
  const I X = WIDE / sizeof(R), W = 32 / sizeof(R), H = W / 2;
#ifdef BROADCAST
  if (sizeof(R) == 4 && N == 4 && ldb == 4 && NAME(fours)(M, q, n, (const float *)B, (float *)C, ldc, add)) return;
#endif
#define TILES(T, V, MB) \
  for (; m + MB <= M; m += MB) NAME(tile_##T##_##MB##_##V)(q, n, m, B + v, ldb, C + m * ldc + v, ldc, add);
#define BAND(T, V, L, SIX, TWO) \
  for (; v + L <= N; v += L) { I m = 0; if (M == 12) { SIX } TILES(T, V, 8) SIX TILES(T, V, 4) TWO TILES(T, V, 1) }
  I v = 0;
  BAND(wide, 2, 2 * X, , TILES(wide, 2, 2))
  BAND(wide, 1, X, TILES(wide, 1, 6), TILES(wide, 1, 2))
  BAND(vec, 1, W, TILES(vec, 1, 6), TILES(vec, 1, 2))
  BAND(half, 1, H, , )
  for (; v < N; v++) NAME(one)(M, q, n, B + v, ldb, C + v, ldc, add);
#undef BAND
#undef TILES
}
/* the same for a matrix A as it lies: A[m, k] at m * sm + k * sk */
APART void NAME(gemm)(I M, I N, I K, const R *A, I sm, I sk, const R *B, I ldb, R *C, I ldc, int add) {
  NAME(rows) all = {A, sm, sk, K};
  NAME(lay)(M, N, &all, 1, B, ldb, C, ldc, add);
}
"""
