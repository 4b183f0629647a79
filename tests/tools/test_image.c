#include "test.h"

#include "image.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

static hy_error error;

static hy_status parse(const char *text, size_t length, tool_image *image)
{
	void *const exact = malloc(length + 1);
	memcpy(exact, text, length);
	error = (hy_error){0};
	const hy_status status = tool_image_parse_pnm("x.pgm", exact, length, image, &error);
	free(exact);
	return status;
}
#define PARSE(text) parse(text, sizeof(text) - 1, &image)

static void plain_and_raw_images_say_the_same(void **state)
{
	(void)state;
	static const uint8_t pixels[] = {0, 1, 2, 253, 254, 255};
	tool_image image = {0};
	EXPECT_OK(PARSE("P5\n# a comment\n3 2\n255\n\x00\x01\x02\xfd\xfe\xff"));
	assert_int_equal(image.width, 3);
	assert_int_equal(image.height, 2);
	assert_int_equal(image.channels, 1);
	assert_memory_equal(image.pixels, pixels, 6);
	free(image.pixels);
	EXPECT_OK(PARSE("P2 3 2 255 0 1 2 253 254 255\n"));
	assert_memory_equal(image.pixels, pixels, 6);
	free(image.pixels);
}

static void the_maximum_stretches_to_255(void **state)
{
	(void)state;
	tool_image image = {0};
	EXPECT_OK(PARSE("P2 2 1 15 0 15"));
	assert_int_equal(image.pixels[0], 0);
	assert_int_equal(image.pixels[1], 255);
	free(image.pixels);
}

static void hostile_images_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"P",
		"P5",
		"P4 1 1\n1",
		"P7\n",
		"P2 0 1 255 ",
		"P2 1 0 255 ",
		"P2 1 1 0 0",
		"P2 -1 1 255 0",
		"P2 99999999999999999999 1 255 0",
		"P2 16384 16384 255 0",
		"P6 16384 16384 255\n0",
		"P2 16385 1 255 0",
		"P2 2 1 255 1",
		"P2 1 1 255 1 2",
		"P2 1 1 255 256",
		"P2 1 1 255 x",
		"P5 2 1 255\n1",
		"P5 2 1 255\n123",
		"P5 1 1 255",
		"P5 1 1 65535\n12",
		"P5 1 1 1\n7",
		"# no magic",
		"P2 # comment without end",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		tool_image image = {0};
		if (parse(texts[i], strlen(texts[i]), &image) != HY_INVALID) fail_msg("accepted: %s", texts[i]);
		assert_null(image.pixels);
	}
}

static void a_colour_image_becomes_planes_with_levels(void **state)
{
	(void)state;
	uint8_t pixels[] = {10, 20, 30, 11, 21, 31};
	const tool_image image = {.width = 2, .height = 1, .channels = 3, .pixels = pixels};
	const float wanted[] = {0, 0.5f, 10, 11, 60, 62};
	tool_image_levels levels;
	hy_ir_tensor array = {0};
	EXPECT_OK(tool_image_parse_levels("10,10,0", "0.5,1,2", &levels, &error));
	EXPECT_OK(tool_image_to_array("x", &image, HY_DTYPE_F32, 3, &levels, &array, &error));
	assert_int_equal(array.type.rank, 4);
	assert_int_equal(array.type.dim[1], 3);
	assert_int_equal(array.type.dim[2], 1);
	assert_int_equal(array.type.dim[3], 2);
	assert_memory_equal(array.data, wanted, sizeof(wanted));
	tool_array_destroy(&array);
}

static void grey_fills_three_channels_but_colour_not_one(void **state)
{
	(void)state;
	uint8_t pixels[] = {7, 7, 7};
	const tool_image grey = {.width = 1, .height = 1, .channels = 1, .pixels = pixels};
	const tool_image colour = {.width = 1, .height = 1, .channels = 3, .pixels = pixels};
	const tool_image_levels levels = {.scale = {1, 1, 1}};
	hy_ir_tensor array = {0};
	EXPECT_OK(tool_image_to_array("x", &grey, HY_DTYPE_U8, 3, &levels, &array, &error));
	assert_memory_equal(array.data, pixels, 3);
	tool_array_destroy(&array);
	EXPECT_STATUS(HY_INVALID, tool_image_to_array("x", &colour, HY_DTYPE_U8, 1, &levels, &array, &error));
	EXPECT_STATUS(HY_INVALID, tool_image_to_array("x", &grey, HY_DTYPE_I64, 1, &levels, &array, &error));
}

static void levels_are_one_number_or_three(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "1,2", "1,2,3,4", "1,,3", "x", "nan", "1 2 3"};
	tool_image_levels levels;
	EXPECT_OK(tool_image_parse_levels("5", "1,2,3", &levels, &error));
	assert_true(levels.mean[2] == 5 && levels.scale[2] == 3);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (tool_image_parse_levels(wrong[i], "1", &levels, &error) != HY_INVALID)
			fail_msg("accepted: %s", wrong[i]);
}

/* libpng writes what the reader should read. */
static void a_png_is_read_and_every_cut_of_it_refused(void **state)
{
	(void)state;
	static const uint8_t pixels[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	png_image png = {.version = PNG_IMAGE_VERSION, .width = 2, .height = 2, .format = PNG_FORMAT_RGB};
	uint8_t file[1024];
	png_alloc_size_t length = sizeof(file);
	tool_image image = {0};
	assert_true(png_image_write_to_memory(&png, file, &length, 0, pixels, 0, NULL));
	EXPECT_OK(tool_image_parse_png("x.png", file, length, &image, &error));
	assert_int_equal(image.width, 2);
	assert_int_equal(image.channels, 3);
	assert_memory_equal(image.pixels, pixels, sizeof(pixels));
	free(image.pixels);
	image.pixels = NULL;
	for (size_t cut = 0; cut + 16 < length; cut++) /* the last chunks may be missing: all pixels are there */
		EXPECT_STATUS(HY_INVALID, tool_image_parse_png("x.png", file, cut, &image, &error));
	assert_null(image.pixels);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(plain_and_raw_images_say_the_same),
		CASE(the_maximum_stretches_to_255),
		CASE(hostile_images_are_refused),
		CASE(a_colour_image_becomes_planes_with_levels),
		CASE(grey_fills_three_channels_but_colour_not_one),
		CASE(levels_are_one_number_or_three),
		CASE(a_png_is_read_and_every_cut_of_it_refused),
	};
	return cmocka_run_group_tests_name("tools.image", cases, NULL, NULL);
}
