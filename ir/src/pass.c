/* The order of the passes. */
#include "graph.h"

#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include <stdlib.h>
#include <string.h>

static const struct step {
	const char *name;
	hy_ir_pass pass;
	uint32_t unless; /* HY_IR_PREPARE_*: left out when any of these is asked for */
} steps[] = {
	{"upgrade", hy_ir_pass_upgrade, 0},
	{"infer", hy_ir_pass_infer, 0},
	{"dce", hy_ir_pass_dce, 0},
	{"fold", hy_ir_pass_fold, HY_IR_PREPARE_NO_FOLD},
	{"simplify", hy_ir_pass_simplify, 0},
	{"batch_norm", hy_ir_pass_batch_norm, HY_IR_PREPARE_NO_FOLD | HY_IR_PREPARE_NO_FUSE},
	{"dce", hy_ir_pass_dce, 0},
	{"fold", hy_ir_pass_fold, HY_IR_PREPARE_NO_FOLD},
	{"simplify", hy_ir_pass_simplify, 0},
	{"dce", hy_ir_pass_dce, 0},
	{"infer", hy_ir_pass_infer, 0},
	{"fuse", hy_ir_pass_fuse, HY_IR_PREPARE_NO_FUSE},
	{"dce", hy_ir_pass_dce, HY_IR_PREPARE_NO_FUSE},
};

#ifndef NDEBUG
#define CHECKED_TEXT_BYTES (1u << 16) /* of constants that one round trip prints in full */

static bool is_small(const hy_ir_graph *graph)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++)
		bytes += hy_ir_graph_value(graph, i)->length_bytes;
	return bytes <= CHECKED_TEXT_BYTES;
}

/* Debug builds: what a pass left prints, parses, and prints the same again. */
static hy_status check_text(const hy_ir_graph *graph, hy_error *error)
{
	char *first = NULL, *second = NULL;
	hy_ir_graph *parsed = NULL;
	if (!is_small(graph)) return HY_OK;
	hy_status status = hy_ir_text_print(graph, HY_IR_TEXT_FULL, &first, error);
	if (status == HY_OK) status = hy_ir_text_parse("round trip", first, strlen(first), &parsed, error);
	if (status == HY_OK) status = hy_ir_text_print(parsed, HY_IR_TEXT_FULL, &second, error);
	if (status == HY_OK && strcmp(first, second) != 0)
		status = hy_error_set(error, HY_INTERNAL, "a graph does not print as it parses");
	free(first);
	free(second);
	hy_ir_graph_destroy(parsed);
	return status;
}
#else
static hy_status check_text(const hy_ir_graph *graph, hy_error *error)
{
	(void)graph;
	(void)error;
	return HY_OK;
}
#endif

static hy_status run(hy_ir_graph *graph, const struct step *step, hy_error *error)
{
	bool changed = false;
	hy_status status = step->pass(graph, &changed, error);
	if (status != HY_OK) return status;
	status = hy_ir_verify(graph, error);
	if (status == HY_OK) status = check_text(graph, error);
	if (status != HY_OK) return hy_ir__error_within(error, HY_INTERNAL, "pass %s", step->name);
	return HY_OK;
}

/* The symbolic dimension that a caller can bind, or NULL. */
static const char *unbound_dim(const hy_ir_graph *graph)
{
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++) {
		const hy_ir_value *input = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i]);
		for (uint32_t k = 0; input->type.rank != HY_IR_RANK_UNKNOWN && k < input->type.rank; k++)
			if (input->type.dim[k] == HY_IR_DIM_UNKNOWN && input->dim_names[k] != NULL)
				return input->dim_names[k];
	}
	return NULL;
}

static hy_status check_static(const hy_ir_graph *graph, hy_error *error)
{
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++) {
		const hy_ir_value *value = hy_ir_graph_value(graph, i);
		if (value->type.dtype != HY_DTYPE_NONE && hy_ir_type_is_static(&value->type)) continue;
		char type[128];
		const char *dim = unbound_dim(graph);
		return hy_error_set(error, HY_INVALID, "%s: the shape of '%.*s' (%s) is not known: %s%.*s%s",
		                    hy_ir_graph_name(graph), HY_IR__NAME_LIMIT, value->name,
		                    hy_ir_type_print(&value->type, type, sizeof(type)),
		                    dim != NULL ? "give dimension '" : "bind the graph inputs that it is computed from",
		                    HY_IR__NAME_LIMIT, dim != NULL ? dim : "", dim != NULL ? "' a number" : "");
	}
	return HY_OK;
}

hy_status hy_ir_prepare(hy_ir_graph *graph, uint32_t flags, hy_error *error)
{
	hy_status status = hy_ir_verify(graph, error);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && status == HY_OK; i++) {
		if (steps[i].pass == hy_ir_pass_fuse) status = check_static(graph, error);
		if (status == HY_OK && (steps[i].unless & flags) == 0) status = run(graph, &steps[i], error);
	}
	return status;
}
