/* How the supervisor and a worker talk.
 *
 * The worker reads case ids, a line each, from descriptor WORKER_ORDERS, and answers each on WORKER_ANSWERS with one
 * worker_answer, a record and a text. Standard output and error are the plugin's to break rule P7 with. */
#ifndef HY_CONFORM_PRIVATE_WORKER_H
#define HY_CONFORM_PRIVATE_WORKER_H

#include <halyard/conform.h>
#include <halyard/plugin.h>

#include <signal.h>

enum { WORKER_ORDERS = 3, WORKER_ANSWERS = 4, WORKER_TEXT_MAX = 4096 };

/* The signal on which a thread of the worker writes where it is, and goes on. */
#define WORKER_WHERE SIGQUIT

/* The order that asks whether the device opens and moves bytes. */
#define WORKER_PROBE "!"

/* The order that asks for a description instead of a case. */
#define WORKER_DESCRIBE "?"

/* Whom the suite judges, in the plugin's own words. Texts end within their arrays when the supervisor hands them on. */
typedef struct worker_description {
	uint32_t abi_minor, reserved;
	char plugin_name[64], plugin_version[64];
	hy_device_info device;
} worker_description;

/* The order that asks for a measurement: the row's number follows (perf.h). */
#define WORKER_MEASURE "@"

/* What one row of the performance run took. */
typedef struct worker_measurement {
	uint32_t samples, noisy, launches, reference_launches;
	double median_ns, deviation_ns, p99_ns;
	uint64_t model, constant_bytes, workspace_bytes; /* model: hash of the graph; 0: no program */
} worker_measurement;

/* What an answer carries beside its text. */
typedef union worker_record {
	hy_conform_difference difference; /* of a case that failed on numbers */
	worker_description description; /* of WORKER_DESCRIBE */
	worker_measurement measurement; /* of WORKER_MEASURE */
} worker_record;

typedef enum worker_record_kind {
	WORKER_NO_RECORD,
	WORKER_DIFFERENCE,
	WORKER_DESCRIPTION,
	WORKER_MEASUREMENT
} worker_record_kind;

typedef struct worker_answer {
	uint32_t magic;
	uint16_t status, hangs; /* hangs: a ticket was not completed in time */
	uint64_t time_ns;
	uint32_t text_length, record; /* a worker_record_kind; NONE: no record is sent */
} worker_answer;

#define WORKER_MAGIC 0x4e464359u

/* arguments: plugin, device, options, seed, scale of timeouts. */
int conform__worker_main(int argc, char **argv);

#endif
