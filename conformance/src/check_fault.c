/* Group error, level L3: a device that goes away, and memory that runs out at every place in turn. */
#include "program.h"
#include "starve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lost devices ---- */

typedef struct lost {
	hy_queue *queue;
	conform_memory memory;
	program program;
	uint64_t first, count; /* tickets that were in flight */
} lost;

static uint64_t start_fill(conform_run *run, hy_queue *queue, const conform_memory *memory, hy_status *out_status)
{
	const hy_command fill = conform__fill(conform__ref(memory->buffer, memory->offset, memory->length), 1);
	const hy_batch batch = {
		.size = sizeof(batch), .command_count = 1, .command_stride = sizeof(fill), .commands = &fill};
	const uint64_t ticket = conform__ticket_new(run);
	*out_status = run->table.submit(queue, &batch, ticket);
	return ticket;
}

/* A device with work in flight, taken away. False: the case has ended. */
static bool lose(conform_run *run, lost *out)
{
	static op_spec spec;
	static tensor outputs[TENSOR_OUTPUTS];
	*out = (lost){.count = 40};
	if ((out->queue = conform__queue_open(run)) == NULL) return false;
	const hy_ext_fault *fault = run->table.ext == NULL ? NULL : run->table.ext(run->table.ctx, HY_EXT_FAULT, 1);
	if (fault == NULL || fault->lose == NULL) {
		conform__not_supported(run, "the plugin has no extension %s", HY_EXT_FAULT);
		return false;
	}
	if (!op_spec_read(&spec, "Relu", "f32[64]", "")) return false;
	oracle_run(&spec, outputs);
	if (!conform__memory_create(run, out->queue, 2 << 20, 0, &out->memory) ||
	    !conform__program_graph(run, &spec, 1, outputs, &out->program) ||
	    !conform__program_compile(run, &out->program))
		return false;
	for (uint64_t i = 0; i < out->count; i++) {
		hy_status status;
		const uint64_t ticket = start_fill(run, out->queue, &out->memory, &status);
		if (i == 0) out->first = ticket;
		if (status != HY_OK) conform__fail(run, "submit answered %s", hy_status_name(status));
	}
	fault->lose(run->device);
	return !conform__ended(run);
}

static void tickets_in_flight_end(conform_run *run, const conform_case *self)
{
	(void)self;
	lost l;
	if (!lose(run, &l)) return;
	for (uint64_t i = l.first; i < l.first + l.count; i++) {
		if (!conform__ticket_wait(run, i, 8)) return;
		const conform_ticket ticket = conform__ticket_read(run, i);
		REQUIRE(run, ticket.completions == 1, "a ticket was completed %u times", ticket.completions);
		REQUIRE(run, ticket.done.status == HY_OK || ticket.done.status == HY_DEVICE_LOST, "a ticket ended %s",
		        hy_status_name(ticket.done.status));
	}
}

/* Lost is for good: work is refused or ends DEVICE_LOST, each time, with a text and the device's scope. */
static void work_is_refused_for_good(conform_run *run, const conform_case *self)
{
	lost l;
	if (!lose(run, &l)) return;
	for (int64_t i = 0; i < self->number; i++) {
		hy_status status;
		run->host.last_text[0] = '\0';
		const uint64_t ticket = start_fill(run, l.queue, &l.memory, &status);
		hy_scope scope = run->host.last_scope;
		bool has_text = run->host.last_text[0] != '\0';
		if (status == HY_OK) {
			if (!conform__ticket_wait(run, ticket, 8)) return;
			const conform_ticket done = conform__ticket_read(run, ticket);
			status = done.done.status;
			scope = done.done.scope;
			has_text = done.text[0] != '\0';
		}
		REQUIRE(run, status == HY_DEVICE_LOST, "work %lld after the loss ended %s", (long long)i,
		        hy_status_name(status));
		REQUIRE(run, scope == HY_SCOPE_DEVICE, "DEVICE_LOST has scope %s", hy_scope_name(scope));
		REQUIRE(run, has_text, "DEVICE_LOST has no text");
	}
}

static void calls_say_lost(conform_run *run, const conform_case *self)
{
	lost l;
	if (!lose(run, &l)) return;
	hy_buffer *buffer = NULL;
	hy_queue *queue = NULL;
	hy_exe *exe = NULL;
	const hy_plugin *t = &run->table;
	const program *p = &l.program;
	const hy_status status = self->number == 0   ? t->buffer_alloc(run->device, 0, 64, &buffer)
	                         : self->number == 1 ? t->queue_open(run->device, HY_QUEUE_COMPUTE, &queue)
	                                             : t->compile(run->device, p->blob.graph, p->blob.constants,
	                                                          p->blob.constant_count, NULL, 0, &exe);
	REQUIRE(run, status == HY_DEVICE_LOST, "on a lost device it answered %s", hy_status_name(status));
	REQUIRE(run, buffer == NULL && queue == NULL && exe == NULL, "it failed and gave something");
	REQUIRE(run, run->host.last_scope == HY_SCOPE_DEVICE, "DEVICE_LOST has scope %s",
	        hy_scope_name(run->host.last_scope));
}

static bool works(conform_run *run)
{
	hy_queue *queue = conform__queue_open(run);
	conform_memory memory;
	uint8_t there[100], back[100];
	memset(there, 0x42, sizeof(there));
	if (queue == NULL || !conform__memory_create(run, queue, sizeof(there), 0, &memory) ||
	    !conform__memory_write(run, queue, &memory, there) || !conform__memory_read(run, queue, &memory, back))
		return false;
	if (memcmp(there, back, sizeof(there)) != 0) conform__fail(run, "a round trip fails");
	return !conform__ended(run);
}

static void frees_closes_and_opens_again(conform_run *run, const conform_case *self)
{
	(void)self;
	lost l;
	if (!lose(run, &l)) return;
	run->table.exe_free(l.program.exe);
	conform__memory_destroy(run, &l.memory);
	run->table.queue_close(l.queue);
	for (uint64_t i = l.first; i < l.first + l.count; i++)
		REQUIRE(run, conform__ticket_completions(run, i) == 1,
		        "after queue_close a ticket was completed %u times", conform__ticket_completions(run, i));
	run->table.device_close(run->device);
	run->device = NULL;
	works(run);
}

static void another_open_goes_on(conform_run *run, const conform_case *self)
{
	(void)self;
	lost l;
	if (!conform__target_ready(run)) return;
	hy_device *other = NULL;
	const hy_plugin *t = &run->table;
	REQUIRE(run,
	        t->device_open(t->ctx, run->device_index, run->options, run->option_count, &other) == HY_OK &&
	                other != NULL,
	        "a second open fails");
	if (!lose(run, &l)) return;
	run->device = other;
	works(run);
}

/* ---- memory that runs out ---- */

typedef enum place { DEVICE_OPEN, QUEUE_OPEN, BUFFER_ALLOC, COMPILE, SUBMIT } place;

typedef struct made {
	hy_device *device;
	hy_queue *queue;
	hy_buffer *buffer;
	hy_exe *exe;
} made;

typedef struct starved {
	program program;
	hy_queue *queue;
	conform_memory memory;
} starved;

static hy_status call(conform_run *run, place where, const starved *s, made *out)
{
	const hy_plugin *t = &run->table;
	const program *p = &s->program;
	*out = (made){.device = NULL};
	switch (where) {
	case DEVICE_OPEN:
		return t->device_open(t->ctx, run->device_index, run->options, run->option_count, &out->device);
	case QUEUE_OPEN:
		return t->queue_open(run->device, HY_QUEUE_COMPUTE, &out->queue);
	case BUFFER_ALLOC:
		return t->buffer_alloc(run->device, 0, 4096, &out->buffer);
	case COMPILE:
		return t->compile(run->device, p->blob.graph, p->blob.constants, p->blob.constant_count, NULL, 0,
		                  &out->exe);
	case SUBMIT:
		break;
	}
	const hy_command fill = conform__fill(conform__ref(s->memory.buffer, s->memory.offset, s->memory.length), 1);
	return conform__submit_status(run, s->queue, 1, &fill);
}

static bool is_empty(const made *m)
{
	return m->device == NULL && m->queue == NULL && m->buffer == NULL && m->exe == NULL;
}

static void give_back(conform_run *run, const made *m)
{
	const hy_plugin *t = &run->table;
	if (m->exe != NULL) t->exe_free(m->exe);
	if (m->queue != NULL) t->queue_close(m->queue);
	if (m->buffer != NULL) t->buffer_free(run->device, m->buffer);
	if (m->device != NULL) t->device_close(m->device);
}

/* The n-th allocation of the plugin's own code fails, for n = 1, 2 ... until the call needs fewer: it answers NO_MEMORY or
 * does without, and works the next time. */
static void every_allocation_may_fail(conform_run *run, const conform_case *self)
{
	enum { MOST = 2000 };
	const place where = (place)self->number;
	static op_spec spec;
	static tensor outputs[TENSOR_OUTPUTS];
	starved s;
	if (!conform__starve_possible()) {
		conform__not_supported(run, "this program can't make allocations fail");
		return;
	}
	if (!op_spec_read(&spec, "Conv", "f32[1,3,6,6] f32[4,3,3,3] f32{1,2,3,4}", "kernel_shape=3,3")) return;
	conform__program_fill(run, &spec, INTEGERS);
	oracle_run(&spec, outputs);
	if ((s.queue = conform__queue_open(run)) == NULL || !conform__memory_create(run, s.queue, 64, 0, &s.memory) ||
	    !conform__program_graph(run, &spec, 1, outputs, &s.program))
		return;
	made m;
	hy_status status = call(run, where, &s, &m);
	REQUIRE(run, status == HY_OK, "with enough memory it answers %s: %s", hy_status_name(status),
	        run->host.last_text);
	give_back(run, &m);
	for (uint32_t n = 1; n <= MOST; n++) {
		run->host.last_text[0] = '\0';
		conform__starve_begin((const void *)(uintptr_t)run->entry, n);
		status = call(run, where, &s, &m);
		const bool failed = conform__starve_end();
		CONTINUE(run);
		REQUIRE(run, status == HY_OK || status == HY_NO_MEMORY, "allocation %u failed and it answers %s", n,
		        hy_status_name(status));
		REQUIRE(run, status != HY_OK || where == SUBMIT || !is_empty(&m),
		        "allocation %u failed, and it is OK and gives nothing", n);
		REQUIRE(run, status == HY_OK || is_empty(&m), "allocation %u failed, and it fails and gives something",
		        n);
		REQUIRE(run, status == HY_OK || failed, "nothing failed and it answers %s", hy_status_name(status));
		give_back(run, &m);
		if (!failed) return;
		status = call(run, where, &s, &m);
		REQUIRE(run, status == HY_OK, "after allocation %u failed, the next call answers %s", n,
		        hy_status_name(status));
		give_back(run, &m);
	}
}

void conform__check_fault_list(conform_list *list)
{
	static const struct {
		const char *id;
		void (*check)(conform_run *, const conform_case *);
		int64_t number;
	} rows[] = {
		{"error.lost.tickets_in_flight_end", tickets_in_flight_end, 0},
		{"error.lost.work_is_refused", work_is_refused_for_good, 1},
		{"error.lost.work_is_refused_for_good", work_is_refused_for_good, 50},
		{"error.lost.buffer_alloc_says_so", calls_say_lost, 0},
		{"error.lost.queue_open_says_so", calls_say_lost, 1},
		{"error.lost.compile_says_so", calls_say_lost, 2},
		{"error.lost.closes_and_opens_again", frees_closes_and_opens_again, 0},
		{"error.lost.another_open_goes_on", another_open_goes_on, 0},
		{"error.starved.device_open", every_allocation_may_fail, DEVICE_OPEN},
		{"error.starved.queue_open", every_allocation_may_fail, QUEUE_OPEN},
		{"error.starved.buffer_alloc", every_allocation_may_fail, BUFFER_ALLOC},
		{"error.starved.compile", every_allocation_may_fail, COMPILE},
		{"error.starved.submit", every_allocation_may_fail, SUBMIT},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const conform_case item = {
			.info = {.group = "error", .rule = "P4", .since = "1.1", .level = HY_CONFORM_L3},
			.seconds = 60,
			.alone = true,
			.check = rows[i].check,
			.number = rows[i].number};
		conform__list_add(list, &item, "%s", rows[i].id);
	}
}
