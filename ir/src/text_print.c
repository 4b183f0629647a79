/* Graph to text. */
#include "text.h"

#include <halyard/ir/text.h>

#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_ELEMENTS 64

typedef struct printer {
	char *text;
	size_t length, room;
	uint32_t flags, depth;
	bool failed; /* memory; nothing is written after it */
} printer;

static void put_bytes(printer *out, const char *bytes, size_t length)
{
	if (out->failed) return;
	if (out->room - out->length <= length) {
		const size_t room = (out->room + length) * 2 + 256;
		char *larger = realloc(out->text, room);
		if (larger == NULL) {
			out->failed = true;
			return;
		}
		out->text = larger;
		out->room = room;
	}
	memcpy(out->text + out->length, bytes, length);
	out->length += length;
	out->text[out->length] = '\0';
}

static void put(printer *out, const char *text)
{
	put_bytes(out, text, strlen(text));
}

static void put_format(printer *out, const char *format, ...) HY_PRINTF(2, 3);

static void put_format(printer *out, const char *format, ...)
{
	char text[128];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put(out, text);
}

static void put_indent(printer *out)
{
	for (uint32_t i = 0; i < out->depth; i++)
		put(out, "  ");
}

static void put_string(printer *out, const char *string)
{
	put(out, "\"");
	for (const char *at = string; *at != '\0'; at++) {
		const unsigned char c = (unsigned char)*at;
		if (c == '"' || c == '\\')
			put_format(out, "\\%c", c);
		else if (c == '\n')
			put(out, "\\n");
		else if (c == '\t')
			put(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			put_format(out, "\\x%02x", c);
		else
			put_bytes(out, at, 1);
	}
	put(out, "\"");
}

static void put_word(printer *out, const char *word)
{
	if (hy_ir__text_is_bare_word(word))
		put(out, word);
	else
		put_string(out, word);
}

static void put_name(printer *out, const char *name)
{
	put(out, "%");
	if (hy_ir__text_is_bare_name(name))
		put(out, name);
	else
		put_string(out, name);
}

static void put_type(printer *out, const hy_ir_type *type, const char *const *dim_names)
{
	put(out, type->dtype != HY_DTYPE_NONE ? hy_dtype_name(type->dtype) : "?");
	put(out, "[");
	if (type->rank == HY_IR_RANK_UNKNOWN) put(out, "...");
	for (uint32_t i = 0; type->rank != HY_IR_RANK_UNKNOWN && i < type->rank; i++) {
		if (i > 0) put(out, ",");
		if (type->dim[i] != HY_IR_DIM_UNKNOWN)
			put_format(out, "%" PRId64, type->dim[i]);
		else if (dim_names != NULL && dim_names[i] != NULL)
			put_word(out, dim_names[i]);
		else
			put(out, "?");
	}
	put(out, "]");
}

static void put_typed_name(printer *out, const hy_ir_value *value)
{
	put_name(out, value->name);
	if (value->type.dtype == HY_DTYPE_NONE && value->type.rank == HY_IR_RANK_UNKNOWN) return;
	put(out, ": ");
	put_type(out, &value->type, value->dim_names);
}

static uint64_t hash_of(const void *data, uint64_t length)
{
	uint64_t hash = 0xcbf29ce484222325u ^ length, word;
	for (uint64_t at = 0; at < length; at += sizeof(word)) {
		word = 0;
		memcpy(&word, (const char *)data + at,
		       length - at < sizeof(word) ? (size_t)(length - at) : sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return hash;
}

static void put_data(printer *out, const hy_ir_type *type, const void *data)
{
	if (type->dtype == HY_DTYPE_STRING) {
		put(out, "opaque");
		return;
	}
	const uint64_t elements = (uint64_t)hy_ir_type_elements(type);
	if (elements > SHORT_ELEMENTS && (out->flags & HY_IR_TEXT_FULL) == 0) {
		put_format(out, "hash \"%016" PRIx64 "\"", hash_of(data, hy_ir_type_bytes(type)));
		return;
	}
	char number[HY_IR__NUMBER_ROOM];
	put(out, "{");
	for (uint64_t i = 0; i < elements; i++) {
		if (i > 0) put(out, ", ");
		hy_ir__text_print_element(type->dtype, data, i, number);
		put(out, number);
	}
	put(out, "}");
}

/* A float that can't be taken for an integer. */
static void put_float(printer *out, float value)
{
	char number[HY_IR__NUMBER_ROOM];
	hy_ir__text_print_element(HY_DTYPE_F32, &value, 0, number);
	put(out, number);
	if (strspn(number, "-0123456789") == strlen(number)) put(out, ".0");
}

static void put_list(printer *out, const hy_ir_attr *attr)
{
	if (attr->count == 0 && attr->kind == HY_ATTR_FLOATS) put(out, "floats ");
	if (attr->count == 0 && attr->kind == HY_ATTR_STRINGS) put(out, "strings ");
	put(out, "[");
	for (uint32_t i = 0; i < attr->count; i++) {
		if (i > 0) put(out, ", ");
		if (attr->kind == HY_ATTR_INTS) put_format(out, "%" PRId64, attr->ints[i]);
		if (attr->kind == HY_ATTR_FLOATS) put_float(out, attr->floats[i]);
		if (attr->kind == HY_ATTR_STRINGS) put_string(out, attr->strings[i]);
	}
	put(out, "]");
}

static void put_attr(printer *out, const hy_ir_attr *attr)
{
	put_word(out, attr->name);
	put(out, "=");
	switch (attr->kind) {
	case HY_ATTR_FLOAT:
		put_float(out, attr->f);
		break;
	case HY_ATTR_INT:
		put_format(out, "%" PRId64, attr->i);
		break;
	case HY_ATTR_STRING:
		put_string(out, attr->s);
		break;
	case HY_ATTR_FLOATS:
	case HY_ATTR_INTS:
	case HY_ATTR_STRINGS:
		put_list(out, attr);
		break;
	case HY_ATTR_TENSOR:
		put_type(out, &attr->tensor.type, NULL);
		put(out, " ");
		if (attr->tensor.data != NULL)
			put_data(out, &attr->tensor.type, attr->tensor.data);
		else
			put(out, "elsewhere");
		break;
	default:
		put_format(out, "opaque %" PRIu32, attr->kind);
	}
}

static void put_graph(printer *out, const hy_ir_graph *graph);

static void put_node(printer *out, const hy_ir_graph *graph, const hy_ir_node *node)
{
	put_indent(out);
	for (uint32_t i = 0; i < node->output_count; i++) {
		if (i > 0) put(out, ", ");
		if (node->outputs[i] == HY_IR_NONE)
			put(out, "_");
		else
			put_typed_name(out, hy_ir_graph_value(graph, node->outputs[i]));
	}
	put(out, node->output_count > 0 ? " = " : "= ");
	if (node->domain[0] != '\0') {
		put_word(out, node->domain);
		put(out, "::");
	}
	put_word(out, node->type);
	if (node->version != HY_IR_OPSET) put_format(out, "@%" PRIu32, node->version);
	if (node->name[0] != '\0') {
		put(out, " ");
		put_string(out, node->name);
	}
	put(out, " (");
	for (uint32_t i = 0; i < node->input_count; i++) {
		if (i > 0) put(out, ", ");
		if (node->inputs[i] == HY_IR_NONE)
			put(out, "_");
		else
			put_name(out, hy_ir_graph_value(graph, node->inputs[i])->name);
	}
	put(out, ")");
	for (uint32_t i = 0; i < node->attr_count; i++) {
		put(out, i > 0 ? ", " : " ");
		put_attr(out, &node->attrs[i]);
	}
	if (node->body != NULL) {
		put(out, " ");
		put_graph(out, node->body);
	}
	put(out, "\n");
}

static void put_graph(printer *out, const hy_ir_graph *graph)
{
	put(out, "graph ");
	put_string(out, hy_ir_graph_name(graph));
	put(out, " {\n");
	out->depth++;
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++) {
		put_indent(out);
		put(out, "input ");
		put_typed_name(out, hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i]));
		put(out, "\n");
	}
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++) {
		const hy_ir_value *value = hy_ir_graph_value(graph, i);
		if (value->data == NULL && value->length_bytes == 0) continue;
		put_indent(out);
		put(out, "const ");
		put_typed_name(out, value);
		put(out, " = ");
		if (value->data != NULL)
			put_data(out, &value->type, value->data);
		else
			put(out, "elsewhere");
		put(out, "\n");
	}
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++)
		put_node(out, graph, hy_ir_graph_node(graph, i));
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++) {
		put_indent(out);
		put(out, "output ");
		put_name(out, hy_ir_graph_value(graph, hy_ir_graph_outputs(graph)[i])->name);
		put(out, "\n");
	}
	out->depth--;
	put_indent(out);
	put(out, "}");
}

hy_status hy_ir_text_print(const hy_ir_graph *graph, uint32_t flags, char **out_text, hy_error *error)
{
	const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (plain == (locale_t)0) return hy_ir__no_memory(error);
	const locale_t old = uselocale(plain);
	printer out = {.flags = flags};
	put_graph(&out, graph);
	put(&out, "\n");
	uselocale(old);
	freelocale(plain);
	if (out.failed) {
		free(out.text);
		return hy_ir__no_memory(error);
	}
	*out_text = out.text;
	return HY_OK;
}
