/* A group of elementwise nodes as a straight program over runs of floats that stay in the first-level cache. */
#ifndef HY_CPU_GROUP_H
#define HY_CPU_GROUP_H

#include "cpu_step.h"
#include "cpu_vector.h"

#include <halyard/graph.h>

#include <stdbool.h>

#define HY_CPU_GROUP_RUN 1024u /* elements */
#define HY_CPU_GROUP_SLOTS 64u
#define HY_CPU_GROUP_NOTHING UINT8_MAX

/* One operand of the step: a tensor that is read or written. It has the slot of its number. */
typedef struct hy_cpu_group_tensor {
	hy_dtype dtype; /* computed as f32 */
	uint8_t buffer; /* where its run is gathered or scattered; HY_CPU_GROUP_NOTHING: used in place */
	bool is_fixed; /* its run is the same each time: gathered once */
	int64_t stride[HY_MAX_RANK]; /* elements, per dim of the loop; 0: broadcast */
} hy_cpu_group_tensor;

typedef struct hy_cpu_group_code {
	hy_cpu_vector_fn function;
	uint8_t out, in[3]; /* slots */
	float constants[2];
} hy_cpu_group_code;

typedef struct hy_cpu_group {
	hy_cpu_step step; /* operands: inputs, outputs, scratch */
	uint32_t rank; /* of the loop, outermost first; at least 2 */
	int64_t dim[HY_MAX_RANK];
	int64_t rows, columns; /* of one run: rows of dim[rank - 2], columns of dim[rank - 1] */
	uint32_t input_count, output_count, slot_count;
	uint32_t code_count, buffer_count, thread_count;
	hy_cpu_group_tensor tensors[HY_CPU_GROUP_SLOTS];
	uint8_t buffers[HY_CPU_GROUP_SLOTS]; /* of the slots that are no tensors */
	hy_cpu_group_code *codes;
	void *const *at; /* of the run that is going on */
} hy_cpu_group;

/* Joins dims, chooses rows and columns, buffers and threads. The loop's dims and all strides are set. */
void hy_cpu_group_arrange(hy_cpu_group *group, uint32_t thread_count);
uint64_t hy_cpu_group_scratch_bytes(const hy_cpu_group *group);
hy_status hy_cpu_group_run(hy_cpu_step *step, void *const *at, hy_error *error);

#endif
