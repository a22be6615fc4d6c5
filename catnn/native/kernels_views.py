"""The C that all parts share: numbers many at a time, and where those of a view are."""

HEAD = r"""#include <stdint.h>
#include <string.h>
typedef int64_t I;
#define AXES 32
#define PIECES 64
#define TILED 8
enum { COPIED, SCALED, ADDED };
#define INLINE static inline __attribute__((always_inline))
#define APART __attribute__((noinline, visibility("hidden")))
#define OWN static __attribute__((noinline))
#ifdef __AVX512F__
#define WIDE 64
#else
#define WIDE 32
#endif
#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < n; i++)
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
"""

VIEWS = r"""
/* numbers as many at a time as a vector holds, wherever they lie */
typedef R NAME(wide) __attribute__((vector_size(WIDE), aligned(sizeof(R)), may_alias));
typedef R NAME(vec) __attribute__((vector_size(32), aligned(sizeof(R)), may_alias));
typedef R NAME(half) __attribute__((vector_size(16), aligned(sizeof(R)), may_alias));
typedef R NAME(number);
#define LANES(T) ((I)(sizeof(NAME(T)) / sizeof(R)))
#define ON(T, p) (*(NAME(T) *)(p))
/* n rows of C numbers, v by v: from column c on, as many columns at a time as a vector holds */
#define STRIP(T, ROW) for (; c + LANES(T) <= C; c += LANES(T)) for (I v = 0; v < n; v++) { ROW(T) }
#define STRIPS(ROW) STRIP(wide, ROW) STRIP(vec, ROW) STRIP(half, ROW) STRIP(number, ROW)
#define LONG_ROW 64
/* numbers that lie `apart` as a vector, and back; the sum of a vector */
INLINE NAME(wide) NAME(taken)(const R *p, I apart) {
  R v[LANES(wide)];
  if (apart == 1) return ON(wide, p);
  EACH(l, (int)LANES(wide)) v[l] = p[l * apart];
  return ON(wide, v);
}
INLINE void NAME(given)(R *p, I apart, NAME(wide) v) {
  if (apart == 1) ON(wide, p) = v;
  else EACH(l, (int)LANES(wide)) p[l * apart] = v[l];
}
INLINE R NAME(total)(NAME(wide) v) {
  R s[LANES(wide)];
  ON(wide, s) = v;
  if (WIDE > sizeof(NAME(vec))) ON(vec, s) += ON(vec, s + LANES(vec));
  ON(half, s) += ON(half, s + LANES(half));
  return LANES(half) == 4 ? (s[0] + s[1]) + (s[2] + s[3]) : s[0] + s[1];
}
/* some rows of a piece of A: row m, channel k lies at s[m * apart + k * along] */
typedef struct { const R *s; I apart, along, K; } NAME(rows);
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
/* the axes of two views with that of the entries, `de` and `se` apart: the last is the one to run along */
typedef struct { I ext[AXES + 1], d[AXES + 1], s[AXES + 1]; } NAME(axes);
INLINE NAME(axes) NAME(axes_of)(const I *ext, const I *ds, const I *ss, I p, I entries, I de, I se) {
  NAME(axes) v;
  I first = p > 0 && (ext[p - 1] >= 8 || ext[p - 1] >= entries), at = first ? 0 : p;
  v.ext[at] = entries, v.d[at] = de, v.s[at] = se;
  for (I a = 0; a < p; a++) v.ext[a + first] = ext[a], v.d[a + first] = ds[a], v.s[a + first] = ss[a];
  return v;
}
/* a program's views: word k names a buffer, the next one a place in it; entries of the batch lie step[buffer] apart */
#define ENTRIES for (I e = 0; e < entries; e++)
#define HERE(k) (b[q[k]] + q[(k) + 1])
#define AT(k) (HERE(k) + e * step[q[k]])
"""
