/* What the evaluators share. They run after inference has accepted the node with these very inputs: types, ranks and
 * attributes are right, all input data is there (Shape's excepted), and dims multiply without overflow. What is left
 * to check are numbers inside tensors (indices, divisors). */
#ifndef HY_IR_PRIVATE_EVAL_H
#define HY_IR_PRIVATE_EVAL_H

#include <halyard/ir/eval.h>

#include "eval_number.h"
#include "eval_walk.h"
#include "infer.h"

/* out: output_count tensors; data NULL where nobody wants the output. */
typedef hy_status hy_ir__evaluator(const hy_ir__call *call, const hy_ir_tensor *out);

#define OP(id, fewest, most, most_outputs, elements, fusion, infer, eval) hy_ir__evaluator hy_ir__eval_##eval;
#include <halyard/ir/ops.def>
#undef OP

/* eval_graph.c: the body of a Region. */
hy_ir__evaluator hy_ir__eval_region;

static inline float hy_ir__call_float(const hy_ir__call *call, const char *name, float fallback)
{
	return hy_ir_node_attr_float(call->node, name, fallback);
}

/* Room for count elements (at least one) of `size` bytes, uninitialised; NULL when there is none. */
void *hy_ir__alloc(int64_t count, size_t size);
/* All elements of the tensor as doubles; free() it. NULL when there is no memory. */
double *hy_ir__alloc_reals(const hy_ir_tensor *tensor);

/* How an axis cuts a dense tensor: outer * length * inner elements. */
typedef struct hy_ir__cut {
	int64_t outer, length, inner;
} hy_ir__cut;
hy_ir__cut hy_ir__cut_at(const hy_ir_type *type, uint32_t axis);

/* ---- sums of products (eval_product.c) ---- */

#define HY_IR__PANEL 32 /* columns that are summed together */
#define HY_IR__DEPTH 256 /* terms after which the next panel begins: both lie in the first-level cache */

/* sums[j] += row[0] * panel[0][j] + row[1] * panel[1][j] ... */
void hy_ir__panel_add(int64_t depth, const double *row, const double *panel, double *sums);

/* ---- moving elements (eval_copy.c) ---- */

/* count elements of width 1, 2, 4 or 8 bytes; offsets and steps in elements. */
void hy_ir__copy_row(size_t width, void *target, int64_t target_at, int64_t target_step, const void *source,
                     int64_t source_at, int64_t source_step, int64_t count);
/* Array 0 of the walk is the target, array 1 the source; both are begun and strided. */
void hy_ir__copy_walk(hy_ir__walk *walk, size_t width, void *target, const void *source);
/* out[i0, i1, ...] = in[map[0][i0], map[1][i1], ...]; fill (one element) where a map says -1. */
void hy_ir__copy_mapped(const hy_ir_tensor *in, const hy_ir_tensor *out, int64_t *const *map, const void *fill);
void hy_ir__fill(const hy_ir_tensor *out, const void *element);

static inline size_t hy_ir__width(const hy_ir_type *type)
{
	return hy_dtype_bits(type->dtype) / 8;
}

#endif
