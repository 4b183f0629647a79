#include "test.h"

#include "cgroup.h"
#include "machine.h"

#include <halyard/hal.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/hy-cgroup-XXXXXX";

static hy_hal_machine *empty_machine(void)
{
	hy_error error;
	hy_hal_machine *machine = NULL;
	const hy_hal_machine_options options = {.size = sizeof(options), .manifest_path = "/nowhere"};
	EXPECT_OK(hy_hal_machine_open(&options, &machine, &error));
	return machine;
}

static void the_machine_is_counted_as_the_system_counts_it(void **state)
{
	(void)state;
	hy_hal_machine *machine = empty_machine();
	const hy_hal_topology_info *info = hy_hal_machine_topology(machine);
	assert_true(info->pu_count >= (uint32_t)sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(info->core_count >= 1 && info->core_count <= info->pu_count);
	assert_true(info->package_count >= 1 && info->numa_count >= 1);
	assert_true(info->allowed_count >= 1 && info->allowed_count <= info->core_count);
	assert_true(info->memory_bytes > 0);
	assert_true(info->memory_bytes <= (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
	assert_true(strlen(info->cpu_model) > 0);
	assert_ptr_equal(info, hy_hal_machine_topology(machine));
	hy_hal_machine_close(machine);
}

static void a_restricted_process_is_allowed_just_its_processors(void **state)
{
	(void)state;
	cpu_set_t before, one;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	int last = -1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &before)) last = i;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	hy_hal_machine *machine = empty_machine();
	const hy_hal_topology_info *info = hy_hal_machine_topology(machine);
	assert_int_equal(info->allowed_count, 1);
	assert_int_equal(info->allowed[0], last);
	assert_true(info->pu_count >= (uint32_t)CPU_COUNT(&before));
	hy_hal_machine_close(machine);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

static void the_export_is_hwloc_xml(void **state)
{
	(void)state;
	hy_error error;
	char *xml = NULL;
	hy_hal_machine *machine = empty_machine();
	EXPECT_OK(hy_hal_topology_export(machine, &xml, &error));
	assert_non_null(strstr(xml, "<topology version=\"2."));
	assert_non_null(strstr(xml, "type=\"Machine\""));
	free(xml);
	hy_hal_machine_close(machine);
}

/* ---- control groups, on a made-up file system ---- */

static void put(const char *path, const char *text)
{
	char whole[512];
	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *slash = strchr(whole + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(whole, 0700);
		*slash = '/';
	}
	FILE *file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_root(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	return mkdtemp(root) == NULL ? -1 : 0;
}

static int remove_root(void **state)
{
	(void)state;
	char command[64];
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void version_2_limits_by_the_tightest_group_on_the_way_up(void **state)
{
	(void)state;
	hy_hal__cgroup cgroup;
	put("/proc/self/cgroup", "0::/box/inner\n");
	put("/sys/fs/cgroup/box/inner/cpu.max", "300000 100000\n");
	put("/sys/fs/cgroup/box/inner/memory.max", "4000000000\n");
	put("/sys/fs/cgroup/box/cpu.max", "150000 100000\n");
	put("/sys/fs/cgroup/box/memory.max", "2000000000\n");
	hy_hal__cgroup_read(root, &cgroup);
	assert_true(cgroup.cpu_quota == 1.5);
	assert_true(cgroup.memory_bytes == 2000000000u);
}

static void version_1_limits_by_its_own_files(void **state)
{
	(void)state;
	hy_hal__cgroup cgroup;
	put("/proc/self/cgroup", "9:name=systemd:/\n4:memory:/pod\n3:cpuset:/\n2:cpu,cpuacct:/pod\n");
	put("/sys/fs/cgroup/cpu/pod/cpu.cfs_quota_us", "66666\n");
	put("/sys/fs/cgroup/cpu/pod/cpu.cfs_period_us", "100000\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	put("/sys/fs/cgroup/memory/pod/memory.limit_in_bytes", "1000000\n");
	put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	hy_hal__cgroup_read(root, &cgroup);
	assert_true(cgroup.cpu_quota == 0.66);
	assert_true(cgroup.memory_bytes == 1000000);
}

static void the_machine_has_no_more_than_the_group_allows(void **state)
{
	(void)state;
	put("/proc/self/cgroup", "0::/\n");
	put("/sys/fs/cgroup/cpu.max", "50000 100000\n");
	put("/sys/fs/cgroup/memory.max", "1048576\n");
	hy_hal_machine *machine = empty_machine();
	machine->topology.root = root;
	const hy_hal_topology_info *info = hy_hal_machine_topology(machine);
	assert_true(info->cpu_quota == 0.5);
	assert_true(info->memory_bytes == 1048576);
	hy_hal_machine_close(machine);
}

static void no_limit_and_nonsense_do_not_limit(void **state)
{
	(void)state;
	hy_hal__cgroup cgroup;
	hy_hal__cgroup_read(root, &cgroup);
	assert_true(cgroup.cpu_quota == 0 && cgroup.memory_bytes == UINT64_MAX);
	put("/proc/self/cgroup", "0::/../etc\nrubbish\n1:cpu\n0::/box\n");
	put("/sys/fs/cgroup/box/cpu.max", "fast 0\n");
	put("/sys/fs/cgroup/box/memory.max", "max\n");
	hy_hal__cgroup_read(root, &cgroup);
	assert_true(cgroup.cpu_quota == 0 && cgroup.memory_bytes == UINT64_MAX);
	put("/sys/fs/etc/cpu.max", "100000 100000\n"); /* outside of the mount */
	put("/sys/fs/cgroup/box/cpu.max", "100000 0\n");
	put("/sys/fs/cgroup/box/memory.max", "-4\n");
	hy_hal__cgroup_read(root, &cgroup);
	assert_true(cgroup.cpu_quota == 0 && cgroup.memory_bytes == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_machine_is_counted_as_the_system_counts_it),
		CASE(a_restricted_process_is_allowed_just_its_processors),
		CASE(the_export_is_hwloc_xml),
		cmocka_unit_test_setup_teardown(version_2_limits_by_the_tightest_group_on_the_way_up, make_root,
	                                        remove_root),
		cmocka_unit_test_setup_teardown(version_1_limits_by_its_own_files, make_root, remove_root),
		cmocka_unit_test_setup_teardown(the_machine_has_no_more_than_the_group_allows, make_root, remove_root),
		cmocka_unit_test_setup_teardown(no_limit_and_nonsense_do_not_limit, make_root, remove_root),
	};
	return cmocka_run_group_tests_name("hal.topology", cases, NULL, NULL);
}
