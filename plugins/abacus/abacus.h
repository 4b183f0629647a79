/* What the files of the abacus share. It is a device that does not exist: a frame of 512 MiB of beads, and one worker a
 * queue that moves them. The guide in plugins/README.md says how it came from the template. */
#ifndef ABACUS_H
#define ABACUS_H

#include <halyard/plugin.h>

#include <pthread.h>
#include <stdbool.h>

#define ABACUS_FRAME_BYTES (512ull << 20)
#define ABACUS_ALIGN 64u

typedef struct plugin {
	const hy_host *host;
} plugin;

struct hy_device {
	const hy_host *host;
	pthread_mutex_t lock; /* of used */
	uint64_t used;
};

struct hy_buffer {
	unsigned char *beads;
	uint64_t length;
};

/* Tells the host why a call fails, and returns status. */
hy_status abacus_fail(const hy_host *host, hy_status status, const char *text);

hy_status abacus_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue);
void abacus_queue_close(hy_queue *queue);
hy_status abacus_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket);

hy_status abacus_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count);
hy_status abacus_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                         uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe);
hy_status abacus_exe_info(hy_exe *exe, hy_exe_info *out_info);
void abacus_exe_free(hy_exe *exe);

/* Runs a program on memory at these addresses, inputs first. NULL, or why it can't. */
const char *abacus_execute(const hy_exe *exe, uint32_t binding_count, const hy_ref *bindings, const hy_ref *workspace);
/* Where a range begins: on the frame, or on the host. */
void *abacus_at(hy_ref ref);

/* ---- operators ---- */

enum { ABACUS_OPERANDS = 16 };

typedef struct operand {
	const hy_graph_tensor *type; /* NULL: absent */
	void *data; /* f32, or int64_t of the constants that say shapes */
} operand;

/* One node with its operands. */
typedef struct call {
	const hy_graph *graph;
	const hy_graph_node *node;
	operand in[ABACUS_OPERANDS], out[ABACUS_OPERANDS];
} call;

typedef struct abacus_operator {
	const char *name;
	uint32_t inputs, outputs; /* at most */
	uint32_t rank; /* that the first two f32 inputs must have; 0: any */
	void (*run)(const call *c);
	bool (*takes)(const call *c); /* attributes alone; NULL: all of them */
} abacus_operator;

/* NULL: not on this device. */
const abacus_operator *abacus_operator_find(const char *name);

int64_t abacus_int(const call *c, const char *name, int64_t fallback);
float abacus_float(const call *c, const char *name, float fallback);
const char *abacus_text(const call *c, const char *name, const char *fallback);
/* NULL: the node does not say. */
const int64_t *abacus_ints(const call *c, const char *name);

/* abacus_window.c, abacus_move.c */
void abacus_conv(const call *c);
void abacus_max_pool(const call *c);
void abacus_average_pool(const call *c);
void abacus_global_average_pool(const call *c);
void abacus_copy(const call *c);
void abacus_transpose(const call *c);
void abacus_concat(const call *c);
void abacus_split(const call *c);
void abacus_slice(const call *c);
void abacus_pad(const call *c);

/* Steps through coordinates, the last one fastest; false after the last. */
bool abacus_next(int64_t *at, const int64_t *dims, uint32_t rank);
/* Elements. */
int64_t abacus_count(const hy_graph_tensor *t);
/* Elements between neighbours of each axis. */
void abacus_strides(const hy_graph_tensor *t, int64_t *out);
/* The product of dims from axis `from` up to `to`. */
int64_t abacus_product(const hy_graph_tensor *t, uint32_t from, uint32_t to);

#endif
