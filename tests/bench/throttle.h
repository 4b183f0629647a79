/* The plugin "throttle": devices that are the plugin cpu's first one, slower, or gone for a while. For benches and tests
 * of how load is balanced.
 *
 * device_open takes the option duty=D, 0 < D <= 1, beside those of the plugin cpu: after t seconds of processor time a
 * device rests until t/D have passed, as if it computed at D of the speed. Rests are slept by the thread that computes,
 * so that the device does nothing else. */
#ifndef HY_BENCH_THROTTLE_H
#define HY_BENCH_THROTTLE_H

#include <halyard/plugin.h>

#define HY_EXT_THROTTLE "x.halyard.throttle"

/* device: number of the plugin's device; for every opening of it. Threads: any. */
typedef struct hy_ext_throttle {
	uint32_t size, reserved;
	/* Makes the duty `speed` times what device_open was told. */
	void (*set_speed)(uint32_t device, double speed);
	/* Gone: what runs and what is submitted fails as DEVICE_LOST, and so does opening, until it is back. */
	void (*set_gone)(uint32_t device, uint32_t gone);
	/* Computes, but tells nobody until it stops hanging. */
	void (*set_hanging)(uint32_t device, uint32_t hanging);
	/* Processor time spent inside of the plugin, rests not counted. */
	uint64_t (*work_ns)(uint32_t device);
} hy_ext_throttle;

#endif
