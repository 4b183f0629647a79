/* Links measured: copies timed on the devices of this machine. */
#include "cluster_build.h"

#include <stdlib.h>
#include <string.h>

#define LARGE_BYTES (64u << 20)
#define SMALL_BYTES 4096u
#define LARGE_RUNS 9u
#define SMALL_RUNS 21u
#define HOST_ALIGN 4096u

/* A device under measurement. */
typedef struct probe {
	const hy_sched_cluster_device *device;
	hy_hal_device *hal;
	hy_hal_buffer *buffer;
	hy_hal_queue *queue;
} probe;

static void probe_finish(probe *p)
{
	hy_hal_queue_close(p->queue);
	hy_hal_buffer_destroy(p->buffer);
	hy_hal_device_close(p->hal);
	*p = (probe){.device = p->device};
}

static hy_status probe_init(probe *p, hy_hal_machine *machine, uint32_t index, uint64_t length, hy_error *error)
{
	hy_status status = hy_hal_device_open(machine, index, NULL, 0, &p->hal, error);
	if (status == HY_OK) status = hy_hal_buffer_create(p->hal, length, &p->buffer, error);
	if (status == HY_OK) status = hy_hal_queue_open(p->hal, HY_QUEUE_COPY, &p->queue, error);
	if (status != HY_OK) probe_finish(p);
	return status;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static hy_ref part(hy_ref whole, uint64_t length)
{
	whole.length = length;
	return whole;
}

/* Time of one copy, by the device's clock where it has one. */
static hy_status time_copy(probe *p, hy_ref target, hy_ref source, double *out_ns, hy_error *error)
{
	const hy_command copy = {.kind = HY_COMMAND_COPY, .target = target, .source = source};
	hy_done done = {.size = sizeof(done)};
	const uint64_t begin = hy_hal_now_ns();
	const hy_status status = hy_hal_queue_run(p->queue, 1, &copy, 0, &done, error);
	if (status != HY_OK) return status;
	*out_ns = done.end_ns > done.begin_ns ? (double)(done.end_ns - done.begin_ns)
	                                      : (double)(hy_hal_now_ns() - begin);
	return HY_OK;
}

/* Median time for length bytes out of `from` (NULL: not) and then into `to` (NULL: not). */
static hy_status time_way(probe *from, probe *to, void *host, uint64_t length, uint32_t runs, double *out_ns,
                          hy_error *error)
{
	double times[SMALL_RUNS], out = 0, in = 0;
	const hy_ref memory = hy_hal_host_ref(host, length);
	for (uint32_t i = 0; i <= runs; i++) { /* the first warms up */
		hy_status status = HY_OK;
		if (from != NULL)
			status = time_copy(from, memory, part(hy_hal_buffer_ref(from->buffer), length), &out, error);
		if (status == HY_OK && to != NULL)
			status = time_copy(to, part(hy_hal_buffer_ref(to->buffer), length), memory, &in, error);
		if (status != HY_OK) return status;
		if (i > 0) times[i - 1] = out + in;
	}
	qsort(times, runs, sizeof(times[0]), by_value);
	*out_ns = times[runs / 2];
	return HY_OK;
}

/* Times one way and writes it down. */
static hy_status measure_way(hy_sched_cluster *cluster, probe *from, probe *to, uint32_t from_place, uint32_t to_place,
                             void *host, uint64_t length, hy_error *error)
{
	double small = 0, large = 0;
	hy_status status = time_way(from, to, host, SMALL_BYTES, SMALL_RUNS, &small, error);
	if (status == HY_OK) status = time_way(from, to, host, length, LARGE_RUNS, &large, error);
	if (status != HY_OK) return status;
	const double slope = large > small ? large - small : large;
	status = hy_sched_cluster_set_link(cluster, from_place, to_place, (double)(length - SMALL_BYTES) / slope * 1e9,
	                                   small > 1 ? small : 1, HY_SCHED_MEASURED, error);
	if (status == HY_OK && from != NULL && to != NULL)
		hy_sched__cluster_direct(hy_sched__cluster_of(cluster), from_place, to_place)->staged = true;
	return status;
}

static uint32_t machine_index(const hy_hal_machine *machine, const char *id)
{
	for (uint32_t i = 0; i < hy_hal_machine_device_count(machine); i++)
		if (strcmp(hy_hal_machine_device(machine, i)->id, id) == 0) return i;
	return HY_SCHED_CLUSTER_NONE;
}

static uint64_t large_bytes(const hy_hal_machine *machine, const hy_sched_cluster *cluster, uint32_t node)
{
	uint64_t length = LARGE_BYTES;
	for (uint32_t i = 0; i < cluster->nodes[node].device_count; i++) {
		const uint32_t index = machine_index(machine,
		                                     cluster->devices[cluster->nodes[node].first_device + i].id);
		if (index == HY_SCHED_CLUSTER_NONE) continue;
		const uint64_t memory = hy_hal_machine_device(machine, index)->info.memory_bytes;
		if (memory > 0 && memory / 8 < length) length = memory / 8;
	}
	return length < 2 * SMALL_BYTES ? 2 * SMALL_BYTES : length / SMALL_BYTES * SMALL_BYTES;
}

/* Opens what is there and has memory of its own. *out_seen: how many the machine has at all. */
static void open_probes(const hy_sched_cluster *cluster, const hy_sched_cluster_node *node, hy_hal_machine *machine,
                        uint64_t length, probe *probes, uint32_t *out_seen)
{
	for (uint32_t i = 0; i < node->device_count; i++) {
		const hy_sched_cluster_device *device = &cluster->devices[node->first_device + i];
		const uint32_t index = machine_index(machine, device->id);
		probes[i].device = device;
		if (index == HY_SCHED_CLUSTER_NONE) continue;
		(*out_seen)++;
		if (!cluster->types[device->type].in_host_memory)
			(void)probe_init(&probes[i], machine, index, length, NULL); /* keeps its numbers */
	}
}

static hy_status measure_row(hy_sched_cluster *cluster, const hy_sched_cluster_node *node, probe *probes, uint32_t row,
                             void *host, uint64_t length, hy_error *error)
{
	probe *p = &probes[row];
	const uint32_t memory = node->first_place + p->device->numa;
	hy_status status = measure_way(cluster, p, NULL, p->device->place, memory, host, length, error);
	if (status == HY_OK) status = measure_way(cluster, NULL, p, memory, p->device->place, host, length, error);
	for (uint32_t i = 0; i < node->device_count && status == HY_OK; i++)
		if (i != row && probes[i].hal != NULL)
			status = measure_way(cluster, p, &probes[i], p->device->place, probes[i].device->place, host,
			                     length, error);
	return status;
}

hy_status hy_sched_cluster_measure(hy_sched_cluster *cluster, uint32_t node, hy_hal_machine *machine,
                                   hy_sched_cluster_progress_fn progress, void *payload, hy_error *error)
{
	if (node >= cluster->node_count) return hy_error_set(error, HY_INVALID, "there is no such node");
	const hy_sched_cluster_node *n = &cluster->nodes[node];
	const uint64_t length = large_bytes(machine, cluster, node);
	hy_status status = HY_OK;
	uint32_t seen = 0;
	void *host = aligned_alloc(HOST_ALIGN, length);
	probe *probes = calloc(n->device_count + 1, sizeof(*probes));
	if (host == NULL || probes == NULL) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for measuring");
		goto done;
	}
	memset(host, 1, length);
	open_probes(cluster, n, machine, length, probes, &seen);
	if (seen == 0)
		status = hy_error_set(error, HY_NOT_FOUND, "this machine has none of the devices of %s", n->name);
	for (uint32_t i = 0; i < n->device_count && status == HY_OK; i++) {
		if (progress != NULL) progress(payload, probes[i].device->name, (double)i / n->device_count);
		if (probes[i].hal != NULL) status = measure_row(cluster, n, probes, i, host, length, error);
	}
	if (progress != NULL) progress(payload, "", 1);
done:
	for (uint32_t i = 0; probes != NULL && i < n->device_count; i++)
		probe_finish(&probes[i]);
	free(probes);
	free(host);
	return status;
}
