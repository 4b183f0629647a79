/* Predicted costs, for what has not been measured. */
#include "prior.h"

#include <halyard/ir/work.h>

#define UNKNOWN_FLOPS 10e9
#define UNKNOWN_BYTES_PER_S 10e9
#define LAUNCH_NS 1000.0
#define OPTIMISM 0.9

void hy_sched__prior_nodes(const hy_ir_graph *graph, const hy_device_info *info, uint64_t *out_ns)
{
	const double flops_per_s = info->flops_f32 > 0 ? (double)info->flops_f32 : UNKNOWN_FLOPS;
	const double bytes_per_s = info->memory_bytes_per_s > 0 ? (double)info->memory_bytes_per_s
	                                                        : UNKNOWN_BYTES_PER_S;
	for (uint32_t n = 0; n < hy_ir_graph_node_count(graph); n++) {
		const hy_ir_work work = hy_ir_work_node(graph, n);
		const double compute = work.flops / flops_per_s * 1e9;
		const double move = (double)work.bytes / bytes_per_s * 1e9;
		out_ns[n] = 1 + (uint64_t)(OPTIMISM * ((compute > move ? compute : move) + LAUNCH_NS));
	}
}

void hy_sched__prior_scale(uint32_t count, uint64_t *weights, uint64_t total)
{
	double sum = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += (double)weights[i];
	if (sum <= 0) {
		for (uint32_t i = 0; i < count; i++)
			weights[i] = 1;
		sum = count;
	}
	double done = 0;
	uint64_t given = 0;
	for (uint32_t i = 0; i < count; i++) {
		done += (double)weights[i] / sum * (double)total;
		const uint64_t until = (uint64_t)(done + 0.5);
		weights[i] = until > given ? until - given : 0;
		given += weights[i];
	}
}
