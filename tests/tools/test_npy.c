#include "test.h"

#include "npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hy_error error;

/* A .npy file of version 1 in memory: the header text, then body. */
static hy_status parse(const char *header, const void *body, size_t length, hy_ir_tensor *out_array)
{
	static uint8_t bytes[4096];
	const size_t header_length = strlen(header);
	memcpy(bytes, "\x93NUMPY\x01\x00", 8);
	bytes[8] = (uint8_t)header_length;
	bytes[9] = (uint8_t)(header_length >> 8);
	memcpy(bytes + 10, header, header_length);
	memcpy(bytes + 10 + header_length, body, length);
	error = (hy_error){0};
	/* A copy of the exact length, so that a sanitizer sees one byte too far. */
	const size_t whole = 10 + header_length + length;
	void *const exact = malloc(whole);
	memcpy(exact, bytes, whole);
	const hy_status status = tool_npy_parse("x.npy", exact, whole, out_array, &error);
	free(exact);
	return status;
}

static void a_float_matrix_is_read(void **state)
{
	(void)state;
	hy_ir_tensor array = {0};
	const float numbers[] = {1, 2, 3, 4, 5, 6};
	EXPECT_OK(
		parse("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", numbers, sizeof(numbers), &array));
	assert_int_equal(array.type.dtype, HY_DTYPE_F32);
	assert_int_equal(array.type.rank, 2);
	assert_int_equal(array.type.dim[0], 2);
	assert_int_equal(array.type.dim[1], 3);
	assert_memory_equal(array.data, numbers, sizeof(numbers));
	assert_int_equal((uintptr_t)array.data % TOOL_ARRAY_ALIGN, 0);
	tool_array_destroy(&array);
}

static void keys_come_in_any_order_and_scalars_have_no_dimension(void **state)
{
	(void)state;
	hy_ir_tensor array = {0};
	const int64_t number = -7;
	EXPECT_OK(parse("{\"shape\":(),\"fortran_order\":False,\"descr\":\"<i8\"}\n", &number, sizeof(number), &array));
	assert_int_equal(array.type.rank, 0);
	assert_true(tool_array_number(&array, 0) == -7);
	tool_array_destroy(&array);
}

static void an_empty_dimension_needs_no_elements(void **state)
{
	(void)state;
	hy_ir_tensor array = {0};
	EXPECT_OK(parse("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 5)}", "", 0, &array));
	assert_int_equal(hy_ir_type_elements(&array.type), 0);
	tool_array_destroy(&array);
}

static void hostile_headers_are_refused_in_words(void **state)
{
	(void)state;
	static const struct {
		const char *header, *says;
	} rows[] = {
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", "23 bytes of elements"},
		{"{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", "big-endian"},
		{"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "elements of type |O"},
		{"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "structured array"},
		{"{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", "Fortran order"},
		{"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", "neither True nor False"},
		{"{'descr': '<f4', 'shape': (1,)}", "incomplete"},
		{"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "wrong key"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "wrong key"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "incomplete"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", "tuple"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "tuple"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1", "tuple"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "too large"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296)}", "elements"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}",
	         "dimensions"},
		{"{'descr': '<f4", "without end"},
		{"{'descr'", "wrong key"},
		{"{", "quoted word"},
		{"", "dictionary"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hy_ir_tensor array = {0};
		EXPECT_STATUS(HY_INVALID, parse(rows[i].header, "123456789012345678901234", 23, &array));
		if (strstr(error.text, rows[i].says) == NULL) fail_msg("%s: says %s", rows[i].header, error.text);
		assert_null(array.data);
	}
}

static void every_cut_of_a_file_is_refused(void **state)
{
	(void)state;
	static const char
		file[] = "\x93NUMPY\x01\x00\x3b\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
			 "123456789012345678901234";
	hy_ir_tensor array = {0};
	const size_t length = sizeof(file) - 1;
	EXPECT_OK(tool_npy_parse("whole", file, length, &array, &error));
	tool_array_destroy(&array);
	for (size_t cut = 0; cut < length; cut++) {
		void *const exact = malloc(cut + 1);
		memcpy(exact, file, cut);
		EXPECT_STATUS(HY_INVALID, tool_npy_parse("cut", exact, cut, &array, &error));
		free(exact);
	}
}

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	char path[] = "/tmp/halyard-npy-XXXXXX";
	close(mkstemp(path));
	const int32_t numbers[] = {1, -2, 3};
	const hy_ir_tensor array = {.type = {.dtype = HY_DTYPE_I32, .rank = 2, .dim = {3, 1}},
	                            .data = (void *)(uintptr_t)numbers};
	hy_ir_tensor back = {0};
	EXPECT_OK(tool_npy_write(path, &array, &error));
	EXPECT_OK(tool_npy_read(path, &back, &error));
	assert_true(hy_ir_type_equal(&array.type, &back.type));
	assert_memory_equal(back.data, numbers, sizeof(numbers));
	tool_array_destroy(&back);
	remove(path);
}

static void bfloat16_is_written_as_float(void **state)
{
	(void)state;
	char path[] = "/tmp/halyard-npy-XXXXXX";
	close(mkstemp(path));
	const uint16_t one_and_half = 0x3fc0;
	const hy_ir_tensor array = {.type = {.dtype = HY_DTYPE_BF16}, .data = (void *)(uintptr_t)&one_and_half};
	hy_ir_tensor back = {0};
	EXPECT_OK(tool_npy_write(path, &array, &error));
	EXPECT_OK(tool_npy_read(path, &back, &error));
	assert_int_equal(back.type.dtype, HY_DTYPE_F32);
	assert_true(tool_array_number(&back, 0) == 1.5);
	tool_array_destroy(&back);
	remove(path);
}

static void a_missing_file_is_not_found(void **state)
{
	(void)state;
	hy_ir_tensor array;
	EXPECT_STATUS(HY_NOT_FOUND, tool_npy_read("/nonexistent/x.npy", &array, &error));
	EXPECT_STATUS(HY_INVALID, tool_npy_read("/dev/zero", &array, &error));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_float_matrix_is_read),
		CASE(keys_come_in_any_order_and_scalars_have_no_dimension),
		CASE(an_empty_dimension_needs_no_elements),
		CASE(hostile_headers_are_refused_in_words),
		CASE(every_cut_of_a_file_is_refused),
		CASE(what_is_written_is_read_back),
		CASE(bfloat16_is_written_as_float),
		CASE(a_missing_file_is_not_found),
	};
	return cmocka_run_group_tests_name("tools.npy", cases, NULL, NULL);
}
