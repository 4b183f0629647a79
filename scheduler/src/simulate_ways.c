/* Candidates for a cluster, and the best of them as lanes with their transfers. */
#include "simulate_ways.h"

#include "bound.h"
#include "footprint.h"

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

/* What is told to the dispatch about handing over: far lanes take chunks, with enough in hand to hide the way there. */
static void tell(const hy_sched__simulated *ways, hy_sched__engine_lane *lane, uint32_t d)
{
	const hy_sched_cluster_type *type = &ways->cluster->types[ways->devices[d].type];
	const uint64_t way_ns = alone_ns(&lane->stages[0].before), item_ns = lane->stages[0].work_ns;
	lane->told.depth = DEPTH + (way_ns < item_ns ? 0 : 1);
	lane->told.overhead_ns = (uint64_t)type->launch_ns.value;
	if (!is_far(ways, d) || item_ns == 0) return;
	const uint64_t hidden = 2 * (way_ns / item_ns + 1);
	lane->told.most = lane->told.depth + (uint32_t)(hidden < MOST_IN_HAND ? hidden : MOST_IN_HAND);
}

static hy_status make_single(hy_sched__simulated *ways, uint32_t d, hy_error *error)
{
	hy_sched__engine_lane *lane = &ways->lanes[ways->lane_count];
	hy_sched__engine_stage *stage = &ways->stages[ways->stage_count];
	const size_t moves = (size_t)ways->stage_count + ways->lane_count;
	*stage = (hy_sched__engine_stage){.device = d, .work_ns = ways->devices[d].item_ns};
	lane->stage_count = 1;
	lane->stages = stage;
	hy_status status = make_move(ways, ways->source, place_of(ways, d), ways->whole.input_bytes, moves,
	                             &stage->before, error);
	if (status == HY_OK)
		status = make_move(ways, place_of(ways, d), ways->source, ways->whole.output_bytes, moves + 1,
		                   &lane->after, error);
	tell(ways, lane, d);
	ways->devices[d].in_plan = true;
	ways->stage_count++;
	ways->lane_count++;
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
		"the model needs %.1f GiB; the largest device of cluster %s has %.1f GiB, %.1f GiB too little",
		(double)need / 1073741824.0, ways->cluster->name, most / 1073741824.0,
		((double)need - most) / 1073741824.0);
}

/* Requests per second of all lanes together, the fastest served first where they share channels. */
static hy_status rate_of(const hy_sched__simulated *ways, double *out_per_s, hy_error *error)
{
	double *left = malloc((ways->channel_count + 1) * sizeof(*left)), all = 0;
	bool *served = calloc(ways->lane_count + 1, sizeof(*served));
	if (left == NULL || served == NULL) {
		free(left);
		free(served);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for rates");
	}
	for (uint32_t c = 0; c < ways->channel_count; c++)
		left[c] = 1;
	for (uint32_t i = 0; i < ways->lane_count; i++) {
		uint32_t next = ways->lane_count;
		for (uint32_t l = 0; l < ways->lane_count; l++)
			if (!served[l] && (next == ways->lane_count ||
			                   ways->lanes[l].stages[0].work_ns < ways->lanes[next].stages[0].work_ns))
				next = l;
		const hy_sched__engine_move *moves[] = {&ways->lanes[next].stages[0].before, &ways->lanes[next].after};
		double rate = 1 / (double)ways->lanes[next].stages[0].work_ns;
		for (uint32_t m = 0; m < 2; m++)
			for (uint32_t c = 0; c < moves[m]->channel_count; c++)
				if (rate * (double)moves[m]->holds_ns[c] > left[moves[m]->channels[c]])
					rate = left[moves[m]->channels[c]] / (double)moves[m]->holds_ns[c];
		for (uint32_t m = 0; m < 2; m++)
			for (uint32_t c = 0; c < moves[m]->channel_count; c++)
				left[moves[m]->channels[c]] -= rate * (double)moves[m]->holds_ns[c];
		served[next] = true;
		all += rate > 0 ? rate : 0;
	}
	free(left);
	free(served);
	*out_per_s = all * 1e9;
	return HY_OK;
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
	if (single == HY_SCHED_CLUSTER_NONE) return does_not_fit(ways, error);
	add_candidate(ways, HY_SCHED_SINGLE, 1, 1, 1e9 / (double)ways->devices[single].item_ns);
	add_candidate(ways, HY_SCHED_REPLICAS, count, count, all);
	ways->chosen = wanted == HY_SCHED_SINGLE ? 0 : 1;
	hy_status status = find_bound(ways, error);
	if (status == HY_OK) status = allocate(ways, count, count, error);
	for (uint32_t d = 0; d < ways->device_count && status == HY_OK; d++)
		if (ways->devices[d].fits && (ways->chosen == 1 || d == single)) status = make_single(ways, d, error);
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
	free(ways->lanes);
	free(ways->stages);
	free(ways->channels);
	free(ways->holds_ns);
	memset(ways, 0, sizeof(*ways));
}
