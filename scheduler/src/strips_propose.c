/* When strips are worth trying, and what they take when they are tried. */
#include "strips_propose.h"

#include "cost.h"
#include "measure.h"
#include "notes.h"

#include <stdlib.h>

#define ROWS_AXIS 2u /* lines of NCHW, frames of NCDHW, samples of NCL */
#define GROUP_NS 50000u /* handing a program to a device and hearing of its end, across threads */
#define BORDER_PASSES 4.0 /* over memory: join and change the layout on the way in, and the same on the way out */
#define UNKNOWN_BYTES_PER_S 10e9
#define RUNS 9u

/* Everything that is needed to decide. */
typedef struct proposal {
	hy_ir_graph *graph;
	uint32_t *origins;
	hy_sched__layers layers;
	uint64_t *node_ns; /* device_count rows */
	hy_sched__spatial split;
	hy_error why; /* of the first node that is not local */
} proposal;

static void proposal_finish(proposal *p)
{
	hy_sched__spatial_finish(&p->split);
	hy_sched__layers_finish(&p->layers);
	hy_ir_graph_destroy(p->graph);
	free(p->origins);
	free(p->node_ns);
}

static hy_status proposal_init(proposal *p, const hy_sched_plan *plan, hy_error *error)
{
	const uint32_t nodes = hy_ir_graph_node_count(plan->graph);
	p->origins = calloc(2 * (size_t)nodes, sizeof(*p->origins));
	if (p->origins == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	hy_status status = hy_ir_graph_clone(plan->graph, &p->graph, error);
	if (status == HY_OK) status = hy_ir_strip_loosen(p->graph, ROWS_AXIS, p->origins, NULL, error);
	if (status == HY_OK) status = hy_sched__layers_init(p->graph, ROWS_AXIS, &p->layers, &p->why, error);
	if (status != HY_OK) return status;
	p->node_ns = calloc((size_t)plan->device_count * p->layers.node_count, sizeof(*p->node_ns));
	if (p->node_ns == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (uint32_t d = 0; d < plan->device_count; d++)
		for (uint32_t n = 0; n < p->layers.node_count; n++) {
			/* What is left of a global pool works on next to nothing. */
			const bool rest = n > 0 && p->origins[n] == p->origins[n - 1];
			const uint64_t ns = plan->devices[d].node_ns[p->origins[n]];
			p->node_ns[(size_t)d * p->layers.node_count + n] = rest && ns != HY_SCHED__NEVER ? 1 : ns;
		}
	return HY_OK;
}

static hy_status find_split(proposal *p, const hy_sched_plan *plan, hy_error *error)
{
	const uint64_t *node_ns[HY_SCHED__MOST_DEVICES];
	hy_sched__link to[HY_SCHED__MOST_DEVICES], from[HY_SCHED__MOST_DEVICES];
	double border[HY_SCHED__MOST_DEVICES];
	for (uint32_t d = 0; d < plan->device_count; d++) {
		const hy_device_info *info = &plan->devices[d].description->info;
		const double bytes_per_s = info->memory_bytes_per_s > 0 ? (double)info->memory_bytes_per_s
		                                                        : UNKNOWN_BYTES_PER_S;
		node_ns[d] = p->node_ns + (size_t)d * p->layers.node_count;
		to[d] = plan->devices[d].to;
		from[d] = plan->devices[d].from;
		border[d] = BORDER_PASSES * 1e9 / bytes_per_s;
	}
	const hy_sched__spatial_problem problem = {
		.layers = &p->layers,
		.device_count = plan->device_count,
		.node_ns = node_ns,
		.to = to,
		.from = from,
		.group_ns = GROUP_NS,
		.border_ns_per_byte = border,
		.always = plan->options.strategy == HY_SCHED_SPATIAL,
	};
	if (problem.always) return hy_sched__spatial_split(&problem, plan->device_count, &p->split, error);
	return hy_sched__spatial_plan(&problem, &p->split, error);
}

/* Values of no elements have no rows to share. */
static bool has_empty_values(const hy_ir_graph *graph)
{
	for (uint32_t v = 0; v < hy_ir_graph_value_count(graph); v++)
		if (hy_ir_type_elements(&hy_ir_graph_value(graph, v)->type) == 0) return true;
	return false;
}

static bool has_strips(const hy_sched__spatial *split)
{
	for (uint32_t g = 0; g < split->group_count; g++)
		if (split->groups[g].split) return split->device_count > 1;
	return false;
}

static hy_status note_refusal(hy_sched_plan *plan, const proposal *p, uint64_t best_ns, hy_error *error)
{
	if (!has_strips(&p->split) || p->split.item_ns == HY_SCHED__NEVER)
		return hy_sched__note(plan, HY_IR_NONE, NULL, HY_REASON_NONE, error, "no strips: %s%s",
		                      p->why.text[0] != '\0' ? "not worth it; " : "not worth it", p->why.text);
	return hy_sched__note(plan, HY_IR_NONE, NULL, HY_REASON_NONE, error,
	                      "no strips: %.3f ms predicted on %u devices, %.3f ms without",
	                      (double)p->split.item_ns / 1e6, p->split.device_count, (double)best_ns / 1e6);
}

hy_status hy_sched__strips_propose(hy_sched_plan *plan, uint64_t best_ns, hy_sched__strips **out_strips,
                                   hy_error *error)
{
	const bool asked = plan->options.strategy == HY_SCHED_SPATIAL;
	const bool tried = plan->options.strategy == HY_SCHED_AUTO && plan->options.objective == HY_SCHED_LATENCY &&
	                   plan->device_count > 1;
	*out_strips = NULL;
	if (!asked && !tried) return HY_OK;
	proposal p = {0};
	hy_error why = {0};
	hy_status status = proposal_init(&p, plan, error);
	if (status == HY_OK && !has_empty_values(p.graph)) status = find_split(&p, plan, error);
	if (status != HY_OK) goto done;
	if (!has_strips(&p.split) || p.split.item_ns == HY_SCHED__NEVER || (!asked && p.split.item_ns >= best_ns)) {
		status = note_refusal(plan, &p, best_ns, error);
		goto done;
	}
	const hy_status made = hy_sched__strips_create(p.graph, p.origins, ROWS_AXIS, &p.split, out_strips, &why);
	if (made == HY_OK) {
		p.graph = NULL; /* given away, as the origins */
		p.origins = NULL;
	} else {
		status = hy_sched__note(plan, HY_IR_NONE, NULL, HY_REASON_NONE, error, "no strips: %s", why.text);
	}
done:
	proposal_finish(&p);
	return status;
}

/* ---- measuring ---- */

static void **make_tensors(const hy_ir_graph *graph, uint32_t count, const uint32_t *values)
{
	void **tensors = calloc(count + 1u, sizeof(*tensors));
	for (uint32_t i = 0; i < count && tensors != NULL; i++) {
		const hy_ir_type *type = &hy_ir_graph_value(graph, values[i])->type;
		tensors[i] = malloc(hy_ir_type_bytes(type) + 1);
		if (tensors[i] != NULL) hy_sched__measure_fill(type, tensors[i]);
	}
	return tensors;
}

static void free_tensors(uint32_t count, void **tensors)
{
	for (uint32_t i = 0; i < count && tensors != NULL; i++)
		free(tensors[i]);
	free(tensors);
}

static bool is_whole(uint32_t count, void *const *tensors)
{
	for (uint32_t i = 0; i < count && tensors != NULL; i++)
		if (tensors[i] == NULL) return false;
	return tensors != NULL;
}

hy_status hy_sched__strips_measure(hy_sched__strips *strips, hy_sched_plan *plan, uint64_t *out_ns, hy_error *error)
{
	const hy_ir_graph *graph = strips->graph;
	const uint32_t input_count = hy_ir_graph_input_count(graph), output_count = hy_ir_graph_output_count(graph);
	if (plan->options.progress != NULL)
		plan->options.progress(plan->options.progress_payload, "compile and measure strips", 0.9);
	hy_status status = hy_sched__strips_load(strips, plan, error);
	if (status != HY_OK) return status;
	void **inputs = make_tensors(graph, input_count, hy_ir_graph_inputs(graph));
	void **outputs = make_tensors(graph, output_count, hy_ir_graph_outputs(graph));
	uint64_t samples[RUNS];
	if (!is_whole(input_count, inputs) || !is_whole(output_count, outputs))
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for measuring");
	for (uint32_t i = 0; i < RUNS + 2 && status == HY_OK; i++) {
		const uint64_t start = hy_hal_now_ns();
		if (i == 2)
			for (uint32_t d = 0; d < strips->split.device_count; d++)
				strips->strips[d].busy_ns = 0;
		status = hy_sched__strips_run(strips, (const void *const *)inputs, outputs, error);
		samples[i < 2 ? 0 : i - 2] = hy_hal_now_ns() - start;
	}
	free_tensors(input_count, inputs);
	free_tensors(output_count, outputs);
	if (status != HY_OK) return status;
	hy_sched__cost cost = {0};
	hy_sched__cost_summarise(RUNS, samples, &cost);
	for (uint32_t d = 0; d < strips->split.device_count; d++) {
		strips->strips[d].item_ns = strips->strips[d].busy_ns / RUNS;
		strips->strips[d].busy_ns = strips->strips[d].items = 0;
	}
	*out_ns = cost.median_ns > 0 ? cost.median_ns : 1;
	return HY_OK;
}

uint64_t hy_sched__strips_bound(const hy_sched_plan *plan)
{
	double ns = 0;
	for (uint32_t n = 0; n < hy_ir_graph_node_count(plan->graph); n++) {
		double speed = 0;
		for (uint32_t d = 0; d < plan->device_count; d++) {
			const uint64_t own = plan->devices[d].node_ns[n];
			if (own != HY_SCHED__NEVER) speed += 1 / (double)(own > 0 ? own : 1);
		}
		if (speed > 0) ns += 1 / speed;
	}
	return (uint64_t)ns;
}
