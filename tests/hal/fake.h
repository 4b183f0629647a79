/* Machines that have just the fake plugins a case names. */
#ifndef HY_TEST_FAKE_H
#define HY_TEST_FAKE_H

#include <halyard/hal.h>

#include <stdio.h>
#include <string.h>

/* Collects log lines "level plugin: text". Not for several threads. */
typedef struct fake_log {
	char text[8192];
	size_t used;
} fake_log;

static inline void fake_log_write(void *payload, int32_t level, const char *plugin, const char *text)
{
	fake_log *log = (fake_log *)payload;
	const size_t room = sizeof(log->text) - log->used;
	const int length = snprintf(log->text + log->used, room, "%d %s: %s\n", level, plugin, text);
	if (length > 0 && (size_t)length < room) log->used += (size_t)length;
}

/* A machine with the fakes of a comma-separated list; log may be NULL. */
static inline hy_hal_machine *fake_machine(const char *names, const char *layers, fake_log *log)
{
	char path[1024] = "";
	for (const char *name = names; *name != '\0';) {
		const size_t length = strcspn(name, ",");
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s/tests/fakes/%.*s:", HY_BINARY_DIR,
		         (int)length, name);
		name += length + (name[length] == ',');
	}
	const hy_hal_machine_options options = {
		.size = sizeof(options),
		.log_level = HY_LOG_DEBUG,
		.log = log == NULL ? NULL : fake_log_write,
		.log_payload = log,
		.manifest_path = path,
		.layers = layers,
		.probe_timeout_ns = 3000000000u,
	};
	hy_error error;
	hy_hal_machine *machine = NULL;
	EXPECT_OK(hy_hal_machine_open(&options, &machine, &error));
	return machine;
}

/* Device 0 with fault=WORD; NULL: without. */
static inline hy_hal_device *fake_device(hy_hal_machine *machine, const char *fault)
{
	hy_error error;
	hy_hal_device *device = NULL;
	const hy_option option = {"fault", fault};
	EXPECT_OK(hy_hal_device_open(machine, 0, &option, fault != NULL, &device, &error));
	return device;
}

static inline hy_hal_queue *fake_queue(hy_hal_device *device)
{
	hy_error error;
	hy_hal_queue *queue = NULL;
	EXPECT_OK(hy_hal_queue_open(device, HY_QUEUE_COMPUTE, &queue, &error));
	return queue;
}

#endif
