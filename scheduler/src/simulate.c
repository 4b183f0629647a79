/* The doors of a simulation: from a cluster, a graph and a script to a run of the engine and its result. */
#include "simulate_ways.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_EVENTS (1u << 17) /* the last ones are kept */

struct hy_sched_simulation {
	hy_sched__simulated ways;
	hy_sched_simulation_info info;
	hy_sched_simulation_device *devices;
	char *busiest; /* name of a channel */
};

/* ---- the script ---- */

static const hy_sched__engine_fault fault_of[] = {
	[HY_SCHED_EVENT_SPEED] = HY_SCHED__ENGINE_SPEED, [HY_SCHED_EVENT_DIES] = HY_SCHED__ENGINE_DIES,
	[HY_SCHED_EVENT_HANGS] = HY_SCHED__ENGINE_HANGS, [HY_SCHED_EVENT_RETURNS] = HY_SCHED__ENGINE_RETURNS,
	[HY_SCHED_EVENT_JOINS] = HY_SCHED__ENGINE_JOINS,
};

/* Patterns become devices. out_events NULL: counts them. A device whose first event is JOINS is absent until then. */
static hy_status expand(hy_sched__simulated *ways, const hy_sched_script *script, hy_sched__engine_script *out_events,
                        uint32_t *out_count, hy_error *error)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < script->count; i++) {
		const hy_sched_event *event = &script->events[i];
		const uint32_t before = count;
		for (uint32_t d = 0; d < ways->device_count; d++) {
			const hy_sched_cluster_device *device = &ways->cluster->devices[ways->devices[d].device];
			const char *node = ways->cluster->nodes[device->node].name;
			if (fnmatch(event->devices, ways->devices[d].name, 0) != 0 &&
			    fnmatch(event->devices, node, 0) != 0)
				continue;
			if (out_events != NULL)
				out_events[count] = (hy_sched__engine_script){.at_ns = event->at_ns,
				                                              .fault = fault_of[event->kind],
				                                              .device = d,
				                                              .factor = event->factor};
			count++;
		}
		if (count == before)
			return hy_error_set(error, HY_INVALID, "script: no device of cluster %s fits '%s'",
			                    ways->cluster->name, event->devices);
	}
	*out_count = count;
	return HY_OK;
}

static void find_absent(hy_sched__simulated *ways, uint32_t count, const hy_sched__engine_script *events)
{
	for (uint32_t i = count; i-- > 0;)
		ways->devices[events[i].device].absent = events[i].fault == HY_SCHED__ENGINE_JOINS;
}

/* ---- the run ---- */

static hy_sched__engine_options engine_options(const hy_sched__simulated *ways,
                                               const hy_sched_simulation_options *options)
{
	return (hy_sched__engine_options){
		.device_count = ways->device_count,
		.channel_count = ways->channel_count,
		.lane_count = ways->lane_count,
		.lanes = ways->lanes,
		.load = {.count = options->job,
	                 .duration_ns = options->job > 0 ? 0 : options->duration_ns,
	                 .rate = options->rate_per_s / 1e9,
	                 .deadline_ns = options->deadline_ns},
		.flags = HY_SCHED__DISPATCH_BACKUP,
		.patience_ns = UINT64_C(120000000000),
		.noise = options->noise,
		.calibration_error = options->calibration_error,
		.seed = options->seed,
	};
}

static hy_status write_trace(const hy_sched__simulated *ways, hy_sched__trace *trace, const char *path, hy_error *error)
{
	hy_sched__trace_track *tracks = calloc(ways->device_count, sizeof(*tracks));
	if (tracks == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for a trace");
	for (uint32_t d = 0; d < ways->device_count; d++)
		tracks[d].name = ways->devices[d].name;
	const hy_status status = hy_sched__trace_write(trace, ways->device_count, tracks, path, error);
	free(tracks);
	return status;
}

static hy_status run(const hy_sched__simulated *ways, const hy_sched_simulation_options *options, uint32_t event_count,
                     const hy_sched__engine_script *events, hy_sched__engine_result *out_result, hy_error *error)
{
	hy_sched__engine_options engine = engine_options(ways, options);
	hy_sched__engine_device *devices = calloc(ways->device_count, sizeof(*devices));
	hy_sched__trace *trace = NULL;
	hy_status status = HY_OK;
	if (devices == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for devices");
	for (uint32_t d = 0; d < ways->device_count; d++)
		devices[d] = (hy_sched__engine_device){
			.name = ways->devices[d].name,
			.rate = ways->devices[d].in_plan ? 1 / (double)ways->devices[d].item_ns : 0,
			.absent = ways->devices[d].absent};
	engine.devices = devices;
	engine.script_count = event_count;
	engine.script = events;
	if (options->trace_path != NULL) status = hy_sched__trace_create(TRACE_EVENTS, &trace, error);
	engine.trace = trace;
	if (status == HY_OK) status = hy_sched__engine_run(&engine, out_result, error);
	if (status == HY_OK && trace != NULL) status = write_trace(ways, trace, options->trace_path, error);
	hy_sched__trace_destroy(trace);
	free(devices);
	return status;
}

/* ---- the result ---- */

static hy_status fill_devices(hy_sched_simulation *simulation, const hy_sched__engine_result *result, hy_error *error)
{
	const hy_sched__simulated *ways = &simulation->ways;
	double uses = 0;
	uint32_t used = 0;
	simulation->devices = calloc(ways->device_count, sizeof(*simulation->devices));
	if (simulation->devices == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for a result");
	simulation->info.u_min = 1;
	for (uint32_t d = 0; d < ways->device_count; d++) {
		const hy_sched__engine_device_result *from = &result->devices[d];
		simulation->devices[d] = (hy_sched_simulation_device){
			.name = ways->devices[d].name,
			.type = ways->cluster->types[ways->devices[d].type].name,
			.item_ns = ways->devices[d].item_ns,
			.items = from->items,
			.in_plan = ways->devices[d].in_plan,
			.measured = ways->measured[ways->devices[d].type],
			.use = from->available_ns > 0 ? from->use : 0,
			.wasted = from->available_ns > 0 ? from->wasted_ns / from->available_ns : 0};
		if (!ways->devices[d].in_plan || !(from->available_ns > 0)) continue;
		uses += from->use;
		used++;
		if (from->use < simulation->info.u_min) simulation->info.u_min = from->use;
	}
	simulation->info.u_dev = used > 0 ? uses / used : 0;
	return HY_OK;
}

static hy_status fill(hy_sched_simulation *simulation, const hy_sched__engine_result *result, hy_error *error)
{
	const hy_sched__simulated *ways = &simulation->ways;
	hy_sched_simulation_info *info = &simulation->info;
	const hy_sched_simulation_candidate *chosen = &ways->candidates[ways->chosen];
	*info = (hy_sched_simulation_info){.strategy = chosen->strategy,
	                                   .lane_count = ways->lane_count,
	                                   .predicted_per_s = chosen->per_s,
	                                   .bound_per_s = ways->bound_per_s,
	                                   .end_ns = result->end_ns,
	                                   .accepted = result->counts.accepted,
	                                   .ok = result->counts.ended[HY_SCHED__DISPATCH_OK],
	                                   .error = result->counts.ended[HY_SCHED__DISPATCH_ERROR],
	                                   .deadline = result->counts.ended[HY_SCHED__DISPATCH_DEADLINE],
	                                   .refused = result->refused,
	                                   .dropped = result->dropped,
	                                   .u_cap = result->u_cap,
	                                   .p50_ns = result->p50_ns,
	                                   .p99_ns = result->p99_ns,
	                                   .worst_ns = result->worst_ns,
	                                   .replays = result->counts.replays,
	                                   .backups = result->counts.backups,
	                                   .steals = result->steals,
	                                   .drifts = result->drifts,
	                                   .device_count = ways->device_count,
	                                   .candidate_count = ways->candidate_count,
	                                   .candidates = ways->candidates};
	if (info->end_ns > 0) info->per_s = (double)info->ok / (double)info->end_ns * 1e9;
	const hy_status status = fill_devices(simulation, result, error);
	info->devices = simulation->devices;
	if (status != HY_OK || result->busiest_channel == HY_SCHED__ENGINE_NONE || info->end_ns == 0) return status;
	simulation->busiest = strdup(ways->cluster->channels[result->busiest_channel]);
	info->busiest_link = simulation->busiest;
	info->busiest_link_use = (double)result->busiest_channel_ns / (double)info->end_ns;
	return HY_OK;
}

static hy_status check(const hy_sched_simulation_options *options, hy_error *error)
{
	if (options->job == 0 && options->duration_ns == 0)
		return hy_error_set(error, HY_INVALID, "simulate: give a job or a duration");
	if (!(options->rate_per_s >= 0) || !(options->noise >= 0 && options->noise <= 1) ||
	    !(options->calibration_error >= 0 && options->calibration_error <= 1))
		return hy_error_set(error, HY_INVALID, "simulate: a rate of at least 0, noise and error of 0 to 1");
	if (options->strategy == HY_SCHED_CUT || options->strategy == HY_SCHED_SPATIAL)
		return hy_error_set(error, HY_INVALID,
		                    "simulate: strategies are auto, single, replicas, pipeline and groups");
	return HY_OK;
}

hy_status hy_sched_simulate(const hy_sched_cluster *cluster, const hy_ir_graph *graph,
                            const hy_sched_simulation_options *options, hy_sched_simulation **out_simulation,
                            hy_error *error)
{
	static const hy_sched_script nothing = {0};
	const hy_sched_script *script = options->script != NULL ? options->script : &nothing;
	hy_sched__engine_result result = {0};
	hy_sched__engine_script *events = NULL;
	uint32_t event_count = 0;
	hy_status status = check(options, error);
	if (status != HY_OK) return status;
	hy_sched_simulation *simulation = calloc(1, sizeof(*simulation));
	if (simulation == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for a simulation");
	simulation->ways.cluster = cluster;
	simulation->ways.graph = graph;
	status = hy_sched__simulate_devices_find(&simulation->ways, options, error);
	if (status == HY_OK) status = expand(&simulation->ways, script, NULL, &event_count, error);
	if (status == HY_OK && (events = calloc(event_count + 1, sizeof(*events))) == NULL)
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for %u events", event_count);
	if (status == HY_OK) status = expand(&simulation->ways, script, events, &event_count, error);
	if (status == HY_OK) {
		find_absent(&simulation->ways, event_count, events);
		status = hy_sched__simulate_ways_choose(&simulation->ways, options->strategy, error);
	}
	if (status == HY_OK) status = run(&simulation->ways, options, event_count, events, &result, error);
	if (status == HY_OK && result.broken != NULL)
		status = hy_error_set(error, HY_INTERNAL, "simulate: %s", result.broken);
	if (status == HY_OK) status = fill(simulation, &result, error);
	hy_sched__engine_result_finish(&result);
	free(events);
	if (status == HY_OK)
		*out_simulation = simulation;
	else
		hy_sched_simulation_destroy(simulation);
	return status;
}

void hy_sched_simulation_destroy(hy_sched_simulation *simulation)
{
	if (simulation == NULL) return;
	hy_sched__simulate_ways_finish(&simulation->ways);
	free(simulation->devices);
	free(simulation->busiest);
	free(simulation);
}

const hy_sched_simulation_info *hy_sched_simulation_describe(const hy_sched_simulation *simulation)
{
	return &simulation->info;
}
