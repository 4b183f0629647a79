/* What tests of devices against the evaluator share: graphs are written as text, numbers are seeded. */
#ifndef HY_TEST_PLUGINS_CASE_H
#define HY_TEST_PLUGINS_CASE_H

#include "test.h"

#include <halyard/hal.h>
#include <halyard/ir.h>

#include <dirent.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hy_error error;

static inline void put_number(hy_dtype dtype, void *at, float real, int whole)
{
	const double wide = (double)real;
	const int64_t long_whole = whole;
	const int32_t int_whole = whole;
	const int16_t short_whole = (int16_t)whole;
	const uint16_t half = hy_f16_from_float(real), brain = hy_bf16_from_float(real);
	const uint8_t byte = dtype == HY_DTYPE_BOOL ? (uint8_t)(whole & 1) : (uint8_t)whole;
	const void *from = dtype == HY_DTYPE_F32    ? (const void *)&real
	                   : dtype == HY_DTYPE_F64  ? (const void *)&wide
	                   : dtype == HY_DTYPE_F16  ? (const void *)&half
	                   : dtype == HY_DTYPE_BF16 ? (const void *)&brain
	                   : dtype == HY_DTYPE_I64  ? (const void *)&long_whole
	                   : dtype == HY_DTYPE_U64  ? (const void *)&long_whole
	                   : dtype == HY_DTYPE_I32  ? (const void *)&int_whole
	                   : dtype == HY_DTYPE_U32  ? (const void *)&int_whole
	                   : dtype == HY_DTYPE_I16  ? (const void *)&short_whole
	                   : dtype == HY_DTYPE_U16  ? (const void *)&short_whole
	                                            : (const void *)&byte;
	memcpy(at, from, hy_dtype_bits(dtype) / 8);
}

/* Seeded numbers: floats between -2 and 2, signed integers between -4 and 4, others between 0 and 8. */
static inline void *numbers(const hy_ir_type *type, uint32_t seed)
{
	const int64_t count = hy_ir_type_elements(type);
	const uint32_t width = hy_dtype_bits(type->dtype) / 8;
	char *data = aligned_alloc(64, (hy_ir_type_bytes(type) + 127) / 64 * 64);
	const bool has_sign = hy_dtype_is_float(type->dtype) || type->dtype == HY_DTYPE_I8 ||
	                      type->dtype == HY_DTYPE_I16 || type->dtype == HY_DTYPE_I32 || type->dtype == HY_DTYPE_I64;
	uint32_t state = seed * 2654435761u + 1;
	assert_non_null(data);
	for (int64_t i = 0; i < count; i++) {
		state = state * 1664525u + 1013904223u;
		const float real = (float)(state >> 8) / (float)(1 << 22) - 2.0f;
		put_number(type->dtype, data + i * width, real, (int)(state >> 16) % 9 - (has_sign ? 4 : 0));
	}
	return data;
}

static inline double number_at(const hy_ir_tensor *tensor, int64_t i)
{
	const char *data = tensor->data;
	switch (tensor->type.dtype) {
#define X(name, type)         \
	case HY_DTYPE_##name: \
		return (double)((const type *)(const void *)data)[i];
		X(F32, float)
		X(F64, double)
		X(I64, int64_t)
		X(U64, uint64_t)
		X(I32, int32_t)
		X(U32, uint32_t)
		X(I16, int16_t)
		X(U16, uint16_t)
		X(I8, int8_t)
#undef X
	case HY_DTYPE_F16:
		return (double)hy_f16_to_float(((const uint16_t *)(const void *)data)[i]);
	case HY_DTYPE_BF16:
		return (double)hy_bf16_to_float(((const uint16_t *)(const void *)data)[i]);
	default:
		return (double)(unsigned char)data[i];
	}
}

/* Every element within tolerance times the largest; NaN only where NaN is wanted. */
static inline void same_numbers(const hy_ir_tensor *got, const hy_ir_tensor *want, double tolerance)
{
	double largest = 0;
	const int64_t count = hy_ir_type_elements(&want->type);
	for (int64_t i = 0; i < count; i++)
		if (isfinite(number_at(want, i)) && fabs(number_at(want, i)) > largest)
			largest = fabs(number_at(want, i));
	for (int64_t i = 0; i < count; i++) {
		const double g = number_at(got, i), w = number_at(want, i);
		if (g == w || (isnan(g) && isnan(w)) || fabs(g - w) <= tolerance * largest) continue;
		fail_msg("element %lld is %.9g, wanted %.9g", (long long)i, g, w);
	}
}

/* Inputs whose names begin with w become constants. */
static inline hy_ir_graph *case_graph(const char *text)
{
	hy_ir_graph *graph = NULL;
	EXPECT_OK(hy_ir_text_parse("case", text, strlen(text), &graph, &error));
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph);) {
		const hy_ir_value *value = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i]);
		if (value->name[0] != 'w') {
			i++;
			continue;
		}
		char name[64];
		snprintf(name, sizeof(name), "%s", value->name);
		const hy_ir_tensor tensor = {value->type, numbers(&value->type, 100 + hy_ir_graph_inputs(graph)[i])};
		EXPECT_OK(hy_ir_graph_bind_input(graph, name, &tensor, &error));
		free(tensor.data);
	}
	EXPECT_OK(hy_ir_infer_graph(graph, &error));
	return graph;
}

/* How many threads of this process may run on exactly that one unit. */
static inline uint32_t threads_on(uint32_t unit)
{
	uint32_t count = 0;
	DIR *tasks = opendir("/proc/self/task");
	assert_non_null(tasks);
	for (struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) {
		cpu_set_t set;
		if (task->d_name[0] == '.') continue;
		if (sched_getaffinity((pid_t)atoi(task->d_name), sizeof(set), &set) != 0) continue;
		count += CPU_COUNT(&set) == 1 && CPU_ISSET(unit, &set);
	}
	closedir(tasks);
	return count;
}

#endif
