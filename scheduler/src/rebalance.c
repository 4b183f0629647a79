/* best[s][j]: the least time of the slowest of the first s stages when they run the nodes before j. Exact: O(stages x
 * nodes^2). */
#include "rebalance.h"

#include <math.h>
#include <stdlib.h>

hy_status hy_sched__rebalance(const hy_sched__rebalance_problem *problem, uint32_t *out_borders, double *out_ns,
                              hy_error *error)
{
	const uint32_t stages = problem->stage_count, nodes = problem->node_count, width = nodes + 1;
	double *best = malloc((size_t)(stages + 1) * width * sizeof(*best));
	uint32_t *from = calloc((size_t)(stages + 1) * width, sizeof(*from));
	if (best == NULL || from == NULL) {
		free(best);
		free(from);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for planning again");
	}
	for (size_t i = 0; i < (size_t)(stages + 1) * width; i++)
		best[i] = INFINITY;
	best[0] = 0;
	for (uint32_t s = 0; s < stages; s++)
		for (uint32_t begin = 0; begin < nodes; begin++) {
			const double before = best[(size_t)s * width + begin];
			double work = problem->enter_ns[s][begin];
			for (uint32_t end = begin + 1; before < INFINITY && end <= nodes; end++) {
				work += problem->node_ns[s][end - 1];
				const double ns = fmax(before, work + problem->leave_ns[s][end]);
				const size_t at = (size_t)(s + 1) * width + end;
				if (ns >= best[at]) continue;
				best[at] = ns;
				from[at] = begin;
			}
		}
	*out_ns = best[(size_t)stages * width + nodes];
	out_borders[stages] = nodes;
	for (uint32_t s = stages; s > 0 && *out_ns < INFINITY; s--)
		out_borders[s - 1] = from[(size_t)s * width + out_borders[s]];
	free(best);
	free(from);
	return HY_OK;
}
