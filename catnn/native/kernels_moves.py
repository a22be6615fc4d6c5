"""The C that moves numbers and adds them up, on strided views; R is their type, NAME(x) a name with it."""

MOVES = r"""
/* d (+)= f s, n rows of so few numbers that there is no vector for them: a column at a time, many rows at a time,
   of which no two are one */
OWN void NAME(columns)(R *d, I ds, const R *s, I ss, I n, I C, R f, int add) {
  for (I c = 0; c < C; c++, d++, s++) {
    I v = 0;
    for (; v + LANES(wide) <= n; v += LANES(wide)) {
      NAME(wide) a = f * NAME(taken)(s + v * ss, ss);
      if (add) a += NAME(taken)(d + v * ds, ds);
      NAME(given)(d + v * ds, ds, a);
    }
    for (; v < n; v++) d[v * ds] = f * s[v * ss] + (add ? d[v * ds] : 0);
  }
}
/* n rows of C numbers: long ones one after another, as they lie; then what is left of them, many columns at a time */
#define ROWS(ROW, f, add)                                                                           \
  if (ds == C && ss == C) C *= n, n = 1;                                                            \
  if (C >= LONG_ROW) for (I v = 0; v < n; v++) for (c = 0; c + LANES(wide) <= C; c += LANES(wide)) { ROW(wide) } \
  STRIP(wide, ROW) STRIP(vec, ROW) STRIP(half, ROW)                                                 \
  if (c < C && n >= LANES(wide) && ds) NAME(columns)(d + c, ds, s + c, ss, n, C - c, f, add);       \
  else { STRIP(number, ROW) }
APART void NAME(copies)(R *d, I ds, const R *s, I ss, I n, I C) {
  I c = 0;
#define ROW(T) ON(T, d + v * ds + c) = ON(T, s + v * ss + c);
  ROWS(ROW, 1, 0)
#undef ROW
}
/* d (+)= f s, n rows of C numbers; where ds is 0, all are added to one */
APART void NAME(sets)(R *d, I ds, const R *s, I ss, I n, I C, R f) {
  I c = 0;
#define ROW(T) ON(T, d + v * ds + c) = f * ON(T, s + v * ss + c);
  ROWS(ROW, f, 0)
#undef ROW
}
APART void NAME(adds)(R *d, I ds, const R *s, I ss, I n, I C, R f) {
  I c = 0;
#define ROW(T) ON(T, d + v * ds + c) += f * ON(T, s + v * ss + c);
  ROWS(ROW, f, 1)
#undef ROW
}
#undef ROWS
/* the sum of t > 0 rows: of many, four sums at a time, for an addition takes longer than it is to begin one */
#define SUM(T)                                                                                      \
  INLINE NAME(T) NAME(sum_##T)(const R *s, I st, I t) {                                             \
    NAME(T) a = ON(T, s), b = {0}, g = b, h = b;                                                    \
    if (t < 4) {                                                                                    \
      if (t > 1) a += ON(T, s + st);                                                                \
      if (t > 2) a += ON(T, s + 2 * st);                                                            \
      return a;                                                                                     \
    }                                                                                               \
    for (s += st, t--; t >= 4; t -= 4, s += 4 * st)                                                 \
      a += ON(T, s), b += ON(T, s + st), g += ON(T, s + 2 * st), h += ON(T, s + 3 * st);            \
    for (; t > 0; t--, s += st) b += ON(T, s);                                                      \
    return (a + b) + (g + h);                                                                       \
  }
SUM(wide) SUM(vec) SUM(half) SUM(number)
#undef SUM
/* f times the sum of a row of s or four, and of d if that is to be added */
INLINE void NAME(sum_rows)(R *d, const R *s, I st, I C, int four, int add, R f) {
  for (I c = 0; c < C; c += LANES(wide)) {
    NAME(wide) a = ON(wide, s + c);
    if (four) a += ON(wide, s + st + c) + (ON(wide, s + 2 * st + c) + ON(wide, s + 3 * st + c));
    if (add) a += ON(wide, d + c);
    ON(wide, d + c) = f * a;
  }
}
/* the sum of t long rows, as far as they hold whole blocks; how far that is */
OWN I NAME(sum_long)(R *d, const R *s, I C, I st, I t, R f) {
  enum { MANY = LONG_ROW / LANES(wide) };
  I c = 0;
  if (C >= 256 && t > 4) { /* the rows one after another */
    I k = 4, all = C - C % LANES(wide);
    NAME(sum_rows)(d, s, st, all, 1, 0, 1);
    for (; k + 4 < t; k += 4) NAME(sum_rows)(d, s + k * st, st, all, 1, 1, 1);
    for (; k < t; k++) NAME(sum_rows)(d, s + k * st, st, all, 0, 1, k + 1 < t ? 1 : f);
    return all;
  }
  for (; c + LONG_ROW <= C; c += LONG_ROW) {
    NAME(wide) a[MANY];
    EACH(i, MANY) a[i] = (NAME(wide)){0};
    const R *x = s + c;
    for (I k = 0; k < t; k++, x += st) EACH(i, MANY) a[i] += ON(wide, x + i * LANES(wide));
    EACH(i, MANY) ON(wide, d + c + i * LANES(wide)) = f * a[i];
  }
  return c;
}
/* n sums of t numbers, st apart: along them where they lie side by side, else many sums at a time */
OWN void NAME(sums_column)(R *d, I ds, const R *s, I ss, I n, I st, I t, R f) {
  I v = 0, many = st == 1 ? t - t % LANES(wide) : 0;
  if (many) for (; v < n; v++) {
    NAME(wide) a = NAME(sum_wide)(s + v * ss, LANES(wide), many / LANES(wide));
    R rest = 0;
    for (I k = many; k < t; k++) rest += s[v * ss + k];
    d[v * ds] = f * (NAME(total)(a) + rest);
  }
  for (; v + LANES(wide) <= n; v += LANES(wide)) {
    NAME(wide) a = {0};
    for (I k = 0; k < t; k++) a += NAME(taken)(s + v * ss + k * st, ss);
    NAME(given)(d + v * ds, ds, f * a);
  }
  for (; v < n; v++) d[v * ds] = f * NAME(sum_number)(s + v * ss, st, t);
}
/* n rows of sums of t rows, st apart */
OWN void NAME(sums)(R *d, I ds, const R *s, I ss, I n, I C, I st, I t, R f) {
  I c = 0;
  if (C >= LONG_ROW) for (I v = 0; v < n; v++) c = NAME(sum_long)(d + v * ds, s + v * ss, C, st, t, f);
#define ROW(T) ON(T, d + v * ds + c) = f * NAME(sum_##T)(s + v * ss + c, st, t);
  STRIP(wide, ROW) STRIP(vec, ROW) STRIP(half, ROW)
  if (n >= LANES(wide) || (st == 1 && t >= LANES(wide)))
    for (; c < C; c++) NAME(sums_column)(d + c, ds, s + c, ss, n, st, t, f);
  else { STRIP(number, ROW) }
#undef ROW
}
/* rows `first` to `first + count` of the voxels of a view of p > 0 axes, one after another from d on: as they are, or
   f times, or f times added */
APART void NAME(pack)(const R *s, const I *ext, const I *str, I p, I first, I count, R *d, I ld, I C, int how, R f) {
  I at[AXES], inner = ext[p - 1], last = str[p - 1];
  NAME(seek)(first, ext, p, at);
  I o = NAME(place)(at, str, p), run = inner - at[p - 1];
  o -= at[p - 1] * last;
  for (I skip = at[p - 1]; count > 0; skip = 0, run = inner) {
    if (run > count) run = count;
    const R *x = s + o + skip * last;
    if (how == COPIED) NAME(copies)(d, ld, x, last, run, C);
    else if (how == SCALED) NAME(sets)(d, ld, x, last, run, C, f);
    else NAME(adds)(d, ld, x, last, run, C, f);
    d += run * ld;
    count -= run;
    o = NAME(next)(at, ext, str, p, o);
  }
}
APART void NAME(add_view)(R *d, const I *ds, const R *s, const I *ss, const I *ext, I p, I C, R f) {
  if (p == 1) { NAME(adds)(d, ds[0], s, ss[0], ext[0], C, f); return; }
  for (I i = 0; i < ext[0]; i++) NAME(add_view)(d + i * ds[0], ds + 1, s + i * ss[0], ss + 1, ext + 1, p - 1, C, f);
}
APART void NAME(sum_view)(R *d, const I *ds, const R *s, const I *ss, const I *ext, I p, I C, I t, I st, R f) {
  if (p == 1) { NAME(sums)(d, ds[0], s, ss[0], ext[0], C, st, t, f); return; }
  for (I i = 0; i < ext[0]; i++)
    NAME(sum_view)(d + i * ds[0], ds + 1, s + i * ss[0], ss + 1, ext + 1, p - 1, C, t, st, f);
}
/* d (+)= a sum of n rows of C numbers, each times a number of v: pairs of their places in s and in v */
#define COMBINED(T, COUNT)                                                                          \
  for (; c + COUNT * LANES(T) <= C; c += COUNT * LANES(T)) {                                        \
    NAME(T) a[COUNT];                                                                               \
    EACH(i, COUNT) a[i] = add ? ON(T, d + c + i * LANES(T)) : (NAME(T)){0};                         \
    for (I k = 0; k < n; k++) EACH(i, COUNT) a[i] += v[o[2 * k + 1]] * ON(T, s + o[2 * k] + c + i * LANES(T)); \
    EACH(i, COUNT) ON(T, d + c + i * LANES(T)) = a[i];                                              \
  }
APART void NAME(combine)(R *d, const R *s, const I *o, I n, const R *v, I C, int add) {
  I c = 0;
  COMBINED(wide, 4) COMBINED(wide, 1) COMBINED(vec, 1) COMBINED(half, 1) COMBINED(number, 1)
}
#undef COMBINED
#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLES 1
#endif
#endif
/* the transpose of a block of four rows of four numbers, times f */
#ifdef SHUFFLES
INLINE void turn_four(float *d, I ds, const float *s, I ss, float f) {
  four a = *(const four *)s, b = *(const four *)(s + ss);
  four c = *(const four *)(s + 2 * ss), e = *(const four *)(s + 3 * ss);
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
/* d (+)= f s on two axes, a block at a time, so that neither side is read or written across the cache */
OWN void NAME(turn)(R *d, const R *s, I B, I C, I db, I dc, I sb, I sc, R f, int add) {
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
APART void NAME(move)(R *d, const R *s, const I *ext, const I *ds, const I *ss, R f, int add) {
  for (I a = 0; a < ext[0]; a++, d += ds[0], s += ss[0]) {
    if (ds[2] == 1 && ss[2] == 1) (add ? NAME(adds) : NAME(sets))(d, ds[1], s, ss[1], ext[1], ext[2], f);
    else NAME(turn)(d, s, ext[1], ext[2], ds[1], ds[2], ss[1], ss[2], f, add);
  }
}
"""
