/* The lowering from a graph to a program, and the query, which lowers one node alone. */
#include "emit.h"
#include "handler.h"
#include "template.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool hy_kernels__grow(hy_kernels__lower *lower, void **items, uint32_t count, uint32_t *room, size_t size)
{
	if (lower->failed) return false;
	if (count < *room) return true;
	const uint32_t wanted = count < 16 ? 16 : count * 2;
	void *grown = realloc(*items, wanted * size);
	if (grown == NULL) {
		lower->failed = true;
		return false;
	}
	*items = grown;
	*room = wanted;
	return true;
}

hy_status hy_kernels__refuse(hy_kernels__lower *lower, const hy_kernels__node *node, hy_reason reason,
                             const char *format, ...)
{
	char text[256];
	va_list list;
	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	lower->reason = reason;
	return hy_error_set(lower->error, HY_UNSUPPORTED, "node '%s' (%s): %s", node->ir->name, node->ir->type, text);
}

/* Every output lies in its binding: views, constants and blocked values are copied there. */
static void settle_outputs(hy_kernels__lower *lower)
{
	for (uint32_t i = 0; i < lower->output_count && !lower->failed; i++) {
		const uint32_t value = lower->outputs[i];
		if (value == HY_IR_NONE) continue;
		const hy_kernels__place from = hy_kernels__need(lower, value, FORM_PLAIN, 0);
		if (lower->failed) return;
		const hy_kernels__storage *storage = &lower->storages[from.storage];
		const uint32_t binding = lower->input_count + i;
		if (storage->kind == HY_KERNELS_BINDING && storage->index == binding) continue;
		hy_kernels__copy(lower, from, hy_kernels__binding(lower, binding),
		                 hy_ir_type_bytes(&lower->values[value].type));
	}
}

/* Arguments name storages until here; from now on bindings, constants and offsets in the arena. */
static void resolve_args(hy_kernels__lower *lower)
{
	hy_kernels_program *program = lower->program;
	for (uint32_t i = 0; i < program->arg_count; i++) {
		hy_kernels_arg *arg = &program->args[i];
		if (arg->kind == HY_KERNELS_INT) continue;
		const hy_kernels__storage *storage = &lower->storages[arg->index];
		arg->index = storage->index;
		arg->offset += storage->offset;
	}
}

static void take_source(hy_kernels__lower *lower)
{
	hy_kernels__text whole = {0};
	for (const hy_kernels__template *row = hy_kernels__templates; row->name != NULL; row++)
		if (strcmp(row->name, "prelude") == 0) hy_kernels__text_append(&whole, row->text, strlen(row->text));
	if (lower->source.data != NULL) hy_kernels__text_append(&whole, lower->source.data, lower->source.length);
	if (whole.failed || lower->source.failed) lower->failed = true;
	lower->program->source = whole.data;
	lower->program->source_length = whole.length;
}

static void finish(hy_kernels__lower *lower)
{
	for (uint32_t i = 0; lower->kernels != NULL && i < lower->program->kernel_count; i++)
		hy_kernels__text_finish(&lower->kernels[i].text);
	for (uint32_t i = 0; i < lower->list_count; i++)
		free(lower->lists[i]);
	free(lower->lists);
	free(lower->kernels);
	free(lower->values);
	free(lower->nodes);
	free(lower->groups);
	free(lower->storages);
	hy_kernels__text_finish(&lower->source);
}

/* Lowers the graph or one node of it. */
static hy_status run(hy_kernels__lower *lower, uint32_t only)
{
	hy_status status = hy_kernels__flatten(lower, only);
	if (status == HY_OK) status = hy_kernels__check_nodes(lower);
	if (status == HY_OK) {
		hy_kernels__layout(lower);
		status = hy_kernels__lower_groups(lower);
	}
	if (status == HY_OK) {
		settle_outputs(lower);
		hy_kernels__arena(lower);
		resolve_args(lower);
		take_source(lower);
	}
	if (lower->failed) status = hy_error_set(lower->error, HY_NO_MEMORY, "out of memory while generating kernels");
	finish(lower);
	return status;
}

hy_status hy_kernels_lower(const hy_ir_graph *graph, const hy_kernels_options *options,
                           hy_kernels_program **out_program, hy_error *error)
{
	hy_kernels_program *program = calloc(1, sizeof(*program));
	if (program == NULL) return hy_error_set(error, HY_NO_MEMORY, "out of memory while generating kernels");
	hy_kernels__lower lower = {.graph = graph, .options = options, .program = program, .error = error};
	const hy_status status = run(&lower, HY_IR_NONE);
	if (status != HY_OK) {
		hy_kernels_program_destroy(program);
		return status;
	}
	*out_program = program;
	return HY_OK;
}

hy_verdict hy_kernels_query(const hy_ir_graph *graph, uint32_t node, const hy_kernels_options *options, hy_error *error)
{
	hy_kernels_program *program = calloc(1, sizeof(*program));
	if (program == NULL) {
		hy_error_set(error, HY_NO_MEMORY, "out of memory while generating kernels");
		return (hy_verdict){HY_NO, HY_REASON_MEMORY};
	}
	hy_kernels__lower lower = {
		.graph = graph, .options = options, .program = program, .error = error, .reason = HY_REASON_MEMORY};
	const hy_status status = run(&lower, node);
	hy_kernels_program_destroy(program);
	if (status == HY_OK) return (hy_verdict){HY_YES, HY_REASON_NONE};
	return (hy_verdict){HY_NO, (uint16_t)lower.reason};
}

void hy_kernels_program_drop_constants(hy_kernels_program *program)
{
	for (uint32_t i = 0; i < program->constant_count; i++) {
		free(program->constants[i].data);
		program->constants[i].data = NULL;
	}
}

void hy_kernels_program_destroy(hy_kernels_program *program)
{
	if (program == NULL) return;
	hy_kernels_program_drop_constants(program);
	free(program->source);
	free(program->kernel_names);
	free(program->launches);
	free(program->args);
	free(program->constants);
	free(program);
}
