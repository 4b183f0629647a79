/* Work of a simulated device. */
#ifndef HY_SIM_QUEUE_H
#define HY_SIM_QUEUE_H

#include "sim.h"

/* A batch that was accepted. */
struct hy_sim_job {
	hy_sim_job *next;
	hy_queue *queue;
	uint64_t ticket, begin_ns, end_ns;
	bool lost; /* the device ends with it */
	uint32_t command_count;
	hy_command commands[];
};

void hy_sim_clock_init(hy_sim_plugin *plugin);

#endif
