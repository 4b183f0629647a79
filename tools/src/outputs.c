/* Outputs: memory for all requests, files, accuracy. */
#include "outputs.h"
#include "array.h"
#include "file.h"
#include "npy.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const hy_ir_value *output_at(const hy_ir_graph *graph, uint32_t index)
{
	return hy_ir_graph_value(graph, hy_ir_graph_outputs(graph)[index]);
}

tool_exit tool_outputs_create(const hy_ir_graph *graph, uint64_t requests, tool_outputs *out_outputs)
{
	tool_outputs outputs = {.count = hy_ir_graph_output_count(graph), .requests = requests};
	outputs.arrays = calloc(outputs.count + 1, sizeof(*outputs.arrays));
	if (outputs.arrays == NULL) return tool_report(TOOL_EXIT_NO, "out of memory");
	for (uint32_t i = 0; i < outputs.count; i++) {
		hy_ir_type type = output_at(graph, i)->type;
		hy_error error = {0};
		if (requests > 1 && type.rank == 0) type.dim[type.rank++] = 1;
		if (requests > 1) type.dim[0] *= (int64_t)requests;
		if (tool_array_create(&type, &outputs.arrays[i], &error) == HY_OK) continue;
		tool_outputs_destroy(&outputs);
		return tool_report(TOOL_EXIT_DOES_NOT_FIT, "output '%s': %s", output_at(graph, i)->name, error.text);
	}
	*out_outputs = outputs;
	return TOOL_EXIT_OK;
}

void tool_outputs_destroy(tool_outputs *outputs)
{
	if (outputs == NULL) return;
	for (uint32_t i = 0; outputs->arrays != NULL && i < outputs->count; i++)
		tool_array_destroy(&outputs->arrays[i]);
	free(outputs->arrays);
	*outputs = (tool_outputs){0};
}

void tool_outputs_of_request(const tool_outputs *outputs, const hy_ir_graph *graph, uint64_t request,
                             hy_ir_tensor *out_tensors)
{
	for (uint32_t i = 0; i < outputs->count; i++) {
		const hy_ir_type *const type = &output_at(graph, i)->type;
		out_tensors[i] = (hy_ir_tensor){
			.type = *type, .data = (char *)outputs->arrays[i].data + request * hy_ir_type_bytes(type)};
	}
}

const char *tool_outputs_file(const hy_ir_graph *graph, uint32_t i, const char *folder, char *text, size_t length)
{
	const int start = snprintf(text, length, "%s/%s.npy", folder, output_at(graph, i)->name) -
	                  (int)strlen(output_at(graph, i)->name) - 4;
	for (char *at = text + start; start >= 0 && (size_t)start < length && *at != '\0'; at++)
		if (*at == '/' || *at == '\\' || (unsigned char)*at < ' ' || (at == text + start && *at == '.'))
			*at = '_';
	return text;
}

tool_exit tool_outputs_write(const tool_outputs *outputs, const hy_ir_graph *graph, const char *folder)
{
	if (mkdir(folder, 0777) != 0 && errno != EEXIST)
		return tool_report(TOOL_EXIT_USAGE, "--output-dir: %s: %s", folder, strerror(errno));
	for (uint32_t i = 0; i < outputs->count; i++) {
		char path[4096], other[4096];
		hy_error error = {0};
		tool_outputs_file(graph, i, folder, path, sizeof(path));
		for (uint32_t j = 0; j < i; j++)
			if (strcmp(path, tool_outputs_file(graph, j, folder, other, sizeof(other))) == 0)
				return tool_report(TOOL_EXIT_MODEL, "outputs '%s' and '%s' would both be %s",
				                   output_at(graph, j)->name, output_at(graph, i)->name, path);
		if (tool_npy_write(path, &outputs->arrays[i], &error) != HY_OK)
			return tool_report(TOOL_EXIT_USAGE, "--output-dir: %s", error.text);
	}
	return TOOL_EXIT_OK;
}

static int64_t largest_at(const hy_ir_tensor *array, int64_t from, int64_t count)
{
	int64_t best = 0;
	for (int64_t i = 1; i < count; i++)
		if (tool_array_number(array, from + i) > tool_array_number(array, from + best)) best = i;
	return best;
}

tool_exit tool_outputs_count_right(const tool_outputs *outputs, const char *labels, uint64_t *out_right,
                                   uint64_t *out_total)
{
	hy_error error = {0};
	void *text = NULL;
	size_t length = 0;
	const hy_ir_tensor *const scores = &outputs->arrays[0];
	if (outputs->count == 0 || scores->type.rank != 2 || scores->type.dim[1] == 0)
		return tool_report(TOOL_EXIT_USAGE, "--labels: the first output is no [rows, classes]");
	if (tool_file_read(labels, &text, &length, &error) != HY_OK)
		return tool_report(TOOL_EXIT_USAGE, "--labels: %s", error.text);
	const int64_t rows = scores->type.dim[0], classes = scores->type.dim[1];
	int64_t row = 0;
	uint64_t right = 0;
	char *at = text, *end = NULL;
	for (; row < rows; row++, at = end) {
		const long label = strtol(at, &end, 10);
		if (end == at || label < 0 || label >= classes) break;
		right += label == largest_at(scores, row * classes, classes);
	}
	const bool fits = row == rows && at[strspn(at, " \t\r\n")] == '\0';
	free(text);
	if (!fits)
		return tool_report(TOOL_EXIT_USAGE, "%s:%lld: wants one number of 0..%lld a line, %lld lines in all",
		                   labels, (long long)row + 1, (long long)classes - 1, (long long)rows);
	*out_right = right;
	*out_total = (uint64_t)rows;
	return TOOL_EXIT_OK;
}
