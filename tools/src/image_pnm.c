/* PGM and PPM: netpbm.sourceforge.net/doc/pgm.html. One image a file, 8 bits a sample. */
#include "image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
	const uint8_t *at, *end;
} reader;

/* A decimal number after white space and comments; -1 when there is none up to max. */
static int64_t read_number(reader *r, int64_t max)
{
	while (r->at < r->end && (isspace(*r->at) || *r->at == '#')) {
		if (*r->at++ != '#') continue;
		while (r->at < r->end && *r->at != '\n')
			r->at++;
	}
	int64_t number = -1;
	for (; r->at < r->end && isdigit(*r->at); r->at++) {
		number = (number < 0 ? 0 : 10 * number) + (*r->at - '0');
		if (number > max) return -1;
	}
	return number;
}

static bool read_plain(reader *r, size_t count, uint32_t max, uint8_t *out_samples)
{
	for (size_t i = 0; i < count; i++) {
		const int64_t sample = read_number(r, max);
		if (sample < 0) return false;
		out_samples[i] = (uint8_t)(sample * 255 / max);
	}
	return read_number(r, INT32_MAX) < 0;
}

static bool read_raw(reader *r, size_t count, uint32_t max, uint8_t *out_samples)
{
	if (r->at == r->end || !isspace(*r->at++) || (size_t)(r->end - r->at) != count) return false;
	for (size_t i = 0; i < count; i++) {
		if (r->at[i] > max) return false;
		out_samples[i] = (uint8_t)(r->at[i] * 255u / max);
	}
	return true;
}

hy_status tool_image_parse_pnm(const char *name, const void *bytes, size_t length, tool_image *out_image,
                               hy_error *error)
{
	const uint8_t *const b = bytes;
	reader r = {b + 2, b + length};
	if (length < 3 || b[0] != 'P' || strchr("2356", b[1]) == NULL)
		return hy_error_set(error, HY_INVALID, "%s: not a PGM or PPM image (P2, P3, P5, P6)", name);
	const bool plain = b[1] < '4';
	tool_image image = {.channels = b[1] == '3' || b[1] == '6' ? 3 : 1};
	const int64_t width = read_number(&r, TOOL_IMAGE_SIDE_MAX), height = read_number(&r, TOOL_IMAGE_SIDE_MAX);
	const int64_t max = read_number(&r, 65535);
	if (width <= 0 || height <= 0 || max <= 0)
		return hy_error_set(error, HY_INVALID, "%s: its width, height or maximum is missing, 0 or above %u",
		                    name, TOOL_IMAGE_SIDE_MAX);
	if (max > 255)
		return hy_error_set(error, HY_INVALID, "%s: samples of 16 bits; save it with 8 (maximum 255)", name);
	image.width = (uint32_t)width;
	image.height = (uint32_t)height;
	const size_t count = (size_t)width * (size_t)height * image.channels;
	/* A sample takes at least a byte: a header cannot ask for more memory than its file is long. */
	if (count > length)
		return hy_error_set(error, HY_INVALID, "%s: cut short: %zu bytes for %zu samples", name, length, count);
	image.pixels = malloc(count);
	if (image.pixels == NULL) return hy_error_set(error, HY_NO_MEMORY, "%s: no memory", name);
	if (!(plain ? read_plain : read_raw)(&r, count, (uint32_t)max, image.pixels)) {
		free(image.pixels);
		return hy_error_set(error, HY_INVALID, "%s: its samples are not exactly %zu numbers of 0..%lld", name,
		                    count, (long long)max);
	}
	*out_image = image;
	return HY_OK;
}
