/* Step 3: memory that a run of nodes needs. */
#ifndef HY_SCHED_FOOTPRINT_H
#define HY_SCHED_FOOTPRINT_H

#include "plan.h"

/* Of nodes first..first+count-1 of a prepared graph, dense and without what a plugin adds. */
hy_status hy_sched__footprint_of(const hy_ir_graph *graph, uint32_t first, uint32_t count,
                                 hy_sched__footprint *out_footprint, hy_error *error);

/* Memory that a device needs for it; staged: inputs and outputs are copied for each of `depth` requests. */
uint64_t hy_sched__footprint_need(const hy_sched__footprint *footprint, bool staged, uint32_t depth);

#endif
