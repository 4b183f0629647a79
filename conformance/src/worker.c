/* A worker: loads the plugin, runs the cases it is told, answers. Everything that can go wrong with a plugin goes wrong
 * here. */
#include "worker.h"

#include "target.h"
#include "process.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

static void on_crash(int number)
{
	static const char head[] = "\nbacktrace:\n";
	void *frames[32];
	if (write(STDERR_FILENO, head, sizeof(head) - 1) > 0)
		backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
	signal(number, SIG_DFL);
	raise(number);
}

static void watch_crashes(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	void *frame;
	backtrace(&frame, 1); /* loads what the handler needs */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], on_crash);
}

static bool answer(const conform_run *run, uint64_t time_ns, const void *record, size_t record_length)
{
	struct {
		worker_answer head;
		char rest[sizeof(worker_record) + CONFORM_TEXT];
	} packet = {.head = {.magic = WORKER_MAGIC,
	                     .status = (uint32_t)run->status,
	                     .time_ns = time_ns,
	                     .text_length = (uint32_t)strlen(run->text),
	                     .record_length = (uint32_t)record_length}};
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
	if (!conform__target_ready(run)) return answer(run, 0, NULL, 0);
	d.abi_minor = run->table.abi_minor;
	d.device = run->info;
	if (run->table.name != NULL) snprintf(d.plugin_name, sizeof(d.plugin_name), "%s", run->table.name);
	if (run->table.version != NULL) snprintf(d.plugin_version, sizeof(d.plugin_version), "%s", run->table.version);
	return answer(run, 0, &d, sizeof(d));
}

static void run_case(conform_run *run, const conform_case *item)
{
	run->self = item;
	run->status = HY_CONFORM_PASS;
	run->ended = run->differs = false;
	run->text[0] = '\0';
	run->random_state = run->seed ^ XXH64(item->info.id, strlen(item->info.id), 0);
	conform__ticket_begin(run);
	item->check(run, item);
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
	if (argc != 4) return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	watch_crashes();
	conform_run run = {.plugin_path = argv[0],
	                   .device_index = (uint32_t)strtoul(argv[1], NULL, 10),
	                   .seed = strtoull(argv[3], NULL, 10)};
	read_options(&run, argv[2]);

	FILE *orders = fdopen(WORKER_ORDERS, "r");
	char id[256];
	while (orders != NULL && fgets(id, sizeof(id), orders) != NULL) {
		id[strcspn(id, "\n")] = '\0';
		if (strcmp(id, WORKER_DESCRIBE) == 0) {
			if (!describe(&run)) return 3;
			continue;
		}
		const conform_case *item = conform__suite_find(id);
		if (item == NULL) return 3;
		const uint64_t begin = conform__process_now_ns();
		run_case(&run, item);
		fflush(NULL); /* what the plugin buffered in stdio belongs to this case */
		if (!answer(&run, conform__process_now_ns() - begin, &run.difference,
		            run.differs ? sizeof(run.difference) : 0))
			return 3;
	}
	conform__target_close(&run);
	return 0;
}
