/* .npy: a magic word, a Python dictionary as text, then the elements. */
#include "npy.h"
#include "file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	hy_dtype dtype;
} types[] = {
	{"<f4", HY_DTYPE_F32}, {"<f8", HY_DTYPE_F64}, {"<f2", HY_DTYPE_F16}, {"|b1", HY_DTYPE_BOOL},
	{"|u1", HY_DTYPE_U8},  {"|i1", HY_DTYPE_I8},  {"<u2", HY_DTYPE_U16}, {"<i2", HY_DTYPE_I16},
	{"<u4", HY_DTYPE_U32}, {"<i4", HY_DTYPE_I32}, {"<u8", HY_DTYPE_U64}, {"<i8", HY_DTYPE_I64},
};
enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

/* The header's text while it is read. */
typedef struct reader {
	const char *name; /* of the file */
	const char *at, *end;
	hy_error *error;
} reader;

static hy_status bad(const reader *r, const char *what)
{
	return hy_error_set(r->error, HY_INVALID, "%s: not a .npy file: %s; write it with numpy.save", r->name, what);
}

static void skip_space(reader *r)
{
	while (r->at < r->end && isspace((unsigned char)*r->at))
		r->at++;
}

static bool accept(reader *r, const char *word)
{
	skip_space(r);
	const size_t length = strlen(word);
	if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) return false;
	r->at += length;
	return true;
}

static hy_status read_string(reader *r, char *text, size_t length)
{
	skip_space(r);
	if (r->at == r->end || (*r->at != '\'' && *r->at != '"')) return bad(r, "its header has no quoted word here");
	const char quote = *r->at++;
	size_t used = 0;
	while (r->at < r->end && *r->at != quote && used + 1 < length)
		text[used++] = *r->at++;
	text[used] = '\0';
	if (r->at == r->end || *r->at != quote) return bad(r, "its header has a word without end");
	r->at++;
	return HY_OK;
}

static hy_status read_type(reader *r, hy_ir_type *type)
{
	char text[32];
	skip_space(r);
	if (r->at < r->end && *r->at == '[')
		return hy_error_set(r->error, HY_INVALID, "%s: a structured array; save one field of it", r->name);
	const hy_status status = read_string(r, text, sizeof(text));
	if (status != HY_OK) return status;
	for (int i = 0; i < TYPE_COUNT; i++)
		if (strcmp(types[i].text, text) == 0) type->dtype = types[i].dtype;
	if (type->dtype != HY_DTYPE_NONE) return HY_OK;
	if (text[0] == '>')
		return hy_error_set(r->error, HY_INVALID, "%s: big-endian elements (%s); save a.astype('<%s')", r->name,
		                    text, text + 1);
	return hy_error_set(r->error, HY_INVALID, "%s: elements of type %s; save numbers, e.g. a.astype('float32')",
	                    r->name, text);
}

static hy_status read_shape(reader *r, hy_ir_type *type)
{
	bool may_follow = true; /* at the start, or after a comma */
	if (!accept(r, "(")) return bad(r, "its shape is no tuple");
	while (!accept(r, ")")) {
		if (!may_follow) return bad(r, "its shape is no tuple of numbers");
		int64_t dim = 0;
		skip_space(r);
		if (r->at == r->end || !isdigit((unsigned char)*r->at))
			return bad(r, "its shape is no tuple of numbers");
		for (; r->at < r->end && isdigit((unsigned char)*r->at); r->at++) {
			if (dim > INT64_MAX / 10 - 10) return bad(r, "a dimension is too large");
			dim = 10 * dim + (*r->at - '0');
		}
		if (type->rank == HY_MAX_RANK)
			return hy_error_set(r->error, HY_INVALID, "%s: more than %d dimensions", r->name, HY_MAX_RANK);
		type->dim[type->rank++] = dim;
		may_follow = accept(r, ",");
	}
	return HY_OK;
}

enum { HAS_TYPE = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

/* {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } with the keys in any order, each once. */
static hy_status read_header(reader *r, hy_ir_type *type)
{
	int seen = 0;
	if (!accept(r, "{")) return bad(r, "its header is no dictionary");
	while (!accept(r, "}")) {
		char key[32];
		hy_status status = read_string(r, key, sizeof(key));
		if (status != HY_OK) return status;
		const int bit = strcmp(key, "descr") == 0           ? HAS_TYPE
		                : strcmp(key, "fortran_order") == 0 ? HAS_ORDER
		                : strcmp(key, "shape") == 0         ? HAS_SHAPE
		                                                    : 0;
		if (bit == 0 || (seen & bit) != 0 || !accept(r, ":")) return bad(r, "its header has a wrong key");
		seen |= bit;
		if (bit == HAS_TYPE) status = read_type(r, type);
		if (bit == HAS_SHAPE) status = read_shape(r, type);
		if (bit == HAS_ORDER && accept(r, "True"))
			return hy_error_set(r->error, HY_INVALID,
			                    "%s: in Fortran order; save numpy.ascontiguousarray(a)", r->name);
		if (bit == HAS_ORDER && !accept(r, "False")) return bad(r, "fortran_order is neither True nor False");
		if (status != HY_OK) return status;
		accept(r, ",");
	}
	skip_space(r);
	if (seen != HAS_ALL || r->at != r->end) return bad(r, "its header is incomplete");
	return HY_OK;
}

/* The product of the dims in bytes, or UINT64_MAX when it does not fit. */
static uint64_t type_bytes(const hy_ir_type *type)
{
	uint64_t bytes = hy_dtype_bits(type->dtype) / 8;
	for (uint32_t i = 0; i < type->rank; i++)
		if (__builtin_mul_overflow(bytes, (uint64_t)type->dim[i], &bytes) || bytes > INT64_MAX)
			return UINT64_MAX;
	return bytes;
}

hy_status tool_npy_parse(const char *name, const void *bytes, size_t length, hy_ir_tensor *out_array, hy_error *error)
{
	const uint8_t *const b = bytes;
	reader r = {.name = name, .error = error};
	hy_ir_type type = {0};
	if (length < 10 || memcmp(b, "\x93NUMPY", 6) != 0) return bad(&r, "it does not start as one");
	if (b[6] < 1 || b[6] > 3 || b[7] != 0) return bad(&r, "its version is unknown");
	const size_t start = b[6] == 1 ? 10 : 12;
	if (length < start) return bad(&r, "it ends in its header");
	size_t header = b[8] | (size_t)b[9] << 8;
	if (b[6] > 1) header |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
	if (header > length - start || header > 65536) return bad(&r, "it ends in its header");
	r.at = (const char *)b + start;
	r.end = r.at + header;
	const hy_status status = read_header(&r, &type);
	if (status != HY_OK) return status;
	const uint64_t wanted = type_bytes(&type);
	if (wanted != length - start - header) {
		char text[128];
		return hy_error_set(error, HY_INVALID, "%s: %zu bytes of elements, but its header says %s", name,
		                    length - start - header, hy_ir_type_print(&type, text, sizeof(text)));
	}
	hy_ir_tensor array;
	if (tool_array_create(&type, &array, error) != HY_OK) return HY_NO_MEMORY;
	memcpy(array.data, b + start + header, (size_t)wanted);
	*out_array = array;
	return HY_OK;
}

hy_status tool_npy_read(const char *path, hy_ir_tensor *out_array, hy_error *error)
{
	void *bytes = NULL;
	size_t length = 0;
	hy_status status = tool_file_read(path, &bytes, &length, error);
	if (status == HY_OK) status = tool_npy_parse(path, bytes, length, out_array, error);
	free(bytes);
	return status;
}

static hy_status write_as_f32(const char *path, const hy_ir_tensor *array, hy_error *error)
{
	hy_ir_type type = array->type;
	type.dtype = HY_DTYPE_F32;
	hy_ir_tensor wide;
	hy_status status = tool_array_create(&type, &wide, error);
	if (status != HY_OK) return status;
	for (int64_t i = 0; i < hy_ir_type_elements(&type); i++)
		((float *)wide.data)[i] = (float)tool_array_number(array, i);
	status = tool_npy_write(path, &wide, error);
	tool_array_destroy(&wide);
	return status;
}

hy_status tool_npy_write(const char *path, const hy_ir_tensor *array, hy_error *error)
{
	if (array->type.dtype == HY_DTYPE_BF16) return write_as_f32(path, array, error);
	const char *descr = NULL;
	for (int i = 0; i < TYPE_COUNT; i++)
		if (types[i].dtype == array->type.dtype) descr = types[i].text;
	if (descr == NULL)
		return hy_error_set(error, HY_UNSUPPORTED, "%s: .npy has no elements of type %s", path,
		                    hy_dtype_name(array->type.dtype));
	char head[512] = "\x93NUMPY\x01";
	size_t used = 10;
	used += (size_t)snprintf(head + used, sizeof(head) - used, "{'descr': '%s', 'fortran_order': False, 'shape': (",
	                         descr);
	for (uint32_t i = 0; i < array->type.rank; i++)
		used += (size_t)snprintf(head + used, sizeof(head) - used, "%lld,%s", (long long)array->type.dim[i],
		                         i + 1 < array->type.rank ? " " : "");
	used += (size_t)snprintf(head + used, sizeof(head) - used, "), }");
	const size_t whole = (used + 1 + 63) / 64 * 64; /* elements begin at a multiple of 64 */
	memset(head + used, ' ', whole - used - 1);
	head[whole - 1] = '\n';
	head[8] = (char)((whole - 10) & 0xff);
	head[9] = (char)((whole - 10) >> 8);
	return tool_file_write(path, head, whole, array->data, (size_t)hy_ir_type_bytes(&array->type), error);
}
