/* ModelProto to graph. Protobuf fields come in any order, so each message is walked once per kind of thing it holds:
 * a walk only looks at lengths, and weights are never touched. */
#include "onnx_read.h"

#include <halyard/ir/onnx.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Field numbers. */
enum { MODEL_IR_VERSION = 1, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_FUNCTION = 25 };
enum {
	GRAPH_NODE = 1,
	GRAPH_NAME = 2,
	GRAPH_INITIALIZER = 5,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12,
	GRAPH_VALUE_INFO = 13,
	GRAPH_SPARSE = 15,
};

/* ---- primitives ---- */

/* Length of the UTF-8 sequence at `at` if it is well-formed and no control character, else 0. */
static size_t character_length(const uint8_t *at, size_t left)
{
	if (at[0] < 0x80) return at[0] >= 0x20 && at[0] != 0x7f;
	const size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	if (at[0] < 0xc2 || at[0] > 0xf4 || length > left) return 0;
	uint32_t code = at[0] & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80) return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	static const uint32_t smallest[] = {0, 0, 0xa0, 0x800, 0x10000}; /* U+0080 to U+009F are controls */
	if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
	return length;
}

hy_status hy_ir__onnx_text(hy_ir__onnx *onnx, const hy_ir__wire_field *field, const char *what, const char **out_text)
{
	if (field->kind != HY_IR__WIRE_BYTES)
		return hy_error_set(onnx->error, HY_INVALID, "%s is stored in the wrong way", what);
	for (size_t at = 0; at < field->length;) {
		const size_t length = character_length(field->bytes + at, field->length - at);
		if (length == 0)
			return hy_error_set(onnx->error, HY_INVALID,
			                    "%s has a byte 0x%02x at %zu that no UTF-8 name has", what,
			                    field->bytes[at], at);
		at += length;
	}
	const char *text = hy_ir__arena_text(&onnx->scratch, (const char *)field->bytes, field->length);
	if (text == NULL) return hy_ir__no_memory(onnx->error);
	*out_text = text;
	return HY_OK;
}

hy_status hy_ir__onnx_int(hy_ir__onnx *onnx, const hy_ir__wire_field *field, const char *what, int64_t *out_value)
{
	if (field->kind != HY_IR__WIRE_VARINT)
		return hy_error_set(onnx->error, HY_INVALID, "%s is stored in the wrong way", what);
	*out_value = (int64_t)field->value;
	return HY_OK;
}

hy_status hy_ir__onnx_check(hy_ir__onnx *onnx, const hy_ir__wire *wire, const char *what)
{
	if (wire->fault == NULL) return HY_OK;
	return hy_error_set(onnx->error, HY_INVALID, "%s %s: truncated or no ONNX", what, wire->fault);
}

/* ---- the graph ---- */

static hy_status read_initializer(hy_ir__onnx *onnx, hy_ir__wire wire)
{
	hy_ir__onnx_tensor tensor;
	hy_status status = hy_ir__onnx_tensor_read(onnx, wire, &tensor);
	if (status != HY_OK) return status;
	uint32_t value;
	status = hy_ir__graph_add_value(onnx->graph, tensor.name, &tensor.type, &value, onnx->error);
	if (status == HY_OK) hy_ir__graph_set_constant_in(onnx->graph, value, &tensor.type, tensor.data, tensor.memory);
	hy_ir__memory_release(tensor.memory);
	return status;
}

/* A declared type is kept where the value has none yet and must not contradict it. */
static hy_status declare(hy_ir__onnx *onnx, uint32_t value, const hy_ir__onnx_value *declared)
{
	const hy_ir_value *known = hy_ir_graph_value(onnx->graph, value);
	if (!hy_ir__type_fits(&declared->type, &known->type)) {
		char said[128], is[128];
		return hy_error_set(onnx->error, HY_INVALID, "value '%.*s' is declared as %s, but is %s",
		                    HY_IR__NAME_LIMIT, known->name,
		                    hy_ir_type_print(&declared->type, said, sizeof(said)),
		                    hy_ir_type_print(&known->type, is, sizeof(is)));
	}
	if (known->type.rank == HY_IR_RANK_UNKNOWN) hy_ir__graph_set_type(onnx->graph, value, &declared->type);
	return HY_OK;
}

static hy_status read_input(hy_ir__onnx *onnx, hy_ir__wire wire)
{
	hy_ir__onnx_value input;
	hy_status status = hy_ir__onnx_value_read(onnx, wire, &input);
	if (status != HY_OK) return status;
	uint32_t value = hy_ir_graph_find(onnx->graph, input.name);
	if (value != HY_IR_NONE && hy_ir_graph_value(onnx->graph, value)->data != NULL)
		return declare(onnx, value, &input);
	status = hy_ir__graph_add_value(onnx->graph, input.name, &input.type, &value, onnx->error);
	/* A dimension without a name gets one, so that it can be bound. */
	for (uint32_t i = 0; status == HY_OK && i < input.type.rank && i < HY_MAX_RANK; i++) {
		if (input.type.dim[i] != HY_IR_DIM_UNKNOWN || input.dim_names[i] != NULL) continue;
		const size_t room = strlen(input.name) + 4;
		char *name = hy_ir__arena_alloc(&onnx->scratch, room);
		if (name == NULL) return hy_ir__no_memory(onnx->error);
		snprintf(name, room, "%s.%u", input.name, i);
		input.dim_names[i] = name;
	}
	if (status == HY_OK) status = hy_ir__graph_add_input(onnx->graph, value, input.dim_names, onnx->error);
	return status;
}

static hy_status read_value_info(hy_ir__onnx *onnx, hy_ir__wire wire)
{
	hy_ir__onnx_value info;
	hy_status status = hy_ir__onnx_value_read(onnx, wire, &info);
	if (status != HY_OK) return status;
	const uint32_t value = hy_ir_graph_find(onnx->graph, info.name);
	return value != HY_IR_NONE ? declare(onnx, value, &info) : HY_OK;
}

static hy_status read_output(hy_ir__onnx *onnx, hy_ir__wire wire)
{
	hy_ir__onnx_value output;
	hy_status status = hy_ir__onnx_value_read(onnx, wire, &output);
	if (status != HY_OK) return status;
	const uint32_t value = hy_ir_graph_find(onnx->graph, output.name);
	if (value == HY_IR_NONE)
		return hy_error_set(onnx->error, HY_INVALID, "graph output '%.*s' is made by nothing",
		                    HY_IR__NAME_LIMIT, output.name);
	status = declare(onnx, value, &output);
	return status == HY_OK ? hy_ir_build_output(onnx->graph, value, onnx->error) : status;
}

static hy_status refuse_sparse(hy_ir__onnx *onnx, hy_ir__wire wire)
{
	(void)wire;
	return hy_error_set(onnx->error, HY_UNSUPPORTED, "has a sparse initializer: store it as a dense tensor");
}

static hy_status read_graph(hy_ir__onnx *onnx, hy_ir__wire graph)
{
	static const struct {
		uint32_t field;
		hy_status (*read)(hy_ir__onnx *onnx, hy_ir__wire wire);
	} walks[] = {
		{GRAPH_SPARSE, refuse_sparse}, {GRAPH_INITIALIZER, read_initializer},
		{GRAPH_INPUT, read_input},     {GRAPH_NODE, hy_ir__onnx_node_read},
		{GRAPH_OUTPUT, read_output},   {GRAPH_VALUE_INFO, read_value_info},
	};
	for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
		hy_ir__wire wire = graph;
		hy_ir__wire_field field;
		hy_status status = HY_OK;
		while (status == HY_OK && hy_ir__wire_next(&wire, &field))
			if (field.number == walks[i].field) status = walks[i].read(onnx, hy_ir__wire_message(&field));
		if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "graph");
		if (status != HY_OK) return status;
	}
	if (hy_ir_graph_output_count(onnx->graph) == 0)
		return hy_error_set(onnx->error, HY_INVALID, "the graph has no output");
	return HY_OK;
}

static hy_status create_graph(hy_ir__onnx *onnx, hy_ir__wire graph)
{
	const char *name = "";
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&graph, &field))
		if (field.number == GRAPH_NAME) status = hy_ir__onnx_text(onnx, &field, "graph name", &name);
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &graph, "graph");
	return status == HY_OK ? hy_ir_graph_create(name, &onnx->graph, onnx->error) : status;
}

/* ---- the model ---- */

static hy_status read_opset(hy_ir__onnx *onnx, hy_ir__wire wire)
{
	const char *domain = "";
	int64_t version = 0;
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number == 1) status = hy_ir__onnx_text(onnx, &field, "opset domain", &domain);
		if (field.number == 2) status = hy_ir__onnx_int(onnx, &field, "opset version", &version);
	}
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "opset_import");
	if (status != HY_OK) return status;
	if (strcmp(domain, "ai.onnx") == 0) domain = "";
	if (version < 1 || version > INT32_MAX)
		return hy_error_set(onnx->error, HY_INVALID, "opset_import: version %lld of '%.*s' can't exist",
		                    (long long)version, HY_IR__NAME_LIMIT, domain);
	if (onnx->opset_count == 1024)
		return hy_error_set(onnx->error, HY_INVALID, "opset_import has more than 1024 entries");
	for (uint32_t i = 0; i < onnx->opset_count; i++)
		if (strcmp(onnx->opsets[i].domain, domain) == 0)
			return hy_error_set(onnx->error, HY_INVALID, "opset_import names '%.*s' twice",
			                    HY_IR__NAME_LIMIT, domain);
	if (!hy_ir__grow(&onnx->opsets, onnx->opset_count, &onnx->opset_room, sizeof(onnx->opsets[0])))
		return hy_ir__no_memory(onnx->error);
	onnx->opsets[onnx->opset_count++] = (hy_ir__onnx_opset){.domain = domain, .version = (uint32_t)version};
	return HY_OK;
}

static hy_status check_function(hy_ir__onnx *onnx, hy_ir__wire wire)
{
	const char *domain = "";
	hy_ir__wire_field field;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field))
		if (field.number == 10) status = hy_ir__onnx_text(onnx, &field, "function domain", &domain);
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "function");
	if (status == HY_OK && (domain[0] == '\0' || strcmp(domain, "ai.onnx") == 0))
		status = hy_error_set(onnx->error, HY_UNSUPPORTED,
		                      "a function of the model replaces a standard operator");
	return status;
}

static hy_status read_model(hy_ir__onnx *onnx, hy_ir__wire model)
{
	hy_ir__wire wire = model;
	hy_ir__wire_field field, graph = {0};
	int64_t ir_version = 0;
	hy_status status = HY_OK;
	while (status == HY_OK && hy_ir__wire_next(&wire, &field)) {
		if (field.number == MODEL_IR_VERSION) status = hy_ir__onnx_int(onnx, &field, "ir_version", &ir_version);
		if (field.number == MODEL_OPSET) status = read_opset(onnx, hy_ir__wire_message(&field));
		if (field.number == MODEL_FUNCTION) status = check_function(onnx, hy_ir__wire_message(&field));
		if (field.number == MODEL_GRAPH && graph.number != 0)
			status = hy_error_set(onnx->error, HY_INVALID, "the model has two graphs");
		if (field.number == MODEL_GRAPH) graph = field;
	}
	if (status == HY_OK) status = hy_ir__onnx_check(onnx, &wire, "model");
	if (status != HY_OK) return status;
	if (ir_version < 1) return hy_error_set(onnx->error, HY_INVALID, "has no ir_version: this is no ONNX model");
	if (graph.number == 0) return hy_error_set(onnx->error, HY_INVALID, "has no graph: this is no ONNX model");
	if (onnx->opset_count == 0) {
		if (ir_version >= 3) return hy_error_set(onnx->error, HY_INVALID, "has no opset_import");
		if (!hy_ir__grow(&onnx->opsets, 0, &onnx->opset_room, sizeof(onnx->opsets[0])))
			return hy_ir__no_memory(onnx->error);
		onnx->opsets[onnx->opset_count++] = (hy_ir__onnx_opset){.domain = "", .version = 1};
	}
	status = create_graph(onnx, hy_ir__wire_message(&graph));
	if (status == HY_OK && onnx->memory != NULL) status = hy_ir__graph_hold(onnx->graph, onnx->memory, onnx->error);
	return status == HY_OK ? read_graph(onnx, hy_ir__wire_message(&graph)) : status;
}

/* ---- files ---- */

static int open_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL) return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *folder = strndup(path, (size_t)(slash - path) + 1);
	if (folder == NULL) return -1;
	const int descriptor = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	return descriptor;
}

hy_status hy_ir__onnx_open(hy_ir__onnx *onnx, const char *path)
{
	const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (descriptor < 0)
		return hy_error_set(onnx->error, errno == ENOENT ? HY_NOT_FOUND : HY_INVALID, "%s: %s", path,
		                    strerror(errno));
	hy_status status = hy_ir__onnx_map(descriptor, path, &onnx->memory, onnx->error);
	close(descriptor);
	return status;
}

void hy_ir__onnx_finish(hy_ir__onnx *onnx)
{
	for (uint32_t i = 0; i < onnx->file_count; i++)
		hy_ir__memory_release(onnx->files[i].memory);
	hy_ir__memory_release(onnx->memory);
	hy_ir_graph_destroy(onnx->graph);
	hy_ir__arena_finish(&onnx->scratch);
	free(onnx->files);
	free(onnx->opsets);
	if (onnx->folder >= 0) close(onnx->folder);
}

static hy_status read_named(hy_ir__onnx *onnx, const char *name, const void *bytes, size_t length,
                            hy_ir_graph **out_graph)
{
	hy_status status = read_model(onnx, hy_ir__wire_open(bytes, length));
	if (status == HY_OK) {
		*out_graph = onnx->graph;
		onnx->graph = NULL;
	}
	hy_ir__onnx_finish(onnx);
	return status == HY_OK ? HY_OK : hy_ir__error_within(onnx->error, status, "%s", name);
}

hy_status hy_ir_onnx_load(const char *path, hy_ir_graph **out_graph, hy_error *error)
{
	hy_ir__onnx onnx = {.folder = -1, .error = error};
	hy_status status = hy_ir__onnx_open(&onnx, path);
	if (status != HY_OK) return status;
	onnx.folder = open_folder(path);
	return read_named(&onnx, path, hy_ir__memory_base(onnx.memory), hy_ir__memory_length(onnx.memory), out_graph);
}

hy_status hy_ir_onnx_parse(const char *name, const void *bytes, size_t length, hy_ir_graph **out_graph, hy_error *error)
{
	hy_ir__onnx onnx = {.folder = -1, .error = error};
	if (length == 0) return hy_error_set(error, HY_INVALID, "%s: the file is empty", name);
	return read_named(&onnx, name, bytes, length, out_graph);
}
