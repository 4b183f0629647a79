/* Writing HTML that no text can break out of. */
#include "html.h"

#include "record.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Control characters have no place in a page; bytes of UTF-8 go through. */
static void put_escaped(FILE *file, const char *text)
{
	for (; *text != '\0'; text++) {
		const unsigned char c = (unsigned char)*text;
		if (c == '&')
			fputs("&amp;", file);
		else if (c == '<')
			fputs("&lt;", file);
		else if (c == '>')
			fputs("&gt;", file);
		else if (c == '"')
			fputs("&quot;", file);
		else if (c == '\'')
			fputs("&#39;", file);
		else
			fputc((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? '?' : c, file);
	}
}

void conform__html_put(FILE *file, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	for (; *format != '\0'; format++) {
		if (*format == '$')
			put_escaped(file, va_arg(args, const char *));
		else
			fputc(*format, file);
	}
	va_end(args);
}

conform_number conform__html_number(const json_t *record, const char *name)
{
	conform_number made;
	snprintf(made.text, sizeof(made.text), "%.9g", conform__record_real(record, name));
	return made;
}

conform_number conform__html_count(int64_t value)
{
	conform_number made;
	snprintf(made.text, sizeof(made.text), "%lld", (long long)value);
	return made;
}

static conform_number with_prefix(double value, double step, const char *const *prefixes, int count, const char *unit)
{
	conform_number made;
	int i = 0;
	while (i + 1 < count && fabs(value) >= step) {
		value /= step;
		i++;
	}
	snprintf(made.text, sizeof(made.text), "%.*f %s%s", value < 10 && i > 0 ? 1 : 0, value, prefixes[i], unit);
	return made;
}

conform_number conform__html_bytes(double value)
{
	static const char *const prefixes[] = {"", "Ki", "Mi", "Gi", "Ti"};
	return with_prefix(value, 1024, prefixes, 5, "B");
}

conform_number conform__html_scaled(double value, const char *unit)
{
	static const char *const prefixes[] = {"", "k", "M", "G", "T", "P"};
	return with_prefix(value, 1000, prefixes, 6, unit);
}

conform_number conform__html_time(double ns)
{
	static const char *const prefixes[] = {"n", "\xc2\xb5", "m", ""};
	return with_prefix(ns, 1000, prefixes, 4, "s");
}
