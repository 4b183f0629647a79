/* Compiled programs, and what one run of them is made of. */
#include "device.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

struct hy_hal_program {
	hy_hal_device *device;
	hy_exe *exe;
	hy_exe_info info;
	const hy_ext_steps *steps; /* every entry that is used can be called; NULL: none */
};

/* The plugin's steps, when they have all that version 1 has. */
static const hy_ext_steps *find_steps(hy_hal_device *device)
{
	const hy_ext_steps *steps = device->calls->ext(device->calls, HY_EXT_STEPS, 1);
	if (steps == NULL) return NULL;
	if (steps->size >= sizeof(*steps) && steps->count != NULL && steps->step != NULL && steps->profile != NULL)
		return steps;
	hy_hal__log_write(device->log, HY_LOG_WARN, "hal", "%s: extension " HY_EXT_STEPS " is incomplete: not used",
	                  device->info->id);
	return NULL;
}

static hy_status compile(hy_hal_device *device, const hy_graph *graph, const hy_constant *constants,
                         uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe,
                         hy_error *error)
{
	hy_exe *exe = NULL;
	hy_hal__call call;
	hy_hal__call_begin(&call);
	hy_status status = device->calls->compile(device->calls, device->handle, graph, constants, constant_count,
	                                          options, option_count, &exe);
	if (status == HY_OK && exe == NULL) status = HY_INTERNAL;
	status = hy_hal__device_end(device, &call, status, "compile", error);
	if (status == HY_OK) *out_exe = exe;
	return status;
}

hy_status hy_hal_program_create(hy_hal_device *device, const hy_graph *graph, const hy_constant *constants,
                                uint32_t constant_count, const hy_option *options, uint32_t option_count,
                                hy_hal_program **out_program, hy_error *error)
{
	hy_status status = hy_hal__device_check(device, "compile", error);
	if (status != HY_OK) return status;
	hy_hal_program *program = calloc(1, sizeof(*program));
	if (program == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	status = compile(device, graph, constants, constant_count, options, option_count, &program->exe, error);
	if (status != HY_OK) {
		free(program);
		return status;
	}
	program->device = device;
	atomic_fetch_add(&device->child_count, 1);
	program->info.size = sizeof(program->info);
	hy_hal__call call;
	hy_hal__call_begin(&call);
	status = device->calls->exe_info(device->calls, program->exe, &program->info);
	status = hy_hal__device_end(device, &call, status, "exe_info", error);
	if (status != HY_OK) {
		hy_hal_program_destroy(program);
		return status;
	}
	program->steps = find_steps(device);
	*out_program = program;
	return HY_OK;
}

void hy_hal_program_destroy(hy_hal_program *program)
{
	if (program == NULL) return;
	hy_hal_device *device = program->device;
	device->calls->exe_free(device->calls, program->exe);
	atomic_fetch_sub(&device->child_count, 1);
	free(program);
}

const hy_exe_info *hy_hal_program_info(const hy_hal_program *program)
{
	return &program->info;
}

hy_exe *hy_hal_program_exe(const hy_hal_program *program)
{
	return program->exe;
}

/* One call of the extension, made where the device wants its calls. */
typedef struct steps_call {
	const hy_hal_program *program;
	uint32_t index, count;
	bool on;
	hy_status status;
	hy_step step;
} steps_call;

static void run_count(void *payload)
{
	steps_call *c = payload;
	c->count = c->program->steps->count(c->program->exe);
}

static void run_step(void *payload)
{
	steps_call *c = payload;
	c->status = c->program->steps->step(c->program->exe, c->index, &c->step);
}

static void run_profile(void *payload)
{
	steps_call *c = payload;
	c->program->steps->profile(c->program->exe, c->on);
}

static void run(steps_call *c, void (*fn)(void *payload))
{
	hy_hal_device *device = c->program->device;
	hy_hal__call call;
	hy_hal__call_begin(&call);
	device->calls->run(device->calls, device->handle, fn, c);
	c->status = hy_hal__call_end(&call, c->status, device->info->id, HY_EXT_STEPS, NULL);
}

uint32_t hy_hal_program_step_count(const hy_hal_program *program)
{
	steps_call c = {.program = program};
	if (program->steps != NULL) run(&c, run_count);
	return c.count;
}

hy_status hy_hal_program_step(const hy_hal_program *program, uint32_t index, hy_step *out_step)
{
	if (program->steps == NULL) return HY_UNSUPPORTED;
	if (index >= hy_hal_program_step_count(program)) return HY_NOT_FOUND;
	steps_call c = {.program = program, .index = index, .step = {.size = sizeof(c.step), .node = HY_GRAPH_NONE}};
	run(&c, run_step);
	if (c.status != HY_OK) return c.status;
	*out_step = c.step;
	hy_hal__text_copy(out_step->implementation, sizeof(c.step.implementation), c.step.implementation,
	                  sizeof(c.step.implementation));
	return HY_OK;
}

void hy_hal_program_profile(hy_hal_program *program, bool on)
{
	steps_call c = {.program = program, .on = on};
	if (program->steps != NULL) run(&c, run_profile);
}
