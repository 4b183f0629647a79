/* Which devices a simulation has, and what the model costs on each of their types. */
#include "simulate_ways.h"

#include "cost.h"
#include "footprint.h"
#include "prior.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 2u
#define PRIOR_LAUNCH_NS 1000.0 /* that the roofline counts already */

/* A pattern names devices, or nodes with all of theirs. */
static bool names(const char *pattern, const hy_sched_cluster *cluster, uint32_t d)
{
	const hy_sched_cluster_device *device = &cluster->devices[d];
	return fnmatch(pattern, device->name, 0) == 0 || fnmatch(pattern, cluster->nodes[device->node].name, 0) == 0;
}

static bool is_without(const hy_sched_simulation_options *options, const hy_sched_cluster *cluster, uint32_t d)
{
	for (uint32_t i = 0; i < options->without_count; i++)
		if (names(options->without[i], cluster, d)) return true;
	return false;
}

static hy_status check_without(const hy_sched_simulation_options *options, const hy_sched_cluster *cluster,
                               hy_error *error)
{
	for (uint32_t i = 0; i < options->without_count; i++) {
		bool found = false;
		for (uint32_t d = 0; d < cluster->device_count && !found; d++)
			found = names(options->without[i], cluster, d);
		if (!found)
			return hy_error_set(error, HY_INVALID, "without: no device or node of cluster %s fits '%s'",
			                    cluster->name, options->without[i]);
	}
	return HY_OK;
}

static uint32_t find_type(const hy_sched_cluster *cluster, const char *name)
{
	for (uint32_t t = 0; t < cluster->type_count; t++)
		if (strcmp(cluster->types[t].name, name) == 0) return t;
	return HY_SCHED_CLUSTER_NONE;
}

static hy_status add_device(hy_sched__simulated *ways, uint32_t d, uint32_t number, hy_error *error)
{
	const hy_sched_cluster_device *device = &ways->cluster->devices[d];
	char name[512];
	snprintf(name, sizeof(name), number > 0 ? "%s+%u" : "%s", device->name, number);
	hy_sched__simulated_device *one = &ways->devices[ways->device_count];
	*one = (hy_sched__simulated_device){.device = d, .type = device->type, .name = strdup(name)};
	if (one->name == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for devices");
	ways->device_count++;
	return HY_OK;
}

static hy_status find_devices(hy_sched__simulated *ways, const hy_sched_simulation_options *options, hy_error *error)
{
	const hy_sched_cluster *cluster = ways->cluster;
	hy_status status = check_without(options, cluster, error);
	ways->devices = calloc((size_t)cluster->device_count + options->add_count + 1, sizeof(*ways->devices));
	if (ways->devices == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for devices");
	for (uint32_t d = 0; d < cluster->device_count && status == HY_OK; d++)
		if (!is_without(options, cluster, d)) status = add_device(ways, d, 0, error);
	for (uint32_t i = 0; i < options->add_count && status == HY_OK; i++) {
		const uint32_t type = find_type(cluster, options->add[i]);
		uint32_t d = 0;
		while (d < cluster->device_count && cluster->devices[d].type != type)
			d++;
		if (type == HY_SCHED_CLUSTER_NONE || d == cluster->device_count)
			return hy_error_set(error, HY_INVALID, "add: cluster %s has no device of a type '%s'",
			                    cluster->name, options->add[i]);
		status = add_device(ways, d, i + 1, error);
	}
	if (status == HY_OK && ways->device_count == 0)
		status = hy_error_set(error, HY_INVALID, "no device of cluster %s is left", cluster->name);
	return status;
}

/* From the type's file of measured costs. A file that isn't there, or without this model, changes nothing. */
static hy_status calibrate(hy_sched__simulated *ways, uint32_t t, uint64_t *ns, hy_error *error)
{
	const hy_sched_cluster_type *type = &ways->cluster->types[t];
	hy_sched__cost_file *file = NULL;
	hy_sched__cost cost = {0};
	hy_ir_blob blob = {0};
	const char *ignored;
	hy_status status = hy_sched__cost_file_open(type->calibration, &file, &ignored, error);
	if (status == HY_OK)
		status = hy_ir_blob_create(ways->graph, 0, ways->node_count, &blob, NULL, NULL, NULL, NULL, error);
	const bool found = status == HY_OK &&
	                   hy_sched__cost_file_find_model(file, type->plugin, hy_sched__cost_hash(blob.graph), &cost);
	for (uint32_t n = 0; found && cost.node_count == ways->node_count && n < ways->node_count; n++)
		ns[n] = cost.node_ns[n];
	if (found) hy_sched__prior_scale(ways->node_count, ns, cost.median_ns);
	ways->measured[t] |= found;
	hy_sched__cost_finish(&cost);
	hy_ir_blob_finish(&blob);
	hy_sched__cost_file_close(file);
	return status;
}

static hy_status cost_of_type(hy_sched__simulated *ways, uint32_t t, const hy_sched_simulation_options *options,
                              hy_error *error)
{
	const hy_sched_cluster_type *type = &ways->cluster->types[t];
	const hy_device_info info = {.flops_f32 = (uint64_t)type->flops_f32.value,
	                             .memory_bytes_per_s = (uint64_t)type->memory_bytes_per_s.value};
	uint64_t *ns = calloc(ways->node_count + 1, sizeof(*ns));
	if (ns == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for costs");
	ways->node_ns[t] = ns;
	hy_sched__prior_nodes(ways->graph, &info, ns);
	for (uint32_t n = 0; n < ways->node_count && type->launch_ns.value > PRIOR_LAUNCH_NS; n++)
		ns[n] += (uint64_t)(type->launch_ns.value - PRIOR_LAUNCH_NS);
	for (uint32_t i = 0; i < options->item_time_count; i++) {
		if (strcmp(options->item_times[i].type, type->name) != 0) continue;
		hy_sched__prior_scale(ways->node_count, ns, options->item_times[i].item_ns);
		ways->measured[t] = true;
	}
	return type->calibration == NULL || ways->measured[t] ? HY_OK : calibrate(ways, t, ns, error);
}

static hy_status find_costs(hy_sched__simulated *ways, const hy_sched_simulation_options *options, hy_error *error)
{
	const hy_sched_cluster *cluster = ways->cluster;
	for (uint32_t i = 0; i < options->item_time_count; i++)
		if (find_type(cluster, options->item_times[i].type) == HY_SCHED_CLUSTER_NONE)
			return hy_error_set(error, HY_INVALID, "item time: cluster %s has no type '%s'", cluster->name,
			                    options->item_times[i].type);
	ways->node_ns = calloc(cluster->type_count + 1, sizeof(*ways->node_ns));
	ways->measured = calloc(cluster->type_count + 1, sizeof(*ways->measured));
	if (ways->node_ns == NULL || ways->measured == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for costs");
	hy_status status = hy_sched__footprint_of(ways->graph, 0, ways->node_count, &ways->whole, error);
	for (uint32_t d = 0; d < ways->device_count && status == HY_OK; d++) {
		hy_sched__simulated_device *device = &ways->devices[d];
		const double memory = cluster->types[device->type].memory_bytes.value;
		const bool staged = cluster->places[cluster->devices[device->device].place].kind == HY_SCHED_DEVICE;
		if (ways->node_ns[device->type] == NULL) status = cost_of_type(ways, device->type, options, error);
		if (status != HY_OK) break;
		for (uint32_t n = 0; n < ways->node_count; n++)
			device->item_ns += ways->node_ns[device->type][n];
		if (device->item_ns == 0) device->item_ns = 1;
		device->fits = memory <= 0 || (double)hy_sched__footprint_need(&ways->whole, staged, DEPTH) <= memory;
	}
	return status;
}

static hy_status find_source(hy_sched__simulated *ways, const char *name, hy_error *error)
{
	const hy_sched_cluster *cluster = ways->cluster;
	for (uint32_t p = 0; name != NULL && p < cluster->place_count; p++) {
		if (strcmp(cluster->places[p].name, name) != 0) continue;
		ways->source = p;
		return HY_OK;
	}
	if (name == NULL) {
		ways->source = cluster->nodes[0].first_place;
		return HY_OK;
	}
	const uint32_t node = hy_sched_cluster_find_node(cluster, name);
	if (node == HY_SCHED_CLUSTER_NONE)
		return hy_error_set(error, HY_INVALID, "source: cluster %s has no node or place '%s'", cluster->name,
		                    name);
	ways->source = cluster->nodes[node].first_place;
	return HY_OK;
}

hy_status hy_sched__simulate_devices_find(hy_sched__simulated *ways, const hy_sched_simulation_options *options,
                                          hy_error *error)
{
	ways->node_count = hy_ir_graph_node_count(ways->graph);
	ways->channel_count = ways->cluster->channel_count;
	if (ways->node_count == 0 || ways->cluster->node_count == 0)
		return hy_error_set(error, HY_INVALID, "simulate: an empty model or cluster");
	hy_status status = find_source(ways, options->source, error);
	if (status == HY_OK) status = find_devices(ways, options, error);
	if (status == HY_OK) status = find_costs(ways, options, error);
	return status;
}
