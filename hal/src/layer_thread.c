/* One thread per device for devices that ask for it: a call is handed to the thread and waited for. */
#include "handles.h"
#include "host.h"
#include "layer.h"

#include <stdlib.h>

typedef struct worker {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void (*job)(void *payload); /* NULL: idle */
	void *payload;
	hy_hal__call call; /* what the plugin said during the job */
	bool is_done, is_over;
} worker;

typedef struct thread_layer {
	hy_hal__calls calls;
	hy_hal__handles handles; /* extra: the worker; NULL for devices that do not ask for one */
} thread_layer;

/* ---- the worker ---- */

static void *work(void *argument)
{
	worker *w = argument;
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->job == NULL && !w->is_over)
			pthread_cond_wait(&w->changed, &w->lock);
		if (w->job == NULL) break;
		pthread_mutex_unlock(&w->lock);
		hy_hal__call_begin(&w->call);
		w->job(w->payload);
		hy_hal__call_drop(&w->call);
		pthread_mutex_lock(&w->lock);
		w->is_done = true;
		pthread_cond_broadcast(&w->changed);
		while (w->is_done)
			pthread_cond_wait(&w->changed, &w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static worker *worker_create(void)
{
	worker *w = calloc(1, sizeof(*w));
	if (w == NULL) return NULL;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	if (pthread_create(&w->thread, NULL, work, w) == 0) return w;
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

static void worker_destroy(worker *w)
{
	if (w == NULL) return;
	pthread_mutex_lock(&w->lock);
	w->is_over = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* Runs fn on the worker, or here: on the worker itself (a completion that submits), or without one. */
static void run_on(worker *w, void (*fn)(void *payload), void *payload)
{
	if (w == NULL || pthread_equal(w->thread, pthread_self())) {
		fn(payload);
		return;
	}
	pthread_mutex_lock(&w->lock);
	while (w->job != NULL)
		pthread_cond_wait(&w->changed, &w->lock);
	w->job = fn;
	w->payload = payload;
	pthread_cond_broadcast(&w->changed);
	while (!w->is_done)
		pthread_cond_wait(&w->changed, &w->lock);
	hy_hal__call_adopt(&w->call);
	w->is_done = false;
	w->job = NULL;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

/* ---- the calls ---- */

typedef struct job {
	hy_hal__calls *next;
	hy_device *device;
	hy_buffer *buffer;
	hy_queue *queue;
	hy_exe *exe;
	const hy_batch *batch;
	const hy_graph *graph;
	const hy_constant *constants;
	const hy_option *options;
	hy_heap_info *heap_info;
	hy_exe_info *exe_info;
	hy_verdict *verdicts;
	uint32_t index, option_count, constant_count;
	uint64_t number;
	hy_status status;
} job;

/* X(name, what it does with job j) */
#define JOBS(X)                                                                                                      \
	X(device_open, j->status = j->next->device_open(j->next, j->index, j->options, j->option_count, &j->device)) \
	X(device_close, j->next->device_close(j->next, j->device))                                                   \
	X(heap_info, j->status = j->next->heap_info(j->next, j->device, j->index, j->heap_info))                     \
	X(buffer_alloc, j->status = j->next->buffer_alloc(j->next, j->device, j->index, j->number, &j->buffer))      \
	X(buffer_free, j->next->buffer_free(j->next, j->device, j->buffer))                                          \
	X(queue_open, j->status = j->next->queue_open(j->next, j->device, j->index, &j->queue))                      \
	X(queue_close, j->next->queue_close(j->next, j->queue))                                                      \
	X(submit, j->status = j->next->submit(j->next, j->queue, j->batch, j->number))                               \
	X(query, j->status = j->next->query(j->next, j->device, j->graph, j->verdicts, j->index))                    \
	X(compile, j->status = j->next->compile(j->next, j->device, j->graph, j->constants, j->constant_count,       \
	                                        j->options, j->option_count, &j->exe))                               \
	X(exe_info, j->status = j->next->exe_info(j->next, j->exe, j->exe_info))                                     \
	X(exe_free, j->next->exe_free(j->next, j->exe))

#define X(name, statement)                    \
	static void run_##name(void *payload) \
	{                                     \
		job *j = payload;             \
		statement;                    \
	}
JOBS(X)
#undef X
#undef JOBS

static thread_layer *layer_of(hy_hal__calls *self)
{
	return (thread_layer *)self;
}

static worker *worker_of(hy_hal__calls *self, const void *handle, hy_hal__handle_kind kind)
{
	hy_hal__handle known = {0};
	return hy_hal__handles_find(&layer_of(self)->handles, handle, kind, &known) ? known.extra : NULL;
}

/* Remembers where a new handle's calls go; where that fails, undoes what made it by `undo`. */
static hy_status remember(hy_hal__calls *self, const void *handle, hy_hal__handle_kind kind, worker *w,
                          void (*undo)(void *payload), job *j)
{
	const hy_hal__handle known = {.handle = handle, .kind = kind, .extra = w};
	if (w == NULL || hy_hal__handles_add(&layer_of(self)->handles, &known)) return HY_OK;
	run_on(w, undo, j);
	return hy_hal__call_explain(HY_NO_MEMORY, "host memory exhausted");
}

static void forget(hy_hal__calls *self, const void *handle, hy_hal__handle_kind kind)
{
	hy_hal__handle known;
	hy_hal__handles_remove(&layer_of(self)->handles, handle, kind, &known);
}

static hy_status thread_device_open(hy_hal__calls *self, uint32_t index, const hy_option *options,
                                    uint32_t option_count, hy_device **out_device)
{
	hy_device_info info = {.size = sizeof(info)};
	const hy_status status = self->next->device_info(self->next, index, &info);
	if (status != HY_OK) return status;
	worker *w = NULL;
	if ((info.flags & HY_DEVICE_ONE_THREAD) != 0 && (w = worker_create()) == NULL) return HY_NO_MEMORY;
	job j = {.next = self->next, .index = index, .options = options, .option_count = option_count};
	run_on(w, run_device_open, &j);
	if (j.status == HY_OK) j.status = remember(self, j.device, HY_HAL__HANDLE_DEVICE, w, run_device_close, &j);
	if (j.status == HY_OK)
		*out_device = j.device;
	else
		worker_destroy(w);
	return j.status;
}

static void thread_device_close(hy_hal__calls *self, hy_device *device)
{
	worker *w = worker_of(self, device, HY_HAL__HANDLE_DEVICE);
	job j = {.next = self->next, .device = device};
	forget(self, device, HY_HAL__HANDLE_DEVICE);
	run_on(w, run_device_close, &j);
	worker_destroy(w);
}

static hy_status thread_heap_info(hy_hal__calls *self, hy_device *device, uint32_t heap, hy_heap_info *out_info)
{
	job j = {.next = self->next, .device = device, .index = heap, .heap_info = out_info};
	run_on(worker_of(self, device, HY_HAL__HANDLE_DEVICE), run_heap_info, &j);
	return j.status;
}

static hy_status thread_buffer_alloc(hy_hal__calls *self, hy_device *device, uint32_t heap, uint64_t length,
                                     hy_buffer **out_buffer)
{
	job j = {.next = self->next, .device = device, .index = heap, .number = length};
	run_on(worker_of(self, device, HY_HAL__HANDLE_DEVICE), run_buffer_alloc, &j);
	if (j.status == HY_OK) *out_buffer = j.buffer;
	return j.status;
}

static void thread_buffer_free(hy_hal__calls *self, hy_device *device, hy_buffer *buffer)
{
	job j = {.next = self->next, .device = device, .buffer = buffer};
	run_on(worker_of(self, device, HY_HAL__HANDLE_DEVICE), run_buffer_free, &j);
}

static hy_status thread_queue_open(hy_hal__calls *self, hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	worker *w = worker_of(self, device, HY_HAL__HANDLE_DEVICE);
	job j = {.next = self->next, .device = device, .index = kind};
	run_on(w, run_queue_open, &j);
	if (j.status == HY_OK) j.status = remember(self, j.queue, HY_HAL__HANDLE_QUEUE, w, run_queue_close, &j);
	if (j.status == HY_OK) *out_queue = j.queue;
	return j.status;
}

static void thread_queue_close(hy_hal__calls *self, hy_queue *queue)
{
	worker *w = worker_of(self, queue, HY_HAL__HANDLE_QUEUE);
	job j = {.next = self->next, .queue = queue};
	forget(self, queue, HY_HAL__HANDLE_QUEUE);
	run_on(w, run_queue_close, &j);
}

static hy_status thread_submit(hy_hal__calls *self, hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	job j = {.next = self->next, .queue = queue, .batch = batch, .number = ticket};
	run_on(worker_of(self, queue, HY_HAL__HANDLE_QUEUE), run_submit, &j);
	return j.status;
}

static hy_status thread_query(hy_hal__calls *self, hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts,
                              uint32_t verdict_count)
{
	job j = {
		.next = self->next, .device = device, .graph = graph, .verdicts = out_verdicts, .index = verdict_count};
	run_on(worker_of(self, device, HY_HAL__HANDLE_DEVICE), run_query, &j);
	return j.status;
}

static hy_status thread_compile(hy_hal__calls *self, hy_device *device, const hy_graph *graph,
                                const hy_constant *constants, uint32_t constant_count, const hy_option *options,
                                uint32_t option_count, hy_exe **out_exe)
{
	worker *w = worker_of(self, device, HY_HAL__HANDLE_DEVICE);
	job j = {.next = self->next, .device = device, .graph = graph, .constants = constants, .options = options};
	j.constant_count = constant_count;
	j.option_count = option_count;
	run_on(w, run_compile, &j);
	if (j.status == HY_OK) j.status = remember(self, j.exe, HY_HAL__HANDLE_EXE, w, run_exe_free, &j);
	if (j.status == HY_OK) *out_exe = j.exe;
	return j.status;
}

static hy_status thread_exe_info(hy_hal__calls *self, hy_exe *exe, hy_exe_info *out_info)
{
	job j = {.next = self->next, .exe = exe, .exe_info = out_info};
	run_on(worker_of(self, exe, HY_HAL__HANDLE_EXE), run_exe_info, &j);
	return j.status;
}

static void thread_exe_free(hy_hal__calls *self, hy_exe *exe)
{
	worker *w = worker_of(self, exe, HY_HAL__HANDLE_EXE);
	job j = {.next = self->next, .exe = exe};
	forget(self, exe, HY_HAL__HANDLE_EXE);
	run_on(w, run_exe_free, &j);
}

static void thread_run(hy_hal__calls *self, hy_device *device, void (*fn)(void *payload), void *payload)
{
	run_on(worker_of(self, device, HY_HAL__HANDLE_DEVICE), fn, payload);
}

static void thread_destroy(hy_hal__calls *self)
{
	hy_hal__handles_finish(&layer_of(self)->handles);
	free(self);
}

hy_hal__calls *hy_hal__layer_thread(hy_hal__calls *next)
{
	thread_layer *layer = malloc(sizeof(*layer));
	if (layer == NULL) return NULL;
	hy_hal__handles_init(&layer->handles);
	hy_hal__calls *calls = &layer->calls;
	*calls = hy_hal__calls_forward;
	calls->next = next;
	calls->destroy = thread_destroy;
	calls->device_open = thread_device_open;
	calls->device_close = thread_device_close;
	calls->heap_info = thread_heap_info;
	calls->buffer_alloc = thread_buffer_alloc;
	calls->buffer_free = thread_buffer_free;
	calls->queue_open = thread_queue_open;
	calls->queue_close = thread_queue_close;
	calls->submit = thread_submit;
	calls->query = thread_query;
	calls->compile = thread_compile;
	calls->exe_info = thread_exe_info;
	calls->exe_free = thread_exe_free;
	calls->run = thread_run;
	return calls;
}
