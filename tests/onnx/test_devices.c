/* Debian's ONNX test data on a device, through the HAL: every model whose operators the IR knows.
 *   test_devices DEVICE [NAME]    NAME: only cases whose name contains it */
#include "test.h"

#include "cases.h"

#include <halyard/hal.h>
#include <halyard/ir.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static onnx_cases cases;
static hy_hal_device *device;
static hy_hal_queue *queue;
static const char *only = "";

/* Memory for bindings: a buffer of the device, or NULL for no bytes. */
typedef struct binding {
	hy_hal_buffer *buffer;
	uint64_t length;
} binding;

typedef struct job {
	hy_ir_blob blob;
	hy_hal_program *program;
	binding *bindings;
	uint32_t input_count, count;
	hy_hal_buffer *workspace;
} job;

static void job_finish(job *j)
{
	for (uint32_t i = 0; i < j->count; i++)
		hy_hal_buffer_destroy(j->bindings[i].buffer);
	hy_hal_buffer_destroy(j->workspace);
	hy_hal_program_destroy(j->program);
	hy_ir_blob_finish(&j->blob);
	free(j->bindings);
}

static hy_status expect_yes(const hy_graph *graph, hy_error *error)
{
	const uint32_t count = hy_graph_subgraph_at(graph, 0)->node_count;
	hy_verdict *verdicts = calloc(count + 1u, sizeof(verdicts[0]));
	hy_status status = hy_hal_device_query(device, graph, count, verdicts, error);
	for (uint32_t i = 0; i < count && status == HY_OK; i++) {
		if (verdicts[i].answer == HY_YES) continue;
		const hy_graph_node *node = hy_graph_node_at(graph, hy_graph_subgraph_at(graph, 0)->first_node + i);
		status = hy_error_set(error, HY_UNSUPPORTED, "refused: %s, reason %u", hy_graph_string(graph, node->op),
		                      verdicts[i].reason);
	}
	free(verdicts);
	return status;
}

static hy_status bind(job *j, const hy_ir_graph *graph, hy_error *error)
{
	j->input_count = hy_ir_graph_input_count(graph);
	j->count = j->input_count + hy_ir_graph_output_count(graph);
	j->bindings = calloc(j->count + 1u, sizeof(j->bindings[0]));
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < j->count && status == HY_OK; i++) {
		const uint32_t value = i < j->input_count ? hy_ir_graph_inputs(graph)[i]
		                                          : hy_ir_graph_outputs(graph)[i - j->input_count];
		j->bindings[i].length = hy_ir_type_bytes(&hy_ir_graph_value(graph, value)->type);
		status = hy_hal_buffer_create(device, j->bindings[i].length > 0 ? j->bindings[i].length : 1,
		                              &j->bindings[i].buffer, error);
	}
	const uint64_t workspace = hy_hal_program_info(j->program)->workspace_bytes;
	if (status == HY_OK && workspace > 0) status = hy_hal_buffer_create(device, workspace, &j->workspace, error);
	return status;
}

/* Inputs up, the program, outputs down, in one batch. */
static hy_status run(const job *j, const hy_ir_tensor *inputs, const hy_ir_tensor *outputs, hy_error *error)
{
	hy_command *commands = calloc(j->count + 1u, sizeof(commands[0]));
	hy_ref *refs = calloc(j->count + 1u, sizeof(refs[0]));
	uint32_t next = 0;
	for (uint32_t i = 0; i < j->count; i++) {
		refs[i] = hy_hal_buffer_ref(j->bindings[i].buffer);
		refs[i].length = j->bindings[i].length;
		if (i >= j->input_count || refs[i].length == 0) continue;
		commands[next++] = (hy_command){.kind = HY_COMMAND_COPY,
		                                .target = refs[i],
		                                .source = hy_hal_host_ref(inputs[i].data, refs[i].length)};
	}
	commands[next] = (hy_command){.kind = HY_COMMAND_EXEC,
	                              .exe = hy_hal_program_exe(j->program),
	                              .binding_count = j->count,
	                              .bindings = refs};
	if (j->workspace != NULL) commands[next].workspace = hy_hal_buffer_ref(j->workspace);
	hy_status status = hy_hal_queue_run(queue, next + 1, commands, UINT64_C(60000000000), NULL, error);
	for (uint32_t i = j->input_count; i < j->count && status == HY_OK; i++) {
		if (refs[i].length == 0) continue;
		const hy_command down = {.kind = HY_COMMAND_COPY,
		                         .target = hy_hal_host_ref(outputs[i - j->input_count].data, refs[i].length),
		                         .source = refs[i]};
		status = hy_hal_queue_run(queue, 1, &down, UINT64_C(60000000000), NULL, error);
	}
	free(commands);
	free(refs);
	return status;
}

static hy_status compute(const onnx_case *item, const onnx_data *data, uint32_t flags, hy_error *error)
{
	hy_ir_graph *graph = NULL;
	job j = {.count = 0};
	hy_ir_tensor *inputs = calloc(data->input_count + 1u, sizeof(inputs[0]));
	hy_ir_tensor *outputs = calloc(data->output_count + 1u, sizeof(outputs[0]));
	hy_status status = onnx_case_prepare(item, data, flags, &graph, error);
	if (status == HY_OK) status = onnx_data_inputs(data, graph, inputs, error);
	if (status == HY_OK)
		status = hy_ir_blob_create(graph, 0, hy_ir_graph_node_count(graph), &j.blob, NULL, NULL, NULL, NULL,
		                           error);
	if (status == HY_OK) status = expect_yes(j.blob.graph, error);
	if (status == HY_OK)
		status = hy_hal_program_create(device, j.blob.graph, j.blob.constants, j.blob.constant_count, NULL, 0,
		                               &j.program, error);
	if (status == HY_OK) status = bind(&j, graph, error);
	for (uint32_t i = 0; i < data->output_count && status == HY_OK; i++) {
		outputs[i].type = hy_ir_graph_value(graph, hy_ir_graph_outputs(graph)[i])->type;
		outputs[i].data = calloc(1, hy_ir_type_bytes(&outputs[i].type) + 1);
	}
	if (status == HY_OK) status = run(&j, inputs, outputs, error);
	for (uint32_t i = 0; i < data->output_count && status == HY_OK; i++)
		status = onnx_compare(&outputs[i], &data->outputs[i], error);
	for (uint32_t i = 0; i < data->output_count; i++)
		free(outputs[i].data);
	job_finish(&j);
	hy_ir_graph_destroy(graph);
	free(inputs);
	free(outputs);
	return status;
}

/* A fused form that the device refuses is taken apart, as the scheduler does. */
static hy_status compute_all_sets(const onnx_case *item, const hy_ir_graph *graph, hy_error *error)
{
	hy_status status = HY_OK;
	for (uint32_t set = 0; set < item->set_count && status == HY_OK; set++) {
		onnx_data data;
		status = onnx_data_load(item, set, graph, &data, error);
		if (status != HY_OK) return status;
		status = compute(item, &data, 0, error);
		if (status == HY_UNSUPPORTED) status = compute(item, &data, HY_IR_PREPARE_NO_FUSE, error);
		onnx_data_release(&data);
	}
	return status;
}

static void every_eligible_case_passes_on_the_device(void **state)
{
	(void)state;
	uint32_t eligible = 0, failed = 0;
	for (uint32_t i = 0; i < cases.count; i++) {
		hy_ir_graph *graph;
		hy_error error = {.status = HY_OK};
		if (strstr(cases.items[i].name, only) == NULL) continue;
		if (onnx_case_load(&cases.items[i], &graph, &error) != HY_OK) continue;
		eligible++;
		const hy_status status = compute_all_sets(&cases.items[i], graph, &error);
		hy_ir_graph_destroy(graph);
		if (status == HY_OK) continue;
		failed++;
		print_message("%s: %s: %s\n", cases.items[i].name, hy_status_name(status), error.text);
	}
	print_message("%s: %u models, %u eligible: %u passed, %u failed\n", hy_hal_device_description(device)->id,
	              cases.count, eligible, eligible - failed, failed);
	assert_true(eligible > 0);
	assert_int_equal(failed, 0);
}

int main(int argc, char **argv)
{
	hy_error error = {.text = ""};
	hy_hal_machine *machine = NULL;
	hy_hal_selection selection;
	if (argc < 2) return 2;
	if (argc > 2) only = argv[2];
	if (onnx_cases_find(ONNX_CASES_ROOT, &cases) != HY_OK) return 1;
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d"};
	if (hy_hal_machine_open(&options, &machine, &error) != HY_OK) return 1;
	if (cases.count == 0 || hy_hal_machine_select(machine, argv[1], &selection, &error) != HY_OK) {
		print_message("skipped: %s%s\n", cases.count == 0 ? "libonnx-testdata is not installed" : "",
		              error.text);
		return 77;
	}
	if (hy_hal_device_open(machine, selection.items[0].device, selection.items[0].options,
	                       selection.items[0].option_count, &device, &error) != HY_OK ||
	    hy_hal_queue_open(device, HY_QUEUE_COMPUTE, &queue, &error) != HY_OK) {
		print_message("%s\n", error.text);
		return 1;
	}
	const struct CMUnitTest tests[] = {
		CASE(every_eligible_case_passes_on_the_device),
	};
	const int bad = cmocka_run_group_tests(tests, NULL, NULL);
	hy_hal_queue_close(queue);
	hy_hal_device_close(device);
	hy_hal_selection_finish(&selection);
	hy_hal_machine_close(machine);
	onnx_cases_release(&cases);
	return bad;
}
