/* Pictures of clusters. */
#ifndef TOOL_TOPOLOGY_DRAW_H
#define TOOL_TOPOLOGY_DRAW_H

#include "ways.h"

/* Graphviz: the places of a node and its links; node NONE: nodes and switches. */
void tool_topology_dot(const hy_sched_cluster *cluster, uint32_t node);
/* The matrix of a node, coloured by bandwidth, with its legend. */
void tool_topology_svg(const tool_ways *ways);

#endif
