/* What no plan can beat.
 *
 * Throughput: the area linear program (every node somewhere, no device longer than T) is bounded from below by each of
 * its dual points: for weights w_d >= 0 that sum to 1, T >= sum over nodes of min_d w_d * time(d, node). The weights
 * are improved by multiplicative steps towards the device that has too much; the best value seen is kept. Where all
 * devices rank nodes alike the first point, w_d ~ 1/time(d), is exact: 1 / sum(1/time). */
#include "bound.h"

#include <math.h>

/* At most so many steps, and no more after PATIENCE of them that together gain less than a thousandth. */
enum { STEPS = 64, PATIENCE = 4, GROUP = 256 };

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

/* The dual value at weights; load: time each device gets when every node goes where it is cheapest by weights. Nodes go
 * through in groups that stay in the cache while the devices pass over them. */
static double dual(uint32_t device_count, uint32_t node_count, const uint64_t *const *node_ns, const double *weights,
                   double *load)
{
	double value = 0, least[GROUP];
	uint32_t best[GROUP];
	for (uint32_t d = 0; d < device_count; d++)
		load[d] = 0;
	for (uint32_t first = 0; first < node_count; first += GROUP) {
		const uint32_t count = node_count - first < GROUP ? node_count - first : GROUP;
		for (uint32_t n = 0; n < count; n++)
			least[n] = INFINITY;
		for (uint32_t d = 0; d < device_count; d++) {
			const uint64_t *row = node_ns[d] + first;
			for (uint32_t n = 0; n < count; n++) {
				/* Times fit 63 bits; HY_SCHED__NEVER is then -1. */
				const double ns = (double)(int64_t)row[n], weighted = weights[d] * ns;
				const bool better = ns >= 0 && weighted < least[n];
				least[n] = better ? weighted : least[n];
				best[n] = better ? d : best[n];
			}
		}
		for (uint32_t n = 0; n < count; n++) {
			value += least[n];
			load[best[n]] += (double)node_ns[best[n]][first + n];
		}
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
	double before = 0; /* the best, up to PATIENCE steps ago */
	for (int step = 0; step < STEPS; step++) {
		const double value = dual(device_count, node_count, node_ns, weights, load);
		if (value > best) best = value;
		if (step % PATIENCE == PATIENCE - 1) {
			if (best < before * 1.001) break;
			before = best;
		}
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
