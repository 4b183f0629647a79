/* Group region: fused nodes against what their bodies mean. */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A chain: an anchor (or nothing) and elementwise operators after it. Each step is "Op" or "Op other", where other is
 * a new run-time input of that shape, given as "f32[...]". */
typedef struct region_row {
	const char *name, *anchor, *inputs, *attrs;
	const char *steps[5][2];
	tolerance_id tolerance;
	data_kind data;
} region_row;

static const region_row rows[] = {
	{"conv_relu",
         "Conv",
         "f32[1,8,7,7] f32[16,8,3,3] f32[16]",
         "kernel_shape=3,3 pads=1,1,1,1",
         {{"Relu"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"conv_add_relu",
         "Conv",
         "f32[1,16,6,6] f32[16,16,1,1]",
         "kernel_shape=1,1",
         {{"Add", "f32[1,16,6,6]"}, {"Relu"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"conv_add_row_relu",
         "Conv",
         "f32[2,5,6,7] f32[9,5,3,3]",
         "kernel_shape=3,3 pads=1,1,1,1",
         {{"Add", "f32[7]"}, {"Relu"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"conv_mul_channel_add_channel",
         "Conv",
         "f32[1,8,5,5] f32[24,8,1,1]",
         "kernel_shape=1,1",
         {{"Mul", "f32[24,1,1]"}, {"Add", "f32[24,1,1]"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"conv_sigmoid_mul",
         "Conv",
         "f32[1,8,5,5] f32[16,8,1,1]",
         "kernel_shape=1,1",
         {{"Sigmoid"}, {"Mul", "f32[1,16,5,5]"}},
         TOLERANCE_NORM,
         NORMAL},
	{"conv_leaky",
         "Conv",
         "f32[1,3,9,9] f32[16,3,3,3] f32[16]",
         "kernel_shape=3,3 strides=2,2",
         {{"LeakyRelu"}},
         TOLERANCE_SUM,
         NORMAL},
	{"conv_tanh", "Conv", "f32[1,3,9,9] f32[5,3,3,3]", "kernel_shape=3,3", {{"Tanh"}}, TOLERANCE_NORM, UNIT},
	{"depthwise_relu",
         "Conv",
         "f32[1,24,8,8] f32[24,1,3,3]",
         "kernel_shape=3,3 group=24 pads=1,1,1,1",
         {{"Relu"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"grouped_add_relu",
         "Conv",
         "f32[1,12,6,6] f32[12,4,3,3]",
         "kernel_shape=3,3 group=3 pads=1,1,1,1",
         {{"Add", "f32[1,12,6,6]"}, {"Relu"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"gemm_relu", "Gemm", "f32[4,33] f32[33,20] f32[20]", "", {{"Relu"}}, TOLERANCE_EXACT, INTEGERS},
	{"gemm_add_relu",
         "Gemm",
         "f32[1,64] f32[30,64]",
         "transB=1",
         {{"Add", "f32[30]"}, {"Relu"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"matmul_add", "MatMul", "f32[2,9,16] f32[16,24]", "", {{"Add", "f32[24]"}}, TOLERANCE_EXACT, INTEGERS},
	{"matmul_add_gelu", "MatMul", "f32[6,16] f32[16,24]", "", {{"Add", "f32[24]"}, {"Gelu"}}, TOLERANCE_NORM, UNIT},
	{"matmul_add_add",
         "MatMul",
         "f32[7,16] f32[16,8]",
         "",
         {{"Add", "f32[8]"}, {"Add", "f32[7,8]"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"max_pool_relu",
         "MaxPool",
         "f32[1,5,8,8]",
         "kernel_shape=2,2 strides=2,2",
         {{"Relu"}},
         TOLERANCE_EXACT,
         NORMAL},
	{"average_pool_add",
         "AveragePool",
         "f32[1,5,8,8]",
         "kernel_shape=2,2 strides=2,2",
         {{"Add", "f32[1,5,4,4]"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"global_pool_sigmoid", "GlobalAveragePool", "f32[1,16,4,4]", "", {{"Sigmoid"}}, TOLERANCE_NORM, UNIT},
	{"reduce_sqrt",
         "ReduceMean",
         "f32[5,16] i64{1}",
         "",
         {{"Add", "f32[5,1]"}, {"Sqrt"}},
         TOLERANCE_NORM,
         POSITIVE},
	{"add_relu", NULL, "f32[3,33]", "", {{"Add", "f32[3,33]"}, {"Relu"}}, TOLERANCE_EXACT, INTEGERS},
	{"mul_add_channel",
         NULL,
         "f32[1,16,5,5]",
         "",
         {{"Mul", "f32[16,1,1]"}, {"Add", "f32[16,1,1]"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"mul_add_relu_scalar",
         NULL,
         "f32[2,3,5]",
         "",
         {{"Mul", "f32[]"}, {"Add", "f32[1]"}, {"Relu"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"five_steps",
         NULL,
         "f32[4,50]",
         "",
         {{"Add", "f32[50]"}, {"Mul", "f32[4,1]"}, {"Abs"}, {"Sub", "f32[4,50]"}, {"Neg"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"exp_add_log", NULL, "f32[257]", "", {{"Exp"}, {"Add", "f32[]"}, {"Abs"}, {"Log"}}, TOLERANCE_NORM, POSITIVE},
	{"grows_by_broadcast", NULL, "f32[5,1]", "", {{"Add", "f32[1,7]"}, {"Relu"}}, TOLERANCE_EXACT, INTEGERS},
	{"large",
         NULL,
         "f32[70001]",
         "",
         {{"Mul", "f32[70001]"}, {"Add", "f32[]"}, {"Relu"}},
         TOLERANCE_EXACT,
         INTEGERS},
	{"div_sub", NULL, "f32[9,9]", "", {{"Div", "f32[9,1]"}, {"Sub", "f32[9]"}}, TOLERANCE_SUM, POSITIVE},
	{"max_min", NULL, "f32[40]", "", {{"Max", "f32[]"}, {"Min", "f32[40]"}}, TOLERANCE_EXACT, NORMAL},
	{"tanh_mul", NULL, "f32[130]", "", {{"Tanh"}, {"Mul", "f32[130]"}}, TOLERANCE_NORM, UNIT},
	{"sigmoid_mul_four_dims", NULL, "f32[2,3,4,5]", "", {{"Sigmoid"}, {"Mul", "f32[3,1,1]"}}, TOLERANCE_NORM, UNIT},
	{"neg_abs_sqrt", NULL, "f32[65]", "", {{"Neg"}, {"Abs"}, {"Sqrt"}}, TOLERANCE_ROOT, NORMAL},
};

enum { INPUTS = 8 };

typedef struct region {
	hy_ir_graph *body, *graph;
	tensor inputs[INPUTS], result;
	uint32_t in[INPUTS], outer[INPUTS], input_count;
	uint32_t value; /* the last value of the body */
	hy_status status;
	hy_error error;
} region;

static void add_input(conform_run *run, region *r, const char *text, data_kind data)
{
	op_spec spec;
	if (!op_spec_read(&spec, "", text, "")) return;
	conform__program_fill(run, &spec, data);
	for (uint32_t i = 0; i < spec.input_count && r->status == HY_OK; i++) {
		const hy_ir_type type = tensor_type(&spec.inputs[i]);
		char name[16];
		snprintf(name, sizeof(name), "in%u", r->input_count);
		r->inputs[r->input_count] = spec.inputs[i];
		r->status = hy_ir_build_input(r->body, name, &type, NULL, &r->in[r->input_count], &r->error);
		if (r->status != HY_OK) return;
		if (spec.inputs[i].constant) { /* small integers: a constant outside, an input inside */
			void *bytes = malloc(tensor_bytes(&spec.inputs[i]) + 8);
			tensor_pack(&spec.inputs[i], bytes);
			r->status = hy_ir_build_constant(r->graph, name, &type, bytes, &r->outer[r->input_count],
			                                 &r->error);
			free(bytes);
		} else {
			r->status = hy_ir_build_input(r->graph, name, &type, NULL, &r->outer[r->input_count],
			                              &r->error);
		}
		r->input_count++;
	}
}

/* One node of the body, computed by the oracle on the side. */
static void add_step(region *r, const char *op, const char *attrs, uint32_t count, const uint32_t *values,
                     const tensor *const *tensors)
{
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	if (r->status != HY_OK || !op_spec_read(&spec, op, "", attrs)) return;
	spec.input_count = count;
	for (uint32_t i = 0; i < count; i++)
		spec.inputs[i] = *tensors[i];
	if (oracle_run(&spec, outputs) == 0) {
		r->status = hy_error_set(&r->error, HY_INTERNAL, "the oracle has no %s", op);
		return;
	}
	const hy_ir_type type = tensor_type(&outputs[0]);
	uint32_t out, node;
	r->status = hy_ir_build_value(r->body, op, &type, &out, &r->error);
	const hy_ir_node_options options = {.type = op,
	                                    .input_count = count,
	                                    .inputs = values,
	                                    .output_count = 1,
	                                    .outputs = &out,
	                                    .attr_count = spec.attr_count,
	                                    .attrs = spec.attrs};
	if (r->status == HY_OK) r->status = hy_ir_build_node(r->body, &options, &node, &r->error);
	/* What an error was relative to stays relevant after a subtraction: the larger magnitude is kept. */
	if (r->result.count == outputs[0].count) {
		if (outputs[0].magnitude == NULL)
			outputs[0].magnitude = calloc((size_t)outputs[0].count + 1, sizeof(double));
		for (int64_t i = 0; i < outputs[0].count; i++) {
			const double before = r->result.magnitude != NULL ? r->result.magnitude[i]
			                                                  : fabs(r->result.value[i]);
			outputs[0].magnitude[i] = fmax(fmax(outputs[0].magnitude[i], fabs(outputs[0].value[i])),
			                               before);
		}
		if (r->result.terms > outputs[0].terms) outputs[0].terms = r->result.terms;
	}
	tensor_finish(&r->result);
	r->result = outputs[0];
	r->value = out;
}

static void build(conform_run *run, region *r, const region_row *row)
{
	r->status = hy_ir_graph_create("region", &r->body, &r->error);
	if (r->status == HY_OK) r->status = hy_ir_graph_create("case", &r->graph, &r->error);
	add_input(run, r, row->inputs, row->data);
	const tensor *tensors[INPUTS];
	for (uint32_t i = 0; i < r->input_count; i++)
		tensors[i] = &r->inputs[i];
	if (row->anchor != NULL) {
		add_step(r, row->anchor, row->attrs, r->input_count, r->in, tensors);
	} else {
		tensor_create(&r->result, r->inputs[0].dtype, r->inputs[0].rank, r->inputs[0].dim);
		memcpy(r->result.value, r->inputs[0].value, (size_t)r->inputs[0].count * sizeof(double));
		r->value = r->in[0];
	}
	for (int k = 0; k < 5 && row->steps[k][0] != NULL; k++) {
		if (row->steps[k][1] != NULL) add_input(run, r, row->steps[k][1], row->data);
		const uint32_t other = r->input_count - 1;
		const tensor before = r->result;
		add_step(r, row->steps[k][0], strcmp(row->steps[k][0], "LeakyRelu") == 0 ? "alpha=0.1" : "",
		         row->steps[k][1] != NULL ? 2 : 1, (const uint32_t[]){r->value, r->in[other]},
		         (const tensor *const[]){&before, &r->inputs[other]});
	}
	if (r->status == HY_OK) r->status = hy_ir_build_output(r->body, r->value, &r->error);
}

static void region_means_its_body(conform_run *run, const conform_case *self)
{
	const region_row *row = self->param;
	static region r;
	r = (region){0};
	build(run, &r, row);
	uint32_t out, node;
	const hy_ir_type type = tensor_type(&r.result);
	if (r.status == HY_OK) r.status = hy_ir_build_value(r.graph, "out", &type, &out, &r.error);
	const hy_ir_node_options options = {.domain = HY_IR_DOMAIN,
	                                    .type = HY_IR_REGION,
	                                    .name = row->name,
	                                    .input_count = r.input_count,
	                                    .inputs = r.outer,
	                                    .output_count = 1,
	                                    .outputs = &out,
	                                    .take_body = r.body};
	if (r.status == HY_OK) r.status = hy_ir_build_node(r.graph, &options, &node, &r.error);
	if (r.status == HY_OK) r.status = hy_ir_build_output(r.graph, out, &r.error);
	if (r.status != HY_OK) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "%s", r.error.text);
		return;
	}
	const tensor *live[INPUTS];
	uint32_t count = 0;
	for (uint32_t i = 0; i < r.input_count; i++)
		if (!r.inputs[i].constant) live[count++] = &r.inputs[i];
	program p;
	if (!conform__target_ready(run) || !conform__program_take(run, r.graph, count, live, 1, &r.result, &p)) return;
	/* A plugin may refuse any fused form: the host takes it apart. It may not accept one and be wrong. */
	conform__program_judge(run, &p, row->tolerance, true);
	conform__program_finish(run, &p);
}

void conform__check_region_list(conform_list *list)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const conform_case like = {.info = {.group = "region", .rule = "P12", .level = HY_CONFORM_L2},
		                           .seconds = 60,
		                           .check = region_means_its_body,
		                           .param = &rows[i]};
		conform__list_add(list, &like, "region.%s.%s", rows[i].anchor != NULL ? "anchor" : "elementwise",
		                  rows[i].name);
	}
}
