/* Group error: what goes wrong is said, stays where it is, and leaves the rest usable. */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* After the mistake the device must do honest work. */
static void still_usable(conform_run *run)
{
	hy_queue *queue = conform__queue_open(run);
	conform_memory memory;
	uint8_t there[100], back[100];
	memset(there, 0x42, sizeof(there));
	if (queue == NULL || !conform__memory_create(run, queue, sizeof(there), 0, &memory)) return;
	if (!conform__memory_write(run, queue, &memory, there) || !conform__memory_read(run, queue, &memory, back))
		return;
	REQUIRE(run, memcmp(there, back, sizeof(there)) == 0, "afterwards a round trip fails");
}

/* submit() refuses, or the ticket ends with an error: either is an answer, OK is not, and a refused ticket stays so. */
static void bad_command_is_refused(conform_run *run, const conform_case *self)
{
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, 64, 0, &memory)) return;
	uint8_t bytes[64] = {0};
	hy_command command = conform__copy(conform__ref(memory.buffer, memory.offset, 64),
	                                   conform__host_ref(bytes, 64));
	switch (self->number) {
	case 0:
		command.kind = 99;
		break;
	case 1:
		command.kind = 0;
		break;
	case 2: /* lengths differ */
		command.source.length = 32;
		break;
	default: /* EXEC of nothing */
		command = (hy_command){.kind = HY_COMMAND_EXEC};
		break;
	}
	const hy_batch batch = {
		.size = sizeof(batch), .command_count = 1, .command_stride = sizeof(command), .commands = &command};
	const uint64_t ticket = conform__ticket_new(run);
	const hy_status status = run->table.submit(queue, &batch, ticket);
	if (status == HY_OK) {
		if (!conform__ticket_wait(run, ticket, 8)) return;
		const conform_ticket done = conform__ticket_read(run, ticket);
		REQUIRE(run, done.done.status != HY_OK, "an illegal command ended OK");
		REQUIRE(run, done.completions == 1, "the ticket was completed %u times", done.completions);
		REQUIRE(run, done.text[0] != '\0', "the failed ticket has no text");
	} else {
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		REQUIRE(run, conform__ticket_completions(run, ticket) == 0, "a refused ticket was completed");
		REQUIRE(run, run->host.last_text[0] != '\0', "the refusal has no text");
		REQUIRE(run, run->host.last_scope == HY_SCOPE_CALL, "a refusal has scope %s",
		        hy_scope_name(run->host.last_scope));
	}
	still_usable(run);
}

/* One illegal command among legal ones: the ticket tells, or submit() refuses all. */
static void failure_in_a_batch_shows(conform_run *run, const conform_case *self)
{
	enum { COUNT = 3 };
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, 64, 0, &memory)) return;
	hy_command commands[COUNT];
	for (int i = 0; i < COUNT; i++)
		commands[i] = conform__fill(conform__ref(memory.buffer, memory.offset, 64), 1);
	commands[self->number] = (hy_command){.kind = HY_COMMAND_EXEC};
	const hy_status status = conform__submit_status(run, queue, COUNT, commands);
	REQUIRE(run, status != HY_OK, "command %lld of %d is illegal and the batch ended OK", (long long)self->number,
	        COUNT);
	still_usable(run);
}

static void bad_bindings_are_refused(conform_run *run, const conform_case *self)
{
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	uint32_t reason;
	if (!op_spec_read(&spec, "Relu", "f32[16]", "")) return;
	oracle_run(&spec, outputs);
	if (!conform__target_ready(run) || !conform__program_graph(run, &spec, 1, outputs, &p)) return;
	if (!conform__program_query(run, &p, &reason)) {
		conform__not_supported(run, "query says NO (reason %u)", reason);
		return;
	}
	if (!conform__program_compile(run, &p)) return;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, 256, 0, &memory)) return;
	hy_ref bindings[3] = {conform__ref(memory.buffer, memory.offset, 64),
	                      conform__ref(memory.buffer, memory.offset + 128, 64),
	                      conform__ref(memory.buffer, memory.offset, 64)};
	hy_command command = {.kind = HY_COMMAND_EXEC, .exe = p.exe, .binding_count = 2, .bindings = bindings};
	if (self->number == 0) command.binding_count = 1;
	if (self->number == 1) command.binding_count = 3;
	if (self->number == 2) bindings[0].length = 32;
	if (self->number == 3) bindings[1].length = 60;
	REQUIRE(run, conform__submit_status(run, queue, 1, &command) != HY_OK, "EXEC with illegal bindings ended OK");
	still_usable(run);
}

static void alloc_failures_leave_no_trace(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run) || !conform__has(run, run->table.buffer_alloc != NULL, "buffer_alloc")) return;
	for (int i = 0; i < 200; i++) {
		hy_buffer *buffer = NULL;
		const hy_status status = run->table.buffer_alloc(run->device, 0, UINT64_MAX / 2 - (uint64_t)i * 4096,
		                                                 &buffer);
		REQUIRE(run, status != HY_OK && buffer == NULL, "an absurd buffer was allocated");
	}
	still_usable(run);
}

void conform__check_error_list(conform_list *list)
{
	static const char *const commands[] = {"unknown_kind", "kind_0", "lengths_differ", "exec_of_nothing"};
	static const char *const bindings[] = {"too_few", "too_many", "input_short", "output_short"};
	conform_case item = {.info = {.group = "error", .rule = "P4", .level = HY_CONFORM_L1}};
	item.check = bad_command_is_refused;
	for (item.number = 0; item.number < 4; item.number++)
		conform__list_add(list, &item, "error.command.%s", commands[item.number]);
	item.check = bad_bindings_are_refused;
	for (item.number = 0; item.number < 4; item.number++)
		conform__list_add(list, &item, "error.bindings.%s", bindings[item.number]);
	item.check = alloc_failures_leave_no_trace;
	conform__list_add(list, &item, "error.alloc.200_failures");
	static const char *const places[] = {"first", "middle", "last"};
	item.info.since = "1.1";
	item.check = failure_in_a_batch_shows;
	for (item.number = 0; item.number < 3; item.number++)
		conform__list_add(list, &item, "error.batch.%s_illegal", places[item.number]);
}
