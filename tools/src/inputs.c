/* Inputs from .npy, .pb and image files, by what the file is; random numbers for the rest. */
#include "inputs.h"
#include "array.h"
#include "image.h"
#include "npy.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const hy_ir_value *input_at(const hy_ir_graph *graph, uint32_t index)
{
	return hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[index]);
}

static hy_status read_pb(const char *path, hy_ir_tensor *out_array, hy_error *error)
{
	hy_ir_tensor lent = {0};
	hy_status status = hy_ir_onnx_load_tensor(path, &lent, error);
	if (status != HY_OK) return status;
	status = tool_array_create(&lent.type, out_array, error);
	if (status == HY_OK) memcpy(out_array->data, lent.data, (size_t)hy_ir_type_bytes(&lent.type));
	hy_ir_eval_release(1, &lent);
	return status;
}

static hy_status read_image(const tool_options *options, const char *path, const hy_ir_type *type,
                            hy_ir_tensor *out_array, hy_error *error)
{
	tool_image_levels levels;
	tool_image image = {0};
	if (type->rank != 3 && type->rank != 4)
		return hy_error_set(error, HY_INVALID, "%s: an image needs an input [N,C,H,W]; give a .npy file", path);
	hy_status status = tool_image_parse_levels(options->image_mean, options->image_scale, &levels, error);
	if (status == HY_OK) status = tool_image_read(path, &image, error);
	if (status != HY_OK) return status;
	const int64_t channels = type->dim[type->rank - 3];
	status = tool_image_to_array(path, &image, type->dtype,
	                             channels == 1 || channels == 3 ? (uint32_t)channels : image.channels, &levels,
	                             out_array, error);
	free(image.pixels);
	if (status != HY_OK || type->rank == 4) return status;
	memmove(out_array->type.dim, out_array->type.dim + 1, 3 * sizeof(int64_t));
	out_array->type.dim[3] = 0;
	out_array->type.rank = 3;
	return HY_OK;
}

static bool begins(const char *path, const char *magic)
{
	char bytes[8] = {0};
	FILE *const file = fopen(path, "rbe");
	const size_t length = file != NULL ? fread(bytes, 1, sizeof(bytes), file) : 0;
	if (file != NULL) fclose(file);
	return length >= strlen(magic) && memcmp(bytes, magic, strlen(magic)) == 0;
}

static hy_status read_file(const tool_options *options, const char *path, const hy_ir_type *type,
                           hy_ir_tensor *out_array, hy_error *error)
{
	const size_t length = strlen(path);
	const char *const end = length > 4 ? path + length - 4 : "";
	if (strcmp(end, ".npy") == 0 || begins(path, "\x93NUMPY")) return tool_npy_read(path, out_array, error);
	if (length > 3 && strcmp(path + length - 3, ".pb") == 0) return read_pb(path, out_array, error);
	if (begins(path, "\x89PNG") || begins(path, "P2") || begins(path, "P3") || begins(path, "P5") ||
	    begins(path, "P6") || strcmp(end, ".png") == 0)
		return read_image(options, path, type, out_array, error);
	void *const missing = fopen(path, "rbe");
	if (missing == NULL) return hy_error_set(error, HY_NOT_FOUND, "%s: cannot open: does it exist?", path);
	fclose(missing);
	return hy_error_set(error, HY_INVALID, "%s: neither .npy, .pb, PGM, PPM nor PNG; numpy.save writes .npy", path);
}

/* "NAME=FILE", or only FILE when the graph has one input. */
static tool_exit find_input(const hy_ir_graph *graph, const char *text, uint32_t *out_index, const char **out_file)
{
	const uint32_t count = hy_ir_graph_input_count(graph);
	char known[256] = "";
	size_t used = 0;
	for (uint32_t i = 0; i < count; i++) {
		const char *const name = input_at(graph, i)->name;
		const size_t length = strlen(name);
		*out_index = i;
		*out_file = text + length + 1;
		if (strncmp(text, name, length) == 0 && text[length] == '=') return TOOL_EXIT_OK;
		if (used + 2 < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "", name);
	}
	if (count == 1 && strchr(text, '=') == NULL) {
		*out_file = text;
		return TOOL_EXIT_OK;
	}
	if (strchr(text, '=') == NULL)
		return tool_report(TOOL_EXIT_USAGE, "--input: '%s': write NAME=FILE; the model's inputs: %s", text,
		                   known);
	return tool_report(TOOL_EXIT_USAGE, "--input: no input '%.*s'; the model has: %s",
	                   (int)(strchr(text, '=') - text), text, known);
}

tool_exit tool_inputs_read(const tool_options *options, const hy_ir_graph *graph, tool_inputs *out_inputs)
{
	tool_inputs inputs = {.count = hy_ir_graph_input_count(graph), .requests = 1};
	tool_exit code = TOOL_EXIT_OK;
	inputs.arrays = calloc(inputs.count + 1, sizeof(*inputs.arrays));
	inputs.files = calloc(inputs.count + 1, sizeof(*inputs.files));
	if (inputs.arrays == NULL || inputs.files == NULL) code = tool_report(TOOL_EXIT_NO, "out of memory");
	for (uint32_t i = 0; i < options->input.count && code == TOOL_EXIT_OK; i++) {
		uint32_t index = 0;
		const char *file = NULL;
		hy_error error = {0};
		code = find_input(graph, options->input.items[i], &index, &file);
		if (code != TOOL_EXIT_OK) break;
		if (inputs.files[index] != NULL) {
			code = tool_report(TOOL_EXIT_USAGE, "--input: '%s' is given twice",
			                   input_at(graph, index)->name);
			break;
		}
		inputs.files[index] = file;
		const hy_status status = read_file(options, file, &input_at(graph, index)->type, &inputs.arrays[index],
		                                   &error);
		if (status != HY_OK) code = tool_report(TOOL_EXIT_USAGE, "--input: %s", error.text);
	}
	if (code == TOOL_EXIT_OK)
		*out_inputs = inputs;
	else
		tool_inputs_destroy(&inputs);
	return code;
}

/* The type of a whole file: with --each its first dimension is free, but a multiple of the graph's. */
static tool_exit check_type(const tool_options *options, const hy_ir_value *input, const hy_ir_tensor *array,
                            const char *file, uint64_t *out_rows)
{
	char have[128], want[128];
	const hy_ir_type *const got = &array->type;
	hy_ir_type wanted = input->type;
	if (got->dtype != wanted.dtype)
		return tool_report(TOOL_EXIT_USAGE, "--input: %s is %s, but input '%s' is %s: convert it first", file,
		                   hy_dtype_name(got->dtype), input->name, hy_dtype_name(wanted.dtype));
	*out_rows = 1;
	if (options->each && got->rank == wanted.rank && wanted.rank > 0 && wanted.dim[0] > 0 && got->dim[0] > 0 &&
	    got->dim[0] % wanted.dim[0] == 0) {
		*out_rows = (uint64_t)(got->dim[0] / wanted.dim[0]);
		wanted.dim[0] = got->dim[0];
	}
	if (hy_ir_type_equal(got, &wanted)) return TOOL_EXIT_OK;
	return tool_report(TOOL_EXIT_USAGE, "--input: %s is %s, but input '%s' is %s: reshape it%s", file,
	                   hy_ir_type_print(got, have, sizeof(have)), input->name,
	                   hy_ir_type_print(&input->type, want, sizeof(want)),
	                   options->each ? "; with --each its first dimension is a multiple" : " first");
}

/* Checks every file, and counts the requests that they or --requests make. */
static tool_exit check_files(const tool_options *options, const hy_ir_graph *graph, tool_inputs *inputs)
{
	bool any = false;
	inputs->requests = options->each ? 1 : options->requests;
	for (uint32_t i = 0; i < inputs->count; i++) {
		uint64_t rows = 1;
		if (inputs->files[i] == NULL) continue;
		const tool_exit code = check_type(options, input_at(graph, i), &inputs->arrays[i], inputs->files[i],
		                                  &rows);
		if (code != TOOL_EXIT_OK) return code;
		if (options->each && any && rows != inputs->requests)
			return tool_report(TOOL_EXIT_USAGE, "--each: %s makes %llu requests, another file %llu",
			                   inputs->files[i], (unsigned long long)rows,
			                   (unsigned long long)inputs->requests);
		if (options->each) inputs->requests = rows;
		any = true;
	}
	if (options->each && !any)
		return tool_report(TOOL_EXIT_USAGE, "--each: needs an --input file whose rows are the requests");
	if (inputs->requests == 0 || inputs->requests > INT32_MAX)
		return tool_report(TOOL_EXIT_USAGE, "--requests: must be 1 to %d", INT32_MAX);
	return TOOL_EXIT_OK;
}

tool_exit tool_inputs_complete(const tool_options *options, const hy_ir_graph *graph, tool_inputs *inputs)
{
	const tool_exit code = check_files(options, graph, inputs);
	if (code != TOOL_EXIT_OK) return code;
	for (uint32_t i = 0; i < inputs->count; i++) {
		hy_error error = {0};
		hy_ir_type type = input_at(graph, i)->type;
		if (inputs->files[i] != NULL) continue;
		if (inputs->requests > 1 && type.rank == 0) type.dim[type.rank++] = 1;
		if (inputs->requests > 1) type.dim[0] *= (int64_t)inputs->requests;
		if (tool_array_create(&type, &inputs->arrays[i], &error) != HY_OK)
			return tool_report(error.status == HY_NO_MEMORY ? TOOL_EXIT_DOES_NOT_FIT : TOOL_EXIT_MODEL,
			                   "input '%s': %s", input_at(graph, i)->name, error.text);
		tool_array_randomise(&inputs->arrays[i], options->seed + i);
	}
	return TOOL_EXIT_OK;
}

void tool_inputs_of_request(const tool_inputs *inputs, const hy_ir_graph *graph, uint64_t request,
                            hy_ir_tensor *out_tensors)
{
	for (uint32_t i = 0; i < inputs->count; i++) {
		const hy_ir_type *const type = &input_at(graph, i)->type;
		const uint64_t length = hy_ir_type_bytes(type), whole = hy_ir_type_bytes(&inputs->arrays[i].type);
		/* A file without --each is the same for every request. */
		const uint64_t offset = whole >= (request + 1) * length ? request * length : 0;
		out_tensors[i] = (hy_ir_tensor){.type = *type, .data = (char *)inputs->arrays[i].data + offset};
	}
}

void tool_inputs_destroy(tool_inputs *inputs)
{
	if (inputs == NULL) return;
	for (uint32_t i = 0; inputs->arrays != NULL && i < inputs->count; i++)
		tool_array_destroy(&inputs->arrays[i]);
	free(inputs->arrays);
	free(inputs->files);
	*inputs = (tool_inputs){0};
}
