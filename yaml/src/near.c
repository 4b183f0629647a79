/* Levenshtein distance over short words. */
#include <halyard/yaml.h>

#include <string.h>

enum { WORD_MOST = 31 };

static uint32_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	uint32_t row[WORD_MOST + 1];
	for (uint32_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (uint32_t i = 1; i <= a_length; i++) {
		uint32_t diagonal = row[0];
		row[0] = i;
		for (uint32_t j = 1; j <= b_length; j++) {
			uint32_t least = diagonal + (a[i - 1] != b[j - 1]);
			if (row[j] + 1 < least) least = row[j] + 1;
			if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = least;
		}
	}
	return row[b_length];
}

const char *hy_yaml_nearest(const char *word, uint32_t count, const char *const *words)
{
	const char *nearest = NULL;
	const size_t length = strlen(word);
	uint32_t best = UINT32_MAX;
	if (length > WORD_MOST) return NULL;
	for (uint32_t i = 0; i < count; i++) {
		const size_t other = strlen(words[i]);
		if (other > WORD_MOST) continue;
		const uint32_t apart = distance(word, length, words[i], other);
		if (apart >= best || apart > (other + 2) / 3 || apart >= length) continue;
		best = apart;
		nearest = words[i];
	}
	return nearest;
}
