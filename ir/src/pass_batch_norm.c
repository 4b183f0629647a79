/* Folds per-channel affine chains: BatchNormalization with constant parameters, and Mul, Add, Sub and Div with a
 * constant per channel, are all y = scale[c] * x + shift[c]. A chain of them goes into the weights of the Conv,
 * ConvTranspose or Gemm that alone feeds it; what can't, and has a BatchNormalization in it, becomes one Mul and one
 * Add, which are elementwise and fuse.
 * needs: opset 18, order, static types, folded constants. breaks: node numbers. keeps: names of what stays. */
#include "pass_rewrite.h"

#include <halyard/ir/pass.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 16 };

typedef struct affine_chain {
	hy_ir__rewrite *rewrite;
	const uint32_t *uses, *readers;
	uint32_t input; /* what the first step reads */
	uint32_t nodes[MAX_STEPS], length;
	bool has_batch_norm;
	int64_t channels;
	double *scale, *shift; /* one per channel */
} affine_chain;

static const hy_ir_type *type_of(const affine_chain *chain, uint32_t value)
{
	return &hy_ir_graph_value(chain->rewrite->graph, value)->type;
}

/* A constant that has one number, or one for each channel (dimension 1) of x. */
static bool is_per_channel(const hy_ir_graph *graph, uint32_t value, const hy_ir_type *x)
{
	const hy_ir_value *constant = hy_ir_graph_value(graph, value);
	const hy_ir_type *type = &constant->type;
	if (constant->data == NULL || type->rank > x->rank) return false;
	for (uint32_t i = 0; i < type->rank; i++) {
		const uint32_t axis = i + x->rank - type->rank;
		if (type->dim[i] != 1 && (axis != 1 || type->dim[i] != x->dim[1])) return false;
	}
	return true;
}

/* The side of a Mul, Add, Sub or Div that carries the data, when the other is constant; else HY_IR_NONE. */
static uint32_t data_side(const hy_ir_graph *graph, const hy_ir_node *node)
{
	const bool is_affine = node->op->id == HY_IR_OP_Mul || node->op->id == HY_IR_OP_Add ||
	                       node->op->id == HY_IR_OP_Sub || node->op->id == HY_IR_OP_Div;
	if (!is_affine) return HY_IR_NONE;
	const bool commutes = node->op->id == HY_IR_OP_Mul || node->op->id == HY_IR_OP_Add;
	for (uint32_t side = 0; side < (commutes ? 2u : 1u); side++) {
		const hy_ir_type *x = &hy_ir_graph_value(graph, node->inputs[side])->type;
		if (hy_ir_type_equal(x, &hy_ir_graph_value(graph, node->outputs[0])->type) &&
		    is_per_channel(graph, node->inputs[1 - side], x))
			return side;
	}
	return HY_IR_NONE;
}

static bool is_inference_norm(const hy_ir_graph *graph, const hy_ir_node *node)
{
	if (node->op->id != HY_IR_OP_BatchNormalization || hy_ir_node_attr_int(node, "training_mode", 0) != 0)
		return false;
	const hy_ir_type *x = &hy_ir_graph_value(graph, node->inputs[0])->type;
	if (!hy_ir_type_equal(x, &hy_ir_graph_value(graph, node->outputs[0])->type)) return false;
	for (uint32_t i = 1; i < 5; i++) {
		const hy_ir_value *value = hy_ir_graph_value(graph, node->inputs[i]);
		if (value->data == NULL || hy_ir_type_elements(&value->type) != x->dim[1]) return false;
	}
	return node->output_count == 1 || node->outputs[1] == HY_IR_NONE;
}

/* The value that the node maps per channel, or HY_IR_NONE when it is no such node. */
static uint32_t mapped_by(const hy_ir_graph *graph, const hy_ir_node *node)
{
	if (node->op == NULL || node->output_count == 0 || node->outputs[0] == HY_IR_NONE) return HY_IR_NONE;
	const hy_ir_type *type = &hy_ir_graph_value(graph, node->outputs[0])->type;
	if (!hy_ir_type_is_static(type) || type->rank < 2 || !hy_dtype_is_float(type->dtype)) return HY_IR_NONE;
	uint32_t x = HY_IR_NONE;
	if (is_inference_norm(graph, node)) {
		x = node->inputs[0];
	} else {
		const uint32_t side = data_side(graph, node);
		if (side != HY_IR_NONE) x = node->inputs[side];
	}
	return x != HY_IR_NONE && hy_ir_graph_value(graph, x)->data == NULL ? x : HY_IR_NONE;
}

/* ---- collecting ---- */

static double number_of(const hy_ir_graph *graph, const hy_ir_node *node, uint32_t input, int64_t channel)
{
	const hy_ir_tensor tensor = hy_ir__input_tensor(graph, node, input);
	return hy_ir__tensor_number(&tensor, hy_ir_type_elements(&tensor.type) == 1 ? 0 : channel);
}

static void apply_step(affine_chain *chain, const hy_ir_node *node)
{
	const hy_ir_graph *graph = chain->rewrite->graph;
	const double epsilon = hy_ir_node_attr_float(node, "epsilon", 1e-5f);
	const uint32_t other = node->op->id == HY_IR_OP_BatchNormalization ? 0 : 1 - data_side(graph, node);
	for (int64_t c = 0; c < chain->channels; c++) {
		double scale = 1, shift = 0;
		if (node->op->id == HY_IR_OP_BatchNormalization) {
			scale = number_of(graph, node, 1, c) / sqrt(number_of(graph, node, 4, c) + epsilon);
			shift = number_of(graph, node, 2, c) - number_of(graph, node, 3, c) * scale;
		} else if (node->op->id == HY_IR_OP_Mul) {
			scale = number_of(graph, node, other, c);
		} else if (node->op->id == HY_IR_OP_Div) {
			scale = 1 / number_of(graph, node, other, c);
		} else {
			shift = number_of(graph, node, other, c) * (node->op->id == HY_IR_OP_Sub ? -1 : 1);
		}
		chain->scale[c] *= scale;
		chain->shift[c] = chain->shift[c] * scale + shift;
	}
	chain->has_batch_norm |= node->op->id == HY_IR_OP_BatchNormalization;
}

/* The longest chain that begins with node `first`. */
static bool collect(affine_chain *chain, uint32_t first)
{
	const hy_ir_graph *graph = chain->rewrite->graph;
	const hy_ir_node *node = hy_ir_graph_node(graph, first);
	chain->input = mapped_by(graph, node);
	chain->channels = type_of(chain, chain->input)->dim[1];
	if (chain->channels <= 0) return false;
	chain->scale = malloc((size_t)chain->channels * sizeof(double));
	chain->shift = calloc((size_t)chain->channels, sizeof(double));
	if (chain->scale == NULL || chain->shift == NULL) {
		chain->rewrite->status = hy_ir__no_memory(chain->rewrite->error);
		return false;
	}
	for (int64_t c = 0; c < chain->channels; c++)
		chain->scale[c] = 1;
	for (uint32_t next = first; chain->length < MAX_STEPS;) {
		apply_step(chain, node);
		chain->nodes[chain->length++] = next;
		const uint32_t value = node->outputs[0];
		next = chain->uses[value] == 1 ? chain->readers[value] : HY_IR_NONE;
		if (next == HY_IR_NONE) break;
		node = hy_ir_graph_node(graph, next);
		if (mapped_by(graph, node) != value) break;
	}
	return true;
}

static const hy_ir_node *last_node(const affine_chain *chain)
{
	return hy_ir_graph_node(chain->rewrite->graph, chain->nodes[chain->length - 1]);
}

static void kill_steps(const affine_chain *chain)
{
	for (uint32_t i = 0; i < chain->length; i++)
		hy_ir__graph_kill(chain->rewrite->graph, chain->nodes[i]);
}

/* ---- into weights ---- */

/* A copy of the constant, scaled: element i belongs to channel (i / inner) % channels + channels * (i / block). */
typedef struct layout {
	int64_t inner, channels, block;
} layout;

static uint32_t scaled_copy(const affine_chain *chain, uint32_t source, layout at, double factor)
{
	hy_ir__rewrite *rewrite = chain->rewrite;
	const hy_ir_value old = *hy_ir_graph_value(rewrite->graph, source);
	const int64_t count = hy_ir_type_elements(&old.type);
	void *block = malloc(old.length_bytes > 0 ? old.length_bytes : 1);
	uint32_t value = HY_IR_NONE;
	if (block == NULL) {
		rewrite->status = hy_ir__no_memory(rewrite->error);
		return HY_IR_NONE;
	}
	const hy_ir_tensor from = {.type = old.type, .data = (void *)(uintptr_t)old.data};
	const hy_ir_tensor to = {.type = old.type, .data = block};
	for (int64_t i = 0; i < count; i++) {
		const int64_t channel = i / at.inner % at.channels + at.channels * (i / at.block);
		hy_ir__tensor_set_number(&to, i, hy_ir__tensor_number(&from, i) * factor * chain->scale[channel]);
	}
	if (!hy_ir__rewrite_check(rewrite,
	                          hy_ir_build_value(rewrite->graph, old.name, &old.type, &value, rewrite->error)) ||
	    !hy_ir__rewrite_check(rewrite,
	                          hy_ir__graph_set_constant(rewrite->graph, value, &old.type, block, rewrite->error))) {
		free(block);
		return HY_IR_NONE;
	}
	return value;
}

static uint32_t channel_constant(const affine_chain *chain, const char *name, const hy_ir_type *type,
                                 const double *numbers)
{
	hy_ir__rewrite *rewrite = chain->rewrite;
	uint32_t value = HY_IR_NONE;
	const hy_ir_tensor tensor = {.type = *type, .data = malloc(hy_ir_type_bytes(type))};
	if (tensor.data == NULL) {
		rewrite->status = hy_ir__no_memory(rewrite->error);
		return HY_IR_NONE;
	}
	for (int64_t c = 0; c < chain->channels; c++)
		hy_ir__tensor_set_number(&tensor, c, numbers[c]);
	if (!hy_ir__rewrite_check(rewrite, hy_ir_build_value(rewrite->graph, name, type, &value, rewrite->error)) ||
	    !hy_ir__rewrite_check(rewrite,
	                          hy_ir__graph_set_constant(rewrite->graph, value, type, tensor.data, rewrite->error)))
		free(tensor.data);
	return value;
}

/* Where the output channels lie in the weights (input 1) of the node. */
static layout weight_layout(const affine_chain *chain, const hy_ir_node *node)
{
	const hy_ir_type *weight = type_of(chain, node->inputs[1]);
	const int64_t all = hy_ir_type_elements(weight);
	if (node->op->id == HY_IR_OP_Gemm)
		return (layout){hy_ir_node_attr_int(node, "transB", 0) != 0 ? weight->dim[1] : 1, chain->channels, all};
	int64_t kernel = 1;
	for (uint32_t i = 2; i < weight->rank; i++)
		kernel *= weight->dim[i];
	if (node->op->id == HY_IR_OP_Conv) return (layout){weight->dim[1] * kernel, chain->channels, all};
	const int64_t group = hy_ir_node_attr_int(node, "group", 1);
	return (layout){kernel, weight->dim[1], all / (group > 0 ? group : 1)};
}

/* The weights are constant and have as many output channels as the chain. */
static bool has_its_channels(const affine_chain *chain, const hy_ir_node *node)
{
	const hy_ir_value *weight = hy_ir_graph_value(chain->rewrite->graph, node->inputs[1]);
	const int64_t *dim = weight->type.dim;
	if (weight->data == NULL || weight->type.rank < 2 || hy_ir_type_elements(&weight->type) == 0) return false;
	if (node->op->id == HY_IR_OP_Conv) return dim[0] == chain->channels;
	if (node->op->id == HY_IR_OP_Gemm)
		return dim[hy_ir_node_attr_int(node, "transB", 0) != 0 ? 0 : 1] == chain->channels;
	const int64_t group = hy_ir_node_attr_int(node, "group", 1);
	return group > 0 && dim[0] % group == 0 && chain->channels % group == 0 && dim[1] == chain->channels / group;
}

/* The bias is absent, one number, or one for each channel. */
static bool has_plain_bias(const affine_chain *chain, const hy_ir_node *node)
{
	if (node->input_count < 3 || node->inputs[2] == HY_IR_NONE) return true;
	const hy_ir_value *bias = hy_ir_graph_value(chain->rewrite->graph, node->inputs[2]);
	if (bias->data == NULL) return false;
	const int64_t count = hy_ir_type_elements(&bias->type);
	return count == 1 || (count == chain->channels && bias->type.dim[bias->type.rank - 1] == count);
}

/* The node that alone feeds the chain and can take it in, or HY_IR_NONE. */
static uint32_t host_of(const affine_chain *chain)
{
	const hy_ir_graph *graph = chain->rewrite->graph;
	const uint32_t number = hy_ir_graph_value(graph, chain->input)->producer;
	if (number == HY_IR_NONE || chain->uses[chain->input] != 1) return HY_IR_NONE;
	const hy_ir_node *node = hy_ir_graph_node(graph, number);
	const bool is_host = node->op != NULL &&
	                     (node->op->id == HY_IR_OP_Conv || node->op->id == HY_IR_OP_ConvTranspose ||
	                      node->op->id == HY_IR_OP_Gemm);
	return is_host && has_its_channels(chain, node) && has_plain_bias(chain, node) ? number : HY_IR_NONE;
}

static bool is_all(const affine_chain *chain, const double *numbers, double number)
{
	for (int64_t c = 0; c < chain->channels; c++)
		if (numbers[c] != number) return false;
	return true;
}

/* Only a Gemm has alpha and beta; they go into the numbers. */
static void absorb(affine_chain *chain, uint32_t host)
{
	hy_ir__rewrite *rewrite = chain->rewrite;
	const hy_ir_node node = *hy_ir_graph_node(rewrite->graph, host);
	const uint32_t result = last_node(chain)->outputs[0];
	const hy_ir_type bias_type = {
		.dtype = type_of(chain, node.inputs[1])->dtype, .rank = 1, .dim = {chain->channels}};
	const double alpha = hy_ir_node_attr_float(&node, "alpha", 1), beta = hy_ir_node_attr_float(&node, "beta", 1);
	if (node.input_count > 2 && node.inputs[2] != HY_IR_NONE)
		for (int64_t c = 0; c < chain->channels; c++)
			chain->shift[c] += number_of(rewrite->graph, &node, 2, c) * beta * chain->scale[c];
	uint32_t inputs[3] = {node.inputs[0], node.inputs[1], HY_IR_NONE};
	inputs[1] = scaled_copy(chain, node.inputs[1], weight_layout(chain, &node), alpha);
	const bool has_bias = !is_all(chain, chain->shift, 0);
	if (has_bias) inputs[2] = channel_constant(chain, "bias", &bias_type, chain->shift);
	if (rewrite->status != HY_OK) return;
	kill_steps(chain);
	if (!hy_ir__rewrite_check(
		    rewrite, hy_ir__graph_set_inputs(rewrite->graph, host, has_bias ? 3 : 2, inputs, rewrite->error)) ||
	    !hy_ir__rewrite_check(rewrite, hy_ir__graph_set_outputs(rewrite->graph, host, 1, &result, rewrite->error)))
		return;
	if (node.op->id == HY_IR_OP_Gemm) {
		const hy_ir_attr attrs[2] = {hy_ir_attr_int("transA", hy_ir_node_attr_int(&node, "transA", 0)),
		                             hy_ir_attr_int("transB", hy_ir_node_attr_int(&node, "transB", 0))};
		hy_ir__rewrite_check(rewrite, hy_ir__graph_set_attrs(rewrite->graph, host, 2, attrs, rewrite->error));
	}
	rewrite->changed = true;
}

/* ---- into Mul and Add ---- */

static void spell_out(affine_chain *chain)
{
	hy_ir__rewrite *rewrite = chain->rewrite;
	const hy_ir_node last = *last_node(chain);
	const hy_ir_type x = *type_of(chain, chain->input);
	hy_ir_type type = {.dtype = x.dtype, .rank = x.rank - 1, .dim = {chain->channels}};
	for (uint32_t i = 1; i < type.rank; i++)
		type.dim[i] = 1;
	const bool adds = !is_all(chain, chain->shift, 0), multiplies = !adds || !is_all(chain, chain->scale, 1);
	hy_ir__op mul = {.type = "Mul", .name = last.name, .input_count = 2, .inputs = {chain->input}};
	hy_ir__op add = {.type = "Add", .name = last.name, .input_count = 2, .inputs = {chain->input}};
	if (multiplies) mul.inputs[1] = channel_constant(chain, "scale", &type, chain->scale);
	if (adds) add.inputs[1] = channel_constant(chain, "shift", &type, chain->shift);
	kill_steps(chain);
	if (!adds) {
		hy_ir__rewrite_op_into(rewrite, &mul, last.outputs[0]);
		return;
	}
	if (multiplies) add.inputs[0] = hy_ir__rewrite_op(rewrite, &mul);
	hy_ir__rewrite_op_into(rewrite, &add, last.outputs[0]);
}

/* ---- the walk ---- */

/* True when the node has been dealt with. */
static bool visit(hy_ir__rewrite *rewrite, uint32_t number, const uint32_t *uses, const uint32_t *readers)
{
	if (mapped_by(rewrite->graph, hy_ir_graph_node(rewrite->graph, number)) == HY_IR_NONE) return false;
	affine_chain chain = {.rewrite = rewrite, .uses = uses, .readers = readers};
	bool done = collect(&chain, number);
	if (done) {
		const uint32_t host = host_of(&chain);
		if (host != HY_IR_NONE)
			absorb(&chain, host);
		else if (chain.has_batch_norm || chain.length > 2)
			spell_out(&chain);
		else
			done = false;
	}
	free(chain.scale);
	free(chain.shift);
	return done;
}

/* For each value the last node that reads it: the only one, where it is used once. */
static void find_readers(const hy_ir_graph *graph, uint32_t *readers)
{
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++)
		readers[i] = HY_IR_NONE;
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, i);
		for (uint32_t k = 0; k < node->input_count; k++)
			if (node->inputs[k] != HY_IR_NONE) readers[node->inputs[k]] = i;
	}
}

hy_status hy_ir_pass_batch_norm(hy_ir_graph *graph, bool *out_changed, hy_error *error)
{
	const size_t room = (hy_ir_graph_value_count(graph) + 1u) * sizeof(uint32_t);
	uint32_t *uses = malloc(room), *readers = malloc(room);
	hy_ir__rewrite rewrite;
	hy_ir__rewrite_init(&rewrite, graph, error);
	if (uses == NULL || readers == NULL) {
		free(uses);
		free(readers);
		return hy_ir__no_memory(error);
	}
	hy_ir__graph_count_uses(graph, uses);
	find_readers(graph, readers);
	const uint32_t count = hy_ir_graph_node_count(graph);
	for (uint32_t i = 0; i < count && rewrite.status == HY_OK; i++)
		if (!hy_ir__graph_is_dead(graph, i) && !visit(&rewrite, i, uses, readers))
			hy_ir__rewrite_keep(&rewrite, i);
	free(uses);
	free(readers);
	return hy_ir__rewrite_finish(&rewrite, out_changed);
}
