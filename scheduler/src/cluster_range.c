/* Ranges of names, expanded; zeros in front are kept as wide as they are written. */
#include "cluster_range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads digits; their number is the width. */
static uint64_t digits(const char **text, int *out_width)
{
	char *end;
	const uint64_t value = strtoull(*text, &end, 10);
	*out_width = (int)(end - *text);
	*text = end;
	return value;
}

static const char *add(hy_sched__range *range, const char *prefix, int prefix_length, int width, uint64_t number,
                       const char *suffix)
{
	if (range->count == HY_SCHED_RANGE_MOST) return "more than 4096 names";
	if (asprintf(&range->names[range->count], "%.*s%0*llu%s", prefix_length, prefix, width,
	             (unsigned long long)number, suffix) < 0)
		return "";
	range->count++;
	return NULL;
}

static const char *expand(const char *text, const char *open, hy_sched__range *range)
{
	const char *at = open + 1, *close = strchr(open, ']');
	const char *fault = close == NULL ? "'[' without ']'" : NULL;
	while (fault == NULL) {
		int width, last_width;
		const uint64_t first = digits(&at, &width);
		uint64_t last = first;
		last_width = width;
		if (width == 0 || width > 9) return "needs numbers in its brackets: [0-3,8]";
		if (*at == '-') {
			at++;
			last = digits(&at, &last_width);
			if (last_width == 0 || last_width > 9) return "needs numbers in its brackets: [0-3,8]";
		}
		if (last < first) return "counts down: write the smaller number first";
		for (uint64_t i = first; fault == NULL && i <= last; i++)
			fault = add(range, text, (int)(open - text), width, i, close + 1);
		if (fault != NULL || at == close) break;
		if (*at++ != ',') return "needs numbers in its brackets: [0-3,8]";
	}
	return fault;
}

const char *hy_sched__range_expand(const char *text, hy_sched__range *out_range)
{
	const char *open = strchr(text, '[');
	hy_sched__range range = {0, calloc(open == NULL ? 1 : HY_SCHED_RANGE_MOST, sizeof(*range.names))};
	const char *fault = range.names == NULL ? "" : NULL;
	if (fault == NULL && open == NULL) {
		range.names[0] = strdup(text);
		range.count = range.names[0] != NULL ? 1 : 0;
		fault = range.names[0] != NULL ? NULL : "";
	} else if (fault == NULL) {
		fault = expand(text, open, &range);
	}
	if (fault == NULL)
		*out_range = range;
	else
		hy_sched__range_finish(&range);
	return fault;
}

void hy_sched__range_finish(hy_sched__range *range)
{
	for (uint32_t i = 0; i < range->count; i++)
		free(range->names[i]);
	free(range->names);
	*range = (hy_sched__range){0};
}
