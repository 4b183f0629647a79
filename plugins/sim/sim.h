/* The insides of the simulated plugin. One lock, the clock's, guards all that changes. */
#ifndef HY_SIM_H
#define HY_SIM_H

#include "sim_clock.h"
#include "sim_machine.h"

#include <halyard/ir.h>
#include <halyard/plugin.h>

#include <pthread.h>

typedef struct hy_sim_job hy_sim_job;

typedef struct hy_sim_plugin {
	const hy_host *host;
	bool has_machine; /* else: why, or no file was asked for */
	hy_error why;
	hy_sim_machine machine;
	hy_sim_clock clock; /* the extension's table; its ctx is this plugin */
	pthread_mutex_t lock;
	uint64_t now_ns;
	bool is_auto;
	hy_device *devices; /* open ones */
} hy_sim_plugin;

struct hy_device {
	hy_sim_plugin *plugin;
	hy_device *next;
	const hy_sim_description *described;
	bool lost;
	uint64_t used_bytes, free_at_ns, ticket_count, alloc_count;
	hy_sim_job *jobs, **jobs_end; /* accepted and not done, in order */
};

struct hy_buffer {
	unsigned char *bytes;
	uint64_t length;
};

struct hy_queue {
	hy_device *device;
	uint32_t running; /* jobs that are computed now; with the plugin's lock */
	pthread_cond_t idle;
};

struct hy_exe {
	hy_device *device;
	hy_graph *blob; /* own copy */
	hy_constant *constants; /* the table is ours, the data the host's */
	hy_ir_graph *graph; /* reads both */
	uint64_t duration_ns, constant_bytes, calls;
	uint32_t node_count, profiling;
	uint64_t *node_ns;
};

hy_status hy_sim_fail(const hy_sim_plugin *plugin, hy_status status, hy_scope scope, const char *format, ...)
	HY_PRINTF(4, 5);

/* sim_device.c */
hy_status hy_sim_device_count(void *ctx, uint32_t *out_count);
hy_status hy_sim_device_info(void *ctx, uint32_t index, hy_device_info *out_info);
hy_status hy_sim_device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_device **out_device);
void hy_sim_device_close(hy_device *device);
hy_status hy_sim_heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info);
hy_status hy_sim_buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer);
void hy_sim_buffer_free(hy_device *device, hy_buffer *buffer);
/* Takes memory of the device's; false when it has not so much. */
bool hy_sim_device_take(hy_device *device, uint64_t length);
void hy_sim_device_give(hy_device *device, uint64_t length);

/* sim_queue.c */
hy_status hy_sim_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue);
void hy_sim_queue_close(hy_queue *queue);
hy_status hy_sim_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket);
/* Ends the jobs whose time has come, in the order of their ends. Called without the lock. */
void hy_sim_queue_settle(hy_sim_plugin *plugin);

/* sim_exe.c */
hy_status hy_sim_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count);
hy_status hy_sim_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                         uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe);
hy_status hy_sim_exe_info(hy_exe *exe, hy_exe_info *out_info);
void hy_sim_exe_free(hy_exe *exe);
/* Computes; false with a text when it can't. */
bool hy_sim_exe_run(hy_exe *exe, uint32_t binding_count, const hy_ref *bindings, hy_error *error);
extern const hy_ext_steps hy_sim_steps;

static inline void *hy_sim_at(hy_ref ref)
{
	return ref.buffer != NULL ? ref.buffer->bytes + ref.offset : (void *)(uintptr_t)ref.offset;
}

#endif
