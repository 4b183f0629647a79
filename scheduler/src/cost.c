/* Statistics of measured costs. Medians, because one bad first sample must not decide where work goes. */
#include "cost.h"

#include <stdlib.h>
#include <string.h>

#define TRUSTED_SAMPLES 3u
#define TRUSTED_NS 100000000u

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static uint64_t median(uint32_t count, uint64_t *samples)
{
	qsort(samples, count, sizeof(*samples), compare);
	const uint64_t low = samples[(count - 1) / 2], high = samples[count / 2];
	return low + (high - low) / 2;
}

void hy_sched__cost_summarise(uint32_t count, uint64_t *samples, hy_sched__cost *out_cost)
{
	out_cost->count = count;
	out_cost->median_ns = median(count, samples);
	for (uint32_t i = 0; i < count; i++)
		samples[i] = samples[i] > out_cost->median_ns ? samples[i] - out_cost->median_ns
		                                              : out_cost->median_ns - samples[i];
	out_cost->mad_ns = median(count, samples);
}

bool hy_sched__cost_is_trusted(const hy_sched__cost *cost)
{
	const bool enough = cost->count >= TRUSTED_SAMPLES || cost->median_ns * cost->count >= TRUSTED_NS;
	return enough && cost->mad_ns <= cost->median_ns / 4;
}

void hy_sched__cost_scale(hy_sched__cost *cost, double factor)
{
	cost->median_ns = (uint64_t)((double)cost->median_ns * factor + 0.5);
	cost->mad_ns = (uint64_t)((double)cost->mad_ns * factor + 0.5);
	if (cost->median_ns == 0) cost->median_ns = 1;
	for (uint32_t i = 0; i < cost->node_count; i++)
		cost->node_ns[i] = (uint64_t)((double)cost->node_ns[i] * factor + 0.5);
}

void hy_sched__cost_finish(hy_sched__cost *cost)
{
	free(cost->node_ns);
	cost->node_ns = NULL;
}

hy_status hy_sched__cost_copy(const hy_sched__cost *cost, hy_sched__cost *out_cost, hy_error *error)
{
	hy_sched__cost copy = *cost;
	copy.node_ns = NULL;
	if (cost->node_count > 0) {
		copy.node_ns = malloc(cost->node_count * sizeof(*copy.node_ns));
		if (copy.node_ns == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for a cost");
		memcpy(copy.node_ns, cost->node_ns, cost->node_count * sizeof(*copy.node_ns));
	}
	*out_cost = copy;
	return HY_OK;
}

hy_sched__link hy_sched__cost_fit_link(uint32_t count, const hy_sched__transfer *transfers)
{
	double weights = 0, sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
	for (uint32_t i = 0; i < count; i++) {
		const double x = (double)transfers[i].bytes, y = (double)transfers[i].ns, w = 1 / (y + 1);
		weights += w;
		sum_x += w * x;
		sum_y += w * y;
		sum_xx += w * x * x;
		sum_xy += w * x * y;
	}
	const double spread = weights * sum_xx - sum_x * sum_x;
	double slope = spread > 0 ? (weights * sum_xy - sum_x * sum_y) / spread : 0;
	if (slope < 0) slope = 0;
	double latency = (sum_y - slope * sum_x) / weights;
	if (latency < 0) {
		latency = 0;
		slope = sum_xx > 0 ? sum_xy / sum_xx : 0;
	}
	const hy_sched__link link = {(uint64_t)(latency + 0.5), slope};
	return link;
}

uint64_t hy_sched__cost_link_ns(const hy_sched__link *link, uint64_t bytes)
{
	return bytes == 0 ? 0 : link->latency_ns + (uint64_t)((double)bytes * link->ns_per_byte);
}
