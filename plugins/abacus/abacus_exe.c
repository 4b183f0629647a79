/* Programs: what the abacus answers to query(), and a graph kept as it came, whose nodes are run one after the other. */
#include "abacus.h"

#include <stdlib.h>

struct hy_exe {
	hy_graph *graph;
	void **data; /* of each tensor: constants; NULL for the others */
	uint64_t *offsets; /* of each tensor that is neither constant, input nor output: in the workspace */
	uint64_t workspace_bytes;
};

/* The tensor at a place of a node's or a graph's list; NULL: an absent one. */
static const hy_graph_tensor *tensor_at(const hy_graph *graph, uint32_t list, uint32_t place)
{
	const uint32_t row = hy_graph_index_at(graph, list + place);
	return row == HY_GRAPH_NONE ? NULL : hy_graph_tensor_at(graph, row);
}

/* ---- query ---- */

/* YES is a promise: say it only for what is computed right. */
static hy_reason judge(const hy_graph *graph, const hy_graph_node *node)
{
	const char *domain = hy_graph_string(graph, node->domain), *name = hy_graph_string(graph, node->op);
	if (strcmp(domain, "halyard") == 0) return HY_REASON_REGION;
	const abacus_operator *op = domain[0] == '\0' ? abacus_operator_find(name) : NULL;
	if (op == NULL) return HY_REASON_OP;
	if (node->input_count == 0 || node->input_count > op->inputs || node->output_count > op->outputs)
		return HY_REASON_SHAPE;
	for (uint32_t i = 0; i < node->input_count; i++) {
		const hy_graph_tensor *input = tensor_at(graph, node->inputs, i);
		if (input == NULL) continue;
		const bool says_shape = i > 0 && input->dtype == HY_DTYPE_I64;
		if (!says_shape && input->dtype != HY_DTYPE_F32) return HY_REASON_DTYPE;
		if (says_shape && (input->flags & HY_TENSOR_CONSTANT) == 0) return HY_REASON_CONSTANT;
		if (i < 2 && !says_shape && op->rank != 0 && input->rank != op->rank) return HY_REASON_SHAPE;
	}
	for (uint32_t i = 0; i < node->output_count; i++) {
		const hy_graph_tensor *output = tensor_at(graph, node->outputs, i);
		if (output != NULL && output->dtype != HY_DTYPE_F32) return HY_REASON_DTYPE;
	}
	const call c = {.graph = graph, .node = node};
	return op->takes == NULL || op->takes(&c) ? HY_REASON_NONE : HY_REASON_ATTRIBUTE;
}

hy_status abacus_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count)
{
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	if (verdict_count != model->node_count)
		return abacus_fail(device->host, HY_INVALID, "one verdict per node is needed");
	for (uint32_t i = 0; i < verdict_count; i++) {
		const hy_reason reason = judge(graph, hy_graph_node_at(graph, model->first_node + i));
		out_verdicts[i] = (hy_verdict){reason == HY_REASON_NONE ? HY_YES : HY_NO, (uint16_t)reason};
	}
	return HY_OK;
}

/* ---- compile ---- */

/* Graph and constants are lent for the call: both are copied. */
static bool keep(hy_exe *exe, const hy_graph *graph, const hy_constant *constants)
{
	exe->graph = malloc(graph->total_bytes);
	exe->data = calloc(graph->tensor_count + 1u, sizeof(exe->data[0]));
	exe->offsets = calloc(graph->tensor_count + 1u, sizeof(exe->offsets[0]));
	if (exe->graph == NULL || exe->data == NULL || exe->offsets == NULL) return false;
	memcpy(exe->graph, graph, graph->total_bytes);
	for (uint32_t i = 0; i < graph->tensor_count; i++) {
		const hy_graph_tensor *t = hy_graph_tensor_at(graph, i);
		exe->offsets[i] = exe->workspace_bytes;
		if ((t->flags & HY_TENSOR_CONSTANT) == 0) {
			exe->workspace_bytes += (t->length + ABACUS_ALIGN - 1) / ABACUS_ALIGN * ABACUS_ALIGN;
			continue;
		}
		const void *data = t->slot != HY_GRAPH_NONE ? constants[t->slot].data : hy_graph_data(graph, t->data);
		exe->data[i] = malloc(t->length + 1);
		if (exe->data[i] == NULL) return false;
		memcpy(exe->data[i], data, t->length);
	}
	return true;
}

hy_status abacus_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                         uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe)
{
	(void)options;
	if (option_count > 0) return abacus_fail(device->host, HY_INVALID, "unknown option: compile takes none");
	if (constant_count != graph->constant_count)
		return abacus_fail(device->host, HY_INVALID, "the graph has another number of constants");
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	for (uint32_t i = 0; i < model->node_count; i++)
		if (judge(graph, hy_graph_node_at(graph, model->first_node + i)) != HY_REASON_NONE)
			return abacus_fail(device->host, HY_UNSUPPORTED, "a node that query() says NO to");
	hy_exe *exe = calloc(1, sizeof(*exe));
	if (exe == NULL || !keep(exe, graph, constants)) {
		abacus_exe_free(exe);
		return abacus_fail(device->host, HY_NO_MEMORY, "host memory exhausted");
	}
	*out_exe = exe;
	return HY_OK;
}

hy_status abacus_exe_info(hy_exe *exe, hy_exe_info *out_info)
{
	const hy_exe_info info = {.workspace_bytes = exe->workspace_bytes,
	                          .launches = hy_graph_subgraph_at(exe->graph, 0)->node_count};
	HY_PUT(out_info, &info);
	return HY_OK;
}

void abacus_exe_free(hy_exe *exe)
{
	if (exe == NULL) return;
	for (uint32_t i = 0; exe->data != NULL && i < exe->graph->tensor_count; i++)
		free(exe->data[i]);
	free(exe->data);
	free(exe->offsets);
	free(exe->graph);
	free(exe);
}

/* ---- EXEC ---- */

/* The binding of a tensor that is an input or an output of the graph, or NULL. */
static const hy_ref *binding_of(const hy_graph *graph, uint32_t row, const hy_ref *bindings)
{
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	for (uint32_t i = 0; i < model->input_count; i++)
		if (hy_graph_index_at(graph, model->inputs + i) == row) return &bindings[i];
	for (uint32_t i = 0; i < model->output_count; i++)
		if (hy_graph_index_at(graph, model->outputs + i) == row) return &bindings[model->input_count + i];
	return NULL;
}

static void find_operands(const hy_exe *exe, uint32_t list, uint32_t count, const hy_ref *bindings,
                          const hy_ref *workspace, operand *out)
{
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t row = hy_graph_index_at(exe->graph, list + i);
		if (row == HY_GRAPH_NONE) continue;
		const hy_ref *binding = binding_of(exe->graph, row, bindings);
		out[i].type = hy_graph_tensor_at(exe->graph, row);
		out[i].data = exe->data[row];
		if (binding != NULL)
			out[i].data = abacus_at(*binding);
		else if (out[i].data == NULL)
			out[i].data = (unsigned char *)abacus_at(*workspace) + exe->offsets[row];
	}
}

const char *abacus_execute(const hy_exe *exe, uint32_t binding_count, const hy_ref *bindings, const hy_ref *workspace)
{
	const hy_graph *graph = exe->graph;
	const hy_graph_subgraph *model = hy_graph_subgraph_at(graph, 0);
	if (binding_count != model->input_count + model->output_count) return "EXEC: another number of bindings";
	if (exe->workspace_bytes > 0 && workspace->length < exe->workspace_bytes) return "EXEC: the workspace is small";
	for (uint32_t i = 0; i < binding_count; i++) {
		const hy_graph_tensor *t = i < model->input_count
		                                   ? tensor_at(graph, model->inputs, i)
		                                   : tensor_at(graph, model->outputs, i - model->input_count);
		if (bindings[i].length != t->length) return "EXEC: a binding has another length than the graph says";
	}
	for (uint32_t i = 0; i < model->node_count; i++) {
		call c = {.graph = graph, .node = hy_graph_node_at(graph, model->first_node + i)};
		find_operands(exe, c.node->inputs, c.node->input_count, bindings, workspace, c.in);
		find_operands(exe, c.node->outputs, c.node->output_count, bindings, workspace, c.out);
		abacus_operator_find(hy_graph_string(graph, c.node->op))->run(&c);
	}
	return NULL;
}
