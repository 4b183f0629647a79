/* How much work a node is: the numbers behind a roofline. */
#ifndef HALYARD_IR_WORK_H
#define HALYARD_IR_WORK_H

#include <halyard/ir/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hy_ir_work {
	double flops; /* multiplications and additions counted apart; one per element for functions such as Exp */
	uint64_t bytes; /* that must be read and written at least once, constants included */
} hy_ir_work;

/* The work of a node whose types are static; a Region is its body without the values that stay inside.
 * Views are no work. Threads: any. */
hy_ir_work hy_ir_work_node(const hy_ir_graph *graph, uint32_t node);

#ifdef __cplusplus
}
#endif
#endif
