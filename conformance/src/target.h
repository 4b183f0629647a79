/* The plugin under test inside a worker: its table, its device, and a host that counts what it is told. */
#ifndef HY_CONFORM_PRIVATE_TARGET_H
#define HY_CONFORM_PRIVATE_TARGET_H

#include "case.h"

#include <pthread.h>

enum {
	CONFORM_TICKETS = 4096, /* that one case may use */
	CONFORM_TEXT = 1024,
	CONFORM_GUARD = 256, /* sentinel bytes before and behind each guarded range */
	CONFORM_POISON = 0xa5,
};

typedef struct conform_ticket {
	uint32_t completions;
	hy_done done;
	char text[128];
} conform_ticket;

/* What the plugin told the host. One per table; the lock guards all of it. */
typedef struct conform_host {
	hy_host host;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	conform_ticket *tickets; /* CONFORM_TICKETS */
	uint64_t first_ticket, next_ticket; /* of this case; numbers are never used again */
	uint32_t strange_completions; /* of tickets never submitted */
	uint32_t error_count, log_count;
	uint64_t log_bytes;
	hy_status last_status;
	hy_scope last_scope;
	char last_text[CONFORM_TEXT];
} conform_host;

struct conform_run {
	const conform_case *self;
	const char *plugin_path;
	uint32_t device_index;
	hy_option options[8];
	uint32_t option_count;
	uint64_t seed, random_state;
	double timeout_scale; /* of what tickets may take */

	void *library;
	hy_plugin_entry entry;
	conform_host host;
	hy_plugin table;
	hy_device *device;
	hy_device_info info;
	bool loaded;

	hy_conform_status status;
	bool ended, hangs; /* hangs: a ticket was not completed in time */
	char text[CONFORM_TEXT];
	bool differs; /* the case failed on numbers: */
	hy_conform_difference difference;
};

/* Before the check of each case. */
void conform__run_begin(conform_run *run, const conform_case *item);

/* ---- loading; each ends the case on failure ---- */

void conform__host_init(conform_host *host);
/* dlopen and dlsym; once per worker. */
bool conform__target_open(conform_run *run);
/* Calls the entry with a host and a table of these sizes; the table's bytes behind table_size are poison. */
hy_status conform__target_enter(conform_run *run, conform_host *host, hy_plugin *table, uint32_t host_size,
                                uint32_t table_size);
/* All of it: library, entry, device. Idempotent. */
bool conform__target_ready(conform_run *run);
void conform__target_close(conform_run *run);

/* Calls that a plugin left out: ends the case FAIL and is false. */
bool conform__has(conform_run *run, bool present, const char *call);

/* ---- tickets ---- */

/* Forgets the tickets and errors of the case before. */
void conform__ticket_begin(conform_run *run);
uint64_t conform__ticket_new(conform_run *run);
/* Waits until the ticket is complete or seconds, times the scale of timeouts, have passed: false, and the case has failed. */
bool conform__ticket_wait(conform_run *run, uint64_t ticket, double seconds);
uint32_t conform__ticket_completions(conform_run *run, uint64_t ticket);
conform_ticket conform__ticket_read(conform_run *run, uint64_t ticket);

/* Submits commands and waits for OK; ends the case otherwise. */
bool conform__submit(conform_run *run, hy_queue *queue, uint32_t count, const hy_command *commands);
/* The same, and gives the status of submit() or of the ticket. */
hy_status conform__submit_status(conform_run *run, hy_queue *queue, uint32_t count, const hy_command *commands);

hy_queue *conform__queue_open(conform_run *run);

/* ---- memory with sentinels ---- */

/* length usable bytes at `offset` of a buffer, with CONFORM_GUARD bytes of poison on both sides and inside. */
typedef struct conform_memory {
	hy_buffer *buffer;
	uint64_t offset, length, total;
} conform_memory;

bool conform__memory_create(conform_run *run, hy_queue *queue, uint64_t length, uint64_t misalign,
                            conform_memory *out_memory);
bool conform__memory_write(conform_run *run, hy_queue *queue, const conform_memory *memory, const void *data);
/* Reads the range back and fails the case when a sentinel has changed. */
bool conform__memory_read(conform_run *run, hy_queue *queue, const conform_memory *memory, void *out_data);
void conform__memory_destroy(conform_run *run, conform_memory *memory);

hy_ref conform__ref(hy_buffer *buffer, uint64_t offset, uint64_t length);
hy_ref conform__host_ref(const void *data, uint64_t length);
hy_command conform__copy(hy_ref target, hy_ref source);
hy_command conform__fill(hy_ref target, uint8_t pattern);

#endif
