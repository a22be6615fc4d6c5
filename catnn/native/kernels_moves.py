"""The C that moves numbers and adds them up, on strided views; R is their type, NAME(x) a name with it."""

MOVES = r"""
/* n rows of C numbers: of few, so many at a time that their number is known; else row by row */
#define BY_ROWS(RUN)                                                                                \
  if (C < 64) {                                                                                     \
    I c = 0;                                                                                        \
    for (; c + 16 <= C; c += 16) RUN(c, 16);                                                        \
    for (; c + 8 <= C; c += 8) RUN(c, 8);                                                           \
    for (; c + 4 <= C; c += 4) RUN(c, 4);                                                           \
    for (; c < C; c++) RUN(c, 1);                                                                   \
    return;                                                                                         \
  }
INLINE void NAME(copy_run)(R *restrict d, I ds, const R *restrict s, I ss, I n, I C) {
  for (I v = 0; v < n; v++, s += ss, d += ds) for (I c = 0; c < C; c++) d[c] = s[c];
}
APART void NAME(copies)(R *d, I ds, const R *s, I ss, I n, I C) {
#define RUN(c, W) NAME(copy_run)(d + c, ds, s + c, ss, n, W)
  BY_ROWS(RUN)
#undef RUN
  for (I v = 0; v < n; v++) memcpy(d + v * ds, s + v * ss, (size_t)C * sizeof(R));
}
INLINE void NAME(add_run)(R *restrict d, I ds, const R *restrict s, I ss, I n, I C, R f) {
  for (I v = 0; v < n; v++, s += ss, d += ds) for (I c = 0; c < C; c++) d[c] += f * s[c];
}
APART void NAME(adds)(R *d, I ds, const R *s, I ss, I n, I C, R f) {
#define RUN(c, W) NAME(add_run)(d + c, ds, s + c, ss, n, W, f)
  BY_ROWS(RUN)
#undef RUN
  NAME(add_run)(d, ds, s, ss, n, C, f);
}
INLINE void NAME(set_run)(R *restrict d, I ds, const R *restrict s, I ss, I n, I C, R f) {
  for (I v = 0; v < n; v++, s += ss, d += ds) for (I c = 0; c < C; c++) d[c] = f * s[c];
}
APART void NAME(sets)(R *d, I ds, const R *s, I ss, I n, I C, R f) {
#define RUN(c, W) NAME(set_run)(d + c, ds, s + c, ss, n, W, f)
  BY_ROWS(RUN)
#undef RUN
  NAME(set_run)(d, ds, s, ss, n, C, f);
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
APART void NAME(sums)(R *d, const R *s, I C, I st, I t, R f) {
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
/* the same for n rows of sums */
APART void NAME(sum_runs)(R *d, I ds, const R *s, I ss, I n, I C, I st, I t, R f) {
  I c = 0;
  if (C >= 64 || n == 1) {
    for (I v = 0; v < n; v++) NAME(sums)(d + v * ds, s + v * ss, C, st, t, f);
    return;
  }
#define RUN(W, T) for (; c + W <= C; c += W) for (I v = 0; v < n; v++) \
    NAME(sum_few)(d + v * ds + c, s + v * ss + c, st, T, W, f);
#define RUNS(T) RUN(16, T) RUN(8, T) RUN(4, T) RUN(1, T)
  switch (t) {
    case 2: RUNS(2) break;
    case 3: RUNS(3) break;
    default: RUNS(t)
  }
#undef RUNS
#undef RUN
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
APART void NAME(pack)(const R *s, const I *ext, const I *str, I p, I first, I count, R *d, I ld, I C) {
  I at[AXES], inner = ext[p - 1], last = str[p - 1];
  NAME(seek)(first, ext, p, at);
  I o = NAME(place)(at, str, p), run = inner - at[p - 1];
  o -= at[p - 1] * last;
  for (I skip = at[p - 1]; count > 0; skip = 0, run = inner) {
    if (run > count) run = count;
    NAME(copies)(d, ld, s + o + skip * last, last, run, C);
    d += run * ld;
    count -= run;
    o = NAME(next)(at, ext, str, p, o);
  }
}
/* the same, times f; added, if that is asked for */
APART void NAME(start)(const R *s, const I *ext, const I *str, I p, I first, I count, R *d, I C, R f, int add) {
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
/* the axes of two views with that of the entries, `de` and `se` apart: the last is the one to run along */
typedef struct { I ext[AXES + 1], d[AXES + 1], s[AXES + 1]; } NAME(axes);
INLINE NAME(axes) NAME(axes_of)(const I *ext, const I *ds, const I *ss, I p, I entries, I de, I se) {
  NAME(axes) v;
  I first = p > 0 && (ext[p - 1] >= 8 || ext[p - 1] >= entries), at = first ? 0 : p;
  v.ext[at] = entries, v.d[at] = de, v.s[at] = se;
  for (I a = 0; a < p; a++) v.ext[a + first] = ext[a], v.d[a + first] = ds[a], v.s[a + first] = ss[a];
  return v;
}
APART void NAME(add_view)(R *d, const I *ds, const R *s, const I *ss, const I *ext, I p, I C, R f) {
  if (p == 1) { NAME(adds)(d, ds[0], s, ss[0], ext[0], C, f); return; }
  for (I i = 0; i < ext[0]; i++) NAME(add_view)(d + i * ds[0], ds + 1, s + i * ss[0], ss + 1, ext + 1, p - 1, C, f);
}
APART void NAME(sum_view)(R *d, const I *ds, const R *s, const I *ss, const I *ext, I p, I C, I t, I st, R f) {
  if (p == 1) { NAME(sum_runs)(d, ds[0], s, ss[0], ext[0], C, st, t, f); return; }
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
APART void NAME(combine)(R *d, const R *s, const I *o, I n, const R *v, I C, int add) {
  I c = 0;
  for (; c + 64 <= C; c += 64) NAME(combine_chunk)(d + c, s + c, o, n, v, 64, add);
  for (; c + 32 <= C; c += 32) NAME(combine_chunk)(d + c, s + c, o, n, v, 32, add);
  for (; c + 8 <= C; c += 8) NAME(combine_chunk)(d + c, s + c, o, n, v, 8, add);
  for (; c < C; c++) NAME(combine_chunk)(d + c, s + c, o, n, v, 1, add);
}
/* d (+)= f s, numbers that lie side by side */
APART void NAME(line)(R *d, const R *s, I n, R f, int add) {
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
APART void NAME(turn)(R *d, const R *s, I B, I C, I db, I dc, I sb, I sc, R f, int add) {
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
    if (ds[2] == 1 && ss[2] == 1)
      for (I b = 0; b < ext[1]; b++) NAME(line)(d + b * ds[1], s + b * ss[1], ext[2], f, add);
    else NAME(turn)(d, s, ext[1], ext[2], ds[1], ds[2], ss[1], ss[2], f, add);
  }
}
"""
