/* Knowing the cost of a part: from the file, or by compiling and measuring. */
#include "settle.h"

#include "devices.h"
#include "measure.h"
#include "part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MEASURE_NS 200000000u
/* A device so much slower or faster than its kind is measured again each time, until it is not. */
#define ODD_FACTOR 2.0

static hy_sched__cost_key key_of(const hy_sched_plan *plan, const hy_sched__device *device)
{
	const hy_sched__cost_key key = {.plugin = device->description->plugin,
	                                .device = device->description->info.name,
	                                .driver = device->description->info.driver,
	                                .options = device->options_key,
	                                .host = plan->host};
	return key;
}

static void tell(const hy_sched_plan *plan, const char *device, const hy_sched__segment *segment)
{
	if (plan->options.progress == NULL) return;
	char text[160];
	snprintf(text, sizeof(text), "compile and measure nodes %u-%u on %s", segment->first,
	         segment->first + segment->count - 1, device);
	plan->options.progress(plan->options.progress_payload, text, (double)segment->device / plan->device_count);
}

/* Whether the file's number for devices of this kind says enough about this one. */
static bool find_known(const hy_sched_plan *plan, const hy_sched__cost_file *costs, const hy_sched__cost_key *key,
                       double factor, hy_sched__part *part)
{
	if ((plan->options.flags & HY_SCHED_MEASURE_AGAIN) != 0) return false;
	if (factor > ODD_FACTOR || factor < 1 / ODD_FACTOR) return false;
	if (!hy_sched__cost_file_find(costs, key, &part->cost)) return false;
	const bool believed = hy_sched__cost_file_is_new(costs, key) || hy_sched__cost_is_trusted(&part->cost);
	if (part->cost.node_count == part->segment.count && believed) {
		hy_sched__cost_scale(&part->cost, factor);
		return true;
	}
	hy_sched__cost_finish(&part->cost);
	memset(&part->cost, 0, sizeof(part->cost));
	return false;
}

/* The first device of a kind gives the number of the kind; others measured after it give their factor to it. */
static hy_status keep(hy_sched__cost_file *costs, const hy_sched__cost_key *key, const hy_sched__cost_key *instance,
                      bool is_odd, const hy_sched__cost *cost, hy_error *error)
{
	hy_sched__cost pooled = {0};
	if ((is_odd || hy_sched__cost_file_is_new(costs, key)) && hy_sched__cost_file_find(costs, key, &pooled)) {
		const double factor = (double)cost->median_ns / (double)pooled.median_ns;
		const bool trusted = hy_sched__cost_is_trusted(cost) && hy_sched__cost_is_trusted(&pooled);
		hy_sched__cost_finish(&pooled);
		return trusted ? hy_sched__cost_file_add_factor(costs, instance, factor, error) : HY_OK;
	}
	return hy_sched__cost_file_add(costs, key, cost, error);
}

static hy_status settle_part(hy_sched_plan *plan, hy_sched__cost_file *costs, uint32_t index, hy_error *error)
{
	hy_sched__part *part = &plan->parts[index];
	const hy_sched__device *device = &plan->devices[part->segment.device];
	if (part->cost.count > 0) return HY_OK;
	hy_sched__cost_key key = key_of(plan, device), instance = key;
	instance.instance = device->description->uri;
	key.model = hy_sched__cost_hash(part->blob.graph);
	const double factor = hy_sched__cost_file_factor(costs, &instance);
	if (find_known(plan, costs, &key, factor, part)) return HY_OK;
	tell(plan, device->id, &part->segment);
	hy_status status = hy_sched__part_compile(plan, index, error);
	if (status != HY_OK) return status;
	const uint64_t budget_ns = plan->options.measure_ns > 0 ? plan->options.measure_ns : DEFAULT_MEASURE_NS;
	status = hy_sched__measure_part(plan, index, budget_ns, error);
	if (status != HY_OK) return status;
	return keep(costs, &key, &instance, factor > ODD_FACTOR || factor < 1 / ODD_FACTOR, &part->cost, error);
}

hy_status hy_sched__settle_lane(hy_sched_plan *plan, hy_sched__cost_file *costs, hy_sched__lane *lane, hy_error *error)
{
	if (lane->parts == NULL) lane->parts = calloc(lane->segment_count + 1u, sizeof(*lane->parts));
	if (lane->parts == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	const bool measure = (plan->options.flags & HY_SCHED_NO_MEASURE) == 0;
	for (uint32_t s = 0; s < lane->segment_count; s++) {
		hy_status status = hy_sched__part_place(plan, &lane->segments[s], &lane->parts[s], error);
		if (status == HY_OK && measure) status = settle_part(plan, costs, lane->parts[s], error);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

hy_status hy_sched__settle_link(hy_sched_plan *plan, hy_sched__cost_file *costs, uint32_t index, hy_error *error)
{
	hy_sched__device *device = &plan->devices[index];
	if (hy_sched__device_binds_host(device)) return HY_OK;
	hy_sched__cost_key to = key_of(plan, device), from = to;
	to.link = "to";
	from.link = "from";
	if (hy_sched__cost_file_find_link(costs, &to, &device->to) &&
	    hy_sched__cost_file_find_link(costs, &from, &device->from))
		return HY_OK;
	hy_status status = hy_sched__measure_link(device, error);
	if (status == HY_OK) status = hy_sched__cost_file_add_link(costs, &to, &device->to, error);
	if (status == HY_OK) status = hy_sched__cost_file_add_link(costs, &from, &device->from, error);
	return status;
}
