/* Group operator: each line of operators.def is a case. */
#include "program.h"

#include <stdio.h>
#include <string.h>

typedef struct operator_row {
	const char *op, *inputs, *attrs;
	data_kind data;
	tolerance_id tolerance;
} operator_row;

static void operator_holds(conform_run *run, const conform_case *self)
{
	const operator_row *row = self->param;
	op_spec spec;
	tensor outputs[TENSOR_OUTPUTS] = {{0}};
	const char *fault = conform__compare_self_test();
	if (fault != NULL || !op_spec_read(&spec, row->op, row->inputs, row->attrs)) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "%s", fault != NULL ? fault : "the case's line is wrong");
		return;
	}
	conform__program_fill(run, &spec, row->data);
	const uint32_t count = oracle_run(&spec, outputs);
	if (count == 0) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "the oracle has no %s", row->op);
		return;
	}
	if (!conform__target_ready(run)) return;
	program p;
	/* Types beyond f32 and the integers of shapes are a plugin's choice. */
	const hy_dtype dtype = spec.inputs[0].present ? spec.inputs[0].dtype : HY_DTYPE_F32;
	const bool optional = dtype == HY_DTYPE_F16 || dtype == HY_DTYPE_F64 || dtype == HY_DTYPE_I8 ||
	                      outputs[0].dtype == HY_DTYPE_F16 || outputs[0].dtype == HY_DTYPE_F64;
	if (conform__program_graph(run, &spec, count, outputs, &p)) {
		conform__program_judge(run, &p, row->tolerance, optional);
		conform__program_finish(run, &p);
	}
	for (uint32_t i = 0; i < count; i++)
		tensor_finish(&outputs[i]);
	op_spec_finish(&spec);
}

/* The type of the first input that is there, by the line's text; f32 for operators without inputs. */
static const char *dtype_of(const operator_row *row)
{
	char name[8] = "";
	sscanf(row->inputs + strspn(row->inputs, "- "), "%7[a-z0-9]", name);
	const hy_dtype dtype = hy_dtype_from_name(name);
	return hy_dtype_name(dtype == HY_DTYPE_NONE ? HY_DTYPE_F32 : dtype);
}

void conform__check_operator_list(conform_list *list)
{
	static const struct {
		const char *name;
		operator_row row;
		int level;
	} rows[] = {
#define CASE(required, operator, id, in, attributes, kind, bound)                                                   \
	{.name = #operator"." #id,                                                                                  \
	 .row = {.op = #operator, .inputs = in, .attrs = attributes, .data = kind, .tolerance = TOLERANCE_##bound}, \
	 .level = required},
#include "operators.def"
#undef CASE
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const conform_case like = {.info = {.group = "operator",
		                                    .rule = "P14",
		                                    .level = (hy_conform_level)rows[i].level,
		                                    .op = rows[i].row.op,
		                                    .dtype = dtype_of(&rows[i].row)},
		                           .seconds = 60,
		                           .check = operator_holds,
		                           .param = &rows[i].row};
		const char *suffix = strstr(rows[i].row.attrs, "approximate=tanh") != NULL ? "_by_tanh" : "";
		conform__list_add(list, &like, "operator.%s%s", rows[i].name, suffix);
	}
}
