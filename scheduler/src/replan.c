/* Planning again while a pipeline runs. When its devices drift from what was planned, its borders move to where they
 * would be best now, if the dispatch finds that worth it: nothing new is started until all in hand has ended, the new
 * parts are compiled, and the lane goes on with them. Replicas need none of this: they take as fast as they work. */
#include "cost.h"
#include "footprint.h"
#include "part.h"
#include "rebalance.h"
#include "session.h"

#include <math.h>
#include <stdlib.h>

/* One pipeline over all nodes, with a device of its own for each stage. */
bool hy_sched__replan_possible(const hy_sched_session *session)
{
	const hy_sched__candidate *candidate = &session->plan->candidates[session->plan->chosen];
	if (session->strips != NULL || session->lane_count != 1 || session->lanes[0].stage_count < 2) return false;
	if (session->worker_count != session->lanes[0].stage_count) return false;
	uint32_t next = 0;
	for (uint32_t s = 0; s < session->lanes[0].stage_count; s++) {
		if (candidate->lanes[0].segments[s].first != next) return false;
		next += candidate->lanes[0].segments[s].count;
	}
	return next == hy_ir_graph_node_count(session->plan->graph);
}

/* ---- where the borders should be; arrays as hy_sched__rebalance wants them ---- */

typedef struct tables {
	uint32_t stage_count, node_count;
	double *numbers; /* of all rows */
	const double **rows; /* node, enter, leave per stage */
} tables;

static hy_status tables_init(tables *t, uint32_t stage_count, uint32_t node_count, hy_error *error)
{
	t->stage_count = stage_count;
	t->node_count = node_count;
	t->numbers = calloc((size_t)3 * stage_count * (node_count + 1), sizeof(*t->numbers));
	t->rows = calloc((size_t)3 * stage_count, sizeof(double *));
	if (t->numbers == NULL || t->rows == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (uint32_t r = 0; r < 3 * stage_count; r++)
		t->rows[r] = t->numbers + (size_t)r * (node_count + 1);
	return HY_OK;
}

static double *row(const tables *t, uint32_t kind, uint32_t stage)
{
	return t->numbers + (size_t)(kind * t->stage_count + stage) * (t->node_count + 1);
}

/* factor: of the device's times, over what was planned. */
static void fill_stage(const hy_sched__device *device, const tables *t, uint32_t s, double factor,
                       const uint64_t *crossing)
{
	for (uint32_t n = 0; n < t->node_count; n++) {
		const bool runs = device->verdicts[n].answer != HY_SCHED__NO && device->node_ns[n] != HY_SCHED__NEVER;
		row(t, 0, s)[n] = runs ? factor * (double)device->node_ns[n] : INFINITY;
	}
	for (uint32_t b = 0; b <= t->node_count; b++) {
		row(t, 1, s)[b] = (double)hy_sched__cost_link_ns(&device->to, crossing[b]);
		row(t, 2, s)[b] = (double)hy_sched__cost_link_ns(&device->from, crossing[b]);
	}
}

/* The lock is not held. */
static hy_status find_borders(const hy_sched_session *session, const double *factors, uint32_t *out_borders,
                              double *out_ns, hy_error *error)
{
	const uint32_t stages = session->lanes[0].stage_count, nodes = hy_ir_graph_node_count(session->plan->graph);
	tables t = {0};
	uint64_t *crossing = calloc(nodes + 1, sizeof(*crossing));
	hy_status status = crossing == NULL ? hy_error_set(error, HY_NO_MEMORY, "no memory for planning") : HY_OK;
	for (uint32_t b = 1; b < nodes && status == HY_OK; b++) {
		hy_sched__footprint footprint;
		status = hy_sched__footprint_of(session->plan->graph, b, nodes - b, &footprint, error);
		crossing[b] = footprint.input_bytes;
	}
	if (status == HY_OK) status = tables_init(&t, stages, nodes, error);
	for (uint32_t s = 0; s < stages && status == HY_OK; s++)
		fill_stage(&session->plan->devices[session->workers[session->lanes[0].stages[s].worker].device], &t, s,
		           factors[s], crossing);
	if (status == HY_OK) {
		const hy_sched__rebalance_problem problem = {.stage_count = stages,
		                                             .node_count = nodes,
		                                             .node_ns = t.rows,
		                                             .enter_ns = t.rows + stages,
		                                             .leave_ns = t.rows + 2 * (size_t)stages};
		status = hy_sched__rebalance(&problem, out_borders, out_ns, error);
	}
	free(t.numbers);
	free(t.rows);
	free(crossing);
	return status;
}

/* ---- moving them ---- */

static bool fits(const hy_sched_plan *plan, const hy_sched__segment *segment)
{
	hy_sched__footprint footprint;
	const hy_sched__device *device = &plan->devices[segment->device];
	if (hy_sched__footprint_of(plan->graph, segment->first, segment->count, &footprint, NULL) != HY_OK)
		return false;
	return device->capacity_bytes == 0 ||
	       hy_sched__footprint_need(&footprint, true, plan->options.depth) <= device->capacity_bytes;
}

static bool is_quiet(const hy_sched_session *session)
{
	hy_sched__dispatch_lane_info info;
	hy_sched__dispatch_lane_describe(session->dispatch, 0, &info);
	for (uint32_t w = 0; w < session->worker_count; w++)
		if (session->workers[w].in_flight > 0 || session->workers[w].submitting) return false;
	return info.in_hand == 0;
}

static bool is_well(const hy_sched_session *session)
{
	for (uint32_t w = 0; w < session->worker_count; w++)
		if (session->workers[w].renew || session->workers[w].renewing || session->workers[w].lost ||
		    session->workers[w].queue_lost)
			return false;
	return hy_sched__worker_lane_works(&session->lanes[0]);
}

/* The new way, its parts placed and compiled. The lock is let go of while they compile; nothing runs meanwhile. */
static hy_status make_way(hy_sched_session *session, const uint32_t *borders, hy_sched__lane *way, hy_error *error)
{
	hy_sched_plan *plan = session->plan;
	const uint32_t stages = session->lanes[0].stage_count;
	way->segments = calloc(stages, sizeof(*way->segments));
	way->parts = calloc(stages, sizeof(*way->parts));
	if (way->segments == NULL || way->parts == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	hy_status status = HY_OK;
	for (uint32_t s = 0; s < stages && status == HY_OK; s++) {
		way->segments[s].first = borders[s];
		way->segments[s].count = borders[s + 1] - borders[s];
		way->segments[s].device = session->workers[session->lanes[0].stages[s].worker].device;
		way->segment_count++;
		if (!fits(plan, &way->segments[s]))
			return hy_error_set(error, HY_NO_MEMORY, "a device has no room for its new part");
		status = hy_sched__part_place(plan, &way->segments[s], &way->parts[s], error);
	}
	pthread_mutex_unlock(&session->lock);
	for (uint32_t s = 0; s < stages && status == HY_OK; s++)
		status = hy_sched__part_compile(plan, way->parts[s], error);
	pthread_mutex_lock(&session->lock);
	return status;
}

/* Programs of parts that are no longer on the way. */
static void drop_programs(hy_sched_session *session, const hy_sched__lane *way)
{
	for (uint32_t i = 0; i < session->program_count; i++) {
		bool stays = false;
		for (uint32_t s = 0; s < way->segment_count; s++)
			stays |= way->parts[s] == session->programs[i];
		if (stays) continue;
		hy_hal_program_destroy(session->plan->parts[session->programs[i]].program);
		session->plan->parts[session->programs[i]].program = NULL;
	}
	for (uint32_t s = 0; s < way->segment_count; s++)
		session->programs[s] = way->parts[s];
	session->program_count = way->segment_count;
}

static void move_borders(hy_sched_session *session, const uint32_t *borders, double item_ns)
{
	hy_error error;
	hy_sched__lane way = {0};
	session->replanning = true;
	while (!is_quiet(session) && is_well(session) && !session->stopping)
		pthread_cond_wait(&session->quiet, &session->lock);
	if (is_quiet(session) && is_well(session) && !session->stopping) {
		hy_status status = make_way(session, borders, &way, &error);
		if (status == HY_OK) status = hy_sched__session_remake_lane(session, &way, &error);
		if (status == HY_OK) {
			drop_programs(session, &way);
			session->replans++;
			hy_sched__dispatch_lane_predict(session->dispatch, 0, (uint64_t)item_ns);
			if (session->trace != NULL) hy_sched__record_instant(session, HY_SCHED__TRACE_REPLAN, NULL, 0);
		}
	}
	free(way.segments);
	free(way.parts);
	session->replanning = false;
	hy_sched__worker_wake_all(session);
}

/* What the part takes when its device is as fast as its nodes' times say. */
static double planned_ns(const hy_sched_plan *plan, const hy_sched__part *part)
{
	const hy_sched__device *device = &plan->devices[part->segment.device];
	double ns = 0;
	for (uint32_t n = 0; n < part->segment.count; n++)
		ns += (double)device->node_ns[part->segment.first + n];
	return ns + (double)hy_sched__cost_link_ns(&device->to, part->footprint.input_bytes) +
	       (double)hy_sched__cost_link_ns(&device->from, part->footprint.output_bytes);
}

static bool moves(const hy_sched_session *session, const uint32_t *borders)
{
	for (uint32_t s = 0; s < session->lanes[0].stage_count; s++)
		if (session->plan->parts[session->lanes[0].stages[s].part].segment.first != borders[s]) return true;
	return false;
}

void hy_sched__replan(hy_sched_session *session)
{
	const hy_sched__lane_run *lane = &session->lanes[0];
	uint32_t borders[HY_SCHED__MOST_DEVICES + 1];
	double factors[HY_SCHED__MOST_DEVICES], now_ns = 0, best_ns;
	uint64_t cost_ns = 0;
	session->drifted = false;
	if (!is_well(session)) return;
	for (uint32_t s = 0; s < lane->stage_count; s++) {
		const hy_sched__part *part = &session->plan->parts[lane->stages[s].part];
		const double busy_ns = lane->stages[s].busy_ns, planned = planned_ns(session->plan, part);
		factors[s] = planned > 0 && busy_ns > 0 ? busy_ns / planned : 1;
		if (busy_ns > now_ns) now_ns = busy_ns;
		cost_ns += part->compile_ns;
	}
	pthread_mutex_unlock(&session->lock);
	const hy_status status = find_borders(session, factors, borders, &best_ns, NULL);
	pthread_mutex_lock(&session->lock);
	if (status != HY_OK || !(best_ns < now_ns) || !moves(session, borders)) return;
	if (hy_sched__dispatch_replan(session->dispatch, hy_hal_now_ns(), 1 - best_ns / now_ns, cost_ns))
		move_borders(session, borders, best_ns);
}
