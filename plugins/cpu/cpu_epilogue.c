/* The chain of elementwise nodes behind an anchor, as post-operations of its kernel. */
#include "cpu_build.h"

#include <float.h>

typedef struct finder {
	const hy_cpu_build *build;
	uint32_t anchor;
	const hy_cpu_order *order;
	hy_cpu_epilogue *found;
} finder;

static const hy_cpu_value *value_of(const finder *f, uint32_t value)
{
	return &f->build->values[value];
}

/* The only node that reads the value, when it belongs to the anchor's region; else HY_CPU_NONE. */
static uint32_t only_reader(const finder *f, uint32_t value, uint32_t uses)
{
	const uint32_t region = f->build->nodes[f->anchor].region;
	if (region == HY_CPU_NONE || value_of(f, value)->uses != uses) return HY_CPU_NONE;
	for (uint32_t i = f->anchor + 1; i < f->build->node_count && f->build->nodes[i].region == region; i++) {
		const hy_cpu_node *n = &f->build->nodes[i];
		for (uint32_t k = 0; k < n->ir->input_count; k++) {
			if (n->inputs[k] == value) return i;
		}
	}
	return HY_CPU_NONE;
}

static bool scalar_constant(const finder *f, uint32_t value, float *out_number)
{
	const hy_cpu_value *v = value_of(f, value);
	if (v->data == NULL || v->view.type.dtype != HY_DTYPE_F32 || hy_ir_type_elements(&v->view.type) != 1)
		return false;
	memcpy(out_number, v->data, sizeof(*out_number));
	return true;
}

static bool post_add(finder *f, const hy_cpu_post *post)
{
	if (f->found->post_count == HY_CPU_MAX_POSTS) return false;
	f->found->posts[f->found->post_count++] = *post;
	return true;
}

/* A curve must not come twice with other numbers: oneDNN 2.6 then uses those of the first for both. */
static bool curve_add(finder *f, hy_cpu_curve curve, float alpha, float beta)
{
	hy_cpu_epilogue *found = f->found;
	hy_cpu_post *last = found->post_count > 0 ? &found->posts[found->post_count - 1] : NULL;
	if (last != NULL && curve == HY_CPU_CURVE_LINEAR && last->kind == HY_CPU_POST_CURVE && last->curve == curve) {
		last->alpha *= alpha;
		last->beta = last->beta * alpha + beta;
		return true;
	}
	for (uint32_t i = 0; i < found->post_count; i++) {
		if (found->posts[i].kind == HY_CPU_POST_CURVE && found->posts[i].curve == curve) return false;
	}
	const hy_cpu_post post = {.kind = HY_CPU_POST_CURVE, .curve = curve, .alpha = alpha, .beta = beta};
	return post_add(f, &post);
}

static bool clip_add(finder *f, const hy_cpu_node *n)
{
	float bounds[2] = {-FLT_MAX, FLT_MAX};
	for (uint32_t i = 1; i < n->ir->input_count && i < 3; i++) {
		if (n->inputs[i] != HY_CPU_NONE && !scalar_constant(f, n->inputs[i], &bounds[i - 1])) return false;
	}
	return bounds[0] <= bounds[1] && curve_add(f, HY_CPU_CURVE_CLIP, bounds[0], bounds[1]);
}

/* Two curves or none. */
static bool hard_sigmoid_add(finder *f, const hy_ir_node *ir)
{
	const hy_cpu_epilogue before = *f->found;
	if (curve_add(f, HY_CPU_CURVE_LINEAR, hy_ir_node_attr_float(ir, "alpha", 0.2f),
	              hy_ir_node_attr_float(ir, "beta", 0.5f)) &&
	    curve_add(f, HY_CPU_CURVE_CLIP, 0.0f, 1.0f))
		return true;
	*f->found = before;
	return false;
}

static bool unary_add(finder *f, const hy_cpu_node *n)
{
	const hy_ir_node *ir = n->ir;
	switch (n->op->id) {
	case HY_IR_OP_Relu:
		return curve_add(f, HY_CPU_CURVE_RELU, 0.0f, 0.0f);
	case HY_IR_OP_LeakyRelu:
		return curve_add(f, HY_CPU_CURVE_RELU, hy_ir_node_attr_float(ir, "alpha", 0.01f), 0.0f);
	case HY_IR_OP_Clip:
		return clip_add(f, n);
	case HY_IR_OP_Sigmoid:
		return curve_add(f, HY_CPU_CURVE_SIGMOID, 0.0f, 0.0f);
	case HY_IR_OP_Tanh:
		return curve_add(f, HY_CPU_CURVE_TANH, 0.0f, 0.0f);
	case HY_IR_OP_Elu:
		return curve_add(f, HY_CPU_CURVE_ELU, hy_ir_node_attr_float(ir, "alpha", 1.0f), 0.0f);
	case HY_IR_OP_Abs:
		return curve_add(f, HY_CPU_CURVE_ABS, 0.0f, 0.0f);
	case HY_IR_OP_Sqrt:
		return curve_add(f, HY_CPU_CURVE_SQRT, 0.0f, 0.0f);
	case HY_IR_OP_Exp:
		return curve_add(f, HY_CPU_CURVE_EXP, 0.0f, 0.0f);
	case HY_IR_OP_Neg:
		return curve_add(f, HY_CPU_CURVE_LINEAR, -1.0f, 0.0f);
	case HY_IR_OP_HardSwish:
		return curve_add(f, HY_CPU_CURVE_HARD_SWISH, 0.0f, 0.0f);
	case HY_IR_OP_HardSigmoid:
		return hard_sigmoid_add(f, ir);
	case HY_IR_OP_Gelu:
		return curve_add(f,
		                 strcmp(hy_ir_node_attr_string(ir, "approximate", "none"), "tanh") == 0
		                         ? HY_CPU_CURVE_GELU_TANH
		                         : HY_CPU_CURVE_GELU_ERF,
		                 0.0f, 0.0f);
	case HY_IR_OP_Mish:
		return curve_add(f, HY_CPU_CURVE_MISH, 0.0f, 0.0f);
	case HY_IR_OP_Softplus:
		return curve_add(f, HY_CPU_CURVE_SOFTPLUS, 0.0f, 0.0f);
	default:
		return false;
	}
}

/* x with a number: a linear curve. */
static bool linear_add(finder *f, const hy_cpu_node *n, uint32_t which, float number)
{
	switch (n->op->id) {
	case HY_IR_OP_Add:
	case HY_IR_OP_Sum:
		return curve_add(f, HY_CPU_CURVE_LINEAR, 1.0f, number);
	case HY_IR_OP_Sub:
		return which == 0 ? curve_add(f, HY_CPU_CURVE_LINEAR, 1.0f, -number)
		                  : curve_add(f, HY_CPU_CURVE_LINEAR, -1.0f, number);
	case HY_IR_OP_Mul:
		return curve_add(f, HY_CPU_CURVE_LINEAR, number, 0.0f);
	case HY_IR_OP_Div:
		return which == 0 && number != 0.0f && curve_add(f, HY_CPU_CURVE_LINEAR, 1.0f / number, 0.0f);
	default:
		return false;
	}
}

/* The operand as oneDNN sees it beside the output: same rank, each dim the output's or 1. */
static bool operand_md(const finder *f, const hy_ir_type *out, uint32_t operand, hy_cpu_md *out_md)
{
	const hy_ir_type *type = &value_of(f, operand)->view.type;
	hy_cpu_view view = {.type = {.dtype = type->dtype, .rank = out->rank}};
	if (type->dtype != HY_DTYPE_F32 || type->rank > out->rank) return false;
	const uint32_t missing = out->rank - type->rank;
	const uint32_t innermost = f->order->dim[out->rank - 1];
	bool is_full = true, is_channel = true;
	for (uint32_t d = 0; d < out->rank; d++) {
		view.type.dim[d] = d < missing ? 1 : type->dim[d - missing];
		is_full = is_full && view.type.dim[d] == out->dim[d];
		is_channel = is_channel && view.type.dim[d] == (d == innermost ? out->dim[d] : 1);
	}
	if (!is_full && !is_channel) return false;
	hy_cpu_view_dense(&view, f->order);
	*out_md = hy_cpu_view_md(&view);
	return true;
}

/* True when the kernel may add onto the operand's own memory. */
static bool can_sum(const finder *f, const hy_ir_type *out, uint32_t operand)
{
	const hy_cpu_value *v = value_of(f, operand);
	if (f->found->summed != HY_CPU_NONE || f->found->post_count > 0 || v->data != NULL) return false;
	if (v->view.storage == HY_CPU_NONE || v->binding != HY_CPU_NONE || v->inside != HY_CPU_NONE) return false;
	if (!hy_ir_type_equal(&v->view.type, out) || !hy_cpu_view_is_dense(&v->view, f->order)) return false;
	return hy_cpu_build_dies(f->build, operand, 1);
}

static bool binary_add(finder *f, const hy_cpu_node *n, uint32_t value)
{
	if (n->ir->input_count != 2 || n->inputs[0] == n->inputs[1]) return false;
	const uint32_t which = n->inputs[0] == value ? 0 : 1;
	const uint32_t operand = n->inputs[1 - which];
	const hy_ir_type *out = &value_of(f, n->outputs[0])->view.type;
	float number;
	if (!hy_ir_type_equal(out, &value_of(f, value)->view.type)) return false;
	if (scalar_constant(f, operand, &number)) return linear_add(f, n, which, number);
	hy_cpu_post post = {.kind = HY_CPU_POST_ADD};
	switch (n->op->id) {
	case HY_IR_OP_Add:
	case HY_IR_OP_Sum:
		break;
	case HY_IR_OP_Mul:
		post.kind = HY_CPU_POST_MUL;
		break;
	case HY_IR_OP_Max:
		post.kind = HY_CPU_POST_MAX;
		break;
	case HY_IR_OP_Min:
		post.kind = HY_CPU_POST_MIN;
		break;
	default:
		return false;
	}
	if (post.kind == HY_CPU_POST_ADD && can_sum(f, out, operand)) {
		post.kind = HY_CPU_POST_SUM;
		f->found->summed = operand;
		return post_add(f, &post);
	}
	if (!operand_md(f, out, operand, &post.operand) || !post_add(f, &post)) return false;
	f->found->operands[f->found->operand_count++] = operand;
	return true;
}

/* x sigmoid(x): two nodes, one curve. */
static bool swish_add(finder *f, uint32_t value, uint32_t *out_last)
{
	const uint32_t first = only_reader(f, value, 2);
	if (first == HY_CPU_NONE || f->build->nodes[first].op->id != HY_IR_OP_Sigmoid) return false;
	const uint32_t gate = f->build->nodes[first].outputs[0];
	const uint32_t second = only_reader(f, gate, 1);
	if (second == HY_CPU_NONE || f->build->nodes[second].op->id != HY_IR_OP_Mul) return false;
	const uint32_t *in = f->build->nodes[second].inputs;
	if (!(in[0] == value && in[1] == gate) && !(in[0] == gate && in[1] == value)) return false;
	if (!curve_add(f, HY_CPU_CURVE_SWISH, 1.0f, 0.0f)) return false;
	f->found->nodes[f->found->node_count++] = first;
	*out_last = second;
	return true;
}

void hy_cpu_epilogue_none(const hy_cpu_build *build, uint32_t node, hy_cpu_epilogue *out_epilogue)
{
	*out_epilogue = (hy_cpu_epilogue){.output = build->nodes[node].outputs[0], .summed = HY_CPU_NONE};
}

void hy_cpu_epilogue_find(const hy_cpu_build *build, uint32_t node, const hy_cpu_order *order,
                          hy_cpu_epilogue *out_epilogue)
{
	finder f = {.build = build, .anchor = node, .order = order, .found = out_epilogue};
	hy_cpu_epilogue_none(build, node, out_epilogue);
	while (out_epilogue->node_count + 2 <= 2 * HY_CPU_MAX_POSTS) {
		const uint32_t value = out_epilogue->output;
		uint32_t last = only_reader(&f, value, 1);
		if (last != HY_CPU_NONE) {
			const hy_cpu_node *n = &build->nodes[last];
			if (!unary_add(&f, n) && !binary_add(&f, n, value)) return;
		} else if (!swish_add(&f, value, &last)) {
			return;
		}
		out_epilogue->nodes[out_epilogue->node_count++] = last;
		out_epilogue->output = build->nodes[last].outputs[0];
	}
}

hy_status hy_cpu_epilogue_place(hy_cpu_build *build, const hy_cpu_epilogue *epilogue, const hy_cpu_order *order,
                                hy_cpu_view *out_output, hy_cpu_view *out_operands, hy_error *error)
{
	uint32_t operand = 0;
	for (uint32_t i = 0; i < epilogue->post_count; i++) {
		if (epilogue->posts[i].kind < HY_CPU_POST_ADD) continue;
		const uint32_t value = epilogue->operands[operand];
		const hy_cpu_order plain = hy_cpu_order_plain();
		/* A vector of channels is dense in any order. */
		const bool is_full = build->values[value].view.type.rank == epilogue->posts[i].operand.rank;
		const hy_status status = hy_cpu_build_dense(build, value, is_full ? order : &plain,
		                                            &out_operands[operand], error);
		if (status != HY_OK) return status;
		operand++;
	}
	if (epilogue->summed == HY_CPU_NONE)
		return hy_cpu_build_make(build, epilogue->output, order, 0, out_output, error);
	hy_cpu_build_alias(build, epilogue->output, &build->values[epilogue->summed].view);
	*out_output = build->values[epilogue->output].view;
	return HY_OK;
}

void hy_cpu_epilogue_done(hy_cpu_build *build, const hy_cpu_epilogue *epilogue)
{
	for (uint32_t i = 0; i < epilogue->node_count; i++)
		hy_cpu_build_done(build, epilogue->nodes[i]);
}
