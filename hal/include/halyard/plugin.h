/* THE PLUGIN ABI, major 1: the header a vendor implements.
 *
 * A plugin is a shared object that exports one symbol, hy_plugin_entry_v1. It links to nothing of Halyard's; it gets
 * its world in its hand (hy_host) and fills the table the host allocated (hy_plugin). Calls the plugin leaves NULL
 * are answered UNSUPPORTED by the host. plugins/template is the smallest legal plugin.
 *
 * Rules. Each has at least one conformance check.
 *  P1   Every struct that may grow starts with `size`, written with sizeof by whoever allocates it; the filling side
 *       writes no further than that and stores the size it filled (HY_PUT). Fields are appended, never moved or reused.
 *  P2   Nothing allocated on one side is freed on the other. Results go to memory the caller owns.
 *  P3   Error text is handed to the host and copied there: host->error() inside a call, hy_done.text for a ticket.
 *       A call returns the code. On failure out-parameters are untouched.
 *  P4   Every failure has a scope: CALL, QUEUE, DEVICE or PROCESS. What the scope covers is unusable afterwards but
 *       for its close or free; everything else goes on working.
 *  P5   One queue is used by one thread at a time (host's duty). All other calls may be concurrent. A device with
 *       HY_DEVICE_ONE_THREAD gets all its calls from one thread.
 *  P6   Host callbacks may be called from any thread, also before submit() returns; they never block, and must not be
 *       called while holding a lock that an entry of the table takes.
 *  P7   A plugin never aborts, exits, throws, longjmps, prints, forks, reads standard input, installs signal
 *       handlers or atexit functions, and does no work in static initialisers.
 *  P8   Vendor libraries are opened by dlopen, never linked: a missing driver is a reason, not a load failure. No
 *       state is shared between devices or kept in globals.
 *  P9   device_count and device_info allocate nothing on a device and create no context.
 *  P10  A ticket that submit() accepted is completed exactly once, also after errors, loss and queue_close (which
 *       completes what is left as CANCELLED). A ticket that submit() refused is never completed.
 *  P11  Commands of one queue take effect in order. Work on different queues is unordered.
 *  P12  query() answers YES or NO with a reason for each node. YES is a promise: the node compiles and runs.
 *  P13  Buffers are handles; two buffers never overlap. Bytes outside the given ranges are never written.
 *  P14  EXEC reads its inputs, writes every byte of its outputs and leaves its inputs as they were.
 *  P15  The same exe with the same inputs gives the same bytes on the same device.
 *  P16  Unknown options are INVALID; unknown extension names are NULL. */
#ifndef HALYARD_PLUGIN_H
#define HALYARD_PLUGIN_H

#include <halyard/graph.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HY_ABI_MAJOR 1u
#define HY_ABI_MINOR 0u
#define HY_PLUGIN_ENTRY "hy_plugin_entry_v1"

/* Opaque, owned by the plugin. */
typedef struct hy_device hy_device;
typedef struct hy_buffer hy_buffer;
typedef struct hy_queue hy_queue;
typedef struct hy_exe hy_exe;

/* ---- what the host gives ---- */

enum { HY_LOG_DEBUG = 0, HY_LOG_INFO = 1, HY_LOG_WARN = 2, HY_LOG_ERROR = 3 };

/* How a ticket ended. Times are the host's clock (now_ns); both 0 when the device can't tell. */
typedef struct hy_done {
	uint32_t size;
	hy_status status;
	hy_scope scope;
	int32_t native; /* the vendor's own error number */
	uint64_t begin_ns, end_ns;
	const char *text; /* error text, NULL when OK; lent for the call */
	uint32_t text_length, reserved;
} hy_done;

/* Services of the host; lent until shutdown() returns. Threads: any. */
typedef struct hy_host {
	uint32_t size, abi_minor;
	void *ctx; /* first argument of every call below */
	int32_t log_level; /* less important messages are dropped: don't format them */
	uint32_t reserved;
	void (*log)(void *ctx, int32_t level, const char *text, size_t length);
	/* Explains the failure of the call that is running on this thread and returns status:
	 * `return host->error(host->ctx, HY_NO_MEMORY, HY_SCOPE_CALL, code, text, length);` */
	hy_status (*error)(void *ctx, hy_status status, hy_scope scope, int32_t native, const char *text,
	                   size_t length);
	void (*complete)(void *ctx, uint64_t ticket, const hy_done *done);
	uint64_t (*now_ns)(void *ctx); /* CLOCK_MONOTONIC, or the virtual clock of a simulation */
} hy_host;

/* ---- what a device is ---- */

enum { HY_KIND_CPU = 1, HY_KIND_GPU = 2, HY_KIND_NPU = 3, HY_KIND_OTHER = 4 };

enum {
	HY_DEVICE_ONE_THREAD = 1u << 0, /* all calls for this device must come from one thread */
	HY_DEVICE_HOST_BINDINGS = 1u << 1, /* EXEC takes host addresses as bindings without a copy; see binding_align */
	HY_DEVICE_HOST_CORES = 1u << 2, /* computes on cores of the host; device_open takes the option "cores" */
	HY_DEVICE_SIMULATED = 1u << 3, /* its times are invented */
};

typedef struct hy_device_info {
	uint32_t size, kind, flags;
	uint32_t heap_count;
	uint32_t pci_vendor, pci_device; /* 0: not a PCI device */
	uint32_t numa_node; /* HY_GRAPH_NONE: unknown */
	uint32_t binding_align; /* bytes, a power of two: offset (or host address) of every EXEC binding */
	uint8_t uuid[16]; /* the same silicon has the same uuid, whichever plugin reports it; 0: unknown */
	char pci_address[16]; /* "0000:65:00.0", or "" */
	char id[64]; /* stable within the plugin, what follows "plugin://"; letters, digits, -._ */
	char name[96], arch[32], driver[64];
	uint64_t memory_bytes; /* of the first heap */
	uint64_t flops_f32, flops_f16, ops_i8, memory_bytes_per_s; /* peak; 0: unknown */
} hy_device_info;

enum {
	HY_HEAP_DEVICE = 1u << 0, /* near the device */
	HY_HEAP_HOST_VISIBLE = 1u << 1, /* the host can address it (extension "halyard.map") */
	HY_HEAP_COHERENT = 1u << 2,
	HY_HEAP_PINNED = 1u << 3,
};

typedef struct hy_heap_info {
	uint32_t size, flags;
	uint64_t align; /* of every buffer, bytes */
	uint64_t total_bytes, free_bytes, max_buffer_bytes;
} hy_heap_info;

/* One option, from the command line or YAML. Lent for the call. */
typedef struct hy_option {
	const char *key, *value;
} hy_option;

/* ---- what a device can run ---- */

enum { HY_NO = 0, HY_YES = 1 };

/* X(NAME, value, text): why a node is refused, copied or run elsewhere. Shown in plans. */
#define HY_REASON_LIST(X)                                             \
	X(NONE, 0, "")                                                \
	X(OP, 1, "operator not implemented")                          \
	X(DTYPE, 2, "element type not implemented for this operator") \
	X(SHAPE, 3, "rank or shape not implemented")                  \
	X(ATTRIBUTE, 4, "attribute value not implemented")            \
	X(VERSION, 5, "operator version not implemented")             \
	X(MEMORY, 6, "does not fit in device memory")                 \
	X(REGION, 7, "fused form not implemented: un-fuse")           \
	X(CONSTANT, 8, "an input must be constant here")              \
	X(DISABLED, 9, "switched off by an option")

typedef uint32_t hy_reason;
enum {
#define X(name, value, text) HY_REASON_##name = (value),
	HY_REASON_LIST(X)
#undef X
};

typedef struct hy_verdict {
	uint16_t answer; /* HY_NO or HY_YES */
	uint16_t reason; /* HY_REASON_* when NO */
} hy_verdict;

enum {
	HY_EXE_BORROWS_CONSTANTS = 1u << 0, /* reads the host's constant data after compile(): keep it until exe_free */
	/* Arithmetic that is coarser than the element types say. Declared, it widens what an answer may be off by and is
	 * named in reports; undeclared, it is a fault. Operands of contractions (f32) are rounded to: */
	HY_EXE_COMPUTES_TF32 = 1u << 1, /* 11 significant bits */
	HY_EXE_COMPUTES_BF16 = 1u << 2, /* 8 significant bits */
	HY_EXE_COMPUTES_F16 = 1u << 3, /* 11 significant bits and the range of f16 */
	HY_EXE_SUMS_F16 = 1u << 4, /* sums of contractions are kept in f16 */
	HY_EXE_FLUSHES_DENORMALS = 1u << 5, /* in arithmetic, not in copies: denormal operands and results may be 0 */
};

typedef struct hy_exe_info {
	uint32_t size, flags;
	uint64_t workspace_bytes; /* hy_command.workspace must be this large; may differ between exes */
	uint64_t constant_bytes; /* packed constants and code that the exe keeps on the device */
	uint32_t launches; /* kernels or primitives one EXEC starts */
	uint32_t reference_launches; /* of these, how many use a slow reference implementation (rule: never silent) */
} hy_exe_info;

/* ---- work ---- */

/* Bytes [offset, offset+length) of a buffer; buffer NULL: offset is a host address. */
typedef struct hy_ref {
	hy_buffer *buffer;
	uint64_t offset, length;
} hy_ref;

enum { HY_COMMAND_COPY = 1, HY_COMMAND_FILL = 2, HY_COMMAND_EXEC = 3 };

typedef struct hy_command {
	uint32_t kind;
	uint32_t binding_count;
	hy_ref target, source; /* COPY: equal lengths, no overlap, either may be host memory. FILL: target */
	uint64_t pattern; /* FILL: its low byte */
	hy_exe *exe; /* EXEC */
	const hy_ref *bindings; /* EXEC: graph inputs, then graph outputs, dense; lent until the ticket completes */
	hy_ref workspace; /* EXEC: contents undefined before and after */
} hy_command;

/* Commands are lent for the call; memory they point to, until the ticket completes. */
typedef struct hy_batch {
	uint32_t size, command_count, command_stride, flags;
	const hy_command *commands;
} hy_batch;

enum { HY_QUEUE_COMPUTE = 1, HY_QUEUE_COPY = 2 };

static inline const hy_command *hy_batch_at(const hy_batch *batch, uint32_t index)
{
	return (const hy_command *)(const void *)((const char *)batch->commands +
	                                          (size_t)batch->command_stride * index);
}

/* ---- the table a plugin fills; in brackets: required for conformance level L0 / L1, or optional ---- */

enum { HY_PLUGIN_UNLOADABLE = 1u << 0 }; /* the library may be closed after shutdown() */

typedef struct hy_plugin {
	uint32_t size, abi_minor; /* in: what the host knows; out: what the plugin filled */
	const char *name, *version; /* lent until shutdown; name: letters, digits, - */
	uint32_t flags, reserved;
	void *ctx; /* first argument where no handle is */
	/* [optional] Called last, after all devices are closed. */
	void (*shutdown)(void *ctx);
	/* [L0] Fails DEVICE_LOST or UNSUPPORTED with the reason when the driver is missing; 0 devices is fine. */
	hy_status (*device_count)(void *ctx, uint32_t *out_count);
	hy_status (*device_info)(void *ctx, uint32_t index, hy_device_info *out_info);
	hy_status (*device_open)(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
	                         hy_device **out_device);
	/* [L1] Queues, exes and buffers were closed before. */
	void (*device_close)(hy_device *device);
	hy_status (*heap_info)(hy_device *device, uint32_t heap, hy_heap_info *out_info);
	/* Slabs: the host cuts them up. Contents undefined. NO_MEMORY leaves everything usable. */
	hy_status (*buffer_alloc)(hy_device *device, uint32_t heap, uint64_t length, hy_buffer **out_buffer);
	void (*buffer_free)(hy_device *device, hy_buffer *buffer);
	hy_status (*queue_open)(hy_device *device, uint32_t kind, hy_queue **out_queue);
	void (*queue_close)(hy_queue *queue);
	/* Starts a batch and returns; host->complete(ticket) tells when all of it is done. Inputs are ready. */
	hy_status (*submit)(hy_queue *queue, const hy_batch *batch, uint64_t ticket);
	/* [L1] One verdict per node of subgraph 0, in order. Touches no device memory. */
	hy_status (*query)(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t verdict_count);
	/* graph and constants are lent for the call, but see HY_EXE_BORROWS_CONSTANTS. An op is a graph of one node. */
	hy_status (*compile)(hy_device *device, const hy_graph *graph, const hy_constant *constants,
	                     uint32_t constant_count, const hy_option *options, uint32_t option_count,
	                     hy_exe **out_exe);
	hy_status (*exe_info)(hy_exe *exe, hy_exe_info *out_info);
	void (*exe_free)(hy_exe *exe);
	/* [optional] The extension's constant table, or NULL. Experimental names are x.<vendor>.<name>. */
	const void *(*ext)(void *ctx, const char *name, uint32_t version);
} hy_plugin;

#if defined(__GNUC__)
#define HY_EXPORT __attribute__((visibility("default")))
#else
#define HY_EXPORT
#endif

/* The one exported symbol. Called once per process before anything else; returns INCOMPATIBLE with a text when
 * this machine or host can't be served. */
HY_EXPORT hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table);
typedef hy_status (*hy_plugin_entry)(const hy_host *host, hy_plugin *table);

/* Struct growth in one place: copies min(room, source) bytes and stores how much was filled. */
static inline void hy_put(void *target, const void *source, uint32_t source_size)
{
	uint32_t room;
	memcpy(&room, target, sizeof(room));
	const uint32_t length = room < source_size ? room : source_size;
	memcpy(target, source, length);
	memcpy(target, &length, sizeof(length));
}
#define HY_PUT(target, source) hy_put((target), (source), (uint32_t)sizeof(*(source)))

/* ---- extension "halyard.steps", version 1: what one EXEC is made of ---- */

enum {
	HY_STEP_REFERENCE = 1u << 0, /* a slow reference implementation */
	HY_STEP_REORDER = 1u << 1, /* a change of layout, not a node of the model */
};

typedef struct hy_step {
	uint32_t size, flags;
	uint32_t node; /* row of the blob's node table that this step begins with, or HY_GRAPH_NONE */
	uint32_t reserved;
	char implementation[64]; /* "brgconv:avx512_core", "gemm 12x32", ... */
	uint64_t calls, total_ns; /* since profile(exe, 1) */
} hy_step;

typedef struct hy_ext_steps {
	uint32_t size, reserved;
	uint32_t (*count)(hy_exe *exe);
	hy_status (*step)(hy_exe *exe, uint32_t index, hy_step *out_step);
	void (*profile)(hy_exe *exe, uint32_t on); /* measuring each step may slow the exe down */
} hy_ext_steps;

#define HY_EXT_STEPS "halyard.steps"

/* ---- extension "halyard.fault", version 1: how a test takes a device away ---- */

typedef struct hy_ext_fault {
	uint32_t size, reserved;
	/* From here on this open of the device is as if its hardware had gone: tickets in flight end OK or DEVICE_LOST, all
	 * work after it DEVICE_LOST with scope DEVICE. Frees and closes go on working; a new open is a new device. */
	void (*lose)(hy_device *device);
} hy_ext_fault;

#define HY_EXT_FAULT "halyard.fault"

#ifdef __cplusplus
}
#endif
#endif
