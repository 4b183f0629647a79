/* Blob to graph, and the check that comes first when the blob is from outside. */
#include "graph.h"

#include <halyard/ir/blob.h>

#include <stdlib.h>
#include <string.h>

/* ---- checking ---- */

typedef struct blob_check {
	const hy_graph *graph;
	const char *fault; /* the first */
	const char *table; /* where it is */
	uint32_t row;
	uint64_t listed, stored; /* indices and attribute bytes that rows claimed so far */
} blob_check;

static void expect(blob_check *check, bool holds, const char *table, uint32_t row, const char *fault)
{
	if (holds || check->fault != NULL) return;
	check->fault = fault;
	check->table = table;
	check->row = row;
}

static bool fits(uint64_t first, uint64_t count, uint64_t total)
{
	return first <= total && count <= total - first;
}

static void check_section(blob_check *check, const char *table, uint32_t offset, uint32_t count, uint32_t stride,
                          size_t row_bytes, size_t alignment)
{
	expect(check, offset % 8 == 0 && offset >= sizeof(hy_graph), table, 0, "starts at a bad offset");
	expect(check, stride >= row_bytes && stride % alignment == 0, table, 0, "has a bad stride");
	expect(check, fits(offset, (uint64_t)count * stride, check->graph->total_bytes), table, 0, "ends outside");
}

static void check_string(blob_check *check, uint32_t string, const char *table, uint32_t row)
{
	expect(check, string < check->graph->string_bytes, table, row, "names a string outside");
}

static void check_indices(blob_check *check, uint32_t first, uint32_t count, const char *table, uint32_t row)
{
	check->listed += count;
	/* Rows that share lists would make a small blob expensive to read. */
	expect(check, fits(first, count, check->graph->index_count) && check->listed <= check->graph->index_count,
	       table, row, "lists tensors outside or another row's");
}

static void check_tensor(blob_check *check, uint32_t row)
{
	const hy_graph *graph = check->graph;
	const hy_graph_tensor *tensor = hy_graph_tensor_at(graph, row);
	check_string(check, tensor->name, "tensor", row);
	expect(check, hy_dtype_bits(tensor->dtype) > 0, "tensor", row, "has no element type");
	expect(check, tensor->rank <= HY_MAX_RANK, "tensor", row, "has a rank above 8");
	if (check->fault != NULL) return;
	hy_ir_type type = {.dtype = tensor->dtype, .rank = tensor->rank};
	memcpy(type.dim, tensor->dim, tensor->rank * sizeof(type.dim[0]));
	expect(check, hy_ir__type_fault(&type) == NULL && hy_ir_type_is_static(&type), "tensor", row,
	       "has a bad shape");
	if (check->fault != NULL) return;
	expect(check, tensor->length == hy_ir_type_bytes(&type), "tensor", row, "has a length that is not its shape's");
	const bool has_slot = tensor->slot != HY_GRAPH_NONE, has_data = tensor->data != HY_GRAPH_NONE;
	if (tensor->flags == 0) {
		expect(check, !has_slot && !has_data, "tensor", row, "has data, but is no constant");
		return;
	}
	expect(check, tensor->flags == HY_TENSOR_CONSTANT, "tensor", row, "has unknown flags");
	expect(check, has_slot != has_data, "tensor", row, "needs either a slot or data");
	if (has_slot) expect(check, tensor->slot < graph->constant_count, "tensor", row, "has a slot outside");
	if (has_data)
		expect(check, tensor->data % 8 == 0 && fits(tensor->data, tensor->length, graph->data_bytes), "tensor",
		       row, "has data outside");
}

static void check_attr(blob_check *check, uint32_t row)
{
	const hy_graph *graph = check->graph;
	const hy_graph_attr *attr = hy_graph_attr_at(graph, row);
	uint64_t width = 0;
	check_string(check, attr->name, "attribute", row);
	switch (attr->kind) {
	case HY_ATTR_FLOAT:
	case HY_ATTR_FLOATS:
		width = sizeof(float);
		break;
	case HY_ATTR_INT:
	case HY_ATTR_INTS:
		width = sizeof(int64_t);
		break;
	case HY_ATTR_STRING:
	case HY_ATTR_STRINGS:
		width = sizeof(uint32_t);
		break;
	case HY_ATTR_TENSOR:
		expect(check, attr->value < graph->tensor_count, "attribute", row, "is a tensor outside");
		if (check->fault == NULL)
			expect(check, hy_graph_tensor_at(graph, attr->value)->flags == HY_TENSOR_CONSTANT, "attribute",
			       row, "is no constant");
		return;
	default:
		expect(check, false, "attribute", row, "is of an unknown kind");
		return;
	}
	const bool single = attr->kind == HY_ATTR_FLOAT || attr->kind == HY_ATTR_INT || attr->kind == HY_ATTR_STRING;
	expect(check, !single || attr->count == 1, "attribute", row, "has a bad count");
	check->stored += attr->count * width;
	expect(check,
	       attr->value % 8 == 0 && fits(attr->value, attr->count * width, graph->data_bytes) &&
	               check->stored <= graph->data_bytes,
	       "attribute", row, "has values outside or another row's");
	if (check->fault != NULL || width != sizeof(uint32_t) || attr->kind == HY_ATTR_FLOAT ||
	    attr->kind == HY_ATTR_FLOATS)
		return;
	const uint32_t *strings = hy_graph_data(graph, attr->value);
	for (uint32_t i = 0; i < attr->count; i++)
		check_string(check, strings[i], "attribute", row);
}

static void check_node(blob_check *check, uint32_t row, uint32_t subgraph, uint8_t *bodies)
{
	const hy_graph *graph = check->graph;
	const hy_graph_node *node = hy_graph_node_at(graph, row);
	check_string(check, node->domain, "node", row);
	check_string(check, node->op, "node", row);
	check_string(check, node->name, "node", row);
	check_indices(check, node->inputs, node->input_count, "node", row);
	check_indices(check, node->outputs, node->output_count, "node", row);
	expect(check, fits(node->attrs, node->attr_count, graph->attr_count), "node", row, "has attributes outside");
	if (node->body == HY_GRAPH_NONE) return;
	/* Later than its own subgraph and nobody else's: so bodies can form no cycle and are read once. */
	expect(check, node->body > subgraph && node->body < graph->subgraph_count && bodies[node->body]++ == 0, "node",
	       row, "has a body outside, before it, or another's");
}

static void check_rows(blob_check *check, uint8_t *bodies)
{
	const hy_graph *graph = check->graph;
	expect(check, graph->subgraph_count > 0, "subgraph", 0, "is missing");
	expect(check, graph->string_bytes > 0 && hy_graph_string(graph, graph->string_bytes - 1)[0] == '\0', "string",
	       0, "pool does not end with NUL");
	for (uint32_t i = 0; check->fault == NULL && i < graph->index_count; i++) {
		const uint32_t index = hy_graph_index_at(graph, i);
		expect(check, index < graph->tensor_count || index == HY_GRAPH_NONE, "index", i, "is no tensor");
	}
	for (uint32_t i = 0; check->fault == NULL && i < graph->tensor_count; i++)
		check_tensor(check, i);
	for (uint32_t i = 0; check->fault == NULL && i < graph->attr_count; i++)
		check_attr(check, i);
	uint32_t next = 0;
	for (uint32_t i = 0; check->fault == NULL && i < graph->subgraph_count; i++) {
		const hy_graph_subgraph *subgraph = hy_graph_subgraph_at(graph, i);
		check_string(check, subgraph->name, "subgraph", i);
		check_indices(check, subgraph->inputs, subgraph->input_count, "subgraph", i);
		check_indices(check, subgraph->outputs, subgraph->output_count, "subgraph", i);
		expect(check, subgraph->first_node == next && fits(next, subgraph->node_count, graph->node_count),
		       "subgraph", i, "has nodes that do not follow the last one's");
		for (uint32_t k = 0; check->fault == NULL && k < subgraph->node_count; k++)
			check_node(check, next + k, i, bodies);
		next += subgraph->node_count;
	}
	expect(check, next == graph->node_count, "subgraph", 0, "and others leave nodes over");
}

hy_status hy_ir_blob_check(const void *bytes, size_t length, hy_error *error)
{
	const hy_graph *graph = bytes;
	if ((uintptr_t)bytes % 8 != 0) return hy_error_set(error, HY_INVALID, "the blob is not 8-byte aligned");
	if (length < sizeof(*graph) || graph->magic != HY_GRAPH_MAGIC || graph->total_bytes > length ||
	    graph->total_bytes < sizeof(*graph))
		return hy_error_set(error, HY_INVALID, "these %zu bytes are no whole blob", length);
	blob_check check = {.graph = graph};
	check_section(&check, "subgraph", graph->subgraphs, graph->subgraph_count, graph->subgraph_stride,
	              sizeof(hy_graph_subgraph), _Alignof(hy_graph_subgraph));
	check_section(&check, "tensor", graph->tensors, graph->tensor_count, graph->tensor_stride,
	              sizeof(hy_graph_tensor), _Alignof(hy_graph_tensor));
	check_section(&check, "node", graph->nodes, graph->node_count, graph->node_stride, sizeof(hy_graph_node),
	              _Alignof(hy_graph_node));
	check_section(&check, "attribute", graph->attrs, graph->attr_count, graph->attr_stride, sizeof(hy_graph_attr),
	              _Alignof(hy_graph_attr));
	check_section(&check, "index", graph->indices, graph->index_count, sizeof(uint32_t), 4, 4);
	check_section(&check, "string", graph->strings, graph->string_bytes, 1, 1, 1);
	check_section(&check, "data", graph->data, graph->data_bytes, 1, 1, 1);
	if (check.fault == NULL) {
		uint8_t *bodies = calloc(graph->subgraph_count + 1u, 1);
		if (bodies == NULL) return hy_ir__no_memory(error);
		check_rows(&check, bodies);
		free(bodies);
	}
	if (check.fault == NULL) return HY_OK;
	return hy_error_set(error, HY_INVALID, "blob: %s %u %s", check.table, check.row, check.fault);
}

/* ---- reading ---- */

typedef struct blob_reader {
	const hy_graph *blob;
	const hy_constant *constants;
	hy_ir_graph **graphs; /* of each subgraph, until its node takes it */
	uint32_t *values; /* of each tensor in the subgraph being read */
	uint32_t *owners; /* which subgraph that was: subgraph + 1 */
	hy_error *error;
} blob_reader;

static hy_ir_type type_of(const hy_graph_tensor *tensor)
{
	hy_ir_type type = {.dtype = tensor->dtype, .rank = tensor->rank};
	memcpy(type.dim, tensor->dim, tensor->rank * sizeof(type.dim[0]));
	return type;
}

/* NULL: not at hand. */
static const void *data_of(const blob_reader *reader, const hy_graph_tensor *tensor)
{
	if (tensor->data != HY_GRAPH_NONE) return hy_graph_data(reader->blob, tensor->data);
	return reader->constants != NULL ? reader->constants[tensor->slot].data : NULL;
}

static hy_status check_slot(const blob_reader *reader, const hy_graph_tensor *tensor)
{
	if (tensor->slot == HY_GRAPH_NONE || reader->constants == NULL) return HY_OK;
	const hy_constant *constant = &reader->constants[tensor->slot];
	const uint32_t width = hy_dtype_bits(tensor->dtype) / 8;
	if (constant->data != NULL && constant->length == tensor->length && (uintptr_t)constant->data % width == 0)
		return HY_OK;
	return hy_error_set(reader->error, HY_INVALID, "blob: constant %u has a wrong length or alignment",
	                    tensor->slot);
}

static hy_status read_value(blob_reader *reader, uint32_t subgraph, uint32_t row, uint32_t *out_value)
{
	*out_value = HY_IR_NONE;
	if (row == HY_GRAPH_NONE) return HY_OK;
	if (reader->owners[row] == subgraph + 1) {
		*out_value = reader->values[row];
		return HY_OK;
	}
	hy_ir_graph *graph = reader->graphs[subgraph];
	const hy_graph_tensor *tensor = hy_graph_tensor_at(reader->blob, row);
	const hy_ir_type type = type_of(tensor);
	const char *name = hy_graph_string(reader->blob, tensor->name);
	hy_status status = hy_ir__graph_add_value(graph, name, &type, out_value, reader->error);
	if (status == HY_OK && tensor->flags == HY_TENSOR_CONSTANT) status = check_slot(reader, tensor);
	if (status != HY_OK) return status;
	if (tensor->flags == HY_TENSOR_CONSTANT) {
		const void *data = data_of(reader, tensor);
		if (data != NULL) hy_ir__graph_set_constant_in(graph, *out_value, &type, data, NULL);
		graph->values[*out_value].value.length_bytes = tensor->length;
	}
	reader->owners[row] = subgraph + 1;
	reader->values[row] = *out_value;
	return HY_OK;
}

static hy_status read_values(blob_reader *reader, uint32_t subgraph, uint32_t first, uint32_t count,
                             uint32_t **out_values)
{
	uint32_t *values = malloc((count + 1u) * sizeof(values[0]));
	if (values == NULL) return hy_ir__no_memory(reader->error);
	hy_status status = HY_OK;
	for (uint32_t i = 0; status == HY_OK && i < count; i++)
		status = read_value(reader, subgraph, hy_graph_index_at(reader->blob, first + i), &values[i]);
	if (status != HY_OK) {
		free(values);
		return status;
	}
	*out_values = values;
	return HY_OK;
}

static hy_status read_attr(blob_reader *reader, hy_ir_graph *graph, const hy_graph_attr *row, hy_ir_attr *out_attr)
{
	const hy_graph *blob = reader->blob;
	const void *data = row->kind != HY_ATTR_TENSOR ? hy_graph_data(blob, row->value) : NULL;
	hy_ir_attr attr = {.name = hy_graph_string(blob, row->name), .kind = row->kind, .count = row->count};
	const char **strings;
	uint32_t offset;
	hy_status status = HY_OK;
	switch (row->kind) {
	case HY_ATTR_FLOAT:
		memcpy(&attr.f, data, sizeof(attr.f));
		break;
	case HY_ATTR_INT:
		memcpy(&attr.i, data, sizeof(attr.i));
		break;
	case HY_ATTR_STRING:
		memcpy(&offset, data, sizeof(offset));
		attr.s = hy_graph_string(blob, offset);
		attr.count = (uint32_t)strlen(attr.s);
		break;
	case HY_ATTR_FLOATS:
		attr.floats = data;
		break;
	case HY_ATTR_INTS:
		attr.ints = data;
		break;
	case HY_ATTR_STRINGS:
		strings = hy_ir__arena_alloc(&graph->arena, row->count * sizeof(strings[0]));
		if (strings == NULL) return hy_ir__no_memory(reader->error);
		for (uint32_t i = 0; i < row->count; i++)
			strings[i] = hy_graph_string(blob, ((const uint32_t *)data)[i]);
		attr.strings = strings;
		break;
	default: /* TENSOR: the blob was checked, or written here */
		attr.tensor.type = type_of(hy_graph_tensor_at(blob, row->value));
		attr.tensor.data = (void *)data_of(reader, hy_graph_tensor_at(blob, row->value));
		status = check_slot(reader, hy_graph_tensor_at(blob, row->value));
	}
	*out_attr = attr;
	return status;
}

static hy_status read_node(blob_reader *reader, uint32_t subgraph, const hy_graph_node *row)
{
	hy_ir_graph *graph = reader->graphs[subgraph];
	uint32_t *inputs = NULL, *outputs = NULL;
	hy_ir_attr *attrs = malloc((row->attr_count + 1u) * sizeof(attrs[0]));
	hy_status status = attrs != NULL ? HY_OK : hy_ir__no_memory(reader->error);
	if (status == HY_OK) status = read_values(reader, subgraph, row->inputs, row->input_count, &inputs);
	if (status == HY_OK) status = read_values(reader, subgraph, row->outputs, row->output_count, &outputs);
	for (uint32_t i = 0; status == HY_OK && i < row->attr_count; i++)
		status = read_attr(reader, graph, hy_graph_attr_at(reader->blob, row->attrs + i), &attrs[i]);
	const hy_ir_node_options options = {.domain = hy_graph_string(reader->blob, row->domain),
	                                    .type = hy_graph_string(reader->blob, row->op),
	                                    .name = hy_graph_string(reader->blob, row->name),
	                                    .version = row->version,
	                                    .input_count = row->input_count,
	                                    .output_count = row->output_count,
	                                    .attr_count = row->attr_count,
	                                    .inputs = inputs,
	                                    .outputs = outputs,
	                                    .attrs = attrs,
	                                    .take_body = row->body != HY_GRAPH_NONE ? reader->graphs[row->body] : NULL};
	if (status == HY_OK) status = hy_ir__graph_add_node(graph, &options, HY_IR__LEND_TENSORS, NULL, reader->error);
	if (status == HY_OK && row->body != HY_GRAPH_NONE) reader->graphs[row->body] = NULL; /* taken */
	free(inputs);
	free(outputs);
	free(attrs);
	return status;
}

static hy_status read_border(blob_reader *reader, uint32_t subgraph, uint32_t first, uint32_t count, bool are_outputs)
{
	hy_ir_graph *graph = reader->graphs[subgraph];
	uint32_t *values = NULL;
	hy_status status = read_values(reader, subgraph, first, count, &values);
	for (uint32_t i = 0; status == HY_OK && i < count; i++) {
		if (values[i] == HY_IR_NONE)
			status = hy_error_set(reader->error, HY_INVALID,
			                      "blob: an input or output of the graph is absent");
		else if (are_outputs)
			status = hy_ir_build_output(graph, values[i], reader->error);
		else if (graph->values[values[i]].is_input || graph->values[values[i]].value.length_bytes > 0 ||
		         graph->values[values[i]].value.data != NULL)
			status = hy_error_set(reader->error, HY_INVALID, "blob: an input is a constant or given twice");
		else
			status = hy_ir__graph_add_input(graph, values[i], NULL, reader->error);
	}
	free(values);
	return status;
}

static hy_status read_subgraph(blob_reader *reader, uint32_t number)
{
	const hy_graph_subgraph *row = hy_graph_subgraph_at(reader->blob, number);
	hy_status status = hy_ir_graph_create(hy_graph_string(reader->blob, row->name), &reader->graphs[number],
	                                      reader->error);
	if (status == HY_OK) status = read_border(reader, number, row->inputs, row->input_count, false);
	for (uint32_t i = 0; status == HY_OK && i < row->node_count; i++)
		status = read_node(reader, number, hy_graph_node_at(reader->blob, row->first_node + i));
	if (status == HY_OK) status = read_border(reader, number, row->outputs, row->output_count, true);
	return status;
}

hy_status hy_ir_blob_read(const hy_graph *blob, const hy_constant *constants, hy_ir_graph **out_graph, hy_error *error)
{
	blob_reader reader = {.blob = blob, .constants = constants, .error = error};
	reader.graphs = calloc(blob->subgraph_count + 1u, sizeof(reader.graphs[0]));
	reader.values = calloc(blob->tensor_count + 1u, sizeof(reader.values[0]));
	reader.owners = calloc(blob->tensor_count + 1u, sizeof(reader.owners[0]));
	hy_status status = HY_OK;
	if (reader.graphs == NULL || reader.values == NULL || reader.owners == NULL) status = hy_ir__no_memory(error);
	/* Bodies stand behind the nodes that own them, so the last comes first. */
	for (uint32_t i = blob->subgraph_count; status == HY_OK && i-- > 0;)
		status = read_subgraph(&reader, i);
	if (status == HY_OK) {
		*out_graph = reader.graphs[0];
		reader.graphs[0] = NULL;
	}
	for (uint32_t i = 0; reader.graphs != NULL && i < blob->subgraph_count; i++)
		hy_ir_graph_destroy(reader.graphs[i]);
	free(reader.graphs);
	free(reader.values);
	free(reader.owners);
	return status;
}
