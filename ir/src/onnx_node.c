/* NodeProto and AttributeProto. */
#include "onnx_read.h"

#include <stdlib.h>
#include <string.h>

#define ATTR_LIMIT 256u
#define DEPTH_LIMIT 64u

/* Field numbers of AttributeProto, and the kind each value field belongs to. Kinds the IR does not model are kept by
 * name only. */
enum {
	ATTR_NAME = 1,
	ATTR_F = 2,
	ATTR_I = 3,
	ATTR_S = 4,
	ATTR_T = 5,
	ATTR_G = 6,
	ATTR_FLOATS = 7,
	ATTR_INTS = 8,
	ATTR_STRINGS = 9,
	ATTR_GRAPHS = 11,
	ATTR_TYPE = 20,
	ATTR_REF = 21,
};
static const uint8_t kind_of_field[24] = {
	[2] = 1, [3] = 2,  [4] = 3,   [5] = 4,   [6] = 5,   [7] = 6,   [8] = 7,
	[9] = 8, [10] = 9, [11] = 10, [14] = 13, [15] = 14, [22] = 11, [23] = 12,
};
enum { LAST_KIND = 14 };

/* Field numbers of NodeProto. */
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_TYPE = 4, NODE_ATTRIBUTE = 5, NODE_DOMAIN = 7 };

typedef struct node_reader {
	hy_ir__onnx *onnx;
	hy_ir__wire wire;
	hy_ir_node_options options;
	uint32_t *inputs, *outputs;
	uint32_t input_room, output_room, attr_room;
	hy_ir_attr *attrs;
	hy_ir__memory **memories; /* of tensor attributes, until the graph has its own hold */
} node_reader;

/* ---- subgraphs are not read, but walked: a hostile nesting must not reach code that comes later ---- */

static const char *graph_fault(hy_ir__wire graph, uint32_t depth)
{
	if (depth > DEPTH_LIMIT) return "nests graphs more than 64 deep";
	hy_ir__wire_field node_field, attr_field, field;
	const char *fault = NULL;
	while (fault == NULL && hy_ir__wire_next(&graph, &node_field)) {
		if (node_field.number != 1) continue;
		hy_ir__wire node = hy_ir__wire_message(&node_field);
		while (fault == NULL && hy_ir__wire_next(&node, &attr_field)) {
			if (attr_field.number != NODE_ATTRIBUTE) continue;
			hy_ir__wire attr = hy_ir__wire_message(&attr_field);
			while (fault == NULL && hy_ir__wire_next(&attr, &field))
				if (field.number == ATTR_G || field.number == ATTR_GRAPHS)
					fault = graph_fault(hy_ir__wire_message(&field), depth + 1);
			if (fault == NULL) fault = attr.fault;
		}
		if (fault == NULL) fault = node.fault;
	}
	return fault != NULL ? fault : graph.fault;
}

/* ---- attributes ---- */

static hy_status read_bytes(hy_ir__onnx *onnx, const hy_ir__wire_field *field, const char **out_text)
{
	if (field->kind != HY_IR__WIRE_BYTES || field->length > UINT32_MAX / 2)
		return hy_error_set(onnx->error, HY_INVALID, "its string is stored in the wrong way");
	if (field->length > 0 && memchr(field->bytes, '\0', field->length) != NULL)
		return hy_error_set(onnx->error, HY_INVALID, "its string holds a NUL byte");
	*out_text = hy_ir__arena_text(&onnx->scratch, (const char *)field->bytes, field->length);
	return *out_text != NULL ? HY_OK : hy_ir__no_memory(onnx->error);
}

static float float_of(uint64_t bits)
{
	const uint32_t low = (uint32_t)bits;
	float value;
	memcpy(&value, &low, sizeof(value));
	return value;
}

/* One FLOATS or INTS field, appended to the scratch array at *inout_count. */
static hy_status append_numbers(hy_ir__onnx *onnx, const hy_ir__wire_field *field, hy_ir_attr *attr, uint32_t room)
{
	const bool floats = attr->kind == HY_ATTR_FLOATS;
	size_t at = 0;
	uint64_t number;
	const char *fault = NULL;
	while (hy_ir__wire_number(field, floats ? HY_IR__WIRE_32 : HY_IR__WIRE_VARINT, &at, &number, &fault)) {
		if (attr->count == room) break;
		if (floats)
			((float *)attr->floats)[attr->count++] = float_of(number);
		else
			((int64_t *)attr->ints)[attr->count++] = (int64_t)number;
	}
	return fault == NULL ? HY_OK : hy_error_set(onnx->error, HY_INVALID, "%s", fault);
}

/* The array kinds. An element takes one byte of the file at least, so the room is bounded by the attribute's length. */
static hy_status read_array(node_reader *reader, hy_ir__wire wire, hy_ir_attr *attr)
{
	hy_ir__onnx *onnx = reader->onnx;
	const size_t room = (size_t)(wire.end - wire.at);
	if (room > UINT32_MAX) return hy_error_set(onnx->error, HY_UNSUPPORTED, "is larger than 4 GiB");
	const char **strings = NULL;
	if (attr->kind == HY_ATTR_INTS)
		attr->ints = hy_ir__arena_alloc(&onnx->scratch, room * sizeof(int64_t));
	else if (attr->kind == HY_ATTR_FLOATS)
		attr->floats = hy_ir__arena_alloc(&onnx->scratch, room / 4 * sizeof(float) + 1);
	else
		attr->strings = strings = hy_ir__arena_alloc(&onnx->scratch, room * sizeof(strings[0]));
	if (attr->ints == NULL && attr->floats == NULL && strings == NULL) return hy_ir__no_memory(onnx->error);
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number >= sizeof(kind_of_field) || kind_of_field[field.number] != attr->kind) continue;
		if (strings != NULL)
			status = read_bytes(onnx, &field, &strings[attr->count++]);
		else
			status = append_numbers(onnx, &field, attr, (uint32_t)room);
	}
	return status;
}

static hy_status read_tensor(node_reader *reader, const hy_ir__wire_field *field, hy_ir_attr *attr)
{
	hy_ir__onnx_tensor tensor;
	hy_status status = hy_ir__onnx_tensor_read(reader->onnx, hy_ir__wire_message(field), &tensor);
	if (status != HY_OK) return status;
	hy_ir__memory_release(reader->memories[reader->options.attr_count]);
	reader->memories[reader->options.attr_count] = tensor.memory;
	attr->tensor = (hy_ir_tensor){.type = tensor.type, .data = (void *)tensor.data};
	if (tensor.memory != NULL && hy_ir__memory_is_mapped(tensor.memory))
		return hy_ir__graph_hold(reader->onnx->graph, tensor.memory, reader->onnx->error);
	return HY_OK;
}

static hy_status read_single(node_reader *reader, const hy_ir__wire_field *field, hy_ir_attr *attr)
{
	hy_ir__onnx *onnx = reader->onnx;
	hy_status status = HY_OK;
	const char *fault;
	switch (field->number) {
	case ATTR_F:
		if (field->kind != HY_IR__WIRE_32)
			return hy_error_set(onnx->error, HY_INVALID, "its float is stored in the wrong way");
		attr->f = float_of(field->value);
		return HY_OK;
	case ATTR_I:
		return hy_ir__onnx_int(onnx, field, "integer", &attr->i);
	case ATTR_S:
		status = read_bytes(onnx, field, &attr->s);
		attr->count = (uint32_t)field->length;
		return status;
	case ATTR_T:
		return read_tensor(reader, field, attr);
	case ATTR_G:
	case ATTR_GRAPHS:
		fault = graph_fault(hy_ir__wire_message(field), 1);
		return fault == NULL ? HY_OK : hy_error_set(onnx->error, HY_INVALID, "%s", fault);
	default:
		return HY_OK;
	}
}

/* Name and kind, which may stand behind the values. Writers of IR version 1 leave the kind out. */
static hy_status read_signature(hy_ir__onnx *onnx, hy_ir__wire wire, hy_ir_attr *attr)
{
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	int64_t type = 0;
	uint32_t found = 0;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		const uint32_t kind = field.number < sizeof(kind_of_field) ? kind_of_field[field.number] : 0;
		if (found != 0 && kind != 0 && kind != found)
			status = hy_error_set(onnx->error, HY_INVALID, "has values of two kinds");
		if (kind != 0) found = kind;
		if (field.number == ATTR_NAME) status = hy_ir__onnx_text(onnx, &field, "attribute name", &attr->name);
		if (field.number == ATTR_TYPE) status = hy_ir__onnx_int(onnx, &field, "attribute type", &type);
		if (field.number == ATTR_REF)
			status = hy_error_set(onnx->error, HY_INVALID, "refers to a function's attribute");
	}
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "attribute");
	if (status != HY_OK) return status;
	if (attr->name[0] == '\0') return hy_error_set(onnx->error, HY_INVALID, "has no name");
	if (type < 0 || type > LAST_KIND) return hy_error_set(onnx->error, HY_INVALID, "is of an unknown kind");
	attr->kind = type != 0 ? (uint32_t)type : found;
	if (attr->kind == 0) return hy_error_set(onnx->error, HY_INVALID, "has neither kind nor value");
	if (found != 0 && found != attr->kind)
		return hy_error_set(onnx->error, HY_INVALID, "has a value of another kind than it says");
	if (found == 0 && (attr->kind == HY_ATTR_TENSOR || hy_ir__attr_is_opaque(attr)))
		return hy_error_set(onnx->error, HY_INVALID, "has no value");
	return HY_OK;
}

static hy_status read_attr(node_reader *reader, hy_ir__wire wire, hy_ir_attr *attr)
{
	hy_ir__onnx *onnx = reader->onnx;
	*attr = (hy_ir_attr){.name = "", .s = ""};
	hy_status status = read_signature(onnx, wire, attr);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < reader->options.attr_count; i++)
		if (strcmp(reader->attrs[i].name, attr->name) == 0)
			return hy_error_set(onnx->error, HY_INVALID, "is given twice");
	if (attr->kind == HY_ATTR_INTS || attr->kind == HY_ATTR_FLOATS || attr->kind == HY_ATTR_STRINGS)
		return read_array(reader, wire, attr);
	attr->count = attr->kind == HY_ATTR_INT || attr->kind == HY_ATTR_FLOAT || attr->kind == HY_ATTR_TENSOR;
	hy_ir__wire_field field;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field))
		status = read_single(reader, &field, attr);
	return status;
}

/* ---- nodes ---- */

static hy_status append(hy_ir__onnx *onnx, uint32_t **list, uint32_t *count, uint32_t *room, uint32_t value)
{
	if (!hy_ir__grow(list, *count, room, sizeof((*list)[0]))) return hy_ir__no_memory(onnx->error);
	(*list)[(*count)++] = value;
	return HY_OK;
}

static hy_status read_input(node_reader *reader, const char *name)
{
	hy_ir__onnx *onnx = reader->onnx;
	uint32_t value = HY_IR_NONE;
	if (name[0] != '\0') {
		value = hy_ir_graph_find(onnx->graph, name);
		if (value == HY_IR_NONE)
			return hy_error_set(
				onnx->error, HY_INVALID,
				"input '%.*s' is made by nothing before it (cyclic, unsorted or incomplete)",
				HY_IR__NAME_LIMIT, name);
	}
	return append(onnx, &reader->inputs, &reader->options.input_count, &reader->input_room, value);
}

static hy_status read_output(node_reader *reader, const char *name)
{
	hy_ir__onnx *onnx = reader->onnx;
	uint32_t value = HY_IR_NONE;
	hy_status status = HY_OK;
	if (name[0] != '\0') status = hy_ir__graph_add_value(onnx->graph, name, NULL, &value, onnx->error);
	if (status != HY_OK) return status;
	return append(onnx, &reader->outputs, &reader->options.output_count, &reader->output_room, value);
}

static hy_status find_version(node_reader *reader)
{
	hy_ir__onnx *onnx = reader->onnx;
	if (strcmp(reader->options.domain, "ai.onnx") == 0) reader->options.domain = "";
	for (uint32_t i = 0; i < onnx->opset_count; i++) {
		if (strcmp(onnx->opsets[i].domain, reader->options.domain) != 0) continue;
		reader->options.version = onnx->opsets[i].version;
		return HY_OK;
	}
	return hy_error_set(onnx->error, HY_INVALID, "its domain '%.*s' is not in the model's opset_import",
	                    HY_IR__NAME_LIMIT, reader->options.domain);
}

static hy_status read_texts(node_reader *reader)
{
	hy_ir__onnx *onnx = reader->onnx;
	hy_ir_node_options *options = &reader->options;
	hy_ir__wire wire = reader->wire;
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number == NODE_NAME) status = hy_ir__onnx_text(onnx, &field, "name", &options->name);
		if (field.number == NODE_TYPE) status = hy_ir__onnx_text(onnx, &field, "op_type", &options->type);
		if (field.number == NODE_DOMAIN) status = hy_ir__onnx_text(onnx, &field, "domain", &options->domain);
	}
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "node");
	if (status == HY_OK && options->type[0] == '\0')
		status = hy_error_set(onnx->error, HY_INVALID, "has no op_type");
	return status == HY_OK ? find_version(reader) : status;
}

static hy_status read_lists(node_reader *reader)
{
	hy_ir__onnx *onnx = reader->onnx;
	hy_ir__wire wire = reader->wire;
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	const char *name;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number == NODE_INPUT) {
			status = hy_ir__onnx_text(onnx, &field, "input name", &name);
			if (status == HY_OK) status = read_input(reader, name);
		}
	}
	wire = reader->wire;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number == NODE_OUTPUT) {
			status = hy_ir__onnx_text(onnx, &field, "output name", &name);
			if (status == HY_OK) status = read_output(reader, name);
		}
	}
	return status;
}

static hy_status read_attrs(node_reader *reader)
{
	hy_ir__wire wire = reader->wire;
	hy_ir__wire_field field;
	hy_error *error = reader->onnx->error;
	while (hy_ir__wire_next(&wire, &field)) {
		if (field.number != NODE_ATTRIBUTE) continue;
		const uint32_t count = reader->options.attr_count;
		if (count == ATTR_LIMIT)
			return hy_error_set(error, HY_UNSUPPORTED, "has more than %u attributes", ATTR_LIMIT);
		if (!hy_ir__grow(&reader->attrs, count, &reader->attr_room, sizeof(reader->attrs[0])))
			return hy_ir__no_memory(error);
		hy_ir_attr *attr = &reader->attrs[count];
		hy_status status = read_attr(reader, hy_ir__wire_message(&field), attr);
		if (status != HY_OK)
			return hy_ir__error_within(error, status, "attribute '%.*s'", HY_IR__NAME_LIMIT, attr->name);
		reader->options.attr_count++;
	}
	return HY_OK;
}

hy_status hy_ir__onnx_node_read(hy_ir__onnx *onnx, hy_ir__wire wire)
{
	hy_ir__memory *memories[ATTR_LIMIT] = {0};
	node_reader reader = {
		.onnx = onnx, .wire = wire, .options = {.domain = "", .type = "", .name = ""}, .memories = memories};
	hy_status status = read_texts(&reader);
	if (status == HY_OK) status = read_lists(&reader);
	if (status == HY_OK) status = read_attrs(&reader);
	if (status != HY_OK)
		status = hy_ir__error_within(onnx->error, status, "node '%.*s' (%.*s)", HY_IR__NAME_LIMIT,
		                             reader.options.name, HY_IR__NAME_LIMIT, reader.options.type);
	reader.options.inputs = reader.inputs;
	reader.options.outputs = reader.outputs;
	reader.options.attrs = reader.attrs;
	if (status == HY_OK) status = hy_ir__graph_add_node(onnx->graph, &reader.options, 0, NULL, onnx->error);
	for (uint32_t i = 0; i <= reader.options.attr_count && i < ATTR_LIMIT; i++)
		hy_ir__memory_release(memories[i]);
	free(reader.inputs);
	free(reader.outputs);
	free(reader.attrs);
	return status;
}
