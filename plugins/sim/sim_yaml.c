/* The reader of machine files: a table of what may stand in them (<halyard/yaml.h>), and what a table can't say. */
#include "sim_machine.h"

#include <halyard/plugin.h>
#include <halyard/yaml.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1e18
#define COUNT_OF(fields) (uint32_t)(sizeof(fields) / sizeof((fields)[0]))
#define MAP_OF(rows) .type = HY_YAML_MAP, .field_count = COUNT_OF(rows), .fields = (rows)
#define SIZE(name, needed)                                                                            \
	{                                                                                             \
		.key = (name), .type = HY_YAML_AMOUNT, .required = (needed), .least = 1, .most = MOST \
	}
#define COUNT(name, fewest)                                                           \
	{                                                                             \
		.key = (name), .type = HY_YAML_COUNT, .least = (fewest), .most = MOST \
	}
#define WORD(name, list)                                             \
	{                                                            \
		.key = (name), .type = HY_YAML_WORD, .words = (list) \
	}

static const hy_yaml_field operator_item = {.type = HY_YAML_TEXT, .pattern = ".{1,47}", .form = "operator: write TopK"};

static const hy_yaml_field link_fields[] = {SIZE("bandwidth", true), COUNT("latency_ns", 0)};

static const hy_yaml_field fault_fields[] = {
	COUNT("lost_after", 1),
	COUNT("alloc_fails_after", 1),
	WORD("open_fails", "no|yes"),
	{.key = "slow", .type = HY_YAML_NUMBER, .least = 0.001, .most = 1e6},
};

static const hy_yaml_field device_fields[] = {
	{.key = "name",
         .type = HY_YAML_TEXT,
         .required = true,
         .pattern = "[A-Za-z0-9._-]{1,47}",
         .form = "name: letters, digits, '-', '.' and '_', at most 47"},
	WORD("kind", "cpu|gpu|npu|other"),
	{.key = "flops", .type = HY_YAML_OPS, .required = true, .least = 1, .most = MOST},
	SIZE("memory", true),
	SIZE("bandwidth", true),
	COUNT("launch_ns", 0),
	{.key = "link", MAP_OF(link_fields)},
	WORD("numbers", "none|real"),
	WORD("regions", "no|yes"),
	{.key = "refuse", .type = HY_YAML_LIST, .item = &operator_item, .most = HY_SIM_MOST_REFUSED},
	{.key = "faults", MAP_OF(fault_fields)},
};
static const hy_yaml_field device_item = {MAP_OF(device_fields)};

static const hy_yaml_field machine_fields[] = {
	WORD("clock", "auto|manual"),
	{.key = "devices", .type = HY_YAML_LIST, .required = true, .item = &device_item, .most = HY_SIM_MOST_DEVICES},
};
static const hy_yaml_field machine_table = {MAP_OF(machine_fields)};

static uint64_t whole(const hy_yaml_node *map, const char *key)
{
	return (uint64_t)hy_yaml_number(map, key, 0);
}

static void take_device(const hy_yaml_node *map, hy_sim_description *device)
{
	static const uint32_t kinds[] = {HY_KIND_CPU, HY_KIND_GPU, HY_KIND_NPU, HY_KIND_OTHER};
	const hy_yaml_node *link = hy_yaml_get(map, "link"), *refuse = hy_yaml_get(map, "refuse");
	const hy_yaml_node *faults = hy_yaml_get(map, "faults");
	*device = (hy_sim_description){
		.kind = kinds[(uint32_t)hy_yaml_number(map, "kind", 3)],
		.flops = whole(map, "flops"),
		.memory_bytes = whole(map, "memory"),
		.bandwidth = whole(map, "bandwidth"),
		.launch_ns = whole(map, "launch_ns"),
		.has_link = link != NULL,
		.link_bandwidth = whole(link, "bandwidth"),
		.link_latency_ns = whole(link, "latency_ns"),
		.real_numbers = hy_yaml_number(map, "numbers", 1) == 1,
		.refuses_regions = hy_yaml_number(map, "regions", 1) == 0,
		.faults = {.lost_after = whole(faults, "lost_after"),
	                   .alloc_fails_after = whole(faults, "alloc_fails_after"),
	                   .open_fails = hy_yaml_number(faults, "open_fails", 0) == 1,
	                   .slow = hy_yaml_number(faults, "slow", 0)},
	};
	snprintf(device->name, sizeof(device->name), "%s", hy_yaml_text(map, "name", ""));
	for (const hy_yaml_node *item = refuse == NULL ? NULL : refuse->first; item != NULL; item = item->next)
		snprintf(device->refused[device->refused_count++], HY_SIM_NAME_BYTES, "%s", item->text);
}

/* Devices are told apart by their names. */
static void check_names(hy_yaml *document, const hy_yaml_node *devices)
{
	for (hy_yaml_node *a = devices == NULL ? NULL : devices->first; a != NULL; a = a->next) {
		hy_yaml_node *name = hy_yaml_get(a, "name");
		for (const hy_yaml_node *b = devices->first; b != a && name != NULL && !name->bad; b = b->next)
			if (strcmp(name->text, hy_yaml_text(b, "name", "")) == 0)
				hy_yaml_fault_node(document, name, "a device '%s' is there already: give each a name",
				                   name->text);
	}
}

static hy_status take(hy_yaml *document, hy_sim_machine *out_machine, hy_error *error)
{
	hy_yaml_check(document, &machine_table);
	const hy_yaml_node *devices = hy_yaml_get(document->root, "devices");
	check_names(document, devices);
	const hy_status status = hy_yaml_result(document, error);
	if (status != HY_OK) return status;
	*out_machine = (hy_sim_machine){.manual_clock = hy_yaml_number(document->root, "clock", 0) == 1};
	for (const hy_yaml_node *map = devices->first; map != NULL; map = map->next)
		take_device(map, &out_machine->devices[out_machine->device_count++]);
	return HY_OK;
}

hy_status hy_sim_yaml_parse(const char *name, const void *bytes, size_t length, hy_sim_machine *out_machine,
                            hy_error *error)
{
	hy_yaml document;
	hy_yaml_read(name, bytes, length, &document);
	const hy_status status = take(&document, out_machine, error);
	hy_yaml_finish(&document);
	return status;
}

hy_status hy_sim_yaml_load(const char *path, hy_sim_machine *out_machine, hy_error *error)
{
	hy_yaml document;
	const hy_status found = hy_yaml_load(path, &document);
	hy_status status = take(&document, out_machine, error);
	hy_yaml_finish(&document);
	if (found == HY_NOT_FOUND) status = hy_error_set(error, HY_NOT_FOUND, "%s: no such file", path);
	return status;
}
