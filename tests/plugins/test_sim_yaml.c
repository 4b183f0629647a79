/* The reader of machine files: what it takes, and what it refuses with which line. */
#include "test.h"

#include "../../plugins/sim/sim_machine.h"

#include <halyard/plugin.h>

#include <string.h>

static hy_error error;
static hy_sim_machine machine;

static hy_status parse(const char *text)
{
	memset(&machine, 0, sizeof(machine));
	error.text[0] = '\0';
	return hy_sim_yaml_parse("m.yaml", text, strlen(text), &machine, &error);
}

static void a_full_description_is_read(void **state)
{
	(void)state;
	EXPECT_OK(parse("clock: manual\n"
	                "devices:\n"
	                "  - name: big-gpu\n"
	                "    kind: gpu\n"
	                "    flops: 1.5e12\n"
	                "    memory: 8GiB\n"
	                "    bandwidth: 500e9\n"
	                "    launch_ns: 5000\n"
	                "    link: {bandwidth: 12e9, latency_ns: 9000}\n"
	                "    numbers: none\n"
	                "    regions: no\n"
	                "    refuse: [TopK, Gelu]\n"
	                "    faults: {lost_after: 10, alloc_fails_after: 3, slow: 2.5}\n"
	                "  - {name: plain, flops: 1, memory: 1, bandwidth: 1}\n"));
	const hy_sim_description *gpu = &machine.devices[0], *plain = &machine.devices[1];
	assert_true(machine.manual_clock);
	assert_int_equal(machine.device_count, 2);
	assert_string_equal(gpu->name, "big-gpu");
	assert_int_equal(gpu->kind, HY_KIND_GPU);
	assert_int_equal(gpu->flops, 1500000000000);
	assert_int_equal(gpu->memory_bytes, 8589934592);
	assert_int_equal(gpu->launch_ns, 5000);
	assert_true(gpu->has_link);
	assert_int_equal(gpu->link_latency_ns, 9000);
	assert_false(gpu->real_numbers);
	assert_true(gpu->refuses_regions);
	assert_int_equal(gpu->refused_count, 2);
	assert_string_equal(gpu->refused[1], "Gelu");
	assert_int_equal(gpu->faults.lost_after, 10);
	assert_true(gpu->faults.slow == 2.5);
	assert_int_equal(plain->kind, HY_KIND_OTHER);
	assert_true(plain->real_numbers);
	assert_false(plain->has_link);
}

#define GOOD "flops: 1, memory: 1, bandwidth: 1"

static void what_is_wrong_is_said_with_line_column_and_a_way_out(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"devices:\n\t- name: a\n", "m.yaml:2:1: a tab: YAML is indented with spaces"},
		{"devices:\n- {name: a, flop: 1, " GOOD "}\n",
	         "m.yaml:2:13: unknown key 'flop': did you mean 'flops'?"},
		{"devices:\n- {name: a, quantum: 1, " GOOD "}\n",
	         "m.yaml:2:13: unknown key 'quantum': the keys here are name, "
	         "kind, flops, memory, bandwidth, launch_ns, "
	         "link, numbers, regions, refuse, faults"},
		{"devices:\n- {name: a, name: b, " GOOD "}\n", "m.yaml:2:13: 'name' is there twice: first in line 2"},
		{"devices:\n- {name: a, flops: 1, memory: 1}\n", "m.yaml:2:3: 'bandwidth' is missing here"},
		{"devices:\n- {name: a, " GOOD "}\n- {name: a, " GOOD "}\n",
	         "m.yaml:3:10: a device 'a' is there already: give each a name"},
		{"devices:\n- {name: a/b, " GOOD "}\n",
	         "m.yaml:2:10: 'a/b' is no name: letters, digits, '-', '.' and '_', at most 47"},
		{"devices:\n- {name: a, flops: fast, memory: 1, bandwidth: 1}\n",
	         "m.yaml:2:20: 'fast' is no rate of operations: write 989T, 60TFLOP/s or 1e12"},
		{"devices:\n- {name: a, flops: 0, memory: 1, bandwidth: 1}\n",
	         "m.yaml:2:20: '0' is out of range: from 1 to 1e+18/s"},
		{"devices:\n- {name: a, flops: 1e300, memory: 1, bandwidth: 1}\n",
	         "m.yaml:2:20: '1e300' is no rate of operations: write 989T, 60TFLOP/s or 1e12"},
		{"devices:\n- {name: a, kind: tpu, " GOOD "}\n", "m.yaml:2:19: 'tpu': did you mean 'cpu'?"},
		{"devices: 3\n", "m.yaml:1:10: a list belongs here: [a, b] or '- a' lines"},
		{"clock: auto\n", "m.yaml:1:1: 'devices' is missing here"},
		{"", "m.yaml:1:1: empty: nothing is described here"},
		{"devices: &a\n- *a\n", "m.yaml:2:3: aliases (*) are not allowed: write the value out"},
		{"devices: []\n---\ndevices: []\n", "m.yaml:2:1: a second document: one per file"},
		{"devices: [\n", "m.yaml:2:1: did not find expected node content"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_STATUS(HY_INVALID, parse(rows[i].text));
		assert_string_equal(error.text, rows[i].says);
	}
}

static void deep_nesting_is_refused_at_its_first_level(void **state)
{
	(void)state;
	static char text[20001];
	memset(text, '[', sizeof(text) - 1);
	EXPECT_STATUS(HY_INVALID, parse(text));
}

static void a_file_that_is_not_there_is_not_found(void **state)
{
	(void)state;
	EXPECT_STATUS(HY_NOT_FOUND, hy_sim_yaml_load("/nonexistent/m.yaml", &machine, &error));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_full_description_is_read),
		CASE(what_is_wrong_is_said_with_line_column_and_a_way_out),
		CASE(deep_nesting_is_refused_at_its_first_level),
		CASE(a_file_that_is_not_there_is_not_found),
	};
	return cmocka_run_group_tests(cases, NULL, NULL);
}
