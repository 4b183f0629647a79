/* A recipe that can be changed. */
#include "variant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool put(char *target, size_t room, const char *text)
{
	return snprintf(target, room, "%s", text == NULL ? "" : text) < (int)room;
}

bool conform__variant_take(const recipe *source, variant *out)
{
	*out = (variant){.data = source->data};
	bool fits = put(out->texts[VARIANT_INPUTS], VARIANT_TEXT, source->inputs) &&
	            put(out->texts[VARIANT_ATTRS], VARIANT_TEXT, source->attrs) &&
	            put(out->anchor, sizeof(out->anchor), source->anchor);
	for (int i = 0; i < RECIPE_STEPS; i++)
		fits = fits && put(out->steps[i], sizeof(out->steps[i]), source->steps[i][0]) &&
		       put(out->texts[VARIANT_STEPS + i], VARIANT_TEXT, source->steps[i][1]);
	return fits;
}

recipe conform__variant_recipe(const variant *self, const recipe *like)
{
	recipe out = {.name = like->name,
	              .anchor = self->anchor[0] != '\0' ? self->anchor : NULL,
	              .inputs = self->texts[VARIANT_INPUTS],
	              .attrs = self->texts[VARIANT_ATTRS],
	              .tolerance = like->tolerance,
	              .data = self->data};
	for (int i = 0; i < RECIPE_STEPS && self->steps[i][0] != '\0'; i++) {
		out.steps[i][0] = self->steps[i];
		if (self->texts[VARIANT_STEPS + i][0] != '\0') out.steps[i][1] = self->texts[VARIANT_STEPS + i];
	}
	return out;
}

void conform__variant_print(const variant *self, char *line)
{
	int length = snprintf(line, VARIANT_LINE, "%d\t%s", (int)self->data, self->anchor);
	for (int i = 0; i < RECIPE_STEPS; i++)
		length += snprintf(line + length, (size_t)(VARIANT_LINE - length), "\t%s", self->steps[i]);
	for (int i = 0; i < VARIANT_TEXTS; i++)
		length += snprintf(line + length, (size_t)(VARIANT_LINE - length), "\t%s", self->texts[i]);
}

bool conform__variant_read(char *line, variant *out)
{
	*out = (variant){0};
	char *field = strsep(&line, "\t");
	out->data = (data_kind)atoi(field);
	field = strsep(&line, "\t");
	if (field == NULL || !put(out->anchor, sizeof(out->anchor), field)) return false;
	for (int i = 0; i < RECIPE_STEPS; i++) {
		field = strsep(&line, "\t");
		if (field == NULL || !put(out->steps[i], sizeof(out->steps[i]), field)) return false;
	}
	for (int i = 0; i < VARIANT_TEXTS; i++) {
		field = strsep(&line, "\t");
		if (field == NULL || !put(out->texts[i], VARIANT_TEXT, field)) return false;
	}
	return out->data <= DENORMAL;
}

/* ---- the check ---- */

static void compare_references(conform_run *run, const recipe_made *made, tolerance_id tolerance)
{
	const program *p = &made->program;
	hy_error error = {.text = ""};
	hy_ir_tensor inputs[TENSOR_INPUTS] = {0}, outputs[TENSOR_OUTPUTS] = {0};
	for (uint32_t i = 0; i < p->input_count; i++) {
		inputs[i] = (hy_ir_tensor){tensor_type(p->inputs[i]), calloc(1, tensor_bytes(p->inputs[i]) + 8)};
		if (inputs[i].data != NULL) tensor_pack(p->inputs[i], inputs[i].data);
	}
	const hy_status status = hy_ir_eval_graph(p->graph, inputs, outputs, &error);
	bool same = status == HY_OK;
	for (uint32_t i = 0; i < made->output_count && same; i++) {
		const hy_ir_type type = tensor_type(&made->outputs[i]);
		hy_conform_difference difference;
		same = memcmp(&type, &outputs[i].type, sizeof(type)) == 0 &&
		       conform__compare(&made->outputs[i], outputs[i].data, tolerance, &difference);
	}
	if (!same) conform__end(run, HY_CONFORM_HARNESS_ERROR, "oracle and evaluator differ %s", error.text);
	if (status == HY_OK) hy_ir_eval_release(made->output_count, outputs);
	hy_ir_eval_release(p->input_count, inputs);
}

void conform__variant_check(conform_run *run, const conform_case *self)
{
	static recipe_made made;
	const recipe *row = self->param;
	if (!conform__recipe_make(run, row, &made)) return;
	compare_references(run, &made, row->tolerance);
	CONTINUE(run);
	conform__recipe_judge(run, row, &made);
}

/* ---- legality ---- */

typedef struct chain {
	hy_ir_graph *graph;
	hy_status status;
	hy_error error;
} chain;

/* Adds the inputs of spec to the graph, their numbers to out_values. */
static void add_inputs(chain *c, const op_spec *spec, uint32_t *out_values)
{
	for (uint32_t i = 0; i < spec->input_count && c->status == HY_OK; i++) {
		const tensor *t = &spec->inputs[i];
		const hy_ir_type type = tensor_type(t);
		out_values[i] = HY_IR_NONE;
		if (!t->present) continue;
		if (!t->constant) {
			c->status = hy_ir_build_input(c->graph, "in", &type, NULL, &out_values[i], &c->error);
			continue;
		}
		void *bytes = malloc(tensor_bytes(t) + 8);
		tensor_pack(t, bytes);
		c->status = hy_ir_build_constant(c->graph, "in", &type, bytes, &out_values[i], &c->error);
		free(bytes);
	}
}

static void add_node(chain *c, const op_spec *spec, uint32_t input_count, const uint32_t *inputs, uint32_t outputs,
                     uint32_t *out_value)
{
	uint32_t values[TENSOR_OUTPUTS], node;
	for (uint32_t i = 0; i < outputs && c->status == HY_OK; i++)
		c->status = hy_ir_build_value(c->graph, "out", NULL, &values[i], &c->error);
	const hy_ir_node_options options = {.type = spec->op,
	                                    .input_count = input_count,
	                                    .inputs = inputs,
	                                    .output_count = outputs,
	                                    .outputs = values,
	                                    .attr_count = spec->attr_count,
	                                    .attrs = spec->attrs};
	if (c->status == HY_OK) c->status = hy_ir_build_node(c->graph, &options, &node, &c->error);
	*out_value = values[0];
}

static bool is_static(const hy_ir_graph *graph)
{
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++) {
		const hy_ir_type *type = &hy_ir_graph_value(graph, i)->type;
		if (type->dtype == HY_DTYPE_NONE || type->rank > HY_MAX_RANK) return false;
		for (uint32_t k = 0; k < type->rank; k++)
			if (type->dim[k] < 0) return false;
	}
	return true;
}

bool conform__variant_is_legal(const variant *self, uint32_t outputs)
{
	chain c = {0};
	op_spec spec = {0};
	uint32_t values[TENSOR_INPUTS + 1], last;
	c.status = hy_ir_graph_create("variant", &c.graph, &c.error);
	bool legal = op_spec_read(&spec, self->anchor, self->texts[VARIANT_INPUTS], self->texts[VARIANT_ATTRS]);
	if (!legal) goto done;
	add_inputs(&c, &spec, values);
	last = values[0];
	if (self->anchor[0] != '\0') add_node(&c, &spec, spec.input_count, values, outputs, &last);
	for (int i = 0; i < RECIPE_STEPS && self->steps[i][0] != '\0' && legal && c.status == HY_OK; i++) {
		op_spec step;
		values[0] = last;
		legal = op_spec_read(&step, self->steps[i], self->texts[VARIANT_STEPS + i], "");
		if (legal) add_inputs(&c, &step, values + 1);
		if (legal) add_node(&c, &step, 1 + step.input_count, values, 1, &last);
		op_spec_finish(&step);
	}
	if (c.status == HY_OK && legal) c.status = hy_ir_build_output(c.graph, last, &c.error);
	if (c.status == HY_OK && legal) c.status = hy_ir_infer_graph(c.graph, &c.error);
	legal = legal && c.status == HY_OK && is_static(c.graph);
done:
	op_spec_finish(&spec);
	hy_ir_graph_destroy(c.graph);
	return legal;
}
