/* Placements built in one pass: each task, most urgent first, where it is expected to do best. */
#ifndef HY_SCHED_LIST_SCHEDULE_H
#define HY_SCHED_LIST_SCHEDULE_H

#include "task_graph.h"

typedef enum hy_sched__list_rule {
	HY_SCHED__LIST_SINGLE, /* all on the fastest device that has room */
	HY_SCHED__LIST_DM, /* in order of number, where it completes first (expected completion time) */
	HY_SCHED__LIST_HEFT, /* longest mean path to the end first, where it completes first, into gaps too */
	HY_SCHED__LIST_PEFT, /* longest optimistic path first, where it and its optimistic path complete first */
	HY_SCHED__LIST_CPOP, /* the critical path on one device, the rest where it completes first */
	HY_SCHED__LIST_COUNT
} hy_sched__list_rule;

/* Fills a placement that _init made, and its makespan as hy_sched__makespan_of finds it. Links are booked one transfer
 * at a time, and no device gets tasks of more bytes than it has: when nothing is left that fits, makespan_ns is
 * INFINITY. */
hy_status hy_sched__list_schedule(const hy_sched__task_graph *graph, hy_sched__list_rule rule,
                                  hy_sched__placement *placement, hy_error *error);

/* "HEFT", ... */
const char *hy_sched__list_name(hy_sched__list_rule rule);

#endif
