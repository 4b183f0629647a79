/* Models from file to prepared graph. */
#include "model.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

tool_exit tool_model_load(const char *path, hy_ir_graph **out_graph)
{
	hy_error error = {0};
	if (hy_ir_onnx_load(path, out_graph, &error) == HY_OK) return TOOL_EXIT_OK;
	return tool_report_error(TOOL_EXIT_MODEL, &error);
}

/* ---- symbolic dimensions ---- */

static const hy_ir_value *input_at(const hy_ir_graph *graph, uint32_t index)
{
	return hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[index]);
}

/* "N, length", or "none". */
static void list_dims(const hy_ir_graph *graph, char *text, size_t length)
{
	size_t used = 0;
	snprintf(text, length, "none");
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++) {
		const hy_ir_value *const input = input_at(graph, i);
		for (uint32_t d = 0; input->type.rank <= HY_MAX_RANK && d < input->type.rank; d++) {
			if (input->dim_names[d] == NULL || used + 2 >= length) continue;
			used += (size_t)snprintf(text + used, length - used, "%s%s", used > 0 ? ", " : "",
			                         input->dim_names[d]);
			if (used >= length) used = length;
		}
	}
}

static tool_exit bind_named(const tool_options *options, hy_ir_graph *graph)
{
	for (uint32_t i = 0; i < options->dim.count; i++) {
		const char *const text = options->dim.items[i];
		const char *const equals = strrchr(text, '=');
		char name[256], *end = NULL, known[256];
		hy_error error = {0};
		const long long size = equals != NULL ? strtoll(equals + 1, &end, 10) : 0;
		if (equals == NULL || end == equals + 1 || *end != '\0' || size <= 0)
			return tool_report(TOOL_EXIT_USAGE, "--dim: '%s': write NAME=N with N above 0", text);
		snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
		list_dims(graph, known, sizeof(known));
		const hy_status status = hy_ir_graph_bind_dim(graph, name, size, &error);
		if (status == HY_NOT_FOUND)
			return tool_report(TOOL_EXIT_USAGE, "--dim: no symbolic dimension '%s'; the model has: %s",
			                   name, known);
		if (status != HY_OK) return tool_report_error(TOOL_EXIT_USAGE, &error);
	}
	return TOOL_EXIT_OK;
}

static tool_exit bind(hy_ir_graph *graph, const char *lent_name, int64_t size)
{
	hy_error error = {0};
	char name[256];
	snprintf(name, sizeof(name), "%s", lent_name);
	if (hy_ir_graph_bind_dim(graph, name, size, &error) == HY_OK) return TOOL_EXIT_OK;
	return tool_report_error(TOOL_EXIT_MODEL, &error);
}

static tool_exit bind_batch(const tool_options *options, hy_ir_graph *graph)
{
	for (uint32_t i = 0; options->batch > 0 && i < hy_ir_graph_input_count(graph); i++) {
		const hy_ir_value *const input = input_at(graph, i);
		if (input->type.rank == 0 || input->type.rank == HY_IR_RANK_UNKNOWN) continue;
		if (options->batch > INT32_MAX) return tool_report(TOOL_EXIT_USAGE, "--batch: too large");
		if (input->dim_names[0] != NULL) {
			const tool_exit code = bind(graph, input->dim_names[0], (int64_t)options->batch);
			if (code != TOOL_EXIT_OK) return code;
		} else if (input->type.dim[0] != (int64_t)options->batch) {
			return tool_report(
				TOOL_EXIT_USAGE,
				"--batch: the first dimension of input '%s' is fixed at %lld; export the model "
				"with a symbolic one",
				input->name, (long long)input->type.dim[0]);
		}
	}
	return TOOL_EXIT_OK;
}

/* The dimensions that are still symbolic follow the given tensors, else become 1. */
static tool_exit bind_rest(const tool_options *options, hy_ir_graph *graph, const hy_ir_tensor *given, bool follow)
{
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++) {
		const uint32_t rank = input_at(graph, i)->type.rank;
		const bool has = given != NULL && given[i].data != NULL && given[i].type.rank == rank;
		if (rank == HY_IR_RANK_UNKNOWN || has != follow) continue;
		for (uint32_t d = 0; d < rank; d++) {
			const char *const name = input_at(graph, i)->dim_names[d];
			if (name == NULL) continue;
			const bool is_row = options->each && d == 0;
			const int64_t size = follow && !is_row ? given[i].type.dim[d] : 1;
			if (!follow)
				tool_note(options, "dimension '%s' is set to 1; --dim %s=4 would make it 4", name,
				          name);
			const tool_exit code = bind(graph, name, size);
			if (code != TOOL_EXIT_OK) return code;
		}
	}
	return TOOL_EXIT_OK;
}

tool_exit tool_model_bind(const tool_options *options, hy_ir_graph *graph, const hy_ir_tensor *given)
{
	tool_exit code = bind_named(options, graph);
	if (code == TOOL_EXIT_OK) code = bind_batch(options, graph);
	if (code == TOOL_EXIT_OK) code = bind_rest(options, graph, given, true);
	if (code == TOOL_EXIT_OK) code = bind_rest(options, graph, given, false);
	return code;
}

tool_exit tool_model_prepare(const tool_options *options, const char *path, hy_ir_graph *graph)
{
	hy_error error = {0};
	if (hy_ir_prepare(graph, options->no_fuse ? HY_IR_PREPARE_NO_FUSE : 0, &error) == HY_OK) return TOOL_EXIT_OK;
	return tool_report(TOOL_EXIT_MODEL, "%s: %s", path, error.text);
}

/* ---- nodes ---- */

const char *tool_model_node_title(const hy_ir_node *node, char *text, size_t length)
{
	size_t used = 0;
	if (node->body == NULL) snprintf(text, length, "%s", node->type);
	for (uint32_t i = 0; node->body != NULL && i < hy_ir_graph_node_count(node->body) && used + 1 < length; i++)
		used += (size_t)snprintf(text + used, length - used, "%s%s", i > 0 ? "+" : "",
		                         hy_ir_graph_node(node->body, i)->type);
	return text;
}

const char *tool_model_node_name(const hy_ir_graph *graph, uint32_t node)
{
	const hy_ir_node *const it = hy_ir_graph_node(graph, node);
	if (it->name[0] != '\0') return it->name;
	for (uint32_t i = 0; i < it->output_count; i++)
		if (it->outputs[i] != HY_IR_NONE) return hy_ir_graph_value(graph, it->outputs[i])->name;
	return "";
}

static bool is_called(const hy_ir_graph *graph, uint32_t node, const char *name)
{
	const hy_ir_node *const it = hy_ir_graph_node(graph, node);
	if (strcmp(it->name, name) == 0) return true;
	for (uint32_t i = 0; i < it->output_count; i++)
		if (it->outputs[i] != HY_IR_NONE && strcmp(hy_ir_graph_value(graph, it->outputs[i])->name, name) == 0)
			return true;
	for (uint32_t i = 0; it->body != NULL && i < hy_ir_graph_node_count(it->body); i++)
		if (is_called(it->body, i, name)) return true;
	return false;
}

tool_exit tool_model_find_node(const hy_ir_graph *graph, const char *option, const char *text, uint32_t *out_node)
{
	const uint32_t count = hy_ir_graph_node_count(graph);
	char *end = NULL;
	const unsigned long number = strtoul(text, &end, 10);
	for (uint32_t i = 0; i < count; i++) {
		if (!is_called(graph, i, text)) continue;
		*out_node = i;
		return TOOL_EXIT_OK;
	}
	if (*text >= '0' && *text <= '9' && *end == '\0' && number < count) {
		*out_node = (uint32_t)number;
		return TOOL_EXIT_OK;
	}
	return tool_report(TOOL_EXIT_USAGE, "%s: no node '%s': give 0 to %u, or a node's name in the model file",
	                   option, text, count > 0 ? count - 1 : 0);
}

uint64_t tool_model_batch(const hy_ir_graph *graph)
{
	if (hy_ir_graph_input_count(graph) == 0) return 1;
	const hy_ir_type *const type = &input_at(graph, 0)->type;
	return type->rank > 0 && type->rank <= HY_MAX_RANK && type->dim[0] > 0 ? (uint64_t)type->dim[0] : 1;
}
