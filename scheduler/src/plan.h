/* What a plan is made of: plain arrays that the numbered steps fill, the printers show and the session reads. */
#ifndef HY_SCHED_PLAN_H
#define HY_SCHED_PLAN_H

#include <halyard/sched.h>

#define HY_SCHED__MOST_DEVICES 64u
#define HY_SCHED__NEVER UINT64_MAX /* the time of what a device can't run */

/* ---- step 1: what a device says to a node ---- */

typedef enum hy_sched__answer {
	HY_SCHED__NO,
	HY_SCHED__YES,
	HY_SCHED__UNFUSED, /* a region that it runs only as its body */
} hy_sched__answer;

typedef struct hy_sched__verdict {
	uint8_t answer; /* hy_sched__answer */
	uint8_t reason; /* HY_REASON_*; of the body's first refused node for a refused region */
} hy_sched__verdict;

/* ---- step 2: who runs what ---- */

/* Nodes first..first+count-1 on one device. */
typedef struct hy_sched__segment {
	uint32_t first, count, device;
} hy_sched__segment;

/* ---- step 3: memory ---- */

typedef struct hy_sched__footprint {
	uint64_t constant_bytes;
	uint64_t activation_bytes; /* most that lives at one time, inputs and outputs included */
	uint64_t input_bytes, output_bytes; /* what crosses the border of the nodes */
} hy_sched__footprint;

/* ---- step 4: costs ---- */

typedef struct hy_sched__cost {
	uint64_t median_ns, mad_ns;
	uint32_t count; /* of samples; 0: predicted from the roofline */
	uint32_t launches, reference_launches;
	uint64_t constant_bytes, workspace_bytes; /* as the plugin told after compiling */
	uint32_t node_count; /* 0: no times per node */
	uint64_t *node_ns; /* owned; they sum to about median_ns */
} hy_sched__cost;

/* latency_ns + bytes * ns_per_byte. */
typedef struct hy_sched__link {
	uint64_t latency_ns;
	double ns_per_byte;
} hy_sched__link;

/* ---- step 5: candidates ---- */

/* A way for a request through the machine: all nodes, cut into segments in order. */
typedef struct hy_sched__lane {
	uint32_t segment_count;
	hy_sched__segment *segments; /* owned */
	uint32_t *parts; /* owned; index of each segment in plan->parts, once chosen */
	uint32_t owner; /* the device that it was made for */
	uint64_t item_ns; /* of one request alone */
	double rate; /* requests per ns that the plan expects of it */
} hy_sched__lane;

typedef struct hy_sched__candidate {
	hy_sched_strategy strategy;
	uint32_t lane_count;
	hy_sched__lane *lanes; /* owned */
	struct hy_sched__strips *strips; /* owned; SPATIAL, which has no lanes */
	uint64_t item_ns; /* of the objective */
	double cost_ns; /* the same with the caller's weights and the pressure on memory: what is compared */
	bool measured; /* all of its parts */
} hy_sched__candidate;

/* ---- the plan ---- */

typedef struct hy_sched__device {
	uint32_t machine_index;
	char *id; /* with options; owned */
	char *options_key; /* its options without the numbers of cores; owned */
	uint32_t option_count;
	hy_option *options; /* owned, texts too */
	bool shares_cores; /* its last option was given to it when the host's cores were divided */
	bool crowded; /* and another device has the same core */
	const hy_hal_device_info *description;
	hy_hal_device *hal; /* NULL with NO_MEASURE until the session opens it */
	uint64_t capacity_bytes;
	hy_sched__verdict *verdicts; /* owned; one per node */
	uint32_t yes_count; /* nodes it runs */
	uint64_t *node_ns; /* owned; one per node, HY_SCHED__NEVER where it says no */
	hy_sched__lane single; /* the whole model with this device preferred; no segments when it runs nothing */
	hy_sched__link to, from; /* zero for devices that take host memory as it is */
} hy_sched__device;

/* A segment as a program. */
typedef struct hy_sched__part {
	hy_sched__segment segment;
	bool whole; /* all nodes: bindings are the graph's inputs and outputs by position */
	hy_ir_blob blob;
	hy_ir_blob fused_blob; /* the blob before regions were un-fused, when some were; lends its constants */
	hy_ir_graph *unfused; /* read back from it */
	uint32_t input_count, output_count;
	uint32_t *inputs, *outputs; /* owned; value numbers */
	hy_sched__footprint footprint;
	hy_sched__cost cost;
	hy_hal_program *program;
	uint64_t compile_ns; /* what compiling it took */
} hy_sched__part;

struct hy_sched_plan {
	hy_hal_machine *machine;
	const hy_ir_graph *graph;
	hy_sched_options options; /* pointers in it are not kept */
	uint32_t device_count, part_count, candidate_count, note_count;
	hy_sched__device *devices;
	hy_sched__part *parts;
	hy_sched__candidate *candidates;
	uint32_t chosen; /* candidate */
	hy_sched_plan_note *notes; /* texts owned */
	hy_sched_plan_info info;
	hy_sched_plan_device *shown; /* info.devices */
	char host[65]; /* name of this machine, for measured costs */
	uint64_t model_hash; /* of its nodes, shapes and attributes, not of its weights */
	bool has_session;
};

#endif
