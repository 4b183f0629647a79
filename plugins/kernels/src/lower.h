/* The state of one lowering: a flat list of nodes becomes kernels, launches and storages.
 *
 * Regions are flattened: the nodes of a body follow each other and carry the same group. A value may lie in memory in
 * several forms; handlers ask for the form they read (need) and say in which form they write (make).
 * Out of memory is sticky (lower->failed) and turned into NO_MEMORY at the end, so that emitters need no checks. */
#ifndef HY_KERNELS_LOWER_H
#define HY_KERNELS_LOWER_H

#include <halyard/kernels.h>

#include "text.h"

#define BLOCK 16u /* channels of a block, lanes of a vector */

typedef struct hy_kernels__lower hy_kernels__lower;

/* How a value lies in memory. */
typedef enum hy_kernels__form {
	FORM_PLAIN, /* dense, ONNX order */
	FORM_HALO, /* NCHW, each plane with `pad` zero rows around it and zero columns between its rows */
	FORM_BLOCK, /* the same with NCHW16c planes; missing channels of the last block are 0 */
	FORM_COUNT
} hy_kernels__form;

/* Rows of a plane start `pad` columns apart: the zeros right of a row are those left of the next. */
typedef struct hy_kernels__place {
	uint32_t storage; /* HY_IR_NONE: the value is not there in this form */
	uint32_t pad;
	uint32_t planes; /* FORM_BLOCK: planes from one batch element to the next; more than its own inside a Concat */
	uint64_t offset; /* bytes in the storage */
} hy_kernels__place;

typedef struct hy_kernels__value {
	hy_ir_type type;
	const void *data; /* known constants, else NULL */
	bool constant;
	bool is_output; /* of the graph */
	uint32_t home; /* the graph output in whose binding it is made, or HY_IR_NONE; views share it */
	uint32_t uses; /* by nodes */
	hy_kernels__form form; /* in which its node makes it */
	uint32_t pad; /* the widest halo that a reader wants */
	uint32_t joined; /* FORM_BLOCK: the Concat output whose storage it is made in, or HY_IR_NONE */
	uint32_t joined_plane; /* first plane there */
	hy_kernels__place places[FORM_COUNT];
} hy_kernels__value;

typedef struct hy_kernels__node {
	const hy_ir_node *ir;
	const hy_ir_op *op;
	uint32_t row; /* node of the graph that it stands for or lies in */
	uint32_t input_count, output_count;
	const uint32_t *inputs, *outputs; /* flat values; HY_IR_NONE when absent */
} hy_kernels__node;

typedef struct hy_kernels__storage {
	hy_kernels_arg_kind kind;
	uint32_t index; /* binding or constant */
	uint64_t bytes, offset; /* offset: in the arena */
	uint32_t first, last; /* launches that use it; first > last: none */
} hy_kernels__storage;

/* Elementwise nodes that follow an anchor and are computed where it stores. count 0: none. */
typedef struct hy_kernels__epilogue {
	const hy_kernels__node *nodes;
	uint32_t count;
	uint32_t input, output; /* the anchor's value, and the one that is stored */
} hy_kernels__epilogue;

typedef struct hy_kernels__group {
	uint32_t first, count; /* nodes */
} hy_kernels__group;

/* `rows` x `columns` pixels and `blocks` channel blocks, kept in registers. */
typedef struct hy_kernels__tile {
	uint32_t rows, columns, blocks;
} hy_kernels__tile;

#define LOWER_TILES 32u

struct hy_kernels__lower {
	const hy_ir_graph *graph;
	const hy_kernels_options *options;
	hy_kernels_program *program;
	hy_error *error;
	hy_reason reason; /* of the last refusal */
	bool failed; /* out of memory */
	hy_kernels__value *values;
	uint32_t value_count, value_room;
	hy_kernels__node *nodes;
	uint32_t node_count, node_room;
	hy_kernels__group *groups;
	uint32_t group_count, group_room;
	uint32_t **lists; /* input and output lists of the flat nodes */
	uint32_t list_count, list_room;
	hy_kernels__storage *storages;
	uint32_t storage_count, storage_room;
	uint32_t input_count, output_count; /* bindings */
	const uint32_t *outputs; /* values; HY_IR_NONE: unwanted */
	hy_kernels__text source;
	struct hy_kernels__kernel *kernels;
	hy_kernels__tile tiles[LOWER_TILES]; /* chosen so far */
	uint32_t tile_count;
	uint32_t kernel_room, name_room, launch_room, arg_room, constant_room;
};

/* ---- lower.c ---- */

/* Room for one more element of *items; false and sticky failure when there is none. */
bool hy_kernels__grow(hy_kernels__lower *lower, void **items, uint32_t count, uint32_t *room, size_t size);
/* Answers UNSUPPORTED with reason and a line "node 'x' (Op): ...". */
hy_status hy_kernels__refuse(hy_kernels__lower *lower, const hy_kernels__node *node, hy_reason reason,
                             const char *format, ...) HY_PRINTF(4, 5);

/* ---- flat.c: the graph without regions ---- */

/* only: the one node to take, or HY_IR_NONE for the whole graph. */
hy_status hy_kernels__flatten(hy_kernels__lower *lower, uint32_t only);
/* A value that the graph has not, such as the result of an anchor that is stored before its epilogue. */
uint32_t hy_kernels__value_create(hy_kernels__lower *lower, const hy_ir_type *type);
/* The type or constant data of an input; NULL when absent or unknown. */
const hy_ir_type *hy_kernels__type(const hy_kernels__lower *lower, uint32_t value);
const void *hy_kernels__data(const hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t input);
/* Element i of a known constant of I64 or I32. */
int64_t hy_kernels__integer(const hy_kernels__lower *lower, const hy_kernels__node *node, uint32_t input, uint32_t i);
bool hy_kernels__has_input(const hy_kernels__node *node, uint32_t input);
bool hy_kernels__wants_output(const hy_kernels__node *node, uint32_t output);

/* ---- group.c: which nodes become one kernel ---- */

/* Known operators and computable types; before anything looks at shapes. */
hy_status hy_kernels__check_nodes(hy_kernels__lower *lower);
hy_status hy_kernels__lower_groups(hy_kernels__lower *lower);

/* ---- layout.c: forms and where values lie ---- */

/* Decides the form of every value. */
void hy_kernels__layout(hy_kernels__lower *lower);
/* The value in that form with at least that halo; emits the change of layout when it isn't there. */
hy_kernels__place hy_kernels__need(hy_kernels__lower *lower, uint32_t value, hy_kernels__form form, uint32_t pad);
/* Storage for an output in the form that layout chose for it, or in another one. */
hy_kernels__place hy_kernels__make(hy_kernels__lower *lower, uint32_t value, hy_kernels__form form);
/* Makes value lie where another one does. */
void hy_kernels__alias(hy_kernels__lower *lower, uint32_t value, hy_kernels__form form, hy_kernels__place place);
/* Packed constant data; take_data is the program's from now on and may be NULL (unknown constants). */
hy_kernels__place hy_kernels__constant(hy_kernels__lower *lower, void *take_data, uint64_t bytes);
/* Memory that lives for a few launches. */
hy_kernels__place hy_kernels__scratch(hy_kernels__lower *lower, uint64_t bytes);
/* 64-byte aligned; NULL and sticky failure when there is none. */
void *hy_kernels__alloc(hy_kernels__lower *lower, uint64_t bytes);

/* Geometry of FORM_HALO and FORM_BLOCK, in elements (of one lane in FORM_HALO, of 16 in FORM_BLOCK). */
typedef struct hy_kernels__plane {
	int32_t row; /* from one row to the next */
	int32_t plane; /* from one plane to the next */
	int32_t origin; /* of element (0, 0) in its plane */
} hy_kernels__plane;
hy_kernels__plane hy_kernels__plane_of(const hy_ir_type *type, uint32_t pad);
uint32_t hy_kernels__blocks(const hy_ir_type *type); /* channel blocks */

/* ---- emit.c: kernels and launches ---- */

/* The kernel made of a template, a list of #define lines and functions written before it; equal ones are shared. */
uint32_t hy_kernels__kernel(hy_kernels__lower *lower, const char *name, hy_kernels__text *defines,
                            hy_kernels__text *functions);
/* The same without template: text is the whole kernel, whose name it calls NAME. */
uint32_t hy_kernels__kernel_text(hy_kernels__lower *lower, const char *name, hy_kernels__text *text);
/* Starts a launch; the arguments follow in order. Global sizes are rounded up to local_size in the first one. */
void hy_kernels__launch(hy_kernels__lower *lower, uint32_t kernel, uint32_t row, uint64_t x, uint64_t y, uint64_t z,
                        uint32_t local_size);
void hy_kernels__pass(hy_kernels__lower *lower, hy_kernels__place place);
void hy_kernels__pass_int(hy_kernels__lower *lower, int64_t value);

/* ---- arena.c ---- */

/* Gives every arena storage its place, sharing bytes between those that don't live at the same time. */
void hy_kernels__arena(hy_kernels__lower *lower);

#endif
