/* Text from outside made one clean line; the nearest known word. */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hy_hal__text_copy(char *target, size_t size, const char *text, size_t length)
{
	size_t used = 0;
	for (size_t i = 0; text != NULL && i < length && text[i] != '\0' && used + 1 < size; i++) {
		const unsigned char c = (unsigned char)text[i];
		target[used++] = (char)(c < 0x20 || c == 0x7f ? ' ' : c);
	}
	while (used > 0 && target[used - 1] == ' ')
		used--;
	target[used] = '\0';
}

/* Levenshtein distance, or `limit` when it is that or more. Words of 31 letters at most. */
static uint32_t distance(const char *a, const char *b, uint32_t limit)
{
	uint32_t row[32];
	const size_t length_a = strlen(a), length_b = strlen(b);
	if (length_a > 31 || length_b > 31) return limit;
	for (uint32_t j = 0; j <= length_b; j++)
		row[j] = j;
	for (uint32_t i = 1; i <= length_a; i++) {
		uint32_t diagonal = row[0];
		row[0] = i;
		for (uint32_t j = 1; j <= length_b; j++) {
			const uint32_t change = diagonal + (a[i - 1] != b[j - 1]);
			const uint32_t drop = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			diagonal = row[j];
			row[j] = change < drop ? change : drop;
		}
	}
	return row[length_b] < limit ? row[length_b] : limit;
}

const char *hy_hal__text_nearest(const char *word, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	uint32_t least = 3;
	for (size_t i = 0; i < count; i++) {
		const uint32_t d = distance(word, candidates[i], least);
		if (d >= least || d >= strlen(candidates[i])) continue;
		least = d;
		best = candidates[i];
	}
	return best;
}

char *hy_hal__text_format(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = NULL;
	const int length = vasprintf(&text, format, args);
	va_end(args);
	return length < 0 ? NULL : text;
}
