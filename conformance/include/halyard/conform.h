/* Conformance: what "a correct plugin" means, as a suite that can be run from the command line or from a vendor's own
 * test program.
 *
 * The calling process never opens the plugin: every case runs in a worker process (halyard-conformance --worker). */
#ifndef HALYARD_CONFORM_H
#define HALYARD_CONFORM_H

#include <halyard/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HY_CONFORM_SUITE_VERSION "1.1.0"

/* X(NAME, value, text). PASS, NOT_SUPPORTED and WAIVED leave a plugin conformant; the rest do not. */
#define HY_CONFORM_STATUS_LIST(X)                                         \
	X(PASS, 0, "holds")                                               \
	X(FAIL, 1, "does not hold")                                       \
	X(NOT_SUPPORTED, 2, "optional, and the plugin does not claim it") \
	X(WAIVED, 3, "fails, and a waiver that is still valid says so")   \
	X(XPASS, 4, "holds although a waiver says that it fails")         \
	X(CRASH, 5, "the worker died by a signal or left on its own")     \
	X(TIMEOUT, 6, "the worker did not answer in time")                \
	X(DEVICE_LOST, 7, "the plugin said that its device is gone")      \
	X(RESOURCE, 8, "the machine has too little memory for this case") \
	X(HARNESS_ERROR, 9, "the suite could not judge")                  \
	X(NOT_RUN, 10, "not reached")                                     \
	X(FLAKY, 11, "fails in company and holds alone, or the other way round")

typedef enum hy_conform_status {
#define X(name, value, text) HY_CONFORM_##name = (value),
	HY_CONFORM_STATUS_LIST(X)
#undef X
		HY_CONFORM_STATUS_COUNT
} hy_conform_status;

const char *hy_conform_status_name(hy_conform_status status);

typedef enum hy_conform_level {
	HY_CONFORM_L0, /* loads */
	HY_CONFORM_L1, /* core: memory, queues, programs, the operators of convolutional networks */
	HY_CONFORM_L2, /* inference: the rest of the operators, regions, special values */
	HY_CONFORM_L3, /* production: faults and stress */
} hy_conform_level;

/* The exit status of `halyard conformance`, too. */
typedef enum hy_conform_verdict {
	HY_CONFORM_CONFORMANT = 0,
	HY_CONFORM_NOT_CONFORMANT = 1,
	HY_CONFORM_NO_JUDGEMENT = 3, /* the suite's own failure */
	HY_CONFORM_NOT_LOADED = 4, /* the plugin could not be loaded */
	HY_CONFORM_PARTIAL = 5, /* part of the list was run: never a verdict */
} hy_conform_verdict;

typedef struct hy_conform_case_info {
	const char *id; /* "memory.copy.target_offset_1": stable */
	const char *group; /* "memory" */
	const char *rule; /* of plugin.h: "P13" */
	const char *since; /* suite version */
	hy_conform_level level;
	const char *op, *dtype; /* of group operator: "Conv", "f32"; else NULL */
	const char *proven_by; /* mutants of the reference plugin that it notices: "24 34"; "": none, unproven */
} hy_conform_case_info;

uint32_t hy_conform_case_count(void);
const hy_conform_case_info *hy_conform_case_at(uint32_t index);
/* Fingerprint (xxh64) of the version, all ids and levels, operator lines and tolerances: two runs with the same number
 * were judged by the same list. */
uint64_t hy_conform_list_hash(void);

enum { HY_CONFORM_RANK_MAX = 8, HY_CONFORM_SHOWN = 3 };

/* An element that is not what the oracle says. */
typedef struct hy_conform_element {
	int64_t index[HY_CONFORM_RANK_MAX];
	double got, expected, bound;
	double magnitude; /* what rounding errors are relative to: |expected|, or the sum of |a*b| */
} hy_conform_element;

/* An output with elements out of bounds, and how the bound of each came about:
 * |got - expected| <= (factor + root * sqrt(terms)) * unit * magnitude + least. */
typedef struct hy_conform_difference {
	char dtype[8],
		tolerance[64]; /* of the output; class of tolerances.def and the arithmetic the program declares */
	uint32_t rank, shown; /* shown: elements in first */
	uint32_t arithmetic, reserved; /* HY_EXE_COMPUTES_* and the like of plugin.h that the program declares */
	int64_t dims[HY_CONFORM_RANK_MAX];
	double factor, root, unit, least;
	int64_t terms, wrong, total; /* additions behind an element; elements out of bounds, of how many */
	hy_conform_element first[HY_CONFORM_SHOWN];
} hy_conform_difference;

/* One case's end. Text is lent for the call. */
typedef struct hy_conform_result {
	const hy_conform_case_info *info;
	hy_conform_status status;
	uint64_t time_ns;
	const char *text; /* what was expected, what came, where; "" on PASS */
	const char *output; /* what the plugin printed, its last bytes */
	int signal; /* CRASH: the signal, or 0 when it left by exit */
	const hy_conform_difference *difference; /* NULL: the case failed for another reason than numbers */
	int exit_code; /* CRASH: what the worker left with, or -1 */
} hy_conform_result;

typedef struct hy_conform_options {
	uint32_t size;
	const char *plugin; /* path of the shared object */
	uint32_t device; /* index in the plugin */
	const char *device_options; /* "cores=0&x=y", or NULL */
	hy_conform_level level; /* cases up to this level are run */
	const char *cases; /* comma-separated globs, NULL: all. With it there is no verdict */
	uint32_t batch; /* cases a worker runs before it is replaced; 0: 1. UINT32_MAX: never replaced */
	uint64_t seed; /* 0 is the suite's own; others give no verdict */
	double timeout_scale; /* 0: 1 */
	const char *waivers; /* file, or NULL */
	bool strict; /* XPASS counts as a failure */
	const char *worker; /* path of halyard-conformance; NULL: beside the program, or as installed with the library */
	const char *results; /* results.jsonl to write line by line, or NULL */
	void (*on_result)(void *payload, const hy_conform_result *result);
	void *payload;
	const char *exclude; /* comma-separated globs, taken from what the rest selects */
	const char *caselist; /* file with a glob a line */
	const char *rerun; /* cases of a report.json, with the suffix ":failed" those that did not hold */
	uint32_t shard, shard_count; /* every shard_count-th case, from the shard-th (1...) on; 0: all */
	uint32_t repeat; /* times a case is run; what does not always hold is FLAKY. 0: 1 */
	bool shuffle; /* another order, the same for the same seed */
	const char *out; /* folder for results.jsonl and the reports, or NULL; made when it is not there */
	const char *formats; /* of the reports: "json,junit,html" or a part; NULL: all */
	const char *submission; /* archive to write, or NULL (hy_conform_verify) */
	const char *propose_waivers; /* file to write: a line for each failure, without an approver */
	bool perf; /* measure the device after the cases: data for the report, never a verdict */
	const char *costs; /* with perf: file to write, which the scheduler reads, or NULL */
} hy_conform_options;

typedef struct hy_conform_summary {
	hy_conform_verdict verdict;
	uint32_t selected, total; /* cases run, and in the list up to the level */
	uint32_t count[HY_CONFORM_STATUS_COUNT];
	uint64_t time_ns;
	char text[256]; /* the verdict in one line */
	uint32_t perf_findings; /* measurements that failed or can't be true; in the report */
} hy_conform_summary;

/* Runs the suite. Fails when it could not begin: NOT_FOUND (plugin, worker, a file), INVALID (options, waivers), INTERNAL
 * (the comparator's own test); or could not write its reports: NOT_FOUND, and then out_summary is there all the same.
 * Threads: one at a time. */
hy_status hy_conform_run(const hy_conform_options *options, hy_conform_summary *out_summary, hy_error *error);

/* A failing case made small. */
typedef struct hy_conform_minimised {
	hy_conform_status status; /* how it fails */
	uint32_t tries;
	bool stopped; /* two minutes, times the scale of timeouts, were over before nothing smaller was found */
	char text[1024]; /* what the small one says */
	char before[1024], after[1024]; /* operator, inputs, attributes, steps */
} hy_conform_minimised;

/* Shrinks a failing case of group operator or region while it fails in the same way, and writes into folder: the model
 * and its data (model.onnx, test_data_set_0/) and reproduce.c, a C program that needs <halyard/plugin.h> only. Level,
 * cases and waivers of the options are not used. Fails: NOT_FOUND (plugin, worker, case, folder; the case holds),
 * UNSUPPORTED (a case of another group; a failure that comes and goes). */
hy_status hy_conform_minimise(const hy_conform_options *options, const char *id, const char *folder,
                              hy_conform_minimised *out_result, hy_error *error);

/* Puts the results of shards together, as if they were one run: folders as `out` of each, reports go to options->out,
 * options->submission and options->formats, the rest of options is not read. Fails INVALID when they are of different
 * suites, lists, plugins, devices, levels or seeds. */
hy_status hy_conform_merge(const hy_conform_options *options, uint32_t count, const char *const *folders,
                           hy_conform_summary *out_summary, hy_error *error);

/* Derives the verdict of a submission again from its lines. plugin: a file that must be the one that was judged, or NULL.
 * Fails INVALID when anything in it was edited or is missing, INCOMPATIBLE when it is of another suite or list. */
hy_status hy_conform_verify(const char *submission, const char *plugin, hy_conform_summary *out_summary,
                            hy_error *error);

/* The comparator's own test, which every run begins with: NULL, or what is wrong. */
const char *hy_conform_self_test(void);

#ifdef __cplusplus
}
#endif
#endif
