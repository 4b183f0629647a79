/* What the files of the reference plugin share. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <halyard/ir.h>
#include <halyard/plugin.h>

#include <pthread.h>

enum mutant {
#define MUTANT(number, name, group) MUTANT_##name = (number),
#define VARIANT(number, name) MUTANT_##name = (number),
#include "mutants.def"
#undef MUTANT
};

typedef struct plugin {
	const hy_host *host;
	int mutant; /* enum mutant, or 0 */
	bool broken;
} plugin;

#define IS(self, name) ((self)->mutant == MUTANT_##name)

struct hy_device {
	const plugin *plugin;
	const hy_host *host;
	unsigned char *last_end, *shared;
	uint64_t shared_used;
	uint32_t queue_count, ticket_count, query_count, exe_count, freed_number;
	const hy_graph *compiling;
	uint32_t allocating;
	bool refuses_all, lost;
	uint32_t refusals; /* since it was lost */
	hy_exe *first_exe;
	float *last_answer;
	uint64_t last_length;
};

struct hy_buffer {
	unsigned char *block, *bytes;
	uint64_t length;
};

struct hy_exe {
	hy_device *device;
	hy_ir_graph *graph;
	void *blob;
	hy_constant *constants;
	uint32_t constant_count;
	uint32_t number;
	bool is_region;
	const char *op; /* of the first node */
};

hy_status reference_fail(const hy_host *host, hy_status status, const char *text);
/* Host memory is exhausted. */
hy_status reference_exhausted(const hy_device *device);
bool reference_is_lost(hy_device *device);
/* DEVICE_LOST with its scope and text. */
hy_status reference_lost(const hy_device *device);

hy_status reference_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue);
void reference_queue_close(hy_queue *queue);
hy_status reference_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket);

hy_status reference_query(hy_device *device, const hy_graph *graph, hy_verdict *out_verdicts, uint32_t count);
hy_status reference_compile(hy_device *device, const hy_graph *graph, const hy_constant *constants,
                            uint32_t constant_count, const hy_option *options, uint32_t option_count, hy_exe **out_exe);
hy_status reference_exe_info(hy_exe *exe, hy_exe_info *out_info);
void reference_exe_free(hy_exe *exe);
/* memory: the bindings' addresses, inputs first. NULL, or why it failed. */
const char *reference_execute(hy_exe *exe, uint32_t count, unsigned char *const *memory, const hy_ref *bindings);

void reference_mutate_inputs(const hy_exe *exe, uint32_t count, hy_ir_tensor *inputs);
void reference_mutate_output(hy_exe *exe, const hy_ir_tensor *inputs, hy_ir_tensor *y);
void reference_drop_last_step(const hy_exe *exe, const hy_ir_tensor *inputs, hy_ir_tensor *y);

#endif
