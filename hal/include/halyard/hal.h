/* The HAL: find, load, open, drive and survive devices.
 *
 * A machine holds the plugins of this process and the devices they offer. Nothing is loaded that was not first probed
 * in a child process; what could not be used is listed with its reason. Devices are opened by id, give memory and
 * queues, and run programs compiled from relocatable graphs (halyard/graph.h), which the HAL never looks into.
 *
 * Pointers that are returned are lent by their first argument. Destroy and close accept NULL. Calls that can fail
 * write a line to `error` (NULL is allowed). Thread words: "any": concurrent calls are fine; "one at a time": per
 * object. */
#ifndef HALYARD_HAL_H
#define HALYARD_HAL_H

#include <halyard/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hy_hal_machine hy_hal_machine;
typedef struct hy_hal_device hy_hal_device;
typedef struct hy_hal_buffer hy_hal_buffer;
typedef struct hy_hal_queue hy_hal_queue;
typedef struct hy_hal_program hy_hal_program;

/* ---- machine ---- */

/* Receives log lines of the HAL (plugin "hal") and of plugins. Threads: any; must not block or call back. */
typedef void (*hy_hal_log_fn)(void *payload, int32_t level, const char *plugin, const char *text);

typedef struct hy_hal_machine_options {
	uint32_t size;
	int32_t log_level; /* HY_LOG_* */
	hy_hal_log_fn log; /* NULL: silent */
	void *log_payload;
	const char
		*manifest_path; /* colon-separated folders of manifests, instead of the default search path; or NULL */
	const char *disable; /* comma-separated plugin names (glob) not to load; or NULL */
	const char *layers; /* comma-separated: "validate", "trace"; or NULL */
	uint64_t probe_timeout_ns; /* 0: 10 s */
	uint32_t flags; /* HY_HAL_NO_PROBE */
} hy_hal_machine_options;

enum {
	HY_HAL_NO_PROBE = 1u
	                  << 0, /* load without the child process: for debuggers and for plugins linked into a test */
};

/* Reads the manifests of, in this order: HALYARD_PLUGIN_PATH, the user's and the system's folders, and the folder beside
 * this library (README); probes, loads, lists devices. A plugin that fails is no failure of this call. options may be
 * NULL. Fails: NO_MEMORY; INVALID for an unknown layer. */
hy_status hy_hal_machine_open(const hy_hal_machine_options *options, hy_hal_machine **out_machine, hy_error *error);
/* Devices were closed before. */
void hy_hal_machine_close(hy_hal_machine *machine);

typedef enum hy_hal_plugin_state {
	HY_HAL_PLUGIN_LOADED, /* usable; may have no devices */
	HY_HAL_PLUGIN_REFUSED, /* manifest, probe, ABI or entry failed: see status and reason */
	HY_HAL_PLUGIN_DISABLED, /* by an option */
} hy_hal_plugin_state;

typedef struct hy_hal_plugin_info {
	const char *name, *version, *manifest, *library;
	hy_hal_plugin_state state;
	hy_status status;
	const char *reason; /* one line; "" when loaded */
	uint32_t abi_minor, device_count;
	uint64_t probe_ns;
} hy_hal_plugin_info;

uint32_t hy_hal_machine_plugin_count(const hy_hal_machine *machine);
const hy_hal_plugin_info *hy_hal_machine_plugin(const hy_hal_machine *machine, uint32_t index);

typedef struct hy_hal_device_info {
	const char *id; /* "cpu:0": plugin and number on this machine */
	const char *uri; /* "cpu://epyc-0": stable while the hardware stays */
	const char *plugin;
	const char *same_as; /* id of the device that is the same chip through a preferred plugin, or NULL */
	hy_device_info info; /* as the plugin filled it */
} hy_hal_device_info;

uint32_t hy_hal_machine_device_count(const hy_hal_machine *machine);
const hy_hal_device_info *hy_hal_machine_device(const hy_hal_machine *machine, uint32_t index);

/* One device of a selector, with its options. */
typedef struct hy_hal_selected {
	uint32_t device; /* index in the machine */
	uint32_t option_count;
	const hy_option *options; /* lent by the selection */
} hy_hal_selected;
typedef struct hy_hal_selection {
	uint32_t count;
	hy_hal_selected *items;
	void *storage;
} hy_hal_selection;

/* Selectors: a comma-separated list of ids ("cpu:0"), uris, "plugin:*", "*", or "!id" to take away, each with options
 * in query form: "cpu:0?cores=0-3&x=y". NULL or "" is "*" without simulated devices, those with same_as, those that
 * can't compute and those of plugins whose manifest has a priority below 0. Duplicates are INVALID, an id that is not there NOT_FOUND (with those that are).
 * A "*" passes over devices that were named before. The same device may appear twice when its options differ in
 * "cores". */
hy_status hy_hal_machine_select(const hy_hal_machine *machine, const char *selector, hy_hal_selection *out_selection,
                                hy_error *error);
void hy_hal_selection_finish(hy_hal_selection *selection);

/* ---- topology ---- */

/* What this process may use, from hwloc, the cpuset and the cgroup's cpu.max. */
typedef struct hy_hal_topology_info {
	const char *cpu_model;
	uint32_t package_count, numa_count, core_count, pu_count; /* of the machine */
	uint32_t allowed_count;
	const uint32_t *allowed; /* OS numbers of one processing unit per core that this process may run on */
	double cpu_quota; /* cores' worth of time the cgroup allows; 0: no limit */
	uint64_t memory_bytes; /* of the machine, or the cgroup's limit if lower */
	uint64_t l2_bytes, l3_bytes; /* of the first core */
} hy_hal_topology_info;

const hy_hal_topology_info *hy_hal_machine_topology(const hy_hal_machine *machine);
/* hwloc XML v2 of the machine. The text is the caller's, free(). */
hy_status hy_hal_topology_export(const hy_hal_machine *machine, char **out_xml, hy_error *error);

/* Memories and bus of a machine as hwloc describes it; knows no plugins. */
typedef struct hy_hal_map hy_hal_map;

typedef struct hy_hal_map_numa {
	uint64_t memory_bytes;
	char cores[96]; /* "0-3,8-11": near it, in hwloc's logical order */
} hy_hal_map_numa;

/* An accelerator on the PCI bus: of class display (03) or processing accelerator (12), or one that hwloc calls so. */
typedef struct hy_hal_map_device {
	char pci[16]; /* "0000:41:00.0" */
	char names[96]; /* of the system and of vendors' libraries for it: "cuda0,renderD128"; may be empty */
	char model[96]; /* may be empty */
	uint32_t pci_vendor, pci_device, numa; /* HY_GRAPH_NONE: unknown */
	uint64_t memory_bytes, bytes_per_s; /* its own; of its way to the host; 0 unknown */
} hy_hal_map_device;

typedef struct hy_hal_map_info {
	uint32_t numa_count, device_count, core_count;
	const hy_hal_map_numa *numas;
	const hy_hal_map_device *devices; /* by address */
} hy_hal_map_info;

typedef enum hy_hal_near {
	HY_HAL_ONE_BRIDGE,
	HY_HAL_BRIDGES,
	HY_HAL_HOST_BRIDGE,
	HY_HAL_ONE_NUMA,
	HY_HAL_FAR, /* of different NUMA nodes */
} hy_hal_near;

/* source: NULL for this machine; "synthetic:TEXT" for hwloc's synthetic descriptions; else a file of hwloc XML.
 * Fails: NOT_FOUND; INVALID for what hwloc does not read; UNSUPPORTED. */
hy_status hy_hal_map_open(const char *source, hy_hal_map **out_map, hy_error *error);
void hy_hal_map_close(hy_hal_map *map);
const hy_hal_map_info *hy_hal_map_describe(const hy_hal_map *map);
/* What lies between two devices. */
hy_hal_near hy_hal_map_between(const hy_hal_map *map, uint32_t a, uint32_t b);
/* Bytes per second of a link of their own that hwloc's matrices of bandwidth have for two devices, and the matrix's
 * name; 0: none. */
uint64_t hy_hal_map_link(const hy_hal_map *map, uint32_t from, uint32_t to, const char **out_name);
/* hwloc XML of it. The text is the caller's, free(). */
hy_status hy_hal_map_export(const hy_hal_map *map, char **out_xml, hy_error *error);

/* ---- devices ---- */

/* Opens a device of the machine; every open is a device of its own. Fails as the plugin does; INVALID names an unknown
 * option. Threads: any. */
hy_status hy_hal_device_open(hy_hal_machine *machine, uint32_t index, const hy_option *options, uint32_t option_count,
                             hy_hal_device **out_device, hy_error *error);
/* Programs, buffers and queues were closed before. */
void hy_hal_device_close(hy_hal_device *device);
const hy_hal_device_info *hy_hal_device_description(const hy_hal_device *device);
/* False after a failure of scope DEVICE or PROCESS. Threads: any. */
bool hy_hal_device_is_usable(const hy_hal_device *device);
hy_status hy_hal_device_heap(hy_hal_device *device, uint32_t heap, hy_heap_info *out_info, hy_error *error);

/* One verdict per node of subgraph 0. Threads: any. */
hy_status hy_hal_device_query(hy_hal_device *device, const hy_graph *graph, uint32_t verdict_count,
                              hy_verdict *out_verdicts, hy_error *error);

/* The table of an extension of the device's plugin, or NULL. For extensions whose calls need no handle; those of
 * halyard.* that the HAL uses itself have calls of their own below. Threads: any. */
const void *hy_hal_device_extension(hy_hal_device *device, const char *name, uint32_t version);

/* ---- memory ---- */

/* length bytes of heap 0 from the device's pool of slabs, aligned to the device's binding_align; contents undefined.
 * Fails: NO_MEMORY (after giving unused slabs back and trying again). Threads: any. */
hy_status hy_hal_buffer_create(hy_hal_device *device, uint64_t length, hy_hal_buffer **out_buffer, hy_error *error);
void hy_hal_buffer_destroy(hy_hal_buffer *buffer);
hy_ref hy_hal_buffer_ref(const hy_hal_buffer *buffer);

/* Bytes of this device in slabs, and in buffers handed out, now and at most since open. */
typedef struct hy_hal_memory_stats {
	uint64_t slab_bytes, used_bytes, peak_used_bytes;
} hy_hal_memory_stats;
void hy_hal_device_memory(const hy_hal_device *device, hy_hal_memory_stats *out_stats);

/* Host memory as a binding or copy end. */
hy_ref hy_hal_host_ref(const void *data, uint64_t length);

/* ---- programs ---- */

/* Compiles a graph. constants: graph->constant_count entries; kept by the caller until destroy if
 * hy_hal_program_info says HY_EXE_BORROWS_CONSTANTS, else only for the call. Threads: any. */
hy_status hy_hal_program_create(hy_hal_device *device, const hy_graph *graph, const hy_constant *constants,
                                uint32_t constant_count, const hy_option *options, uint32_t option_count,
                                hy_hal_program **out_program, hy_error *error);
void hy_hal_program_destroy(hy_hal_program *program);
const hy_exe_info *hy_hal_program_info(const hy_hal_program *program);
hy_exe *hy_hal_program_exe(const hy_hal_program *program); /* for hy_command.exe */

/* What one run is made of (extension halyard.steps); 0 steps when the plugin doesn't tell. */
uint32_t hy_hal_program_step_count(const hy_hal_program *program);
hy_status hy_hal_program_step(const hy_hal_program *program, uint32_t index, hy_step *out_step);
void hy_hal_program_profile(hy_hal_program *program, bool on);

/* ---- queues ---- */

hy_status hy_hal_queue_open(hy_hal_device *device, uint32_t kind, hy_hal_queue **out_queue, hy_error *error);
/* Waits for what was accepted; the plugin completes what it can't run as CANCELLED. */
void hy_hal_queue_close(hy_hal_queue *queue);

/* Called exactly once per accepted submission, on any thread, perhaps before submit returns. Must not block; may submit,
 * to this queue too where no other thread does. done is lent for the call. */
typedef void (*hy_hal_done_fn)(void *payload, const hy_done *done);

/* Starts commands in order. Commands are lent for the call, bindings and memory until on_done. An error answer means
 * that on_done will never come. Threads: one at a time per queue. Cost: no allocation, no lock held across the plugin. */
hy_status hy_hal_queue_submit(hy_hal_queue *queue, uint32_t command_count, const hy_command *commands,
                              hy_hal_done_fn on_done, void *payload, hy_error *error);

/* The same and waits; out_done may be NULL. A failed ticket is this call's failure. TIMEOUT: the work is still running
 * and its memory still lent: close the queue. timeout_ns 0: no limit. */
hy_status hy_hal_queue_run(hy_hal_queue *queue, uint32_t command_count, const hy_command *commands, uint64_t timeout_ns,
                           hy_done *out_done, hy_error *error);

/* CLOCK_MONOTONIC, the clock of hy_done. */
uint64_t hy_hal_now_ns(void);

#ifdef __cplusplus
}
#endif
#endif
