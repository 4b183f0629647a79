/* Static shares are lists that are dealt before the start; the others are asked for each time a device is free. */
#include "balance_baselines.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS 1e9

void balance_cluster(balance_case *one)
{
	uint32_t d = 0;
	for (uint32_t node = 0; node < 16; node++) {
		const double big[2] = {node < 8 ? 30 : node < 12 ? 20 : 15, node >= 8 && node < 12 ? 20 : 0};
		one->speeds[d] = 1;
		one->memory_gib[d] = 64;
		one->overhead_ns[d++] = 20e3;
		for (uint32_t b = 0; b < 2 && big[b] > 0; b++) {
			one->speeds[d] = big[b];
			one->memory_gib[d] = big[b] > 25 ? 24 : big[b] > 15 ? 16 : 32;
			one->overhead_ns[d++] = big[b] > 15 ? 50e3 : 80e3;
		}
	}
}

/* ---- the rules of the run time ---- */

static bool run_rules(const balance_case *one, balance_use *out_use)
{
	hy_sched__engine_device devices[BALANCE_DEVICES];
	hy_sched__engine_lane lanes[BALANCE_DEVICES];
	hy_sched__engine_stage stages[BALANCE_DEVICES];
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++) {
		const double rate = one->speeds[d] * one->parts;
		devices[d] = (hy_sched__engine_device){.name = "device", .rate = rate / NS};
		devices[d].absent = one->has_fault && one->fault.fault == HY_SCHED__ENGINE_JOINS &&
		                    one->fault.device == d;
		stages[d] = (hy_sched__engine_stage){.device = d, .work_ns = (uint64_t)(NS / rate)};
		lanes[d] = (hy_sched__engine_lane){
			.stage_count = 1, .stages = &stages[d], .told.overhead_ns = (uint64_t)one->overhead_ns[d]};
	}
	const hy_sched__engine_options options = {.device_count = BALANCE_DEVICES,
	                                          .lane_count = BALANCE_DEVICES,
	                                          .devices = devices,
	                                          .lanes = lanes,
	                                          .script_count = one->has_fault,
	                                          .script = &one->fault,
	                                          .load.count = one->items,
	                                          .noise = one->noise,
	                                          .calibration_error = one->calibration_error,
	                                          .seed = one->seed,
	                                          .flags = HY_SCHED__DISPATCH_BACKUP};
	hy_sched__engine_result result;
	hy_error error = {0};
	if (hy_sched__engine_run(&options, &result, &error) != HY_OK || result.broken != NULL) {
		fprintf(stderr, "bench_balance: %s\n", result.broken != NULL ? result.broken : error.text);
		return false;
	}
	*out_use = (balance_use){result.u_cap, result.u_dev, result.u_min};
	if (getenv("BALANCE_TRACE") != NULL)
		for (uint32_t d = 0; d < BALANCE_DEVICES; d++)
			fprintf(stderr, "%2u speed %2.0f use %.4f idle %.3f s wasted %.3f s items %llu end %.3f\n", d,
			        one->speeds[d], result.devices[d].use,
			        (result.devices[d].available_ns - result.devices[d].useful_ns) / NS,
			        result.devices[d].wasted_ns / NS, (unsigned long long)result.devices[d].items,
			        (double)result.end_ns / NS);
	hy_sched__engine_result_finish(&result);
	return true;
}

/* ---- the baselines' devices ---- */

typedef struct field {
	const balance_case *one;
	double estimate[BALANCE_DEVICES]; /* requests per ns, as calibrated */
	double free_ns[BALANCE_DEVICES], done_ns[BALANCE_DEVICES]; /* done: work at speed 1 */
} field;

static double rate_of(const balance_case *one, uint32_t d)
{
	return one->speeds[d] * one->parts / NS;
}

static void begin(field *f, const balance_case *one)
{
	*f = (field){.one = one};
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++) {
		const double z = (hy_sched__engine_noise(one->seed, 1000003 + d, 0.1) - 1) / 0.1;
		f->estimate[d] = rate_of(one, d) * exp(one->calibration_error * z);
	}
}

static bool is_hit(const balance_case *one, uint32_t d)
{
	return one->has_fault && one->fault.device == d;
}

/* When `work` (ns at speed 1), begun at `from`, is over on device d, whose speed may change; HUGE_VAL: never. */
static double over_at(const balance_case *one, uint32_t d, double from, double work)
{
	const double at = (double)one->fault.at_ns;
	if (!is_hit(one, d)) return from + work;
	if (one->fault.fault == HY_SCHED__ENGINE_JOINS) return (from > at ? from : at) + work;
	const double factor = one->fault.fault == HY_SCHED__ENGINE_SPEED ? one->fault.factor : 0;
	if (from + work <= at) return from + work;
	const double left = from < at ? work - (at - from) : work;
	return factor > 0 ? (from > at ? from : at) + left / factor : HUGE_VAL;
}

static double work_of(const field *f, uint32_t d, uint64_t item)
{
	return hy_sched__engine_noise(f->one->seed, item + 1, f->one->noise) / rate_of(f->one, d);
}

static void end(const field *f, balance_use *out_use)
{
	const balance_case *one = f->one;
	double last = 0, work = 0, capacity = 0;
	*out_use = (balance_use){.least = 1};
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++)
		if (f->free_ns[d] > last) last = f->free_ns[d];
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++) {
		double available = last;
		const double at = (double)one->fault.at_ns;
		if (is_hit(one, d) && last > at)
			available = one->fault.fault == HY_SCHED__ENGINE_JOINS   ? last - at
			            : one->fault.fault == HY_SCHED__ENGINE_SPEED ? at + (last - at) * one->fault.factor
			                                                         : at;
		work += f->done_ns[d] * one->speeds[d];
		capacity += available * one->speeds[d];
		out_use->dev += f->done_ns[d] / available / BALANCE_DEVICES;
		if (f->done_ns[d] / available < out_use->least) out_use->least = f->done_ns[d] / available;
	}
	out_use->cap = work / capacity;
}

/* ---- shares that are dealt before the start ---- */

static bool run_shares(const balance_case *one, const double *weights, balance_use *out_use)
{
	field f;
	double all = 0, upto = 0;
	uint64_t item = 0;
	begin(&f, one);
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++)
		all += weights != NULL ? weights[d] : f.estimate[d];
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++) {
		upto += weights != NULL ? weights[d] : f.estimate[d];
		const uint64_t last = d + 1 < BALANCE_DEVICES ? (uint64_t)(upto / all * (double)one->items + 0.5)
		                                              : one->items;
		if (last > item) f.free_ns[d] = one->overhead_ns[d];
		for (; item < last; item++) {
			const double work = work_of(&f, d, item);
			f.free_ns[d] = over_at(one, d, f.free_ns[d], work);
			f.done_ns[d] += work;
		}
	}
	end(&f, out_use);
	return true;
}

static bool run_equal(const balance_case *one, balance_use *out_use)
{
	double weights[BALANCE_DEVICES];
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++)
		weights[d] = 1;
	return run_shares(one, weights, out_use);
}

static bool run_proportional(const balance_case *one, balance_use *out_use)
{
	return run_shares(one, NULL, out_use);
}

static bool run_memory(const balance_case *one, balance_use *out_use)
{
	return run_shares(one, one->memory_gib, out_use);
}

static bool run_first(const balance_case *one, balance_use *out_use)
{
	double weights[BALANCE_DEVICES] = {0};
	weights[BALANCE_BIG] = 1;
	return run_shares(one, weights, out_use);
}

/* Each request, when it arrives, to the device of the least weighted sum of normalised load, memory and latency. */
static bool run_weighted_sum(const balance_case *one, balance_use *out_use)
{
	field f;
	double load[BALANCE_DEVICES] = {0}, used[BALANCE_DEVICES] = {0}, most_load = 0, slowest = 0,
	       counts[BALANCE_DEVICES] = {0};
	begin(&f, one);
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++)
		if (1 / f.estimate[d] > slowest) slowest = 1 / f.estimate[d];
	for (uint64_t item = 0; item < one->items; item++) {
		uint32_t best = 0;
		double least = HUGE_VAL;
		for (uint32_t d = 0; d < BALANCE_DEVICES; d++) {
			const double cost = 0.5 * (most_load > 0 ? load[d] / most_load : 0) +
			                    0.2 * used[d] / one->memory_gib[d] + 0.3 / f.estimate[d] / slowest;
			if (cost >= least) continue;
			least = cost;
			best = d;
		}
		load[best] += 1 / f.estimate[best];
		used[best] += 1.0 / 1024;
		counts[best]++;
		if (load[best] > most_load) most_load = load[best];
	}
	return run_shares(one, counts, out_use);
}

/* ---- shares that are asked for ---- */

/* Requests for device d, when `left` are left. */
typedef uint64_t (*chunk_fn)(const field *f, uint32_t d, uint64_t left);

static uint64_t chunk_one(const field *f, uint32_t d, uint64_t left)
{
	(void)f;
	(void)d;
	(void)left;
	return 1;
}

static uint64_t chunk_20_ms(const field *f, uint32_t d, uint64_t left)
{
	(void)left;
	return (uint64_t)(f->estimate[d] * 0.02 * NS);
}

static uint64_t chunk_guided(const field *f, uint32_t d, uint64_t left)
{
	double all = 0;
	for (uint32_t i = 0; i < BALANCE_DEVICES; i++)
		all += f->estimate[i];
	return (uint64_t)((double)left * f->estimate[d] / all / 2.5);
}

static bool run_chunks(const balance_case *one, chunk_fn chunk, balance_use *out_use)
{
	field f;
	uint64_t item = 0;
	begin(&f, one);
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++)
		if (is_hit(one, d) && one->fault.fault == HY_SCHED__ENGINE_JOINS)
			f.free_ns[d] = (double)one->fault.at_ns;
	while (item < one->items) {
		uint32_t d = BALANCE_DEVICES;
		for (uint32_t i = 0; i < BALANCE_DEVICES; i++) {
			const bool dead = is_hit(one, i) && over_at(one, i, f.free_ns[i], 1) > 1e300;
			if (!dead && (d == BALANCE_DEVICES || f.free_ns[i] < f.free_ns[d])) d = i;
		}
		uint64_t count = chunk(&f, d, one->items - item);
		if (count < 1) count = 1;
		if (count > one->items - item) count = one->items - item;
		const double from = f.free_ns[d];
		double work = 0, at = from + one->overhead_ns[d];
		for (uint64_t i = 0; i < count; i++) {
			const double more = work_of(&f, d, item + i);
			at = over_at(one, d, at, more);
			work += more;
		}
		if (at > 1e300) { /* it died: the others do them again */
			f.free_ns[d] = (double)one->fault.at_ns;
			continue;
		}
		f.free_ns[d] = at;
		f.done_ns[d] += work;
		f.estimate[d] = 0.6 * f.estimate[d] + 0.4 * (double)count / (at - from);
		item += count;
	}
	end(&f, out_use);
	return true;
}

static bool run_self(const balance_case *one, balance_use *out_use)
{
	return run_chunks(one, chunk_20_ms, out_use);
}

static bool run_guided(const balance_case *one, balance_use *out_use)
{
	return run_chunks(one, chunk_guided, out_use);
}

/* Four in hand per device, dealt in turn; one that is full is skipped, one that is free asks. */
static bool run_round_robin(const balance_case *one, balance_use *out_use)
{
	double weights[BALANCE_DEVICES];
	uint64_t counts[BALANCE_DEVICES] = {0};
	for (uint64_t i = 0; i < one->items; i++)
		counts[i % BALANCE_DEVICES]++;
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++)
		weights[d] = (double)counts[d];
	return run_shares(one, weights, out_use);
}

static bool run_pull(const balance_case *one, balance_use *out_use)
{
	return run_chunks(one, chunk_one, out_use);
}

const balance_policy balance_policies[] = {
	{"halyard", true, run_rules},
	{"self-scheduling, one by one", true, run_pull},
	{"self-scheduling, 20 ms", true, run_self},
	{"guided, without the tail rule", true, run_guided},
	{"static, proportional to speed", false, run_proportional},
	{"static, proportional to memory", false, run_memory},
	{"round robin", false, run_round_robin},
	{"equal shares", false, run_equal},
	{"normalised weighted sum", false, run_weighted_sum},
	{"first device that supports it", false, run_first},
};
const uint32_t balance_policy_count = sizeof(balance_policies) / sizeof(balance_policies[0]);
