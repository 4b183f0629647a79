#include "test.h"

#include "dylib.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD HY_BINARY_DIR "/tests/fakes/libfake_good.so"

static void only_an_absolute_regular_private_file_is_opened(void **state)
{
	(void)state;
	hy_error error;
	char path[] = "/tmp/hy-dylib-XXXXXX";
	const int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(fchmod(file, 0666), 0);
	EXPECT_OK(hy_hal__dylib_check(GOOD, &error));
	EXPECT_STATUS(HY_INVALID, hy_hal__dylib_check("libm.so.6", &error));
	assert_string_equal(error.text, "libm.so.6: not an absolute path");
	EXPECT_STATUS(HY_NOT_FOUND, hy_hal__dylib_check("/nowhere/libx.so", &error));
	EXPECT_STATUS(HY_INVALID, hy_hal__dylib_check("/tmp", &error));
	assert_string_equal(error.text, "/tmp: not a regular file");
	EXPECT_STATUS(HY_INVALID, hy_hal__dylib_check(path, &error));
	assert_non_null(strstr(error.text, "everybody may write to it: chmod o-w"));
	close(file);
	unlink(path);
}

static void a_file_that_is_no_library_is_refused_in_the_loaders_words(void **state)
{
	(void)state;
	hy_error error;
	void *library = NULL;
	EXPECT_STATUS(HY_INCOMPATIBLE, hy_hal__dylib_open(HY_SOURCE_DIR "/README.md", &library, &error));
	assert_non_null(strstr(error.text, "invalid ELF header"));
	assert_null(library);
}

static void collect(void *payload, const char *name)
{
	strcat(strcat(payload, name), " ");
}

static void exported_names_are_those_of_the_library_itself(void **state)
{
	(void)state;
	hy_error error;
	char names[256] = "";
	void *library = NULL;
	EXPECT_OK(hy_hal__dylib_open(HY_BINARY_DIR "/tests/fakes/libfake_extra-export.so", &library, &error));
	hy_hal__dylib_exports(library, collect, names);
	assert_int_equal(strlen(names), strlen("hy_plugin_entry_v1 fake_helper "));
	assert_non_null(strstr(names, "hy_plugin_entry_v1 "));
	assert_non_null(strstr(names, "fake_helper "));
	assert_non_null(hy_hal__dylib_entry(library));
	hy_hal__dylib_close(library);
	assert_null(hy_hal__dylib_find(HY_BINARY_DIR "/tests/fakes/libfake_extra-export.so"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(only_an_absolute_regular_private_file_is_opened),
		CASE(a_file_that_is_no_library_is_refused_in_the_loaders_words),
		CASE(exported_names_are_those_of_the_library_itself),
	};
	return cmocka_run_group_tests_name("hal.dylib", cases, NULL, NULL);
}
