/* Charts as inline SVG: no script, colours from the page's style. */
#include "html.h"

#include <math.h>

enum { WIDTH = 520, ROW = 34, LEFT = 78, RIGHT = 14, TOP = 10, HEIGHT = 300, BOTTOM = 34 };

void conform__chart_bars(FILE *file, const char *title, uint32_t count, const conform_bar *bars)
{
	double most = 0;
	for (uint32_t i = 0; i < count; i++)
		most = fmax(most, bars[i].value);
	fprintf(file, "<figure><figcaption>");
	conform__html_put(file, "$</figcaption>\n", title);
	fprintf(file, "<svg viewBox=\"0 0 %d %u\" role=\"img\">\n", WIDTH, count * ROW + 2);
	for (uint32_t i = 0; i < count; i++) {
		const double length = most > 0 && bars[i].value > 0 ? bars[i].value / most * WIDTH : 0;
		const uint32_t top = i * ROW;
		fprintf(file, "<text x=\"0\" y=\"%u\">", top + 14);
		conform__html_put(file, "$</text><text class=\"value\" text-anchor=\"end\" ", bars[i].label);
		fprintf(file, "x=\"%d\" y=\"%u\">", WIDTH, top + 14);
		conform__html_put(file, "$</text>\n", bars[i].text.text);
		fprintf(file,
		        "<rect class=\"rail\" x=\"0\" y=\"%u\" width=\"%d\" height=\"8\" rx=\"3\"/>"
		        "<rect class=\"bar\" x=\"0\" y=\"%u\" width=\"%.1f\" height=\"8\" rx=\"3\"/>\n",
		        top + 20, WIDTH, top + 20, length);
	}
	fputs("</svg></figure>\n", file);
}

typedef struct axis {
	double low, high; /* logarithms */
} axis;

static axis axis_of(uint32_t count, const conform_line *lines, double base, int which)
{
	axis a = {INFINITY, -INFINITY};
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t p = 0; p < lines[i].count; p++) {
			const double value = log(which == 0 ? lines[i].x[p] : lines[i].y[p]) / log(base);
			a.low = fmin(a.low, floor(value));
			a.high = fmax(a.high, ceil(value));
		}
	if (!(a.high > a.low)) a.high = a.low + 1;
	return a;
}

static double place(const axis *a, double value, double base, double from, double to)
{
	return from + (log(value) / log(base) - a->low) / (a->high - a->low) * (to - from);
}

static void put_grid(FILE *file, const axis *x, const axis *y)
{
	for (double power = y->low; power <= y->high; power++) {
		const double at = place(y, pow(10, power), 10, HEIGHT - BOTTOM, TOP);
		fprintf(file, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, WIDTH - RIGHT,
		        at, at);
		fprintf(file, "<text text-anchor=\"end\" x=\"%d\" y=\"%.1f\">", LEFT - 6, at + 4);
		conform__html_put(file, "$</text>\n", conform__html_scaled(pow(10, power), "B/s").text);
	}
	const double step = x->high - x->low > 14 ? 6 : x->high - x->low > 6 ? 4 : 1;
	for (double power = x->low; power <= x->high; power += step) {
		const double at = place(x, pow(2, power), 2, LEFT, WIDTH - RIGHT);
		fprintf(file, "<text text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">", at, HEIGHT - BOTTOM + 20);
		conform__html_put(file, "$</text>\n", conform__html_bytes(pow(2, power)).text);
	}
}

void conform__chart_lines(FILE *file, const char *title, uint32_t count, const conform_line *lines)
{
	const axis x = axis_of(count, lines, 2, 0), y = axis_of(count, lines, 10, 1);
	if (!isfinite(x.low) || !isfinite(y.low) || y.high - y.low > 20 || x.high - x.low > 70) return;
	conform__html_put(file, "<figure><figcaption>$</figcaption>\n<p class=\"legend\">", title);
	for (uint32_t i = 0; i < count; i++) {
		fprintf(file, "<span class=\"key line%u\">", i);
		conform__html_put(file, "$</span> ", lines[i].label);
	}
	fprintf(file, "</p>\n<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH, HEIGHT);
	put_grid(file, &x, &y);
	for (uint32_t i = 0; i < count; i++) {
		fprintf(file, "<polyline class=\"line%u\" points=\"", i);
		for (uint32_t p = 0; p < lines[i].count; p++)
			fprintf(file, "%.1f,%.1f ", place(&x, lines[i].x[p], 2, LEFT, WIDTH - RIGHT),
			        place(&y, lines[i].y[p], 10, HEIGHT - BOTTOM, TOP));
		fputs("\"/>\n", file);
	}
	fputs("</svg></figure>\n", file);
}
