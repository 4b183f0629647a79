/* Runs a model of one input and one output on zeros: example MODEL.onnx [DEVICES]
 * cc example.c $(pkg-config --cflags --libs halyard) */
#include <halyard/halyard.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call) \
	if ((call) != HY_OK) return fprintf(stderr, "%s: %s\n", hy_status_name(error.status), error.text), 1

int main(int argc, char **argv)
{
	hy_error error;
	hy_hal_machine *machine;
	hy_ir_graph *graph;
	hy_sched_plan *plan;
	hy_sched_session *session;
	if (argc < 2) return fprintf(stderr, "usage: %s MODEL.onnx [DEVICES]\n", argv[0]), 2;
	TRY(hy_hal_machine_open(NULL, &machine, &error));
	TRY(hy_ir_onnx_load(argv[1], &graph, &error));
	TRY(hy_ir_prepare(graph, 0, &error));
	const hy_sched_options options = {.size = sizeof(options), .devices = argc > 2 ? argv[2] : NULL};
	TRY(hy_sched_plan_create(machine, graph, &options, &plan, &error));
	TRY(hy_sched_session_create(plan, &session, &error));
	hy_ir_tensor input = {.type = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[0])->type};
	hy_ir_tensor output = {.type = hy_ir_graph_value(graph, hy_ir_graph_outputs(graph)[0])->type};
	input.data = calloc(1, hy_ir_type_bytes(&input.type));
	output.data = calloc(1, hy_ir_type_bytes(&output.type));
	TRY(hy_sched_session_run(session, &input, &output, &error));
	for (int64_t i = 0; i < hy_ir_type_elements(&output.type); i++)
		printf("%g\n", ((float *)output.data)[i]);
	hy_sched_session_destroy(session);
	hy_sched_plan_destroy(plan);
	hy_ir_graph_destroy(graph);
	hy_hal_machine_close(machine);
	free(input.data);
	free(output.data);
	return 0;
}
