/* The abacus, which cheats when it is timed, in a way that its file's name says: remembers, skips, boasts. */
#include "../../../plugins/abacus/abacus.h"

#include <dlfcn.h>
#include <stdlib.h>

hy_status abacus_entry(const hy_host *host, hy_plugin *table);

static hy_status (*honest_info)(void *ctx, uint32_t index, hy_device_info *out_info);
static hy_status (*honest_submit)(hy_queue *queue, const hy_batch *batch, uint64_t ticket);
static const hy_host *the_host;

static bool is_way(const char *way)
{
	static const char here;
	Dl_info info;
	return dladdr(&here, &info) != 0 && strstr(strrchr(info.dli_fname, '/'), way) != NULL;
}

static hy_status boasting_info(void *ctx, uint32_t index, hy_device_info *out_info)
{
	const hy_status status = honest_info(ctx, index, out_info);
	if (status == HY_OK && is_way("boasts") && out_info->size == sizeof(*out_info))
		out_info->memory_bytes_per_s = 1000; /* less than it does */
	return status;
}

/* The answer to the last input, kept. */
static void remember(const hy_command *command)
{
	static unsigned char *kept[3];
	const hy_ref *bindings = command->bindings;
	bool same = kept[0] != NULL;
	for (int i = 0; i < 2 && same; i++)
		same = memcmp(kept[i], abacus_at(bindings[i]), bindings[i].length) == 0;
	if (same) {
		memcpy(abacus_at(bindings[2]), kept[2], bindings[2].length);
		return;
	}
	abacus_execute(command->exe, command->binding_count, bindings, &command->workspace);
	for (int i = 0; i < 3; i++) {
		if (kept[i] == NULL) kept[i] = malloc(bindings[i].length);
		memcpy(kept[i], abacus_at(bindings[i]), bindings[i].length);
	}
}

static hy_status cheating_submit(hy_queue *queue, const hy_batch *batch, uint64_t ticket)
{
	static uint32_t runs;
	const hy_command *command = batch->command_count == 1 ? hy_batch_at(batch, 0) : NULL;
	if (command == NULL || command->kind != HY_COMMAND_EXEC || !(is_way("remembers") || is_way("skips")))
		return honest_submit(queue, batch, ticket);
	const hy_done done = {.size = sizeof(done)};
	if (is_way("remembers"))
		remember(command);
	else if (runs++ < 5) /* skips what comes later */
		abacus_execute(command->exe, command->binding_count, command->bindings, &command->workspace);
	the_host->complete(the_host->ctx, ticket, &done);
	return HY_OK;
}

HY_EXPORT hy_status hy_plugin_entry_v1(const hy_host *host, hy_plugin *table)
{
	const hy_status status = abacus_entry(host, table);
	if (status != HY_OK) return status;
	the_host = host;
	honest_info = table->device_info;
	honest_submit = table->submit;
	table->device_info = boasting_info;
	table->submit = cheating_submit;
	return HY_OK;
}
