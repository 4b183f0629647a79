/* A worker: loads the plugin, runs the cases it is told, answers. Everything that can go wrong with a plugin goes wrong
 * here. */
#include "worker.h"

#include "perf.h"
#include "variant.h"
#include "process.h"

#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void write_backtrace(const char *head)
{
	void *frames[32];
	if (write(STDERR_FILENO, head, strlen(head)) > 0)
		backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
}

static void on_crash(int number)
{
	write_backtrace("\nbacktrace:\n");
	signal(number, SIG_DFL);
	raise(number);
}

static void on_where(int number)
{
	(void)number;
	const int before = errno;
	write_backtrace("\na thread is at:\n");
	errno = before;
}

/* Handlers on a stack of their own: one that overflowed has no room for them. */
static void watch_crashes(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	static char stack[64 << 10];
	void *frame;
	backtrace(&frame, 1); /* loads what the handler needs */
	sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
	action = (struct sigaction){.sa_handler = on_where, .sa_flags = SA_RESTART};
	sigaction(WORKER_WHERE, &action, NULL);
}

static bool answer(const conform_run *run, uint64_t time_ns, worker_record_kind kind, const worker_record *record)
{
	const size_t record_length = kind == WORKER_NO_RECORD ? 0 : sizeof(*record);
	struct {
		worker_answer head;
		char rest[sizeof(worker_record) + CONFORM_TEXT];
	} packet = {.head = {.magic = WORKER_MAGIC,
	                     .status = (uint16_t)run->status,
	                     .hangs = run->hangs,
	                     .time_ns = time_ns,
	                     .text_length = (uint32_t)strlen(run->text),
	                     .record = (uint32_t)kind}};
	if (record_length > 0) memcpy(packet.rest, record, record_length);
	memcpy(packet.rest + record_length, run->text, packet.head.text_length);
	const size_t length = sizeof(packet.head) + record_length + packet.head.text_length;
	return write(WORKER_ANSWERS, &packet, length) == (ssize_t)length;
}

static bool describe(conform_run *run)
{
	worker_description d = {0};
	run->status = HY_CONFORM_PASS;
	run->ended = false;
	run->text[0] = '\0';
	if (!conform__target_ready(run)) return answer(run, 0, WORKER_NO_RECORD, NULL);
	d.abi_minor = run->table.abi_minor;
	d.device = run->info;
	if (run->table.name != NULL) snprintf(d.plugin_name, sizeof(d.plugin_name), "%s", run->table.name);
	if (run->table.version != NULL) snprintf(d.plugin_version, sizeof(d.plugin_version), "%s", run->table.version);
	return answer(run, 0, WORKER_DESCRIPTION, &(worker_record){.description = d});
}

/* Opens the device and, when the plugin has queues, moves a few bytes through it. */
static void probe(conform_run *run, const conform_case *self)
{
	(void)self;
	uint8_t there[64], back[64];
	conform_memory memory;
	if (!conform__target_ready(run) || run->table.submit == NULL) return;
	memset(there, 0x5a, sizeof(there));
	hy_queue *queue = conform__queue_open(run);
	if (queue == NULL || !conform__memory_create(run, queue, sizeof(there), 0, &memory) ||
	    !conform__memory_write(run, queue, &memory, there) || !conform__memory_read(run, queue, &memory, back))
		return;
	REQUIRE(run, memcmp(there, back, sizeof(there)) == 0, "a copy there and back differs");
}

static bool measure(conform_run *run, const char *number)
{
	static const conform_case order = {.info = {.id = WORKER_MEASURE}};
	static worker_measurement found;
	uint32_t count;
	const perf_row *rows = conform__perf_rows(&count);
	const uint32_t row = (uint32_t)strtoul(number, NULL, 10);
	if (row >= count) return false;
	conform__run_begin(run, &order);
	conform__perf_measure(run, &rows[row], &found);
	return answer(run, 0, WORKER_MEASUREMENT, &(worker_record){.measurement = found});
}

/* Another recipe for a case that has one. */
typedef struct change {
	variant variant;
	recipe recipe;
} change;

/* part: "<scale of timeouts>\t<variant>". */
static bool is_variant(char *part, const conform_case *known, conform_run *run, change *out)
{
	char *after;
	run->timeout_scale = strtod(part, &after);
	if (*after != '\t') return false;
	part = after + 1;
	if (known->check != conform__recipe_check || !conform__variant_read(part, &out->variant)) return false;
	out->recipe = conform__variant_recipe(&out->variant, known->param);
	return true;
}

/* "a=1&b=2" into run->options; text is cut up. */
static void read_options(conform_run *run, char *text)
{
	for (char *part = strtok(text, "&"); part != NULL && run->option_count < 8; part = strtok(NULL, "&")) {
		char *value = strchr(part, '=');
		if (value == NULL) continue;
		*value = '\0';
		run->options[run->option_count++] = (hy_option){.key = part, .value = value + 1};
	}
}

int conform__worker_main(int argc, char **argv)
{
	if (argc != 5) return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	watch_crashes();
	conform_run run = {.plugin_path = argv[0],
	                   .device_index = (uint32_t)strtoul(argv[1], NULL, 10),
	                   .seed = strtoull(argv[3], NULL, 10),
	                   .timeout_scale = strtod(argv[4], NULL)};
	read_options(&run, argv[2]);

	static change changed;
	FILE *orders = fdopen(WORKER_ORDERS, "r");
	char id[VARIANT_LINE + 256];
	while (orders != NULL && fgets(id, sizeof(id), orders) != NULL) {
		id[strcspn(id, "\n")] = '\0';
		if (strcmp(id, WORKER_DESCRIBE) == 0) {
			if (!describe(&run)) return 3;
			continue;
		}
		if (id[0] == WORKER_MEASURE[0]) {
			if (!measure(&run, id + 1)) return 3;
			continue;
		}
		char *part = strchr(id, '\t'); /* of a variant */
		if (part != NULL) *part++ = '\0';
		static const conform_case probing = {.info = {.id = WORKER_PROBE}, .check = probe};
		const conform_case *known = strcmp(id, WORKER_PROBE) == 0 ? &probing : conform__suite_find(id);
		if (known == NULL || (part != NULL && !is_variant(part, known, &run, &changed))) return 3;
		conform_case item = *known;
		if (part != NULL) {
			item.param = &changed.recipe;
			item.check = conform__variant_check;
		}
		const uint64_t begin = conform__process_now_ns();
		conform__run_begin(&run, &item);
		item.check(&run, &item);
		fflush(NULL); /* what the plugin buffered in stdio belongs to this case */
		const worker_record record = {.difference = run.difference};
		if (!answer(&run, conform__process_now_ns() - begin, run.differs ? WORKER_DIFFERENCE : WORKER_NO_RECORD,
		            &record))
			return 3;
	}
	conform__target_close(&run);
	return 0;
}
