/* Images from files: PGM and PPM (8 bits, plain or raw) and PNG. */
#ifndef TOOL_IMAGE_H
#define TOOL_IMAGE_H

#include "array.h"

#define TOOL_IMAGE_SIDE_MAX 16384u

typedef struct tool_image {
	uint32_t width, height, channels; /* 1 grey or 3 colour */
	uint8_t *pixels; /* rows from the top, channels together; free() */
} tool_image;

/* Parsers; name is for messages. */
hy_status tool_image_parse_pnm(const char *name, const void *bytes, size_t length, tool_image *out_image,
                               hy_error *error);
hy_status tool_image_parse_png(const char *name, const void *bytes, size_t length, tool_image *out_image,
                               hy_error *error);

/* By the file's first bytes. */
hy_status tool_image_read(const char *path, tool_image *out_image, hy_error *error);

/* What is done to every pixel: (pixel - mean) * scale, per channel. */
typedef struct tool_image_levels {
	double mean[3], scale[3];
} tool_image_levels;
/* "1" or "1,2,3" each. */
hy_status tool_image_parse_levels(const char *mean, const char *scale, tool_image_levels *out_levels, hy_error *error);

/* A [1, channels, height, width] tensor; channels 3 from a grey image repeats it. dtype is f32, f16 or u8. */
hy_status tool_image_to_array(const char *name, const tool_image *image, hy_dtype dtype, uint32_t channels,
                              const tool_image_levels *levels, hy_ir_tensor *out_array, hy_error *error);

#endif
