/* Group queue: several threads at once, each with a queue of its own. */
#include "target.h"

#include <pthread.h>

typedef struct thread_work {
	conform_run *run;
	hy_queue *queue;
	conform_memory memory;
	uint8_t number;
	uint32_t bad;
} thread_work;

static void *thread_main(void *payload)
{
	thread_work *w = payload;
	uint8_t back[512];
	for (uint8_t i = 0; i < 60; i++) {
		const uint8_t value = (uint8_t)(w->number * 61 + i);
		const hy_command commands[] = {
			conform__fill(conform__ref(w->memory.buffer, w->memory.offset, sizeof(back)), value),
			conform__copy(conform__host_ref(back, sizeof(back)),
		                      conform__ref(w->memory.buffer, w->memory.offset, sizeof(back)))};
		if (conform__submit_status(w->run, w->queue, 2, commands) != HY_OK) w->bad++;
		for (size_t k = 0; k < sizeof(back); k++)
			w->bad += back[k] != value;
	}
	return NULL;
}

/* buffer_alloc and buffer_free may be called by all threads at once (P5). */
static void *allocating_main(void *payload)
{
	thread_work *w = payload;
	for (int i = 0; i < 100; i++) {
		conform_memory memory = {.length = 64 + (uint64_t)w->number * 100 + (uint64_t)i};
		uint8_t back[2048];
		if (w->run->table.buffer_alloc(w->run->device, 0, memory.length, &memory.buffer) != HY_OK) {
			w->bad++;
			continue;
		}
		const hy_ref all = conform__ref(memory.buffer, 0, memory.length);
		const hy_command commands[] = {conform__fill(all, w->number + 1),
		                               conform__copy(conform__host_ref(back, memory.length), all)};
		if (conform__submit_status(w->run, w->queue, 2, commands) != HY_OK) w->bad++;
		for (uint64_t k = 0; k < memory.length; k++)
			w->bad += back[k] != w->number + 1;
		w->run->table.buffer_free(w->run->device, memory.buffer);
	}
	return NULL;
}

static void threads_use_their_own_queues(conform_run *run, const conform_case *self)
{
	enum { MOST = 8 };
	if (!conform__target_ready(run)) return;
	if (run->info.flags & HY_DEVICE_ONE_THREAD) {
		conform__not_supported(run, "the device wants all calls from one thread");
		return;
	}
	thread_work work[MOST];
	pthread_t threads[MOST];
	for (int64_t i = 0; i < self->number; i++) {
		work[i] = (thread_work){.run = run, .number = (uint8_t)i};
		work[i].queue = conform__queue_open(run);
		CONTINUE(run);
		if (!conform__memory_create(run, work[i].queue, 512, 0, &work[i].memory)) return;
	}
	for (int64_t i = 0; i < self->number; i++)
		pthread_create(&threads[i], NULL, self->param != NULL ? allocating_main : thread_main, &work[i]);
	uint32_t bad = 0;
	for (int64_t i = 0; i < self->number; i++) {
		pthread_join(threads[i], NULL);
		bad += work[i].bad;
	}
	REQUIRE(run, bad == 0, "%lld threads on their own queues saw %u wrong bytes or failed tickets",
	        (long long)self->number, bad);
}

void conform__check_thread_list(conform_list *list)
{
	conform_case item = {.info = {.group = "queue", .rule = "P5", .level = HY_CONFORM_L1},
	                     .check = threads_use_their_own_queues};
	item.number = 2;
	conform__list_add(list, &item, "queue.threads.two");
	item.number = 8;
	conform__list_add(list, &item, "queue.threads.eight");
	item.info.since = "1.1";
	item.param = "allocating";
	conform__list_add(list, &item, "queue.threads.eight_allocating");
}
