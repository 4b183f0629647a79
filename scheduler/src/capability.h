/* Step 1: what each device says to each node. */
#ifndef HY_SCHED_CAPABILITY_H
#define HY_SCHED_CAPABILITY_H

#include "plan.h"

/* Asks the device about every node of a prepared graph; a refused region is asked again as its body.
 * blob: of the whole graph. out_verdicts: one per node. */
hy_status hy_sched__capability(hy_hal_device *device, const hy_ir_graph *graph, const hy_graph *blob,
                               hy_sched__verdict *out_verdicts, hy_error *error);

#endif
