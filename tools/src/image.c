/* Images to tensors. */
#include "image.h"
#include "file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

hy_status tool_image_read(const char *path, tool_image *out_image, hy_error *error)
{
	void *bytes = NULL;
	size_t length = 0;
	hy_status status = tool_file_read(path, &bytes, &length, error);
	if (status != HY_OK) return status;
	if (length >= 2 && ((const char *)bytes)[0] == 'P')
		status = tool_image_parse_pnm(path, bytes, length, out_image, error);
	else
		status = tool_image_parse_png(path, bytes, length, out_image, error);
	free(bytes);
	return status;
}

static hy_status parse_three(const char *option, const char *text, double *out_numbers, hy_error *error)
{
	int count = 0;
	for (const char *at = text; count < 3; at++) {
		char *end = NULL;
		out_numbers[count++] = strtod(at, &end);
		if (end == at || !isfinite(out_numbers[count - 1])) break;
		at = end;
		if (*at == '\0' && count == 1) out_numbers[1] = out_numbers[2] = out_numbers[0];
		if (*at == '\0' && count != 2) return HY_OK;
		if (*at != ',') break;
	}
	return hy_error_set(error, HY_INVALID, "%s: '%s' is neither one number nor three, as in 123.7,116.3,103.5",
	                    option, text);
}

hy_status tool_image_parse_levels(const char *mean, const char *scale, tool_image_levels *out_levels, hy_error *error)
{
	const hy_status status = parse_three("--image-mean", mean, out_levels->mean, error);
	return status != HY_OK ? status : parse_three("--image-scale", scale, out_levels->scale, error);
}

static void store(hy_ir_tensor *array, size_t i, double level)
{
	if (array->type.dtype == HY_DTYPE_F32)
		((float *)array->data)[i] = (float)level;
	else if (array->type.dtype == HY_DTYPE_F16)
		((uint16_t *)array->data)[i] = hy_f16_from_float((float)level);
	else
		((uint8_t *)array->data)[i] = (uint8_t)fmin(255, fmax(0, nearbyint(level)));
}

hy_status tool_image_to_array(const char *name, const tool_image *image, hy_dtype dtype, uint32_t channels,
                              const tool_image_levels *levels, hy_ir_tensor *out_array, hy_error *error)
{
	if (dtype != HY_DTYPE_F32 && dtype != HY_DTYPE_F16 && dtype != HY_DTYPE_U8)
		return hy_error_set(error, HY_INVALID, "%s: the input is %s, no type for images; give a .npy file",
		                    name, hy_dtype_name(dtype));
	if (channels != image->channels && !(channels == 3 && image->channels == 1))
		return hy_error_set(error, HY_INVALID,
		                    "%s: %u channel%s, but the input has %u; convert the image first", name,
		                    image->channels, image->channels == 1 ? "" : "s", channels);
	const hy_ir_type type = {
		.dtype = dtype, .rank = 4, .dim = {1, channels, (int64_t)image->height, (int64_t)image->width}};
	const hy_status status = tool_array_create(&type, out_array, error);
	if (status != HY_OK) return status;
	const size_t plane = (size_t)image->width * image->height;
	for (uint32_t c = 0; c < channels; c++) {
		const uint32_t from = image->channels == 1 ? 0 : c;
		for (size_t i = 0; i < plane; i++)
			store(out_array, c * plane + i,
			      (image->pixels[i * image->channels + from] - levels->mean[c]) * levels->scale[c]);
	}
	return HY_OK;
}
