/* Which values are made in channel blocks. Blocks begin at convolutions and are kept by pools, elementwise chains and
 * Concats, so that a convolutional network changes form only at its ends. On GPU-shaped devices all stay plain. */
#include "fused.h"
#include "handler.h"

#include <string.h>

static bool is_image(const hy_ir_type *type)
{
	return type->dtype == HY_DTYPE_F32 && type->rank == 4 && hy_ir_type_elements(type) > 0;
}

static bool has_blocked_input(const hy_kernels__lower *lower, const hy_kernels__node *node, const hy_ir_type *type)
{
	for (uint32_t i = 0; i < node->input_count; i++) {
		if (node->inputs[i] == HY_IR_NONE) continue;
		const hy_kernels__value *value = &lower->values[node->inputs[i]];
		if (value->form == FORM_BLOCK && memcmp(value->type.dim, type->dim, sizeof(type->dim)) == 0)
			return true;
	}
	return false;
}

static bool elementwise_is_blocked(hy_kernels__lower *lower, const hy_kernels__node *nodes, uint32_t count)
{
	const hy_kernels__value *out = &lower->values[nodes[count - 1].outputs[0]];
	if (!is_image(&out->type) || out->is_output) return false;
	bool any = false;
	for (uint32_t i = 0; i < count; i++)
		any = any || has_blocked_input(lower, &nodes[i], &out->type);
	return any && hy_kernels__fused_is_possible(lower, nodes, count, HY_IR_NONE, &out->type);
}

static bool concat_is_blocked(const hy_kernels__lower *lower, const hy_kernels__node *node)
{
	const hy_kernels__value *out = &lower->values[node->outputs[0]];
	if (!is_image(&out->type) || out->is_output) return false;
	const int64_t axis = hy_ir_node_attr_int(node->ir, "axis", 0);
	if (axis != 1 && axis != -3) return false;
	for (uint32_t i = 0; i < node->input_count; i++) {
		const hy_kernels__value *in = &lower->values[node->inputs[i]];
		if (in->form != FORM_BLOCK) return false;
		if (i + 1 < node->input_count && in->type.dim[1] % BLOCK != 0) return false;
	}
	return true;
}

static bool node_is_blocked(hy_kernels__lower *lower, const hy_kernels__node *node)
{
	const hy_kernels__value *out = &lower->values[node->outputs[0]];
	if (!is_image(&out->type)) return false;
	const hy_kernels__value *in = &lower->values[node->inputs[0]];
	switch (node->op->id) {
	case HY_IR_OP_Conv:
		return hy_kernels__conv_is_blocked(lower, node);
	case HY_IR_OP_MaxPool:
	case HY_IR_OP_AveragePool:
		return in->form == FORM_BLOCK && !hy_kernels__wants_output(node, 1);
	case HY_IR_OP_GlobalAveragePool:
	case HY_IR_OP_GlobalMaxPool:
		return in->form == FORM_BLOCK;
	case HY_IR_OP_LRN:
		return in->form == FORM_BLOCK && hy_ir_node_attr_int(node->ir, "size", 1) <= 2 * (int64_t)BLOCK;
	case HY_IR_OP_Concat:
		return concat_is_blocked(lower, node);
	default:
		return false;
	}
}

/* The forms of what a group makes. An anchor's epilogue keeps its form when it can be fused there. */
static void decide_group(hy_kernels__lower *lower, const hy_kernels__group *group)
{
	const hy_kernels__node *nodes = &lower->nodes[group->first];
	uint32_t first = 0;
	while (first < group->count) {
		const hy_kernels__node *node = &nodes[first];
		if (node->op->fusion != HY_IR_CLASS_ELEMENTWISE) {
			if (node->output_count > 0 && hy_kernels__wants_output(node, 0) && node_is_blocked(lower, node))
				lower->values[node->outputs[0]].form = FORM_BLOCK;
			first++;
			continue;
		}
		uint32_t count = 1;
		while (first + count < group->count && nodes[first + count].op->fusion == HY_IR_CLASS_ELEMENTWISE)
			count++;
		if (elementwise_is_blocked(lower, node, count))
			for (uint32_t i = 0; i < count; i++) {
				hy_kernels__value *out = &lower->values[node[i].outputs[0]];
				const hy_kernels__value *last = &lower->values[node[count - 1].outputs[0]];
				if (memcmp(out->type.dim, last->type.dim, sizeof(out->type.dim)) == 0)
					out->form = FORM_BLOCK;
			}
		first += count;
	}
}

static void note_halos(hy_kernels__lower *lower, const hy_kernels__node *node)
{
	if (node->op->id != HY_IR_OP_Conv || !hy_kernels__conv_is_blocked(lower, node)) return;
	hy_kernels__value *in = &lower->values[node->inputs[0]];
	const uint32_t halo = hy_kernels__conv_halo(lower, node);
	if (in->pad < halo) in->pad = halo;
}

/* Inputs of a blocked Concat are made in its storage, each by its own node. */
static void join(hy_kernels__lower *lower, const hy_kernels__node *node)
{
	if (node->op->id != HY_IR_OP_Concat) return;
	const uint32_t out = node->outputs[0];
	if (lower->values[out].form != FORM_BLOCK) return;
	uint32_t plane = 0;
	for (uint32_t i = 0; i < node->input_count; i++) {
		hy_kernels__value *in = &lower->values[node->inputs[i]];
		/* one storage has one halo, and a value one place */
		if (in->joined == HY_IR_NONE && in->pad <= lower->values[out].pad && !in->constant &&
		    in->places[FORM_PLAIN].storage == HY_IR_NONE) {
			in->joined = out;
			in->joined_plane = plane;
		}
		plane += hy_kernels__blocks(&in->type);
	}
}

/* What a view reads is made where the view must lie. */
static void share_home(hy_kernels__lower *lower, const hy_kernels__node *node)
{
	if (node->op->fusion != HY_IR_CLASS_VIEW || !hy_kernels__wants_output(node, 0)) return;
	hy_kernels__value *in = &lower->values[node->inputs[0]];
	const bool is_made = !in->constant && in->places[FORM_PLAIN].storage == HY_IR_NONE;
	if (is_made && in->home == HY_IR_NONE) in->home = lower->values[node->outputs[0]].home;
}

void hy_kernels__layout(hy_kernels__lower *lower)
{
	for (uint32_t i = lower->node_count; i-- > 0;)
		share_home(lower, &lower->nodes[i]);
	if (lower->options->shape != HY_KERNELS_CPU || lower->failed) return;
	for (uint32_t i = 0; i < lower->group_count; i++)
		decide_group(lower, &lower->groups[i]);
	for (uint32_t i = 0; i < lower->node_count; i++)
		note_halos(lower, &lower->nodes[i]);
	for (uint32_t i = lower->node_count; i-- > 0;)
		join(lower, &lower->nodes[i]);
}
