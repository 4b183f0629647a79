/* Running a group: gather what does not lie in a run, execute the program, scatter; run after run, cut over threads. */
#include "cpu_group.h"
#include "cpu_parallel.h"

#include <halyard/dtype.h>

#include <string.h>

#define WORTH_A_THREAD 16384 /* elements */
#define SHORT_ROW 256 /* columns: shorter rows are taken several at a time */

static bool can_join(const hy_cpu_group *group, uint32_t outer)
{
	for (uint32_t i = 0; i < group->input_count + group->output_count; i++) {
		const int64_t *stride = group->tensors[i].stride;
		if (stride[outer] != stride[outer + 1] * group->dim[outer + 1]) return false;
	}
	return true;
}

static void join(hy_cpu_group *group, uint32_t outer)
{
	group->dim[outer] *= group->dim[outer + 1];
	group->rank--;
	for (uint32_t d = outer + 1; d < group->rank; d++)
		group->dim[d] = group->dim[d + 1];
	for (uint32_t i = 0; i < group->input_count + group->output_count; i++) {
		int64_t *stride = group->tensors[i].stride;
		for (uint32_t d = outer; d < group->rank; d++)
			stride[d] = stride[d + 1];
	}
}

/* Puts a dim of one element before the others. */
static void widen(hy_cpu_group *group)
{
	for (uint32_t d = group->rank; d > 0; d--)
		group->dim[d] = group->dim[d - 1];
	group->dim[0] = 1;
	for (uint32_t i = 0; i < group->input_count + group->output_count; i++) {
		int64_t *stride = group->tensors[i].stride;
		for (uint32_t d = group->rank; d > 0; d--)
			stride[d] = stride[d - 1];
		stride[0] = stride[1] * group->dim[1];
	}
	group->rank++;
}

static void tensor_arrange(hy_cpu_group *group, hy_cpu_group_tensor *tensor, bool is_input)
{
	const uint32_t row = group->rank - 2, column = group->rank - 1;
	const bool is_run = tensor->stride[column] == 1 &&
	                    (group->rows == 1 || tensor->stride[row] == group->dim[column]);
	if (tensor->dtype == HY_DTYPE_F32 && is_run) {
		tensor->buffer = HY_CPU_GROUP_NOTHING;
		return;
	}
	tensor->buffer = (uint8_t)group->buffer_count++;
	if (!is_input) return;
	tensor->is_fixed = group->columns == group->dim[column] || tensor->stride[column] == 0;
	for (uint32_t d = 0; d < column; d++)
		tensor->is_fixed = tensor->is_fixed && (tensor->stride[d] == 0 || group->dim[d] == 1);
}

void hy_cpu_group_arrange(hy_cpu_group *group, uint32_t thread_count)
{
	for (uint32_t d = group->rank; d-- > 1;) {
		if (can_join(group, d - 1)) join(group, d - 1);
	}
	while (group->rank < 2)
		widen(group);
	const uint32_t row = group->rank - 2, column = group->rank - 1;
	group->rows = 1;
	group->columns = group->dim[column] < HY_CPU_GROUP_RUN ? group->dim[column] : HY_CPU_GROUP_RUN;
	if (group->dim[column] < SHORT_ROW) {
		group->rows = HY_CPU_GROUP_RUN / group->dim[column];
		if (group->rows > group->dim[row]) group->rows = group->dim[row];
	}
	for (uint32_t i = 0; i < group->input_count + group->output_count; i++)
		tensor_arrange(group, &group->tensors[i], i < group->input_count);
	int64_t elements = 1;
	for (uint32_t d = 0; d < group->rank; d++)
		elements *= group->dim[d];
	group->thread_count = elements > WORTH_A_THREAD ? thread_count : 1;
}

uint64_t hy_cpu_group_scratch_bytes(const hy_cpu_group *group)
{
	return (uint64_t)group->thread_count * group->buffer_count * HY_CPU_GROUP_RUN * sizeof(float);
}

#define GATHER(type, value)                                                                   \
	static void gather_##type(const void *from, int64_t stride, float *to, int64_t count) \
	{                                                                                     \
		const type *const x = from;                                                   \
		for (int64_t i = 0; i < count; i++)                                           \
			to[i] = (float)(value);                                               \
	}
GATHER(float, x[i * stride])
GATHER(int8_t, x[i * stride])
GATHER(uint8_t, x[i * stride])
GATHER(int32_t, x[i * stride])
GATHER(int64_t, x[i * stride])
GATHER(_Bool, ((const uint8_t *)(const void *)x)[i * stride] != 0)
#undef GATHER

static void gather_row(hy_dtype dtype, const void *from, int64_t stride, float *to, int64_t count)
{
	switch (dtype) {
	case HY_DTYPE_F32:
		if (stride == 1) {
			memcpy(to, from, (size_t)count * sizeof(float));
		} else {
			gather_float(from, stride, to, count);
		}
		return;
	case HY_DTYPE_I8:
		gather_int8_t(from, stride, to, count);
		return;
	case HY_DTYPE_U8:
		gather_uint8_t(from, stride, to, count);
		return;
	case HY_DTYPE_I32:
		gather_int32_t(from, stride, to, count);
		return;
	case HY_DTYPE_I64:
		gather_int64_t(from, stride, to, count);
		return;
	default:
		gather__Bool(from, stride, to, count);
	}
}

static void scatter_row(hy_dtype dtype, const float *from, void *to, int64_t stride, int64_t count)
{
	if (dtype == HY_DTYPE_F32) {
		float *out = to;
		for (int64_t i = 0; i < count; i++)
			out[i * stride] = from[i];
		return;
	}
	uint8_t *out = to;
	for (int64_t i = 0; i < count; i++)
		out[i * stride] = from[i] != 0.0f;
}

/* Where the cursor of one thread stands: a run of rows x columns. */
typedef struct cursor {
	const hy_cpu_group *group;
	float *slots[HY_CPU_GROUP_SLOTS];
	float *buffers;
	int64_t at[HY_MAX_RANK]; /* position of the run's first element */
	int64_t rows, columns;
	bool is_first;
} cursor;

static char *tensor_address(const cursor *c, uint32_t number)
{
	const hy_cpu_group_tensor *tensor = &c->group->tensors[number];
	int64_t offset = 0;
	for (uint32_t d = 0; d < c->group->rank; d++)
		offset += c->at[d] * tensor->stride[d];
	return (char *)c->group->at[number] + offset * (int64_t)(hy_dtype_bits(tensor->dtype) / 8);
}

static void load(cursor *c, uint32_t number)
{
	const hy_cpu_group *group = c->group;
	const hy_cpu_group_tensor *tensor = &group->tensors[number];
	if (tensor->is_fixed && !c->is_first) return;
	const char *from = tensor_address(c, number);
	if (tensor->buffer == HY_CPU_GROUP_NOTHING) {
		c->slots[number] = (float *)(uintptr_t)from;
		return;
	}
	float *to = c->buffers + (size_t)tensor->buffer * HY_CPU_GROUP_RUN;
	c->slots[number] = to;
	const int64_t bytes = (int64_t)(hy_dtype_bits(tensor->dtype) / 8);
	/* A fixed tensor is gathered for the longest run. */
	const int64_t rows = tensor->is_fixed ? group->rows : c->rows;
	const int64_t columns = tensor->is_fixed ? group->columns : c->columns;
	for (int64_t row = 0; row < rows; row++) {
		gather_row(tensor->dtype, from + row * tensor->stride[group->rank - 2] * bytes,
		           tensor->stride[group->rank - 1], to + row * columns, columns);
	}
}

static void store(const cursor *c, uint32_t number)
{
	const hy_cpu_group *group = c->group;
	const hy_cpu_group_tensor *tensor = &group->tensors[number];
	if (tensor->buffer == HY_CPU_GROUP_NOTHING) return;
	char *to = tensor_address(c, number);
	const int64_t bytes = (int64_t)(hy_dtype_bits(tensor->dtype) / 8);
	for (int64_t row = 0; row < c->rows; row++) {
		scatter_row(tensor->dtype, c->slots[number] + row * c->columns,
		            to + row * tensor->stride[group->rank - 2] * bytes, tensor->stride[group->rank - 1],
		            c->columns);
	}
}

static void run_once(cursor *c)
{
	const hy_cpu_group *group = c->group;
	const size_t count = (size_t)(c->rows * c->columns);
	for (uint32_t i = 0; i < group->input_count; i++)
		load(c, i);
	for (uint32_t i = group->input_count; i < group->input_count + group->output_count; i++) {
		const uint8_t buffer = group->tensors[i].buffer;
		c->slots[i] = buffer == HY_CPU_GROUP_NOTHING ? (float *)(void *)tensor_address(c, i)
		                                             : c->buffers + (size_t)buffer * HY_CPU_GROUP_RUN;
	}
	for (uint32_t i = 0; i < group->code_count; i++) {
		const hy_cpu_group_code *code = &group->codes[i];
		const float *in[3];
		for (uint32_t k = 0; k < 3; k++)
			in[k] = code->in[k] == HY_CPU_GROUP_NOTHING ? NULL : c->slots[code->in[k]];
		code->function(c->slots[code->out], in[0], in[1], in[2], code->constants, count);
	}
	for (uint32_t i = group->input_count; i < group->input_count + group->output_count; i++)
		store(c, i);
	c->is_first = false;
}

static void group_part(void *payload, uint32_t index, uint32_t count)
{
	const hy_cpu_group *group = payload;
	const uint32_t tensors = group->input_count + group->output_count;
	const int64_t row_dim = group->dim[group->rank - 2], column_dim = group->dim[group->rank - 1];
	const int64_t row_runs = (row_dim + group->rows - 1) / group->rows;
	const int64_t column_runs = (column_dim + group->columns - 1) / group->columns;
	int64_t runs = row_runs * column_runs;
	cursor c = {.group = group, .is_first = true};
	for (uint32_t d = 0; d + 2 < group->rank; d++)
		runs *= group->dim[d];
	c.buffers = (float *)group->at[tensors] + (size_t)index * group->buffer_count * HY_CPU_GROUP_RUN;
	for (uint32_t i = tensors; i < group->slot_count; i++)
		c.slots[i] = group->buffers[i] == HY_CPU_GROUP_NOTHING
		                     ? NULL
		                     : c.buffers + (size_t)group->buffers[i] * HY_CPU_GROUP_RUN;
	for (int64_t run = runs * index / count; run < runs * (index + 1) / count; run++) {
		int64_t rest = run / column_runs;
		c.at[group->rank - 1] = run % column_runs * group->columns;
		c.at[group->rank - 2] = rest % row_runs * group->rows;
		rest /= row_runs;
		for (uint32_t d = group->rank - 2; d-- > 0;) {
			c.at[d] = rest % group->dim[d];
			rest /= group->dim[d];
		}
		const int64_t rows = row_dim - c.at[group->rank - 2], columns = column_dim - c.at[group->rank - 1];
		c.rows = rows < group->rows ? rows : group->rows;
		c.columns = columns < group->columns ? columns : group->columns;
		run_once(&c);
	}
}

hy_status hy_cpu_group_run(hy_cpu_step *step, void *const *at, hy_error *error)
{
	hy_cpu_group *group = (hy_cpu_group *)(void *)step;
	(void)error;
	group->at = at;
	hy_cpu_parallel(group->thread_count, group_part, group);
	return HY_OK;
}
