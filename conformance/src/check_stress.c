/* Group stress: a thousand times must be like once. */
#include "program.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- what is repeated; each false when the case has ended ---- */

typedef struct subject {
	program program;
	hy_queue *queue;
	conform_memory in, out, scratch;
	hy_command command;
	hy_ref bindings[2];
} subject;

static bool run_again(conform_run *run, subject *s)
{
	return conform__submit(run, s->queue, 1, &s->command);
}

static bool compile_again(conform_run *run, subject *s)
{
	program again = s->program;
	if (!conform__program_compile(run, &again)) return false;
	run->table.exe_free(again.exe);
	return true;
}

static bool refuse_again(conform_run *run, subject *s)
{
	const hy_option option = {.key = "no-such-option", .value = "1"};
	hy_exe *exe = NULL;
	const hy_graph *graph = s->program.blob.graph;
	if (run->table.compile(run->device, graph, NULL, 0, &option, 1, &exe) != HY_OK) return true;
	conform__fail(run, "compile with an unknown option is OK");
	return false;
}

static bool open_queue_again(conform_run *run, subject *s)
{
	(void)s;
	hy_queue *queue = conform__queue_open(run);
	if (queue != NULL) run->table.queue_close(queue);
	return queue != NULL;
}

static bool allocate_again(conform_run *run, subject *s)
{
	(void)s;
	hy_buffer *buffer = NULL;
	if (run->table.buffer_alloc(run->device, 0, 5000, &buffer) != HY_OK) {
		conform__fail(run, "buffer_alloc of 5000 bytes fails");
		return false;
	}
	run->table.buffer_free(run->device, buffer);
	return true;
}

static bool open_device_again(conform_run *run, subject *s)
{
	(void)s;
	hy_device *device = NULL;
	const hy_plugin *t = &run->table;
	if (t->device_open(t->ctx, run->device_index, run->options, run->option_count, &device) != HY_OK) {
		conform__fail(run, "device_open fails");
		return false;
	}
	t->device_close(device);
	return true;
}

/* ---- the check ---- */

typedef struct churn {
	const char *id, *since;
	int64_t times;
	uint32_t kib; /* that may be left: allocators keep some */
	bool (*again)(conform_run *run, subject *s);
} churn;

static bool prepare(conform_run *run, subject *s)
{
	static op_spec spec;
	static tensor outputs[TENSOR_OUTPUTS];
	uint32_t reason;
	if (!op_spec_read(&spec, "Relu", "f32[1024]", "")) return false;
	conform__program_fill(run, &spec, NORMAL);
	oracle_run(&spec, outputs);
	if (!conform__target_ready(run) || !conform__program_graph(run, &spec, 1, outputs, &s->program)) return false;
	if (!conform__program_query(run, &s->program, &reason)) {
		conform__not_supported(run, "query says NO (reason %u)", reason);
		return false;
	}
	if (!conform__program_compile(run, &s->program) || (s->queue = conform__queue_open(run)) == NULL) return false;
	if (!conform__memory_create(run, s->queue, 4096, 0, &s->in) ||
	    !conform__memory_create(run, s->queue, 4096, 0, &s->out) ||
	    !conform__memory_create(run, s->queue, s->program.info.workspace_bytes, 0, &s->scratch))
		return false;
	s->bindings[0] = conform__ref(s->in.buffer, s->in.offset, 4096);
	s->bindings[1] = conform__ref(s->out.buffer, s->out.offset, 4096);
	s->command = (hy_command){
		.kind = HY_COMMAND_EXEC, .exe = s->program.exe, .binding_count = 2, .bindings = s->bindings};
	s->command.workspace = conform__ref(s->scratch.buffer, s->scratch.offset, s->scratch.length);
	return true;
}

/* What the first quarter leaves is a warm-up; the rest must not add. */
static void nothing_grows(conform_run *run, const conform_case *self)
{
	const churn *row = self->param;
	subject s;
	if (!prepare(run, &s)) return;
	uint64_t bytes = 0;
	uint32_t descriptors = 0, threads = 0;
	for (int64_t i = 0; i < row->times; i++) {
		if (!row->again(run, &s)) return;
		if (i != row->times / 4) continue;
		bytes = conform__process_resident_bytes();
		descriptors = conform__process_descriptors();
		threads = conform__process_threads();
	}
	const uint64_t after = conform__process_resident_bytes();
	const long long times = (long long)row->times * 3 / 4;
	REQUIRE(run, after < bytes + ((uint64_t)row->kib << 10), "%lld more times left %lld KiB", times,
	        (long long)(after - bytes) / 1024);
	REQUIRE(run, conform__process_descriptors() <= descriptors, "%lld more times left %u file descriptors", times,
	        conform__process_descriptors() - descriptors);
	for (int i = 0; i < 200 && conform__process_threads() > threads;
	     i++) /* an ended thread's entry goes a moment later */
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	REQUIRE(run, conform__process_threads() <= threads, "%lld more times left %u threads", times,
	        conform__process_threads() - threads);
	conform__program_finish(run, &s.program);
}

void conform__check_stress_list(conform_list *list)
{
	static const churn rows[] = {
		{"stress.runs.3000_without_growth", "1.0", 3000, 512, run_again},
		{"stress.queues.1000_without_growth", "1.0", 1000, 4096, open_queue_again},
		{"stress.compiles.200_without_growth", "1.1", 200, 4096, compile_again},
		{"stress.refusals.1000_without_growth", "1.1", 1000, 512, refuse_again},
		{"stress.buffers.10000_without_growth", "1.1", 10000, 4096, allocate_again},
		{"stress.devices.40_without_growth", "1.1", 40, 8192, open_device_again},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const conform_case item = {
			.info = {.group = "stress", .rule = "P2", .level = HY_CONFORM_L2, .since = rows[i].since},
			.seconds = 60,
			.check = nothing_grows,
			.param = &rows[i]};
		conform__list_add(list, &item, "%s", rows[i].id);
	}
}
