/* What all files of the plugin share: the plugin, its devices and how a failure reaches the host. */
#ifndef HY_CPU_H
#define HY_CPU_H

#include <halyard/plugin.h>

#include "cpu_cores.h"
#include "cpu_dnnl.h"
#include "cpu_tune.h"
#include "cpu_worker.h"

#define HY_CPU_ALIGN 64u /* bytes: bindings, buffers, planned memory; one cache line and one AVX-512 register */

typedef struct hy_cpu_plugin {
	const hy_host *host;
} hy_cpu_plugin;

struct hy_device {
	const hy_host *host;
	hy_cpu_cores cores;
	hy_cpu_worker *worker; /* everything that computes, and all calls to oneDNN, run here */
	hy_cpu_dnnl *dnnl;
	hy_cpu_tune *tune;
	hy_cpu_choice winograd;
};

struct hy_buffer {
	uint64_t length;
	unsigned char *data;
};

/* Tells the host why the running call fails and returns the status. */
hy_status hy_cpu_fail(const hy_host *host, const hy_error *error);

/* cpu_device.c */
hy_status hy_cpu_device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_device **out_device);
void hy_cpu_device_close(hy_device *device);
hy_status hy_cpu_heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info);
hy_status hy_cpu_buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer);
void hy_cpu_buffer_free(hy_device *device, hy_buffer *buffer);

/* cpu_queue.c */
hy_status hy_cpu_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue);
void hy_cpu_queue_close(hy_queue *queue);
hy_status hy_cpu_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket);

/* cpu_query.c */
hy_status hy_cpu_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count);

/* cpu_exe.c */
hy_status hy_cpu_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                         uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe);
hy_status hy_cpu_exe_info(hy_exe *exe, hy_exe_info *out_info);
void hy_cpu_exe_free(hy_exe *exe);
uint32_t hy_cpu_exe_binding_count(const hy_exe *exe);
uint64_t hy_cpu_exe_binding_bytes(const hy_exe *exe, uint32_t binding);
uint64_t hy_cpu_exe_workspace_bytes(const hy_exe *exe);
/* On the worker. bindings: one address per binding. */
hy_status hy_cpu_exe_run(hy_exe *exe, void *workspace, void *const *bindings, hy_error *error);
extern const hy_ext_steps hy_cpu_steps;

#endif
