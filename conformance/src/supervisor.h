/* Keeps one worker alive and asks it to run cases; survives whatever happens to it. */
#ifndef HY_CONFORM_PRIVATE_SUPERVISOR_H
#define HY_CONFORM_PRIVATE_SUPERVISOR_H

#include "case.h"
#include "worker.h"

#include <sys/types.h>

enum { SUPERVISOR_OUTPUT = 16384, SUPERVISOR_HISTORY = 2048 };

typedef struct supervisor {
	const hy_conform_options *options;
	char worker_path[4096];
	pid_t pid; /* 0: none */
	int orders, answers, output;
	uint32_t batch; /* cases a worker runs before it is replaced */
	uint32_t cases_run; /* by this worker */
	uint32_t history_count; /* of them, the first that are kept; until the next worker starts */
	const conform_case *history[SUPERVISOR_HISTORY];
} supervisor;

typedef struct supervisor_result {
	hy_conform_status status;
	uint64_t time_ns;
	int signal, exit_code; /* of a CRASH; exit_code -1: none */
	bool hangs; /* a ticket was not completed in time */
	worker_record_kind record_kind;
	worker_record record;
	char text[4096];
	char output[SUPERVISOR_OUTPUT];
} supervisor_result;

/* Fails NOT_FOUND when there is no worker program. */
hy_status conform__supervisor_init(supervisor *self, const hy_conform_options *options, hy_error *error);
/* Runs one case; starts a worker when there is none and ends it after a case that did not hold. */
void conform__supervisor_run(supervisor *self, const conform_case *item, supervisor_result *out_result);
/* Runs cases and then item in one fresh worker, and ends it. The result is item's, or that of the first case before it
 * that ended the worker: then with the status NOT_RUN. */
void conform__supervisor_sequence(supervisor *self, uint32_t count, const conform_case *const *cases,
                                  const conform_case *item, supervisor_result *out_result);
/* One case with another order than the case's id: `id<TAB>scale of timeouts<TAB>variant` (variant.h). */
void conform__supervisor_order(supervisor *self, const conform_case *item, const char *order,
                               supervisor_result *out_result);
/* Asks a worker whom it has before it; false when the plugin can't say. */
bool conform__supervisor_describe(supervisor *self, worker_description *out_description);
/* Ends the worker and waits for it. */
void conform__supervisor_stop(supervisor *self);

#endif
