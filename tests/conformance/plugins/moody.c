/* The template plugin in a mood, which is its file's name: lost, gone, company, overflow, stopped. A FILL of more than
 * 1000 bytes is what it does not like. */
#define hy_plugin_entry_v1 template_entry
#include "../../../plugins/template/template_plugin.c"
#undef hy_plugin_entry_v1

#include <dlfcn.h>
#include <signal.h>

static const char *file_name(void)
{
	static const char here;
	Dl_info info;
	return dladdr(&here, &info) != 0 ? info.dli_fname : "";
}

static bool is_mood(const char *mood)
{
	return strstr(strrchr(file_name(), '/'), mood) != NULL;
}

/* What a lost device leaves behind for the processes to come. */
static void mark_path(char *path, size_t length)
{
	snprintf(path, length, "%s.mark", file_name());
}

static hy_status moody_open(void *ctx, uint32_t index, const hy_option *options, uint32_t option_count,
                            hy_device **out_device)
{
	const plugin *self = ctx;
	char path[512];
	mark_path(path, sizeof(path));
	if (access(path, F_OK) == 0) return fail(self->host, HY_DEVICE_LOST, "the device fell off the bus");
	return device_open(ctx, index, options, option_count, out_device);
}

static int overflow(volatile char *before)
{
	volatile char block[4096] = {before[0]};
	return before[0] == 0 ? 0 : overflow(block) + block[1];
}

static hy_status lose(hy_queue *queue, uint64_t ticket, bool for_ever)
{
	const hy_host *host = queue->device->host;
	char path[512];
	mark_path(path, sizeof(path));
	FILE *mark = for_ever ? fopen(path, "w") : NULL;
	if (mark != NULL) fclose(mark);
	const hy_done done = {.size = sizeof(done),
	                      .status = HY_DEVICE_LOST,
	                      .scope = HY_SCOPE_DEVICE,
	                      .text = "the device fell off the bus",
	                      .text_length = 27};
	host->complete(host->ctx, ticket, &done);
	return HY_OK;
}

static uint32_t opened; /* queues, ever */

static hy_status moody_queue_open(hy_device *device, uint32_t kind, hy_queue **out_queue)
{
	opened++;
	return queue_open(device, kind, out_queue);
}

static hy_status moody_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	static uint32_t sulks_since = UINT32_MAX;
	bool is_disliked = false;
	for (uint32_t i = 0; i < batch->command_count; i++) {
		const hy_command *command = hy_batch_at(batch, i);
		is_disliked |= command->kind == HY_COMMAND_FILL && command->target.length > 1000;
	}
	if (is_disliked && is_mood("overflow")) return overflow((volatile char[]){1, 2});
	if (is_disliked && is_mood("stopped")) raise(SIGSTOP);
	if (is_disliked && is_mood("lost")) return lose(queue, ticket, false);
	if (is_disliked && is_mood("gone")) return lose(queue, ticket, true);
	if (opened > sulks_since && is_mood("company"))
		return fail(queue->device->host, HY_BUSY, "sulking because of what was asked before");
	if (is_disliked) sulks_since = opened;
	return submit(queue, batch, ticket);
}

HY_EXPORT hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
{
	const hy_status status = template_entry(host, table);
	if (status != HY_OK) return status;
	table->device_open = moody_open;
	table->queue_open = moody_queue_open;
	table->submit = moody_submit;
	return HY_OK;
}
