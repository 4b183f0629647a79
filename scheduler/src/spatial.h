/* Step 5, one request over several devices at a time: nodes in groups, the values between groups in strips of rows.
 *
 * Inside a group each device computes its strip without hearing of the others: rows near a border are computed twice.
 * Between groups the rows that a device needs and does not own (halos) are sent. What is not local runs on one device,
 * which gathers its inputs. Times are computed, not measured: plain arrays in and out. */
#ifndef HY_SCHED_SPATIAL_H
#define HY_SCHED_SPATIAL_H

#include "plan.h"

/* ---- a network as layers ---- */

typedef struct hy_sched__layer_value {
	uint32_t producer; /* node, or HY_IR_NONE for an input */
	uint32_t first_use, last_use; /* nodes; node_count when it is an output of the network */
	int64_t height; /* rows */
	double row_bytes;
} hy_sched__layer_value;

/* A node reads an input that is not constant. */
typedef struct hy_sched__layer_edge {
	uint32_t value;
	hy_ir_reach reach;
} hy_sched__layer_edge;

typedef struct hy_sched__layer_node {
	bool local;
	uint32_t first_edge, edge_count, first_output, output_count;
} hy_sched__layer_node;

typedef struct hy_sched__layers {
	uint32_t node_count, value_count, edge_count, output_count;
	hy_sched__layer_node *nodes; /* owned, as all below */
	hy_sched__layer_edge *edges;
	uint32_t *outputs; /* values */
	hy_sched__layer_value *values; /* numbers are the graph's; constants have no row_bytes */
} hy_sched__layers;

/* why: of the first node that is not local; "" when all are. */
hy_status hy_sched__layers_init(const hy_ir_graph *graph, uint32_t axis, hy_sched__layers *layers, hy_error *why,
                                hy_error *error);
void hy_sched__layers_finish(hy_sched__layers *layers);

/* ---- splitting them ---- */

typedef enum hy_sched__spatial_grouping {
	HY_SCHED__GROUPS_BEST,
	HY_SCHED__GROUPS_EACH, /* every node a group: halos after each */
	HY_SCHED__GROUPS_ONE, /* one group from the first node on, as long as is best: no halos */
} hy_sched__spatial_grouping;

typedef struct hy_sched__spatial_problem {
	const hy_sched__layers *layers;
	uint32_t device_count;
	const uint64_t *const *node_ns; /* per device and node, all rows; HY_SCHED__NEVER: it can't */
	const hy_sched__link *to, *from; /* per device: between it and what the others can reach */
	uint64_t group_ns; /* of beginning a group, on top of its links */
	const double *border_ns_per_byte; /* per device: to join and lay out what goes in and out of a group; or NULL */
	bool always; /* whatever can be split is, faster or not */
	hy_sched__spatial_grouping grouping;
} hy_sched__spatial_problem;

/* Nodes first..first+count-1, in strips or on the first device alone. */
typedef struct hy_sched__group {
	uint32_t first, count;
	bool split;
} hy_sched__group;

typedef struct hy_sched__spatial {
	uint64_t item_ns; /* of one request; HY_SCHED__NEVER: no device runs all nodes that are not local */
	uint64_t alone_ns; /* the same on the first device alone */
	double compute_ns, exchange_ns; /* parts of item_ns in groups that are split */
	double halo_bytes; /* sent between devices */
	uint32_t device_count;
	uint32_t devices[HY_SCHED__MOST_DEVICES]; /* from the top strip down; the first is the fastest */
	uint32_t group_count;
	hy_sched__group *groups; /* owned */
	int64_t *bounds; /* owned; strip d of value v is rows bounds[v * (device_count + 1) + d] .. [+ d + 1] - 1 */
} hy_sched__spatial;

/* Rows for devices that need ns_per_row each, so that the last one is done as early as whole rows allow. */
void hy_sched__spatial_heights(int64_t height, uint32_t count, const double *ns_per_row, int64_t *out_rows);

/* The best groups for the device_count fastest devices. */
hy_status hy_sched__spatial_split(const hy_sched__spatial_problem *problem, uint32_t device_count,
                                  hy_sched__spatial *out_split, hy_error *error);

/* The best number of devices, 1 when none is faster. */
hy_status hy_sched__spatial_plan(const hy_sched__spatial_problem *problem, hy_sched__spatial *out_split,
                                 hy_error *error);
void hy_sched__spatial_finish(hy_sched__spatial *split);

/* A stream cut along time. Clips of `window` frames that begin every `stride` frames need window / stride frames for each
 * new one; chunks of `chunk` new frames with `halo` old ones need (chunk + halo) / chunk. */
typedef struct hy_sched__chunk {
	double bytes_saved; /* of what the clips send; negative: chunks send more */
	double compute_ratio; /* the clips' frames over the chunks' */
} hy_sched__chunk;
hy_sched__chunk hy_sched__spatial_chunk(double window, double stride, double chunk, double halo);

#endif
