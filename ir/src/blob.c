/* Graph to blob. Subgraphs are written in the order in which they are met, values in the order of their first use, so
 * that the same nodes give the same bytes. */
#include "graph.h"

#include <halyard/ir/blob.h>

#include <stdlib.h>
#include <string.h>

#define BLOB_LIMIT_BYTES ((uint64_t)1 << 30)

/* One table or pool of the blob while it grows. */
typedef struct section {
	char *rows;
	uint32_t stride, count, room;
} section;

/* A subgraph to write: a run of nodes, and the values that cross its border. */
typedef struct piece {
	const hy_ir_graph *graph;
	uint32_t first, count;
	const uint32_t *inputs, *outputs;
	uint32_t input_count, output_count;
} piece;

typedef struct blob_writer {
	section subgraphs, tensors, nodes, attrs, indices, strings, data;
	section constants, pieces; /* beside the blob */
	uint32_t *words, word_count, word_room; /* open addressing by content: string offset + 1 */
	uint32_t *tensor_of; /* of each value of the graph being written, or HY_GRAPH_NONE */
	hy_status status; /* the first failure; everything after it does nothing of use */
	hy_error *error;
} blob_writer;

/* ---- sections ---- */

static void fail(blob_writer *writer, hy_status status)
{
	if (writer->status == HY_OK) writer->status = status;
}

/* Appends rows (NULL: zeros) and returns the number of the first, 0 after a failure. */
static uint32_t append(blob_writer *writer, section *target, uint64_t count, const void *rows)
{
	if (count == 0) return target->count;
	const uint64_t wanted = target->count + count;
	if (wanted * target->stride > BLOB_LIMIT_BYTES) {
		fail(writer, hy_error_set(writer->error, HY_UNSUPPORTED, "the graph is too large for a blob of 1 GiB"));
		return 0;
	}
	if (wanted > target->room) {
		const uint64_t room = wanted * 2 + 16;
		char *larger = realloc(target->rows, room * target->stride);
		if (larger == NULL) {
			fail(writer, hy_ir__no_memory(writer->error));
			return 0;
		}
		target->rows = larger;
		target->room = (uint32_t)room;
	}
	char *start = target->rows + (size_t)target->count * target->stride;
	if (rows != NULL) memcpy(start, rows, (size_t)count * target->stride);
	if (rows == NULL) memset(start, 0, (size_t)count * target->stride);
	target->count = (uint32_t)wanted;
	return target->count - (uint32_t)count;
}

static uint32_t put_data(blob_writer *writer, const void *bytes, uint64_t length)
{
	append(writer, &writer->data, -writer->data.count % 8u, NULL);
	return append(writer, &writer->data, length, bytes);
}

static uint32_t *word_place(const blob_writer *writer, const char *word)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (const char *at = word; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
	uint32_t place = (uint32_t)(hash ^ hash >> 32) & (writer->word_room - 1);
	while (writer->words[place] != 0 && strcmp(writer->strings.rows + writer->words[place] - 1, word) != 0)
		place = (place + 1) & (writer->word_room - 1);
	return &writer->words[place];
}

static bool grow_words(blob_writer *writer)
{
	if (writer->word_count < writer->word_room / 2) return true;
	const uint32_t old_room = writer->word_room;
	uint32_t *old = writer->words;
	writer->word_room = old_room == 0 ? 64 : old_room * 2;
	writer->words = calloc(writer->word_room, sizeof(writer->words[0]));
	if (writer->words == NULL) {
		writer->words = old;
		writer->word_room = old_room;
		fail(writer, hy_ir__no_memory(writer->error));
		return false;
	}
	for (uint32_t i = 0; i < old_room; i++)
		if (old[i] != 0) *word_place(writer, writer->strings.rows + old[i] - 1) = old[i];
	free(old);
	return true;
}

static uint32_t put_string(blob_writer *writer, const char *string)
{
	if (writer->status != HY_OK || !grow_words(writer)) return 0;
	uint32_t *place = word_place(writer, string);
	if (*place != 0) return *place - 1;
	const uint32_t offset = append(writer, &writer->strings, strlen(string) + 1, string);
	if (writer->status != HY_OK) return 0;
	*place = offset + 1;
	writer->word_count++;
	return offset;
}

/* ---- tensors ---- */

static void put_constant(blob_writer *writer, const void *data, hy_graph_tensor *row)
{
	row->flags = HY_TENSOR_CONSTANT;
	if (row->length <= HY_GRAPH_INLINE_BYTES) {
		row->data = put_data(writer, data, row->length);
		return;
	}
	const hy_constant constant = {.data = data, .length = row->length};
	row->slot = append(writer, &writer->constants, 1, &constant);
}

static uint32_t put_tensor(blob_writer *writer, const char *name, const hy_ir_type *type, const void *data,
                           uint64_t length_elsewhere)
{
	if (!hy_ir_type_is_static(type) || hy_dtype_bits(type->dtype) == 0 || (data == NULL && length_elsewhere > 0)) {
		char text[128];
		fail(writer, hy_error_set(writer->error, HY_INVALID,
		                          "value '%.*s' is %s%s: a blob needs static shapes and data at hand",
		                          HY_IR__NAME_LIMIT, name, hy_ir_type_print(type, text, sizeof(text)),
		                          length_elsewhere > 0 && data == NULL ? " without its data" : ""));
		return 0;
	}
	hy_graph_tensor row;
	memset(&row, 0, sizeof(row));
	row.name = put_string(writer, name);
	row.dtype = type->dtype;
	row.rank = type->rank;
	row.slot = HY_GRAPH_NONE;
	row.data = HY_GRAPH_NONE;
	row.length = hy_ir_type_bytes(type);
	memcpy(row.dim, type->dim, type->rank * sizeof(row.dim[0]));
	if (data != NULL) put_constant(writer, data, &row);
	return append(writer, &writer->tensors, 1, &row);
}

static uint32_t tensor_of(blob_writer *writer, const hy_ir_graph *graph, uint32_t value)
{
	if (value == HY_IR_NONE || writer->status != HY_OK) return HY_GRAPH_NONE;
	if (writer->tensor_of[value] == HY_GRAPH_NONE) {
		const hy_ir_value *from = hy_ir_graph_value(graph, value);
		writer->tensor_of[value] = put_tensor(writer, from->name, &from->type, from->data, from->length_bytes);
	}
	return writer->tensor_of[value];
}

static uint32_t put_values(blob_writer *writer, const hy_ir_graph *graph, uint32_t count, const uint32_t *values)
{
	const uint32_t start = writer->indices.count;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t tensor = tensor_of(writer, graph, values[i]);
		append(writer, &writer->indices, 1, &tensor);
	}
	return start;
}

/* ---- nodes ---- */

static void put_attr(blob_writer *writer, const hy_ir_node *node, const hy_ir_attr *attr)
{
	hy_graph_attr row = {.name = put_string(writer, attr->name), .kind = attr->kind, .count = 1};
	uint32_t string;
	switch (attr->kind) {
	case HY_ATTR_FLOAT:
		row.value = put_data(writer, &attr->f, sizeof(attr->f));
		break;
	case HY_ATTR_INT:
		row.value = put_data(writer, &attr->i, sizeof(attr->i));
		break;
	case HY_ATTR_STRING:
		string = put_string(writer, attr->s);
		row.value = put_data(writer, &string, sizeof(string));
		break;
	case HY_ATTR_TENSOR:
		row.value = put_tensor(writer, attr->name, &attr->tensor.type, attr->tensor.data, 0);
		break;
	case HY_ATTR_FLOATS:
		row.count = attr->count;
		row.value = put_data(writer, attr->floats, attr->count * sizeof(attr->floats[0]));
		break;
	case HY_ATTR_INTS:
		row.count = attr->count;
		row.value = put_data(writer, attr->ints, attr->count * sizeof(attr->ints[0]));
		break;
	case HY_ATTR_STRINGS:
		row.count = attr->count;
		row.value = put_data(writer, NULL, 0);
		for (uint32_t i = 0; i < attr->count; i++) {
			string = put_string(writer, attr->strings[i]);
			append(writer, &writer->data, sizeof(string), &string);
		}
		break;
	default:
		fail(writer,
		     hy_error_set(writer->error, HY_UNSUPPORTED,
		                  "node '%.*s' (%.*s): attribute '%.*s' has no place in a blob", HY_IR__NAME_LIMIT,
		                  node->name, HY_IR__NAME_LIMIT, node->type, HY_IR__NAME_LIMIT, attr->name));
	}
	append(writer, &writer->attrs, 1, &row);
}

static void put_node(blob_writer *writer, const hy_ir_graph *graph, const hy_ir_node *node)
{
	hy_graph_node row = {.domain = put_string(writer, node->domain),
	                     .op = put_string(writer, node->type),
	                     .version = node->version,
	                     .name = put_string(writer, node->name),
	                     .input_count = node->input_count,
	                     .output_count = node->output_count,
	                     .attr_count = node->attr_count,
	                     .body = HY_GRAPH_NONE};
	row.inputs = put_values(writer, graph, node->input_count, node->inputs);
	row.outputs = put_values(writer, graph, node->output_count, node->outputs);
	row.attrs = writer->attrs.count;
	for (uint32_t i = 0; i < node->attr_count; i++)
		put_attr(writer, node, &node->attrs[i]);
	if (node->body != NULL) {
		const piece body = {.graph = node->body,
		                    .count = hy_ir_graph_node_count(node->body),
		                    .inputs = hy_ir_graph_inputs(node->body),
		                    .outputs = hy_ir_graph_outputs(node->body),
		                    .input_count = hy_ir_graph_input_count(node->body),
		                    .output_count = hy_ir_graph_output_count(node->body)};
		row.body = append(writer, &writer->pieces, 1, &body);
	}
	append(writer, &writer->nodes, 1, &row);
}

static void put_piece(blob_writer *writer, uint32_t number)
{
	piece from;
	memcpy(&from, writer->pieces.rows + number * sizeof(from), sizeof(from));
	const uint32_t value_count = hy_ir_graph_value_count(from.graph);
	uint32_t *map = malloc((value_count + 1u) * sizeof(map[0]));
	if (map == NULL) {
		fail(writer, hy_ir__no_memory(writer->error));
		return;
	}
	memset(map, 0xff, (value_count + 1u) * sizeof(map[0]));
	writer->tensor_of = map;
	hy_graph_subgraph row = {.name = put_string(writer, hy_ir_graph_name(from.graph)),
	                         .first_node = writer->nodes.count,
	                         .node_count = from.count,
	                         .input_count = from.input_count,
	                         .output_count = from.output_count};
	row.inputs = put_values(writer, from.graph, from.input_count, from.inputs);
	for (uint32_t i = 0; writer->status == HY_OK && i < from.count; i++)
		put_node(writer, from.graph, hy_ir_graph_node(from.graph, from.first + i));
	row.outputs = put_values(writer, from.graph, from.output_count, from.outputs);
	append(writer, &writer->subgraphs, 1, &row);
	writer->tensor_of = NULL;
	free(map);
}

/* ---- the border of a run of nodes ---- */

static bool is_inside(const piece *run, uint32_t node)
{
	return node != HY_IR_NONE && node >= run->first && node - run->first < run->count;
}

/* marks: one byte for each value of the graph, all zero before the first of the two. */
static void find_inputs(const piece *run, uint8_t *marks, uint32_t *out_values, uint32_t *out_count)
{
	*out_count = 0;
	for (uint32_t i = 0; i < run->count; i++) {
		const hy_ir_node *node = hy_ir_graph_node(run->graph, run->first + i);
		for (uint32_t k = 0; k < node->input_count; k++) {
			const uint32_t value = node->inputs[k];
			if (value == HY_IR_NONE || marks[value] != 0) continue;
			const hy_ir_value *from = hy_ir_graph_value(run->graph, value);
			if (from->data != NULL || from->length_bytes > 0 || is_inside(run, from->producer)) continue;
			marks[value] = 1;
			out_values[(*out_count)++] = value;
		}
	}
}

static void find_outputs(const piece *run, uint8_t *marks, uint32_t *out_values, uint32_t *out_count)
{
	const hy_ir_graph *graph = run->graph;
	const uint32_t node_count = hy_ir_graph_node_count(graph);
	for (uint32_t i = 0; i < node_count; i++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, i);
		for (uint32_t k = 0; !is_inside(run, i) && k < node->input_count; k++)
			if (node->inputs[k] != HY_IR_NONE) marks[node->inputs[k]] = 2;
	}
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
		marks[hy_ir_graph_outputs(graph)[i]] = 2;
	*out_count = 0;
	for (uint32_t i = 0; i < run->count; i++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, run->first + i);
		for (uint32_t k = 0; k < node->output_count; k++)
			if (node->outputs[k] != HY_IR_NONE && marks[node->outputs[k]] == 2)
				out_values[(*out_count)++] = node->outputs[k];
	}
}

/* Fills the border of *run with two allocated lists. */
static hy_status find_border(piece *run, hy_error *error)
{
	const hy_ir_graph *graph = run->graph;
	const bool whole = run->count == hy_ir_graph_node_count(graph);
	uint32_t room = hy_ir_graph_value_count(graph);
	if (whole && room < hy_ir_graph_output_count(graph)) room = hy_ir_graph_output_count(graph);
	uint8_t *marks = calloc(room + 1u, 1);
	uint32_t *inputs = malloc((room + 1u) * sizeof(inputs[0]));
	uint32_t *outputs = malloc((room + 1u) * sizeof(outputs[0]));
	if (marks == NULL || inputs == NULL || outputs == NULL) {
		free(marks);
		free(inputs);
		free(outputs);
		return hy_ir__no_memory(error);
	}
	if (whole) {
		run->input_count = hy_ir_graph_input_count(graph);
		run->output_count = hy_ir_graph_output_count(graph);
		for (uint32_t i = 0; i < run->input_count; i++)
			inputs[i] = hy_ir_graph_inputs(graph)[i];
		for (uint32_t i = 0; i < run->output_count; i++)
			outputs[i] = hy_ir_graph_outputs(graph)[i];
	} else {
		find_inputs(run, marks, inputs, &run->input_count);
		find_outputs(run, marks, outputs, &run->output_count);
	}
	free(marks);
	run->inputs = inputs;
	run->outputs = outputs;
	return HY_OK;
}

/* ---- the blob ---- */

static uint64_t place(const section *from, uint64_t *inout_at)
{
	const uint64_t start = *inout_at;
	*inout_at += ((uint64_t)from->count * from->stride + 7) / 8 * 8;
	return start;
}

static void copy_section(char *blob, uint32_t offset, const section *from)
{
	if (from->count > 0) memcpy(blob + offset, from->rows, (size_t)from->count * from->stride);
}

static hy_graph *assemble(blob_writer *writer)
{
	uint64_t at = (sizeof(hy_graph) + 7) / 8 * 8;
	hy_graph header = {.magic = HY_GRAPH_MAGIC};
#define TABLE(name, names)                                   \
	header.names = (uint32_t)place(&writer->names, &at); \
	header.name##_count = writer->names.count;           \
	header.name##_stride = writer->names.stride;
	TABLE(subgraph, subgraphs)
	TABLE(tensor, tensors)
	TABLE(node, nodes)
	TABLE(attr, attrs)
#undef TABLE
	header.indices = (uint32_t)place(&writer->indices, &at);
	header.index_count = writer->indices.count;
	header.strings = (uint32_t)place(&writer->strings, &at);
	header.string_bytes = writer->strings.count;
	header.data = (uint32_t)place(&writer->data, &at);
	header.data_bytes = writer->data.count;
	header.constant_count = writer->constants.count;
	if (at > BLOB_LIMIT_BYTES) {
		fail(writer, hy_error_set(writer->error, HY_UNSUPPORTED, "the graph is too large for a blob of 1 GiB"));
		return NULL;
	}
	header.total_bytes = (uint32_t)at;
	char *blob = calloc(1, (size_t)at);
	if (blob == NULL) {
		fail(writer, hy_ir__no_memory(writer->error));
		return NULL;
	}
	memcpy(blob, &header, sizeof(header));
	copy_section(blob, header.subgraphs, &writer->subgraphs);
	copy_section(blob, header.tensors, &writer->tensors);
	copy_section(blob, header.nodes, &writer->nodes);
	copy_section(blob, header.attrs, &writer->attrs);
	copy_section(blob, header.indices, &writer->indices);
	copy_section(blob, header.strings, &writer->strings);
	copy_section(blob, header.data, &writer->data);
	return (hy_graph *)(void *)blob;
}

static hy_status write_run(const piece *run, hy_ir_blob *out_blob, hy_error *error)
{
	blob_writer writer = {.subgraphs.stride = sizeof(hy_graph_subgraph),
	                      .tensors.stride = sizeof(hy_graph_tensor),
	                      .nodes.stride = sizeof(hy_graph_node),
	                      .attrs.stride = sizeof(hy_graph_attr),
	                      .indices.stride = sizeof(uint32_t),
	                      .strings.stride = 1,
	                      .data.stride = 1,
	                      .constants.stride = sizeof(hy_constant),
	                      .pieces.stride = sizeof(piece),
	                      .error = error};
	put_string(&writer, "");
	append(&writer, &writer.pieces, 1, run);
	for (uint32_t i = 0; writer.status == HY_OK && i < writer.pieces.count; i++)
		put_piece(&writer, i);
	hy_graph *graph = writer.status == HY_OK ? assemble(&writer) : NULL;
	if (graph != NULL) {
		out_blob->graph = graph;
		out_blob->constant_count = writer.constants.count;
		out_blob->constants = (hy_constant *)(void *)writer.constants.rows;
		writer.constants.rows = NULL;
	}
	section *const all[] = {&writer.subgraphs, &writer.tensors, &writer.nodes,     &writer.attrs, &writer.indices,
	                        &writer.strings,   &writer.data,    &writer.constants, &writer.pieces};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]->rows);
	free(writer.words);
	return writer.status;
}

static void hand_over(const uint32_t *list, uint32_t count, uint32_t **out_list, uint32_t *out_count)
{
	if (out_count != NULL) *out_count = count;
	if (out_list != NULL)
		*out_list = (uint32_t *)list;
	else
		free((uint32_t *)list);
}

hy_status hy_ir_blob_create(const hy_ir_graph *graph, uint32_t first, uint32_t count, hy_ir_blob *out_blob,
                            uint32_t **out_inputs, uint32_t *out_input_count, uint32_t **out_outputs,
                            uint32_t *out_output_count, hy_error *error)
{
	const uint32_t node_count = hy_ir_graph_node_count(graph);
	if (first > node_count || count > node_count - first)
		return hy_error_set(error, HY_INVALID, "nodes %u and %u more: the graph has only %u", first, count,
		                    node_count);
	piece run = {.graph = graph, .first = first, .count = count};
	hy_status status = find_border(&run, error);
	if (status != HY_OK) return status;
	status = write_run(&run, out_blob, error);
	if (status != HY_OK) {
		free((uint32_t *)run.inputs);
		free((uint32_t *)run.outputs);
		return status;
	}
	hand_over(run.inputs, run.input_count, out_inputs, out_input_count);
	hand_over(run.outputs, run.output_count, out_outputs, out_output_count);
	return HY_OK;
}

void hy_ir_blob_finish(hy_ir_blob *blob)
{
	if (blob == NULL) return;
	free(blob->graph);
	free(blob->constants);
	*blob = (hy_ir_blob){0};
}
