/* Group determinism: the same exe with the same inputs gives the same bytes, whatever ran before. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

typedef struct subject {
	const char *name, *op, *inputs, *attrs;
	data_kind data;
} subject;

static const subject subjects[] = {
	{"conv", "Conv", "f32[1,32,14,14] f32[32,32,3,3] f32[32]", "kernel_shape=3,3 pads=1,1,1,1", NORMAL},
	{"matmul", "MatMul", "f32[33,257] f32[257,65]", "", NORMAL},
	{"reduce", "ReduceSum", "f32[3,4099] i64{1}", "", NORMAL},
	{"softmax", "Softmax", "f32[5,333]", "", NORMAL},
	{"pool", "AveragePool", "f32[1,24,15,15]", "kernel_shape=3,3 strides=2,2", NORMAL},
	{"elementwise", "Mul", "f32[5,999] f32[999]", "", NORMAL},
};

static bool make(conform_run *run, const subject *s, op_spec *spec, tensor *outputs, program *p)
{
	uint32_t reason;
	if (!op_spec_read(spec, s->op, s->inputs, s->attrs)) return false;
	conform__program_fill(run, spec, s->data);
	if (oracle_run(spec, outputs) != 1 || !conform__target_ready(run)) return false;
	if (!conform__program_graph(run, spec, 1, outputs, p)) return false;
	if (!conform__program_query(run, p, &reason)) {
		conform__not_supported(run, "query says NO (reason %u)", reason);
		return false;
	}
	return conform__program_compile(run, p);
}

static void runs_are_equal(conform_run *run, const conform_case *self)
{
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	if (!make(run, self->param, &spec, outputs, &p)) return;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	const uint64_t length = tensor_bytes(&outputs[0]);
	void *first = calloc(1, length + 8), *again = calloc(1, length + 8);
	if (!conform__program_execute(run, queue, &p, &first)) return;
	for (int64_t i = 1; i < self->number; i++) {
		if (!conform__program_execute(run, queue, &p, &again)) return;
		REQUIRE(run, memcmp(first, again, length) == 0, "run %lld differs from the first", (long long)i);
	}
	conform__program_finish(run, &p);
}

/* Other inputs in between must leave no trace: a stale buffer or accumulator shows. */
static void history_does_not_matter(conform_run *run, const conform_case *self)
{
	op_spec spec, other;
	tensor outputs[TENSOR_OUTPUTS] = {{0}}, other_outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	const subject *s = self->param;
	if (!make(run, s, &spec, outputs, &p) || !op_spec_read(&other, s->op, s->inputs, s->attrs)) return;
	conform__program_fill(run, &other, LARGE);
	oracle_run(&other, other_outputs);
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	const uint64_t length = tensor_bytes(&outputs[0]);
	void *first = calloc(1, length + 8), *between = calloc(1, length + 8), *again = calloc(1, length + 8);
	program with_other = p;
	for (uint32_t i = 0, live = 0; i < other.input_count; i++)
		if (other.inputs[i].present && !other.inputs[i].constant) with_other.inputs[live++] = &other.inputs[i];
	if (!conform__program_execute(run, queue, &p, &first) ||
	    !conform__program_execute(run, queue, &with_other, &between) ||
	    !conform__program_execute(run, queue, &p, &again))
		return;
	REQUIRE(run, memcmp(first, again, length) == 0, "after a run with other inputs the answer differs");
	REQUIRE(run, memcmp(first, between, length) != 0, "other inputs give the same answer");
	conform__program_finish(run, &p);
}

/* Two exes of one graph agree. */
static void compiles_are_equal(conform_run *run, const conform_case *self)
{
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	if (!make(run, self->param, &spec, outputs, &p)) return;
	program second = p;
	if (!conform__program_compile(run, &second)) return;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	const uint64_t length = tensor_bytes(&outputs[0]);
	void *a = calloc(1, length + 8), *b = calloc(1, length + 8);
	if (!conform__program_execute(run, queue, &p, &a) || !conform__program_execute(run, queue, &second, &b)) return;
	REQUIRE(run, memcmp(a, b, length) == 0, "two exes of one graph differ");
	run->table.exe_free(second.exe);
	conform__program_finish(run, &p);
}

void conform__check_determinism_list(conform_list *list)
{
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		conform_case item = {.info = {.group = "determinism", .rule = "P15", .level = HY_CONFORM_L1},
		                     .seconds = 60,
		                     .param = &subjects[i],
		                     .number = 10};
		item.check = runs_are_equal;
		conform__list_add(list, &item, "determinism.runs.%s", subjects[i].name);
		item.check = history_does_not_matter;
		conform__list_add(list, &item, "determinism.history.%s", subjects[i].name);
		item.check = compiles_are_equal;
		conform__list_add(list, &item, "determinism.exes.%s", subjects[i].name);
	}
}
