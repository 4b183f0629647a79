/* Ways to share a job out over the devices of bench_balance: the rules of the run time, and what others do. */
#ifndef BALANCE_BASELINES_H
#define BALANCE_BASELINES_H

#include "engine.h"

#define BALANCE_DEVICES 36
#define BALANCE_BIG 1 /* of speed 30 */

typedef struct balance_case {
	uint64_t items, seed;
	uint32_t parts;
	double noise, calibration_error;
	double speeds[BALANCE_DEVICES]; /* requests (before they are cut into parts) per second */
	double memory_gib[BALANCE_DEVICES];
	double overhead_ns[BALANCE_DEVICES]; /* of handing over */
	bool has_fault;
	hy_sched__engine_script fault;
} balance_case;

/* Parts of the capacity, 0..1. */
typedef struct balance_use {
	double cap, dev, least;
} balance_use;

typedef struct balance_policy {
	const char *name;
	bool has_faults; /* takes part in scenes with faults */
	bool (*run)(const balance_case *one, balance_use *out_use);
} balance_policy;

extern const balance_policy balance_policies[];
extern const uint32_t balance_policy_count;

void balance_cluster(balance_case *one);

#endif
