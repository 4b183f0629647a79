/* What no plan can beat.
 *
 * Throughput: the area linear program (every node somewhere, no device longer than T) is bounded from below by each of
 * its dual points: for weights w_d >= 0 that sum to 1, T >= sum over nodes of min_d w_d * time(d, node). The weights
 * are improved by multiplicative steps towards the device that has too much; the best value seen is kept. Where all
 * devices rank nodes alike the first point, w_d ~ 1/time(d), is exact: 1 / sum(1/time). */
#include "bound.h"

#define STEPS 64

static uint64_t sum_of_least(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns)
{
	uint64_t sum = 0;
	for (uint32_t n = 0; n < node_count; n++) {
		uint64_t least = HY_SCHED__NEVER;
		for (uint32_t d = 0; d < device_count; d++)
			if (node_ns[d][n] < least) least = node_ns[d][n];
		if (least == HY_SCHED__NEVER) return HY_SCHED__NEVER;
		sum += least;
	}
	return sum;
}

uint64_t hy_sched__bound_latency(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns)
{
	return sum_of_least(device_count, node_count, node_ns);
}

/* The dual value at weights; load: time each device gets when every node goes where it is cheapest by weights. */
static double dual(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns, const double *weights,
                   double *load)
{
	double value = 0;
	for (uint32_t d = 0; d < device_count; d++)
		load[d] = 0;
	for (uint32_t n = 0; n < node_count; n++) {
		uint32_t best = HY_IR_NONE;
		double least = 0;
		for (uint32_t d = 0; d < device_count; d++) {
			if (node_ns[d][n] == HY_SCHED__NEVER) continue;
			const double weighted = weights[d] * (double)node_ns[d][n];
			if (best != HY_IR_NONE && weighted >= least) continue;
			best = d;
			least = weighted;
		}
		value += least;
		load[best] += (double)node_ns[best][n];
	}
	return value;
}

/* w_d ~ 1 / (time of the whole model on d); nodes that d can't run count with their least time elsewhere. */
static void first_weights(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns, double *weights)
{
	double sum = 0;
	for (uint32_t d = 0; d < device_count; d++) {
		double whole = 1;
		for (uint32_t n = 0; n < node_count; n++) {
			uint64_t ns = node_ns[d][n];
			for (uint32_t e = 0; node_ns[d][n] == HY_SCHED__NEVER && e < device_count; e++)
				if (node_ns[e][n] < ns) ns = node_ns[e][n];
			whole += (double)ns;
		}
		weights[d] = 1 / whole;
		sum += weights[d];
	}
	for (uint32_t d = 0; d < device_count; d++)
		weights[d] /= sum;
}

uint64_t hy_sched__bound_throughput(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns)
{
	const uint64_t all = sum_of_least(device_count, node_count, node_ns);
	if (all == HY_SCHED__NEVER || device_count > HY_SCHED__MOST_DEVICES) return all == HY_SCHED__NEVER ? all : 0;
	double weights[HY_SCHED__MOST_DEVICES], load[HY_SCHED__MOST_DEVICES], best = 0;
	first_weights(device_count, node_count, node_ns, weights);
	for (int step = 0; step < STEPS; step++) {
		const double value = dual(device_count, node_count, node_ns, weights, load);
		if (value > best) best = value;
		double busiest = 1, sum = 0;
		for (uint32_t d = 0; d < device_count; d++)
			if (load[d] > busiest) busiest = load[d];
		const double rate = 1.0 / (4 + step);
		for (uint32_t d = 0; d < device_count; d++) {
			weights[d] *= 1 + rate * (load[d] / busiest - 0.5);
			sum += weights[d];
		}
		for (uint32_t d = 0; d < device_count; d++)
			weights[d] /= sum;
	}
	return (uint64_t)best;
}
