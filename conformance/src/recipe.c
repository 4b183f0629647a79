/* A recipe with its numbers: graph, inputs and, by the oracle, what must come out. */
#include "recipe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one fused node ---- */

typedef struct region {
	hy_ir_graph *body, *graph;
	tensor *inputs, result;
	uint32_t in[TENSOR_INPUTS], outer[TENSOR_INPUTS], input_count;
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

static void build(conform_run *run, region *r, const recipe *row)
{
	r->status = hy_ir_graph_create("region", &r->body, &r->error);
	if (r->status == HY_OK) r->status = hy_ir_graph_create("case", &r->graph, &r->error);
	add_input(run, r, row->inputs, row->data);
	const tensor *tensors[TENSOR_INPUTS];
	for (uint32_t i = 0; i < r->input_count; i++)
		tensors[i] = &r->inputs[i];
	if (row->anchor != NULL) {
		add_step(r, row->anchor, row->attrs, r->input_count, r->in, tensors);
	} else {
		tensor_create(&r->result, r->inputs[0].dtype, r->inputs[0].rank, r->inputs[0].dim);
		memcpy(r->result.value, r->inputs[0].value, (size_t)r->inputs[0].count * sizeof(double));
		r->value = r->in[0];
	}
	for (int k = 0; k < RECIPE_STEPS && row->steps[k][0] != NULL; k++) {
		if (row->steps[k][1] != NULL) add_input(run, r, row->steps[k][1], row->data);
		const uint32_t other = r->input_count - 1;
		const tensor before = r->result;
		add_step(r, row->steps[k][0], strcmp(row->steps[k][0], "LeakyRelu") == 0 ? "alpha=0.1" : "",
		         row->steps[k][1] != NULL ? 2 : 1, (const uint32_t[]){r->value, r->in[other]},
		         (const tensor *const[]){&before, &r->inputs[other]});
	}
	if (r->status == HY_OK) r->status = hy_ir_build_output(r->body, r->value, &r->error);
}

static bool make_region(conform_run *run, const recipe *self, recipe_made *out)
{
	region r = {.inputs = out->spec.inputs};
	build(run, &r, self);
	uint32_t value, node;
	const hy_ir_type type = tensor_type(&r.result);
	if (r.status == HY_OK) r.status = hy_ir_build_value(r.graph, "out", &type, &value, &r.error);
	const hy_ir_node_options options = {.domain = HY_IR_DOMAIN,
	                                    .type = HY_IR_REGION,
	                                    .name = self->name,
	                                    .input_count = r.input_count,
	                                    .inputs = r.outer,
	                                    .output_count = 1,
	                                    .outputs = &value,
	                                    .take_body = r.body};
	if (r.status == HY_OK) r.status = hy_ir_build_node(r.graph, &options, &node, &r.error);
	if (r.status == HY_OK) r.status = hy_ir_build_output(r.graph, value, &r.error);
	out->spec.input_count = r.input_count;
	out->outputs[0] = r.result;
	out->output_count = 1;
	/* A plugin may refuse any fused form: the host takes it apart. It may not accept one and be wrong. */
	out->optional = true;
	if (r.status != HY_OK) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "%s", r.error.text);
		return false;
	}
	const tensor *live[TENSOR_INPUTS];
	uint32_t count = 0;
	for (uint32_t i = 0; i < r.input_count; i++)
		if (!r.inputs[i].constant) live[count++] = &r.inputs[i];
	return conform__program_take(run, r.graph, count, live, 1, out->outputs, &out->program);
}

/* ---- one operator ---- */

static bool make_operator(conform_run *run, const recipe *self, recipe_made *out)
{
	op_spec *spec = &out->spec;
	if (!op_spec_read(spec, self->anchor, self->inputs, self->attrs)) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "the case's line is wrong");
		return false;
	}
	conform__program_fill(run, spec, self->data);
	out->output_count = oracle_run(spec, out->outputs);
	if (out->output_count == 0) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "the oracle has no %s", self->anchor);
		return false;
	}
	/* Types beyond f32 and the integers of shapes are a plugin's choice. */
	const hy_dtype dtype = spec->inputs[0].present ? spec->inputs[0].dtype : HY_DTYPE_F32;
	out->optional = dtype == HY_DTYPE_F16 || dtype == HY_DTYPE_F64 || dtype == HY_DTYPE_I8 ||
	                out->outputs[0].dtype == HY_DTYPE_F16 || out->outputs[0].dtype == HY_DTYPE_F64;
	return conform__program_graph(run, spec, out->output_count, out->outputs, &out->program);
}

bool conform__recipe_make(conform_run *run, const recipe *self, recipe_made *out)
{
	*out = (recipe_made){0};
	return self->name == NULL ? make_operator(run, self, out) : make_region(run, self, out);
}

void conform__recipe_finish(conform_run *run, recipe_made *made)
{
	conform__program_finish(run, &made->program);
	for (uint32_t i = 0; i < made->output_count; i++)
		tensor_finish(&made->outputs[i]);
	op_spec_finish(&made->spec);
}

void conform__recipe_judge(conform_run *run, const recipe *self, recipe_made *made)
{
	if (!conform__target_ready(run)) return;
	conform__program_judge(run, &made->program, self->tolerance, made->optional);
	conform__recipe_finish(run, made);
}

void conform__recipe_check(conform_run *run, const conform_case *self)
{
	const recipe *row = self->param;
	const char *fault = conform__compare_self_test();
	if (fault != NULL) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "%s", fault);
		return;
	}
	static recipe_made made; /* tens of KiB */
	if (conform__recipe_make(run, row, &made)) conform__recipe_judge(run, row, &made);
}
