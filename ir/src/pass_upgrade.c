/* Rewrites every operator into its form of opset 18, so that nobody behind this pass ever sees another one. Opsets 19
 * to 23 only gave the operators of ops.def more element types and attribute values, which inference judges.
 * Types are inferred on the way, because some old forms can only be read when a rank is known.
 * needs: order. breaks: node numbers. keeps: value numbers, names. */
#include "pass_upgrade.h"

#include <halyard/ir/pass.h>

#include <stdio.h>
#include <string.h>

enum {
	NEWEST_OPSET = 23,
	MAX_ATTRS = 32, /* that a node may come with */
	ATTR_ROOM = MAX_ATTRS + 2, /* no rule adds more than two */
};

/* Sorted by type. A node older than `before` goes through `upgrade`, which may rely on the first `fewest` inputs; all
 * others keep their form. */
typedef struct rule {
	const char *type;
	uint32_t fewest, before;
	hy_ir__upgrade upgrade;
} rule;

static const rule rules[] = {
	{"Add", 2, 7, hy_ir__upgrade_binary},
	{"And", 2, 7, hy_ir__upgrade_binary},
	{"BatchNormalization", 5, 14, hy_ir__upgrade_batch_norm},
	{"Cast", 1, 6, hy_ir__upgrade_cast},
	{"Clip", 1, 11, hy_ir__upgrade_clip},
	{"Concat", 1, 4, hy_ir__upgrade_concat},
	{"Constant", 0, NEWEST_OPSET + 1, hy_ir__upgrade_constant},
	{"Div", 2, 7, hy_ir__upgrade_binary},
	{"Dropout", 1, 12, hy_ir__upgrade_dropout},
	{"Equal", 2, 7, hy_ir__upgrade_binary},
	{"Gemm", 3, 7, hy_ir__upgrade_gemm},
	{"Greater", 2, 7, hy_ir__upgrade_binary},
	{"Less", 2, 7, hy_ir__upgrade_binary},
	{"LogSoftmax", 1, 13, hy_ir__upgrade_softmax},
	{"Mul", 2, 7, hy_ir__upgrade_binary},
	{"Or", 2, 7, hy_ir__upgrade_binary},
	{"PRelu", 2, 7, hy_ir__upgrade_prelu},
	{"Pad", 1, 11, hy_ir__upgrade_pad},
	{"Pow", 2, 7, hy_ir__upgrade_binary},
	{"ReduceL1", 1, 18, hy_ir__upgrade_axes},
	{"ReduceL2", 1, 18, hy_ir__upgrade_axes},
	{"ReduceLogSum", 1, 18, hy_ir__upgrade_axes},
	{"ReduceLogSumExp", 1, 18, hy_ir__upgrade_axes},
	{"ReduceMax", 1, 18, hy_ir__upgrade_axes},
	{"ReduceMean", 1, 18, hy_ir__upgrade_axes},
	{"ReduceMin", 1, 18, hy_ir__upgrade_axes},
	{"ReduceProd", 1, 18, hy_ir__upgrade_axes},
	{"ReduceSum", 1, 13, hy_ir__upgrade_axes},
	{"ReduceSumSquare", 1, 18, hy_ir__upgrade_axes},
	{"Reshape", 1, 5, hy_ir__upgrade_reshape},
	{"Resize", 1, NEWEST_OPSET + 1, hy_ir__upgrade_resize},
	{"Selu", 1, 6, hy_ir__upgrade_selu},
	{"Slice", 1, 10, hy_ir__upgrade_slice},
	{"Softmax", 1, 13, hy_ir__upgrade_softmax},
	{"Split", 1, 18, hy_ir__upgrade_split},
	{"Squeeze", 1, 13, hy_ir__upgrade_axes},
	{"Sub", 2, 7, hy_ir__upgrade_binary},
	{"Tile", 3, 6, hy_ir__upgrade_tile},
	{"TopK", 1, 10, hy_ir__upgrade_topk},
	{"Unsqueeze", 1, 13, hy_ir__upgrade_axes},
	{"Upsample", 1, 10, hy_ir__upgrade_upsample},
	{"Xor", 2, 7, hy_ir__upgrade_binary},
};

static const rule *rule_of(const hy_ir_node *node)
{
	if (node->domain[0] != '\0') return NULL;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].type, node->type) == 0) return node->version < rules[i].before ? &rules[i] : NULL;
	return NULL;
}

void hy_ir__upgrade_remove_attr(hy_ir__rewrite *rewrite, uint32_t number, const char *name)
{
	if (rewrite->status != HY_OK) return;
	const hy_ir_node *node = hy_ir_graph_node(rewrite->graph, number);
	const hy_ir_attr *attr = hy_ir_node_attr(node, name);
	if (attr == NULL) return;
	hy_ir_attr kept[ATTR_ROOM];
	uint32_t count = 0;
	for (uint32_t i = 0; i < node->attr_count; i++)
		if (&node->attrs[i] != attr) kept[count++] = node->attrs[i];
	hy_ir__rewrite_check(rewrite, hy_ir__graph_set_attrs(rewrite->graph, number, count, kept, rewrite->error));
	rewrite->changed = true;
}

void hy_ir__upgrade_set_attr(hy_ir__rewrite *rewrite, uint32_t number, hy_ir_attr attr)
{
	hy_ir__upgrade_remove_attr(rewrite, number, attr.name);
	if (rewrite->status != HY_OK) return;
	const hy_ir_node *node = hy_ir_graph_node(rewrite->graph, number);
	hy_ir_attr attrs[ATTR_ROOM];
	uint32_t count = 0;
	for (; count < node->attr_count; count++)
		attrs[count] = node->attrs[count];
	attrs[count++] = attr;
	hy_ir__rewrite_check(rewrite, hy_ir__graph_set_attrs(rewrite->graph, number, count, attrs, rewrite->error));
	rewrite->changed = true;
}

void hy_ir__upgrade_set_input(hy_ir__rewrite *rewrite, uint32_t number, uint32_t place, uint32_t value)
{
	if (rewrite->status != HY_OK) return;
	const hy_ir_node *node = hy_ir_graph_node(rewrite->graph, number);
	uint32_t inputs[8] = {HY_IR_NONE, HY_IR_NONE, HY_IR_NONE, HY_IR_NONE,
	                      HY_IR_NONE, HY_IR_NONE, HY_IR_NONE, HY_IR_NONE};
	uint32_t count = node->input_count < 8 ? node->input_count : 8;
	if (count > 0) memcpy(inputs, node->inputs, count * sizeof(inputs[0]));
	inputs[place] = value;
	if (count <= place) count = place + 1;
	hy_ir__rewrite_check(rewrite, hy_ir__graph_set_inputs(rewrite->graph, number, count, inputs, rewrite->error));
	rewrite->changed = true;
}

static bool inputs_are_there(const hy_ir_node *node, uint32_t fewest)
{
	if (node->input_count < fewest) return false;
	for (uint32_t i = 0; i < fewest; i++)
		if (node->inputs[i] == HY_IR_NONE) return false;
	return true;
}

/* Why the node can't be upgraded, or NULL. */
static const char *fault_of(const hy_ir_node *node, const rule *found)
{
	if (node->version > NEWEST_OPSET) return "its opset is newer than 23: export the model with opset 18";
	if (node->attr_count > MAX_ATTRS) return "it has too many attributes";
	if (node->output_count == 0) return "it has no output";
	if (found != NULL && !inputs_are_there(node, found->fewest)) return "an input that it needs is absent";
	return NULL;
}

static const char *arity_fault_of(const hy_ir_node *node)
{
	if (!inputs_are_there(node, node->op->min_inputs)) return "an input that it needs is absent";
	if (node->input_count > node->op->max_inputs) return "it has more inputs than its operator takes";
	if (node->output_count == 0 || node->output_count > node->op->max_outputs)
		return "it has another number of outputs than its operator makes";
	return NULL;
}

static void refuse_unknown(hy_ir__rewrite *rewrite, const hy_ir_node *node)
{
	char why[160];
	if (hy_ir_op_find(node->domain, node->type) != NULL)
		snprintf(why, sizeof(why), "it has a subgraph or sparse attribute, which the IR does not keep");
	else
		snprintf(why, sizeof(why), "operator '%.40s%s%.60s' is not known; ir/ops.def lists those that are",
		         node->domain, node->domain[0] != '\0' ? "." : "", node->type);
	hy_ir__rewrite_fail(rewrite, HY_UNSUPPORTED, node, why);
}

static void restamp(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node *node = hy_ir_graph_node(rewrite->graph, number);
	const char *fault = node->body == NULL ? arity_fault_of(node) : NULL;
	if (fault != NULL) {
		hy_ir__rewrite_fail(rewrite, HY_INVALID, node, fault);
		return;
	}
	if (node->version != HY_IR_OPSET) {
		hy_ir__graph_set_version(rewrite->graph, number, HY_IR_OPSET);
		rewrite->changed = true;
	}
	hy_ir__rewrite_keep(rewrite, number);
	hy_ir__rewrite_infer(rewrite, number);
}

static void upgrade_node(hy_ir__rewrite *rewrite, uint32_t number)
{
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	const rule *found = rule_of(&node);
	const bool known = node.op != NULL || node.body != NULL;
	if (!known && (found == NULL || found->upgrade != hy_ir__upgrade_upsample)) {
		refuse_unknown(rewrite, &node);
		return;
	}
	const char *fault = fault_of(&node, found);
	if (fault != NULL) {
		hy_ir__rewrite_fail(rewrite, node.version > NEWEST_OPSET ? HY_UNSUPPORTED : HY_INVALID, &node, fault);
		return;
	}
	if (node.version < 6) hy_ir__upgrade_remove_attr(rewrite, number, "consumed_inputs");
	if (found != NULL) found->upgrade(rewrite, number);
	if (rewrite->status == HY_OK && !hy_ir__graph_is_dead(rewrite->graph, number)) restamp(rewrite, number);
}

hy_status hy_ir_pass_upgrade(hy_ir_graph *graph, bool *out_changed, hy_error *error)
{
	hy_ir__rewrite rewrite;
	hy_ir__rewrite_init(&rewrite, graph, error);
	const uint32_t count = hy_ir_graph_node_count(graph);
	for (uint32_t i = 0; i < count && rewrite.status == HY_OK; i++)
		upgrade_node(&rewrite, i);
	return hy_ir__rewrite_finish(&rewrite, out_changed);
}
