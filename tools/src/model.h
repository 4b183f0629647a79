/* A model on its way from the file to a prepared graph, with every refusal reported. */
#ifndef TOOL_MODEL_H
#define TOOL_MODEL_H

#include "exit.h"
#include "options.h"

#include <halyard/halyard.h>

/* The graph as the file has it. */
tool_exit tool_model_load(const char *path, hy_ir_graph **out_graph);

/* Sizes for symbolic dimensions: --dim, then --batch, then given[i] (one per graph input, data NULL where there is
 * none), then 1. */
tool_exit tool_model_bind(const tool_options *options, hy_ir_graph *graph, const hy_ir_tensor *given);

tool_exit tool_model_prepare(const tool_options *options, const char *path, hy_ir_graph *graph);

/* The node that --node or --cut-at names: a number, or a node's or its first output's name. option is for messages. */
tool_exit tool_model_find_node(const hy_ir_graph *graph, const char *option, const char *text, uint32_t *out_node);

/* "Conv" or, for a region, "Conv+Add+Relu"; cut at length. Returns text. */
const char *tool_model_node_title(const hy_ir_node *node, char *text, size_t length);
/* The node's own name, or that of its first output. Lent by the graph. */
const char *tool_model_node_name(const hy_ir_graph *graph, uint32_t node);

/* The size of the first dimension of the first input, 1 when there is none: what a request counts for. */
uint64_t tool_model_batch(const hy_ir_graph *graph);

#endif
