/* The frame of a pass: see pass_rewrite.h. */
#include "pass_rewrite.h"

#include <halyard/ir/infer.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hy_ir__rewrite_init(hy_ir__rewrite *rewrite, hy_ir_graph *graph, hy_error *error)
{
	*rewrite = (hy_ir__rewrite){.graph = graph, .error = error};
}

hy_status hy_ir__rewrite_finish(hy_ir__rewrite *rewrite, bool *out_changed)
{
	if (rewrite->status == HY_OK)
		rewrite->status = hy_ir__graph_order(rewrite->graph, rewrite->order_count, rewrite->order,
		                                     rewrite->error);
	free(rewrite->order);
	rewrite->order = NULL;
	if (rewrite->status == HY_OK && out_changed != NULL) *out_changed = rewrite->changed;
	return rewrite->status;
}

bool hy_ir__rewrite_check(hy_ir__rewrite *rewrite, hy_status status)
{
	if (rewrite->status == HY_OK) rewrite->status = status;
	return rewrite->status == HY_OK;
}

void hy_ir__rewrite_fail(hy_ir__rewrite *rewrite, hy_status status, const hy_ir_node *node, const char *why)
{
	if (rewrite->status != HY_OK) return;
	rewrite->status = hy_error_set(rewrite->error, status, "%s: node '%s' (%s, opset %u): %s",
	                               hy_ir_graph_name(rewrite->graph), node->name, node->type, node->version, why);
}

void hy_ir__rewrite_keep(hy_ir__rewrite *rewrite, uint32_t node)
{
	if (rewrite->status != HY_OK) return;
	if (!hy_ir__grow(&rewrite->order, rewrite->order_count, &rewrite->order_room, sizeof(rewrite->order[0]))) {
		rewrite->status = hy_ir__no_memory(rewrite->error);
		return;
	}
	rewrite->order[rewrite->order_count++] = node;
}

void hy_ir__rewrite_op_into(hy_ir__rewrite *rewrite, const hy_ir__op *op, uint32_t output)
{
	if (rewrite->status != HY_OK) return;
	const hy_ir_node_options options = {.type = op->type,
	                                    .name = op->name,
	                                    .input_count = op->input_count,
	                                    .inputs = op->inputs,
	                                    .output_count = 1,
	                                    .outputs = &output,
	                                    .attr_count = op->attr_count,
	                                    .attrs = op->attrs};
	uint32_t node;
	if (!hy_ir__rewrite_check(rewrite, hy_ir_build_node(rewrite->graph, &options, &node, rewrite->error))) return;
	rewrite->changed = true;
	hy_ir__rewrite_keep(rewrite, node);
	hy_ir__rewrite_infer(rewrite, node);
}

uint32_t hy_ir__rewrite_op(hy_ir__rewrite *rewrite, const hy_ir__op *op)
{
	if (rewrite->status != HY_OK) return HY_IR_NONE;
	uint32_t output;
	const hy_status status = hy_ir_build_value(rewrite->graph, op->name, NULL, &output, rewrite->error);
	if (!hy_ir__rewrite_check(rewrite, status)) return HY_IR_NONE;
	hy_ir__rewrite_op_into(rewrite, op, output);
	return rewrite->status == HY_OK ? output : HY_IR_NONE;
}

uint32_t hy_ir__rewrite_ints(hy_ir__rewrite *rewrite, const char *name, uint32_t count, const int64_t *values)
{
	if (rewrite->status != HY_OK) return HY_IR_NONE;
	const hy_ir_type type = {.dtype = HY_DTYPE_I64, .rank = 1, .dim = {count}};
	uint32_t value;
	const hy_status status = hy_ir_build_constant(rewrite->graph, name, &type, values, &value, rewrite->error);
	return hy_ir__rewrite_check(rewrite, status) ? value : HY_IR_NONE;
}

uint32_t hy_ir__rewrite_scalar(hy_ir__rewrite *rewrite, const char *name, hy_dtype dtype, double number)
{
	if (rewrite->status != HY_OK) return HY_IR_NONE;
	uint64_t room = 0;
	const hy_ir_tensor tensor = {.type = {.dtype = dtype}, .data = &room};
	hy_ir__tensor_set_number(&tensor, 0, number);
	uint32_t value;
	const hy_status status = hy_ir_build_constant(rewrite->graph, name, &tensor.type, &room, &value,
	                                              rewrite->error);
	return hy_ir__rewrite_check(rewrite, status) ? value : HY_IR_NONE;
}

/* ---- inference on the way ---- */

hy_ir_tensor hy_ir__input_tensor(const hy_ir_graph *graph, const hy_ir_node *node, uint32_t input)
{
	hy_ir_tensor tensor = {.type = {.dtype = HY_DTYPE_NONE}};
	if (input >= node->input_count || node->inputs[input] == HY_IR_NONE) return tensor;
	const hy_ir_value *value = hy_ir_graph_value(graph, node->inputs[input]);
	tensor.type = value->type;
	memcpy(&tensor.data, &value->data, sizeof(tensor.data)); /* read only from here on */
	return tensor;
}

static void merge_type(hy_ir_type *known, const hy_ir_type *found)
{
	if (known->dtype == HY_DTYPE_NONE) known->dtype = found->dtype;
	if (found->rank == HY_IR_RANK_UNKNOWN) return;
	if (known->rank == HY_IR_RANK_UNKNOWN) {
		known->rank = found->rank;
		memcpy(known->dim, found->dim, sizeof(known->dim));
	}
	for (uint32_t i = 0; i < known->rank && known->rank == found->rank; i++)
		if (known->dim[i] == HY_IR_DIM_UNKNOWN) known->dim[i] = found->dim[i];
}

static void store_type(hy_ir__rewrite *rewrite, const hy_ir_node *node, uint32_t value, const hy_ir_type *found)
{
	hy_ir_type type = hy_ir_graph_value(rewrite->graph, value)->type;
	if (!hy_ir__type_fits(&type, found)) {
		char declared[96], inferred[96], why[256];
		snprintf(why, sizeof(why), "output '%.40s' is declared %s but is %s",
		         hy_ir_graph_value(rewrite->graph, value)->name,
		         hy_ir_type_print(&type, declared, sizeof(declared)),
		         hy_ir_type_print(found, inferred, sizeof(inferred)));
		hy_ir__rewrite_fail(rewrite, HY_INVALID, node, why);
		return;
	}
	merge_type(&type, found);
	const char *fault = hy_ir__type_fault(&type);
	if (fault != NULL)
		hy_ir__rewrite_fail(rewrite, HY_INVALID, node, fault);
	else
		hy_ir__graph_set_type(rewrite->graph, value, &type);
}

void hy_ir__rewrite_infer(hy_ir__rewrite *rewrite, uint32_t number)
{
	if (rewrite->status != HY_OK) return;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, number);
	hy_ir_tensor *inputs = calloc(node.input_count + 1u, sizeof(*inputs));
	hy_ir_type *types = calloc(node.output_count + 1u, sizeof(*types));
	if (inputs == NULL || types == NULL) {
		rewrite->status = hy_ir__no_memory(rewrite->error);
		goto done;
	}
	for (uint32_t i = 0; i < node.input_count; i++)
		inputs[i] = hy_ir__input_tensor(rewrite->graph, &node, i);
	if (!hy_ir__rewrite_check(rewrite, hy_ir_infer_node(&node, inputs, types, rewrite->error))) goto done;
	for (uint32_t i = 0; i < node.output_count; i++)
		if (node.outputs[i] != HY_IR_NONE) store_type(rewrite, &node, node.outputs[i], &types[i]);
done:
	free(inputs);
	free(types);
}

/* ---- numbers of constants ---- */

double hy_ir__tensor_number(const hy_ir_tensor *tensor, int64_t index)
{
	switch (tensor->type.dtype) {
	case HY_DTYPE_F32:
		return ((const float *)tensor->data)[index];
	case HY_DTYPE_F64:
		return ((const double *)tensor->data)[index];
	case HY_DTYPE_F16:
		return hy_f16_to_float(((const uint16_t *)tensor->data)[index]);
	case HY_DTYPE_BF16:
		return hy_bf16_to_float(((const uint16_t *)tensor->data)[index]);
	case HY_DTYPE_I8:
		return ((const int8_t *)tensor->data)[index];
	case HY_DTYPE_U8:
	case HY_DTYPE_BOOL:
		return ((const uint8_t *)tensor->data)[index];
	case HY_DTYPE_I16:
		return ((const int16_t *)tensor->data)[index];
	case HY_DTYPE_U16:
		return ((const uint16_t *)tensor->data)[index];
	case HY_DTYPE_I32:
		return ((const int32_t *)tensor->data)[index];
	case HY_DTYPE_U32:
		return ((const uint32_t *)tensor->data)[index];
	case HY_DTYPE_I64:
		return (double)((const int64_t *)tensor->data)[index];
	case HY_DTYPE_U64:
		return (double)((const uint64_t *)tensor->data)[index];
	}
	return 0;
}

/* The nearest number that an integer of this type can hold; NaN is 0. */
static double fit(hy_dtype dtype, double value)
{
	const int bits = (int)hy_dtype_bits(dtype);
	const bool has_sign = dtype == HY_DTYPE_I8 || dtype == HY_DTYPE_I16 || dtype == HY_DTYPE_I32 ||
	                      dtype == HY_DTYPE_I64;
	const double end = ldexp(1, has_sign ? bits - 1 : bits), begin = has_sign ? -end : 0;
	if (isnan(value)) return 0;
	if (value >= end) return nextafter(end, 0);
	return value < begin ? begin : value;
}

void hy_ir__tensor_set_number(const hy_ir_tensor *tensor, int64_t index, double value)
{
	if (!hy_dtype_is_float(tensor->type.dtype)) value = fit(tensor->type.dtype, value);
	switch (tensor->type.dtype) {
	case HY_DTYPE_F32:
		((float *)tensor->data)[index] = (float)value;
		break;
	case HY_DTYPE_F64:
		((double *)tensor->data)[index] = value;
		break;
	case HY_DTYPE_F16:
		((uint16_t *)tensor->data)[index] = hy_f16_from_float((float)value);
		break;
	case HY_DTYPE_BF16:
		((uint16_t *)tensor->data)[index] = hy_bf16_from_float((float)value);
		break;
	case HY_DTYPE_I8:
		((int8_t *)tensor->data)[index] = (int8_t)value;
		break;
	case HY_DTYPE_U8:
	case HY_DTYPE_BOOL:
		((uint8_t *)tensor->data)[index] = (uint8_t)value;
		break;
	case HY_DTYPE_I16:
		((int16_t *)tensor->data)[index] = (int16_t)value;
		break;
	case HY_DTYPE_U16:
		((uint16_t *)tensor->data)[index] = (uint16_t)value;
		break;
	case HY_DTYPE_I32:
		((int32_t *)tensor->data)[index] = (int32_t)value;
		break;
	case HY_DTYPE_U32:
		((uint32_t *)tensor->data)[index] = (uint32_t)value;
		break;
	case HY_DTYPE_I64:
		((int64_t *)tensor->data)[index] = (int64_t)value;
		break;
	case HY_DTYPE_U64:
		((uint64_t *)tensor->data)[index] = (uint64_t)value;
		break;
	}
}
