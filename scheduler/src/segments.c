/* Step 2: who runs which node, and in which pieces. */
#include "segments.h"

uint32_t hy_sched__segments_assign(uint32_t node_count, uint32_t device_count, const hy_sched__verdict *const *verdicts,
                                   const uint32_t *order, const uint32_t *wanted, uint32_t *out_device)
{
	for (uint32_t n = 0; n < node_count; n++) {
		uint32_t device = wanted[n];
		for (uint32_t i = 0; verdicts[device][n].answer == HY_SCHED__NO; i++) {
			if (i == device_count) return n;
			device = order[i];
		}
		out_device[n] = device;
	}
	return HY_IR_NONE;
}

uint32_t hy_sched__segments_cut(uint32_t node_count, const uint32_t *device, hy_sched__segment *out_segments)
{
	uint32_t count = 0;
	for (uint32_t n = 0; n < node_count; n++) {
		if (count > 0 && out_segments[count - 1].device == device[n]) {
			out_segments[count - 1].count++;
			continue;
		}
		const hy_sched__segment segment = {n, 1, device[n]};
		out_segments[count++] = segment;
	}
	return count;
}
