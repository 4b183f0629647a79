/* What strips need to run: programs, queues, and memory for every piece. */
#include "capability.h"
#include "devices.h"
#include "notes.h"
#include "strips.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 4096u

static hy_status out_of_memory(hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY, "no memory for strips");
}

/* ---- programs ---- */

static hy_status refused(const hy_sched_plan *plan, const hy_sched__step *step, uint32_t node,
                         const hy_sched__verdict *verdict, hy_error *error)
{
	const hy_ir_node *it = hy_ir_graph_node(step->graph, node);
	return hy_error_set(error, HY_UNSUPPORTED, "%s does not run a strip of '%s' (%s): %s",
	                    plan->devices[step->strips->strips[step->strip].device].id, it->name, it->type,
	                    hy_sched__reason_text(verdict->reason));
}

/* Writes the blob; regions that the device wants as their bodies come apart. */
static hy_status write_blob(hy_sched__step *step, const hy_sched_plan *plan, hy_hal_device *device, hy_error *error)
{
	const uint32_t count = hy_ir_graph_node_count(step->graph);
	hy_sched__verdict *verdicts = calloc(count + 1u, sizeof(*verdicts));
	bool *chosen = calloc(count + 1u, sizeof(*chosen)), some = false;
	hy_status status = verdicts != NULL && chosen != NULL ? HY_OK : out_of_memory(error);
	if (status == HY_OK)
		status = hy_ir_blob_create(step->graph, 0, count, &step->blob, NULL, NULL, NULL, NULL, error);
	if (status == HY_OK) status = hy_sched__capability(device, step->graph, step->blob.graph, verdicts, error);
	for (uint32_t n = 0; n < count && status == HY_OK; n++) {
		if (verdicts[n].answer == HY_SCHED__NO) status = refused(plan, step, n, &verdicts[n], error);
		some |= chosen[n] = verdicts[n].answer == HY_SCHED__UNFUSED;
	}
	if (status == HY_OK && some) {
		hy_ir_blob_finish(&step->blob);
		status = hy_ir_graph_unfuse(step->graph, chosen, NULL, error);
		if (status == HY_OK)
			status = hy_ir_blob_create(step->graph, 0, hy_ir_graph_node_count(step->graph), &step->blob,
			                           NULL, NULL, NULL, NULL, error);
	}
	free(verdicts);
	free(chosen);
	return status;
}

static hy_status load_program(hy_sched__step *step, hy_sched_plan *plan, uint64_t *workspace, hy_error *error)
{
	hy_sched__strip *strip = &step->strips->strips[step->strip];
	hy_hal_device *device = plan->devices[strip->device].hal;
	hy_status status = write_blob(step, plan, device, error);
	if (status == HY_OK)
		status = hy_hal_program_create(device, step->blob.graph, step->blob.constants,
		                               step->blob.constant_count, NULL, 0, &step->program, error);
	if (status != HY_OK) return status;
	const hy_exe_info *info = hy_hal_program_info(step->program);
	strip->launches += info->launches;
	strip->reference_launches += info->reference_launches;
	strip->constant_bytes += info->constant_bytes;
	if (info->workspace_bytes > *workspace) *workspace = info->workspace_bytes;
	return HY_OK;
}

static hy_status load_programs(hy_sched__strips *strips, hy_sched_plan *plan, hy_error *error)
{
	uint64_t workspace[HY_SCHED__MOST_DEVICES] = {0};
	hy_status status = HY_OK;
	for (uint32_t d = 0; d < strips->split.device_count && status == HY_OK; d++)
		status = hy_sched__devices_open(plan, strips->strips[d].device, error);
	for (uint32_t s = 0; s < strips->step_count && status == HY_OK; s++)
		status = load_program(&strips->steps[s], plan, &workspace[strips->steps[s].strip], error);
	for (uint32_t d = 0; d < strips->split.device_count && status == HY_OK; d++) {
		hy_sched__strip *strip = &strips->strips[d];
		hy_hal_device *device = plan->devices[strip->device].hal;
		strip->activation_bytes += workspace[d];
		strip->ready = calloc(strips->step_count + 1u, sizeof(*strip->ready));
		if (strip->ready == NULL) return out_of_memory(error);
		if (workspace[d] > 0) status = hy_hal_buffer_create(device, workspace[d], &strip->workspace, error);
		if (status == HY_OK) status = hy_hal_queue_open(device, HY_QUEUE_COMPUTE, &strip->queue, error);
	}
	return status;
}

/* ---- memory ---- */

static hy_status load_piece(hy_sched__strips *strips, hy_sched__strip_piece *piece, hy_error *error)
{
	piece->at = calloc(strips->split.device_count, sizeof(hy_hal_buffer *));
	piece->host = aligned_alloc(PAGE_BYTES, (piece->length + PAGE_BYTES) / PAGE_BYTES * PAGE_BYTES);
	return piece->at != NULL && piece->host != NULL ? HY_OK : out_of_memory(error);
}

/* Where a strip's device has the piece. */
static hy_status locate(hy_sched__strips *strips, const hy_sched_plan *plan, uint32_t number, uint32_t d,
                        hy_ref *out_ref, hy_error *error)
{
	hy_sched__strip_piece *piece = &strips->pieces[number];
	const hy_sched__device *device = &plan->devices[strips->strips[d].device];
	*out_ref = hy_hal_host_ref(piece->host, piece->length);
	if (hy_sched__device_binds_host(device) && device->description->info.binding_align <= PAGE_BYTES) return HY_OK;
	if (piece->at[d] == NULL) {
		const hy_status status = hy_hal_buffer_create(device->hal, piece->length, &piece->at[d], error);
		if (status != HY_OK) return status;
		strips->strips[d].activation_bytes += piece->length;
	}
	*out_ref = hy_hal_buffer_ref(piece->at[d]);
	out_ref->length = piece->length;
	return HY_OK;
}

static void add_copy(hy_sched__step *step, hy_ref target, hy_ref source)
{
	const hy_command copy = {.kind = HY_COMMAND_COPY, .target = target, .source = source};
	step->commands[step->command_count++] = copy;
}

/* Copies in, the program, copies out; the same for every request. */
static hy_status load_commands(hy_sched__step *step, const hy_sched_plan *plan, hy_error *error)
{
	hy_sched__strips *strips = step->strips;
	const hy_sched__strip *strip = &strips->strips[step->strip];
	const uint32_t count = step->input_count + step->output_count;
	step->bindings = calloc(count + 1u, sizeof(*step->bindings));
	step->commands = calloc(count + 1u, sizeof(*step->commands));
	if (step->bindings == NULL || step->commands == NULL) return out_of_memory(error);
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < count && status == HY_OK; i++)
		status = locate(strips, plan,
		                i < step->input_count ? step->inputs[i] : step->outputs[i - step->input_count],
		                step->strip, &step->bindings[i], error);
	if (status != HY_OK) return status;
	for (uint32_t i = 0; i < step->input_count; i++) {
		const hy_sched__strip_piece *piece = &strips->pieces[step->inputs[i]];
		const bool own = piece->group != HY_IR_NONE && piece->strip == step->strip;
		if (piece->at[step->strip] != NULL && !own)
			add_copy(step, step->bindings[i], hy_hal_host_ref(piece->host, piece->length));
	}
	hy_command run = {.kind = HY_COMMAND_EXEC,
	                  .binding_count = count,
	                  .exe = hy_hal_program_exe(step->program),
	                  .bindings = step->bindings};
	if (strip->workspace != NULL) run.workspace = hy_hal_buffer_ref(strip->workspace);
	step->commands[step->command_count++] = run;
	for (uint32_t i = 0; i < step->output_count; i++) {
		const hy_sched__strip_piece *piece = &strips->pieces[step->outputs[i]];
		if (piece->at[step->strip] != NULL && piece->to_host)
			add_copy(step, hy_hal_host_ref(piece->host, piece->length),
			         step->bindings[step->input_count + i]);
	}
	return HY_OK;
}

/* ---- all of it ---- */

hy_status hy_sched__strips_load(hy_sched__strips *strips, hy_sched_plan *plan, hy_error *error)
{
	if (strips->loaded) return HY_OK;
	hy_status status = load_programs(strips, plan, error);
	for (uint32_t p = 0; p < strips->piece_count && status == HY_OK; p++)
		status = load_piece(strips, &strips->pieces[p], error);
	for (uint32_t s = 0; s < strips->step_count && status == HY_OK; s++)
		status = load_commands(&strips->steps[s], plan, error);
	strips->loaded = status == HY_OK;
	if (status != HY_OK) hy_sched__strips_unload(strips);
	return status;
}

static void unload_step(hy_sched__step *step)
{
	hy_hal_program_destroy(step->program);
	hy_ir_blob_finish(&step->blob);
	free(step->bindings);
	free(step->commands);
	step->program = NULL;
	step->bindings = NULL;
	step->commands = NULL;
	step->command_count = 0;
}

static void unload_strip(hy_sched__strip *strip)
{
	hy_hal_buffer_destroy(strip->workspace);
	free(strip->ready);
	strip->queue = NULL;
	strip->workspace = NULL;
	strip->ready = NULL;
	strip->launches = strip->reference_launches = 0;
	strip->constant_bytes = strip->activation_bytes = strip->busy_ns = strip->items = 0;
}

/* Nothing is submitted any more: steps may still run for a request that has ended. */
static void stop(hy_sched__strips *strips)
{
	pthread_mutex_lock(&strips->lock);
	if (strips->error.status == HY_OK) {
		hy_error_set(&strips->error, HY_CANCELLED, "the strips were closed");
		strips->error.scope = HY_SCOPE_QUEUE;
	}
	for (uint32_t d = 0; d < strips->split.device_count; d++)
		while (strips->strips[d].submitting)
			pthread_cond_wait(&strips->idle, &strips->lock);
	pthread_mutex_unlock(&strips->lock);
}

void hy_sched__strips_unload(hy_sched__strips *strips)
{
	stop(strips);
	for (uint32_t d = 0; d < strips->split.device_count; d++)
		hy_hal_queue_close(strips->strips[d].queue);
	for (uint32_t p = 0; p < strips->piece_count; p++) {
		hy_sched__strip_piece *piece = &strips->pieces[p];
		for (uint32_t d = 0; piece->at != NULL && d < strips->split.device_count; d++)
			hy_hal_buffer_destroy(piece->at[d]);
		free(piece->at);
		free(piece->host);
		piece->at = NULL;
		piece->host = NULL;
	}
	for (uint32_t s = 0; s < strips->step_count; s++)
		unload_step(&strips->steps[s]);
	for (uint32_t d = 0; d < strips->split.device_count; d++)
		unload_strip(&strips->strips[d]);
	strips->loaded = strips->broken = false;
}

hy_status hy_sched__strips_renew(hy_sched__strips *strips, hy_sched_plan *plan, hy_error *error)
{
	hy_sched__strips_unload(strips);
	for (uint32_t d = 0; d < strips->split.device_count; d++) {
		hy_sched__device *device = &plan->devices[strips->strips[d].device];
		if (device->hal == NULL || hy_hal_device_is_usable(device->hal)) continue;
		hy_hal_device_close(device->hal);
		device->hal = NULL;
	}
	return hy_sched__strips_load(strips, plan, error);
}
