#include "test.h"

#include "fake.h"

/* The state, status and reason of the one plugin of a machine. */
static void expect(const char *name, hy_hal_plugin_state state, hy_status status, const char *reason)
{
	fake_log log = {0};
	hy_hal_machine *machine = fake_machine(name, NULL, &log);
	assert_int_equal(hy_hal_machine_plugin_count(machine), 1);
	const hy_hal_plugin_info *info = hy_hal_machine_plugin(machine, 0);
	if (strstr(info->reason, reason) == NULL) fail_msg("%s: reason is '%s'", name, info->reason);
	assert_string_equal(hy_status_name(info->status), hy_status_name(status));
	assert_int_equal(info->state, state);
	if (state == HY_HAL_PLUGIN_REFUSED && strstr(log.text, reason) == NULL) fail_msg("log is '%s'", log.text);
	assert_int_equal(hy_hal_machine_device_count(machine), info->device_count);
	hy_hal_machine_close(machine);
}

static void a_crash_in_a_constructor_is_a_reason(void **state)
{
	(void)state;
	expect("crash-constructor", HY_HAL_PLUGIN_REFUSED, HY_INTERNAL, "killed by SIGABRT in loading after");
}

static void a_crash_in_entry_is_a_reason(void **state)
{
	(void)state;
	expect("crash-entry", HY_HAL_PLUGIN_REFUSED, HY_INTERNAL, "killed by SIGABRT in entry after");
}

static void a_crash_in_device_info_names_the_device(void **state)
{
	(void)state;
	expect("crash-info", HY_HAL_PLUGIN_REFUSED, HY_INTERNAL, "killed by SIGABRT in device_info(1) after");
}

static void a_hang_is_ended_at_the_time_limit(void **state)
{
	(void)state;
	hy_error error;
	hy_hal_machine *machine;
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .manifest_path = HY_BINARY_DIR "/tests/fakes/hang-entry",
	                                        .probe_timeout_ns = 50000000};
	EXPECT_OK(hy_hal_machine_open(&options, &machine, &error));
	const hy_hal_plugin_info *info = hy_hal_machine_plugin(machine, 0);
	assert_non_null(strstr(info->reason, "hangs in entry: ended after"));
	assert_string_equal(hy_status_name(info->status), "TIMEOUT");
	assert_true(info->probe_ns >= options.probe_timeout_ns);
	hy_hal_machine_close(machine);
}

static void an_endless_log_costs_its_plugin_and_nobody_else(void **state)
{
	(void)state;
	hy_error error;
	hy_hal_machine *machine;
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .manifest_path = HY_BINARY_DIR "/tests/fakes/endless-log:" HY_BINARY_DIR
	                                                                       "/tests/fakes/good",
	                                        .probe_timeout_ns = 1000000000};
	EXPECT_OK(hy_hal_machine_open(&options, &machine, &error));
	const hy_hal_plugin_info *endless = hy_hal_machine_plugin(machine, 0);
	assert_string_equal(hy_status_name(endless->status), "TIMEOUT");
	assert_non_null(strstr(endless->reason, "; it printed: 'fake: still here fake: still here"));
	const hy_hal_plugin_info *good = hy_hal_machine_plugin(machine, 1);
	assert_string_equal(good->name, "good");
	assert_int_equal(good->state, HY_HAL_PLUGIN_LOADED);
	assert_true(good->probe_ns < endless->probe_ns);
	hy_hal_machine_close(machine);
}

static void an_exit_is_a_reason(void **state)
{
	(void)state;
	expect("exit-entry", HY_HAL_PLUGIN_REFUSED, HY_INTERNAL, "ended the process with exit(5) in entry");
}

static void writing_into_the_records_of_the_probe_is_a_reason(void **state)
{
	(void)state;
	expect("writes-records", HY_HAL_PLUGIN_REFUSED, HY_INTERNAL, "wrote to descriptor 3 in entry (P7)");
}

static void output_on_stdout_refuses_the_plugin_and_is_shown(void **state)
{
	(void)state;
	expect("prints-output", HY_HAL_PLUGIN_REFUSED, HY_INCOMPATIBLE,
	       "prints to standard output (P7): 'Fake SDK 1.0'");
}

static void output_on_stderr_is_a_warning(void **state)
{
	(void)state;
	fake_log log = {0};
	hy_hal_machine *machine = fake_machine("prints-errors", NULL, &log);
	assert_int_equal(hy_hal_machine_plugin(machine, 0)->state, HY_HAL_PLUGIN_LOADED);
	assert_non_null(strstr(log.text, "prints-errors prints to standard error (P7): 'fake: no config'"));
	hy_hal_machine_close(machine);
}

static void a_library_without_the_symbol_is_no_plugin(void **state)
{
	(void)state;
	expect("no-entry", HY_HAL_PLUGIN_REFUSED, HY_INCOMPATIBLE, "does not export hy_plugin_entry_v1");
}

static void a_plugin_of_another_abi_is_told_apart(void **state)
{
	(void)state;
	expect("other-abi", HY_HAL_PLUGIN_REFUSED, HY_INCOMPATIBLE,
	       "exports hy_plugin_entry_v2, this host calls hy_plugin_entry_v1: built for another ABI");
}

static void a_second_exported_symbol_is_a_warning(void **state)
{
	(void)state;
	fake_log log = {0};
	hy_hal_machine *machine = fake_machine("extra-export", NULL, &log);
	assert_int_equal(hy_hal_machine_plugin(machine, 0)->state, HY_HAL_PLUGIN_LOADED);
	assert_non_null(strstr(log.text, "exports more than hy_plugin_entry_v1: fake_helper"));
	hy_hal_machine_close(machine);
}

static void the_reason_a_plugin_gives_for_refusing_arrives(void **state)
{
	(void)state;
	expect("refuses", HY_HAL_PLUGIN_REFUSED, HY_INCOMPATIBLE, "plugin: entry: needs a machine from the future");
	expect("no-driver", HY_HAL_PLUGIN_REFUSED, HY_DEVICE_LOST, "plugin: device_count: libdriver.so.1 is not there");
}

static void a_missing_library_is_found_out_before_anything_runs(void **state)
{
	(void)state;
	hy_error error;
	hy_hal_machine *machine;
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .manifest_path = HY_SOURCE_DIR "/tests/hal/manifests/missing"};
	EXPECT_OK(hy_hal_machine_open(&options, &machine, &error));
	const hy_hal_plugin_info *no_library = hy_hal_machine_plugin(machine, 0);
	const hy_hal_plugin_info *no_required = hy_hal_machine_plugin(machine, 1);
	assert_string_equal(no_library->name, "no-library");
	assert_string_equal(hy_status_name(no_library->status), "NOT_FOUND");
	assert_non_null(strstr(no_library->reason, "libnothing.so: No such file or directory"));
	assert_string_equal(no_required->name, "no-required");
	assert_string_equal(hy_status_name(no_required->status), "NOT_FOUND");
	assert_non_null(strstr(no_required->reason, "requires libnothing.so.1: libnothing.so.1: cannot open"));
	assert_non_null(strstr(no_required->reason, "; this machine has no PCI function that it is for"));
	hy_hal_machine_close(machine);
}

static void one_bad_plugin_leaves_the_others_usable(void **state)
{
	(void)state;
	hy_hal_machine *machine = fake_machine("crash-entry,good,exit-entry", NULL, NULL);
	assert_int_equal(hy_hal_machine_plugin_count(machine), 3);
	assert_int_equal(hy_hal_machine_device_count(machine), 2);
	hy_hal_device_close(fake_device(machine, NULL));
	hy_hal_machine_close(machine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_crash_in_a_constructor_is_a_reason),
		CASE(a_crash_in_entry_is_a_reason),
		CASE(a_crash_in_device_info_names_the_device),
		CASE(a_hang_is_ended_at_the_time_limit),
		CASE(an_endless_log_costs_its_plugin_and_nobody_else),
		CASE(an_exit_is_a_reason),
		CASE(writing_into_the_records_of_the_probe_is_a_reason),
		CASE(output_on_stdout_refuses_the_plugin_and_is_shown),
		CASE(output_on_stderr_is_a_warning),
		CASE(a_library_without_the_symbol_is_no_plugin),
		CASE(a_plugin_of_another_abi_is_told_apart),
		CASE(a_second_exported_symbol_is_a_warning),
		CASE(the_reason_a_plugin_gives_for_refusing_arrives),
		CASE(a_missing_library_is_found_out_before_anything_runs),
		CASE(one_bad_plugin_leaves_the_others_usable),
	};
	return cmocka_run_group_tests_name("hal.probe", cases, NULL, NULL);
}
