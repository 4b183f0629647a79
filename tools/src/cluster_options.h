/* --cluster, --from and --node: reading a file and choosing a node of it, with their failures reported. */
#ifndef TOOL_CLUSTER_OPTIONS_H
#define TOOL_CLUSTER_OPTIONS_H

#include "exit.h"
#include "options.h"

#include <halyard/halyard.h>

/* This host's name, at most length - 1 bytes; "node" when the system does not tell. */
const char *tool_cluster_host(char *text, size_t length);

/* Reads a file of any form; every fault is reported. */
tool_exit tool_cluster_open(const char *path, hy_sched_cluster **out_cluster);

/* The node of that name; without one this host's, or the first with a note. */
tool_exit tool_cluster_node(const tool_options *options, const hy_sched_cluster *cluster, const char *name,
                            uint32_t *out_node);

/* The devices that --cluster gives this host, as a selector: with the cores that the file says, less those it reserves.
 * The text is the caller's, free(). */
tool_exit tool_cluster_selector(const tool_options *options, const hy_hal_machine *machine, char **out_selector);

#endif
