/* A text that grows. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void hy_sched__text_add(hy_sched__text *text, const char *format, ...)
{
	if (text->failed) return;
	for (;;) {
		va_list args;
		va_start(args, format);
		const size_t left = text->room - text->length;
		const int length = vsnprintf(left > 0 ? text->bytes + text->length : NULL, left, format, args);
		va_end(args);
		if (length < 0) break;
		if ((size_t)length < left) {
			text->length += (size_t)length;
			return;
		}
		const size_t room = 2 * text->room + (size_t)length + 256;
		char *bytes = realloc(text->bytes, room);
		if (bytes == NULL) break;
		text->bytes = bytes;
		text->room = room;
	}
	text->failed = true;
}

static void add_scaled(hy_sched__text *text, double value, double base, const char *const *units, int unit_count)
{
	int unit = 0;
	while (value >= base && unit + 1 < unit_count) {
		value /= base;
		unit++;
	}
	hy_sched__text_add(text, unit > 0 && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void hy_sched__text_add_ns(hy_sched__text *text, unsigned long long ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	add_scaled(text, (double)ns, 1000, units, 4);
}

void hy_sched__text_add_bytes(hy_sched__text *text, unsigned long long bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	add_scaled(text, (double)bytes, 1024, units, 5);
}
