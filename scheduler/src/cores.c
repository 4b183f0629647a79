/* Step 0: which cores of the host each device computes on. */
#include "cores.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_CORES 65536ul

static bool number_parse(const char **at, unsigned long *out_number)
{
	if (!isdigit((unsigned char)**at)) return false;
	char *end;
	*out_number = strtoul(*at, &end, 10);
	*at = end;
	return *out_number < MOST_CORES;
}

uint32_t hy_sched__cores_parse(const char *text, uint32_t room, uint32_t *out_cores)
{
	uint32_t count = 0;
	for (const char *at = text;; at++) {
		unsigned long first, last;
		if (!number_parse(&at, &first)) return 0;
		last = first;
		if (*at == '-') {
			at++;
			if (!number_parse(&at, &last) || last < first) return 0;
		}
		for (unsigned long core = first; core <= last; core++, count++)
			if (out_cores != NULL && count < room) out_cores[count] = (uint32_t)core;
		if (*at == '\0') return count;
		if (*at != ',') return 0;
	}
}

char *hy_sched__cores_print(uint32_t count, const uint32_t *cores)
{
	const size_t room = 12 * (size_t)count + 1;
	char *text = malloc(room);
	if (text == NULL) return NULL;
	size_t at = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < count;) {
		uint32_t last = i;
		while (last + 1 < count && cores[last + 1] == cores[last] + 1)
			last++;
		at += (size_t)snprintf(text + at, room - at, "%s%u", i > 0 ? "," : "", cores[i]);
		if (last > i) at += (size_t)snprintf(text + at, room - at, "-%u", cores[last]);
		i = last + 1;
	}
	return text;
}

uint32_t hy_sched__cores_share(uint32_t core_count, uint32_t shares, uint32_t index, uint32_t *out_count)
{
	if (core_count < shares) {
		*out_count = 1;
		return index % core_count;
	}
	const uint32_t each = core_count / shares, larger = core_count % shares;
	*out_count = each + (index < larger ? 1 : 0);
	return index * each + (index < larger ? index : larger);
}
