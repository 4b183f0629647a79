/* Nodes that change shapes and places: views wherever strides can say it. */
#include "cpu_build.h"

hy_status hy_cpu_lower_reshape(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	hy_cpu_view from, to;
	/* Dropout's mask is made of ones; nobody asks for it at inference. */
	for (uint32_t i = 1; i < n.ir->output_count; i++) {
		if (n.outputs[i] != HY_CPU_NONE && build->values[n.outputs[i]].uses > 0) return HY_UNSUPPORTED;
	}
	const hy_status status = hy_cpu_build_view(build, n.inputs[0], &from, error);
	if (status != HY_OK) return status;
	hy_cpu_value *out = &build->values[n.outputs[0]];
	if (hy_cpu_view_reshape(&from, &out->view.type, &to)) {
		hy_cpu_build_alias(build, n.outputs[0], &to);
		return HY_OK;
	}
	/* The bytes are moved when a consumer asks; one that knows the order of the input may not. */
	out->unflattened = n.inputs[0];
	build->storages[from.storage].readers += out->uses;
	return HY_OK;
}

hy_status hy_cpu_lower_transpose(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const hy_ir_attr *perm = hy_ir_node_attr(n.ir, "perm");
	hy_cpu_view from;
	const hy_status status = hy_cpu_build_view(build, n.inputs[0], &from, error);
	if (status != HY_OK) return status;
	hy_cpu_view to = from;
	for (uint32_t i = 0; i < from.type.rank; i++)
		to.stride[i] = from.stride[perm != NULL ? (uint32_t)perm->ints[i] : from.type.rank - 1 - i];
	hy_cpu_build_alias(build, n.outputs[0], &to);
	return HY_OK;
}

/* ---- Concat ---- */

static uint32_t concat_axis(const hy_cpu_build *build, const hy_cpu_node *n)
{
	const int64_t axis = hy_ir_node_attr_int(n->ir, "axis", 0);
	const uint32_t rank = build->values[n->outputs[0]].view.type.rank;
	return (uint32_t)(axis < 0 ? axis + (int64_t)rank : axis);
}

static bool is_channel_concat(const hy_cpu_build *build, const hy_cpu_node *n)
{
	const hy_ir_type *type = &build->values[n->outputs[0]].view.type;
	return n->op->id == HY_IR_OP_Concat && type->dtype == HY_DTYPE_F32 && type->rank >= 3 && type->rank <= 5 &&
	       concat_axis(build, n) == 1;
}

/* The node's bytes may be anywhere in rows of its own stride. */
static bool reads_strided(const hy_cpu_build *build, const hy_cpu_node *n)
{
	return n->op->fusion == HY_IR_CLASS_ELEMENTWISE || n->op->id == HY_IR_OP_Split || n->op->id == HY_IR_OP_Slice ||
	       is_channel_concat(build, n);
}

/* needs: flat nodes. A concatenation of channels that only grows into larger ones, and is otherwise read elementwise
 * (dense blocks), is made in the place of the largest: its parts are then written once. */
void hy_cpu_build_nest(hy_cpu_build *build)
{
	for (uint32_t i = build->node_count; i-- > 0;) {
		const hy_cpu_node *n = &build->nodes[i];
		int64_t channel = 0;
		if (!is_channel_concat(build, n)) continue;
		for (uint32_t k = 0; k < n->ir->input_count; k++) {
			hy_cpu_value *part = &build->values[n->inputs[k]];
			bool can_nest = part->inside == HY_CPU_NONE && part->binding == HY_CPU_NONE;
			bool is_concat = false;
			for (uint32_t m = 0; m < i; m++) {
				if (build->nodes[m].outputs[0] == n->inputs[k])
					is_concat = is_channel_concat(build, &build->nodes[m]);
			}
			for (uint32_t m = 0; m < build->node_count && is_concat && can_nest; m++) {
				const hy_cpu_node *reader = &build->nodes[m];
				for (uint32_t r = 0; r < reader->ir->input_count; r++) {
					if (reader->inputs[r] != n->inputs[k]) continue;
					can_nest = can_nest && reads_strided(build, reader) && (m != i || r == k);
				}
			}
			if (is_concat && can_nest) {
				part->inside = n->outputs[0];
				part->inside_channel = channel;
			}
			channel += part->view.type.dim[1];
		}
	}
}

hy_status hy_cpu_lower_concat(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const uint32_t axis = concat_axis(build, &n);
	const int64_t element = hy_dtype_bits(build->values[n.outputs[0]].view.type.dtype) / 8;
	hy_cpu_order order = hy_cpu_order_plain();
	hy_cpu_view whole, part;
	hy_status status = HY_OK;
	/* The order of the first input that is computed, if all have the same. */
	for (uint32_t i = 0; i < n.ir->input_count; i++) {
		if (build->values[n.inputs[i]].data != NULL) continue;
		if (hy_cpu_value_is_packed(build, n.inputs[i])) {
			order = hy_cpu_order_last(build->values[n.inputs[i]].view.type.rank);
			break;
		}
		status = hy_cpu_build_view(build, n.inputs[i], &part, error);
		if (status != HY_OK) return status;
		order = hy_cpu_order_of(&part);
		break;
	}
	bool is_nested = build->values[n.outputs[0]].inside != HY_CPU_NONE;
	for (uint32_t i = 0; i < n.ir->input_count; i++)
		is_nested = is_nested || build->values[n.inputs[i]].inside == n.outputs[0];
	if (is_nested) order = hy_cpu_order_last(build->values[n.outputs[0]].view.type.rank);
	if (build->values[n.outputs[0]].view.storage == HY_CPU_NONE) {
		status = hy_cpu_build_make(build, n.outputs[0], &order, HY_CPU_MAKE_STRIDED, &whole, error);
	} else {
		whole = build->values[n.outputs[0]].view; /* made with its first part */
	}
	for (uint32_t i = 0; i < n.ir->input_count && status == HY_OK; i++) {
		hy_cpu_view to = whole;
		to.type = build->values[n.inputs[i]].view.type;
		whole.offset += to.type.dim[axis] * whole.stride[axis] * element;
		if (hy_ir_type_elements(&to.type) > 0) status = hy_cpu_build_put(build, n.inputs[i], &to, error);
	}
	return status;
}

hy_status hy_cpu_lower_split(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const int64_t axis = hy_ir_node_attr_int(n.ir, "axis", 0);
	hy_cpu_view from;
	const hy_status status = hy_cpu_build_view(build, n.inputs[0], &from, error);
	if (status != HY_OK) return status;
	const uint32_t dim = (uint32_t)(axis < 0 ? axis + (int64_t)from.type.rank : axis);
	const int64_t element = hy_dtype_bits(from.type.dtype) / 8;
	for (uint32_t i = 0; i < n.ir->output_count; i++) {
		/* An output nobody wants has no type: only the last ones can be missing without knowing their size. */
		if (n.outputs[i] == HY_CPU_NONE) return i + 1 == n.ir->output_count ? HY_OK : HY_UNSUPPORTED;
		hy_cpu_view part = from;
		part.type = build->values[n.outputs[i]].view.type;
		hy_cpu_build_alias(build, n.outputs[i], &part);
		from.offset += part.type.dim[dim] * from.stride[dim] * element;
	}
	return HY_OK;
}

static bool integers(const hy_cpu_build *build, uint32_t value, uint32_t index, int64_t *out_number)
{
	const hy_cpu_value *v = &build->values[value];
	if (v->data == NULL || (int64_t)index >= hy_ir_type_elements(&v->view.type)) return false;
	if (v->view.type.dtype == HY_DTYPE_I64) {
		memcpy(out_number, (const char *)v->data + index * sizeof(int64_t), sizeof(int64_t));
		return true;
	}
	int32_t number;
	memcpy(&number, (const char *)v->data + index * sizeof(int32_t), sizeof(number));
	*out_number = number;
	return v->view.type.dtype == HY_DTYPE_I32;
}

static bool has_input(const hy_cpu_node *n, uint32_t input)
{
	return n->ir->input_count > input && n->inputs[input] != HY_CPU_NONE;
}

hy_status hy_cpu_lower_slice(hy_cpu_build *build, uint32_t node, hy_error *error)
{
	const hy_cpu_node n = build->nodes[node];
	const int64_t rank = build->values[n.inputs[0]].view.type.rank;
	const int64_t count = hy_ir_type_elements(&build->values[n.inputs[1]].view.type);
	int64_t starts[HY_MAX_RANK], axes[HY_MAX_RANK], steps[HY_MAX_RANK];
	if (count > (int64_t)HY_MAX_RANK) return HY_UNSUPPORTED;
	for (uint32_t i = 0; i < (uint32_t)count; i++) {
		axes[i] = i;
		steps[i] = 1;
		if (!integers(build, n.inputs[1], i, &starts[i])) return HY_UNSUPPORTED;
		if (has_input(&n, 3) && !integers(build, n.inputs[3], i, &axes[i])) return HY_UNSUPPORTED;
		if (has_input(&n, 4) && !integers(build, n.inputs[4], i, &steps[i])) return HY_UNSUPPORTED;
		if (axes[i] < 0) axes[i] += rank;
		if (axes[i] < 0 || axes[i] >= rank || steps[i] < 1) return HY_UNSUPPORTED;
	}
	hy_cpu_view from;
	const hy_status status = hy_cpu_build_view(build, n.inputs[0], &from, error);
	if (status != HY_OK) return status;
	const int64_t element = hy_dtype_bits(from.type.dtype) / 8;
	hy_cpu_view to = from;
	for (uint32_t i = 0; i < (uint32_t)count; i++) {
		const int64_t dim = from.type.dim[axes[i]];
		int64_t start = starts[i] < 0 ? starts[i] + dim : starts[i];
		start = start < 0 ? 0 : (start > dim ? dim : start);
		to.offset += start * from.stride[axes[i]] * element;
		to.stride[axes[i]] = from.stride[axes[i]] * steps[i];
	}
	hy_cpu_build_alias(build, n.outputs[0], &to);
	return HY_OK;
}
