/* Runs the rules of the run time (dispatch.h) in virtual time: devices with speeds that change, links that are shared,
 * requests that arrive, faults by script. The same options and seed give the same run to the last bit. */
#ifndef HY_SCHED_ENGINE_H
#define HY_SCHED_ENGINE_H

#include "dispatch.h"
#include "trace.h"

#define HY_SCHED__ENGINE_NONE UINT32_MAX

typedef struct hy_sched__engine_device {
	const char *name;
	/* Of the whole model when it works alone, in requests per ns: the weight of its capacity. */
	double rate;
	bool absent; /* until a script lets it join */
} hy_sched__engine_device;

/* A transfer goes over its channels in order, each as soon as the one before has begun and it is free, and holds each
 * for its own time; latency_ns after the last of them it has arrived. */
typedef struct hy_sched__engine_move {
	uint64_t latency_ns;
	uint32_t channel_count;
	const uint32_t *channels;
	const uint64_t *holds_ns; /* per channel */
} hy_sched__engine_move;

typedef struct hy_sched__engine_stage {
	hy_sched__engine_move before; /* of its inputs to the device */
	uint32_t device;
	uint64_t work_ns; /* at speed 1, of an average request */
} hy_sched__engine_stage;

typedef struct hy_sched__engine_lane {
	uint32_t stage_count;
	const hy_sched__engine_stage *stages;
	hy_sched__engine_move after; /* of its outputs */
	hy_sched__dispatch_lane told; /* item_ns and bottleneck 0: from its stages, off by the error of calibration */
} hy_sched__engine_lane;

typedef enum hy_sched__engine_fault {
	HY_SCHED__ENGINE_SPEED, /* works at `factor` of its speed from now on */
	HY_SCHED__ENGINE_DIES, /* what it has in hand fails at once */
	HY_SCHED__ENGINE_HANGS, /* nothing ends any more */
	HY_SCHED__ENGINE_RETURNS, /* works again; the next probe finds out */
	HY_SCHED__ENGINE_JOINS, /* works again, or for the first time, and says so */
} hy_sched__engine_fault;

typedef struct hy_sched__engine_script {
	uint64_t at_ns;
	hy_sched__engine_fault fault;
	uint32_t device;
	double factor;
} hy_sched__engine_script;

/* What arrives: `count` requests at once, as fast as they are taken in (a job), or by `rate`. */
typedef struct hy_sched__engine_load {
	uint64_t count; /* 0: until duration_ns */
	uint64_t duration_ns; /* nothing arrives after it; 0: no limit */
	double rate; /* per ns, exponential gaps; 0: always as many as there is room for */
	uint64_t deadline_ns; /* of each, from its arrival; 0: none */
	uint32_t classes; /* requests are dealt to classes 0..classes-1 in turn; 0 means 1 */
	bool lends_memory; /* requests aren't idempotent */
} hy_sched__engine_load;

typedef struct hy_sched__engine_options {
	uint32_t device_count, channel_count, lane_count, script_count;
	const hy_sched__engine_device *devices;
	const hy_sched__engine_lane *lanes;
	const hy_sched__engine_script *script;
	hy_sched__engine_load load;
	uint32_t room; /* of the dispatch; 0: count, or the window of a session */
	uint32_t flags; /* of the dispatch */
	uint64_t patience_ns;
	double noise; /* standard deviation of the work of a request over its mean */
	double calibration_error; /* of what is predicted, log-normal, one draw per lane */
	uint64_t seed;
	hy_sched__trace *trace; /* or NULL; tracks are devices */
} hy_sched__engine_options;

typedef struct hy_sched__engine_device_result {
	uint64_t items; /* stages of requests whose result counted */
	double useful_ns, wasted_ns; /* work at speed 1: of results that counted, and of others */
	double available_ns; /* integral of its speed until the end */
	double use; /* useful over available; 1 when it was never available */
} hy_sched__engine_device_result;

typedef struct hy_sched__engine_result {
	uint64_t end_ns; /* the last result */
	double u_cap, u_dev, u_min; /* devices weighted by capacity, their mean, the least; ramp and tail included */
	uint64_t refused, dropped; /* by the dispatch; for want of room */
	uint64_t p50_ns, p99_ns, worst_ns; /* from arrival to delivery, of requests that ended OK */
	uint64_t steals, drifts;
	uint32_t busiest_channel; /* NONE: nothing was moved */
	uint64_t busiest_channel_ns;
	hy_sched__dispatch_counts counts;
	uint32_t device_count;
	hy_sched__engine_device_result *devices; /* owned */
	const char *broken; /* the ledger's complaint, or NULL */
} hy_sched__engine_result;

/* Fails: INVALID options; NO_MEMORY. */
hy_status hy_sched__engine_run(const hy_sched__engine_options *options, hy_sched__engine_result *out_result,
                               hy_error *error);
void hy_sched__engine_result_finish(hy_sched__engine_result *result);

/* Around 1 with a standard deviation of `spread`, never below 0.3; a function of its arguments. */
double hy_sched__engine_noise(uint64_t seed, uint64_t number, double spread);

#endif
