/* One run of a program. */
#include "frame.h"

#include "devices.h"

#include <stdlib.h>

hy_status hy_sched__frame_init(hy_sched__frame *frame, const hy_sched__device *device, const hy_ir_graph *graph,
                               const hy_sched__part *part, hy_error *error)
{
	const uint32_t count = part->input_count + part->output_count;
	const hy_sched__frame made = {
		.device = device->hal,
		.binds_host = hy_sched__device_binds_host(device),
		.align = device->description->info.binding_align > 0 ? device->description->info.binding_align : 1,
		.input_count = part->input_count,
		.binding_count = count,
		.lengths = calloc(count + 1, sizeof(*made.lengths)),
		.bindings = calloc(count + 1, sizeof(*made.bindings)),
		.staging = calloc(count + 1, sizeof(hy_hal_buffer *)),
		.commands = calloc(2 * count + 1, sizeof(*made.commands)),
	};
	*frame = made;
	if (made.lengths == NULL || made.bindings == NULL || made.staging == NULL || made.commands == NULL) {
		hy_sched__frame_finish(frame);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for a request");
	}
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t value = i < part->input_count ? part->inputs[i] : part->outputs[i - part->input_count];
		made.lengths[i] = hy_ir_type_bytes(&hy_ir_graph_value(graph, value)->type);
	}
	return HY_OK;
}

void hy_sched__frame_finish(hy_sched__frame *frame)
{
	for (uint32_t i = 0; frame->staging != NULL && i < frame->binding_count; i++)
		hy_hal_buffer_destroy(frame->staging[i]);
	free(frame->lengths);
	free(frame->bindings);
	free(frame->staging);
	free(frame->commands);
	const hy_sched__frame none = {0};
	*frame = none;
}

static bool usable_in_place(const hy_sched__frame *frame, const void *host)
{
	return frame->binds_host && (uintptr_t)host % frame->align == 0;
}

static hy_status stage(hy_sched__frame *frame, uint32_t binding, hy_error *error)
{
	if (frame->staging[binding] != NULL) return HY_OK;
	return hy_hal_buffer_create(frame->device, frame->lengths[binding], &frame->staging[binding], error);
}

hy_status hy_sched__frame_bind(hy_sched__frame *frame, void *const *hosts, const hy_hal_program *program,
                               const hy_ref *workspace, uint32_t *out_command_count, hy_error *error)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < frame->binding_count; i++) {
		const hy_ref host = hy_hal_host_ref(hosts[i], frame->lengths[i]);
		if (usable_in_place(frame, hosts[i]) || frame->lengths[i] == 0) {
			frame->bindings[i] = host;
			continue;
		}
		const hy_status status = stage(frame, i, error);
		if (status != HY_OK) return status;
		frame->bindings[i] = hy_hal_buffer_ref(frame->staging[i]);
		frame->bindings[i].length = frame->lengths[i];
		if (i >= frame->input_count) continue;
		const hy_command copy = {.kind = HY_COMMAND_COPY, .target = frame->bindings[i], .source = host};
		frame->commands[count++] = copy;
	}
	const hy_command run = {.kind = HY_COMMAND_EXEC,
	                        .binding_count = frame->binding_count,
	                        .exe = hy_hal_program_exe(program),
	                        .bindings = frame->bindings,
	                        .workspace = *workspace};
	frame->copy_in_count = count;
	frame->commands[count++] = run;
	for (uint32_t i = frame->input_count; i < frame->binding_count; i++) {
		if (frame->bindings[i].buffer == NULL) continue;
		const hy_command copy = {.kind = HY_COMMAND_COPY,
		                         .target = hy_hal_host_ref(hosts[i], frame->lengths[i]),
		                         .source = frame->bindings[i]};
		frame->commands[count++] = copy;
	}
	frame->copy_out_count = count - frame->copy_in_count - 1;
	*out_command_count = count;
	return HY_OK;
}
