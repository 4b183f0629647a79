/* One request in strips over devices against each device alone, in turns in one run, so that all see the same noise.
 *
 *   bench_strips MODEL.onnx DEVICE,DEVICE... [--rounds R]
 *
 * Prints one JSON line: medians of R (15) rounds; "speed_up" is the median over rounds of the fastest device's time of that
 * round over the strips'; "predicted_ms" is what the planner said before it measured. Exits 1 when the answers of strips
 * differ from a device's by more than a thousandth. */
#include <halyard/sched.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8, MOST_ROUNDS = 999 };

static hy_error error;

static void must(hy_status status)
{
	if (status == HY_OK) return;
	fprintf(stderr, "bench_strips: %s: %s\n", hy_status_name(status), error.text);
	exit(1);
}

static hy_ir_graph *model(const char *path)
{
	hy_ir_graph *graph;
	must(hy_ir_onnx_load(path, &graph, &error));
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++)
		for (uint32_t d = 0; d < HY_MAX_RANK; d++) {
			const hy_ir_value *value = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i]);
			char name[256];
			if (value->dim_names[d] == NULL) continue;
			snprintf(name, sizeof(name), "%s", value->dim_names[d]);
			must(hy_ir_graph_bind_dim(graph, name, 1, &error));
		}
	must(hy_ir_prepare(graph, 0, &error));
	return graph;
}

/* ---- a way to run the model ---- */

typedef struct way {
	char name[256];
	hy_sched_plan *plan;
	hy_sched_session *session;
	hy_ir_tensor *outputs;
	double ms[MOST_ROUNDS];
} way;

static hy_ir_tensor *tensors(const hy_ir_graph *graph, uint32_t count, const uint32_t *values)
{
	hy_ir_tensor *made = calloc(count + 1u, sizeof(*made));
	uint32_t seed = 1;
	for (uint32_t i = 0; i < count; i++) {
		made[i].type = hy_ir_graph_value(graph, values[i])->type;
		const size_t length = hy_ir_type_bytes(&made[i].type);
		made[i].data = aligned_alloc(4096, (length + 4096) / 4096 * 4096);
		memset(made[i].data, 0, length);
		for (size_t k = 0; made[i].type.dtype == HY_DTYPE_F32 && k < length / sizeof(float); k++) {
			seed = seed * 1664525u + 1013904223u;
			((float *)made[i].data)[k] = (float)(seed >> 8) / 16777216.0f;
		}
	}
	return made;
}

static void open_way(way *w, hy_hal_machine *machine, const hy_ir_graph *graph, const char *devices,
                     hy_sched_strategy strategy)
{
	const hy_sched_options options = {
		.size = sizeof(options), .devices = devices, .strategy = strategy, .objective = HY_SCHED_LATENCY};
	snprintf(w->name, sizeof(w->name), "%s", devices);
	must(hy_sched_plan_create(machine, graph, &options, &w->plan, &error));
	must(hy_sched_session_create(w->plan, &w->session, &error));
	w->outputs = tensors(graph, hy_ir_graph_output_count(graph), hy_ir_graph_outputs(graph));
}

static double run(way *w, const hy_ir_tensor *inputs)
{
	const uint64_t start = hy_hal_now_ns();
	must(hy_sched_session_run(w->session, inputs, w->outputs, &error));
	return (double)(hy_hal_now_ns() - start) / 1e6;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(uint32_t count, const double *values)
{
	double sorted[MOST_ROUNDS];
	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), by_size);
	return sorted[count / 2];
}

/* Largest difference as a part of the largest number. */
static double distance(uint32_t count, const hy_ir_tensor *a, const hy_ir_tensor *b)
{
	double worst = 0;
	for (uint32_t i = 0; i < count; i++) {
		double largest = 1e-30, difference = 0;
		for (int64_t k = 0; a[i].type.dtype == HY_DTYPE_F32 && k < hy_ir_type_elements(&a[i].type); k++) {
			const double x = ((const float *)a[i].data)[k], y = ((const float *)b[i].data)[k];
			largest = fmax(largest, fabs(y));
			difference = isfinite(x) ? fmax(difference, fabs(x - y)) : INFINITY;
		}
		worst = fmax(worst, difference / largest);
	}
	return worst;
}

/* Of the line of the plan that has the strips. */
static double predicted_ms(const hy_sched_plan *plan)
{
	char *text;
	double number = 0;
	char unit[8] = "";
	must(hy_sched_plan_print(plan, false, &text, &error));
	const char *at = strstr(text, "; predicted ");
	if (at != NULL) sscanf(at, "; predicted %lf %7[a-z]", &number, unit);
	free(text);
	if (strcmp(unit, "us") == 0) return number / 1e3;
	return strcmp(unit, "s") == 0 ? number * 1e3 : number;
}

int main(int count, char **arguments)
{
	static way alone[MOST], strips;
	uint32_t rounds = 15, devices = 0;
	if (count == 5 && strcmp(arguments[3], "--rounds") == 0) rounds = (uint32_t)atoi(arguments[4]);
	if ((count != 3 && count != 5) || rounds < 1 || rounds > MOST_ROUNDS) {
		fprintf(stderr, "usage: bench_strips MODEL.onnx DEVICE,DEVICE... [--rounds R]\n");
		return 2;
	}
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d"};
	hy_hal_machine *machine;
	must(hy_hal_machine_open(&options, &machine, &error));
	hy_ir_graph *graph = model(arguments[1]);
	hy_ir_tensor *inputs = tensors(graph, hy_ir_graph_input_count(graph), hy_ir_graph_inputs(graph));
	open_way(&strips, machine, graph, arguments[2], HY_SCHED_SPATIAL);
	char *list = strdup(arguments[2]), *rest = list;
	for (char *name; devices < MOST && (name = strtok_r(rest, ",", &rest)) != NULL;)
		open_way(&alone[devices++], machine, graph, name, HY_SCHED_SINGLE);
	double speed_up[MOST_ROUNDS], worst = 0;
	for (uint32_t r = 0; r < rounds + 2; r++) { /* the first two warm up */
		const uint32_t at = r < 2 ? 0 : r - 2;
		double best = INFINITY;
		strips.ms[at] = run(&strips, inputs);
		for (uint32_t d = 0; d < devices; d++) {
			alone[d].ms[at] = run(&alone[d], inputs);
			best = fmin(best, alone[d].ms[at]);
			worst = fmax(worst,
			             distance(hy_ir_graph_output_count(graph), strips.outputs, alone[d].outputs));
		}
		speed_up[at] = best / strips.ms[at];
	}
	printf("{\"model\": \"%s\", \"alone_ms\": {", hy_ir_graph_name(graph));
	for (uint32_t d = 0; d < devices; d++)
		printf("%s\"%s\": %.2f", d > 0 ? ", " : "", alone[d].name, median(rounds, alone[d].ms));
	printf("}, \"strips_ms\": %.2f, \"predicted_ms\": %.2f, \"speed_up\": %.3f, \"rounds\": %u, "
	       "\"difference\": %.2g}\n",
	       median(rounds, strips.ms), predicted_ms(strips.plan), median(rounds, speed_up), rounds, worst);
	for (uint32_t d = 0; d < devices; d++) {
		hy_sched_session_destroy(alone[d].session);
		hy_sched_plan_destroy(alone[d].plan);
	}
	hy_sched_session_destroy(strips.session);
	hy_sched_plan_destroy(strips.plan);
	free(list);
	hy_ir_graph_destroy(graph);
	hy_hal_machine_close(machine);
	return worst > 1e-3;
}
