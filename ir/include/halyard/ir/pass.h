/* Passes: what makes a model ready for devices. */
#ifndef HALYARD_IR_PASS_H
#define HALYARD_IR_PASS_H

#include <halyard/ir/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A pass changes the graph and says whether it did. On failure the graph is unusable but can be destroyed.
 * Each has a line `needs: ... breaks: ... keeps: ...` in its file. */
typedef hy_status (*hy_ir_pass)(hy_ir_graph *graph, bool *out_changed, hy_error *error);

hy_status hy_ir_pass_upgrade(hy_ir_graph *graph, bool *out_changed, hy_error *error); /* opsets 1 to 23 to 18 */
hy_status hy_ir_pass_infer(hy_ir_graph *graph, bool *out_changed, hy_error *error); /* hy_ir_infer_graph */
hy_status hy_ir_pass_fold(hy_ir_graph *graph, bool *out_changed, hy_error *error); /* constants */
hy_status hy_ir_pass_simplify(hy_ir_graph *graph, bool *out_changed,
                              hy_error *error); /* x+0, Identity, double views ... */
hy_status hy_ir_pass_batch_norm(hy_ir_graph *graph, bool *out_changed,
                                hy_error *error); /* into Conv, Gemm; else Mul+Add */
hy_status hy_ir_pass_dce(hy_ir_graph *graph, bool *out_changed, hy_error *error); /* the dead; compacts numbers */
hy_status hy_ir_pass_fuse(hy_ir_graph *graph, bool *out_changed, hy_error *error); /* into regions */
hy_status hy_ir_pass_unfuse(hy_ir_graph *graph, bool *out_changed, hy_error *error); /* regions back to their bodies */

/* The same for the regions among nodes whose entry in chosen is true (one per node). */
hy_status hy_ir_graph_unfuse(hy_ir_graph *graph, const bool *chosen, bool *out_changed, hy_error *error);

enum {
	HY_IR_PREPARE_NO_FOLD = 1u << 0, /* keep nodes whose inputs are constant: used to test operators */
	HY_IR_PREPARE_NO_FUSE = 1u << 1, /* no regions, and BatchNormalization stays a node */
};

/* All passes in their order, the verifier after each: upgrade, infer, fold, simplify, batch_norm, dce, infer, fuse.
 * Fails as the passes do; UNSUPPORTED names the unknown operator and its node; INVALID names a value whose shape stays
 * unknown and the dimension to bind. */
hy_status hy_ir_prepare(hy_ir_graph *graph, uint32_t flags, hy_error *error);

/* Every invariant of graph.h, region bodies included: numbers in range, order, one producer, unique names, arity,
 * constants as long as their type, region signatures. Reads only; all faults are found, the first is in error. */
hy_status hy_ir_verify(const hy_ir_graph *graph, hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
