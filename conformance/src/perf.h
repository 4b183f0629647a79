/* The performance run: what is measured, by a worker each, and what is made of it. */
#ifndef HY_CONFORM_PRIVATE_PERF_H
#define HY_CONFORM_PRIVATE_PERF_H

#include "program.h"
#include "supervisor.h"

#include <jansson.h>

typedef enum perf_kind {
	PERF_SUBMIT, /* until submit() returns, of an empty batch */
	PERF_SYNC, /* until that batch is complete */
	PERF_TO, /* host to device */
	PERF_FROM,
	PERF_WITHIN,
	PERF_GEMM,
	PERF_CONV,
	PERF_ELEMENTWISE,
	PERF_COMPILE,
} perf_kind;

typedef struct perf_row {
	const char *name;
	perf_kind kind;
	uint64_t bytes; /* copies: of one; elementwise: read and written */
	double operations; /* of one run, a multiplication and an addition are two */
	const char *op, *inputs, *attrs; /* input 1 is a constant, but for elementwise */
} perf_row;

const perf_row *conform__perf_rows(uint32_t *out_count);

/* In a worker: measures a row. Problems end the case: FAIL where the numbers can't be true. */
void conform__perf_measure(conform_run *run, const perf_row *row, worker_measurement *out);

/* Measures all rows that the plugin can run, each in a worker of its own. {"record": "perf", "perf": {...}} for the
 * results; costs, a file that the scheduler reads, or NULL. description: whom. */
hy_status conform__perf_run(supervisor *worker, const hy_conform_options *options,
                            const worker_description *description, json_t **out_record, hy_error *error);

/* Median, median absolute deviation, 99th percentile, and the coefficient of variation of the middle nine tenths.
 * Reorders the samples. */
typedef struct perf_statistics {
	double median, deviation, p99, variation;
} perf_statistics;
perf_statistics conform__perf_summarise(uint32_t count, double *samples);

#endif
