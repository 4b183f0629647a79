/* list_devices FOLDER: opens every device of the plugins whose manifests are in FOLDER, fills some memory on each, and
 * prints their ids. Fails when there is none, or a plugin is refused. */
#include <halyard/hal.h>

#include <stdio.h>

static void log_line(void *payload, int32_t level, const char *plugin, const char *text)
{
	(void)payload;
	(void)level;
	fprintf(stderr, "%s: %s\n", plugin, text);
}

static hy_status use(hy_hal_machine *machine, uint32_t index, hy_error *error)
{
	hy_hal_device *device = NULL;
	hy_hal_buffer *buffer = NULL;
	hy_hal_queue *queue = NULL;
	char byte = 0;
	hy_status status = hy_hal_device_open(machine, index, NULL, 0, &device, error);
	if (status == HY_OK) status = hy_hal_buffer_create(device, 1, &buffer, error);
	if (status == HY_OK) status = hy_hal_queue_open(device, HY_QUEUE_COPY, &queue, error);
	if (status == HY_OK) {
		const hy_ref there = hy_hal_buffer_ref(buffer);
		const hy_command commands[] = {
			{.kind = HY_COMMAND_FILL, .target = there, .pattern = 'h'},
			{.kind = HY_COMMAND_COPY, .target = hy_hal_host_ref(&byte, 1), .source = there},
		};
		status = hy_hal_queue_run(queue, 2, commands, 0, NULL, error);
	}
	if (status == HY_OK && byte != 'h') status = hy_error_set(error, HY_INTERNAL, "the byte did not come back");
	hy_hal_queue_close(queue);
	hy_hal_buffer_destroy(buffer);
	hy_hal_device_close(device);
	return status;
}

int main(int argc, char **argv)
{
	hy_error error = {0};
	hy_hal_machine *machine = NULL;
	if (argc != 2) return 2;
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .log_level = HY_LOG_WARN,
	                                        .log = log_line,
	                                        .manifest_path = argv[1],
	                                        .layers = "validate"};
	hy_status status = hy_hal_machine_open(&options, &machine, &error);
	const uint32_t count = status == HY_OK ? hy_hal_machine_device_count(machine) : 0;
	for (uint32_t i = 0; i < count && status == HY_OK; i++) {
		puts(hy_hal_machine_device(machine, i)->id);
		status = use(machine, i, &error);
	}
	hy_hal_machine_close(machine);
	if (status != HY_OK) fprintf(stderr, "list_devices: %s\n", error.text);
	return status == HY_OK && count > 0 ? 0 : 1;
}
