/* A group of nodes that becomes one Region. */
#ifndef HY_IR_PRIVATE_PASS_FUSE_H
#define HY_IR_PRIVATE_PASS_FUSE_H

#include "graph.h"

enum { HY_IR__REGION_NODES = 32 }; /* the most that one region holds: bounds a plugin's argument lists */

typedef struct hy_ir__region {
	uint32_t count;
	uint32_t nodes[HY_IR__REGION_NODES]; /* the anchor, if there is one, first; then in order */
} hy_ir__region;

/* pass_fuse_region.c: appends the Region that computes what the group computes and kills the group's nodes. The last
 * one's output becomes the region's. */
hy_status hy_ir__fuse_build(hy_ir_graph *graph, const hy_ir__region *region, uint32_t *out_node, hy_error *error);

#endif
