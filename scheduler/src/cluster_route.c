/* Ways through a cluster: the shortest over hosts and switches for a transfer of 1 MiB, by Dijkstra from each relay
 * that is asked for, kept. Devices relay nothing. */
#include "cluster_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TYPICAL_BYTES 1048576.0

static double cost_of(const hy_sched_cluster_link *link)
{
	return link->latency_ns.value + TYPICAL_BYTES / link->bytes_per_s.value * 1e9;
}

/* Relays: hosts, then switches; NONE for a device's place. */
static uint32_t relay_of(const hy_sched__cluster *cluster, uint32_t place)
{
	const uint32_t devices = cluster->shown.place_count - cluster->host_count - cluster->switch_count;
	if (place < cluster->host_count) return place;
	return place >= cluster->host_count + devices ? place - devices : HY_SCHED_CLUSTER_NONE;
}

static uint32_t place_of(const hy_sched__cluster *cluster, uint32_t relay)
{
	const uint32_t devices = cluster->shown.place_count - cluster->host_count - cluster->switch_count;
	return relay < cluster->host_count ? relay : relay + devices;
}

/* ---- a heap of relays by cost ---- */

typedef struct entry {
	double cost;
	uint32_t relay;
} entry;

static void heap_push(entry *heap, uint32_t *count, entry item)
{
	uint32_t at = (*count)++;
	for (; at > 0 && heap[(at - 1) / 2].cost > item.cost; at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = item;
}

static entry heap_pop(entry *heap, uint32_t *count)
{
	const entry top = heap[0], item = heap[--*count];
	uint32_t at = 0;
	for (;;) {
		uint32_t child = 2 * at + 1;
		if (child >= *count) break;
		if (child + 1 < *count && heap[child + 1].cost < heap[child].cost) child++;
		if (heap[child].cost >= item.cost) break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = item;
	return top;
}

/* Steps from one relay to all; heap has room for every link. */
static void find_ways(const hy_sched__cluster *cluster, uint32_t source, hy_sched__step *steps, entry *heap)
{
	const uint32_t relays = cluster->host_count + cluster->switch_count;
	uint32_t count = 0;
	for (uint32_t i = 0; i < relays; i++)
		steps[i] = (hy_sched__step){HY_SCHED_CLUSTER_NONE, INFINITY};
	steps[source].cost = 0;
	heap_push(heap, &count, (entry){0, source});
	while (count > 0) {
		const entry top = heap_pop(heap, &count);
		const uint32_t place = place_of(cluster, top.relay);
		if (top.cost > steps[top.relay].cost) continue;
		for (uint32_t i = cluster->first_links[place]; i < cluster->first_links[place + 1]; i++) {
			const hy_sched_cluster_link *link = &cluster->links[cluster->by_from[i]];
			const uint32_t relay = relay_of(cluster, link->to);
			const double cost = top.cost + cost_of(link);
			if (relay == HY_SCHED_CLUSTER_NONE || cost >= steps[relay].cost) continue;
			steps[relay] = (hy_sched__step){cluster->by_from[i], cost};
			heap_push(heap, &count, (entry){cost, relay});
		}
	}
}

/* The ways from a relay, found now or before; NULL without memory. */
static const hy_sched__step *ways_from(const hy_sched__cluster *cluster, uint32_t relay)
{
	hy_sched__step *known = atomic_load(&cluster->ways[relay]), *none = NULL;
	if (known != NULL) return known;
	hy_sched__step *steps = calloc(cluster->host_count + cluster->switch_count, sizeof(*steps));
	entry *heap = calloc(cluster->shown.link_count + 1, sizeof(*heap));
	if (steps != NULL && heap != NULL) find_ways(cluster, relay, steps, heap);
	const bool found = steps != NULL && heap != NULL;
	free(heap);
	if (found && atomic_compare_exchange_strong(&cluster->ways[relay], &none, steps)) return steps;
	free(steps); /* another thread was faster, or there is no memory */
	return found ? none : NULL;
}

/* ---- routes ---- */

hy_sched_cluster_link *hy_sched__cluster_direct(const hy_sched__cluster *cluster, uint32_t from, uint32_t to)
{
	for (uint32_t i = cluster->first_links[from]; i < cluster->first_links[from + 1]; i++)
		if (cluster->links[cluster->by_from[i]].to == to) return &cluster->links[cluster->by_from[i]];
	return NULL;
}

static void end_copy(hy_sched_route *route)
{
	if (route->copy_count > 0 && route->copy_ends[route->copy_count - 1] == route->link_count) return;
	if (route->link_count > 0) route->copy_ends[route->copy_count++] = route->link_count;
}

/* Adds the way between two relays; false when it is too long. */
static bool add_way(const hy_sched__cluster *cluster, const hy_sched__step *ways, uint32_t from, uint32_t to,
                    hy_sched_route *route)
{
	uint32_t back[HY_SCHED_ROUTE_LINKS], count = 0;
	for (uint32_t relay = to; relay != from;) {
		if (count + route->link_count + 1 >= HY_SCHED_ROUTE_LINKS) return false; /* one is left for the end */
		back[count++] = ways[relay].link;
		relay = relay_of(cluster, cluster->links[ways[relay].link].from);
	}
	while (count > 0)
		route->links[route->link_count++] = back[--count];
	return true;
}

/* The best link out of a place to a relay and from a relay into a place; a relay needs none. */
typedef struct ends {
	uint32_t out, in; /* links or NONE */
	uint32_t first, last; /* relays */
	double cost;
} ends;

/* Tries every link of `to` from a relay behind ways. */
static void try_last(const hy_sched__cluster *cluster, const hy_sched__step *ways, uint32_t to, double before,
                     uint32_t out, uint32_t first, ends *best)
{
	const uint32_t relay = relay_of(cluster, to);
	if (relay != HY_SCHED_CLUSTER_NONE) {
		if (before + ways[relay].cost < best->cost)
			*best = (ends){out, HY_SCHED_CLUSTER_NONE, first, relay, before + ways[relay].cost};
		return;
	}
	const hy_sched_cluster_node *node = &cluster->nodes[cluster->places[to].node];
	for (uint32_t n = 0; n < node->numa_count; n++) {
		const uint32_t host = node->first_place + n;
		const hy_sched_cluster_link *link = hy_sched__cluster_direct(cluster, host, to);
		if (link == NULL) continue;
		const double cost = before + ways[host].cost + cost_of(link);
		if (cost < best->cost) *best = (ends){out, (uint32_t)(link - cluster->links), first, host, cost};
	}
}

static hy_status find_ends(const hy_sched__cluster *cluster, uint32_t from, uint32_t to, ends *best)
{
	const uint32_t relay = relay_of(cluster, from);
	*best = (ends){.cost = INFINITY};
	if (relay != HY_SCHED_CLUSTER_NONE) {
		const hy_sched__step *ways = ways_from(cluster, relay);
		if (ways == NULL) return HY_NO_MEMORY;
		try_last(cluster, ways, to, 0, HY_SCHED_CLUSTER_NONE, relay, best);
		return HY_OK;
	}
	for (uint32_t i = cluster->first_links[from]; i < cluster->first_links[from + 1]; i++) {
		const hy_sched_cluster_link *link = &cluster->links[cluster->by_from[i]];
		const uint32_t first = relay_of(cluster, link->to);
		if (first == HY_SCHED_CLUSTER_NONE) continue;
		const hy_sched__step *ways = ways_from(cluster, first);
		if (ways == NULL) return HY_NO_MEMORY;
		try_last(cluster, ways, to, cost_of(link), cluster->by_from[i], first, best);
	}
	return HY_OK;
}

hy_status hy_sched_cluster_route(const hy_sched_cluster *shown, uint32_t from_place, uint32_t to_place,
                                 hy_sched_route *out_route, hy_error *error)
{
	const hy_sched__cluster *cluster = hy_sched__cluster_of(shown);
	hy_sched_route route = {0};
	ends best;
	if (from_place >= shown->place_count || to_place >= shown->place_count)
		return hy_error_set(error, HY_INVALID, "a way needs two places of the cluster");
	const hy_sched_cluster_link *direct = from_place == to_place
	                                              ? NULL
	                                              : hy_sched__cluster_direct(cluster, from_place, to_place);
	const bool relays = relay_of(cluster, from_place) != HY_SCHED_CLUSTER_NONE &&
	                    relay_of(cluster, to_place) != HY_SCHED_CLUSTER_NONE;
	if (direct != NULL && !relays) {
		route.links[route.link_count++] = (uint32_t)(direct - cluster->links);
		end_copy(&route);
	} else if (from_place != to_place) {
		if (find_ends(cluster, from_place, to_place, &best) != HY_OK)
			return hy_error_set(error, HY_NO_MEMORY, "no memory to find a way");
		const char *from = cluster->places[from_place].name, *to = cluster->places[to_place].name;
		if (best.cost == INFINITY)
			return hy_error_set(error, HY_UNSUPPORTED, "there is no way from %s to %s: give it links", from,
			                    to);
		const bool one_node = cluster->places[from_place].node == cluster->places[to_place].node;
		if (best.out != HY_SCHED_CLUSTER_NONE) route.links[route.link_count++] = best.out;
		if (!one_node || best.in != HY_SCHED_CLUSTER_NONE) end_copy(&route);
		if (!add_way(cluster, ways_from(cluster, best.first), best.first, best.last, &route))
			return hy_error_set(error, HY_UNSUPPORTED, "the way from %s to %s has more than %u links", from,
			                    to, HY_SCHED_ROUTE_LINKS);
		if (!one_node) end_copy(&route); /* a step between NUMA nodes is part of the copy beside it */
		if (best.in != HY_SCHED_CLUSTER_NONE) route.links[route.link_count++] = best.in;
		end_copy(&route);
	}
	*out_route = route;
	return HY_OK;
}

double hy_sched_route_ns(const hy_sched_cluster *cluster, const hy_sched_route *route, uint64_t bytes)
{
	double total = 0;
	for (uint32_t copy = 0, at = 0; copy < route->copy_count; copy++) {
		double slowest = INFINITY;
		for (; at < route->copy_ends[copy]; at++) {
			const hy_sched_cluster_link *link = &cluster->links[route->links[at]];
			total += link->latency_ns.value;
			if (link->bytes_per_s.value < slowest) slowest = link->bytes_per_s.value;
		}
		total += (double)bytes / slowest * 1e9;
	}
	return total;
}
