/* Machines without OpenCL: each case asks in a process of its own, since a loader looks for drivers once. */
#include "test.h"

#include "plugins/opencl_case.h"

#include <sys/wait.h>
#include <unistd.h>

/* The reason that the plugin gives in this environment; the child writes it to a pipe. */
static void reason_with(const char *variable, const char *value, char *text, size_t length)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	const pid_t child = fork();
	if (child == 0) {
		const hy_hal_machine_options options = {
			.size = sizeof(options),
			.manifest_path = HY_BINARY_DIR "/lib/halyard/plugins.d",
			.flags = HY_HAL_NO_PROBE,
			.disable = "cpu,sim",
		};
		hy_hal_machine *machine = NULL;
		setenv(variable, value, 1);
		const char *reason = "the machine did not open";
		if (hy_hal_machine_open(&options, &machine, NULL) == HY_OK)
			for (uint32_t i = 0; i < hy_hal_machine_plugin_count(machine); i++)
				if (strcmp(hy_hal_machine_plugin(machine, i)->name, "opencl") == 0)
					reason = hy_hal_machine_plugin(machine, i)->reason;
		const ssize_t written = write(ends[1], reason, strlen(reason));
		_exit(written < 0);
	}
	close(ends[1]);
	size_t used = 0;
	for (ssize_t got = 1; got > 0; used += (size_t)got) {
		got = read(ends[0], text + used, length - 1 - used);
		if (got < 0) got = 0;
	}
	text[used] = '\0';
	close(ends[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_machine_without_drivers_is_told_so(void **state)
{
	(void)state;
	char text[1024];
	mkdir(HY_BINARY_DIR "/tests/no_drivers", 0700);
	reason_with("OCL_ICD_VENDORS", HY_BINARY_DIR "/tests/no_drivers", text, sizeof(text));
	if (strstr(text, "OpenCL") == NULL) fail_msg("the reason is '%s'", text);
}

static void a_driver_that_hides_its_devices_is_named(void **state)
{
	(void)state;
	char text[1024];
	reason_with("POCL_DEVICES", "nothing-of-that-name", text, sizeof(text));
	if (strstr(text, "OpenCL") == NULL) fail_msg("the reason is '%s'", text);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_machine_without_drivers_is_told_so),
		CASE(a_driver_that_hides_its_devices_is_named),
	};
	opencl_environment();
	return cmocka_run_group_tests_name("plugins.opencl_missing", cases, NULL, NULL);
}
