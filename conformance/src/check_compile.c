/* Group compile: query and compile tell the truth, in both directions, and programs keep to what they say. */
#include "program.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A program of one Relu, Conv or Add, as small subjects for the checks below. */
static bool make(conform_run *run, const char *op, const char *inputs, const char *attrs, op_spec *spec,
                 tensor *outputs, program *out)
{
	if (!op_spec_read(spec, op, inputs, attrs)) return false;
	conform__program_fill(run, spec, INTEGERS);
	const uint32_t count = oracle_run(spec, outputs);
	return count != 0 && conform__target_ready(run) && conform__program_graph(run, spec, count, outputs, out);
}

static bool ready(conform_run *run, program *p)
{
	uint32_t reason;
	if (!conform__program_query(run, p, &reason)) {
		conform__not_supported(run, "query says NO (reason %u)", reason);
		return false;
	}
	return conform__program_compile(run, p);
}

/* ---- lies ---- */

static void made_up_operator_is_refused(conform_run *run, const conform_case *self)
{
	static const char *const domains[] = {"", "no.such.domain", "halyard"};
	hy_error error = {.text = ""};
	hy_ir_graph *graph = NULL;
	const hy_ir_type type = {.dtype = HY_DTYPE_F32, .rank = 1, .dim = {8}};
	uint32_t in, out, node;
	hy_ir_graph_create("case", &graph, &error);
	hy_ir_build_input(graph, "x", &type, NULL, &in, &error);
	hy_ir_build_value(graph, "y", &type, &out, &error);
	const hy_ir_node_options options = {.domain = domains[self->number],
	                                    .type = self->number == 1 ? "Relu" : "NoSuchOperator",
	                                    .input_count = 1,
	                                    .inputs = &in,
	                                    .output_count = 1,
	                                    .outputs = &out};
	program p;
	if (hy_ir_build_node(graph, &options, &node, &error) != HY_OK ||
	    hy_ir_build_output(graph, out, &error) != HY_OK ||
	    !conform__program_take(run, graph, 0, NULL, 0, NULL, &p)) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "%s", error.text);
		return;
	}
	if (!conform__target_ready(run)) return;
	uint32_t reason;
	REQUIRE(run, !conform__program_query(run, &p, &reason), "query says YES to %s.%s", options.domain,
	        options.type);
	CONTINUE(run);
	REQUIRE(run, run->table.compile(run->device, p.blob.graph, NULL, 0, NULL, 0, &p.exe) != HY_OK,
	        "query says NO to %s.%s and compile is OK", options.domain, options.type);
	REQUIRE(run, run->host.last_text[0] != '\0', "the refusal has no error text");
	conform__program_finish(run, &p);
}

/* The same verdict for the same graph; a NO is meant: compile refuses it too, with a text. */
static void query_and_compile_agree(conform_run *run, const conform_case *self)
{
	static const struct {
		const char *op, *inputs, *attrs;
	} rows[] = {{"Relu", "f32[9]", ""},
	            {"Relu", "f64[9]", ""},
	            {"Relu", "f16[9]", ""},
	            {"Relu", "i64[9]", ""},
	            {"Conv", "f32[1,3,9,9] f32[4,3,3,3]", "kernel_shape=3,3"},
	            {"Conv", "f64[1,3,9,9] f64[4,3,3,3]", "kernel_shape=3,3"},
	            {"Conv", "f32[1,3,5,5,5,5] f32[4,3,2,2,2,2]", "kernel_shape=2,2,2,2"},
	            {"MatMul", "i8[3,4] i8[4,5]", ""},
	            {"MatMul", "f16[3,4] f16[4,5]", ""},
	            {"TopK", "f32[3,9] i64{2}", ""},
	            {"Resize", "f32[1,2,4,4] - f32{1,1,2,2}", "mode=linear"},
	            {"MaxPool", "f32[1,2,9]", "kernel_shape=3,"},
	            {"Add", "i8[4] i8[4]", ""},
	            {"Add", "f32[2,1,2,1,2,1,2] f32[1,2,1,2,1,2,1]", ""},
	            {"Transpose", "f32[2,2,2,2,2,2,2,2]", ""}};
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	const int64_t k = self->number;
	if (!op_spec_read(&spec, rows[k].op, rows[k].inputs, rows[k].attrs)) return;
	conform__program_fill(run, &spec, INTEGERS);
	/* 4-d convolution is beyond the oracle: its shape is enough here. */
	uint32_t count = spec.inputs[0].rank == 6 ? 0 : oracle_run(&spec, outputs);
	if (count == 0) {
		tensor_create(&outputs[0], HY_DTYPE_F32, 6, (const int64_t[]){1, 4, 4, 4, 4, 4});
		count = 1;
	}
	if (!conform__target_ready(run) || !conform__program_graph(run, &spec, count, outputs, &p)) return;
	uint32_t reason, again;
	const bool yes = conform__program_query(run, &p, &reason);
	CONTINUE(run);
	REQUIRE(run, yes == conform__program_query(run, &p, &again) && reason == again, "asked twice, query differs");
	if (yes) {
		if (!conform__program_compile(run, &p)) return;
		conform__program_finish(run, &p);
		return;
	}
	hy_exe *exe = NULL;
	const hy_status status = run->table.compile(run->device, p.blob.graph, p.blob.constants, p.blob.constant_count,
	                                            NULL, 0, &exe);
	REQUIRE(run, status != HY_OK, "query says NO (reason %u) and compile is OK", reason);
	REQUIRE(run, status == HY_UNSUPPORTED || status == HY_NO_MEMORY, "compile of what query refused answers %s",
	        hy_status_name(status));
	REQUIRE(run, exe == NULL, "compile failed and gave an exe");
}

/* Types that contradict each other: NO, or compile refuses. A program of them would read or write out of bounds. */
static void contradiction_is_refused(conform_run *run, const conform_case *self)
{
	static const struct {
		const char *op, *inputs, *attrs;
		hy_dtype dtype;
		uint32_t rank;
		int64_t dims[4];
	} rows[] = {
		{"MatMul", "f32[3,4] f32[5,6]", "", HY_DTYPE_F32, 2, {3, 6}},
		{"MatMul", "f32[3,4] f32[4,6]", "", HY_DTYPE_F32, 2, {3, 60}},
		{"Conv", "f32[1,3,8,8] f32[4,5,3,3]", "kernel_shape=3,3", HY_DTYPE_F32, 4, {1, 4, 6, 6}},
		{"Conv", "f32[1,3,8,8] f32[4,3,3,3]", "kernel_shape=3,3", HY_DTYPE_F32, 4, {1, 4, 8, 8}},
		{"Relu", "f32[16]", "", HY_DTYPE_F32, 1, {64}},
		{"Relu", "f32[16]", "", HY_DTYPE_I32, 1, {16}},
		{"Add", "f32[3] f32[4]", "", HY_DTYPE_F32, 1, {4}},
		{"Concat", "f32[2,3] f32[3,3]", "axis=1", HY_DTYPE_F32, 2, {2, 6}},
		{"Transpose", "f32[2,3]", "perm=0,0", HY_DTYPE_F32, 2, {2, 2}},
		{"Reshape", "f32[6] i64{4,4}", "", HY_DTYPE_F32, 2, {4, 4}},
		{"Softmax", "f32[3,4]", "axis=7", HY_DTYPE_F32, 2, {3, 4}},
		{"Gemm", "f32[3,4] f32[4,5] f32[7]", "", HY_DTYPE_F32, 2, {3, 5}},
	};
	const int64_t k = self->number;
	op_spec spec;
	tensor output;
	program p;
	uint32_t reason;
	if (!op_spec_read(&spec, rows[k].op, rows[k].inputs, rows[k].attrs)) return;
	tensor_create(&output, rows[k].dtype, rows[k].rank, rows[k].dims);
	if (!conform__target_ready(run) || !conform__program_graph(run, &spec, 1, &output, &p)) return;
	if (!conform__program_query(run, &p, &reason)) return;
	const hy_status status = run->table.compile(run->device, p.blob.graph, p.blob.constants, p.blob.constant_count,
	                                            NULL, 0, &p.exe);
	REQUIRE(run, status != HY_OK, "a graph whose types contradict each other (%s of %s, %s) is compiled",
	        rows[k].op, rows[k].inputs, rows[k].attrs);
	REQUIRE(run, run->host.last_text[0] != '\0', "the refusal has no error text");
}

static void unknown_compile_option_is_refused(conform_run *run, const conform_case *self)
{
	(void)self;
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	if (!make(run, "Relu", "f32[16]", "", &spec, outputs, &p) || !ready(run, &p)) return;
	const hy_option option = {.key = "no-such-option", .value = "1"};
	hy_exe *exe = NULL;
	const hy_status status = run->table.compile(run->device, p.blob.graph, NULL, 0, &option, 1, &exe);
	REQUIRE(run, status == HY_INVALID && exe == NULL, "compile with an unknown option answered %s",
	        hy_status_name(status));
	conform__program_finish(run, &p);
}

/* ---- exes ---- */

static void info_is_plausible(conform_run *run, const conform_case *self)
{
	(void)self;
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	if (!make(run, "Conv", "f32[1,16,8,8] f32[16,16,3,3]", "kernel_shape=3,3", &spec, outputs, &p) ||
	    !ready(run, &p))
		return;
	REQUIRE(run, p.info.size == sizeof(p.info), "exe_info filled %u bytes of %zu", p.info.size, sizeof(p.info));
	REQUIRE(run, p.info.launches >= 1, "an exe that computes starts 0 launches");
	REQUIRE(run, p.info.reference_launches <= p.info.launches, "%u of %u launches are reference",
	        p.info.reference_launches, p.info.launches);
	REQUIRE(run, p.info.workspace_bytes < 1ull << 32, "a workspace of %llu bytes for a small convolution",
	        (unsigned long long)p.info.workspace_bytes);
	hy_exe_info again = {.size = sizeof(again)};
	REQUIRE(run, run->table.exe_info(p.exe, &again) == HY_OK && again.workspace_bytes == p.info.workspace_bytes,
	        "asked twice, exe_info differs");
	conform__program_finish(run, &p);
}

static void info_of_size(conform_run *run, const conform_case *self)
{
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	uint8_t memory[sizeof(hy_exe_info) + 256];
	const uint32_t size = (uint32_t)self->number;
	if (!make(run, "Relu", "f32[16]", "", &spec, outputs, &p) || !ready(run, &p)) return;
	memset(memory, CONFORM_POISON, sizeof(memory));
	memcpy(memory, &size, sizeof(size));
	const hy_status status = run->table.exe_info(p.exe, (hy_exe_info *)(void *)memory);
	for (uint32_t i = size; i < sizeof(memory); i++)
		REQUIRE(run, memory[i] == CONFORM_POISON, "exe_info wrote byte %u of a struct of %u bytes", i, size);
	REQUIRE(run, status == HY_OK, "exe_info answered %s to a struct of %u bytes", hy_status_name(status), size);
	conform__program_finish(run, &p);
}

static void same_name_other_shape(conform_run *run, const conform_case *self)
{
	/* A cache that is not keyed by shape, attribute or constant gives the first program's answer for the second. */
	static const struct {
		const char *op, *first, *second, *first_attrs, *second_attrs;
	} rows[] = {{"Relu", "f32[8]", "f32[12]", "", ""},
	            {"Conv", "f32[1,2,6,6] f32[3,2,3,3]", "f32[1,2,8,8] f32[3,2,3,3]", "kernel_shape=3,3",
	             "kernel_shape=3,3"},
	            {"Conv", "f32[1,2,6,6] f32[3,2,3,3]", "f32[1,2,6,6] f32[3,2,3,3]", "kernel_shape=3,3 pads=1,1,1,1",
	             "kernel_shape=3,3 pads=0,0,2,2"},
	            {"Add", "f32[4] f32{1,2,3,4}", "f32[4] f32{5,6,7,8}", "", ""},
	            {"Softmax", "f32[4,4]", "f32[4,4]", "axis=0", "axis=1"},
	            {"Gemm", "f32[4,4] f32[4,4]", "f32[4,4] f32[4,4]", "transB=0", "transB=1"},
	            {"Reshape", "f32[12] i64{3,4}", "f32[12] i64{2,6}", "", ""}};
	const int64_t k = self->number;
	op_spec specs[2];
	tensor outputs[2][TENSOR_OUTPUTS] = {{{0}}};
	program p[2];
	for (int i = 0; i < 2; i++)
		if (!make(run, rows[k].op, i == 0 ? rows[k].first : rows[k].second,
		          i == 0 ? rows[k].first_attrs : rows[k].second_attrs, &specs[i], outputs[i], &p[i]) ||
		    !ready(run, &p[i]))
			return;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	for (int i = 0; i < 2; i++) {
		void *got = calloc(1, tensor_bytes(&outputs[i][0]) + 8);
		if (!conform__program_execute(run, queue, &p[i], &got)) return;
		if (!conform__compare_in(run, &outputs[i][0], got, TOLERANCE_NORM, "program %d", i)) return;
		free(got);
	}
	conform__program_finish(run, &p[0]);
	conform__program_finish(run, &p[1]);
}

static void many_programs_live_at_once(conform_run *run, const conform_case *self)
{
	enum { COUNT = 24 };
	(void)self;
	op_spec specs[COUNT];
	tensor outputs[COUNT][TENSOR_OUTPUTS] = {{{0}}};
	program p[COUNT];
	for (int i = 0; i < COUNT; i++) {
		char inputs[64];
		snprintf(inputs, sizeof(inputs), "f32[%d] f32[%d]", i + 1, i + 1);
		if (!make(run, i % 2 == 0 ? "Add" : "Mul", inputs, "", &specs[i], outputs[i], &p[i]) ||
		    !ready(run, &p[i]))
			return;
	}
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	for (int i = COUNT - 1; i >= 0; i--) {
		void *got = calloc(1, tensor_bytes(&outputs[i][0]) + 8);
		if (!conform__program_execute(run, queue, &p[i], &got)) return;
		if (!conform__compare_in(run, &outputs[i][0], got, TOLERANCE_EXACT, "program %d", i)) return;
		free(got);
		conform__program_finish(run, &p[i]);
	}
}

/* The constants are lent for the call only, unless the exe says that it borrows them. */
static void constants_are_lent(conform_run *run, const conform_case *self)
{
	const bool large = self->number != 0;
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	if (!op_spec_read(&spec, "Add", large ? "f32[4096] f32[4096]" : "f32[16] f32[16]", "")) return;
	conform__program_fill(run, &spec, INTEGERS);
	spec.inputs[1].constant = true;
	oracle_run(&spec, outputs);
	if (!conform__target_ready(run) || !conform__program_graph(run, &spec, 1, outputs, &p) || !ready(run, &p))
		return;
	if (!(p.info.flags & HY_EXE_BORROWS_CONSTANTS)) {
		for (uint32_t i = 0; i < p.blob.constant_count; i++)
			memset((void *)(uintptr_t)p.blob.constants[i].data, 0xee, p.blob.constants[i].length);
		memset(p.blob.graph, 0xee, p.blob.graph->total_bytes);
	}
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	void *got = calloc(1, tensor_bytes(&outputs[0]) + 8);
	if (!conform__program_execute(run, queue, &p, &got)) return;
	if (!conform__compare_in(run, &outputs[0], got, TOLERANCE_EXACT,
	                         "after compile the host changed its constants and graph"))
		return;
	free(got);
}

/* Compiling is no queue's affair: any thread, at any time (P5). */
typedef struct thread_work {
	conform_run *run;
	program program;
	hy_queue *queue;
	void *got;
} thread_work;

static void *compiling_main(void *payload)
{
	thread_work *w = payload;
	for (int i = 0; i < 8; i++) {
		if (!conform__program_compile(w->run, &w->program)) return NULL;
		if (!conform__program_execute(w->run, w->queue, &w->program, &w->got)) return NULL;
		if (i < 7) w->run->table.exe_free(w->program.exe);
	}
	return NULL;
}

static void threads_compile(conform_run *run, const conform_case *self)
{
	enum { MOST = 8 };
	op_spec specs[MOST];
	tensor outputs[MOST][TENSOR_OUTPUTS] = {{{0}}};
	thread_work work[MOST];
	pthread_t threads[MOST];
	if (!conform__target_ready(run)) return;
	if (run->info.flags & HY_DEVICE_ONE_THREAD) {
		conform__not_supported(run, "the device wants all calls from one thread");
		return;
	}
	for (int64_t i = 0; i < self->number; i++) {
		char inputs[64];
		uint32_t reason;
		work[i] = (thread_work){.run = run};
		snprintf(inputs, sizeof(inputs), "f32[%lld,9] f32[9,%lld]", (long long)i + 3, (long long)i + 5);
		if (!make(run, "MatMul", inputs, "", &specs[i], outputs[i], &work[i].program)) return;
		if (!conform__program_query(run, &work[i].program, &reason)) {
			conform__not_supported(run, "query says NO (reason %u)", reason);
			return;
		}
		work[i].queue = conform__queue_open(run);
		CONTINUE(run);
		work[i].got = calloc(1, tensor_bytes(&outputs[i][0]) + 8);
	}
	for (int64_t i = 0; i < self->number; i++)
		pthread_create(&threads[i], NULL, compiling_main, &work[i]);
	for (int64_t i = 0; i < self->number; i++)
		pthread_join(threads[i], NULL);
	for (int64_t i = 0; i < self->number && !conform__ended(run); i++) {
		if (!conform__compare_in(run, &outputs[i][0], work[i].got, TOLERANCE_EXACT, "thread %lld",
		                         (long long)i))
			return;
		conform__program_finish(run, &work[i].program);
	}
}

static void compile_and_free(conform_run *run, const conform_case *self)
{
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	program p;
	if (!make(run, "Relu", "f32[64]", "", &spec, outputs, &p) || !ready(run, &p)) return;
	for (int64_t i = 0; i < self->number; i++) {
		run->table.exe_free(p.exe);
		p.exe = NULL;
		if (!conform__program_compile(run, &p)) return;
	}
	conform__program_finish(run, &p);
}

void conform__check_compile_list(conform_list *list)
{
	conform_case item = {.info = {.group = "compile", .level = HY_CONFORM_L1}, .seconds = 60};
#define ADD(function, checked_rule, ...) \
	item.check = function;           \
	item.info.rule = checked_rule;   \
	conform__list_add(list, &item, __VA_ARGS__)
	static const char *const made_up[] = {"operator", "domain", "region_operator"};
	for (item.number = 0; item.number < 3; item.number++) {
		ADD(made_up_operator_is_refused, "P12", "compile.refuse.made_up_%s", made_up[item.number]);
	}
	for (item.number = 0; item.number < 15; item.number++) {
		ADD(query_and_compile_agree, "P12", "compile.truth.graph_%02lld", (long long)item.number);
	}
	ADD(unknown_compile_option_is_refused, "P16", "compile.option.unknown_refused");
	ADD(info_is_plausible, "P1", "compile.info.plausible");
	static const char *const keys[] = {"shape", "conv_shape", "pads", "constant", "axis", "trans", "target_shape"};
	for (item.number = 0; item.number < 7; item.number++) {
		ADD(same_name_other_shape, "P15", "compile.cache.other_%s", keys[item.number]);
	}
	ADD(many_programs_live_at_once, "P8", "compile.exe.24_live_at_once");
	item.number = 0;
	ADD(constants_are_lent, "P2", "compile.constants.small_lent");
	item.number = 1;
	ADD(constants_are_lent, "P2", "compile.constants.large_lent");
	item.number = 20;
	ADD(compile_and_free, "P2", "compile.exe.freed_and_made_again");

	item.info.since = "1.1";
	static const int64_t sizes[] = {8, 16, 24, sizeof(hy_exe_info) - 4, sizeof(hy_exe_info) + 64};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		item.number = sizes[i];
		ADD(info_of_size, "P1", "compile.info.size_%lld", (long long)item.number);
	}
	static const char *const contradictions[] = {
		"matmul_depths", "matmul_result", "conv_channels",     "conv_result",      "relu_result",  "relu_type",
		"add_unequal",   "concat_rows",   "transpose_twice_0", "reshape_too_many", "softmax_axis", "gemm_bias"};
	item.info.level = HY_CONFORM_L2;
	for (item.number = 0; item.number < 12; item.number++) {
		ADD(contradiction_is_refused, "P12", "compile.refuse.%s", contradictions[item.number]);
	}
	item.info.level = HY_CONFORM_L1;
	item.number = 8;
	ADD(threads_compile, "P5", "compile.threads.eight");
#undef ADD
}
