/* Ranges of names as Slurm writes them: node[01-16,20], one pair of brackets. */
#ifndef HY_SCHED_CLUSTER_RANGE_H
#define HY_SCHED_CLUSTER_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#define HY_SCHED_RANGE_MOST 4096u

/* The extended regular expression of what can be expanded. */
#define HY_SCHED_RANGE_PATTERN(letters) \
	letters "*(\\[[0-9]{1,9}(-[0-9]{1,9})?(,[0-9]{1,9}(-[0-9]{1,9})?)*\\]" letters "*)?"

typedef struct hy_sched__range {
	uint32_t count;
	char **names; /* each of its own */
} hy_sched__range;

/* NULL, or what is wrong with the text; "" without memory. On success the names are the caller's to finish. */
const char *hy_sched__range_expand(const char *text, hy_sched__range *out_range);
void hy_sched__range_finish(hy_sched__range *range);

#endif
