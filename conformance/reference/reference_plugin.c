/* The reference plugin: correct when its file has no number in its name, wrong in one way otherwise (mutants.def).
 *
 * It computes with the ir evaluator, on a thread per queue. It is not fast and not meant to be: it is what the suite
 * proves itself on. */
#include "reference.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* State of the process that only mutants touch. */
static plugin *latest;
static uint32_t calls;
static hy_device *only;

static int number_in_file_name(void)
{
	Dl_info info;
	if (dladdr((const void *)(uintptr_t)&number_in_file_name, &info) == 0) return 0;
	const char *dash = strrchr(info.dli_fname, '-');
	return dash == NULL ? 0 : atoi(dash + 1);
}

hy_status reference_fail(const hy_host *host, hy_status status, const char *text)
{
	return host->error(host->ctx, status, HY_SCOPE_CALL, 0, text, strlen(text));
}

hy_status reference_exhausted(const hy_device *device)
{
	const hy_status status = IS(device->plugin, exhaustion_is_internal) ? HY_INTERNAL : HY_NO_MEMORY;
	return reference_fail(device->host, status, "host memory exhausted");
}

/* ---- loss ---- */

static const char lost_text[] = "the device was taken away by halyard.fault";
static bool all_lost;

static void lose(hy_device *device)
{
	device->lost = true;
	all_lost = IS(device->plugin, loss_takes_every_open) || IS(device->plugin, lost_devices_open_never_again);
}

bool reference_is_lost(hy_device *device)
{
	if (all_lost && IS(device->plugin, loss_takes_every_open)) return true;
	if (!device->lost) return false;
	return !IS(device->plugin, loss_is_forgotten_after_ten) || ++device->refusals <= 10;
}

hy_status reference_lost(const hy_device *device)
{
	const plugin *self = device->plugin;
	const hy_scope scope = IS(self, loss_has_call_scope) ? HY_SCOPE_CALL : HY_SCOPE_DEVICE;
	const char *text = IS(self, loss_without_text) ? "" : lost_text;
	return device->host->error(device->host->ctx, HY_DEVICE_LOST, scope, 0, text, strlen(text));
}

/* ---- devices ---- */

static void plugin_shutdown(void *ctx)
{
	if (latest == ctx) latest = NULL;
	free(ctx);
}

static hy_status device_count(void *ctx, uint32_t *out_count)
{
	const plugin *self = ctx;
	*out_count = self->broken ? 0 : 1;
	if (IS(self, device_count_changes)) *out_count += calls++ % 2;
	if (IS(self, two_devices_with_one_id)) *out_count = 2;
	return HY_OK;
}

static uint64_t memory_bytes(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static hy_status device_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	const plugin *self = ctx;
	if (IS(self, infos_of_other_sizes_refused) && out_info->size != sizeof(*out_info))
		return reference_fail(self->host, HY_INVALID, "not the size that I know");
	if (index != 0 && !IS(self, device_beyond_the_last_opened) &&
	    !(index == 1 && IS(self, two_devices_with_one_id)))
		return reference_fail(self->host, HY_INVALID, "there is one device, number 0");
	hy_device_info info = {
		.kind = HY_KIND_OTHER,
		.heap_count = 1,
		.numa_node = HY_GRAPH_NONE,
		.binding_align = IS(self, binding_align_48) ? 48 : 16,
		.id = "reference",
		.name = "Reference device",
		.memory_bytes = memory_bytes(),
	};
	if (IS(self, id_with_a_space)) strcpy(info.id, "the reference");
	if (IS(self, name_without_an_end)) memset(info.name, 'x', sizeof(info.name));
	if (IS(self, info_changes)) snprintf(info.name, sizeof(info.name), "Reference device %u", calls++);
	if (IS(self, device_info_written_past_its_size)) {
		memcpy(out_info, &info, sizeof(info));
		return HY_OK;
	}
	HY_PUT(out_info, &info);
	return HY_OK;
}

static void *wait_for_ever(void *payload)
{
	(void)payload;
	for (;;)
		pause();
	return NULL;
}

static void *nap_for_ever(void *payload)
{
	for (;;)
		usleep(100);
	return payload;
}

static void harm_the_process(const plugin *self)
{
	pthread_t thread;
	if (IS(self, thread_left_after_close)) pthread_create(&thread, NULL, wait_for_ever, NULL);
	if (IS(self, descriptor_left_after_close)) (void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (IS(self, signal_handler_installed)) signal(SIGUSR1, SIG_IGN);
	if (IS(self, prints)) puts("reference: hello");
	if (IS(self, rounding_mode_changed)) fesetround(FE_TOWARDZERO);
	if (IS(self, locale_changed)) setlocale(LC_ALL, "C.UTF-8");
	if (IS(self, environment_changed)) setenv("REFERENCE", "1", 1);
	if (IS(self, working_folder_changed)) (void)!chdir("/");
}

static hy_status device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_device **out_device)
{
	const plugin *self = ctx;
	if (index != 0 && !IS(self, device_beyond_the_last_opened))
		return reference_fail(self->host, HY_INVALID, "there is one device, number 0");
	if (all_lost && IS(self, lost_devices_open_never_again))
		return reference_fail(self->host, HY_DEVICE_LOST, lost_text);
	if (option_count > 0 && !IS(self, unknown_option_accepted)) {
		char text[160];
		if (IS(self, descriptor_left_by_a_refused_open)) (void)!dup(STDIN_FILENO);
		snprintf(text, sizeof(text), "unknown option '%.80s': this device takes none", options[0].key);
		return reference_fail(self->host, HY_INVALID, text);
	}
	if (IS(self, second_open_gives_the_first) && only != NULL) {
		*out_device = only;
		return HY_OK;
	}
	if (IS(self, tenth_open_fails) && ++calls >= 10)
		return reference_fail(self->host, HY_NO_MEMORY, "nine opens are enough");
	hy_device *device = calloc(1, sizeof(*device) + (IS(self, memory_lost_per_open) ? 1 << 20 : 0));
	if (device == NULL && IS(self, exhaustion_in_device_open_gives_half)) *out_device = (hy_device *)&calls;
	if (device == NULL) return reference_fail(self->host, HY_NO_MEMORY, "host memory exhausted");
	device->plugin = self;
	device->host = self->host;
	harm_the_process(self);
	if (IS(self, second_open_gives_the_first)) only = device;
	if (IS(self, memory_lost_per_open)) memset(device + 1, 1, 1 << 20);
	*out_device = device;
	return HY_OK;
}

static void device_close(hy_device *device)
{
	if (IS(device->plugin, second_open_gives_the_first) || IS(device->plugin, memory_lost_per_open)) return;
	free(device->last_answer);
	free(device);
}

static hy_status heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	if (IS(device->plugin, infos_of_other_sizes_refused) && out_info->size != sizeof(*out_info))
		return reference_fail(device->host, HY_INVALID, "not the size that I know");
	if (heap != 0 && !IS(device->plugin, heap_beyond_the_last_described))
		return reference_fail(device->host, HY_INVALID, "there is one heap, number 0");
	const hy_heap_info info = {
		.flags = HY_HEAP_DEVICE | HY_HEAP_HOST_VISIBLE,
		.align = 64,
		.total_bytes = memory_bytes(),
		.free_bytes = IS(device->plugin, more_free_than_total) ? memory_bytes() + 1 : memory_bytes() / 2,
		.max_buffer_bytes = memory_bytes(),
	};
	if (IS(device->plugin, heap_info_written_past_its_size)) {
		memcpy(out_info, &info, sizeof(info));
		return HY_OK;
	}
	HY_PUT(out_info, &info);
	return HY_OK;
}

/* ---- memory ---- */

static hy_status exhausted(hy_device *device)
{
	const plugin *self = device->plugin;
	if (IS(self, exhaustion_is_ok_without_a_buffer)) return HY_OK;
	if (IS(self, exhaustion_has_no_text)) return HY_NO_MEMORY;
	const hy_scope scope = IS(self, exhaustion_has_device_scope) ? HY_SCOPE_DEVICE : HY_SCOPE_CALL;
	static const char text[] = "more than this machine has";
	return device->host->error(device->host->ctx, HY_NO_MEMORY, scope, 0, text, sizeof(text) - 1);
}

static hy_status buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer)
{
	const plugin *self = device->plugin;
	if (reference_is_lost(device) && !IS(self, calls_after_a_loss_succeed)) return reference_lost(device);
	if (heap != 0 && !IS(self, unknown_heap_gives_memory))
		return reference_fail(device->host, HY_INVALID, "there is one heap, number 0");
	if (length > memory_bytes()) return exhausted(device);
	if (IS(self, allocations_share_a_list_without_a_lock)) {
		/* Two at a time find the list half linked. */
		const uint32_t others = __atomic_fetch_add(&device->allocating, 1, __ATOMIC_RELAXED);
		usleep(100);
		__atomic_fetch_sub(&device->allocating, 1, __ATOMIC_RELAXED);
		if (others > 0) return exhausted(device);
	}
	hy_buffer *buffer = calloc(1, sizeof(*buffer));
	if (buffer != NULL) buffer->block = aligned_alloc(64, (length + 127) / 64 * 64);
	if (buffer == NULL || buffer->block == NULL) {
		free(buffer);
		return IS(self, exhaustion_in_alloc_is_ok) ? HY_OK : exhausted(device);
	}
	buffer->bytes = buffer->block;
	if (IS(self, buffers_overlap_by_a_byte) && device->last_end != NULL && length < 5000) {
		if (device->shared == NULL) device->shared = aligned_alloc(64, 64 * 8192);
		buffer->bytes = device->shared + device->shared_used;
		device->shared_used = (device->shared_used + length - (length > 0)) % (32 * 8192);
	}
	device->last_end = buffer->bytes + length;
	buffer->length = length;
	*out_buffer = buffer;
	return HY_OK;
}

static void buffer_free(hy_device *device, hy_buffer *buffer)
{
	if (buffer == NULL) return;
	const bool kept = IS(device->plugin, freed_memory_is_kept) ||
	                  (IS(device->plugin, page_lost_per_buffer) && buffer->length < 8192);
	if (!kept) free(buffer->block);
	free(buffer);
}

/* ---- extensions and entry ---- */

static const void *ext(void *ctx, const char *name, uint32_t version)
{
	static const hy_ext_fault fault = {.size = sizeof(fault), .lose = lose};
	if (strcmp(name, HY_EXT_FAULT) == 0 && version == 1) return &fault;
	static const uint32_t nothing[4] = {sizeof(nothing)};
	return IS((const plugin *)ctx, unknown_extension_offered) ? nothing : NULL;
}

hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
{
	const int mutant = number_in_file_name();
	if (host->size < offsetof(hy_host, now_ns) + sizeof(host->now_ns) && mutant != MUTANT_host_read_beyond_its_size)
		return HY_INCOMPATIBLE;
	if (mutant == MUTANT_newer_host_refused && (host->size > sizeof(*host) || table->size > sizeof(*table)))
		return HY_INCOMPATIBLE;
	plugin *self = calloc(1, sizeof(*self));
	if (self == NULL) return reference_fail(host, HY_NO_MEMORY, "host memory exhausted");
	self->host = host;
	self->mutant = mutant;
	pthread_t thread;
	if (IS(self, host_read_beyond_its_size)) (void)host->now_ns(host->ctx);
	if (IS(self, thread_runs_after_unload)) pthread_create(&thread, NULL, nap_for_ever, NULL);
	if (IS(self, second_entry_breaks_the_first) && latest != NULL) latest->host = NULL;
	if (IS(self, second_entry_breaks_the_first) && latest != NULL) latest->broken = true;
	latest = self;
	hy_plugin filled = {
		.abi_minor = HY_ABI_MINOR,
		.name = IS(self, no_name) ? "" : "reference",
		.version = "1.0",
		.flags = IS(self, thread_left_after_close) ? 0 : HY_PLUGIN_UNLOADABLE,
		.ctx = self,
		.shutdown = plugin_shutdown,
		.device_count = device_count,
		.device_info = device_info,
		.device_open = device_open,
		.device_close = device_close,
		.heap_info = heap_info,
		.buffer_alloc = buffer_alloc,
		.buffer_free = buffer_free,
		.queue_open = reference_queue_open,
		.queue_close = reference_queue_close,
		.submit = reference_submit,
		.query = reference_query,
		.compile = reference_compile,
		.exe_info = reference_exe_info,
		.exe_free = reference_exe_free,
		.ext = ext,
	};
	if (IS(self, table_written_past_its_size)) {
		filled.size = table->size;
		memcpy(table, &filled, sizeof(filled));
		return HY_OK;
	}
	HY_PUT(table, &filled);
	if (IS(self, table_size_larger_than_room)) table->size = sizeof(filled);
	return HY_OK;
}
