/* Smallest relocatable graphs, written by hand: one node, one input, one output. */
#ifndef HY_TEST_BLOB_H
#define HY_TEST_BLOB_H

#include <halyard/graph.h>

#include <string.h>

typedef struct blob {
	hy_graph graph;
	hy_graph_subgraph subgraph;
	hy_graph_tensor tensors[2];
	hy_graph_node node;
	uint32_t indices[2];
	char strings[40];
} blob;

/* y = op(x), both f32[count]. The blob must be 8-byte aligned, which a variable of its type is. */
static inline const hy_graph *blob_make(blob *b, const char *op, int64_t count)
{
	*b = (blob){
		.graph =
			{
				.magic = HY_GRAPH_MAGIC,
				.total_bytes = sizeof(*b),
				.subgraphs = offsetof(blob, subgraph),
				.subgraph_count = 1,
				.subgraph_stride = sizeof(hy_graph_subgraph),
				.tensors = offsetof(blob, tensors),
				.tensor_count = 2,
				.tensor_stride = sizeof(hy_graph_tensor),
				.nodes = offsetof(blob, node),
				.node_count = 1,
				.node_stride = sizeof(hy_graph_node),
				.attr_stride = sizeof(hy_graph_attr),
				.indices = offsetof(blob, indices),
				.index_count = 2,
				.strings = offsetof(blob, strings),
				.string_bytes = sizeof(b->strings),
			},
		.subgraph = {.node_count = 1, .inputs = 0, .input_count = 1, .outputs = 1, .output_count = 1},
		.node = {.op = 1,
	                 .version = 14,
	                 .inputs = 0,
	                 .input_count = 1,
	                 .outputs = 1,
	                 .output_count = 1,
	                 .body = HY_GRAPH_NONE},
		.indices = {0, 1},
	};
	for (int i = 0; i < 2; i++)
		b->tensors[i] = (hy_graph_tensor){.dtype = HY_DTYPE_F32,
		                                  .rank = 1,
		                                  .slot = HY_GRAPH_NONE,
		                                  .data = HY_GRAPH_NONE,
		                                  .length = (uint64_t)count * 4,
		                                  .dim = {count}};
	strncpy(b->strings + 1, op, sizeof(b->strings) - 2);
	return &b->graph;
}

#endif
