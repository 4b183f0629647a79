/* Group discovery: what a plugin says of its devices before anything runs. */
#include "target.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool listed(conform_run *run, uint32_t *out_count)
{
	if (!conform__target_ready(run)) return false;
	const hy_status status = run->table.device_count(run->table.ctx, out_count);
	if (status != HY_OK) conform__fail(run, "device_count answered %s", hy_status_name(status));
	return status == HY_OK;
}

static void count_is_stable(conform_run *run, const conform_case *self)
{
	(void)self;
	uint32_t first, second;
	if (!listed(run, &first) || !listed(run, &second)) return;
	REQUIRE(run, first > 0, "there is no device");
	REQUIRE(run, first == second, "asked twice, device_count says %u and %u", first, second);
	REQUIRE(run, first <= 1024, "%u devices are not plausible", first);
}

static void info_is_stable(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run)) return;
	hy_device_info again = {.size = sizeof(again)};
	REQUIRE(run, run->table.device_info(run->table.ctx, run->device_index, &again) == HY_OK, "device_info fails");
	REQUIRE(run,
	        strcmp(again.id, run->info.id) == 0 && strcmp(again.name, run->info.name) == 0 &&
	                again.kind == run->info.kind && again.flags == run->info.flags &&
	                memcmp(again.uuid, run->info.uuid, sizeof(again.uuid)) == 0,
	        "asked twice, device_info differs");
}

static void index_out_of_range_is_refused(conform_run *run, const conform_case *self)
{
	uint32_t count;
	if (!listed(run, &count)) return;
	hy_device_info info = {.size = sizeof(info)};
	const uint32_t index = self->number < 0 ? UINT32_MAX : count + (uint32_t)self->number;
	REQUIRE(run, run->table.device_info(run->table.ctx, index, &info) != HY_OK,
	        "device_info of device %u of %u is OK", index, count);
	hy_device *device = NULL;
	REQUIRE(run, run->table.device_open(run->table.ctx, index, NULL, 0, &device) != HY_OK,
	        "device_open of device %u of %u is OK", index, count);
	REQUIRE(run, device == NULL, "device_open failed and gave a device");
}

static bool ended_text(const char *text, size_t length)
{
	return memchr(text, '\0', length) != NULL;
}

static void texts_are_terminated_and_printable(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run)) return;
	const hy_device_info *i = &run->info;
	REQUIRE(run,
	        ended_text(i->id, sizeof(i->id)) && ended_text(i->name, sizeof(i->name)) &&
	                ended_text(i->arch, sizeof(i->arch)) && ended_text(i->driver, sizeof(i->driver)) &&
	                ended_text(i->pci_address, sizeof(i->pci_address)),
	        "a text of device_info has no end");
	REQUIRE(run, i->name[0] != '\0', "the device has no name");
	for (const char *at = i->name; *at != '\0'; at++)
		REQUIRE(run, isprint((unsigned char)*at), "the name has an unprintable character (%02x)",
		        (unsigned char)*at);
}

static void id_is_usable_in_a_uri(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run)) return;
	const char *id = run->info.id;
	REQUIRE(run, id[0] != '\0', "the device has no id");
	for (; *id != '\0'; id++)
		REQUIRE(run, isalnum((unsigned char)*id) || strchr("-._", *id) != NULL,
		        "the id '%s' has the character '%c'; letters, digits, - . _ are legal", run->info.id, *id);
}

static void ids_are_unique(conform_run *run, const conform_case *self)
{
	(void)self;
	uint32_t count;
	if (!listed(run, &count)) return;
	for (uint32_t a = 0; a < count; a++) {
		hy_device_info first = {.size = sizeof(first)};
		REQUIRE(run, run->table.device_info(run->table.ctx, a, &first) == HY_OK, "device_info of %u fails", a);
		for (uint32_t b = a + 1; b < count; b++) {
			hy_device_info second = {.size = sizeof(second)};
			REQUIRE(run, run->table.device_info(run->table.ctx, b, &second) == HY_OK,
			        "device_info of %u fails", b);
			REQUIRE(run, strcmp(first.id, second.id) != 0, "devices %u and %u have the id '%s'", a, b,
			        first.id);
		}
	}
}

static void numbers_are_plausible(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run)) return;
	const hy_device_info *i = &run->info;
	REQUIRE(run, i->size == sizeof(*i), "device_info filled %u bytes of %zu", i->size, sizeof(*i));
	REQUIRE(run, i->kind >= HY_KIND_CPU && i->kind <= HY_KIND_OTHER, "the kind %u does not exist", i->kind);
	REQUIRE(run, i->heap_count >= 1 && i->heap_count <= 32, "%u heaps are not plausible", i->heap_count);
	REQUIRE(run,
	        i->binding_align != 0 && (i->binding_align & (i->binding_align - 1)) == 0 && i->binding_align <= 65536,
	        "binding_align %u is no power of two up to 65536", i->binding_align);
	REQUIRE(run, i->memory_bytes >= 1u << 20, "%llu bytes of memory are not plausible",
	        (unsigned long long)i->memory_bytes);
	REQUIRE(run, i->flops_f32 < 1000000000000000000u, "10^18 flop/s are not plausible");
}

static void heaps_are_plausible(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run) || !conform__has(run, run->table.heap_info != NULL, "heap_info")) return;
	for (uint32_t h = 0; h < run->info.heap_count; h++) {
		hy_heap_info heap = {.size = sizeof(heap)};
		REQUIRE(run, run->table.heap_info(run->device, h, &heap) == HY_OK, "heap_info of heap %u fails", h);
		REQUIRE(run, heap.size == sizeof(heap), "heap_info filled %u bytes of %zu", heap.size, sizeof(heap));
		REQUIRE(run, heap.align != 0 && (heap.align & (heap.align - 1)) == 0,
		        "alignment %llu is no power of two", (unsigned long long)heap.align);
		REQUIRE(run, heap.free_bytes <= heap.total_bytes, "heap %u has more free bytes than bytes", h);
		REQUIRE(run, heap.max_buffer_bytes > 0 && heap.max_buffer_bytes <= heap.total_bytes,
		        "heap %u: max_buffer_bytes %llu of %llu", h, (unsigned long long)heap.max_buffer_bytes,
		        (unsigned long long)heap.total_bytes);
		REQUIRE(run, h != 0 || heap.align >= run->info.binding_align, "heap 0 aligns to %llu, bindings need %u",
		        (unsigned long long)heap.align, run->info.binding_align);
	}
	hy_heap_info beyond = {.size = sizeof(beyond)};
	REQUIRE(run, run->table.heap_info(run->device, run->info.heap_count, &beyond) != HY_OK,
	        "heap_info of heap %u of %u is OK", run->info.heap_count, run->info.heap_count);
}

static void unknown_option_is_refused_by_name(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run)) return;
	const hy_option option = {.key = "no-such-option", .value = "1"};
	hy_device *device = NULL;
	const hy_status status = run->table.device_open(run->table.ctx, run->device_index, &option, 1, &device);
	REQUIRE(run, status == HY_INVALID, "device_open with an unknown option answered %s, not INVALID",
	        hy_status_name(status));
	REQUIRE(run, strstr(run->host.last_text, "no-such-option") != NULL,
	        "the error text does not name the option: '%s'", run->host.last_text);
}

static void unknown_extension_is_null(conform_run *run, const conform_case *self)
{
	if (!conform__target_ready(run)) return;
	if (run->table.ext == NULL) {
		conform__not_supported(run, "the plugin has no extensions");
		return;
	}
	static const char *const names[] = {"no.such.extension", "", "halyard.steps"};
	static const uint32_t versions[] = {1, 1, 4000000000u};
	REQUIRE(run, run->table.ext(run->table.ctx, names[self->number], versions[self->number]) == NULL,
	        "extension '%s' version %u is not NULL", names[self->number], versions[self->number]);
}

static void opens_several_times(conform_run *run, const conform_case *self)
{
	if (!conform__target_ready(run)) return;
	for (int64_t i = 0; i < self->number; i++) {
		hy_device *device = NULL;
		const hy_status status = run->table.device_open(run->table.ctx, run->device_index, run->options,
		                                                run->option_count, &device);
		REQUIRE(run, status == HY_OK && device != NULL, "open %lld answered %s", (long long)i,
		        hy_status_name(status));
		REQUIRE(run, device != run->device, "two opens gave the same device");
		run->table.device_close(device);
	}
}

void conform__check_discovery_list(conform_list *list)
{
	static const struct {
		const char *id, *rule;
		void (*check)(conform_run *, const conform_case *);
		int64_t number;
	} rows[] = {
		{"discovery.count.stable", "P9", count_is_stable, 0},
		{"discovery.info.stable", "P9", info_is_stable, 0},
		{"discovery.info.index_count_refused", "P2", index_out_of_range_is_refused, 0},
		{"discovery.info.index_far_refused", "P2", index_out_of_range_is_refused, 1000},
		{"discovery.info.index_last_refused", "P2", index_out_of_range_is_refused, -1},
		{"discovery.info.texts_end", "P1", texts_are_terminated_and_printable, 0},
		{"discovery.info.id_fits_uri", "P9", id_is_usable_in_a_uri, 0},
		{"discovery.info.ids_unique", "P9", ids_are_unique, 0},
		{"discovery.info.numbers_plausible", "P9", numbers_are_plausible, 0},
		{"discovery.open.unknown_option_refused", "P16", unknown_option_is_refused_by_name, 0},
		{"discovery.ext.unknown_is_null", "P16", unknown_extension_is_null, 0},
		{"discovery.ext.empty_is_null", "P16", unknown_extension_is_null, 1},
		{"discovery.ext.far_version_is_null", "P16", unknown_extension_is_null, 2},
		{"discovery.open.twice", "P8", opens_several_times, 1},
		{"discovery.open.twenty_times", "P8", opens_several_times, 20},
		{"discovery.heap.plausible", "P9", heaps_are_plausible, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const conform_case like = {
			.info = {.group = "discovery",
		                 .rule = rows[i].rule,
		                 .level = rows[i].check == heaps_are_plausible ? HY_CONFORM_L1 : HY_CONFORM_L0},
			.check = rows[i].check,
			.number = rows[i].number};
		conform__list_add(list, &like, "%s", rows[i].id);
	}
}
