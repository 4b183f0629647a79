/* How long a placement takes: the queues of the runtime in virtual time. */
#ifndef HY_SCHED_MAKESPAN_H
#define HY_SCHED_MAKESPAN_H

#include "task_graph.h"

/* Runs the tasks on their devices and the values over their links, one at a time each, the most urgent of what is ready
 * first (a value is as urgent as the task it goes to). finish_ns: per task, or NULL. Sets placement->makespan_ns. */
hy_status hy_sched__makespan_of(const hy_sched__task_graph *graph, hy_sched__placement *placement, double *finish_ns,
                                hy_error *error);

#endif
