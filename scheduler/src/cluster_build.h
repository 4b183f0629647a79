/* A cluster while it is made: arrays that grow. Every source of clusters fills one of these. */
#ifndef HY_SCHED_CLUSTER_BUILD_H
#define HY_SCHED_CLUSTER_BUILD_H

#include <halyard/cluster.h>

#include <stdatomic.h>

/* The cheapest way from one place to a relay (host or switch): its last link, and its cost. */
typedef struct hy_sched__step {
	uint32_t link;
	double cost;
} hy_sched__step;

typedef struct hy_sched__cluster {
	hy_sched_cluster shown; /* first: what the caller has */
	hy_sched_cluster_type *types;
	hy_sched_cluster_node *nodes;
	hy_sched_cluster_device *devices;
	hy_sched_cluster_place *places;
	hy_sched_cluster_link *links;
	const char **channels;
	uint32_t type_room, node_room, device_room, place_room, link_room, channel_room;
	uint32_t host_count, switch_count; /* places: hosts, devices, switches */
	char **texts;
	uint32_t text_count, text_room;
	bool no_memory; /* sticky: what follows is ignored */
	/* once finished */
	uint32_t *first_links; /* of each place, into by_from; one more at the end */
	uint32_t *by_from; /* links by the place they leave */
	_Atomic(hy_sched__step *) *ways; /* per relay, made when asked for */
} hy_sched__cluster;

hy_sched__cluster *hy_sched__cluster_create(void);
void hy_sched__cluster_destroy(hy_sched__cluster *cluster);

/* Own text, lent until the cluster is destroyed. NULL without memory. */
const char *hy_sched__cluster_text(hy_sched__cluster *cluster, const char *format, ...) HY_PRINTF(2, 3);

/* Each answers the new one's index, or NONE without memory. Texts must be the cluster's. */
uint32_t hy_sched__cluster_add_type(hy_sched__cluster *cluster, const hy_sched_cluster_type *type);
/* All nodes before the first device: makes the places of its NUMA nodes. */
uint32_t hy_sched__cluster_add_node(hy_sched__cluster *cluster, const hy_sched_cluster_node *node);
/* By node, before the first switch. Makes its name, and its place when it has memory of its own. */
uint32_t hy_sched__cluster_add_device(hy_sched__cluster *cluster, const hy_sched_cluster_device *device);
uint32_t hy_sched__cluster_add_switch(hy_sched__cluster *cluster, const char *name);
uint32_t hy_sched__cluster_add_channel(hy_sched__cluster *cluster, const char *name);
uint32_t hy_sched__cluster_add_link(hy_sched__cluster *cluster, const hy_sched_cluster_link *link);

/* Links both ways, full duplex, with what the class has by default; both numbers of one origin. Values of 0: of the
 * class. */
void hy_sched__cluster_connect(hy_sched__cluster *cluster, uint32_t a, uint32_t b, const char *class_name,
                               double bytes_per_s, double latency_ns, hy_sched_origin origin);
/* Links what the source left open: devices to their hosts, NUMA nodes with each other. */
void hy_sched__cluster_connect_rest(hy_sched__cluster *cluster);

/* Makes it ready to be asked. On failure the cluster is destroyed. */
hy_status hy_sched__cluster_finish(hy_sched__cluster *take_cluster, hy_sched_cluster **out_cluster, hy_error *error);
/* Sorts links by the place they leave and forgets ways. */
hy_status hy_sched__cluster_index(hy_sched__cluster *cluster, hy_error *error);
/* The link from one place to another, or NULL; needs the index. */
hy_sched_cluster_link *hy_sched__cluster_direct(const hy_sched__cluster *cluster, uint32_t from, uint32_t to);

static inline hy_sched__cluster *hy_sched__cluster_of(const hy_sched_cluster *cluster)
{
	return (hy_sched__cluster *)(uintptr_t)cluster;
}

/* ---- classes ---- */

typedef struct hy_sched__class {
	const char *name; /* a '#' at the end: a number of bonds follows */
	const char *meaning;
	double bytes_per_s, latency_ns; /* by default; per bond */
} hy_sched__class;

/* NULL: not known. *out_bonds: the number, else 1. */
const hy_sched__class *hy_sched__class_find(const char *class_name, double *out_bonds);
extern const hy_sched__class hy_sched__classes[];
extern const uint32_t hy_sched__class_count;

#endif
