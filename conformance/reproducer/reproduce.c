
/* ---- from here on the same in every reproducer ---- */

#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GUARD = 256, POISON = 0xa5, TENSORS = INPUTS + OUTPUTS };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t completed; /* the last ticket */
static hy_status ticket_status;
static volatile int finished;
static int end_of_pipe = -1; /* of the watching parent */

/* ---- the host ---- */

static void host_log(void *ctx, int32_t level, const char *text, size_t length)
{
	(void)ctx, (void)level, (void)text, (void)length;
}

static hy_status host_error(void *ctx, hy_status status, hy_scope scope, int32_t native, const char *text,
                            size_t length)
{
	(void)ctx, (void)native;
	printf("the plugin says: %.*s (status %d, scope %d)\n", (int)length, text, (int)status, (int)scope);
	return status;
}

static void host_complete(void *ctx, uint64_t ticket, const hy_done *done)
{
	(void)ctx;
	if (done->text != NULL) printf("the plugin says: %.*s\n", (int)done->text_length, done->text);
	pthread_mutex_lock(&lock);
	completed = ticket;
	ticket_status = done->status;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static uint64_t host_now_ns(void *ctx)
{
	struct timespec now;
	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- endings ---- */

static void fails(const char *what, long long detail)
{
	printf("FAILS: %s (%lld)\n", what, detail);
	fflush(stdout);
	finished = 1;
	_exit(1);
}

static void on_exit_of_process(void)
{
	if (!finished) fails("the plugin ended the process", 0);
}

/* WATCHED: the work is done in a child, since a plugin that calls _exit() leaves nobody to tell. */
static void watch_from_parent(void)
{
	int pipe_ends[2], status;
	char finished_byte;
	if (pipe(pipe_ends) != 0) exit(2);
	const pid_t child = fork();
	if (child == 0) {
		close(pipe_ends[0]);
		end_of_pipe = pipe_ends[1];
		return;
	}
	close(pipe_ends[1]);
	waitpid(child, &status, 0);
	if (read(pipe_ends[0], &finished_byte, 1) == 1) _exit(0);
	fails("the plugin ended the process; status", status);
}

/* A hang: the process is left to the debugger with `gdb -p`, or ends here. */
static void *watch(void *unused)
{
	(void)unused;
	sleep(SECONDS);
	fails("it does not end; seconds", SECONDS);
	return NULL;
}

/* ---- numbers ---- */

static double half(uint16_t bits)
{
	const int exponent = bits >> 10 & 31;
	const double fraction = (bits & 1023) / 1024.0;
	double value = 1;
	if (exponent == 31) return fraction != 0 ? NAN : bits >> 15 ? -INFINITY : INFINITY;
	for (int i = exponent == 0 ? 1 : exponent; i < 15; i++)
		value /= 2;
	for (int i = 15; i < exponent; i++)
		value *= 2;
	value *= exponent == 0 ? fraction : 1 + fraction;
	return bits >> 15 ? -value : value;
}

static double value_at(uint32_t dtype, const void *bytes, int64_t i)
{
	uint32_t word;
	float number;
	switch (dtype) {
	case HY_DTYPE_F32:
		return ((const float *)bytes)[i];
	case HY_DTYPE_F64:
		return ((const double *)bytes)[i];
	case HY_DTYPE_F16:
		return half(((const uint16_t *)bytes)[i]);
	case HY_DTYPE_BF16:
		word = (uint32_t)((const uint16_t *)bytes)[i] << 16;
		memcpy(&number, &word, sizeof(number));
		return number;
	case HY_DTYPE_I64:
		return (double)((const int64_t *)bytes)[i];
	case HY_DTYPE_I32:
		return ((const int32_t *)bytes)[i];
	case HY_DTYPE_I8:
		return ((const int8_t *)bytes)[i];
	default:
		return ((const uint8_t *)bytes)[i];
	}
}

static void compare(const tensor *t, const void *bytes)
{
	int64_t wrong = 0;
	for (int64_t i = 0; i < t->count; i++) {
		const double got = value_at(t->dtype, bytes, i);
		const struct want *want = &t->want[i];
		const int is_sign_right = !SIGNS || !signbit(got) == !signbit(want->expected);
		if (want->expected != want->expected ? got != got
		                                     : got >= want->low && got <= want->high && is_sign_right)
			continue;
		if (++wrong > 8) continue;
		int64_t at[HY_MAX_RANK] = {0}, rest = i;
		for (uint32_t k = t->rank; k-- > 0; rest /= t->dim[k])
			at[k] = rest % t->dim[k];
		printf("%s[", t->name);
		for (uint32_t k = 0; k < t->rank; k++)
			printf("%s%" PRId64, k == 0 ? "" : ",", at[k]);
		printf("] is %.9g, expected %.9g (from %.9g to %.9g)\n", got, want->expected, want->low, want->high);
	}
	if (wrong > 0) fails("elements are wrong", (long long)wrong);
}

/* ---- the plugin ---- */

static void check(hy_status status, const char *call)
{
	if (status != HY_OK) fails(call, status);
}

static void submit(const hy_plugin *p, hy_queue *queue, const hy_command *command)
{
	static uint64_t ticket;
	const hy_batch batch = {
		.size = sizeof(batch), .command_count = 1, .command_stride = sizeof(*command), .commands = command};
	check(p->submit(queue, &batch, ++ticket), "submit");
	pthread_mutex_lock(&lock);
	while (completed != ticket)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	check(ticket_status, "the ticket's status");
}

static void copy(const hy_plugin *p, hy_queue *queue, hy_buffer *buffer, void *host, uint64_t length, int in)
{
	const hy_ref device = {.buffer = buffer, .length = length},
		     memory = {.offset = (uint64_t)(uintptr_t)host, .length = length};
	const hy_command command = {
		.kind = HY_COMMAND_COPY, .target = in ? device : memory, .source = in ? memory : device};
	submit(p, queue, &command);
}

/* Bytes of poison, with room for the guards around length. */
static unsigned char *block(uint64_t front, uint64_t length)
{
	unsigned char *bytes = malloc(front + length + GUARD);
	if (bytes == NULL) exit(2);
	memset(bytes, POISON, front + length + GUARD);
	return bytes;
}

/* One run on guarded, poisoned memory; outputs are compared and kept in out. */
static void execute(const hy_plugin *p, hy_device *device, hy_queue *queue, hy_exe *exe, uint64_t workspace,
                    uint64_t front, unsigned char **out)
{
	hy_buffer *buffers[TENSORS + 1] = {NULL};
	unsigned char *before[TENSORS];
	hy_ref bindings[TENSORS];
	hy_command command = {.kind = HY_COMMAND_EXEC, .exe = exe, .binding_count = TENSORS, .bindings = bindings};
	for (int i = 0; i < TENSORS; i++) {
		const tensor *t = &tensors[i];
		before[i] = block(front, t->bytes);
		if (t->data != NULL && t->bytes > 0) memcpy(before[i] + front, t->data, t->bytes);
		check(p->buffer_alloc(device, 0, front + t->bytes + GUARD, &buffers[i]), "buffer_alloc");
		copy(p, queue, buffers[i], before[i], front + t->bytes + GUARD, 1);
		bindings[i] = (hy_ref){.buffer = buffers[i], .offset = front, .length = t->bytes};
	}
	if (workspace > 0) {
		check(p->buffer_alloc(device, 0, workspace, &buffers[TENSORS]), "buffer_alloc of the workspace");
		command.workspace = (hy_ref){.buffer = buffers[TENSORS], .length = workspace};
	}
	submit(p, queue, &command);
	for (int i = 0; i < TENSORS; i++) {
		const tensor *t = &tensors[i];
		const uint64_t total = front + t->bytes + GUARD;
		unsigned char *after = block(front, t->bytes);
		copy(p, queue, buffers[i], after, total, 0);
		for (uint64_t k = 0; k < total; k++) {
			const int inside = k >= front && k < front + t->bytes;
			if (inside && t->data == NULL) continue;
			if (after[k] != before[i][k])
				fails(inside ? "an input was changed at byte" : "a byte outside of a binding, at",
				      (long long)k - (long long)front);
		}
		if (t->data == NULL) {
			compare(t, after + front);
			memcpy(out[i - INPUTS], after + front, t->bytes);
		}
		free(after);
		free(before[i]);
	}
	for (int i = 0; i <= TENSORS; i++)
		if (buffers[i] != NULL) p->buffer_free(device, buffers[i]);
}

/* query, compile, two runs, comparison. */
static void reproduce(const hy_plugin *p, uint32_t number)
{
	const hy_graph *graph = (const hy_graph *)(const void *)graph_bytes;
	hy_device_info info = {.size = sizeof(info)};
	hy_device *device = NULL;
	hy_queue *queue = NULL;
	hy_exe *exe = NULL;
	hy_exe_info exe_info = {.size = sizeof(exe_info)};
	hy_verdict verdict = {0};
	unsigned char *out[2][OUTPUTS];
	check(p->device_info(p->ctx, number, &info), "device_info");
	check(p->device_open(p->ctx, number, OPTIONS > 0 ? options : NULL, OPTIONS, &device), "device_open");
	check(p->query(device, graph, &verdict, 1), "query");
	if (verdict.answer != HY_YES) fails("query says NO; reason", verdict.reason);
	check(p->compile(device, graph, CONSTANTS > 0 ? constants : NULL, CONSTANTS, NULL, 0, &exe), "compile");
	check(p->exe_info(exe, &exe_info), "exe_info");
	check(p->queue_open(device, HY_QUEUE_COMPUTE, &queue), "queue_open");
	const uint64_t align = info.binding_align == 0 ? 1 : info.binding_align;
	for (int run = 0; run < 2; run++) {
		for (int i = 0; i < OUTPUTS; i++)
			out[run][i] = block(0, tensors[INPUTS + i].bytes);
		execute(p, device, queue, exe, exe_info.workspace_bytes, (GUARD + align - 1) / align * align, out[run]);
	}
	for (int i = 0; i < OUTPUTS; i++) {
		if (memcmp(out[0][i], out[1][i], tensors[INPUTS + i].bytes) != 0)
			fails("the second run gives other bytes in output", i);
		free(out[0][i]);
		free(out[1][i]);
	}
	p->queue_close(queue);
	p->exe_free(exe);
	p->device_close(device);
	if (p->shutdown != NULL) p->shutdown(p->ctx);
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : PLUGIN;
	const hy_host host = {.size = sizeof(host),
	                      .abi_minor = HY_ABI_MINOR,
	                      .log_level = HY_LOG_ERROR,
	                      .log = host_log,
	                      .error = host_error,
	                      .complete = host_complete,
	                      .now_ns = host_now_ns};
	hy_plugin table = {.size = sizeof(table), .abi_minor = HY_ABI_MINOR};
	hy_plugin_entry entry;
	pthread_t watcher;
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void *symbol = library != NULL ? dlsym(library, HY_PLUGIN_ENTRY) : NULL;
	if (symbol == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (WATCHED) watch_from_parent();
	printf("%s\n", CASE);
	memcpy(&entry, &symbol, sizeof(entry));
	atexit(on_exit_of_process);
	if (pthread_create(&watcher, NULL, watch, NULL) != 0) return 2;
	check(entry(&host, &table), HY_PLUGIN_ENTRY);
	reproduce(&table, argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : DEVICE);
	finished = 1;
	puts("HOLDS");
	if (WATCHED && write(end_of_pipe, "", 1) != 1) return 2;
	return 0;
}
