/* A cluster in virtual time: what a model would do on devices that nobody has to own.
 *
 * The model is planned for the cluster with the planner's candidates, and requests run through the plan by the same rules
 * that a session has, on devices that are as fast as they are described, or measured. Devices slow down, die, hang and
 * join by script. The same arguments and seed give the same answer. */
#ifndef HALYARD_SIMULATE_H
#define HALYARD_SIMULATE_H

#include <halyard/cluster.h>
#include <halyard/sched.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hy_sched_event_kind {
	HY_SCHED_EVENT_SPEED, /* works at `factor` of its speed from now on */
	HY_SCHED_EVENT_DIES, /* what it has in hand fails */
	HY_SCHED_EVENT_HANGS, /* nothing ends any more */
	HY_SCHED_EVENT_RETURNS, /* works again; a probe finds out */
	HY_SCHED_EVENT_JOINS, /* works, and says so; not there before when it is the device's first event */
} hy_sched_event_kind;

typedef struct hy_sched_event {
	uint64_t at_ns;
	hy_sched_event_kind kind;
	const char *devices; /* a pattern of devices or nodes: "node01/cuda:?" */
	double factor;
} hy_sched_event;

typedef struct hy_sched_script {
	uint32_t count;
	hy_sched_event *events; /* in the order of time */
} hy_sched_script;

/* Reads lines "TIME VERB DEVICES [FACTOR]", such as "5.5s speed node01/cuda:0 0.5" or "300ms dies node02", and
 * comments from # on. INVALID: all wrong lines, as far as they fit, each with file, line and column. */
hy_status hy_sched_script_load(const char *path, hy_sched_script *out_script, hy_error *error);
hy_status hy_sched_script_parse(const char *name, const char *text, hy_sched_script *out_script, hy_error *error);
void hy_sched_script_finish(hy_sched_script *script);

/* Measured time of the whole model on a type; what is not given comes from the type's calibration, else from its peak
 * rates. */
typedef struct hy_sched_item_time {
	const char *type;
	uint64_t item_ns;
} hy_sched_item_time;

/* Zero is a good value for all but size and one of job and duration_ns. Texts and arrays are lent for the call. */
typedef struct hy_sched_simulation_options {
	uint32_t size;
	hy_sched_strategy strategy; /* all but CUT and SPATIAL */
	uint64_t job; /* so many requests at once, until the last is done; 0: requests arrive for duration_ns */
	uint64_t duration_ns;
	double rate_per_s; /* at random moments; 0: as many as are taken in */
	uint64_t deadline_ns; /* of each request, from its arrival; 0: none */
	double noise; /* standard deviation of the work of a request over its mean */
	double calibration_error; /* of what is predicted for a device */
	uint64_t seed;
	const char *source; /* the place that requests come from and answers go to; NULL: the first host */
	uint32_t without_count, add_count, item_time_count;
	const char *const *without; /* patterns of devices or nodes that are not used */
	const char *const *add; /* types: one more device like the first of its type */
	const hy_sched_item_time *item_times;
	const hy_sched_script *script;
	const char *trace_path; /* a Chrome trace is written there, of the last 131072 events */
} hy_sched_simulation_options;

typedef struct hy_sched_simulation hy_sched_simulation;

/* Simulates a prepared graph on a cluster. Fails: INVALID options, and names that fit nothing; NO_MEMORY what doesn't fit,
 * with the shortfall; UNSUPPORTED no way between two places. */
hy_status hy_sched_simulate(const hy_sched_cluster *cluster, const hy_ir_graph *graph,
                            const hy_sched_simulation_options *options, hy_sched_simulation **out_simulation,
                            hy_error *error);
void hy_sched_simulation_destroy(hy_sched_simulation *simulation);

typedef struct hy_sched_simulation_device {
	const char *name, *type;
	uint64_t item_ns; /* of the whole model, alone */
	uint64_t items; /* requests, or parts of requests, whose results counted */
	double use; /* useful work over what it could have done while it was there; 0..1 */
	double wasted; /* work whose results were lost or came second, likewise */
	bool in_plan;
	bool measured; /* item_ns is from the type's calibration, or was given; else from its peak rates */
} hy_sched_simulation_device;

typedef struct hy_sched_simulation_candidate {
	hy_sched_strategy strategy;
	uint32_t device_count, lane_count;
	double per_s; /* predicted; 0: not possible */
} hy_sched_simulation_candidate;

typedef struct hy_sched_simulation_info {
	hy_sched_strategy strategy;
	uint32_t lane_count;
	double predicted_per_s, bound_per_s; /* of the plan; of all devices, which no plan can beat; 0: unknown */
	double per_s; /* answers per second of virtual time */
	uint64_t end_ns; /* of the last answer */
	uint64_t accepted, ok, error, deadline, refused, dropped; /* dropped: no room when it arrived */
	double u_cap, u_dev, u_min; /* used part of the capacity; mean and least of the plan's devices */
	uint64_t p50_ns, p99_ns, worst_ns; /* from arrival to delivery */
	uint64_t replays, backups, steals, drifts;
	const char *busiest_link; /* or NULL: nothing was moved */
	double busiest_link_use;
	uint32_t device_count, candidate_count;
	const hy_sched_simulation_device *devices;
	const hy_sched_simulation_candidate *candidates;
} hy_sched_simulation_info;

const hy_sched_simulation_info *hy_sched_simulation_describe(const hy_sched_simulation *simulation);

#ifdef __cplusplus
}
#endif
#endif
