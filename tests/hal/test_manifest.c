#include "test.h"

#include "discover.h"
#include "fake.h"
#include "manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/hy-manifest-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL) return -1;
	snprintf(path, sizeof(path), "%s/x.yaml", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static hy_status read_bytes(const char *text, size_t length, hy_hal__manifest *m)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	fclose(file);
	return hy_hal__manifest_read(path, m);
}

static hy_status read_text(const char *text, hy_hal__manifest *m)
{
	return read_bytes(text, strlen(text), m);
}

static void a_whole_manifest_is_read(void **state)
{
	(void)state;
	hy_hal__manifest m;
	assert_int_equal(read_text("# a comment\n"
	                           "name: x\n"
	                           "library: lib/../libx.so\n"
	                           "abi: 1\n"
	                           "vendor: \"Somebody, Inc.\"\n"
	                           "requires: [libm.so.6, libdl.so.2]\n"
	                           "devices:\n  - 'pci:10de:*:03*'\n"
	                           "isolation: worker\n"
	                           "priority: -5\n",
	                           &m),
	                 HY_OK);
	char library[80];
	snprintf(library, sizeof(library), "%s/lib/../libx.so", folder);
	assert_string_equal(m.name, "x");
	assert_string_equal(m.library, library); /* not there: opening it will say so */
	assert_string_equal(m.vendor, "Somebody, Inc.");
	assert_int_equal(m.requires.count, 2);
	assert_string_equal(m.requires.items[1], "libdl.so.2");
	assert_string_equal(m.devices.items[0], "pci:10de:*:03*");
	assert_string_equal(m.isolation, "worker");
	assert_int_equal(m.priority, -5);
	hy_hal__manifest_finish(&m);
}

#define HEAD "name: x\nlibrary: /x.so\nabi: 1\n"

/* text: the file; errors: what is said, each with /x.yaml before it. */
static const struct {
	const char *says, *text, *errors;
} faults[] = {
	{"empty", "", ":1:1: empty: nothing is described here"},
	{"only a comment", "# hello\n", ":1:1: empty: nothing is described here"},
	{"scalar", "hello\n", ":1:1: 'key: value' pairs belong here"},
	{"list", "- a\n", ":1:1: 'key: value' pairs belong here"},
	{"missing keys", "name: x\n", ":1:1: 'abi' is missing here; :1:1: 'library' is missing here"},
	{"near miss", HEAD "priorty: 3\n", ":4:1: unknown key 'priorty': did you mean 'priority'?"},
	{"far miss", HEAD "colour: red\n",
         ":4:1: unknown key 'colour': the keys here are name, library, abi, vendor, "
         "requires, devices, isolation, priority"},
	{"unknown with a tree", HEAD "extra: {a: [1, 2], b: {c: d}}\nvendr: y\n",
         ":4:1: unknown key 'extra': the keys here are name, library, abi, vendor, requires, devices, isolation, "
         "priority; :5:1: unknown key 'vendr': did you mean 'vendor'?"},
	{"duplicate", HEAD "abi: 1\n", ":4:1: 'abi' is there twice: first in line 3"},
	{"tab", "name: x\n\tabi: 1\n", ":2:1: a tab: YAML is indented with spaces"},
	{"tab inside", HEAD "vendor: a\tb\n", ":4:10: a tab: YAML is indented with spaces"},
	{"not a number", "name: x\nlibrary: /x.so\nabi: one\n", ":3:6: 'one' is no whole number: write 8"},
	{"too large", HEAD "priority: 99999999999\n",
         ":4:11: '99999999999' is no whole number: write 10, or -10 for a plugin that is used only when "
         "named"},
	{"other abi", "name: x\nlibrary: /x.so\nabi: 2\n", ":3:6: abi 2 is not known here: this host has abi 1"},
	{"list for a text", "name: [x]\nlibrary: /x.so\nabi: 1\n", ":1:7: a single value belongs here"},
	{"text for a list", HEAD "requires: libm.so\n", ":4:11: a list belongs here: [a, b] or '- a' lines"},
	{"list in a list", HEAD "requires: [[a]]\n", ":4:12: a single value belongs here"},
	{"empty value", "name: x\nlibrary:\nabi: 1\n", ":2:9: is empty: write a value or take the key away"},
	{"alias", "name: &n x\nlibrary: *n\nabi: 1\n", ":2:10: aliases (*) are not allowed: write the value out"},
	{"two lines", HEAD "vendor: \"a\\nb\"\n", ":4:9: must be one line of text"},
	{"NUL", HEAD "vendor: \"a\\0b\"\n", ":4:9: must be one line of text"},
	{"other name", "name: y\nlibrary: /x.so\nabi: 1\n", ":1:7: name is 'y' but the file is 'x.yaml': rename one"},
	{"isolation", HEAD "isolation: vm\n", ":4:12: 'vm' is none of in-process|worker"},
	{"pattern", HEAD "devices: [usb:1:2]\n",
         ":4:11: 'usb:1:2' is no PCI pattern: write pci:VENDOR:DEVICE:CLASS with lower-case hex or *"},
	{"pattern in capitals", HEAD "devices: ['pci:10DE:*:*']\n",
         ":4:11: 'pci:10DE:*:*' is no PCI pattern: write pci:VENDOR:DEVICE:CLASS with lower-case hex or *"},
	{"broken YAML", HEAD "vendor: [a\n",
         ":4:9: a single value belongs here; :5:1: did not find expected ',' or ']'; it began in line 4"},
	{"two documents", HEAD "---\nname: x\n", ":4:1: a second document: one per file"},
	{"control character", HEAD "vendor: a\x01\n", ":1:1: control characters are not allowed"},
	{"not UTF-8", HEAD "vendor: \xff\n", ":1:1: invalid leading UTF-8 octet"},
	{"several at once", "name: x\nlibrary: /x.so\nabi: 3\nisolation: no\nfoo: 1\n",
         ":3:6: abi 3 is not known here: this host has abi 1; :4:12: 'no' is none of in-process|worker; "
         ":5:1: unknown key 'foo': the keys here are name, library, abi, vendor, requires, devices, isolation, "
         "priority"},
};

/* errors without the path before each ":line:column". */
static void strip_paths(char *errors)
{
	for (char *at; (at = strstr(errors, path)) != NULL;)
		memmove(at, at + strlen(path), strlen(at + strlen(path)) + 1);
}

static void every_fault_is_told_with_line_and_column(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		hy_hal__manifest m;
		const hy_status status = read_text(faults[i].text, &m);
		if (status != HY_INVALID || m.errors == NULL) fail_msg("%s: status %d", faults[i].says, status);
		strip_paths(m.errors);
		if (strcmp(m.errors, faults[i].errors) != 0) fail_msg("%s: '%s'", faults[i].says, m.errors);
		hy_hal__manifest_finish(&m);
	}
}

static void size_depth_and_length_of_lists_are_limited(void **state)
{
	(void)state;
	hy_hal__manifest m;
	char *large = malloc((1u << 20) + 1);
	memset(large, '#', (1u << 20) + 1);
	assert_int_equal(read_bytes(large, (1u << 20) + 1, &m), HY_INVALID);
	assert_non_null(strstr(m.errors, "x.yaml:1:1: larger than 1048576 bytes"));
	hy_hal__manifest_finish(&m);
	memset(large, '[', 60000);
	memcpy(large, "name: ", 6);
	assert_int_equal(read_bytes(large, 60000, &m), HY_INVALID);
	assert_non_null(strstr(m.errors, "nested deeper than 16 levels"));
	hy_hal__manifest_finish(&m);
	strcpy(large, HEAD "requires: [a");
	for (int i = 0; i < 40; i++)
		strcat(large, ", a");
	strcat(large, "]\n");
	assert_int_equal(read_text(large, &m), HY_INVALID);
	assert_non_null(strstr(m.errors, "more than 32 items"));
	hy_hal__manifest_finish(&m);
	free(large);
}

static void a_file_that_is_not_there_is_not_found(void **state)
{
	(void)state;
	hy_hal__manifest m;
	assert_int_equal(hy_hal__manifest_read("/nowhere/x.yaml", &m), HY_NOT_FOUND);
	assert_string_equal(m.errors, "/nowhere/x.yaml:1:1: cannot be opened: No such file or directory");
	hy_hal__manifest_finish(&m);
}

static void touch(const char *in, const char *name)
{
	char file[128];
	mkdir(in, 0700);
	snprintf(file, sizeof(file), "%s/%s", in, name);
	FILE *stream = fopen(file, "w");
	assert_non_null(stream);
	fclose(stream);
}

static void the_first_manifest_of_a_name_wins(void **state)
{
	(void)state;
	char first[64], second[64], folders[160], command[160];
	snprintf(first, sizeof(first), "%s/first", folder);
	snprintf(second, sizeof(second), "%s/second", folder);
	touch(first, "b.yaml");
	touch(first, "readme.txt");
	touch(first, ".hidden.yaml");
	touch(second, "a.yaml");
	touch(second, "b.yaml");
	snprintf(folders, sizeof(folders), "/nowhere::%s:%s", first, second);
	fake_log log = {0};
	const hy_hal__log sink = {fake_log_write, &log, HY_LOG_INFO};
	hy_hal__discovered found;
	assert_int_equal(hy_hal__discover(folders, &sink, &found), HY_OK);
	assert_int_equal(found.count, 2);
	assert_non_null(strstr(log.text, "2 hal: manifests: /nowhere: No such file or directory"));
	assert_non_null(strstr(log.text, "/second/b.yaml is hidden by"));
	assert_non_null(strstr(found.paths[0], "/first/b.yaml"));
	assert_non_null(strstr(found.paths[1], "/second/a.yaml"));
	hy_hal__discovered_finish(&found);
	snprintf(command, sizeof(command), "rm -r %s %s", first, second);
	assert_int_equal(system(command), 0);
}

static void the_environment_comes_before_the_folder_beside_this_program(void **state)
{
	(void)state;
	const hy_hal__log silent = {0};
	hy_hal__discovered found;
	setenv("HALYARD_PLUGIN_PATH", HY_BINARY_DIR "/tests/fakes/good", 1);
	setenv("XDG_CONFIG_HOME", "/nowhere", 1);
	assert_int_equal(hy_hal__discover(NULL, &silent, &found), HY_OK);
	assert_true(found.count >= 2);
	assert_non_null(strstr(found.paths[0], "/good/good.yaml"));
	bool has_template = false;
	for (uint32_t i = 1; i < found.count; i++)
		has_template = has_template || strstr(found.paths[i], "/plugins.d/template.yaml") != NULL;
	assert_true(has_template);
	hy_hal__discovered_finish(&found);
	unsetenv("HALYARD_PLUGIN_PATH");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_whole_manifest_is_read),
		CASE(every_fault_is_told_with_line_and_column),
		CASE(size_depth_and_length_of_lists_are_limited),
		CASE(a_file_that_is_not_there_is_not_found),
		CASE(the_first_manifest_of_a_name_wins),
		CASE(the_environment_comes_before_the_folder_beside_this_program),
	};
	return cmocka_run_group_tests_name("hal.manifest", cases, make_folder, remove_folder);
}
