/* What an operator or region case is made of: an operator, texts of shapes and attributes, and a kind of data. A row of
 * operators.def or of check_region.c is one; --minimise makes smaller ones. */
#ifndef HY_CONFORM_PRIVATE_RECIPE_H
#define HY_CONFORM_PRIVATE_RECIPE_H

#include "program.h"

enum { RECIPE_STEPS = 5 };

typedef struct recipe {
	const char *name; /* of one fused Region whose body is the chain; NULL: one node of ONNX's, and no steps */
	const char *anchor; /* the operator; NULL: inputs[0] itself begins the chain */
	const char *inputs, *attrs; /* see op_spec_read */
	/* Elementwise operators after it. The second text, "f32[...]", is one more run-time input. */
	const char *steps[RECIPE_STEPS][2];
	tolerance_id tolerance;
	data_kind data;
} recipe;

/* A recipe with its numbers: what the plugin is given and what it must answer. */
typedef struct recipe_made {
	program program; /* lends the tensors below */
	op_spec spec; /* its inputs are all of them, also a chain's */
	tensor outputs[TENSOR_OUTPUTS];
	uint32_t output_count;
	bool optional; /* NO is an answer */
} recipe_made;

/* Needs no plugin. False ends the case HARNESS_ERROR. The caller finishes what was made. */
bool conform__recipe_make(conform_run *run, const recipe *self, recipe_made *out);
void conform__recipe_finish(conform_run *run, recipe_made *made);
/* Runs it on the plugin, and finishes it unless the case has failed: that is left to the worker's end. */
void conform__recipe_judge(conform_run *run, const recipe *self, recipe_made *made);

/* The check of every case whose param is a recipe. */
void conform__recipe_check(conform_run *run, const conform_case *self);

#endif
