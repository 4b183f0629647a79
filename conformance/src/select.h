/* Which cases of the list a run is about, and in which order. */
#ifndef HY_CONFORM_PRIVATE_SELECT_H
#define HY_CONFORM_PRIVATE_SELECT_H

#include "case.h"

#include <jansson.h>

typedef struct conform_selection {
	const conform_case **cases; /* to be run, in this order; the list's first stays first */
	uint32_t count, total; /* total: in the list up to the level */
} conform_selection;

/* Fails INVALID: a name that no case has, a bad shard; NOT_FOUND: a file that can't be read. */
hy_status conform__select(const hy_conform_options *options, conform_selection *out_selection, hy_error *error);
void conform__select_finish(conform_selection *selection);
/* What was asked for beyond the level, for the report: an object, or null for the whole list. */
json_t *conform__select_describe(const hy_conform_options *options);

#endif
