/* PNG by libpng's simplified interface: any colour type becomes 8-bit grey or colour; alpha over black. */
#include "image.h"

#include <png.h>
#include <stdlib.h>

hy_status tool_image_parse_png(const char *name, const void *bytes, size_t length, tool_image *out_image,
                               hy_error *error)
{
	png_image png = {.version = PNG_IMAGE_VERSION};
	const png_color black = {0, 0, 0};
	if (!png_image_begin_read_from_memory(&png, bytes, length))
		return hy_error_set(error, HY_INVALID, "%s: not a PGM, PPM or PNG image: %s", name, png.message);
	const bool colour = (png.format & PNG_FORMAT_FLAG_COLOR) != 0;
	tool_image image = {.width = png.width, .height = png.height, .channels = colour ? 3 : 1};
	if (png.width > TOOL_IMAGE_SIDE_MAX || png.height > TOOL_IMAGE_SIDE_MAX) {
		png_image_free(&png);
		return hy_error_set(error, HY_INVALID, "%s: more than %u pixels wide or high", name,
		                    TOOL_IMAGE_SIDE_MAX);
	}
	png.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
	image.pixels = malloc(PNG_IMAGE_SIZE(png));
	if (image.pixels == NULL || !png_image_finish_read(&png, &black, image.pixels, 0, NULL)) {
		const hy_status status = image.pixels == NULL ? HY_NO_MEMORY : HY_INVALID;
		hy_error_set(error, status, "%s: %s", name, image.pixels == NULL ? "no memory" : png.message);
		png_image_free(&png);
		free(image.pixels);
		return status;
	}
	*out_image = image;
	return HY_OK;
}
