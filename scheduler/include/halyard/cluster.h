/* Clusters as numbers: which devices stand where, and what lies between them.
 *
 * A cluster comes from a description (YAML, kind: Cluster), from this machine, or from a topology file of another
 * system, and is expanded: flat arrays of types, nodes, devices, places, links. Every number says where it comes from;
 * measured overrides given, given overrides default.
 *
 * Bytes are at places: memories of hosts (one per NUMA node) and of devices, and switches between hosts. Links are
 * directed. Links of the same channel share its time: only one transfer at full speed. A cluster is const once made:
 * any thread may ask it. */
#ifndef HALYARD_CLUSTER_H
#define HALYARD_CLUSTER_H

#include <halyard/hal.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HY_SCHED_CLUSTER_NONE UINT32_MAX
#define HY_SCHED_CLUSTER_NODES 1024u
#define HY_SCHED_CLUSTER_NODE_DEVICES 256u
#define HY_SCHED_CLUSTER_LINKS (1u << 19)
#define HY_SCHED_ROUTE_LINKS 32u

typedef enum hy_sched_origin { HY_SCHED_DEFAULT, HY_SCHED_GIVEN, HY_SCHED_MEASURED } hy_sched_origin;

/* A number and where it comes from. */
typedef struct hy_sched_number {
	double value;
	hy_sched_origin origin;
} hy_sched_number;

typedef enum hy_sched_isolation { HY_SCHED_IN_PROCESS, HY_SCHED_IN_WORKER } hy_sched_isolation;

/* What is the same for all devices of a type. Rates and sizes of 0 are unknown. */
typedef struct hy_sched_cluster_type {
	const char *name, *plugin;
	const char *vendor, *model; /* "" when not given */
	const char *calibration; /* file, from where the description is; or NULL */
	uint32_t kind; /* HY_KIND_* */
	uint32_t cores; /* of a CPU, 0 unknown */
	bool in_host_memory; /* computes in the memory of its host: a CPU, or a device that takes host addresses */
	hy_sched_isolation isolation;
	hy_sched_number memory_bytes, memory_bytes_per_s;
	hy_sched_number flops_f32, flops_f16, ops_i8; /* peak, per second */
	hy_sched_number launch_ns; /* host time from submission to start */
} hy_sched_cluster_type;

typedef struct hy_sched_cluster_node {
	const char *name;
	uint32_t first_device, device_count;
	uint32_t first_place, numa_count; /* memory of NUMA node i is place first_place + i */
	uint32_t cores; /* 0 unknown */
	const char *reserved_cores; /* "0-1,8" in hwloc's order: not for computing; or NULL */
	hy_sched_isolation isolation;
	hy_sched_number memory_bytes; /* of the whole node, 0 unknown */
} hy_sched_cluster_node;

typedef struct hy_sched_cluster_device {
	const char *id; /* on its node: "cuda:0" */
	const char *name; /* in the cluster: "node01/cuda:0" */
	const char *pci, *file; /* "0000:41:00.0", "/dev/nvidia0", or NULL */
	const char *cores; /* of the node that are near, or that it computes on: "0-31"; or NULL */
	uint32_t node, type, numa;
	uint32_t place; /* of its memory; of the host's memory when it computes there */
	hy_sched_isolation isolation;
} hy_sched_cluster_device;

typedef enum hy_sched_place_kind { HY_SCHED_HOST, HY_SCHED_DEVICE, HY_SCHED_SWITCH } hy_sched_place_kind;

typedef struct hy_sched_cluster_place {
	const char *name; /* "node01/numa:0", "node01/cuda:0", "sw0" */
	hy_sched_place_kind kind;
	uint32_t node; /* NONE for a switch */
} hy_sched_cluster_place;

/* One direction. Classes as `nvidia-smi topo -m` has them, and some more: hy_sched_cluster_class. */
typedef struct hy_sched_cluster_link {
	uint32_t from, to; /* places */
	uint32_t channel;
	bool staged; /* the numbers are of a copy through the host */
	char class_name[8];
	hy_sched_number bytes_per_s, latency_ns;
} hy_sched_cluster_link;

typedef struct hy_sched_cluster {
	const char *name;
	uint32_t type_count, node_count, device_count, place_count, link_count, channel_count;
	const hy_sched_cluster_type *types;
	const hy_sched_cluster_node *nodes;
	const hy_sched_cluster_device *devices; /* by node */
	const hy_sched_cluster_place *places; /* hosts, then devices, then switches */
	const hy_sched_cluster_link *links;
	const char *const *channels; /* their names: the shared id, or the link's ends */
} hy_sched_cluster;

/* ---- from a description ---- */

typedef struct hy_sched_fault {
	uint32_t line, column;
	const char *text;
} hy_sched_fault;

/* What is wrong with a file, in the order of its lines. */
typedef struct hy_sched_faults {
	uint32_t count;
	const hy_sched_fault *items;
	void *storage;
} hy_sched_faults;

/* Reads a description. INVALID: error's line has as many faults as fit, out_faults (or NULL) all; to be finished by
 * the caller whatever the status. NOT_FOUND: no such file. */
hy_status hy_sched_cluster_load(const char *path, hy_sched_cluster **out_cluster, hy_sched_faults *out_faults,
                                hy_error *error);
hy_status hy_sched_cluster_parse(const char *name, const char *text, size_t length, hy_sched_cluster **out_cluster,
                                 hy_sched_faults *out_faults, hy_error *error);
void hy_sched_cluster_destroy(hy_sched_cluster *cluster);
void hy_sched_faults_finish(hy_sched_faults *faults);

/* The JSON Schema of descriptions. The text is the caller's, free(); NULL without memory. */
char *hy_sched_cluster_schema(void);

/* ---- from machines and other systems' files ---- */

/* This machine as a cluster of one node of that name: the devices of a selector (hy_hal_machine_select), the links that
 * follow from the bus, with the numbers of their classes. Fails as selecting does. */
hy_status hy_sched_cluster_from_machine(const hy_hal_machine *machine, const char *selector, const char *name,
                                        hy_sched_cluster **out_cluster, hy_error *error);

/* A file by what stands in it: a description, hwloc's XML ("synthetic:..." as well), or a topology of NCCL or RCCL. */
hy_status hy_sched_cluster_import(const char *source, hy_sched_cluster **out_cluster, hy_sched_faults *out_faults,
                                  hy_error *error);

/* Told about long work; fraction in 0..1. */
typedef void (*hy_sched_cluster_progress_fn)(void *payload, const char *what, double fraction);

/* Times copies on the devices of node `node` that this machine has, between them and the host, and from one to another
 * the way the runtime goes: through the host. Medians of copies of up to 64 MiB and of 4 KiB. Devices that fail to open
 * keep their numbers. NOT_FOUND: the machine has none of them. */
hy_status hy_sched_cluster_measure(hy_sched_cluster *cluster, uint32_t node, hy_hal_machine *machine,
                                   hy_sched_cluster_progress_fn progress, void *payload, hy_error *error);

/* ---- finding ---- */

/* Index, or HY_SCHED_CLUSTER_NONE. A device by "node01/cuda:0", or by "cuda:0" in a cluster of one node. */
uint32_t hy_sched_cluster_find_node(const hy_sched_cluster *cluster, const char *name);
uint32_t hy_sched_cluster_find_device(const hy_sched_cluster *cluster, const char *name);

/* What a class means: "PCIe, one bridge", or NULL for one that is not known. */
const char *hy_sched_cluster_class(const char *class_name);

/* ---- ways ---- */

/* The way of bytes from one place to another: copies, one after the other, each over one or more links. Without a link
 * of its own, a device's bytes go out to its host, over the network, and in; steps between NUMA nodes are part of a copy. */
typedef struct hy_sched_route {
	uint32_t link_count, copy_count;
	uint32_t links[HY_SCHED_ROUTE_LINKS]; /* in order */
	uint32_t copy_ends[3]; /* copy i ends before links[copy_ends[i]] */
} hy_sched_route;

/* No links: it is the same place. UNSUPPORTED: no way. */
hy_status hy_sched_cluster_route(const hy_sched_cluster *cluster, uint32_t from_place, uint32_t to_place,
                                 hy_sched_route *out_route, hy_error *error);
/* Time of `bytes` on a route that nobody else uses: for each copy, the latencies of its links and the bytes over its
 * slowest one. */
double hy_sched_route_ns(const hy_sched_cluster *cluster, const hy_sched_route *route, uint64_t bytes);

/* ---- changing, while nobody else asks ---- */

/* Gives every direct link between the two places these numbers; a way without a link of its own gets one. Values of 0
 * stay. INVALID: no such places. */
hy_status hy_sched_cluster_set_link(hy_sched_cluster *cluster, uint32_t from_place, uint32_t to_place,
                                    double bytes_per_s, double latency_ns, hy_sched_origin origin, hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
