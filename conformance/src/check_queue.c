/* Group queue: order, tickets that complete exactly once, several queues and threads. */
#include "target.h"
#include "process.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Submits without waiting; 0 and the case ended on failure. */
static uint64_t start(conform_run *run, hy_queue *queue, uint32_t count, const hy_command *commands)
{
	const hy_batch batch = {.size = sizeof(batch),
	                        .command_count = count,
	                        .command_stride = sizeof(hy_command),
	                        .commands = commands};
	const uint64_t ticket = conform__ticket_new(run);
	if (ticket == 0) return 0;
	const hy_status status = run->table.submit(queue, &batch, ticket);
	if (status != HY_OK) conform__fail(run, "submit answered %s: %s", hy_status_name(status), run->host.last_text);
	return status == HY_OK ? ticket : 0;
}

/* Waits for all and requires each to have completed once, OK; gives late second completions a moment. */
static void all_once(conform_run *run, uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++)
		if (!conform__ticket_wait(run, i, 8)) return;
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	for (uint64_t i = first; i < first + count; i++) {
		const conform_ticket ticket = conform__ticket_read(run, i);
		REQUIRE(run, ticket.completions == 1, "ticket %llu was completed %u times", (unsigned long long)i,
		        ticket.completions);
		REQUIRE(run, ticket.done.status == HY_OK, "ticket %llu ended %s: %s", (unsigned long long)i,
		        hy_status_name(ticket.done.status), ticket.text);
	}
	REQUIRE(run, run->host.strange_completions == 0, "%u tickets that nobody submitted were completed",
	        run->host.strange_completions);
}

static void empty_batch_completes(conform_run *run, const conform_case *self)
{
	(void)self;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	const uint64_t ticket = start(run, queue, 0, NULL);
	if (ticket != 0) all_once(run, ticket, 1);
}

static void rapid_submits_complete_once(conform_run *run, const conform_case *self)
{
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, 64, 0, &memory)) return;
	const uint64_t count = (uint64_t)self->number;
	uint64_t first = 0;
	for (uint64_t i = 0; i < count; i++) {
		const hy_command fill = conform__fill(conform__ref(memory.buffer, memory.offset, 64), (uint8_t)i);
		const uint64_t ticket = start(run, queue, 1, &fill);
		CONTINUE(run);
		if (first == 0) first = ticket;
	}
	all_once(run, first, count);
	CONTINUE(run);
	uint8_t back[64];
	if (!conform__memory_read(run, queue, &memory, back)) return;
	REQUIRE(run, back[0] == (uint8_t)(count - 1) && back[63] == (uint8_t)(count - 1),
	        "after %llu fills the last is not what is there: %02x", (unsigned long long)count, back[0]);
}

/* The commands are lent for the call: what the host does with its array while they wait is its own affair. */
static void commands_are_lent(conform_run *run, const conform_case *self)
{
	enum { BEFORE = 4 };
	const uint64_t length = (uint64_t)self->number;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory large, small;
	uint8_t back[64];
	if (!conform__memory_create(run, queue, length, 0, &large) ||
	    !conform__memory_create(run, queue, sizeof(back), 0, &small))
		return;
	hy_command before[BEFORE], command = conform__fill(conform__ref(small.buffer, small.offset, sizeof(back)), 3);
	for (int i = 0; i < BEFORE; i++)
		before[i] = conform__fill(conform__ref(large.buffer, large.offset, length), (uint8_t)i);
	const uint64_t first = start(run, queue, BEFORE, before);
	const uint64_t second = first == 0 ? 0 : start(run, queue, 1, &command);
	command.pattern = 0x77;
	if (second == 0 || !conform__ticket_wait(run, second, 8)) return;
	if (!conform__memory_read(run, queue, &small, back)) return;
	REQUIRE(run, back[0] == 3 && back[63] == 3, "a command changed after submit() has effect: %02x, not 03",
	        back[0]);
}

/* A newer host has larger commands; command_stride says how large. */
static void stride_is_kept(conform_run *run, const conform_case *self)
{
	enum { COUNT = 5 };
	const uint32_t stride = (uint32_t)sizeof(hy_command) + (uint32_t)self->number;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory[COUNT];
	uint8_t *commands = malloc((size_t)COUNT * stride);
	memset(commands, CONFORM_POISON, (size_t)COUNT * stride);
	for (uint32_t i = 0; i < COUNT; i++) {
		if (!conform__memory_create(run, queue, 64, 0, &memory[i])) return;
		const hy_command fill = conform__fill(conform__ref(memory[i].buffer, memory[i].offset, 64),
		                                      (uint8_t)(i + 1));
		memcpy(commands + (size_t)i * stride, &fill, sizeof(fill));
	}
	const hy_batch batch = {.size = sizeof(batch),
	                        .command_count = COUNT,
	                        .command_stride = stride,
	                        .commands = (const void *)commands};
	const uint64_t ticket = conform__ticket_new(run);
	const hy_status status = run->table.submit(queue, &batch, ticket);
	REQUIRE(run, status == HY_OK, "submit of commands of %u bytes answered %s", stride, hy_status_name(status));
	if (!conform__ticket_wait(run, ticket, 8)) return;
	REQUIRE(run, conform__ticket_read(run, ticket).done.status == HY_OK, "commands of %u bytes ended %s", stride,
	        hy_status_name(conform__ticket_read(run, ticket).done.status));
	for (uint32_t i = 0; i < COUNT; i++) {
		uint8_t back[64];
		if (!conform__memory_read(run, queue, &memory[i], back)) return;
		REQUIRE(run, back[0] == i + 1 && back[63] == i + 1, "command %u of %u bytes was not run", i, stride);
	}
	free(commands);
}

static void done_means_done(conform_run *run, const conform_case *self)
{
	/* The host's copy of a large range is complete when its ticket is: looked at in the callback's shadow. */
	const uint64_t length = (uint64_t)self->number;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, length, 0, &memory)) return;
	uint8_t *back = malloc(length);
	for (uint8_t round = 1; round <= 4; round++) {
		memset(back, 0, length);
		const hy_command commands[] = {conform__fill(conform__ref(memory.buffer, memory.offset, length), round),
		                               conform__copy(conform__host_ref(back, length),
		                                             conform__ref(memory.buffer, memory.offset, length))};
		const uint64_t ticket = start(run, queue, 2, commands);
		if (ticket == 0 || !conform__ticket_wait(run, ticket, 8)) return;
		for (uint64_t i = length; i-- > 0;) /* the end is written last */
			REQUIRE(run, back[i] == round, "the ticket was complete when byte %llu of %llu was not written",
			        (unsigned long long)i, (unsigned long long)length);
	}
	free(back);
}

static void commands_of_a_batch_run_in_order(conform_run *run, const conform_case *self)
{
	enum { SLOTS = 16, LENGTH = 1000 };
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory slots[SLOTS];
	uint8_t expected[SLOTS];
	for (int i = 0; i < SLOTS; i++) {
		if (!conform__memory_create(run, queue, LENGTH, 0, &slots[i])) return;
		expected[i] = CONFORM_POISON;
	}
	const uint32_t count = (uint32_t)self->number;
	hy_command *commands = calloc(count, sizeof(commands[0]));
	for (uint32_t i = 0; i < count; i++) {
		const int64_t to = conform__random_between(run, 0, SLOTS - 1),
			      from = conform__random_between(run, 0, SLOTS - 1);
		const hy_ref target = conform__ref(slots[to].buffer, slots[to].offset, LENGTH);
		if (to == from || conform__random_between(run, 0, 3) == 0) {
			commands[i] = conform__fill(target, (uint8_t)(i + 1));
			expected[to] = (uint8_t)(i + 1);
		} else {
			commands[i] = conform__copy(target,
			                            conform__ref(slots[from].buffer, slots[from].offset, LENGTH));
			expected[to] = expected[from];
		}
	}
	if (!conform__submit(run, queue, count, commands)) return;
	free(commands);
	for (int i = 0; i < SLOTS; i++) {
		uint8_t back[LENGTH];
		if (!conform__memory_read(run, queue, &slots[i], back)) return;
		REQUIRE(run, back[0] == expected[i] && back[LENGTH - 1] == expected[i],
		        "after %u commands slot %d holds %02x, not %02x: the order was not kept", count, i, back[0],
		        expected[i]);
	}
}

static void batches_run_in_order(conform_run *run, const conform_case *self)
{
	enum { LENGTH = 20000 };
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory a, b;
	if (!conform__memory_create(run, queue, LENGTH, 0, &a) || !conform__memory_create(run, queue, LENGTH, 0, &b))
		return;
	uint64_t last = 0, first = 0;
	for (int64_t i = 0; i < self->number; i++) {
		const hy_command commands[] = {conform__fill(conform__ref(a.buffer, a.offset, LENGTH), (uint8_t)i),
		                               conform__copy(conform__ref(b.buffer, b.offset, LENGTH),
		                                             conform__ref(a.buffer, a.offset, LENGTH))};
		last = start(run, queue, 2, commands);
		CONTINUE(run);
		if (first == 0) first = last;
	}
	if (!conform__ticket_wait(run, last, 8)) return;
	for (uint64_t i = first; i < last; i++)
		REQUIRE(run, conform__ticket_completions(run, i) == 1,
		        "ticket %llu of a queue completed after ticket %llu", (unsigned long long)i,
		        (unsigned long long)last);
	uint8_t back[LENGTH];
	if (!conform__memory_read(run, queue, &b, back)) return;
	REQUIRE(run, back[0] == (uint8_t)(self->number - 1) && back[LENGTH - 1] == (uint8_t)(self->number - 1),
	        "the last batch is not what is there");
}

static void times_are_ordered(conform_run *run, const conform_case *self)
{
	(void)self;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, 1 << 20, 0, &memory)) return;
	const uint64_t before = conform__process_now_ns();
	const hy_command fill = conform__fill(conform__ref(memory.buffer, memory.offset, memory.length), 3);
	const uint64_t ticket = start(run, queue, 1, &fill);
	if (ticket == 0 || !conform__ticket_wait(run, ticket, 8)) return;
	const uint64_t after = conform__process_now_ns();
	const hy_done done = conform__ticket_read(run, ticket).done;
	if (done.begin_ns == 0 && done.end_ns == 0) {
		conform__not_supported(run, "the device can't tell times");
		return;
	}
	const uint64_t slack = 2000000; /* clocks of devices are mapped to the host's */
	REQUIRE(run, done.begin_ns <= done.end_ns, "it ended %llu ns before it began",
	        (unsigned long long)(done.begin_ns - done.end_ns));
	REQUIRE(run, done.begin_ns + slack >= before && done.end_ns <= after + slack,
	        "begin %+lld ns, end %+lld ns relative to submission: not the host's clock",
	        (long long)(done.begin_ns - before), (long long)(done.end_ns - before));
	REQUIRE(run, done.size >= 32 && done.size <= 4096, "hy_done.size is %u", done.size);
}

/* ---- several queues ---- */

static void queues_are_independent(conform_run *run, const conform_case *self)
{
	enum { MOST = 8, LENGTH = 5000 };
	hy_queue *queues[MOST];
	conform_memory memory[MOST];
	const int64_t count = self->number;
	for (int64_t i = 0; i < count; i++) {
		queues[i] = conform__queue_open(run);
		CONTINUE(run);
		if (!conform__memory_create(run, queues[i], LENGTH, 0, &memory[i])) return;
	}
	uint64_t first = 0, submitted = 0;
	for (int round = 0; round < 50; round++) {
		for (int64_t i = 0; i < count; i++) {
			const hy_command fill = conform__fill(conform__ref(memory[i].buffer, memory[i].offset, LENGTH),
			                                      (uint8_t)(i * 50 + round));
			const uint64_t ticket = start(run, queues[i], 1, &fill);
			CONTINUE(run);
			if (first == 0) first = ticket;
			submitted++;
		}
	}
	all_once(run, first, submitted);
	for (int64_t i = 0; i < count && !conform__ended(run); i++) {
		uint8_t back[LENGTH];
		if (!conform__memory_read(run, queues[i], &memory[i], back)) return;
		REQUIRE(run, back[LENGTH - 1] == (uint8_t)(i * 50 + 49), "queue %lld lost its last fill", (long long)i);
		run->table.queue_close(queues[i]);
	}
}

static void copy_queue_works(conform_run *run, const conform_case *self)
{
	(void)self;
	hy_queue *compute = conform__queue_open(run);
	CONTINUE(run);
	hy_queue *queue = NULL;
	const hy_status status = run->table.queue_open(run->device, HY_QUEUE_COPY, &queue);
	REQUIRE(run, status == HY_OK && queue != NULL, "queue_open of a copy queue answered %s",
	        hy_status_name(status));
	conform_memory memory;
	uint8_t there[999], back[999];
	memset(there, 0x3d, sizeof(there));
	if (!conform__memory_create(run, compute, sizeof(there), 0, &memory)) return;
	if (!conform__memory_write(run, queue, &memory, there) || !conform__memory_read(run, compute, &memory, back))
		return;
	REQUIRE(run, memcmp(there, back, sizeof(there)) == 0, "what the copy queue wrote is not there");
	run->table.queue_close(queue);
}

static void unknown_kind_is_refused(conform_run *run, const conform_case *self)
{
	if (!conform__target_ready(run) || !conform__has(run, run->table.queue_open != NULL, "queue_open")) return;
	hy_queue *queue = NULL;
	const hy_status status = run->table.queue_open(run->device, (uint32_t)self->number, &queue);
	REQUIRE(run, status == HY_INVALID && queue == NULL, "queue_open of kind %lld answered %s",
	        (long long)self->number, hy_status_name(status));
}

/* ---- closing ---- */

static void close_completes_everything(conform_run *run, const conform_case *self)
{
	enum { LENGTH = 1 << 20 };
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, LENGTH, 0, &memory)) return;
	uint64_t first = 0;
	for (int64_t i = 0; i < self->number; i++) {
		const hy_command fill = conform__fill(conform__ref(memory.buffer, memory.offset, LENGTH), (uint8_t)i);
		const uint64_t ticket = start(run, queue, 1, &fill);
		CONTINUE(run);
		if (first == 0) first = ticket;
	}
	run->table.queue_close(queue);
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	for (uint64_t i = first; i < first + (uint64_t)self->number; i++) {
		const conform_ticket ticket = conform__ticket_read(run, i);
		REQUIRE(run, ticket.completions == 1, "after queue_close ticket %llu was completed %u times",
		        (unsigned long long)(i - first), ticket.completions);
		REQUIRE(run, ticket.done.status == HY_OK || ticket.done.status == HY_CANCELLED, "it ended %s",
		        hy_status_name(ticket.done.status));
	}
}

static void opens_and_closes(conform_run *run, const conform_case *self)
{
	if (!conform__target_ready(run)) return;
	for (int64_t i = 0; i < self->number; i++) {
		hy_queue *queue = conform__queue_open(run);
		CONTINUE(run);
		run->table.queue_close(queue);
	}
}

/* ---- dependencies ---- */

/* A graph of copies over several queues: a batch is submitted when what it reads was completed. */
static void random_dag(conform_run *run, const conform_case *self)
{
	enum { QUEUES = 4, SLOTS = 12, STEPS = 60, LENGTH = 700 };
	(void)self;
	hy_queue *queues[QUEUES];
	conform_memory slots[SLOTS];
	uint8_t expected[SLOTS];
	uint64_t writer[SLOTS] = {0}, readers[SLOTS][QUEUES] = {{0}};
	for (int i = 0; i < QUEUES; i++) {
		queues[i] = conform__queue_open(run);
		CONTINUE(run);
	}
	for (int i = 0; i < SLOTS; i++) {
		if (!conform__memory_create(run, queues[0], LENGTH, 0, &slots[i])) return;
		expected[i] = CONFORM_POISON;
	}
	for (int step = 0; step < STEPS; step++) {
		const int64_t q = conform__random_between(run, 0, QUEUES - 1);
		const int64_t to = conform__random_between(run, 0, SLOTS - 1),
			      from = conform__random_between(run, 0, SLOTS - 1);
		const hy_ref target = conform__ref(slots[to].buffer, slots[to].offset, LENGTH);
		const bool is_copy = to != from && conform__random_between(run, 0, 3) != 0;
		const hy_command command = is_copy ? conform__copy(target, conform__ref(slots[from].buffer,
		                                                                        slots[from].offset, LENGTH))
		                                   : conform__fill(target, (uint8_t)(step + 1));
		if (is_copy && writer[from] != 0 && !conform__ticket_wait(run, writer[from], 8)) return;
		if (writer[to] != 0 && !conform__ticket_wait(run, writer[to], 8)) return;
		for (int i = 0; i < QUEUES; i++)
			if (readers[to][i] != 0 && !conform__ticket_wait(run, readers[to][i], 8)) return;
		const uint64_t ticket = start(run, queues[q], 1, &command);
		CONTINUE(run);
		expected[to] = is_copy ? expected[from] : (uint8_t)(step + 1);
		writer[to] = ticket;
		if (is_copy) readers[from][q] = ticket;
	}
	for (int i = 0; i < SLOTS; i++) {
		if (writer[i] != 0 && !conform__ticket_wait(run, writer[i], 8)) return;
		uint8_t back[LENGTH];
		if (!conform__memory_read(run, queues[i % QUEUES], &slots[i], back)) return;
		REQUIRE(run, back[0] == expected[i] && back[LENGTH - 1] == expected[i], "slot %d holds %02x, not %02x",
		        i, back[0], expected[i]);
	}
}

void conform__check_queue_list(conform_list *list)
{
	static const struct {
		const char *id, *rule;
		void (*check)(conform_run *, const conform_case *);
		int64_t number;
	} rows[] = {
		{"queue.submit.empty_batch_completes", "P10", empty_batch_completes, 0},
		{"queue.submit.rapid_10_complete_once", "P10", rapid_submits_complete_once, 10},
		{"queue.submit.rapid_200_complete_once", "P10", rapid_submits_complete_once, 200},
		{"queue.submit.rapid_3000_complete_once", "P10", rapid_submits_complete_once, 3000},
		{"queue.ticket.done_means_done_4k", "P10", done_means_done, 4096},
		{"queue.ticket.done_means_done_1m", "P10", done_means_done, 1 << 20},
		{"queue.ticket.done_means_done_16m", "P10", done_means_done, 16 << 20},
		{"queue.ticket.times_ordered", "P10", times_are_ordered, 0},
		{"queue.order.batch_of_3", "P11", commands_of_a_batch_run_in_order, 3},
		{"queue.order.batch_of_40", "P11", commands_of_a_batch_run_in_order, 40},
		{"queue.order.batch_of_500", "P11", commands_of_a_batch_run_in_order, 500},
		{"queue.order.batches_5", "P11", batches_run_in_order, 5},
		{"queue.order.batches_100", "P11", batches_run_in_order, 100},
		{"queue.many.two_independent", "P11", queues_are_independent, 2},
		{"queue.many.eight_independent", "P11", queues_are_independent, 8},
		{"queue.many.copy_queue", "P11", copy_queue_works, 0},
		{"queue.open.kind_0_refused", "P4", unknown_kind_is_refused, 0},
		{"queue.open.kind_99_refused", "P4", unknown_kind_is_refused, 99},
		{"queue.open.hundred_times", "P8", opens_and_closes, 100},
		{"queue.close.idle", "P10", close_completes_everything, 0},
		{"queue.close.one_in_flight", "P10", close_completes_everything, 1},
		{"queue.close.hundred_in_flight", "P10", close_completes_everything, 100},
	};
	conform_case item = {.info = {.group = "queue", .level = HY_CONFORM_L1}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		item.info.rule = rows[i].rule;
		item.check = rows[i].check;
		item.number = rows[i].number;
		conform__list_add(list, &item, "%s", rows[i].id);
	}
	item.info.rule = "P11";
	item.check = random_dag;
	for (item.number = 1; item.number <= 30; item.number++) {
		item.info.level = item.number <= 10 ? HY_CONFORM_L1 : HY_CONFORM_L2;
		conform__list_add(list, &item, "queue.dag.seed_%02lld", (long long)item.number);
	}
	item.info.since = "1.1";
	item.info.level = HY_CONFORM_L1;
	item.info.rule = "P1";
	item.check = stride_is_kept;
	for (item.number = 8; item.number <= 64; item.number *= 8)
		conform__list_add(list, &item, "queue.submit.stride_plus_%lld", (long long)item.number);
	item.info.rule = "P2";
	item.check = commands_are_lent;
	item.number = 16 << 20;
	conform__list_add(list, &item, "queue.submit.commands_lent");
}
