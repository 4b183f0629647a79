/* The relocatable graph: how a model crosses the plugin border, a cache file or a process border.
 *
 * One block of bytes, addressed by offsets from its start, little-endian, 8-byte aligned. Copying it is memcpy;
 * two graphs are equal when their bytes are. Tables are walked with the strides the header gives, so that their
 * rows may grow at the end. Readers use the functions below, which apply offset and stride.
 *
 * Nodes are ONNX operators of opset 18, named by (domain, op, version), in an order in which every value is made
 * before it is used; older opsets were rewritten before. A fused region is a node of domain "halyard", op "Region":
 * its body is a subgraph of plain ONNX nodes whose inputs and outputs match those of the region one by one.
 *
 * Constants of at most HY_GRAPH_INLINE_BYTES lie in the blob; larger ones have a slot number and are handed to
 * compile() beside it. Every tensor that query() and compile() see has a static shape. */
#ifndef HALYARD_GRAPH_H
#define HALYARD_GRAPH_H

#include <halyard/dtype.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HY_MAX_RANK 8u
#define HY_GRAPH_NONE UINT32_MAX
#define HY_GRAPH_MAGIC 0x31475948u /* "HYG1" */
#define HY_GRAPH_INLINE_BYTES 1024u

/* Every field that is not a count, a size, a stride or an enumeration is an offset in bytes from the blob's start. */
typedef struct hy_graph {
	uint32_t magic; /* HY_GRAPH_MAGIC */
	uint32_t total_bytes; /* of the whole blob */
	uint32_t subgraphs, subgraph_count, subgraph_stride; /* subgraph 0 is the model */
	uint32_t tensors, tensor_count, tensor_stride;
	uint32_t nodes, node_count, node_stride;
	uint32_t attrs, attr_count, attr_stride;
	uint32_t indices, index_count; /* uint32_t pool: input and output lists */
	uint32_t strings, string_bytes; /* NUL-terminated UTF-8 pool; string fields below are relative to its start */
	uint32_t data, data_bytes; /* inline constants and attribute arrays; data fields are relative to its start */
	uint32_t constant_count; /* slots that compile() receives */
} hy_graph;

typedef struct hy_graph_subgraph {
	uint32_t name; /* string */
	uint32_t first_node, node_count; /* its nodes lie together, in order */
	uint32_t inputs, input_count; /* positions in the index pool: tensor numbers */
	uint32_t outputs, output_count;
} hy_graph_subgraph;

enum {
	HY_TENSOR_CONSTANT = 1u << 0, /* data is inline, or has a slot */
};

typedef struct hy_graph_tensor {
	uint32_t name; /* string */
	uint32_t dtype, rank, flags;
	uint32_t slot; /* constant number, or HY_GRAPH_NONE */
	uint32_t data; /* inline data, or HY_GRAPH_NONE; 8-byte aligned */
	uint64_t length; /* bytes when dense, row-major */
	int64_t dim[HY_MAX_RANK];
} hy_graph_tensor;

typedef struct hy_graph_node {
	uint32_t domain, op, version, name; /* strings, but version: a number ("" is ai.onnx) */
	uint32_t inputs, input_count; /* index pool: tensor numbers, HY_GRAPH_NONE for an absent optional */
	uint32_t outputs, output_count;
	uint32_t attrs, attr_count; /* row numbers in the attribute table */
	uint32_t body; /* subgraph number, or HY_GRAPH_NONE */
	uint32_t reserved;
} hy_graph_node;

/* Values are those of ONNX's AttributeProto.AttributeType. */
enum {
	HY_ATTR_FLOAT = 1,
	HY_ATTR_INT = 2,
	HY_ATTR_STRING = 3,
	HY_ATTR_TENSOR = 4,
	HY_ATTR_FLOATS = 6,
	HY_ATTR_INTS = 7,
	HY_ATTR_STRINGS = 8,
};

typedef struct hy_graph_attr {
	uint32_t name; /* string */
	uint32_t kind; /* HY_ATTR_* */
	uint32_t count; /* elements; 1 for the single kinds */
	uint32_t value; /* FLOAT(S), INT(S): data (float / int64_t array); STRING(S): data (uint32_t string offsets);
			 * TENSOR: tensor number */
} hy_graph_attr;

/* Data of one constant slot: dense, row-major, aligned to its element at least. */
typedef struct hy_constant {
	const void *data;
	uint64_t length;
} hy_constant;

static inline const void *hy_graph_at(const hy_graph *graph, uint32_t offset, uint32_t stride, uint32_t row)
{
	return (const char *)graph + offset + (size_t)stride * row;
}

static inline const hy_graph_subgraph *hy_graph_subgraph_at(const hy_graph *graph, uint32_t row)
{
	return (const hy_graph_subgraph *)hy_graph_at(graph, graph->subgraphs, graph->subgraph_stride, row);
}

static inline const hy_graph_tensor *hy_graph_tensor_at(const hy_graph *graph, uint32_t row)
{
	return (const hy_graph_tensor *)hy_graph_at(graph, graph->tensors, graph->tensor_stride, row);
}

static inline const hy_graph_node *hy_graph_node_at(const hy_graph *graph, uint32_t row)
{
	return (const hy_graph_node *)hy_graph_at(graph, graph->nodes, graph->node_stride, row);
}

static inline const hy_graph_attr *hy_graph_attr_at(const hy_graph *graph, uint32_t row)
{
	return (const hy_graph_attr *)hy_graph_at(graph, graph->attrs, graph->attr_stride, row);
}

static inline uint32_t hy_graph_index_at(const hy_graph *graph, uint32_t position)
{
	return *(const uint32_t *)hy_graph_at(graph, graph->indices, sizeof(uint32_t), position);
}

static inline const char *hy_graph_string(const hy_graph *graph, uint32_t string)
{
	return (const char *)graph + graph->strings + string;
}

static inline const void *hy_graph_data(const hy_graph *graph, uint32_t data)
{
	return (const char *)graph + graph->data + data;
}

#ifdef __cplusplus
}
#endif
#endif
