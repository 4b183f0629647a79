#include "test.h"

#include <halyard/status.h>

#include <string.h>

static void text_and_name_exist_for_every_number(void **state)
{
	(void)state;
	for (hy_status status = -1; status < 100; status++) {
		assert_true(strlen(hy_status_text(status)) > 0);
		assert_true(strlen(hy_status_name(status)) > 0);
	}
	assert_string_equal(hy_status_name(HY_NO_MEMORY), "NO_MEMORY");
	assert_string_equal(hy_status_name(-1), "?");
}

static void error_set_returns_its_status_and_cuts_long_text(void **state)
{
	(void)state;
	hy_error error = {.native = 7};
	char long_text[2 * HY_ERROR_TEXT_BYTES];
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(hy_error_set(&error, HY_TIMEOUT, "%s", long_text), HY_TIMEOUT);
	assert_int_equal(error.status, HY_TIMEOUT);
	assert_int_equal(error.native, 0);
	assert_int_equal(strlen(error.text), HY_ERROR_TEXT_BYTES - 1);
}

static void error_set_accepts_no_record(void **state)
{
	(void)state;
	assert_int_equal(hy_error_set(NULL, HY_INVALID, "nobody reads this"), HY_INVALID);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(text_and_name_exist_for_every_number),
		CASE(error_set_returns_its_status_and_cuts_long_text),
		CASE(error_set_accepts_no_record),
	};
	return cmocka_run_group_tests_name("hal.status", cases, NULL, NULL);
}
