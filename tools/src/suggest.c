/* Levenshtein distance over short words. */
#include "suggest.h"

#include <stddef.h>
#include <string.h>

enum { WORD_MAX = 32 };

static uint32_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	uint32_t row[WORD_MAX + 1];
	for (uint32_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (uint32_t i = 1; i <= a_length; i++) {
		uint32_t diagonal = row[0];
		row[0] = i;
		for (uint32_t j = 1; j <= b_length; j++) {
			uint32_t best = diagonal + (a[i - 1] != b[j - 1]);
			if (row[j] + 1 < best) best = row[j] + 1;
			if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_length];
}

const char *tool_suggest(const char *word, uint32_t count, const char *const *words)
{
	const size_t length = strcspn(word, "=");
	const char *nearest = NULL;
	uint32_t best = UINT32_MAX;
	if (length > WORD_MAX) return NULL;
	for (uint32_t i = 0; i < count; i++) {
		const size_t other = strlen(words[i]);
		if (other > WORD_MAX) continue;
		const uint32_t d = distance(word, length, words[i], other);
		if (d < best && d <= (other + 3) / 3) {
			best = d;
			nearest = words[i];
		}
	}
	return nearest;
}
