/* Writing HTML that no text can break out of. */
#ifndef HY_CONFORM_PRIVATE_HTML_H
#define HY_CONFORM_PRIVATE_HTML_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* Writes format with each $ replaced by the next argument, a const char * that is escaped. */
void conform__html_put(FILE *file, const char *format, ...);

typedef struct conform_number {
	char text[48];
} conform_number;

/* Nine digits at most, as people write them; also of numbers that JSON has as text (record.h). */
conform_number conform__html_number(const json_t *record, const char *name);
conform_number conform__html_count(int64_t value);
/* "1.5 GiB" and "12.3 GB/s": a value and its unit with the prefix that leaves the fewest digits. */
conform_number conform__html_bytes(double value);
conform_number conform__html_scaled(double value, const char *unit);
/* "850 ns", "1.2 ms" */
conform_number conform__html_time(double ns);

/* ---- charts, as inline SVG ---- */

typedef struct conform_bar {
	const char *label;
	double value;
	conform_number text;
} conform_bar;

/* Horizontal bars from 0 to the largest value. */
void conform__chart_bars(FILE *file, const char *title, uint32_t count, const conform_bar *bars);

enum { CONFORM_LINES = 4, CONFORM_POINTS = 64 };

typedef struct conform_line {
	const char *label;
	uint32_t count;
	double x[CONFORM_POINTS], y[CONFORM_POINTS]; /* above 0 */
} conform_line;

/* Lines over logarithmic axes: bytes and bytes per second. */
void conform__chart_lines(FILE *file, const char *title, uint32_t count, const conform_line *lines);

#endif
