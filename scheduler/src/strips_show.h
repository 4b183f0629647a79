/* Strips for people and programs: nodes are those of the plan's graph. */
#ifndef HY_SCHED_STRIPS_SHOW_H
#define HY_SCHED_STRIPS_SHOW_H

#include "strips.h"
#include "text.h"

#include <jansson.h>

/* "60 % of the rows a + 40 % of the rows b; predicted 20 ms, of it halos 1 ms; groups 0-52, 53-56 alone". */
void hy_sched__strips_print(hy_sched__text *text, const hy_sched_plan *plan, const hy_sched__strips *strips);
/* "  in strips on a + b, with nodes 3-7 as one program each". */
void hy_sched__strips_explain(hy_sched__text *text, const hy_sched_plan *plan, const hy_sched__strips *strips,
                              uint32_t node);
/* One row per device that it uses; rows: device_count of the split. Answers how many. */
uint32_t hy_sched__strips_show(const hy_sched_plan *plan, const hy_sched__strips *strips, hy_sched_plan_device *rows);
/* The "strips" of a candidate in halyard.plan/v1; NULL without memory. */
json_t *hy_sched__strips_json(const hy_sched_plan *plan, const hy_sched__strips *strips);

#endif
