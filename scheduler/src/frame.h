/* One run of a program: its bindings, staging buffers and commands. Made once, bound to new memory for each request. */
#ifndef HY_SCHED_FRAME_H
#define HY_SCHED_FRAME_H

#include "plan.h"

typedef struct hy_sched__frame {
	hy_hal_device *device;
	bool binds_host;
	uint32_t align; /* of host memory used in place */
	uint32_t input_count, binding_count; /* inputs, then outputs */
	uint64_t *lengths; /* owned, as all below */
	hy_ref *bindings;
	hy_hal_buffer **staging; /* made when first needed */
	hy_command *commands; /* 2 * binding_count + 1 */
	uint32_t copy_in_count, copy_out_count; /* of the commands, before and after the run */
} hy_sched__frame;

hy_status hy_sched__frame_init(hy_sched__frame *frame, const hy_sched__device *device, const hy_ir_graph *graph,
                               const hy_sched__part *part, hy_error *error);
void hy_sched__frame_finish(hy_sched__frame *frame);

/* Points the frame at host memory, one address per binding, and writes its commands: copies of what the device can't
 * take where it is, the run, copies back. Cost: no allocation once every binding that needs staging has it.
 * Fails: NO_MEMORY. */
hy_status hy_sched__frame_bind(hy_sched__frame *frame, void *const *hosts, const hy_hal_program *program,
                               const hy_ref *workspace, uint32_t *out_command_count, hy_error *error);

#endif
