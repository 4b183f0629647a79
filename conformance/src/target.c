/* The plugin under test inside a worker. */
#include "target.h"
#include "process.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

/* ---- the end of a case ---- */

static void end_case(conform_run *run, hy_conform_status status, const char *format, va_list args)
{
	if (run->ended) return;
	run->ended = true;
	run->status = status;
	vsnprintf(run->text, sizeof(run->text), format, args);
}

void conform__end(conform_run *run, hy_conform_status status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	end_case(run, status, format, args);
	va_end(args);
}

void conform__fail(conform_run *run, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	end_case(run, HY_CONFORM_FAIL, format, args);
	va_end(args);
}

void conform__not_supported(conform_run *run, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	end_case(run, HY_CONFORM_NOT_SUPPORTED, format, args);
	va_end(args);
}

void conform__note(conform_run *run, const char *format, ...)
{
	if (run->ended) return;
	va_list args;
	va_start(args, format);
	vsnprintf(run->text, sizeof(run->text), format, args);
	va_end(args);
}

bool conform__ended(const conform_run *run)
{
	return run->ended;
}

void conform__run_begin(conform_run *run, const conform_case *item)
{
	run->self = item;
	run->status = HY_CONFORM_PASS;
	run->ended = run->differs = run->hangs = false;
	run->text[0] = '\0';
	run->random_state = run->seed ^ XXH64(item->info.id, strlen(item->info.id), 0);
	conform__ticket_begin(run);
}

uint64_t conform__random(conform_run *run)
{
	uint64_t z = run->random_state += 0x9e3779b97f4a7c15u; /* splitmix64 */
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

int64_t conform__random_between(conform_run *run, int64_t low, int64_t high)
{
	return low + (int64_t)(conform__random(run) % (uint64_t)(high - low + 1));
}

/* ---- the host ---- */

static void host_log(void *ctx, int32_t level, const char *text, size_t length)
{
	(void)level, (void)text;
	conform_host *host = ctx;
	pthread_mutex_lock(&host->lock);
	host->log_count++;
	host->log_bytes += length;
	pthread_mutex_unlock(&host->lock);
}

static hy_status host_error(void *ctx, hy_status status, hy_scope scope, int32_t native, const char *text,
                            size_t length)
{
	(void)native;
	conform_host *host = ctx;
	pthread_mutex_lock(&host->lock);
	host->error_count++;
	host->last_status = status;
	host->last_scope = scope;
	snprintf(host->last_text, sizeof(host->last_text), "%.*s", (int)(length > 1000 ? 1000 : length),
	         text == NULL ? "" : text);
	pthread_mutex_unlock(&host->lock);
	return status;
}

static void host_complete(void *ctx, uint64_t number, const hy_done *done)
{
	conform_host *host = ctx;
	pthread_mutex_lock(&host->lock);
	if (number < host->first_ticket || number >= host->next_ticket) {
		host->strange_completions++;
	} else {
		conform_ticket *ticket = &host->tickets[number % CONFORM_TICKETS];
		ticket->completions++;
		ticket->done = *done;
		ticket->done.text = NULL;
		snprintf(ticket->text, sizeof(ticket->text), "%.*s",
		         (int)(done->text_length > 120 ? 120 : done->text_length),
		         done->text == NULL ? "" : done->text);
	}
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

static uint64_t host_now_ns(void *ctx)
{
	(void)ctx;
	return conform__process_now_ns();
}

void conform__host_init(conform_host *host)
{
	memset(host, 0, sizeof(*host));
	pthread_mutex_init(&host->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&host->changed, &attr);
	pthread_condattr_destroy(&attr);
	host->tickets = calloc(CONFORM_TICKETS, sizeof(host->tickets[0]));
	host->first_ticket = host->next_ticket = 1;
	host->host = (hy_host){.size = sizeof(hy_host),
	                       .abi_minor = HY_ABI_MINOR,
	                       .ctx = host,
	                       .log_level = HY_LOG_WARN,
	                       .log = host_log,
	                       .error = host_error,
	                       .complete = host_complete,
	                       .now_ns = host_now_ns};
}

/* ---- loading ---- */

bool conform__target_open(conform_run *run)
{
	if (run->library != NULL) return true;
	run->library = dlopen(run->plugin_path, RTLD_NOW | RTLD_LOCAL);
	if (run->library == NULL) {
		conform__fail(run, "dlopen: %s", dlerror());
		return false;
	}
	void *symbol = dlsym(run->library, HY_PLUGIN_ENTRY);
	if (symbol == NULL) {
		conform__fail(run, "the symbol %s is not exported", HY_PLUGIN_ENTRY);
		return false;
	}
	memcpy(&run->entry, &symbol, sizeof(run->entry));
	return true;
}

hy_status conform__target_enter(conform_run *run, conform_host *host, hy_plugin *table, uint32_t host_size,
                                uint32_t table_size)
{
	memset(table, 0, table_size);
	host->host.size = host_size;
	table->size = table_size;
	table->abi_minor = HY_ABI_MINOR;
	return run->entry(&host->host, table);
}

bool conform__has(conform_run *run, bool present, const char *call)
{
	if (!present) conform__fail(run, "the plugin leaves %s() out, which this level requires", call);
	return present;
}

bool conform__target_ready(conform_run *run)
{
	if (run->device != NULL) return true;
	if (!conform__target_open(run)) return false;
	if (!run->loaded) {
		conform__host_init(&run->host);
		const hy_status status = conform__target_enter(run, &run->host, &run->table, sizeof(hy_host),
		                                               sizeof(hy_plugin));
		if (status != HY_OK) {
			conform__fail(run, "%s answered %s: %s", HY_PLUGIN_ENTRY, hy_status_name(status),
			              run->host.last_text);
			return false;
		}
		run->loaded = true;
	}
	const hy_plugin *t = &run->table;
	if (!conform__has(run, t->device_count && t->device_info && t->device_open, "device_count, info or open"))
		return false;
	run->info.size = sizeof(run->info);
	hy_status status = t->device_info(t->ctx, run->device_index, &run->info);
	if (status == HY_OK)
		status = t->device_open(t->ctx, run->device_index, run->options, run->option_count, &run->device);
	if (status != HY_OK) {
		conform__end(run, status == HY_DEVICE_LOST ? HY_CONFORM_DEVICE_LOST : HY_CONFORM_FAIL,
		             "device %u can't be opened: %s: %s", run->device_index, hy_status_name(status),
		             run->host.last_text);
		return false;
	}
	return true;
}

void conform__target_close(conform_run *run)
{
	if (run->device != NULL && run->table.device_close != NULL) run->table.device_close(run->device);
	run->device = NULL;
	if (run->loaded && run->table.shutdown != NULL) run->table.shutdown(run->table.ctx);
	run->loaded = false;
}

/* ---- tickets ---- */

void conform__ticket_begin(conform_run *run)
{
	if (!run->loaded) return;
	pthread_mutex_lock(&run->host.lock);
	run->host.first_ticket = run->host.next_ticket;
	run->host.strange_completions = 0;
	run->host.error_count = 0; /* what another case was told is no text of this one */
	run->host.last_text[0] = '\0';
	memset(run->host.tickets, 0, CONFORM_TICKETS * sizeof(run->host.tickets[0]));
	pthread_mutex_unlock(&run->host.lock);
}

uint64_t conform__ticket_new(conform_run *run)
{
	pthread_mutex_lock(&run->host.lock);
	const bool room = run->host.next_ticket - run->host.first_ticket < CONFORM_TICKETS;
	const uint64_t ticket = room ? run->host.next_ticket++ : 0;
	pthread_mutex_unlock(&run->host.lock);
	if (ticket == 0)
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "the case needs more than %d tickets", CONFORM_TICKETS);
	return ticket;
}

bool conform__ticket_wait(conform_run *run, uint64_t ticket, double seconds)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	seconds *= run->timeout_scale;
	const uint64_t end_ns = (uint64_t)until.tv_nsec + (uint64_t)(seconds * 1e9);
	until.tv_sec += (time_t)(end_ns / 1000000000u);
	until.tv_nsec = (long)(end_ns % 1000000000u);
	int waited = 0;
	pthread_mutex_lock(&run->host.lock);
	while (run->host.tickets[ticket % CONFORM_TICKETS].completions == 0 && waited != ETIMEDOUT)
		waited = pthread_cond_timedwait(&run->host.changed, &run->host.lock, &until);
	const bool done = run->host.tickets[ticket % CONFORM_TICKETS].completions != 0;
	pthread_mutex_unlock(&run->host.lock);
	run->hangs |= !done;
	if (!done)
		conform__fail(run, "ticket %llu was not completed within %.3g s", (unsigned long long)ticket, seconds);
	return done;
}

conform_ticket conform__ticket_read(conform_run *run, uint64_t ticket)
{
	pthread_mutex_lock(&run->host.lock);
	const conform_ticket copy = run->host.tickets[ticket % CONFORM_TICKETS];
	pthread_mutex_unlock(&run->host.lock);
	return copy;
}

uint32_t conform__ticket_completions(conform_run *run, uint64_t ticket)
{
	return conform__ticket_read(run, ticket).completions;
}

hy_status conform__submit_status(conform_run *run, hy_queue *queue, uint32_t count, const hy_command *commands)
{
	const hy_batch batch = {.size = sizeof(batch),
	                        .command_count = count,
	                        .command_stride = sizeof(hy_command),
	                        .commands = commands};
	const uint64_t ticket = conform__ticket_new(run);
	if (ticket == 0) return HY_INTERNAL;
	const hy_status status = run->table.submit(queue, &batch, ticket);
	if (status != HY_OK) return status;
	if (!conform__ticket_wait(run, ticket, 8)) return HY_TIMEOUT;
	return conform__ticket_read(run, ticket).done.status;
}

bool conform__submit(conform_run *run, hy_queue *queue, uint32_t count, const hy_command *commands)
{
	const hy_status status = conform__submit_status(run, queue, count, commands);
	if (status == HY_DEVICE_LOST) conform__end(run, HY_CONFORM_DEVICE_LOST, "a batch ended DEVICE_LOST");
	if (status != HY_OK) conform__fail(run, "a legal batch ended %s", hy_status_name(status));
	return status == HY_OK;
}

hy_queue *conform__queue_open(conform_run *run)
{
	if (!conform__target_ready(run)) return NULL;
	if (!conform__has(run, run->table.queue_open && run->table.queue_close && run->table.submit,
	                  "queue_open, queue_close or submit"))
		return NULL;
	hy_queue *queue = NULL;
	const hy_status status = run->table.queue_open(run->device, HY_QUEUE_COMPUTE, &queue);
	if (status != HY_OK || queue == NULL)
		conform__fail(run, "queue_open answered %s: %s", hy_status_name(status), run->host.last_text);
	return status == HY_OK ? queue : NULL;
}

/* ---- memory ---- */

hy_ref conform__ref(hy_buffer *buffer, uint64_t offset, uint64_t length)
{
	return (hy_ref){.buffer = buffer, .offset = offset, .length = length};
}

hy_ref conform__host_ref(const void *data, uint64_t length)
{
	return (hy_ref){.offset = (uint64_t)(uintptr_t)data, .length = length};
}

hy_command conform__copy(hy_ref target, hy_ref source)
{
	return (hy_command){.kind = HY_COMMAND_COPY, .target = target, .source = source};
}

hy_command conform__fill(hy_ref target, uint8_t pattern)
{
	return (hy_command){.kind = HY_COMMAND_FILL, .target = target, .pattern = pattern};
}

bool conform__memory_create(conform_run *run, hy_queue *queue, uint64_t length, uint64_t misalign,
                            conform_memory *out_memory)
{
	if (!conform__has(run, run->table.buffer_alloc && run->table.buffer_free, "buffer_alloc or buffer_free"))
		return false;
	const uint64_t align = run->info.binding_align == 0 ? 1 : run->info.binding_align;
	const uint64_t front = (CONFORM_GUARD + align - 1) / align * align;
	conform_memory memory = {.offset = front + misalign, .length = length};
	memory.total = memory.offset + length + CONFORM_GUARD;
	const hy_status status = run->table.buffer_alloc(run->device, 0, memory.total, &memory.buffer);
	if (status != HY_OK || memory.buffer == NULL) {
		conform__fail(run, "buffer_alloc of %llu bytes answered %s%s", (unsigned long long)memory.total,
		              hy_status_name(status), status == HY_OK ? " and no buffer" : "");
		return false;
	}
	uint8_t *poison = malloc(memory.total);
	memset(poison, CONFORM_POISON, memory.total);
	const hy_command copy = conform__copy(conform__ref(memory.buffer, 0, memory.total),
	                                      conform__host_ref(poison, memory.total));
	const bool ok = conform__submit(run, queue, 1, &copy);
	free(poison);
	*out_memory = memory;
	return ok;
}

bool conform__memory_write(conform_run *run, hy_queue *queue, const conform_memory *memory, const void *data)
{
	if (memory->length == 0) return true;
	const hy_command copy = conform__copy(conform__ref(memory->buffer, memory->offset, memory->length),
	                                      conform__host_ref(data, memory->length));
	return conform__submit(run, queue, 1, &copy);
}

bool conform__memory_read(conform_run *run, hy_queue *queue, const conform_memory *memory, void *out_data)
{
	uint8_t *all = malloc(memory->total);
	memset(all, 0x5a, memory->total);
	const hy_command copy = conform__copy(conform__host_ref(all, memory->total),
	                                      conform__ref(memory->buffer, 0, memory->total));
	bool ok = conform__submit(run, queue, 1, &copy);
	for (uint64_t i = 0; ok && i < memory->total; i++) {
		const bool inside = i >= memory->offset && i < memory->offset + memory->length;
		if (inside || all[i] == CONFORM_POISON) continue;
		conform__fail(run, "byte %lld relative to a range of %llu bytes was written: %02x",
		              (long long)i - (long long)memory->offset, (unsigned long long)memory->length, all[i]);
		ok = false;
	}
	if (ok) memcpy(out_data, all + memory->offset, memory->length);
	free(all);
	return ok;
}

void conform__memory_destroy(conform_run *run, conform_memory *memory)
{
	run->table.buffer_free(run->device, memory->buffer);
	memory->buffer = NULL;
}
