/* Candidates for a cluster, and the best of them as lanes with their transfers. */
#include "simulate_ways.h"

#include "bound.h"
#include "footprint.h"
#include "pipeline.h"
#include "plan_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 2u
#define MOST_IN_HAND 64u

/* ---- transfers ---- */

/* The route's channels, each for as long as its links need; what else route_ns counts is latency. `at` is the move's
 * place in the arrays of channels. */
static hy_status make_move(hy_sched__simulated *ways, uint32_t from, uint32_t to, uint64_t bytes, size_t at,
                           hy_sched__engine_move *out_move, hy_error *error)
{
	hy_sched_route route;
	uint32_t *channels = &ways->channels[at * HY_SCHED_ROUTE_LINKS], count = 0;
	uint64_t *holds_ns = &ways->holds_ns[at * HY_SCHED_ROUTE_LINKS];
	*out_move = (hy_sched__engine_move){.channels = channels, .holds_ns = holds_ns};
	if (bytes == 0) return HY_OK;
	const hy_status status = hy_sched_cluster_route(ways->cluster, from, to, &route, error);
	if (status != HY_OK) return status;
	double slowest = 0;
	for (uint32_t i = 0; i < route.link_count; i++) {
		const hy_sched_cluster_link *link = &ways->cluster->links[route.links[i]];
		const double ns = (double)bytes / link->bytes_per_s.value * 1e9;
		uint32_t c = 0;
		while (c < count && channels[c] != link->channel)
			c++;
		if (c == count) {
			channels[count] = link->channel;
			holds_ns[count++] = 0;
		}
		holds_ns[c] += (uint64_t)(ns + 0.5);
		if (ns > slowest) slowest = ns;
	}
	const double all = hy_sched_route_ns(ways->cluster, &route, bytes);
	out_move->channel_count = count;
	out_move->latency_ns = all > slowest ? (uint64_t)(all - slowest + 0.5) : 0;
	return HY_OK;
}

static uint64_t alone_ns(const hy_sched__engine_move *move)
{
	uint64_t most = 0;
	for (uint32_t c = 0; c < move->channel_count; c++)
		if (move->holds_ns[c] > most) most = move->holds_ns[c];
	return most + move->latency_ns;
}

static uint32_t place_of(const hy_sched__simulated *ways, uint32_t d)
{
	return ways->cluster->devices[ways->devices[d].device].place;
}

static bool is_far(const hy_sched__simulated *ways, uint32_t d)
{
	const hy_sched_cluster *cluster = ways->cluster;
	return cluster->places[ways->source].node != cluster->devices[ways->devices[d].device].node;
}

/* ---- lanes ---- */

static hy_status allocate(hy_sched__simulated *ways, uint32_t lanes, uint32_t stages, hy_error *error)
{
	ways->lanes = calloc(lanes + 1, sizeof(*ways->lanes));
	ways->stages = calloc(stages + 1, sizeof(*ways->stages));
	const size_t moves = ((size_t)stages + lanes + 1) * HY_SCHED_ROUTE_LINKS;
	ways->channels = calloc(moves, sizeof(*ways->channels));
	ways->holds_ns = calloc(moves, sizeof(*ways->holds_ns));
	if (ways->lanes == NULL || ways->stages == NULL || ways->channels == NULL || ways->holds_ns == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for %u lanes", lanes);
	return HY_OK;
}

/* Of its slowest device. */
static uint64_t item_ns_of(const hy_sched__engine_lane *lane)
{
	uint64_t most = 0;
	for (uint32_t s = 0; s < lane->stage_count; s++)
		if (lane->stages[s].work_ns > most) most = lane->stages[s].work_ns;
	return most > 0 ? most : 1;
}

/* What is told to the dispatch about handing over: far lanes take chunks, with enough in hand to hide the way there. */
static void tell(const hy_sched__simulated *ways, hy_sched__engine_lane *lane)
{
	const uint32_t d = lane->stages[0].device;
	const uint64_t way_ns = alone_ns(&lane->stages[0].before), item_ns = item_ns_of(lane);
	lane->told.depth = DEPTH * lane->stage_count + (way_ns < item_ns ? 0 : 1);
	lane->told.overhead_ns = (uint64_t)ways->cluster->types[ways->devices[d].type].launch_ns.value;
	if (!is_far(ways, d)) return;
	const uint64_t hidden = 2 * (way_ns / item_ns + 1);
	lane->told.most = lane->told.depth + (uint32_t)(hidden < MOST_IN_HAND ? hidden : MOST_IN_HAND);
}

/* One stage per segment; the inputs of a stage come from the device before it. */
static hy_status make_lane(hy_sched__simulated *ways, uint32_t count, const hy_sched__segment *segments,
                           hy_error *error)
{
	hy_sched__engine_lane *lane = &ways->lanes[ways->lane_count];
	size_t move = (size_t)ways->stage_count + ways->lane_count;
	uint32_t place = ways->source;
	hy_status status = HY_OK;
	lane->stages = &ways->stages[ways->stage_count];
	for (uint32_t s = 0; s < count && status == HY_OK; s++) {
		const uint32_t d = segments[s].device;
		const uint64_t *node_ns = ways->node_ns[ways->devices[d].type];
		hy_sched__engine_stage *stage = &ways->stages[ways->stage_count++];
		hy_sched__footprint footprint = ways->whole;
		*stage = (hy_sched__engine_stage){.device = d};
		for (uint32_t n = 0; n < segments[s].count; n++)
			stage->work_ns += node_ns[segments[s].first + n];
		if (count > 1)
			status = hy_sched__footprint_of(ways->graph, segments[s].first, segments[s].count, &footprint,
			                                error);
		if (status == HY_OK)
			status = make_move(ways, place, place_of(ways, d), footprint.input_bytes, move++,
			                   &stage->before, error);
		place = place_of(ways, d);
		ways->devices[d].in_plan = true;
	}
	if (status == HY_OK)
		status = make_move(ways, place, ways->source, ways->whole.output_bytes, move, &lane->after, error);
	lane->stage_count = count;
	tell(ways, lane);
	ways->lane_count++;
	return status;
}

static hy_status make_single(hy_sched__simulated *ways, uint32_t d, hy_error *error)
{
	const hy_sched__segment whole = {.first = 0, .count = ways->node_count, .device = d};
	return make_lane(ways, 1, &whole, error);
}

static hy_status make_streams(hy_sched__simulated *ways, const hy_sched__pipelines *streams, hy_error *error)
{
	hy_status status = allocate(ways, streams->stream_count, streams->stream_first[streams->stream_count], error);
	for (uint32_t s = 0; s < streams->stream_count && status == HY_OK; s++)
		status = make_lane(ways, streams->stream_first[s + 1] - streams->stream_first[s],
		                   &streams->stages[streams->stream_first[s]], error);
	return status;
}

/* ---- candidates ---- */

static uint32_t best_single(const hy_sched__simulated *ways)
{
	uint32_t best = HY_SCHED_CLUSTER_NONE;
	for (uint32_t d = 0; d < ways->device_count; d++)
		if (ways->devices[d].fits && !ways->devices[d].absent &&
		    (best == HY_SCHED_CLUSTER_NONE || ways->devices[d].item_ns < ways->devices[best].item_ns))
			best = d;
	return best;
}

static void add_candidate(hy_sched__simulated *ways, hy_sched_strategy strategy, uint32_t devices, uint32_t lanes,
                          double per_s)
{
	ways->candidates[ways->candidate_count++] = (hy_sched_simulation_candidate){
		.strategy = strategy, .device_count = devices, .lane_count = lanes, .per_s = per_s};
}

#define FINE 1000 /* of a nanosecond: many devices of one type need less than one for a node */

/* Devices of one type count as one that is as many times faster. */
static hy_status find_bound(hy_sched__simulated *ways, hy_error *error)
{
	const uint32_t types = ways->cluster->type_count, nodes = ways->node_count;
	uint64_t *times = calloc((size_t)types * nodes, sizeof(*times));
	const uint64_t **rows = calloc(types, sizeof(*rows));
	uint32_t count = 0;
	for (uint32_t t = 0; times != NULL && rows != NULL && t < types; t++) {
		uint64_t devices = 0;
		for (uint32_t d = 0; d < ways->device_count; d++)
			devices += ways->devices[d].type == t;
		if (devices == 0) continue;
		uint64_t *row = &times[(size_t)count * nodes];
		for (uint32_t n = 0; n < nodes; n++)
			row[n] = ways->node_ns[t][n] * FINE / devices;
		rows[count++] = row;
	}
	const uint64_t fine_ns = count > 0 ? hy_sched__bound_throughput(count, nodes, rows) : 0;
	ways->bound_per_s = fine_ns > 0 ? 1e9 * FINE / (double)fine_ns : 0;
	const bool failed = times == NULL || rows == NULL;
	free(times);
	free(rows);
	return failed ? hy_error_set(error, HY_NO_MEMORY, "no memory for a bound") : HY_OK;
}

static hy_status does_not_fit(const hy_sched__simulated *ways, hy_error *error)
{
	double most = 0;
	for (uint32_t d = 0; d < ways->device_count; d++) {
		const double bytes = ways->cluster->types[ways->devices[d].type].memory_bytes.value;
		if (bytes > most) most = bytes;
	}
	const uint64_t need = hy_sched__footprint_need(&ways->whole, true, DEPTH);
	return hy_error_set(
		error, HY_NO_MEMORY,
		"no plan fits: the model needs %.0f bytes; the largest device of cluster %s has %.0f, %.0f too "
		"little",
		(double)need, ways->cluster->name, most, (double)need - most);
}

/* What a lane takes of each channel at a rate; negative: gives back. */
static void take_channels(const hy_sched__engine_lane *lane, double rate, double *left)
{
	for (uint32_t m = 0; m <= lane->stage_count; m++) {
		const hy_sched__engine_move *move = m < lane->stage_count ? &lane->stages[m].before : &lane->after;
		for (uint32_t c = 0; c < move->channel_count; c++)
			left[move->channels[c]] -= rate * (double)move->holds_ns[c];
	}
}

static double most_rate(const hy_sched__engine_lane *lane, const double *left)
{
	double rate = 1 / (double)item_ns_of(lane);
	for (uint32_t m = 0; m <= lane->stage_count; m++) {
		const hy_sched__engine_move *move = m < lane->stage_count ? &lane->stages[m].before : &lane->after;
		for (uint32_t c = 0; c < move->channel_count; c++)
			if (rate * (double)move->holds_ns[c] > left[move->channels[c]])
				rate = left[move->channels[c]] / (double)move->holds_ns[c];
	}
	return rate > 0 ? rate : 0;
}

/* Requests per second of all lanes together, the fastest served first where they share channels. */
static hy_status rate_of(const hy_sched__simulated *ways, double *out_per_s, hy_error *error)
{
	double *left = malloc((ways->channel_count + 1) * sizeof(*left)), all = 0;
	bool *served = calloc(ways->lane_count + 1, sizeof(*served));
	for (uint32_t c = 0; left != NULL && c < ways->channel_count; c++)
		left[c] = 1;
	for (uint32_t i = 0; left != NULL && served != NULL && i < ways->lane_count; i++) {
		uint32_t next = ways->lane_count;
		for (uint32_t l = 0; l < ways->lane_count; l++)
			if (!served[l] &&
			    (next == ways->lane_count || item_ns_of(&ways->lanes[l]) < item_ns_of(&ways->lanes[next])))
				next = l;
		const double rate = most_rate(&ways->lanes[next], left);
		take_channels(&ways->lanes[next], rate, left);
		served[next] = true;
		all += rate;
	}
	const bool failed = left == NULL || served == NULL;
	free(left);
	free(served);
	*out_per_s = all * 1e9;
	return failed ? hy_error_set(error, HY_NO_MEMORY, "no memory for rates") : HY_OK;
}

/* ---- pipelines ---- */

static hy_status link_of(const hy_sched__simulated *ways, uint32_t from, uint32_t to, hy_sched__link *out_link,
                         hy_error *error)
{
	const uint64_t some = 1u << 20;
	hy_sched_route route;
	const hy_status status = hy_sched_cluster_route(ways->cluster, from, to, &route, error);
	if (status != HY_OK) return status;
	const double least = hy_sched_route_ns(ways->cluster, &route, 0);
	out_link->latency_ns = (uint64_t)least;
	out_link->ns_per_byte = (hy_sched_route_ns(ways->cluster, &route, some) - least) / (double)some;
	return HY_OK;
}

/* The planner's pipelines on all devices; stream_count 0 when none fits. */
static hy_status find_streams(const hy_sched__simulated *ways, hy_sched__pipeline_shape shape,
                              hy_sched__pipelines *out_streams, hy_error *error)
{
	const uint32_t count = ways->device_count;
	const uint64_t **rows = calloc(count, sizeof(*rows));
	uint64_t *capacity = calloc(count, sizeof(*capacity));
	hy_sched__link *to = calloc(count, sizeof(*to)), *from = calloc(count, sizeof(*from));
	hy_sched__plan_graph graph = {.type = NULL};
	hy_status status = HY_OK;
	if (rows == NULL || capacity == NULL || to == NULL || from == NULL)
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (uint32_t d = 0; d < count && status == HY_OK; d++) {
		rows[d] = ways->node_ns[ways->devices[d].type];
		capacity[d] = (uint64_t)ways->cluster->types[ways->devices[d].type].memory_bytes.value;
		status = link_of(ways, ways->source, place_of(ways, d), &to[d], error);
		if (status == HY_OK) status = link_of(ways, place_of(ways, d), ways->source, &from[d], error);
	}
	const hy_sched__problem problem = {.device_count = count,
	                                   .node_count = ways->node_count,
	                                   .depth = DEPTH,
	                                   .node_ns = rows,
	                                   .to = to,
	                                   .from = from,
	                                   .capacity_bytes = capacity};
	if (status == HY_OK) status = hy_sched__plan_graph_init(ways->graph, &problem, &graph, error);
	if (status == HY_OK) {
		status = hy_sched__pipeline_cut(&graph.pipeline, shape, NULL, out_streams, error);
		hy_sched__plan_graph_finish(&graph);
	}
	free(rows);
	free(capacity);
	free(to);
	free(from);
	return status;
}

static hy_status choose_streams(hy_sched__simulated *ways, hy_sched_strategy strategy, bool wanted, hy_error *error)
{
	hy_sched__pipelines streams = {.stream_count = 0};
	hy_status status = find_streams(
		ways, strategy == HY_SCHED_PIPELINE ? HY_SCHED__PIPELINE_ONE : HY_SCHED__PIPELINE_GROUPS, &streams,
		error);
	if (status != HY_OK) return status;
	const bool is_possible = streams.stream_count > 0 && isfinite(streams.item_ns);
	const double per_s = is_possible ? 1e9 / streams.item_ns : 0;
	const bool is_best = ways->candidate_count == 0 || wanted ||
	                     per_s > 1.02 * ways->candidates[ways->chosen].per_s;
	if (is_possible) {
		add_candidate(ways, strategy, streams.stream_first[streams.stream_count], streams.stream_count, per_s);
		if (is_best) ways->chosen = ways->candidate_count - 1;
		if (is_best) status = make_streams(ways, &streams, error);
	}
	hy_sched__pipelines_finish(&streams);
	if (status == HY_OK && wanted && !is_possible) return does_not_fit(ways, error);
	return status;
}

static hy_status make_replicas(hy_sched__simulated *ways, uint32_t single, hy_error *error)
{
	const bool all = ways->candidates[ways->chosen].strategy == HY_SCHED_REPLICAS;
	hy_status status = allocate(ways, ways->device_count, ways->device_count, error);
	for (uint32_t d = 0; d < ways->device_count && status == HY_OK; d++)
		if (ways->devices[d].fits && (all || d == single)) status = make_single(ways, d, error);
	return status;
}

hy_status hy_sched__simulate_ways_choose(hy_sched__simulated *ways, hy_sched_strategy wanted, hy_error *error)
{
	const uint32_t single = best_single(ways);
	double all = 0;
	uint32_t count = 0;
	for (uint32_t d = 0; d < ways->device_count; d++) {
		if (!ways->devices[d].fits) continue;
		all += 1e9 / (double)ways->devices[d].item_ns;
		count++;
	}
	if (single != HY_SCHED_CLUSTER_NONE) {
		add_candidate(ways, HY_SCHED_SINGLE, 1, 1, 1e9 / (double)ways->devices[single].item_ns);
		add_candidate(ways, HY_SCHED_REPLICAS, count, count, all);
		ways->chosen = wanted == HY_SCHED_SINGLE ? 0 : 1;
	}
	/* Where each device holds the model, no pipeline beats replicas. */
	const bool streams = wanted == HY_SCHED_PIPELINE || wanted == HY_SCHED_GROUPS;
	hy_status status = find_bound(ways, error);
	if (status == HY_OK && (streams || (wanted == HY_SCHED_AUTO && count < ways->device_count)))
		status = choose_streams(ways, streams ? wanted : HY_SCHED_GROUPS, streams, error);
	if (status == HY_OK && ways->candidate_count == 0) status = does_not_fit(ways, error);
	if (status == HY_OK && ways->lanes == NULL) status = make_replicas(ways, single, error);
	if (status == HY_OK) status = rate_of(ways, &ways->candidates[ways->chosen].per_s, error);
	return status;
}

void hy_sched__simulate_ways_finish(hy_sched__simulated *ways)
{
	for (uint32_t d = 0; d < ways->device_count; d++)
		free(ways->devices[d].name);
	for (uint32_t t = 0; ways->node_ns != NULL && t < ways->cluster->type_count; t++)
		free(ways->node_ns[t]);
	free(ways->devices);
	free(ways->node_ns);
	free(ways->measured);
	free(ways->lanes);
	free(ways->stages);
	free(ways->channels);
	free(ways->holds_ns);
	memset(ways, 0, sizeof(*ways));
}
