#include "test.h"

#include "fake.h"

static void refused(const char *name, const char *reason)
{
	hy_hal_machine *machine = fake_machine(name, NULL, NULL);
	const hy_hal_plugin_info *info = hy_hal_machine_plugin(machine, 0);
	assert_int_equal(info->state, HY_HAL_PLUGIN_REFUSED);
	assert_string_equal(hy_status_name(info->status), "INCOMPATIBLE");
	if (strstr(info->reason, reason) == NULL) fail_msg("%s: reason is '%s'", name, info->reason);
	hy_hal_machine_close(machine);
}

static void a_good_plugin_is_listed_with_its_version_and_devices(void **state)
{
	(void)state;
	hy_hal_machine *machine = fake_machine("good", NULL, NULL);
	const hy_hal_plugin_info *info = hy_hal_machine_plugin(machine, 0);
	assert_int_equal(info->state, HY_HAL_PLUGIN_LOADED);
	assert_string_equal(info->reason, "");
	assert_string_equal(info->version, "1.2.3");
	assert_int_equal(info->device_count, 2);
	const hy_hal_device_info *device = hy_hal_machine_device(machine, 1);
	assert_string_equal(device->id, "good:1");
	assert_string_equal(device->uri, "good://chip-1");
	assert_string_equal(device->info.name, "Fake  device");
	assert_null(device->same_as);
	assert_null(hy_hal_machine_device(machine, 2));
	hy_hal_machine_close(machine);
}

static void calls_an_older_plugin_lacks_are_answered_unsupported(void **state)
{
	(void)state;
	hy_error error;
	hy_verdict verdict;
	hy_hal_program *program;
	const hy_graph graph = {.magic = HY_GRAPH_MAGIC};
	hy_hal_machine *machine = fake_machine("old-minor", NULL, NULL);
	hy_hal_device *device = fake_device(machine, NULL);
	hy_hal_queue_close(fake_queue(device));
	EXPECT_STATUS(HY_UNSUPPORTED, hy_hal_device_query(device, &graph, 1, &verdict, &error));
	assert_string_equal(error.text, "old-minor:0: query: answered UNSUPPORTED (not possible here: try elsewhere) "
	                                "and gave no reason");
	EXPECT_STATUS(HY_UNSUPPORTED, hy_hal_program_create(device, &graph, NULL, 0, NULL, 0, &program, &error));
	hy_hal_device_close(device);
	hy_hal_machine_close(machine);
}

static void a_newer_plugin_is_used_as_far_as_it_is_known(void **state)
{
	(void)state;
	hy_hal_machine *machine = fake_machine("new-minor", NULL, NULL);
	assert_int_equal(hy_hal_machine_plugin(machine, 0)->state, HY_HAL_PLUGIN_LOADED);
	assert_int_equal(hy_hal_machine_plugin(machine, 0)->abi_minor, 7);
	hy_hal_device_close(fake_device(machine, NULL));
	hy_hal_machine_close(machine);
}

static void a_table_that_breaks_the_rules_is_refused(void **state)
{
	(void)state;
	refused("overfill", "bytes of a table of");
	refused("incoherent", "buffer_alloc and buffer_free belong together");
	refused("wrong-name", "its manifest calls it 'wrong-name' but it calls itself 'somebody-else'");
}

static void a_device_whose_description_is_nonsense_is_left_out(void **state)
{
	(void)state;
	fake_log log = {0};
	hy_hal_machine *machine = fake_machine("bad-info", NULL, &log);
	assert_int_equal(hy_hal_machine_device_count(machine), 1);
	const hy_hal_device_info *device = hy_hal_machine_device(machine, 0);
	assert_string_equal(device->id, "bad-info:0");
	assert_string_equal(device->uri, "bad-info://chip-2");
	assert_int_equal(strlen(device->info.name), sizeof(device->info.name) - 1);
	assert_non_null(strstr(log.text, "bad-info:0 left out: has a binding_align"));
	assert_non_null(strstr(log.text, "bad-info:1 left out: has an id"));
	assert_non_null(strstr(log.text, "bad-info:3 left out: fills a wrong number of bytes"));
	hy_hal_machine_close(machine);
}

static void one_chip_behind_two_plugins_is_one_device_with_a_second_door(void **state)
{
	(void)state;
	hy_hal_machine *machine = fake_machine("old-minor,new-minor,good", NULL, NULL);
	assert_int_equal(hy_hal_machine_device_count(machine), 6);
	assert_string_equal(hy_hal_machine_device(machine, 0)->id, "good:0");
	assert_null(hy_hal_machine_device(machine, 1)->same_as);
	assert_string_equal(hy_hal_machine_device(machine, 2)->id, "new-minor:0");
	assert_string_equal(hy_hal_machine_device(machine, 2)->same_as, "good:0");
	assert_string_equal(hy_hal_machine_device(machine, 3)->same_as, "good:1");
	assert_string_equal(hy_hal_machine_device(machine, 5)->id, "old-minor:1"); /* has no uuid */
	assert_string_equal(hy_hal_machine_device(machine, 5)->same_as, "good:1");
	hy_hal_machine_close(machine);
}

static void two_machines_share_a_plugin_until_the_last_one_closes(void **state)
{
	(void)state;
	hy_hal_machine *first = fake_machine("good", NULL, NULL);
	hy_hal_machine *second = fake_machine("good", NULL, NULL);
	assert_int_equal(hy_hal_machine_plugin(second, 0)->probe_ns, 0);
	hy_hal_device *device = fake_device(second, NULL);
	hy_hal_machine_close(first);
	hy_hal_queue_close(fake_queue(device));
	hy_hal_device_close(device);
	hy_hal_machine_close(second);
	hy_hal_machine *third = fake_machine("good", NULL, NULL);
	assert_true(hy_hal_machine_plugin(third, 0)->probe_ns > 0);
	hy_hal_machine_close(third);
}

static void a_plugin_that_is_not_unloadable_is_entered_once(void **state)
{
	(void)state;
	hy_hal_machine_close(fake_machine("stays", NULL, NULL));
	hy_hal_machine *machine = fake_machine("stays", NULL, NULL);
	assert_string_equal(hy_hal_machine_plugin(machine, 0)->reason, "");
	assert_int_equal(hy_hal_machine_plugin(machine, 0)->probe_ns, 0); /* it was here all the time */
	hy_hal_device_close(fake_device(machine, NULL));
	hy_hal_machine_close(machine);
}

static void a_disabled_plugin_is_listed_and_not_loaded(void **state)
{
	(void)state;
	hy_error error;
	hy_hal_machine *machine;
	const hy_hal_machine_options options = {
		.size = sizeof(options), .manifest_path = HY_BINARY_DIR "/tests/fakes/good", .disable = "cuda,g*d"};
	EXPECT_OK(hy_hal_machine_open(&options, &machine, &error));
	assert_int_equal(hy_hal_machine_plugin(machine, 0)->state, HY_HAL_PLUGIN_DISABLED);
	assert_int_equal(hy_hal_machine_device_count(machine), 0);
	hy_hal_machine_close(machine);
}

static void an_unknown_layer_is_invalid_and_named(void **state)
{
	(void)state;
	hy_error error;
	hy_hal_machine *machine;
	const hy_hal_machine_options options = {.size = sizeof(options), .layers = "trace,validat"};
	EXPECT_STATUS(HY_INVALID, hy_hal_machine_open(&options, &machine, &error));
	assert_string_equal(error.text, "unknown layer 'validat': use validate, trace");
}

static void the_plugins_words_reach_the_caller_with_device_and_call(void **state)
{
	(void)state;
	hy_error error;
	hy_hal_device *device;
	hy_hal_machine *machine = fake_machine("good", NULL, NULL);
	const hy_option unknown = {"cores", "3"};
	EXPECT_STATUS(HY_INVALID, hy_hal_device_open(machine, 1, &unknown, 1, &device, &error));
	assert_string_equal(error.text, "good:1: device_open: unknown option: use fault");
	assert_int_equal(error.native, 42);
	const hy_option open = {"fault", "open"};
	EXPECT_STATUS(HY_DEVICE_LOST, hy_hal_device_open(machine, 0, &open, 1, &device, &error));
	assert_int_equal(error.scope, HY_SCOPE_DEVICE);
	EXPECT_STATUS(HY_NOT_FOUND, hy_hal_device_open(machine, 9, NULL, 0, &device, &error));
	hy_hal_device_close(fake_device(machine, NULL)); /* another open is another device */
	hy_hal_machine_close(machine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_good_plugin_is_listed_with_its_version_and_devices),
		CASE(calls_an_older_plugin_lacks_are_answered_unsupported),
		CASE(a_newer_plugin_is_used_as_far_as_it_is_known),
		CASE(a_table_that_breaks_the_rules_is_refused),
		CASE(a_device_whose_description_is_nonsense_is_left_out),
		CASE(one_chip_behind_two_plugins_is_one_device_with_a_second_door),
		CASE(two_machines_share_a_plugin_until_the_last_one_closes),
		CASE(a_plugin_that_is_not_unloadable_is_entered_once),
		CASE(a_disabled_plugin_is_listed_and_not_loaded),
		CASE(an_unknown_layer_is_invalid_and_named),
		CASE(the_plugins_words_reach_the_caller_with_device_and_call),
	};
	return cmocka_run_group_tests_name("hal.plugin", cases, NULL, NULL);
}
