/* What a machine file says. */
#ifndef HY_SIM_MACHINE_H
#define HY_SIM_MACHINE_H

#include <halyard/status.h>

#include <stdbool.h>
#include <stddef.h>

#define HY_SIM_MOST_DEVICES 64u
#define HY_SIM_MOST_REFUSED 64u
#define HY_SIM_NAME_BYTES 48u

typedef struct hy_sim_faults {
	uint64_t lost_after; /* tickets until the device is lost; 0: never */
	uint64_t alloc_fails_after; /* buffers until there is no memory for more; 0: never */
	bool open_fails;
	double slow; /* real times are this many times those of the description; 0: 1 */
} hy_sim_faults;

typedef struct hy_sim_description {
	char name[HY_SIM_NAME_BYTES];
	uint32_t kind; /* HY_KIND_* */
	uint64_t flops, memory_bytes, bandwidth; /* per second; bytes; bytes per second */
	uint64_t launch_ns;
	bool has_link; /* else it takes host memory in place */
	uint64_t link_bandwidth, link_latency_ns;
	bool real_numbers;
	bool refuses_regions;
	uint32_t refused_count;
	char refused[HY_SIM_MOST_REFUSED][HY_SIM_NAME_BYTES]; /* operators */
	hy_sim_faults faults;
} hy_sim_description;

typedef struct hy_sim_machine {
	bool manual_clock;
	uint32_t device_count;
	hy_sim_description devices[HY_SIM_MOST_DEVICES];
} hy_sim_machine;

/* Reads a machine file (README.md). name is for messages. All is refused that is not understood.
 * Fails: INVALID, "name:line:column: what is wrong; what to write instead". */
hy_status hy_sim_yaml_parse(const char *name, const void *bytes, size_t length, hy_sim_machine *out_machine,
                            hy_error *error);
/* The same from a file of at most 1 MiB. NOT_FOUND. */
hy_status hy_sim_yaml_load(const char *path, hy_sim_machine *out_machine, hy_error *error);

#endif
