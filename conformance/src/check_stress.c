/* Group stress: a thousand times must be like once. */
#include "program.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void runs_do_not_leak(conform_run *run, const conform_case *self)
{
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	uint32_t reason;
	if (!op_spec_read(&spec, "Relu", "f32[1024]", "")) return;
	conform__program_fill(run, &spec, NORMAL);
	oracle_run(&spec, outputs);
	if (!conform__target_ready(run) || !conform__program_graph(run, &spec, 1, outputs, &p)) return;
	if (!conform__program_query(run, &p, &reason)) {
		conform__not_supported(run, "query says NO (reason %u)", reason);
		return;
	}
	if (!conform__program_compile(run, &p)) return;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory in, out, scratch = {0};
	if (!conform__memory_create(run, queue, 4096, 0, &in) || !conform__memory_create(run, queue, 4096, 0, &out))
		return;
	if (!conform__memory_create(run, queue, p.info.workspace_bytes, 0, &scratch)) return;
	const hy_ref bindings[] = {conform__ref(in.buffer, in.offset, 4096),
	                           conform__ref(out.buffer, out.offset, 4096)};
	hy_command command = {.kind = HY_COMMAND_EXEC, .exe = p.exe, .binding_count = 2, .bindings = bindings};
	command.workspace = conform__ref(scratch.buffer, scratch.offset, scratch.length);
	uint64_t before = 0;
	for (int64_t i = 0; i < self->number; i++) {
		if (!conform__submit(run, queue, 1, &command)) return;
		if (i == self->number / 4) before = conform__process_resident_bytes();
	}
	const uint64_t after = conform__process_resident_bytes();
	REQUIRE(run, after < before + (512u << 10), "%lld runs left %lld KiB", (long long)self->number * 3 / 4,
	        (long long)(after - before) / 1024);
	conform__program_finish(run, &p);
}

static void queues_do_not_leak(conform_run *run, const conform_case *self)
{
	if (!conform__target_ready(run)) return;
	uint64_t before = 0;
	for (int64_t i = 0; i < self->number; i++) {
		hy_queue *queue = conform__queue_open(run);
		CONTINUE(run);
		run->table.queue_close(queue);
		if (i == self->number / 4) before = conform__process_resident_bytes();
	}
	const uint64_t after = conform__process_resident_bytes();
	REQUIRE(run, after < before + (4u << 20), "%lld queues left %lld KiB", (long long)self->number,
	        (long long)(after - before) / 1024);
}

void conform__check_stress_list(conform_list *list)
{
	conform_case item = {
		.info = {.group = "stress", .rule = "P2", .level = HY_CONFORM_L2}, .seconds = 60, .number = 3000};
	item.check = runs_do_not_leak;
	conform__list_add(list, &item, "stress.runs.3000_without_growth");
	item.check = queues_do_not_leak;
	item.number = 1000;
	conform__list_add(list, &item, "stress.queues.1000_without_growth");
}
