"""The C that multiplies: tiles of rows that lie in pieces with vectors of columns, for each vector that there is."""

TILES = r"""
/* C (+)= A B on MB rows of A, which is n pieces side by side, and V vectors of columns of B */
#define TILE(T, MB, V)                                                                              \
  OWN void NAME(tile_##T##_##MB##_##V)(const NAME(rows) *q, I n, I m0, const R *restrict B, I ldb,   \
                                       R *restrict C, I ldc, int add) {                             \
    NAME(T) t[MB][V];                                                                               \
    EACH(m, MB) EACH(v, V) t[m][v] = add ? ON(T, C + m * ldc + v * LANES(T)) : (NAME(T)){0};        \
    for (I i = 0; i < n; i++) {                                                                     \
      const I sm = q[i].apart, sk = q[i].along;                                                     \
      const R *restrict A = q[i].s + m0 * sm;                                                       \
      for (I k = q[i].K; k > 0; k--, A += sk, B += ldb) EACH(m, MB) {                               \
        R a = A[m * sm];                                                                            \
        EACH(v, V) t[m][v] += a * ON(T, B + v * LANES(T));                                          \
      }                                                                                             \
    }                                                                                               \
    EACH(m, MB) EACH(v, V) ON(T, C + m * ldc + v * LANES(T)) = t[m][v];                             \
  }
TILE(wide, 8, 2) TILE(wide, 4, 2) TILE(wide, 2, 2) TILE(wide, 1, 2)
TILE(wide, 8, 1) TILE(wide, 6, 1) TILE(wide, 4, 1) TILE(wide, 2, 1) TILE(wide, 1, 1)
TILE(vec, 8, 1) TILE(vec, 6, 1) TILE(vec, 4, 1) TILE(vec, 2, 1) TILE(vec, 1, 1)
TILE(half, 8, 1) TILE(half, 4, 1) TILE(half, 1, 1)
#undef TILE
#define FEW 24
/* up to three columns of B and few channels: many rows at a time; how many there were */
OWN I NAME(few)(I M, I N, const NAME(rows) *q, I n, const R *B, I ldb, R *C, I ldc, int add) {
  I m = 0;
  for (; m + LANES(wide) <= M; m += LANES(wide), C += LANES(wide) * ldc) {
    NAME(wide) t[3] = {{0}, {0}, {0}};
    const R *w = B;
    for (I i = 0; i < n; i++) {
      const R *A = q[i].s + m * q[i].apart;
      for (I k = 0; k < q[i].K; k++, w += ldb, A += q[i].along) {
        NAME(wide) a = NAME(taken)(A, q[i].apart);
        EACH(o, 3) if (o < N) t[o] += w[o] * a;
      }
    }
    EACH(o, 3) if (o < N) {
      if (add) t[o] += NAME(taken)(C + o, ldc);
      NAME(given)(C + o, ldc, t[o]);
    }
  }
  return m;
}
/* one column of B: it is taken from there once, then met by row after row as they lie */
#define COLUMN 1024
OWN void NAME(one)(I m, I M, const NAME(rows) *q, I n, I deep, const R *B, I ldb, R *C, I ldc, int add) {
  R column[COLUMN];
  if (deep > COLUMN) deep = 0;
  for (I k = 0; k < deep; k++) column[k] = B[k * ldb];
  for (; m < M; m++) {
    const R *w = deep ? column : B;
    I step = deep ? 1 : ldb;
    NAME(wide) sums = {0};
    R t = add ? C[m * ldc] : 0;
    int many = 0;
    for (I i = 0; i < n; i++) {
      const R *A = q[i].s + m * q[i].apart;
      I k = 0;
      if (q[i].along == 1 && step == 1 && q[i].K >= LANES(wide)) {
        for (; k + LANES(wide) <= q[i].K; k += LANES(wide), w += LANES(wide)) sums += ON(wide, A + k) * ON(wide, w);
        many = 1;
      }
      for (; k < q[i].K; k++, w += step) t += A[k * q[i].along] * *w;
    }
    C[m * ldc] = many ? t + NAME(total)(sums) : t;
  }
}
/* four columns: four channels of a row at a time, each of which meets its weights for all columns at once */
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
#define MEET(m) t##m += w * broadcast(A + m * sm + k);
#define LAST(m)                                                                                     \
  {                                                                                                 \
    sixteen u = permuted(t##m, turned);                                                             \
    four *d = (four *)(C + m * ldc), *s = (four *)&u, sum = (s[0] + s[1]) + (s[2] + s[3]);          \
    if (add) sum += *d;                                                                             \
    *d = sum;                                                                                       \
  }
#define FOURS(MB, FIRST, EVERY, LASTS)                                                              \
  OWN void NAME(fours_##MB)(const NAME(rows) *q, I n, I m0, const float *restrict B, float *C, I ldc, int add) { \
    const sixteen_numbers turned = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};          \
    sixteen FIRST;                                                                                  \
    for (I i = 0; i < n; i++) {                                                                     \
      const I sm = q[i].apart;                                                                      \
      const float *restrict A = (const float *)q[i].s + m0 * sm;                                    \
      for (I k = 0; k < q[i].K; k += 4, B += 16) {                                                  \
        sixteen w = permuted(*(const sixteen *)B, turned);                                          \
        EVERY                                                                                       \
      }                                                                                             \
    }                                                                                               \
    LASTS                                                                                           \
  }
#define O = {0}
FOURS(8, t0 O; sixteen t1 O; sixteen t2 O; sixteen t3 O; sixteen t4 O; sixteen t5 O; sixteen t6 O; sixteen t7 O,
     MEET(0) MEET(1) MEET(2) MEET(3) MEET(4) MEET(5) MEET(6) MEET(7),
     LAST(0) LAST(1) LAST(2) LAST(3) LAST(4) LAST(5) LAST(6) LAST(7))
FOURS(1, t0 O, MEET(0), LAST(0))
#undef O
#undef FOURS
#undef LAST
#undef MEET
OWN int NAME(fours)(I M, const NAME(rows) *q, I n, const float *B, float *C, I ldc, int add) {
  I m = 0;
  for (I i = 0; i < n; i++) if (q[i].K % 4 || q[i].along != 1) return 0;
  for (; m + 8 <= M; m += 8) NAME(fours_8)(q, n, m, B, C + m * ldc, ldc, add);
  for (; m < M; m++) NAME(fours_1)(q, n, m, B, C + m * ldc, ldc, add);
  return 1;
}
#endif
/* the heights of tiles of one width, the highest first */
typedef struct {
  I rows;
  void (*run)(const NAME(rows) *q, I n, I m0, const R *B, I ldb, R *C, I ldc, int add);
} NAME(tile);
#define OF(T, MB, V) {MB, NAME(tile_##T##_##MB##_##V)}
#define HEIGHTS(name, ...) static const NAME(tile) NAME(name)[] = {__VA_ARGS__};
HEIGHTS(two_wide, OF(wide, 8, 2), OF(wide, 4, 2), OF(wide, 2, 2), OF(wide, 1, 2))
HEIGHTS(one_wide, OF(wide, 8, 1), OF(wide, 6, 1), OF(wide, 4, 1), OF(wide, 2, 1), OF(wide, 1, 1))
HEIGHTS(one_vec, OF(vec, 8, 1), OF(vec, 6, 1), OF(vec, 4, 1), OF(vec, 2, 1), OF(vec, 1, 1))
HEIGHTS(one_half, OF(half, 8, 1), OF(half, 4, 1), OF(half, 1, 1))
#undef HEIGHTS
#undef OF
/* C (+)= A B: C is M x N, A lies in n pieces side by side */
APART void NAME(lay)(I M, I N, const NAME(rows) *q, I n, const R *B, I ldb, R *C, I ldc, int add) {
#ifdef __AVX512F__
  if (sizeof(R) == 4 && N == 4 && ldb == 4 && NAME(fours)(M, q, n, (const float *)B, (float *)C, ldc, add)) return;
#endif
  const I widths[] = {2 * LANES(wide), LANES(wide), LANES(vec), LANES(half)};
  const NAME(tile) *const tiles[] = {NAME(two_wide), NAME(one_wide), NAME(one_vec), NAME(one_half)};
  I v = 0;
  for (int i = 0; i < 4; i++) for (; v + widths[i] <= N; v += widths[i]) {
    const NAME(tile) *t = tiles[i];
    if (M == 12 && t[1].rows == 6) t++; /* twice six is faster than eight and four */
    for (I m = 0; m < M; t++)
      for (; m + t->rows <= M; m += t->rows) t->run(q, n, m, B + v, ldb, C + m * ldc + v, ldc, add);
  }
  if (v == N) return;
  I deep = 0, m = 0;
  for (int i = 0; i < n; i++) deep += q[i].K;
  if (deep <= FEW) m = NAME(few)(M, N - v, q, n, B + v, ldb, C + v, ldc, add);
  for (; v < N; v++) NAME(one)(m, M, q, n, deep, B + v, ldb, C + v, ldc, add);
}
/* the same for a matrix A as it lies: A[m, k] at m * sm + k * sk */
APART void NAME(gemm)(I M, I N, I K, const R *A, I sm, I sk, const R *B, I ldb, R *C, I ldc, int add) {
  NAME(rows) all = {A, sm, sk, K};
  NAME(lay)(M, N, &all, 1, B, ldb, C, ldc, add);
}
"""
