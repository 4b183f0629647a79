/* Tensors of the suite: every element as a double, whatever the type, with the size that rounding errors scale with. */
#ifndef HY_CONFORM_PRIVATE_TENSOR_H
#define HY_CONFORM_PRIVATE_TENSOR_H

#include <halyard/ir.h>

enum { TENSOR_INPUTS = 8, TENSOR_OUTPUTS = 8, TENSOR_ATTRS = 12 };

typedef struct tensor {
	hy_dtype dtype;
	uint32_t rank;
	int64_t dim[HY_MAX_RANK];
	int64_t count;
	double *value; /* exactly representable in dtype for inputs; unrounded for the oracle's outputs */
	double *magnitude; /* outputs: what an error bound is relative to (|r|, or the sum of |a*b|); NULL: |value| */
	int64_t terms; /* outputs: additions behind one element */
	uint32_t arithmetic; /* outputs: HY_EXE_COMPUTES_* and the like that the program declares */
	bool present, constant, filled; /* filled: run-time data that the line gives */
} tensor;

/* An operator's inputs and attributes, read from a line of operators.def. */
typedef struct op_spec {
	const char *op;
	uint32_t input_count, attr_count;
	tensor inputs[TENSOR_INPUTS];
	hy_ir_attr attrs[TENSOR_ATTRS];
	char names[TENSOR_ATTRS][32], texts[TENSOR_ATTRS][96];
	int64_t ints[TENSOR_ATTRS][16];
} op_spec;

bool tensor_create(tensor *out, hy_dtype dtype, uint32_t rank, const int64_t *dims);
void tensor_finish(tensor *t);
uint64_t tensor_bytes(const tensor *t);
/* To and from the element type's bytes; out has tensor_bytes. */
void tensor_pack(const tensor *t, void *out);
double tensor_unpack_at(hy_dtype dtype, const void *bytes, int64_t index);
/* The nearest value that dtype holds. */
double tensor_round(hy_dtype dtype, double value);
hy_ir_type tensor_type(const tensor *t);

/* inputs: "f32[2,3] i64{0,1} - bool[4]": [dims] is run-time data to be filled, [dims]=v is run-time
 * data of that value, {values} a constant of rank 1, (value) a
 * constant scalar, - an absent input. attrs: "axis=1 pads=1,1,1,1 mode=nearest alpha=0.5": a value with a point is a
 * float, with a trailing comma a list of one. False: the line is wrong. */
bool op_spec_read(op_spec *out, const char *op, const char *inputs, const char *attrs);
void op_spec_finish(op_spec *spec);

int64_t op_int(const op_spec *spec, const char *name, int64_t fallback);
double op_float(const op_spec *spec, const char *name, double fallback);
const char *op_text(const op_spec *spec, const char *name, const char *fallback);
/* The attribute's integers, or NULL. */
const int64_t *op_ints(const op_spec *spec, const char *name, uint32_t *out_count);

/* Computes spec's outputs in double; the caller finishes them. 0: the oracle does not know this operator. */
uint32_t oracle_run(const op_spec *spec, tensor *outputs);

/* By family; each answers 0 for operators of other families. */
uint32_t oracle_elementwise(const op_spec *spec, tensor *outputs);
uint32_t oracle_window(const op_spec *spec, tensor *outputs);
uint32_t oracle_linear(const op_spec *spec, tensor *outputs);
uint32_t oracle_reduce(const op_spec *spec, tensor *outputs);
uint32_t oracle_norm(const op_spec *spec, tensor *outputs);
uint32_t oracle_move(const op_spec *spec, tensor *outputs);
uint32_t oracle_index(const op_spec *spec, tensor *outputs);

/* Strides for walking: coordinates of a flat index, flat index of coordinates. */
void tensor_coordinates(const tensor *t, int64_t index, int64_t *out);
int64_t tensor_index(const tensor *t, const int64_t *coordinates);
/* An axis in 0..rank-1 from one that may be negative. */
uint32_t tensor_axis(int64_t axis, uint32_t rank);

#endif
