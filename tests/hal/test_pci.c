#include "test.h"

#include "pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[] = "/tmp/hy-pci-XXXXXX";

static void put(const char *address, const char *name, const char *text)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s", root, address);
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/%s", root, address, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void add(const char *address, const char *vendor, const char *device, const char *class)
{
	put(address, "vendor", vendor);
	put(address, "device", device);
	put(address, "class", class);
}

static int make_root(void **state)
{
	(void)state;
	if (mkdtemp(root) == NULL) return -1;
	add("0000:00:1f.0", "0x8086\n", "0xa30d\n", "0x060100\n");
	add("0000:41:00.0", "0x10de\n", "0x2330\n", "0x030200\n");
	add("0000:41:00.1", "0x10de\n", "0x22a3\n", "0x040300\n");
	add("0000:c1:00.0", "0x10de\n", "0x2330\n", "0x030200\n");
	put("0000:c2:00.0", "vendor", "nonsense\n");
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	char command[64];
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static const struct {
	const char *first, *second, *addresses;
	uint32_t count;
} rows[] = {
	{"pci:10de:*:03*", NULL, "0000:41:00.0 0000:c1:00.0", 2},
	{"pci:10de:22??:*", "pci:8086:*:*", "0000:00:1f.0 0000:41:00.1", 2},
	{"pci:1002:*:*", NULL, "", 0},
	{"pci:*:*:*", NULL, "0000:00:1f.0 0000:41:00.0 0000:41:00.1", 4}, /* as many as there is room for */
};

static void functions_are_matched_by_vendor_device_and_class(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char addresses[48];
		const hy_hal__manifest_list patterns = {
			rows[i].second != NULL ? 2 : 1,
			{(char *)(uintptr_t)rows[i].first, (char *)(uintptr_t)rows[i].second}};
		assert_int_equal(hy_hal__pci_find(root, &patterns, addresses, sizeof(addresses)), rows[i].count);
		assert_string_equal(addresses, rows[i].addresses);
	}
}

static void a_machine_without_the_bus_has_none(void **state)
{
	(void)state;
	char addresses[48];
	const hy_hal__manifest_list patterns = {1, {(char *)(uintptr_t) "pci:*:*:*"}};
	assert_int_equal(hy_hal__pci_find("/nowhere", &patterns, addresses, sizeof(addresses)), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(functions_are_matched_by_vendor_device_and_class),
		CASE(a_machine_without_the_bus_has_none),
	};
	return cmocka_run_group_tests_name("hal.pci", cases, make_root, remove_root);
}
