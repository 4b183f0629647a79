/* A plan that was made before, as a contract. */
#include "plan_reuse.h"

#include "part.h"
#include "plan_check.h"
#include "plan_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hy_sched__reuse {
	json_t *root, *contract, *devices, *lanes; /* all but root are lent by root */
	hy_sched_strategy strategy;
	hy_sched_objective objective;
	uint64_t item_ns, bound_ns, model_hash;
	char *selector;
};

static hy_status invalid(hy_error *error, const char *what)
{
	return hy_error_set(error, HY_INVALID,
	                    "not a plan that can be used again: %s; make it with halyard plan -o json", what);
}

/* Names of an enum, up to `most`; -1: none of them. */
static int named(const char *text, const char *(*name)(int number), int most)
{
	for (int i = 0; text != NULL && i <= most; i++)
		if (strcmp(text, name(i)) == 0) return i;
	return -1;
}

static const char *strategy_name(int number)
{
	return hy_sched__strategy_name((hy_sched_strategy)number);
}

static const char *objective_name(int number)
{
	return hy_sched__objective_name((hy_sched_objective)number);
}

static bool counted(const json_t *object, const char *key, uint64_t most, uint64_t *out_number)
{
	const json_t *value = json_object_get(object, key);
	const json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || (uint64_t)number > most) return false;
	*out_number = (uint64_t)number;
	return true;
}

static hy_status read_head(hy_sched__reuse *reuse, hy_error *error)
{
	const char *schema = json_string_value(json_object_get(reuse->root, "schema"));
	const int strategy = named(json_string_value(json_object_get(reuse->root, "strategy")), strategy_name,
	                           HY_SCHED_GROUPS);
	const int objective = named(json_string_value(json_object_get(reuse->root, "objective")), objective_name,
	                            HY_SCHED_DEADLINE);
	if (schema == NULL || strcmp(schema, "halyard.plan/v1") != 0)
		return invalid(error, "its schema is not halyard.plan/v1");
	if (strategy <= HY_SCHED_AUTO || objective < 0 ||
	    !counted(reuse->root, "item_ns", INT64_MAX, &reuse->item_ns) ||
	    !counted(reuse->root, "bound_ns", INT64_MAX, &reuse->bound_ns) || reuse->item_ns == 0)
		return invalid(error, "strategy, objective, item_ns or bound_ns are missing or wrong");
	reuse->strategy = (hy_sched_strategy)strategy;
	reuse->objective = (hy_sched_objective)objective;
	if (strategy == HY_SCHED_SPATIAL) return invalid(error, "strips are always planned anew");
	reuse->contract = json_object_get(reuse->root, "contract");
	reuse->devices = json_object_get(reuse->contract, "devices");
	reuse->lanes = json_object_get(reuse->contract, "lanes");
	const char *hash = json_string_value(json_object_get(reuse->contract, "model_hash"));
	char *end = NULL;
	if (hash != NULL) reuse->model_hash = strtoull(hash, &end, 16);
	if (hash == NULL || strlen(hash) != 16 || *end != '\0') return invalid(error, "contract.model_hash is missing");
	const size_t devices = json_array_size(reuse->devices), lanes = json_array_size(reuse->lanes);
	if (devices == 0 || devices > HY_SCHED__MOST_DEVICES || lanes == 0 || lanes > HY_SCHED__MOST_DEVICES)
		return invalid(error, "contract.devices or contract.lanes are empty or too many");
	return HY_OK;
}

/* "cpu:0,opencl:0?cores=1" */
static hy_status read_devices(hy_sched__reuse *reuse, hy_error *error)
{
	size_t index, length = 1;
	json_t *device;
	uint64_t bytes;
	json_array_foreach(reuse->devices, index, device)
	{
		const char *id = json_string_value(json_object_get(device, "id"));
		if (id == NULL || id[0] == '\0' || strpbrk(id, ",*!") != NULL ||
		    !counted(device, "memory_bytes", INT64_MAX, &bytes))
			return invalid(error, "a device of the contract has no id or no memory_bytes");
		length += strlen(id) + 1;
	}
	reuse->selector = calloc(length, 1);
	if (reuse->selector == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	json_array_foreach(reuse->devices, index, device)
	{
		if (index > 0) strcat(reuse->selector, ",");
		strcat(reuse->selector, json_string_value(json_object_get(device, "id")));
	}
	return HY_OK;
}

hy_status hy_sched__reuse_create(const char *text, hy_sched__reuse **out_reuse, const char **out_selector,
                                 hy_error *error)
{
	json_error_t why;
	hy_sched__reuse *reuse = calloc(1, sizeof(*reuse));
	if (reuse == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	hy_status status = HY_OK;
	reuse->root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	if (reuse->root == NULL)
		status = hy_error_set(error, HY_INVALID, "the plan is no JSON: line %d, column %d: %s", why.line,
		                      why.column, why.text);
	if (status == HY_OK) status = read_head(reuse, error);
	if (status == HY_OK) status = read_devices(reuse, error);
	if (status != HY_OK) {
		hy_sched__reuse_destroy(reuse);
		return status;
	}
	*out_reuse = reuse;
	*out_selector = reuse->selector;
	return HY_OK;
}

void hy_sched__reuse_destroy(hy_sched__reuse *reuse)
{
	if (reuse == NULL) return;
	json_decref(reuse->root);
	free(reuse->selector);
	free(reuse);
}

/* ---- the plan ---- */

static hy_status check_device(json_t *contract, const hy_sched__device *device, hy_error *error)
{
	const struct {
		const char *key, *now;
	} facts[] = {{"id", device->id},
	             {"plugin", device->description->plugin},
	             {"name", device->description->info.name},
	             {"driver", device->description->info.driver}};
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const char *then = json_string_value(json_object_get(contract, facts[i].key));
		if (then != NULL && strcmp(then, facts[i].now) == 0) continue;
		return hy_error_set(error, HY_INCOMPATIBLE, "%s: the plan's %s is '%s', this one's is '%s': plan again",
		                    device->id, facts[i].key, then != NULL ? then : "missing", facts[i].now);
	}
	return HY_OK;
}

/* Requests per ns: one in thirty years, one in a billionth of a ns. */
#define LEAST_RATE 1e-18
#define MOST_RATE 1e9

static hy_status read_lane(json_t *json, const hy_sched_plan *plan, hy_sched__lane *lane, uint64_t *segment_ns,
                           hy_error *error)
{
	json_t *segments = json_object_get(json, "segments");
	const size_t count = json_array_size(segments), nodes = hy_ir_graph_node_count(plan->graph);
	uint64_t owner;
	lane->rate = json_number_value(json_object_get(json, "rate_per_s")) / 1e9;
	if (count == 0 || count > nodes || !(lane->rate >= LEAST_RATE && lane->rate <= MOST_RATE) ||
	    !counted(json, "item_ns", INT64_MAX, &lane->item_ns) ||
	    !counted(json, "owner", plan->device_count - 1, &owner))
		return invalid(error, "a lane of the contract is incomplete");
	lane->owner = (uint32_t)owner;
	lane->segments = calloc(count, sizeof(*lane->segments));
	lane->parts = calloc(count, sizeof(*lane->parts));
	if (lane->segments == NULL || lane->parts == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	for (size_t s = 0; s < count; s++) {
		json_t *segment = json_array_get(segments, s);
		uint64_t device, first, length;
		if (!counted(segment, "device", plan->device_count - 1, &device) ||
		    !counted(segment, "first", nodes - 1, &first) ||
		    !counted(segment, "count", nodes - first, &length) ||
		    !counted(segment, "item_ns", INT64_MAX, &segment_ns[s]) || length == 0)
			return invalid(error, "a segment of the contract is outside the model or the devices");
		const hy_sched__segment read = {(uint32_t)first, (uint32_t)length, (uint32_t)device};
		lane->segments[s] = read;
		lane->segment_count = (uint32_t)s + 1;
	}
	return HY_OK;
}

/* Compiles the lane's parts, whose times are the contract's. */
static hy_status load_lane(hy_sched_plan *plan, hy_sched__lane *lane, const uint64_t *segment_ns, hy_error *error)
{
	for (uint32_t s = 0; s < lane->segment_count; s++) {
		hy_status status = hy_sched__part_place(plan, &lane->segments[s], &lane->parts[s], error);
		if (status == HY_OK) status = hy_sched__part_compile(plan, lane->parts[s], error);
		if (status != HY_OK) return status;
		hy_sched__cost *cost = &plan->parts[lane->parts[s]].cost;
		cost->median_ns = segment_ns[s] > 0 ? segment_ns[s] : 1;
		cost->count = 1;
	}
	return HY_OK;
}

hy_status hy_sched__reuse_apply(const hy_sched__reuse *reuse, hy_sched_plan *plan, hy_error *error)
{
	if (plan->model_hash != reuse->model_hash)
		return hy_error_set(error, HY_INCOMPATIBLE,
		                    "the plan is of another model, or of other shapes: its hash is %016" PRIx64
		                    ", this model's %016" PRIx64 "; plan again",
		                    reuse->model_hash, plan->model_hash);
	if (plan->device_count != json_array_size(reuse->devices))
		return invalid(error, "its devices are not all there");
	hy_status status = HY_OK;
	for (uint32_t d = 0; d < plan->device_count && status == HY_OK; d++)
		status = check_device(json_array_get(reuse->devices, d), &plan->devices[d], error);
	if (status != HY_OK) return status;
	const uint32_t lanes = (uint32_t)json_array_size(reuse->lanes);
	uint64_t *segment_ns = calloc(hy_ir_graph_node_count(plan->graph), sizeof(*segment_ns));
	plan->candidates = calloc(1, sizeof(*plan->candidates));
	if (plan->candidates != NULL) plan->candidates[0].lanes = calloc(lanes, sizeof(hy_sched__lane));
	if (plan->candidates != NULL) plan->candidate_count = 1;
	if (segment_ns == NULL || plan->candidates == NULL || plan->candidates[0].lanes == NULL) {
		free(segment_ns);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	}
	hy_sched__candidate *candidate = &plan->candidates[0];
	candidate->strategy = reuse->strategy;
	candidate->item_ns = reuse->item_ns;
	candidate->cost_ns = (double)reuse->item_ns;
	candidate->measured = true;
	candidate->lane_count = lanes;
	plan->options.objective = reuse->objective;
	plan->info.bound_ns = reuse->bound_ns < reuse->item_ns ? reuse->bound_ns : reuse->item_ns;
	for (uint32_t l = 0; l < lanes && status == HY_OK; l++) {
		status = read_lane(json_array_get(reuse->lanes, l), plan, &candidate->lanes[l], segment_ns, error);
		if (status == HY_OK) status = hy_sched__plan_check_lane(plan, &candidate->lanes[l], error);
		if (status == HY_OK) status = load_lane(plan, &candidate->lanes[l], segment_ns, error);
	}
	free(segment_ns);
	return status;
}

hy_status hy_sched__reuse_check(const hy_sched__reuse *reuse, const hy_sched_plan *plan, hy_error *error)
{
	for (uint32_t i = 0; i < plan->info.device_count; i++) {
		const hy_sched_plan_device *row = &plan->info.devices[i];
		const uint64_t need = row->constant_bytes + row->activation_bytes;
		size_t index;
		json_t *device;
		json_array_foreach(reuse->devices, index, device)
		{
			uint64_t allowed = 0;
			if (strcmp(json_string_value(json_object_get(device, "id")), row->id) != 0) continue;
			if (counted(device, "memory_bytes", INT64_MAX, &allowed) && need <= allowed) continue;
			return hy_error_set(
				error, HY_NO_MEMORY,
				"%s needs %" PRIu64 " bytes, %" PRIu64
				" more than the plan allows: plan again, or raise memory_bytes in its contract",
				row->id, need, need - allowed);
		}
	}
	return HY_OK;
}
