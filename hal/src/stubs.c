/* The answer of every call that a plugin leaves out. */
#include "stubs.h"

static void stub_shutdown(void *ctx)
{
	(void)ctx;
}

static hy_status stub_device_count(void *ctx, uint32_t *out_count)
{
	(void)ctx;
	(void)out_count;
	return HY_UNSUPPORTED;
}

static hy_status stub_device_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	(void)ctx;
	(void)index;
	(void)out_info;
	return HY_UNSUPPORTED;
}

static hy_status stub_device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                                  hy_device **out_device)
{
	(void)ctx;
	(void)index;
	(void)options;
	(void)option_count;
	(void)out_device;
	return HY_UNSUPPORTED;
}

static void stub_device_close(hy_device *device)
{
	(void)device;
}

static hy_status stub_heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	(void)device;
	(void)heap;
	(void)out_info;
	return HY_UNSUPPORTED;
}

static hy_status stub_buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer)
{
	(void)device;
	(void)heap;
	(void)length;
	(void)out_buffer;
	return HY_UNSUPPORTED;
}

static void stub_buffer_free(hy_device *device, hy_buffer *buffer)
{
	(void)device;
	(void)buffer;
}

static hy_status stub_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	(void)device;
	(void)kind;
	(void)out_queue;
	return HY_UNSUPPORTED;
}

static void stub_queue_close(hy_queue *queue)
{
	(void)queue;
}

static hy_status stub_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	(void)queue;
	(void)batch;
	(void)ticket;
	return HY_UNSUPPORTED;
}

static hy_status stub_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count)
{
	(void)device;
	(void)graph;
	(void)out_verdicts;
	(void)verdict_count;
	return HY_UNSUPPORTED;
}

static hy_status stub_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                              uint32_t constant_count, const hy_option *options, uint32_t option_count,
                              hy_exe **out_exe)
{
	(void)device;
	(void)graph;
	(void)constants;
	(void)constant_count;
	(void)options;
	(void)option_count;
	(void)out_exe;
	return HY_UNSUPPORTED;
}

static hy_status stub_exe_info(hy_exe *exe, hy_exe_info *out_info)
{
	(void)exe;
	(void)out_info;
	return HY_UNSUPPORTED;
}

static void stub_exe_free(hy_exe *exe)
{
	(void)exe;
}

static const void *stub_ext(void *ctx, const char *name, uint32_t version)
{
	(void)ctx;
	(void)name;
	(void)version;
	return NULL;
}

void hy_hal__stubs_fill(hy_plugin *table)
{
#define STUB(call) \
	if (table->call == NULL) table->call = stub_##call
	STUB(shutdown);
	STUB(device_count);
	STUB(device_info);
	STUB(device_open);
	STUB(device_close);
	STUB(heap_info);
	STUB(buffer_alloc);
	STUB(buffer_free);
	STUB(queue_open);
	STUB(queue_close);
	STUB(submit);
	STUB(query);
	STUB(compile);
	STUB(exe_info);
	STUB(exe_free);
	STUB(ext);
#undef STUB
}
