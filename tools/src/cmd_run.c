/* halyard run: a model on files or random numbers, over one or many devices. */
#include "array.h"
#include "cmd.h"
#include "inputs.h"
#include "machine.h"
#include "model.h"
#include "oracle.h"
#include "outputs.h"
#include "planning.h"
#include "print.h"
#include "report.h"
#include "status.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Everything of one run, made in this order and destroyed in the other. */
typedef struct run {
	const tool_options *options;
	hy_ir_graph *graph;
	tool_inputs inputs;
	tool_outputs outputs;
	hy_hal_machine *machine;
	hy_sched_plan *plan;
	hy_sched_session *session;
	hy_sched_stats stats;
	tool_status *status;
	uint64_t wall_ns, right, labelled;
	tool_oracle_verdict verdict;
} run;

static tool_exit load_model(run *r)
{
	const char *const path = r->options->operands[0];
	tool_exit code = tool_model_load(path, &r->graph);
	if (code == TOOL_EXIT_OK) code = tool_inputs_read(r->options, r->graph, &r->inputs);
	if (code == TOOL_EXIT_OK) code = tool_model_bind(r->options, r->graph, r->inputs.arrays);
	if (code == TOOL_EXIT_OK) code = tool_inputs_complete(r->options, r->graph, &r->inputs);
	if (code == TOOL_EXIT_OK) code = tool_model_prepare(r->options, path, r->graph);
	if (code == TOOL_EXIT_OK) code = tool_outputs_create(r->graph, r->inputs.requests, &r->outputs);
	return code;
}

static tool_exit plan_model(run *r)
{
	const bool latency = tool_options_is(r->options->objective, "latency");
	tool_planning_wishes wishes = {.devices = r->options->device,
	                               .objective = latency ? HY_SCHED_LATENCY : HY_SCHED_THROUGHPUT};
	hy_hal_selection chosen = {0};
	tool_exit code = tool_machine_open(r->options, false, &r->machine);
	if (code == TOOL_EXIT_OK) code = tool_machine_select(r->machine, r->options->device, &chosen);
	wishes.briefly = chosen.count == 1;
	hy_hal_selection_finish(&chosen);
	if (code == TOOL_EXIT_OK) code = tool_planning_plan(r->options, r->machine, r->graph, &wishes, &r->plan);
	if (code == TOOL_EXIT_OK) code = tool_planning_session(r->plan, &r->session);
	return code;
}

/* The first failure among the requests. */
typedef struct failure {
	pthread_mutex_t lock;
	hy_error error;
} failure;

static void on_done(void *payload, hy_status status, const hy_error *error)
{
	failure *const first = payload;
	if (status == HY_OK) return;
	pthread_mutex_lock(&first->lock);
	if (first->error.status == HY_OK) {
		if (error != NULL) first->error = *error;
		first->error.status = status;
	}
	pthread_mutex_unlock(&first->lock);
}

static tool_exit run_requests(run *r)
{
	failure first = {.lock = PTHREAD_MUTEX_INITIALIZER};
	hy_ir_tensor *const tensors = calloc(r->inputs.count + (size_t)r->outputs.count + 1, sizeof(*tensors));
	if (tensors == NULL) return tool_report(TOOL_EXIT_NO, "out of memory");
	hy_error error = {0};
	hy_status status = HY_OK;
	const uint64_t start = hy_hal_now_ns();
	for (uint64_t i = 0; i < r->inputs.requests && status == HY_OK; i++) {
		tool_progress((void *)(uintptr_t)r->options, "running", (double)i / (double)r->inputs.requests);
		tool_inputs_of_request(&r->inputs, r->graph, i, tensors);
		tool_outputs_of_request(&r->outputs, r->graph, i, tensors + r->inputs.count);
		status = hy_sched_session_submit(r->session, tensors, tensors + r->inputs.count, on_done, &first,
		                                 &error);
	}
	const hy_status drained = hy_sched_session_drain(r->session, status == HY_OK ? &error : NULL);
	r->wall_ns = hy_hal_now_ns() - start;
	tool_progress((void *)(uintptr_t)r->options, "", 1);
	free(tensors);
	if (status == HY_OK) status = drained;
	if (first.error.status != HY_OK) return tool_planning_run_failed(&first.error);
	if (status != HY_OK) return tool_planning_run_failed(&error);
	return TOOL_EXIT_OK;
}

/* ---- the answer ---- */

typedef struct extremes {
	double min, max;
	int64_t max_at;
} extremes;

static extremes extremes_of(const hy_ir_tensor *array)
{
	extremes e = {.min = INFINITY, .max = -INFINITY};
	for (int64_t i = 0; i < hy_ir_type_elements(&array->type); i++) {
		const double number = tool_array_number(array, i);
		e.min = fmin(e.min, number);
		if (number > e.max) {
			e.max = number;
			e.max_at = i;
		}
	}
	return e;
}

static const char *input_name(const run *r, uint32_t i)
{
	return hy_ir_graph_value(r->graph, hy_ir_graph_inputs(r->graph)[i])->name;
}

static const char *output_name(const run *r, uint32_t i)
{
	return hy_ir_graph_value(r->graph, hy_ir_graph_outputs(r->graph)[i])->name;
}

static void print_text(const run *r)
{
	char type[128], time[32], path[4096];
	for (uint32_t i = 0; i < r->inputs.count; i++) {
		printf("input    %s %s  <- ", input_name(r, i),
		       hy_ir_type_print(&r->inputs.arrays[i].type, type, sizeof(type)));
		if (r->inputs.files[i] != NULL)
			printf("%s\n", r->inputs.files[i]);
		else
			printf("random, seed %llu (give --input %s=FILE)\n", (unsigned long long)r->options->seed + i,
			       input_name(r, i));
	}
	for (uint32_t i = 0; i < r->stats.device_count; i++) {
		const hy_sched_device_stats *const device = &r->stats.devices[i];
		printf("device   %s  %llu request%s  busy %.0f %%", device->id, (unsigned long long)device->items,
		       device->items == 1 ? "" : "s", 100 * device->busy);
		if (device->losses > 0) printf("  lost %llu times", (unsigned long long)device->losses);
		if (device->overdue > 0) printf("  late beyond reason %llu times", (unsigned long long)device->overdue);
		if (device->replayed > 0) printf("  %llu started again", (unsigned long long)device->replayed);
		putchar('\n');
	}
	printf("run      %llu request%s in %s\n", (unsigned long long)r->inputs.requests,
	       r->inputs.requests == 1 ? "" : "s", tool_print_ns(r->wall_ns, time, sizeof(time)));
	for (uint32_t i = 0; i < r->outputs.count; i++) {
		const extremes e = extremes_of(&r->outputs.arrays[i]);
		printf("output   %s %s  %.6g to %.6g, largest at %lld", output_name(r, i),
		       hy_ir_type_print(&r->outputs.arrays[i].type, type, sizeof(type)), e.min, e.max,
		       (long long)e.max_at);
		if (r->options->output_dir != NULL)
			printf("  -> %s", tool_outputs_file(r->graph, i, r->options->output_dir, path, sizeof(path)));
		putchar('\n');
	}
	if (r->options->labels != NULL)
		printf("labels   %llu of %llu right (%.1f %%)\n", (unsigned long long)r->right,
		       (unsigned long long)r->labelled, 100.0 * (double)r->right / (double)r->labelled);
	if (r->options->check)
		printf("check    largest difference from the reference %.2g of the output's range, allowed %.2g: %s\n",
		       r->verdict.error, r->options->tolerance, r->verdict.pass ? "ok" : "DIFFERENT");
}

static json_t *devices_json(const run *r)
{
	json_t *const devices = json_array();
	for (uint32_t i = 0; i < r->stats.device_count; i++) {
		const hy_sched_device_stats *const device = &r->stats.devices[i];
		json_array_append_new(devices,
		                      json_pack("{ss sI sf sf sf}", "id", device->id, "requests",
		                                (json_int_t)device->items, "share", device->share, "busy", device->busy,
		                                "peak_mib", (double)device->peak_bytes / (1 << 20)));
	}
	return devices;
}

/* A number that JSON can say, else null. */
static json_t *number_json(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}

static tool_exit print_json(const run *r)
{
	char text[4096];
	json_t *const inputs = json_array(), *const outputs = json_array();
	for (uint32_t i = 0; i < r->inputs.count; i++)
		json_array_append_new(inputs,
		                      json_pack("{ss ss ss}", "name", input_name(r, i), "type",
		                                hy_ir_type_print(&r->inputs.arrays[i].type, text, sizeof(text)),
		                                "source", r->inputs.files[i] != NULL ? r->inputs.files[i] : "random"));
	for (uint32_t i = 0; i < r->outputs.count; i++) {
		const extremes e = extremes_of(&r->outputs.arrays[i]);
		json_t *const output = json_pack("{ss ss so so sI}", "name", output_name(r, i), "type",
		                                 hy_ir_type_print(&r->outputs.arrays[i].type, text, sizeof(text)),
		                                 "min", number_json(e.min), "max", number_json(e.max), "max_at",
		                                 (json_int_t)e.max_at);
		if (r->options->output_dir != NULL)
			json_object_set_new(output, "file",
			                    json_string(tool_outputs_file(r->graph, i, r->options->output_dir, text,
			                                                  sizeof(text))));
		json_array_append_new(outputs, output);
	}
	json_t *const answer = json_pack("{ss ss sI sf so so so}", "schema", "halyard.run/v1", "model",
	                                 r->options->operands[0], "requests", (json_int_t)r->inputs.requests, "wall_ms",
	                                 (double)r->wall_ns * 1e-6, "inputs", inputs, "devices", devices_json(r),
	                                 "outputs", outputs);
	if (answer != NULL && r->options->labels != NULL)
		json_object_set_new(
			answer, "labels",
			json_pack("{sI sI}", "right", (json_int_t)r->right, "total", (json_int_t)r->labelled));
	if (answer != NULL && r->options->check)
		json_object_set_new(answer, "check",
		                    json_pack("{so sf sb}", "error", number_json(r->verdict.error), "tolerance",
		                              r->options->tolerance, "pass", r->verdict.pass));
	return tool_json_print(answer);
}

tool_exit tool_cmd_run(const tool_options *options)
{
	run r = {.options = options};
	tool_exit code = load_model(&r);
	if (code == TOOL_EXIT_OK) code = plan_model(&r);
	if (code == TOOL_EXIT_OK) code = tool_planning_trace(options, r.session);
	if (code == TOOL_EXIT_OK) code = tool_status_start(options, r.session, &r.status);
	if (code == TOOL_EXIT_OK) code = run_requests(&r);
	tool_status_stop(r.status);
	if (code == TOOL_EXIT_OK) hy_sched_session_stats(r.session, &r.stats);
	if (code == TOOL_EXIT_OK) code = tool_planning_trace_write(options, r.session);
	if (code == TOOL_EXIT_OK && options->output_dir != NULL)
		code = tool_outputs_write(&r.outputs, r.graph, options->output_dir);
	if (code == TOOL_EXIT_OK && options->labels != NULL)
		code = tool_outputs_count_right(&r.outputs, options->labels, &r.right, &r.labelled);
	if (code == TOOL_EXIT_OK && options->check)
		code = tool_oracle_check(options, r.graph, &r.inputs, &r.outputs, &r.verdict);
	if (code == TOOL_EXIT_OK && tool_options_is(options->format, "json"))
		code = print_json(&r);
	else if (code == TOOL_EXIT_OK)
		print_text(&r);
	if (code == TOOL_EXIT_OK && options->check && !r.verdict.pass)
		code = tool_report(TOOL_EXIT_NO, "output '%s' differs from the reference at element %lld",
		                   output_name(&r, r.verdict.output), (long long)r.verdict.element);
	hy_sched_session_destroy(r.session);
	hy_sched_plan_destroy(r.plan);
	hy_hal_machine_close(r.machine);
	tool_outputs_destroy(&r.outputs);
	tool_inputs_destroy(&r.inputs);
	hy_ir_graph_destroy(r.graph);
	return code;
}
