/* What one submission costs the host: submit and complete a one-byte FILL on the template plugin, which works on the
 * submitting thread. Prints one JSON line: nanoseconds per round, median and least of batches, through
 * hy_hal_queue_submit, through hy_hal_queue_run, and through the plugin's table alone for comparison. */
#include <halyard/hal.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCHES = 201, ROUNDS = 1000 };

typedef struct place {
	hy_hal_queue *queue;
	hy_plugin table; /* the plugin's own, entered a second time by this program */
	hy_queue *raw_queue;
	char byte;
	uint64_t done_count;
} place;

static void count(void *payload, const hy_done *done)
{
	(void)done;
	((place *)payload)->done_count++;
}

static bool submit(place *p, const hy_command *command)
{
	return hy_hal_queue_submit(p->queue, 1, command, count, p, NULL) == HY_OK;
}

static bool run(place *p, const hy_command *command)
{
	return hy_hal_queue_run(p->queue, 1, command, 0, NULL, NULL) == HY_OK;
}

static bool raw(place *p, const hy_command *command)
{
	const hy_batch batch = {
		.size = sizeof(batch), .command_count = 1, .command_stride = sizeof(*command), .commands = command};
	return p->table.submit(p->raw_queue, &batch, 1) == HY_OK;
}

static int by_value(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;
	return left < right ? -1 : left > right;
}

/* Nanoseconds per round: the median and the least of all batches. */
static bool measure(place *p, bool (*round)(place *p, const hy_command *command), double *out_median, double *out_least)
{
	const hy_command fill = {.kind = HY_COMMAND_FILL, .target = hy_hal_host_ref(&p->byte, 1), .pattern = 'x'};
	static double times[BATCHES];
	for (int i = 0; i < BATCHES; i++) {
		const uint64_t begin = hy_hal_now_ns();
		for (int k = 0; k < ROUNDS; k++)
			if (!round(p, &fill)) return false;
		times[i] = (double)(hy_hal_now_ns() - begin) / ROUNDS;
	}
	qsort(times, BATCHES, sizeof(times[0]), by_value);
	*out_median = times[BATCHES / 2];
	*out_least = times[0];
	return true;
}

/* ---- the table without a host ---- */

static void raw_log(void *ctx, int32_t level, const char *text, size_t length)
{
	(void)ctx;
	(void)level;
	(void)text;
	(void)length;
}

static hy_status raw_error(void *ctx, hy_status status, hy_scope scope, int32_t native, const char *text, size_t length)
{
	(void)ctx;
	(void)scope;
	(void)native;
	(void)text;
	(void)length;
	return status;
}

static void raw_complete(void *ctx, uint64_t ticket, const hy_done *done)
{
	(void)ticket;
	(void)done;
	((place *)ctx)->done_count++;
}

static uint64_t raw_now(void *ctx)
{
	(void)ctx;
	return hy_hal_now_ns();
}

static bool open_raw(place *p, hy_host *host, const char *library)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	void *symbol = handle == NULL ? NULL : dlsym(handle, HY_PLUGIN_ENTRY);
	hy_plugin_entry entry = NULL;
	memcpy(&entry, &symbol, sizeof(entry));
	*host = (hy_host){
		.size = sizeof(*host),
		.ctx = p,
		.log_level = HY_LOG_ERROR,
		.log = raw_log,
		.error = raw_error,
		.complete = raw_complete,
		.now_ns = raw_now,
	};
	p->table.size = sizeof(p->table);
	hy_device *device = NULL;
	return entry != NULL && entry(host, &p->table) == HY_OK &&
	       p->table.device_open(p->table.ctx, 0, NULL, 0, &device) == HY_OK &&
	       p->table.queue_open(device, HY_QUEUE_COMPUTE, &p->raw_queue) == HY_OK;
}

/* The library of the one plugin that is loaded. */
static const char *loaded_library(const hy_hal_machine *machine)
{
	for (uint32_t i = 0; i < hy_hal_machine_plugin_count(machine); i++)
		if (hy_hal_machine_plugin(machine, i)->state == HY_HAL_PLUGIN_LOADED)
			return hy_hal_machine_plugin(machine, i)->library;
	return "";
}

int main(void)
{
	static place p;
	hy_host host;
	hy_hal_machine *machine = NULL;
	hy_hal_device *device = NULL;
	hy_error error = {0};
	const hy_hal_machine_options options = {
		.size = sizeof(options), .manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d", .disable = "[!t]*"};
	if (hy_hal_machine_open(&options, &machine, &error) != HY_OK ||
	    hy_hal_device_open(machine, 0, NULL, 0, &device, &error) != HY_OK ||
	    hy_hal_queue_open(device, HY_QUEUE_COMPUTE, &p.queue, &error) != HY_OK ||
	    !open_raw(&p, &host, loaded_library(machine))) {
		fprintf(stderr, "bench_submit: %s\n",
		        error.text[0] != '\0' ? error.text : "the table cannot be opened");
		return 1;
	}
	double median[3], least[3];
	if (!measure(&p, submit, &median[0], &least[0]) || !measure(&p, run, &median[1], &least[1]) ||
	    !measure(&p, raw, &median[2], &least[2]))
		return 1;
	printf("{\"bench\": \"submit\", \"unit\": \"ns\", \"submit_median\": %.1f, \"submit_min\": %.1f, "
	       "\"run_median\": %.1f, \"run_min\": %.1f, \"table_median\": %.1f, \"table_min\": %.1f}\n",
	       median[0], least[0], median[1], least[1], median[2], least[2]);
	hy_hal_queue_close(p.queue);
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
	return 0;
}
