/* One node with literal inputs, outputs and attributes, for tests of inference and evaluation:
 *   expect_node("Add", INPUTS(F32(DIMS(2), 1, 2), F32(SCALAR, 3)), NO_ATTRS, OUTPUTS(F32(DIMS(2), 4, 5))); */
#ifndef HY_TEST_ONE_NODE_H
#define HY_TEST_ONE_NODE_H

#include "test.h"

#include <halyard/ir/build.h>
#include <halyard/ir/eval.h>
#include <halyard/ir/infer.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCALAR .rank = 0
#define DIMS(...) .rank = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), .dim = {__VA_ARGS__}
#define F32(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_F32, shape}, .data = (float[]){__VA_ARGS__}})
#define F64(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_F64, shape}, .data = (double[]){__VA_ARGS__}})
#define F16(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_F16, shape}, .data = (uint16_t[]){__VA_ARGS__}})
#define BF16(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_BF16, shape}, .data = (uint16_t[]){__VA_ARGS__}})
#define I8(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_I8, shape}, .data = (int8_t[]){__VA_ARGS__}})
#define I32(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_I32, shape}, .data = (int32_t[]){__VA_ARGS__}})
#define I64(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_I64, shape}, .data = (int64_t[]){__VA_ARGS__}})
#define U8(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_U8, shape}, .data = (uint8_t[]){__VA_ARGS__}})
#define U64(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_U64, shape}, .data = (uint64_t[]){__VA_ARGS__}})
#define BOOL(shape, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_BOOL, shape}, .data = (uint8_t[]){__VA_ARGS__}})
#define EMPTY(element, ...) \
	((hy_ir_tensor){.type = {.dtype = HY_DTYPE_##element, DIMS(__VA_ARGS__)}, .data = (char[1]){0}})
/* A type without numbers; -1 is an unknown dim. */
#define TYPE(element, ...) ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_##element, DIMS(__VA_ARGS__)}})
#define UNKNOWN ((hy_ir_tensor){.type = {.rank = HY_IR_RANK_UNKNOWN}})
#define ABSENT ((hy_ir_tensor){.type = {.dtype = HY_DTYPE_NONE}})

#define LIST(type, ...)                                                    \
	(uint32_t)(sizeof((type[]){__VA_ARGS__}) / sizeof(type)), (type[]) \
	{                                                                  \
		__VA_ARGS__                                                \
	}
#define INPUTS(...) LIST(hy_ir_tensor, __VA_ARGS__)
#define OUTPUTS(...) LIST(hy_ir_tensor, __VA_ARGS__)
#define ATTRS(...) LIST(hy_ir_attr, __VA_ARGS__)
#define NO_ATTRS 0, NULL

#define MOST 8

typedef struct one_node {
	hy_ir_node node;
	uint32_t inputs[MOST], outputs[MOST];
} one_node;

static hy_error error;

static void make_node(one_node *n, const char *type, uint32_t input_count, const hy_ir_tensor *inputs,
                      uint32_t attr_count, const hy_ir_attr *attrs, uint32_t output_count)
{
	assert_in_range(input_count, 0, MOST);
	assert_in_range(output_count, 1, MOST);
	*n = (one_node){.node = {.op = hy_ir_op_find("", type),
	                         .domain = "",
	                         .type = type,
	                         .version = HY_IR_OPSET,
	                         .name = "it",
	                         .input_count = input_count,
	                         .output_count = output_count,
	                         .attr_count = attr_count,
	                         .attrs = attrs}};
	for (uint32_t i = 0; i < input_count; i++) {
		const bool absent = inputs[i].type.dtype == HY_DTYPE_NONE && inputs[i].type.rank == 0;
		n->inputs[i] = absent ? HY_IR_NONE : i;
	}
	for (uint32_t i = 0; i < output_count; i++)
		n->outputs[i] = MOST + i;
	n->node.inputs = n->inputs;
	n->node.outputs = n->outputs;
}

static inline double real_at(const hy_ir_tensor *t, int64_t i)
{
	return t->type.dtype == HY_DTYPE_F32 ? (double)((const float *)t->data)[i] : ((const double *)t->data)[i];
}

/* f32 and f64 within tolerance (of 1, or of the number where that is more), everything else to the bit. */
static inline void expect_tensor_within(const hy_ir_tensor *got, const hy_ir_tensor *wanted, double tolerance)
{
	char a[256], b[256];
	assert_string_equal(hy_ir_type_print(&got->type, a, sizeof(a)), hy_ir_type_print(&wanted->type, b, sizeof(b)));
	if (got->type.dtype != HY_DTYPE_F32 && got->type.dtype != HY_DTYPE_F64) {
		assert_memory_equal(got->data, wanted->data, hy_ir_type_bytes(&got->type));
		return;
	}
	for (int64_t i = 0; i < hy_ir_type_elements(&got->type); i++) {
		const double p = real_at(got, i), q = real_at(wanted, i);
		if (p == q || (isnan(p) && isnan(q))) continue;
		if (!(fabs(p - q) <= tolerance * fmax(1, fabs(q))))
			fail_msg("element %lld is %.9g, it must be %.9g", (long long)i, p, q);
	}
}

static inline void expect_tensor(const hy_ir_tensor *got, const hy_ir_tensor *wanted)
{
	expect_tensor_within(got, wanted, 2e-6);
}

static inline void expect_node_within(double tolerance, const char *type, uint32_t input_count,
                                      const hy_ir_tensor *inputs, uint32_t attr_count, const hy_ir_attr *attrs,
                                      uint32_t output_count, const hy_ir_tensor *wanted)
{
	one_node n;
	hy_ir_type types[MOST];
	hy_ir_tensor got[MOST];
	make_node(&n, type, input_count, inputs, attr_count, attrs, output_count);
	EXPECT_OK(hy_ir_infer_node(&n.node, inputs, types, &error));
	for (uint32_t i = 0; i < output_count; i++)
		got[i] = (hy_ir_tensor){types[i], malloc(hy_ir_type_bytes(&types[i]) + 1)};
	EXPECT_OK(hy_ir_eval_node(&n.node, inputs, got, &error));
	for (uint32_t i = 0; i < output_count; i++) {
		expect_tensor_within(&got[i], &wanted[i], tolerance);
		free(got[i].data);
	}
}

/* Inference gives the types of the wanted outputs, and evaluation their numbers within 2e-6. */
static inline void expect_node(const char *type, uint32_t input_count, const hy_ir_tensor *inputs, uint32_t attr_count,
                               const hy_ir_attr *attrs, uint32_t output_count, const hy_ir_tensor *wanted)
{
	expect_node_within(2e-6, type, input_count, inputs, attr_count, attrs, output_count, wanted);
}

/* The same to the bit. */
static inline void expect_bits(const char *type, uint32_t input_count, const hy_ir_tensor *inputs, uint32_t attr_count,
                               const hy_ir_attr *attrs, uint32_t output_count, const hy_ir_tensor *wanted)
{
	expect_node_within(0, type, input_count, inputs, attr_count, attrs, output_count, wanted);
}

/* Inference alone; the numbers of the wanted tensors are not looked at. */
static inline void expect_types(const char *type, uint32_t input_count, const hy_ir_tensor *inputs, uint32_t attr_count,
                                const hy_ir_attr *attrs, uint32_t output_count, const hy_ir_tensor *wanted)
{
	one_node n;
	hy_ir_type types[MOST];
	char a[256], b[256];
	make_node(&n, type, input_count, inputs, attr_count, attrs, output_count);
	EXPECT_OK(hy_ir_infer_node(&n.node, inputs, types, &error));
	for (uint32_t i = 0; i < output_count; i++)
		assert_string_equal(hy_ir_type_print(&types[i], a, sizeof(a)),
		                    hy_ir_type_print(&wanted[i].type, b, sizeof(b)));
}

/* Inference refuses; text: what the message says after "<type> 'it': ". */
static inline void expect_refusal(const char *type, uint32_t input_count, const hy_ir_tensor *inputs,
                                  uint32_t attr_count, const hy_ir_attr *attrs, hy_status status, const char *text)
{
	one_node n;
	hy_ir_type types[MOST];
	char line[512];
	make_node(&n, type, input_count, inputs, attr_count, attrs, 1);
	EXPECT_STATUS(status, hy_ir_infer_node(&n.node, inputs, types, &error));
	snprintf(line, sizeof(line), "%s 'it': %s", type, text);
	assert_string_equal(error.text, line);
}

#endif
