/* What a run adds up to. */
#include "engine_state.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

hy_status hy_sched__engine_result_fill(engine *e, hy_sched__engine_result *result, hy_error *error)
{
	double work = 0, capacity = 0, uses = 0;
	uint32_t used = 0;
	result->device_count = e->options->device_count;
	result->devices = calloc(result->device_count + 1, sizeof(*result->devices));
	if (result->devices == NULL || e->no_memory) return hy_error_set(error, HY_NO_MEMORY, "no memory for a result");
	result->u_min = 1;
	for (uint32_t d = 0; d < result->device_count; d++) {
		const device_slot *device = &e->devices[d];
		const double rate = e->options->devices[d].rate;
		hy_sched__engine_device_result *out = &result->devices[d];
		*out = (hy_sched__engine_device_result){.items = device->items,
		                                        .useful_ns = device->useful_ns,
		                                        .wasted_ns = device->wasted_ns,
		                                        .available_ns = device->available_ns,
		                                        .use = 1};
		if (!(device->available_ns > 0)) continue;
		out->use = device->useful_ns / device->available_ns;
		work += device->useful_ns * rate;
		capacity += device->available_ns * rate;
		uses += out->use;
		used++;
		if (out->use < result->u_min) result->u_min = out->use;
	}
	result->busiest_channel = NONE;
	for (uint32_t c = 0; c < e->options->channel_count; c++) {
		if (e->channel_used_ns[c] <= result->busiest_channel_ns) continue;
		result->busiest_channel_ns = e->channel_used_ns[c];
		result->busiest_channel = c;
	}
	result->u_cap = capacity > 0 ? work / capacity : 0;
	result->u_dev = used > 0 ? uses / used : 0;
	result->end_ns = e->end_ns;
	result->dropped = e->dropped;
	result->steals = e->steals;
	result->drifts = e->drifts;
	hy_sched__dispatch_count(e->dispatch, &result->counts);
	result->refused = result->counts.refused;
	result->broken = hy_sched__dispatch_check(e->dispatch);
	if (result->broken == NULL && result->counts.accepted != result->counts.delivered)
		result->broken = "requests are left and nothing will happen";
	if (e->latency_count == 0) return HY_OK;
	qsort(e->latencies, e->latency_count, sizeof(*e->latencies), by_value);
	result->p50_ns = e->latencies[(e->latency_count - 1) / 2];
	result->p99_ns = e->latencies[(size_t)((double)(e->latency_count - 1) * 0.99)];
	result->worst_ns = e->latencies[e->latency_count - 1];
	return HY_OK;
}

void hy_sched__engine_result_finish(hy_sched__engine_result *result)
{
	free(result->devices);
	result->devices = NULL;
}
