/* What every cmocka test includes, in the order cmocka needs. */
#ifndef HY_TEST_H
#define HY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define CASE(function) cmocka_unit_test(function)

/* expression answers HY_OK; the message of `error` (an hy_error in scope) is shown when it does not. */
#define EXPECT_OK(expression)                                                                            \
	do {                                                                                             \
		const hy_status status_of_case = (expression);                                           \
		if (status_of_case != HY_OK)                                                             \
			fail_msg("%s: %s: %s", #expression, hy_status_name(status_of_case), error.text); \
	} while (0)

#define EXPECT_STATUS(wanted, expression) assert_string_equal(hy_status_name(expression), hy_status_name(wanted))

#endif
