/* From a checked document to a cluster; faults that a table can't see are told on the way. */
#ifndef HY_SCHED_CLUSTER_READ_H
#define HY_SCHED_CLUSTER_READ_H

#include "cluster_build.h"

#include <halyard/yaml.h>

extern const hy_yaml_field hy_sched__cluster_table;

typedef struct hy_sched__reading {
	hy_yaml *document;
	hy_sched__cluster *cluster;
	hy_yaml_node **types; /* where each type is described */
	hy_yaml_node **nodes; /* where each node is described; nodes of a range have the same */
	uint32_t unknown; /* the type that stands in for those that are not there, 0 none yet; one more than it */
} hy_sched__reading;

/* nodes[i] of the cluster is the first of its range: faults are told for it alone. */
bool hy_sched__reading_is_first(const hy_sched__reading *reading, uint32_t node);
/* Another of a range in a file with faults: it will not be used, and has no faults of its own. */
bool hy_sched__reading_is_settled(const hy_sched__reading *reading, uint32_t node);

void hy_sched__read_types(hy_sched__reading *reading, hy_yaml_node *table);
void hy_sched__read_nodes(hy_sched__reading *reading, hy_yaml_node *list);
void hy_sched__read_links(hy_sched__reading *reading);
void hy_sched__read_network(hy_sched__reading *reading, hy_yaml_node *network);

/* One end of a link, as the table knows it, with the entry's numbers or its class's. */
void hy_sched__read_link_numbers(const hy_yaml_node *entry, const char *class_name, hy_sched_cluster_link *out_link);

/* A name, range or glob against names. Tells a fault when none of them fits, or one of a range is not there; marks
 * those that fit. missing: "node01 has no", for the fault. */
bool hy_sched__read_names(hy_sched__reading *reading, hy_yaml_node *node, uint32_t count, const char *const *names,
                          bool *out_marks, const char *missing);

/* Channels by name: "shared" ids. */
typedef struct hy_sched__shared {
	const char *name;
	uint32_t forward, back;
	bool half;
} hy_sched__shared;

typedef struct hy_sched__sharing {
	uint32_t count;
	hy_sched__shared items[256];
	const char *scope; /* before the names of its channels: "node01" */
} hy_sched__sharing;

/* Adds the link or links of one pair of places as the entry says. */
void hy_sched__read_pair(hy_sched__reading *reading, hy_sched__sharing *sharing, hy_yaml_node *entry, uint32_t from,
                         uint32_t to, const hy_sched_cluster_link *model);

#endif
