/* What the files of the plugin share. */
#ifndef HY_OPENCL_OPENCL_H
#define HY_OPENCL_OPENCL_H

#include <halyard/kernels.h>
#include <halyard/plugin.h>

#include "api.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#define HY_OPENCL_ALIGN 64u

/* Some neighbouring workers of a CPU as a device. */
typedef struct hy_opencl_sub {
	struct hy_opencl_sub *next;
	uint32_t first, count;
	cl_device_id id;
} hy_opencl_sub;

/* One device of a platform; found once. */
typedef struct hy_opencl_found {
	cl_platform_id platform;
	cl_device_id id;
	char platform_name[64], name[96], driver[64], unique[64]; /* unique: the id, numbered when taken */
	uint64_t type, memory_bytes, max_buffer_bytes;
	uint32_t units, clock_mhz, vendor, max_group;
	bool has_compiler, has_fp64, has_native, is_little;
	uint8_t uuid[16];
	char pci[16];
	uint8_t *taken; /* per worker thread of a CPU: an open with "cores" has it; behind the plugin's lock */
	hy_opencl_sub *subs; /* those made so far; behind the plugin's lock */
} hy_opencl_found;

/* The plugin's context: the library and its devices. */
typedef struct hy_opencl_plugin {
	const hy_host *host;
	pthread_mutex_t lock;
	bool searched;
	hy_status status; /* of the search */
	hy_error error;
	hy_opencl_api api;
	uint32_t count;
	hy_opencl_found *found;
	struct {
		pthread_mutex_t lock;
		uint32_t depth;
		bool had_variable, is_known[NSIG];
		struct sigaction actions[NSIG];
	} guard;
} hy_opencl_plugin;

/* A host address as a buffer; kept, because making one costs more than a small kernel. */
typedef struct hy_opencl_wrap {
	const void *address;
	uint64_t length, used; /* used: a clock, to find the oldest */
	uint64_t serial;
	cl_mem memory;
	uint32_t pins;
} hy_opencl_wrap;

#define HY_OPENCL_WRAPS 64u

/* What a reference means to OpenCL. memory is NULL for no bytes. */
typedef struct hy_opencl_pinned {
	cl_mem memory;
	uint64_t offset;
	uint64_t serial; /* of the memory object: handles are used again, serials are not; never 0 */
} hy_opencl_pinned;

struct hy_device {
	hy_opencl_plugin *plugin;
	const hy_opencl_api *api;
	hy_opencl_found *found;
	cl_device_id id; /* the found one, or a sub-device */
	cl_context context;
	uint32_t first_worker, worker_count, pinned_count; /* of "cores" */
	cpu_set_t *before; /* affinity of the pinned workers until then */
	hy_kernels_options kernels;
	bool cache;
	pthread_mutex_t lock; /* what follows */
	uint64_t used_bytes, clock; /* clock: serials and ages */
	hy_opencl_wrap wraps[HY_OPENCL_WRAPS];
};

struct hy_buffer {
	cl_mem memory;
	void *host; /* CPU devices: the bytes, owned */
	uint64_t length, serial;
};

/* ---- error.c: one place that turns OpenCL's codes into ours ---- */

hy_status hy_opencl_status(int32_t code);
hy_scope hy_opencl_scope(int32_t code);
/* Reports "what: CL_X (-5)" for the call that is running and returns the status. */
hy_status hy_opencl_fail(const hy_opencl_plugin *plugin, int32_t code, const char *format, ...) HY_PRINTF(3, 4);
/* The same without a code of OpenCL's. */
hy_status hy_opencl_refuse(const hy_opencl_plugin *plugin, hy_status status, const char *format, ...) HY_PRINTF(3, 4);
hy_status hy_opencl_forward(const hy_opencl_plugin *plugin, const hy_error *error);

/* ---- guard.c: around calls in which a driver starts or compiles; may be nested and concurrent ---- */

void hy_opencl_guard_enter(hy_opencl_plugin *plugin);
void hy_opencl_guard_leave(hy_opencl_plugin *plugin);

/* ---- platform.c ---- */

/* Fills plugin->found; the answer of the first search is kept. */
hy_status hy_opencl_search(hy_opencl_plugin *plugin);
hy_status hy_opencl_device_count(void *ctx, uint32_t *out_count);
hy_status hy_opencl_device_info(void *ctx, uint32_t index, hy_device_info *out_info);

/* ---- cores.c ---- */

/* Makes device->id a sub-device whose workers run on those cores ("0-1,3"). */
hy_status hy_opencl_cores_take(hy_device *device, const char *cores);
void hy_opencl_cores_give(hy_device *device);

/* ---- device.c ---- */

hy_status hy_opencl_device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                                hy_device **out_device);
void hy_opencl_device_close(hy_device *device);
bool hy_opencl_is_host(const hy_device *device); /* computes on cores, in host memory */

/* ---- buffer.c ---- */

hy_status hy_opencl_heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info);
hy_status hy_opencl_buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer);
void hy_opencl_buffer_free(hy_device *device, hy_buffer *buffer);
/* The memory object and offset of a reference; a wrap is pinned until hy_opencl_unpin. */
hy_status hy_opencl_pin(hy_device *device, const hy_ref *ref, hy_opencl_pinned *out_pinned);
void hy_opencl_unpin(hy_device *device, const hy_ref *ref);
void hy_opencl_wraps_finish(hy_device *device);

/* ---- queue.c ---- */

hy_status hy_opencl_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue);
void hy_opencl_queue_close(hy_queue *queue);
hy_status hy_opencl_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket);

/* ---- build.c ---- */

/* Compiles source, or takes the binary of an earlier time from the disk. */
hy_status hy_opencl_build(hy_device *device, const char *source, size_t length, cl_program *out_program);

/* ---- exe.c ---- */

hy_status hy_opencl_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count);
hy_status hy_opencl_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                            uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe);
hy_status hy_opencl_exe_info(hy_exe *exe, hy_exe_info *out_info);
void hy_opencl_exe_free(hy_exe *exe);
/* Events of one run of an exe that is being measured, one per launch. */
typedef struct hy_opencl_run {
	struct hy_opencl_run *next;
	hy_exe *exe;
	uint32_t count;
	cl_event events[];
} hy_opencl_run;

/* Starts the launches of an EXEC. *first (if it is NULL) and *last become events of theirs that the caller releases;
 * untouched when there is no launch. A run is put before *runs when the exe is being measured. On failure some may
 * have been started. */
hy_status hy_opencl_exe_start(hy_exe *exe, cl_command_queue queue, const hy_command *command, hy_opencl_run **runs,
                              cl_event *first, cl_event *last);
/* Adds the times of a finished run, and frees it. */
void hy_opencl_exe_measured(const hy_opencl_api *api, hy_opencl_run *run);
extern const hy_ext_steps hy_opencl_steps;

#endif
