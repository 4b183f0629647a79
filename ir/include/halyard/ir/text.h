/* The text form of a graph: print(parse(x)) == x, and parse(print(g)) equals g. */
#ifndef HALYARD_IR_TEXT_H
#define HALYARD_IR_TEXT_H

#include <halyard/ir/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The grammar is in ir/README.md. Constants longer than 64 elements are printed as a hash, and can't be parsed back,
 * unless flags has HY_IR_TEXT_FULL. The text is the caller's, free(). */
enum { HY_IR_TEXT_FULL = 1u << 0 };
hy_status hy_ir_text_print(const hy_ir_graph *graph, uint32_t flags, char **out_text, hy_error *error);

/* name is for messages ("file:line:column: ..."). */
hy_status hy_ir_text_parse(const char *name, const char *text, size_t length, hy_ir_graph **out_graph, hy_error *error);

#ifdef __cplusplus
}
#endif
#endif
