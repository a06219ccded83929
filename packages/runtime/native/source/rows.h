/* Gather, scatter and windows. */
#ifndef POTLUCK_ROWS_H
#define POTLUCK_ROWS_H
#include "kernels.h"
#include "vector.h"

/* A scatter shares the columns among threads, so that the rows of one index are added in ascending order (E-12). */
static int runRows(int kind, const Rows *o, const Share *share) {
  const float *x = (const float *)(share->memory + o->x);
  const int32_t *index = (const int32_t *)(share->memory + o->index);
  float *out = (float *)(share->memory + o->out);
  Long from, to;
  for (Long r = 0; r < o->rows; r++)
    if (index[r] < 0 || index[r] >= o->tableRows) return 1;
  if (kind == GATHER) {
    shareOf(o->rows, 1, share->part, share->parts, &from, &to);
    for (Long r = from; r < to; r++) memcpy(out + r * o->columns, x + index[r] * o->columns, (size_t)o->columns * 4);
    return 0;
  }
  shareOf(o->columns, 16, share->part, share->parts, &from, &to);
  if (from == to) return 0;
  for (Long v = 0; v < o->tableRows; v++) memset(out + v * o->columns + from, 0, (size_t)(to - from) * 4);
  for (Long r = 0; r < o->rows; r++) {
    const float *line = x + r * o->columns;
    float *sum = out + index[r] * o->columns;
    Long c = from;
    for (; c + LANES <= to; c += LANES) store(sum + c, load(sum + c) + load(line + c));
    for (; c < to; c++) sum[c] = sum[c] + line[c];
  }
  int hasBad = 0;
  for (Long v = 0; v < o->tableRows; v++) hasBad |= hasNaN(out + v * o->columns + from, to - from);
  return hasBad;
}

/* Where the elements of one window lie in an image, from its first channel; OUTSIDE reads as +0. */
#define OUTSIDE (-1)
static void placeWindow(const Window *o, Long h0, Long w0, Long *places) {
  for (Long i = 0; i < o->kernelHeight; i++) {
    for (Long j = 0; j < o->kernelWidth; j++) {
      Long h = h0 + i, w = w0 + j;
      int isInside = h >= 0 && h < o->height && w >= 0 && w < o->width;
      *places++ = isInside ? (h * o->width + w) * o->channels : OUTSIDE;
    }
  }
}

/* A whole window of one channel: its lines lie together. The usual widths are known to the compiler. */
static inline __attribute__((always_inline)) void copyLines(const float *image, float *out, const Long *places, Long lines, int width) {
  for (Long i = 0; i < lines; i++, places += width, out += width) memcpy(out, image + *places, (size_t)width * 4);
}

/* y[c, i, j] = x[h0 + i, w0 + j, c]. */
static void copyWindow(const Window *o, const float *image, float *out, const Long *places, int isWhole) {
  Long area = o->kernelHeight * o->kernelWidth;
  if (isWhole && o->channels == 1) {
    switch (o->kernelWidth) {
    case 3: copyLines(image, out, places, o->kernelHeight, 3); return;
    case 5: copyLines(image, out, places, o->kernelHeight, 5); return;
    case 7: copyLines(image, out, places, o->kernelHeight, 7); return;
    }
  }
  for (Long c = 0; c < o->channels; c++, out += area) {
    if (isWhole)
      for (Long q = 0; q < area; q++) out[q] = image[places[q] + c];
    else
      for (Long q = 0; q < area; q++) out[q] = places[q] == OUTSIDE ? 0.0f : image[places[q] + c];
  }
}

static void runWindows(const Window *o, const float *x, float *out, Long *places, Long from, Long to) {
  Long area = o->kernelHeight * o->kernelWidth, patch = o->channels * area;
  for (Long line = from; line < to; line++) {
    const float *image = x + line / o->outHeight * o->height * o->width * o->channels;
    Long h0 = line % o->outHeight * o->stride - o->padding;
    int isHigh = h0 >= 0 && h0 + o->kernelHeight <= o->height, wasWhole = 0;
    for (Long column = 0; column < o->outWidth; column++) {
      Long w0 = column * o->stride - o->padding;
      int isWhole = isHigh && w0 >= 0 && w0 + o->kernelWidth <= o->width;
      /* A whole window after a whole one lies where that one did, some pixels on. */
      if (isWhole && wasWhole)
        for (Long q = 0; q < area; q++) places[q] += o->stride * o->channels;
      else placeWindow(o, h0, w0, places);
      copyWindow(o, image, out + (line * o->outWidth + column) * patch, places, isWhole);
      wasWhole = isWhole;
    }
  }
}

/* The sums of n channels that lie `area` apart, from +0, in the order of places. With n known to the compiler they stay in registers. */
static inline __attribute__((always_inline)) void sumChannels(const float *patches, float *pixel, const Long *places, Long count, Long area, int n) {
  float sum[8] = {0};
  for (Long q = 0; q < count; q++) {
    const float *from = patches + places[q];
    for (int c = 0; c < n; c++) sum[c] = sum[c] + from[c * area];
  }
  for (int c = 0; c < n; c++) pixel[c] = sum[c];
}

static void sumPixel(const float *patches, float *pixel, const Long *places, Long count, Long area, Long channels) {
  Long c = 0;
  for (; c + 8 <= channels; c += 8) sumChannels(patches + c * area, pixel + c, places, count, area, 8);
  patches += c * area, pixel += c;
  switch (channels - c) {
  case 7: sumChannels(patches, pixel, places, count, area, 7); break;
  case 6: sumChannels(patches, pixel, places, count, area, 6); break;
  case 5: sumChannels(patches, pixel, places, count, area, 5); break;
  case 4: sumChannels(patches, pixel, places, count, area, 4); break;
  case 3: sumChannels(patches, pixel, places, count, area, 3); break;
  case 2: sumChannels(patches, pixel, places, count, area, 2); break;
  case 1: sumChannels(patches, pixel, places, count, area, 1); break;
  }
}

/* x[h, w, c] = the sum of the y that read it, from +0, i then j ascending: those i with h + padding - i = stride * y, and j likewise. */
static int sumWindows(const Window *o, const float *x, float *out, Long *places, Long from, Long to) {
  Long area = o->kernelHeight * o->kernelWidth, stride = o->stride, patch = o->channels * area;
  for (Long line = from; line < to; line++) {
    const float *patches = x + line / o->height * o->outHeight * o->outWidth * patch;
    Long high = line % o->height + o->padding, firstI = high % stride, firstY = high / stride;
    Long firstJ = o->padding % stride, firstZ = o->padding / stride;
    for (Long w = 0; w < o->width; w++) {
      Long count = 0;
      for (Long i = firstI, y = firstY; i < o->kernelHeight && y >= 0; i += stride, y--) {
        if (y >= o->outHeight) continue;
        for (Long j = firstJ, z = firstZ; j < o->kernelWidth && z >= 0; j += stride, z--)
          if (z < o->outWidth) places[count++] = (y * o->outWidth + z) * patch + i * o->kernelWidth + j;
      }
      sumPixel(patches, out + (line * o->width + w) * o->channels, places, count, area, o->channels);
      if (++firstJ == stride) firstJ = 0, firstZ++;
    }
  }
  return hasNaN(out + from * o->width * o->channels, (to - from) * o->width * o->channels);
}

/* Lines of the result are shared among threads. */
static int runWindow(int kind, const Window *o, const Share *share) {
  const float *x = (const float *)(share->memory + o->x);
  float *out = (float *)(share->memory + o->out);
  Long *places = (Long *)share->scratch, from, to;
  shareOf(o->images * (kind == WINDOW ? o->outHeight : o->height), 1, share->part, share->parts, &from, &to);
  if (kind == WINDOW_SUM) return sumWindows(o, x, out, places, from, to);
  runWindows(o, x, out, places, from, to);
  return 0;
}

static size_t windowScratch(const Window *o) { return (size_t)(o->kernelHeight * o->kernelWidth) * sizeof(Long) + 64; }

#endif
