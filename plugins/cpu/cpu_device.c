/* A device: a set of cores, its worker thread, and host memory as its one heap. */
#include "cpu.h"

#include <errno.h>
#include <stdlib.h>

/* The host's memory is everybody's: one slab may be this large. */
#define MAX_BUFFER_BYTES ((uint64_t)1 << 46)

typedef struct start {
	hy_device *device;
	hy_error *error;
	hy_status status;
} start;

static void start_dnnl(void *payload)
{
	start *s = payload;
	s->status = hy_cpu_dnnl_create(&s->device->dnnl, s->error);
	if (s->status != HY_OK) return;
	s->device->tune = hy_cpu_tune_create(s->device->cores.thread_count, s->device->winograd);
	if (s->device->tune == NULL) s->status = hy_error_set(s->error, HY_NO_MEMORY, "cpu: no memory for a device");
}

static void stop_dnnl(void *payload)
{
	hy_device *device = payload;
	hy_cpu_tune_destroy(device->tune);
	hy_cpu_dnnl_destroy(device->dnnl);
}

static hy_status read_choice(const char *value, hy_cpu_choice *out_choice, hy_error *error)
{
	static const char *const names[] = {
		[HY_CPU_MEASURE] = "measure", [HY_CPU_ALWAYS] = "always", [HY_CPU_NEVER] = "never"};
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], value) != 0) continue;
		*out_choice = (hy_cpu_choice)i;
		return HY_OK;
	}
	return hy_error_set(error, HY_INVALID, "cpu: winograd=%s must be measure, always or never", value);
}

static hy_status read_options(const hy_option *options, uint32_t count, hy_device *device, hy_error *error)
{
	const char *threads = NULL;
	hy_cpu_cores *cores = &device->cores;
	hy_cpu_cores_allowed(cores);
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(options[i].key, "cores") == 0) {
			const hy_status status = hy_cpu_cores_parse(options[i].value, cores, error);
			if (status != HY_OK) return status;
		} else if (strcmp(options[i].key, "threads") == 0) {
			threads = options[i].value;
		} else if (strcmp(options[i].key, "winograd") == 0) {
			const hy_status status = read_choice(options[i].value, &device->winograd, error);
			if (status != HY_OK) return status;
		} else {
			return hy_error_set(error, HY_INVALID,
			                    "cpu: unknown option %s; there are: cores, threads, winograd",
			                    options[i].key);
		}
	}
	if (threads == NULL) return HY_OK;
	char *end;
	errno = 0;
	const unsigned long wanted = strtoul(threads, &end, 10);
	if (*threads < '0' || *threads > '9' || *end != '\0' || errno != 0 || wanted < 1 ||
	    wanted > cores->unit_count) {
		return hy_error_set(error, HY_INVALID, "cpu: threads=%s must be 1 to %u, the units in `cores`", threads,
		                    cores->unit_count);
	}
	cores->thread_count = (uint32_t)wanted;
	return HY_OK;
}

hy_status hy_cpu_fail(const hy_host *host, const hy_error *error)
{
	return host->error(host->ctx, error->status, error->scope, error->native, error->text, strlen(error->text));
}

hy_status hy_cpu_device_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_device **out_device)
{
	const hy_host *host = ((const hy_cpu_plugin *)ctx)->host;
	hy_error error = {0};
	hy_status status = HY_OK;
	hy_device *device = calloc(1, sizeof(*device));
	if (device == NULL) {
		status = hy_error_set(&error, HY_NO_MEMORY, "cpu: no memory for a device");
		goto done;
	}
	device->host = host;
	if (index != 0) {
		status = hy_error_set(&error, HY_NOT_FOUND, "cpu: no device %u: there is one, 0", index);
		goto done;
	}
	status = read_options(options, option_count, device, &error);
	if (status != HY_OK) goto done;
	status = hy_cpu_worker_start(&device->cores, &device->worker, &error);
	if (status != HY_OK) goto done;
	start s = {device, &error, HY_OK};
	hy_cpu_worker_call(device->worker, start_dnnl, &s);
	status = s.status;
	if (status != HY_OK) goto done;
	*out_device = device;
	device = NULL;
done:
	if (device != NULL) {
		if (device->worker != NULL) hy_cpu_worker_call(device->worker, stop_dnnl, device);
		hy_cpu_worker_stop(device->worker);
		free(device);
	}
	return status == HY_OK ? HY_OK : hy_cpu_fail(host, &error);
}

void hy_cpu_device_close(hy_device *device)
{
	if (device == NULL) return;
	hy_cpu_worker_call(device->worker, stop_dnnl, device);
	hy_cpu_worker_stop(device->worker);
	free(device);
}

hy_status hy_cpu_heap_info(hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	if (heap != 0) {
		hy_error error = {0};
		(void)hy_error_set(&error, HY_INVALID, "cpu: no heap %u: there is one, 0", heap);
		return hy_cpu_fail(device->host, &error);
	}
	hy_heap_info info = {
		.size = sizeof(info),
		.flags = HY_HEAP_DEVICE | HY_HEAP_HOST_VISIBLE | HY_HEAP_COHERENT,
		.align = HY_CPU_ALIGN,
	};
	hy_cpu_memory(&info.total_bytes, &info.free_bytes);
	info.max_buffer_bytes = info.total_bytes;
	HY_PUT(out_info, &info);
	return HY_OK;
}

hy_status hy_cpu_buffer_alloc(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer)
{
	hy_error error = {0};
	hy_buffer *buffer = NULL;
	uint64_t total, left;
	if (heap != 0) {
		(void)hy_error_set(&error, HY_INVALID, "cpu: no heap %u: there is one, 0", heap);
		return hy_cpu_fail(device->host, &error);
	}
	if (length == 0) {
		(void)hy_error_set(&error, HY_INVALID, "cpu: a buffer of 0 bytes");
		return hy_cpu_fail(device->host, &error);
	}
	hy_cpu_memory(&total, &left);
	if (length <= MAX_BUFFER_BYTES && length <= total) {
		const uint64_t rounded = (length + HY_CPU_ALIGN - 1) / HY_CPU_ALIGN * HY_CPU_ALIGN;
		buffer = malloc(sizeof(*buffer));
		if (buffer != NULL) {
			buffer->length = length;
			buffer->data = aligned_alloc(HY_CPU_ALIGN, rounded);
			if (buffer->data == NULL) {
				free(buffer);
				buffer = NULL;
			}
		}
	}
	if (buffer == NULL) {
		(void)hy_error_set(&error, HY_NO_MEMORY, "cpu: no memory for a buffer of %llu bytes; %llu are free",
		                   (unsigned long long)length, (unsigned long long)left);
		return hy_cpu_fail(device->host, &error);
	}
	*out_buffer = buffer;
	return HY_OK;
}

void hy_cpu_buffer_free(hy_device *device, hy_buffer *buffer)
{
	(void)device;
	if (buffer == NULL) return;
	free(buffer->data);
	free(buffer);
}
