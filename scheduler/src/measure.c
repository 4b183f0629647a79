/* Step 4: what a part costs on its device. Times are those of the device's own tickets where it tells them. */
#include "measure.h"

#include "cost.h"
#include "devices.h"
#include "frame.h"
#include "prior.h"

#include <stdlib.h>
#include <string.h>

#define MOST_SAMPLES 1024u
#define LEAST_SAMPLES 7u
#define PROFILE_RUNS 3u
#define HOST_ALIGN 4096u

/* Everything one measurement holds. */
typedef struct bench {
	hy_hal_queue *queue;
	hy_hal_buffer *workspace;
	hy_sched__frame frame;
	void **hosts;
	uint32_t command_count;
} bench;

void hy_sched__measure_fill(const hy_ir_type *type, void *data)
{
	const uint64_t count = (uint64_t)hy_ir_type_elements(type);
	uint32_t seed = 1;
	memset(data, 0, hy_ir_type_bytes(type));
	for (uint64_t i = 0; i < count && hy_dtype_is_float(type->dtype); i++) {
		seed = seed * 1664525u + 1013904223u;
		const float value = (float)(seed >> 8) / 16777216.0f;
		if (type->dtype == HY_DTYPE_F32) ((float *)data)[i] = value;
		if (type->dtype == HY_DTYPE_F64) ((double *)data)[i] = value;
		if (type->dtype == HY_DTYPE_F16) ((uint16_t *)data)[i] = hy_f16_from_float(value);
		if (type->dtype == HY_DTYPE_BF16) ((uint16_t *)data)[i] = hy_bf16_from_float(value);
	}
}

static void bench_finish(bench *b)
{
	hy_hal_queue_close(b->queue);
	for (uint32_t i = 0; b->hosts != NULL && i < b->frame.binding_count; i++)
		free(b->hosts[i]);
	free(b->hosts);
	hy_sched__frame_finish(&b->frame);
	hy_hal_buffer_destroy(b->workspace);
}

static hy_status bench_init(bench *b, const hy_sched_plan *plan, const hy_sched__part *part, hy_error *error)
{
	const hy_sched__device *device = &plan->devices[part->segment.device];
	hy_ref workspace = {NULL, 0, 0};
	hy_status status = hy_sched__frame_init(&b->frame, device, plan->graph, part, error);
	if (status != HY_OK) return status;
	b->hosts = calloc(b->frame.binding_count + 1, sizeof(*b->hosts));
	if (b->hosts == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for measuring");
	for (uint32_t i = 0; i < b->frame.binding_count; i++) {
		const uint64_t length = (b->frame.lengths[i] + HOST_ALIGN) / HOST_ALIGN * HOST_ALIGN;
		b->hosts[i] = aligned_alloc(HOST_ALIGN, length);
		if (b->hosts[i] == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for measuring");
		if (i < part->input_count)
			hy_sched__measure_fill(&hy_ir_graph_value(plan->graph, part->inputs[i])->type, b->hosts[i]);
	}
	if (part->cost.workspace_bytes > 0) {
		status = hy_hal_buffer_create(device->hal, part->cost.workspace_bytes, &b->workspace, error);
		if (status != HY_OK) return status;
		workspace = hy_hal_buffer_ref(b->workspace);
	}
	status = hy_hal_queue_open(device->hal, HY_QUEUE_COMPUTE, &b->queue, error);
	if (status != HY_OK) return status;
	return hy_sched__frame_bind(&b->frame, b->hosts, part->program, &workspace, &b->command_count, error);
}

static hy_status run_once(hy_hal_queue *queue, uint32_t command_count, const hy_command *commands, uint64_t *out_ns,
                          hy_error *error)
{
	hy_done done = {.size = sizeof(done)};
	const uint64_t start = hy_hal_now_ns();
	const hy_status status = hy_hal_queue_run(queue, command_count, commands, 0, &done, error);
	if (status != HY_OK) return status;
	*out_ns = done.end_ns > done.begin_ns ? done.end_ns - done.begin_ns : hy_hal_now_ns() - start;
	return HY_OK;
}

static hy_status sample(const bench *b, uint64_t budget_ns, hy_sched__cost *cost, hy_error *error)
{
	uint64_t *samples = malloc(MOST_SAMPLES * sizeof(*samples));
	if (samples == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for measuring");
	hy_status status = HY_OK;
	uint64_t first, elapsed = 0;
	uint32_t count = 0;
	const uint64_t start = hy_hal_now_ns();
	for (uint32_t i = 0; i < 2 && status == HY_OK && elapsed < 5 * budget_ns; i++) {
		status = run_once(b->queue, b->command_count, b->frame.commands, &first, error);
		elapsed = hy_hal_now_ns() - start;
	}
	const uint64_t begin = hy_hal_now_ns();
	for (elapsed = 0; status == HY_OK && count < MOST_SAMPLES; elapsed = hy_hal_now_ns() - begin) {
		if (count >= LEAST_SAMPLES && elapsed >= budget_ns) break;
		if (count > 0 && elapsed >= 5 * budget_ns) break;
		status = run_once(b->queue, b->command_count, b->frame.commands, &samples[count], error);
		count += status == HY_OK ? 1 : 0;
	}
	if (status == HY_OK) hy_sched__cost_summarise(count, samples, cost);
	if (status == HY_OK && cost->median_ns == 0) cost->median_ns = 1;
	free(samples);
	return status;
}

/* The blob's node that row `row` of its node table belongs to, or HY_IR_NONE. */
static uint32_t node_of_row(const hy_graph *blob, uint32_t row)
{
	const hy_graph_subgraph *model = hy_graph_subgraph_at(blob, 0);
	if (row < blob->node_count && row - model->first_node < model->node_count) return row - model->first_node;
	for (uint32_t n = 0; n < model->node_count; n++) {
		const uint32_t body = hy_graph_node_at(blob, model->first_node + n)->body;
		if (body == HY_GRAPH_NONE) continue;
		const hy_graph_subgraph *inside = hy_graph_subgraph_at(blob, body);
		if (row - inside->first_node < inside->node_count) return n;
	}
	return HY_IR_NONE;
}

/* The segment's node that the blob's node became part of: an un-fused region is several of the blob's. */
static uint32_t node_of_segment(const hy_sched_plan *plan, const hy_sched__part *part, uint32_t blob_node)
{
	const hy_sched__verdict *verdicts = plan->devices[part->segment.device].verdicts;
	uint32_t at = 0;
	for (uint32_t n = 0; n < part->segment.count; n++) {
		const uint32_t number = part->segment.first + n;
		const hy_ir_graph *body = hy_ir_graph_node(plan->graph, number)->body;
		at += verdicts[number].answer == HY_SCHED__UNFUSED ? hy_ir_graph_node_count(body) : 1;
		if (blob_node < at) return n;
	}
	return HY_IR_NONE;
}

/* Time of each node from the program's steps; false when the plugin tells none. Steps that belong to no node (changes
 * of layout) count with the node before. */
static bool profile(const hy_sched_plan *plan, const bench *b, const hy_sched__part *part, uint64_t *node_ns)
{
	const uint32_t step_count = hy_hal_program_step_count(part->program);
	if (step_count == 0) return false;
	uint64_t ignored, sum = 0;
	hy_hal_program_profile(part->program, true);
	for (uint32_t i = 0; i < PROFILE_RUNS; i++)
		if (run_once(b->queue, b->command_count, b->frame.commands, &ignored, NULL) != HY_OK) break;
	uint32_t node = 0;
	for (uint32_t i = 0; i < step_count; i++) {
		hy_step step = {.size = sizeof(step)};
		if (hy_hal_program_step(part->program, i, &step) != HY_OK) continue;
		uint32_t at = step.node != HY_GRAPH_NONE ? node_of_row(part->blob.graph, step.node) : HY_IR_NONE;
		if (at != HY_IR_NONE) at = node_of_segment(plan, part, at);
		if (at != HY_IR_NONE) node = at;
		if (step.calls == 0) continue;
		node_ns[node] += step.total_ns / step.calls;
		sum += step.total_ns;
	}
	hy_hal_program_profile(part->program, false);
	return sum > 0;
}

/* What is left of the measured time without copies, spread over the nodes. */
static hy_status spread(const hy_sched_plan *plan, const bench *b, hy_sched__part *part, hy_error *error)
{
	const hy_sched__device *device = &plan->devices[part->segment.device];
	const uint32_t all = hy_ir_graph_node_count(plan->graph), count = part->segment.count;
	uint64_t *node_ns = calloc(count, sizeof(*node_ns)), *prior = malloc(all * sizeof(*prior));
	if (node_ns == NULL || prior == NULL) {
		free(node_ns);
		free(prior);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for measuring");
	}
	if (!profile(plan, b, part, node_ns)) {
		hy_sched__prior_nodes(plan->graph, &device->description->info, prior);
		memcpy(node_ns, prior + part->segment.first, count * sizeof(*node_ns));
	}
	free(prior);
	const uint64_t copies = hy_sched__cost_link_ns(&device->to, part->footprint.input_bytes) +
	                        hy_sched__cost_link_ns(&device->from, part->footprint.output_bytes);
	const uint64_t median = part->cost.median_ns;
	hy_sched__prior_scale(count, node_ns, copies < median / 2 ? median - copies : (median + 1) / 2);
	free(part->cost.node_ns);
	part->cost.node_ns = node_ns;
	part->cost.node_count = count;
	return HY_OK;
}

hy_status hy_sched__measure_part(hy_sched_plan *plan, uint32_t index, uint64_t budget_ns, hy_error *error)
{
	hy_sched__part *part = &plan->parts[index];
	bench b = {0};
	hy_status status = bench_init(&b, plan, part, error);
	if (status == HY_OK) status = sample(&b, budget_ns, &part->cost, error);
	if (status == HY_OK) status = spread(plan, &b, part, error);
	bench_finish(&b);
	return status;
}

/* ---- links ---- */

/* Parts of the largest copy, which is 4 MiB, or a quarter of a small device's memory. */
static const uint64_t link_parts[] = {1024, 64, 4, 1};
enum { LINK_SIZES = sizeof(link_parts) / sizeof(link_parts[0]), LINK_RUNS = 5 };
#define LINK_BYTES (4u << 20)
#define LEAST_LINK_BYTES 1024u

/* Median time of one copy. */
static hy_status copy_time(hy_hal_queue *queue, const hy_command *copy, uint64_t *out_ns, hy_error *error)
{
	uint64_t samples[LINK_RUNS];
	hy_status status = run_once(queue, 1, copy, &samples[0], error);
	for (uint32_t i = 0; i < LINK_RUNS && status == HY_OK; i++)
		status = run_once(queue, 1, copy, &samples[i], error);
	if (status != HY_OK) return status;
	hy_sched__cost cost = {0};
	hy_sched__cost_summarise(LINK_RUNS, samples, &cost);
	*out_ns = cost.median_ns;
	return HY_OK;
}

hy_status hy_sched__measure_link(hy_sched__device *device, hy_error *error)
{
	uint64_t most = LINK_BYTES;
	if (device->capacity_bytes > 0 && device->capacity_bytes / 4 < most) most = device->capacity_bytes / 4;
	if (most < LEAST_LINK_BYTES) most = LEAST_LINK_BYTES;
	hy_sched__transfer to[LINK_SIZES], from[LINK_SIZES];
	hy_hal_queue *queue = NULL;
	hy_hal_buffer *buffer = NULL;
	void *host = aligned_alloc(HOST_ALIGN, (most + HOST_ALIGN - 1) / HOST_ALIGN * HOST_ALIGN);
	hy_status status = HY_OK;
	if (host == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for measuring");
		goto done;
	}
	memset(host, 0, most);
	status = hy_hal_buffer_create(device->hal, most, &buffer, error);
	if (status == HY_OK) status = hy_hal_queue_open(device->hal, HY_QUEUE_COMPUTE, &queue, error);
	for (uint32_t i = 0; i < LINK_SIZES && status == HY_OK; i++) {
		hy_ref far = hy_hal_buffer_ref(buffer);
		const uint64_t length = most / link_parts[i];
		far.length = length;
		const hy_ref near = hy_hal_host_ref(host, length);
		const hy_command there = {.kind = HY_COMMAND_COPY, .target = far, .source = near};
		const hy_command back = {.kind = HY_COMMAND_COPY, .target = near, .source = far};
		to[i].bytes = from[i].bytes = length;
		status = copy_time(queue, &there, &to[i].ns, error);
		if (status == HY_OK) status = copy_time(queue, &back, &from[i].ns, error);
	}
	if (status == HY_OK) {
		device->to = hy_sched__cost_fit_link(LINK_SIZES, to);
		device->from = hy_sched__cost_fit_link(LINK_SIZES, from);
	}
done:
	hy_hal_queue_close(queue);
	hy_hal_buffer_destroy(buffer);
	free(host);
	return status;
}
