/* Work of a simulated device: its queues share it, one job after another, each as long as the description says. The
 * numbers are computed when a job ends. */
#include "sim_queue.h"

#include <stdlib.h>

static uint64_t transfer_ns(uint64_t bytes, uint64_t bytes_per_s, uint64_t latency_ns)
{
	return latency_ns + (uint64_t)((double)bytes / (double)bytes_per_s * 1e9);
}

static uint64_t command_ns(const hy_device *device, const hy_command *command)
{
	const hy_sim_description *described = device->described;
	uint64_t ns = 0;
	if (command->kind == HY_COMMAND_EXEC) {
		ns = command->exe->duration_ns;
	} else if (command->kind == HY_COMMAND_COPY && described->has_link &&
	           (command->target.buffer == NULL || command->source.buffer == NULL)) {
		ns = transfer_ns(command->target.length, described->link_bandwidth, described->link_latency_ns);
	} else {
		ns = transfer_ns(command->target.length, described->bandwidth, 0);
	}
	return described->faults.slow > 0 ? (uint64_t)((double)ns * described->faults.slow) : ns;
}

static const char *check_command(const hy_command *command)
{
	switch (command->kind) {
	case HY_COMMAND_COPY:
		return command->target.length != command->source.length ? "COPY: the lengths differ" : NULL;
	case HY_COMMAND_FILL:
		return NULL;
	case HY_COMMAND_EXEC:
		return command->exe == NULL ? "EXEC: no exe" : NULL;
	}
	return "unknown command";
}

static bool do_command(const hy_command *command, hy_error *error)
{
	switch (command->kind) {
	case HY_COMMAND_COPY:
		memcpy(hy_sim_at(command->target), hy_sim_at(command->source), command->source.length);
		return true;
	case HY_COMMAND_FILL:
		memset(hy_sim_at(command->target), (int)(command->pattern & 0xff), command->target.length);
		return true;
	}
	return hy_sim_exe_run(command->exe, command->binding_count, command->bindings, error);
}

/* ---- ends ---- */

static void complete(hy_sim_job *job, hy_status status, hy_scope scope, const char *text)
{
	const hy_host *host = job->queue->device->plugin->host;
	const hy_done done = {
		.size = sizeof(done),
		.status = status,
		.scope = scope,
		.begin_ns = job->begin_ns,
		.end_ns = job->end_ns,
		.text = text,
		.text_length = text != NULL ? (uint32_t)strlen(text) : 0,
	};
	host->complete(host->ctx, job->ticket, &done);
	free(job);
}

/* Outside the lock: the host may submit from its callback. */
static void job_end(hy_sim_job *job)
{
	hy_error error = {0};
	if (job->lost) {
		complete(job, HY_DEVICE_LOST, HY_SCOPE_DEVICE, "the simulated device is lost, as its description says");
		return;
	}
	for (uint32_t i = 0; i < job->command_count; i++) {
		if (do_command(&job->commands[i], &error)) continue;
		complete(job, error.status, HY_SCOPE_CALL, error.text);
		return;
	}
	complete(job, HY_OK, HY_SCOPE_CALL, NULL);
}

/* The job that ends first of all and whose time has come, taken from its device; NULL: none. With the lock. */
static hy_sim_job *due(hy_sim_plugin *plugin)
{
	hy_device *first = NULL;
	for (hy_device *device = plugin->devices; device != NULL; device = device->next)
		if (device->jobs != NULL && (first == NULL || device->jobs->end_ns < first->jobs->end_ns))
			first = device;
	if (first == NULL || (!plugin->is_auto && first->jobs->end_ns > plugin->now_ns)) return NULL;
	hy_sim_job *job = first->jobs;
	first->jobs = job->next;
	if (first->jobs == NULL) first->jobs_end = &first->jobs;
	if (job->end_ns > plugin->now_ns) plugin->now_ns = job->end_ns;
	job->queue->running++;
	return job;
}

void hy_sim_queue_settle(hy_sim_plugin *plugin)
{
	for (;;) {
		pthread_mutex_lock(&plugin->lock);
		hy_sim_job *job = due(plugin);
		pthread_mutex_unlock(&plugin->lock);
		if (job == NULL) return;
		hy_queue *queue = job->queue;
		job_end(job);
		pthread_mutex_lock(&plugin->lock);
		if (--queue->running == 0) pthread_cond_broadcast(&queue->idle);
		pthread_mutex_unlock(&plugin->lock);
	}
}

/* ---- queues ---- */

hy_status hy_sim_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	if (kind != HY_QUEUE_COMPUTE && kind != HY_QUEUE_COPY)
		return hy_sim_fail(device->plugin, HY_INVALID, HY_SCOPE_CALL, "no queue of kind %u", kind);
	hy_queue *queue = malloc(sizeof(*queue));
	if (queue == NULL) return hy_sim_fail(device->plugin, HY_NO_MEMORY, HY_SCOPE_CALL, "host memory exhausted");
	queue->device = device;
	queue->running = 0;
	pthread_cond_init(&queue->idle, NULL);
	*out_queue = queue;
	return HY_OK;
}

void hy_sim_queue_close(hy_queue *queue)
{
	hy_device *device = queue->device;
	hy_sim_job *left = NULL, **left_end = &left;
	pthread_mutex_lock(&device->plugin->lock);
	for (hy_sim_job **at = &device->jobs; *at != NULL;) {
		hy_sim_job *job = *at;
		if (job->queue != queue) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		job->next = NULL;
		*left_end = job;
		left_end = &job->next;
	}
	device->jobs_end = &device->jobs;
	while (*device->jobs_end != NULL)
		device->jobs_end = &(*device->jobs_end)->next;
	pthread_mutex_unlock(&device->plugin->lock);
	while (left != NULL) {
		hy_sim_job *job = left;
		left = job->next;
		job->begin_ns = job->end_ns = 0;
		complete(job, HY_CANCELLED, HY_SCOPE_CALL, "the queue was closed");
	}
	pthread_mutex_lock(&device->plugin->lock);
	while (queue->running > 0)
		pthread_cond_wait(&queue->idle, &device->plugin->lock);
	pthread_mutex_unlock(&device->plugin->lock);
	pthread_cond_destroy(&queue->idle);
	free(queue);
}

/* With the lock: when it runs, and whether the device's end comes with it. */
static void schedule(hy_device *device, hy_sim_job *job)
{
	const uint64_t lost_after = device->described->faults.lost_after;
	uint64_t ns = 0;
	for (uint32_t i = 0; i < job->command_count; i++)
		ns += command_ns(device, &job->commands[i]);
	job->begin_ns = device->free_at_ns > device->plugin->now_ns ? device->free_at_ns : device->plugin->now_ns;
	job->end_ns = job->begin_ns + (ns > 0 ? ns : 1);
	device->free_at_ns = job->end_ns;
	device->ticket_count++;
	if (lost_after > 0 && device->ticket_count > lost_after) job->lost = true;
	if (job->lost) device->lost = true;
	*device->jobs_end = job;
	device->jobs_end = &job->next;
}

hy_status hy_sim_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	hy_device *device = queue->device;
	hy_sim_plugin *plugin = device->plugin;
	hy_sim_job *job = malloc(sizeof(*job) + batch->command_count * sizeof(hy_command));
	if (job == NULL) return hy_sim_fail(plugin, HY_NO_MEMORY, HY_SCOPE_CALL, "host memory exhausted");
	memset(job, 0, sizeof(*job));
	job->queue = queue;
	job->ticket = ticket;
	job->command_count = batch->command_count;
	for (uint32_t i = 0; i < batch->command_count; i++) {
		job->commands[i] = *hy_batch_at(batch, i);
		const char *why = check_command(&job->commands[i]);
		if (why == NULL) continue;
		free(job);
		return hy_sim_fail(plugin, HY_INVALID, HY_SCOPE_CALL, "%s", why);
	}
	pthread_mutex_lock(&plugin->lock);
	const bool lost = device->lost;
	if (!lost) schedule(device, job);
	const bool ends_now = plugin->is_auto;
	pthread_mutex_unlock(&plugin->lock);
	if (lost) {
		free(job);
		return hy_sim_fail(plugin, HY_DEVICE_LOST, HY_SCOPE_DEVICE, "the simulated device is lost");
	}
	if (ends_now) hy_sim_queue_settle(plugin);
	return HY_OK;
}
