/* Extension "x.halyard.sim.clock", version 1: the time of simulated devices. */
#ifndef HY_SIM_CLOCK_H
#define HY_SIM_CLOCK_H

#include <halyard/plugin.h>

#define HY_EXT_SIM_CLOCK "x.halyard.sim.clock"

/* All devices of a process share one clock. It starts at 1 s. In automatic mode every ticket ends inside its submission
 * and the clock follows the latest end; in manual mode it stands still until advance(), which ends the tickets whose
 * time has come, in order, on the caller's thread. Threads: any. */
typedef struct hy_sim_clock {
	uint32_t size, reserved;
	void *ctx;
	uint64_t (*now)(void *ctx);
	void (*advance)(void *ctx, uint64_t ns);
	void (*set_auto)(void *ctx, uint32_t on);
	/* Tickets that are accepted and not done. */
	uint32_t (*pending)(void *ctx);
} hy_sim_clock;

#endif
