/* What groups cost, for the search over groups: plain arrays, walked from the end of a group to its front. */
#ifndef HY_SCHED_SPATIAL_WALK_H
#define HY_SCHED_SPATIAL_WALK_H

#include "spatial.h"

/* Where the nodes before a border ran: on the first device alone, or in strips. */
typedef enum hy_sched__where { HY_SCHED__ALONE, HY_SCHED__SPLIT, HY_SCHED__WHERE_COUNT } hy_sched__where;

typedef struct hy_sched__walk {
	const hy_sched__spatial_problem *problem;
	const hy_sched__layers *layers;
	uint32_t count; /* devices */
	const uint32_t *devices;
	const int64_t *bounds; /* as in hy_sched__spatial */
	hy_ir_rows *need; /* value_count times count */
	bool *is_open;
	uint32_t *open, open_count; /* values that are needed in the walk at hand */
	double compute_ns[HY_SCHED__MOST_DEVICES];
	double border_bytes[HY_SCHED__MOST_DEVICES]; /* that a device reads and writes at the borders of the group */
	double in_bytes[HY_SCHED__MOST_DEVICES], out_bytes[HY_SCHED__MOST_DEVICES];
} hy_sched__walk;

void hy_sched__walk_begin(hy_sched__walk *w);
/* Adds node `number` to the front of the group that ends before `end`. */
void hy_sched__walk_step(hy_sched__walk *w, uint32_t number, uint32_t end);
/* Of the group that begins at `first`, which the walk has reached: the slowest device, borders included. */
double hy_sched__walk_compute_ns(const hy_sched__walk *w, uint32_t first);
/* Its halos, where what it reads is in strips or on the first device. */
double hy_sched__walk_halos_ns(hy_sched__walk *w, uint32_t first, hy_sched__where before, double *out_bytes);

/* The network's inputs that node `number` is the first to read, to the first device. */
double hy_sched__walk_inputs_ns(hy_sched__walk *w, uint32_t number);
/* All that lives behind a border, to the first device. */
double hy_sched__walk_gather_ns(hy_sched__walk *w, uint32_t border, double *out_bytes);
/* The network's outputs to where the application reads them. */
double hy_sched__walk_outputs_ns(hy_sched__walk *w, hy_sched__where last);

/* 0 bytes: nothing. */
double hy_sched__walk_link_ns(const hy_sched__link *link, double bytes);

#endif
