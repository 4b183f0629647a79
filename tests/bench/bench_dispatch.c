/* What the scheduler costs per request: sessions on the template plugin, whose Relu of 16 numbers takes no time. Prints
 * one JSON line: nanoseconds to hand a request to the device (median, from the session's statistics, with the plugin's
 * own submission inside), nanoseconds per request in a stream, and of a request that is waited for; least of batches. */
#include <halyard/sched.h>

#include <stdio.h>
#include <stdlib.h>

enum { BATCHES = 21, STREAM = 20000, WAITED = 2000 };

static void ignore(void *payload, hy_status status, const hy_error *error)
{
	(void)payload;
	(void)status;
	(void)error;
}

static hy_status make_graph(hy_ir_graph **out_graph, hy_error *error)
{
	const hy_ir_type type = {HY_DTYPE_F32, 1, {16}};
	uint32_t x, y;
	hy_status status = hy_ir_graph_create("relu", out_graph, error);
	if (status == HY_OK) status = hy_ir_build_input(*out_graph, "x", &type, NULL, &x, error);
	if (status == HY_OK) status = hy_ir_build_op(*out_graph, "Relu", "y", 1, &x, 0, NULL, &y, error);
	if (status == HY_OK) status = hy_ir_build_output(*out_graph, y, error);
	if (status == HY_OK) status = hy_ir_prepare(*out_graph, 0, error);
	return status;
}

static hy_status measure(hy_sched_session *session, const hy_ir_tensor *input, const hy_ir_tensor *output,
                         hy_error *error)
{
	double stream_ns = 1e18, waited_ns = 1e18;
	uint64_t dispatch_ns = UINT64_MAX;
	hy_status status = HY_OK;
	for (int batch = 0; batch < BATCHES && status == HY_OK; batch++) {
		hy_sched_session_reset_stats(session);
		uint64_t begin = hy_hal_now_ns();
		for (int i = 0; i < STREAM && status == HY_OK; i++)
			status = hy_sched_session_submit(session, input, output, ignore, NULL, error);
		if (status == HY_OK) status = hy_sched_session_drain(session, error);
		double ns = (double)(hy_hal_now_ns() - begin) / STREAM;
		if (ns < stream_ns) stream_ns = ns;
		hy_sched_stats stats;
		hy_sched_session_stats(session, &stats);
		if (stats.devices[0].dispatch_ns < dispatch_ns) dispatch_ns = stats.devices[0].dispatch_ns;
		begin = hy_hal_now_ns();
		for (int i = 0; i < WAITED && status == HY_OK; i++)
			status = hy_sched_session_run(session, input, output, error);
		ns = (double)(hy_hal_now_ns() - begin) / WAITED;
		if (ns < waited_ns) waited_ns = ns;
	}
	if (status == HY_OK)
		printf("{\"bench\": \"dispatch\", \"dispatch_ns\": %llu, \"stream_ns\": %.0f, \"waited_ns\": %.0f}\n",
		       (unsigned long long)dispatch_ns, stream_ns, waited_ns);
	return status;
}

int main(void)
{
	const hy_hal_machine_options machine_options = {.size = sizeof(machine_options),
	                                                .manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d",
	                                                .disable = "[!t]*",
	                                                .flags = HY_HAL_NO_PROBE};
	const hy_sched_options options = {.size = sizeof(options), .devices = "template:0", .measure_ns = 1000000};
	_Alignas(64) float numbers[2][16] = {{1, -1}};
	const hy_ir_type type = {HY_DTYPE_F32, 1, {16}};
	const hy_ir_tensor input = {type, numbers[0]}, output = {type, numbers[1]};
	hy_error error = {0};
	hy_hal_machine *machine = NULL;
	hy_ir_graph *graph = NULL;
	hy_sched_plan *plan = NULL;
	hy_sched_session *session = NULL;
	hy_status status = hy_hal_machine_open(&machine_options, &machine, &error);
	if (status == HY_OK) status = make_graph(&graph, &error);
	if (status == HY_OK) status = hy_sched_plan_create(machine, graph, &options, &plan, &error);
	if (status == HY_OK) status = hy_sched_session_create(plan, &session, &error);
	if (status == HY_OK) status = measure(session, &input, &output, &error);
	if (status != HY_OK) fprintf(stderr, "bench_dispatch: %s\n", error.text);
	hy_sched_session_destroy(session);
	hy_sched_plan_destroy(plan);
	hy_ir_graph_destroy(graph);
	hy_hal_machine_close(machine);
	return status == HY_OK ? 0 : 1;
}
