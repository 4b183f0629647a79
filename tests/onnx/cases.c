/* The ONNX test cases: see cases.h. */
#include "cases.h"

#include <halyard/ir/build.h>
#include <halyard/ir/eval.h>
#include <halyard/ir/onnx.h>
#include <halyard/ir/pass.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };

static const char *const suites[] = {"node", "pytorch-converted", "pytorch-operator", "simple"};

/* Operands that say how to compute. A device must know them when it compiles. */
static const struct {
	const char *type;
	uint32_t first, last;
} shaping[] = {
	{"ConstantOfShape", 0, 0},
	{"CumSum", 1, 1},
	{"Expand", 1, 1},
	{"Pad", 1, 3},
	{"Range", 0, 2},
	{"ReduceL1", 1, 1},
	{"ReduceL2", 1, 1},
	{"ReduceLogSum", 1, 1},
	{"ReduceLogSumExp", 1, 1},
	{"ReduceMax", 1, 1},
	{"ReduceMean", 1, 1},
	{"ReduceMin", 1, 1},
	{"ReduceProd", 1, 1},
	{"ReduceSum", 1, 1},
	{"Reshape", 1, 1},
	{"Resize", 1, 3},
	{"ReduceSumSquare", 1, 1},
	{"Slice", 1, 4},
	{"Split", 1, 1},
	{"Squeeze", 1, 1},
	{"Tile", 1, 2},
	{"TopK", 1, 1},
	{"Trilu", 1, 1},
	{"Unsqueeze", 1, 1},
	{"Upsample", 1, 1},
	{"Dropout", 1, 2},
};

/* Cases that no runtime can be held to. */
static const struct {
	const char *name, *why;
} excluded[] = {
	{"node/test_training_dropout", "draws random numbers"},
	{"node/test_training_dropout_default", "draws random numbers"},
	{"node/test_training_dropout_default_mask", "draws random numbers"},
	{"node/test_training_dropout_mask", "draws random numbers"},
};

/* ---- finding ---- */

static int compare_cases(const void *a, const void *b)
{
	return strcmp(((const onnx_case *)a)->name, ((const onnx_case *)b)->name);
}

static uint32_t count_sets(const char *folder)
{
	char path[PATH_BYTES];
	for (uint32_t count = 0;; count++) {
		if (snprintf(path, sizeof(path), "%s/test_data_set_%u", folder, count) >= PATH_BYTES) return count;
		if (access(path, R_OK) != 0) return count;
	}
}

static hy_status add_case(onnx_cases *cases, const char *root, const char *suite, const char *name)
{
	char folder[PATH_BYTES], model[PATH_BYTES];
	const int length = snprintf(folder, sizeof(folder), "%s/%s/%s", root, suite, name);
	if (length < 0 || length + 16 > PATH_BYTES) return HY_OK;
	memcpy(model, folder, (size_t)length);
	memcpy(model + length, "/model.onnx", sizeof("/model.onnx"));
	if (access(model, R_OK) != 0) return HY_OK;
	onnx_case *items = realloc(cases->items, (cases->count + 1u) * sizeof(items[0]));
	if (items == NULL) return HY_NO_MEMORY;
	cases->items = items;
	onnx_case *item = &items[cases->count];
	*item = (onnx_case){
		.name = strdup(folder + strlen(root) + 1), .folder = strdup(folder), .set_count = count_sets(folder)};
	cases->count++;
	return item->name != NULL && item->folder != NULL ? HY_OK : HY_NO_MEMORY;
}

static hy_status find_suite(onnx_cases *cases, const char *root, const char *suite)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof(path), "%s/%s", root, suite);
	hy_status status = HY_OK;
	DIR *folder = opendir(path);
	if (folder == NULL) return HY_OK;
	for (struct dirent *entry; status == HY_OK && (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] != '.') status = add_case(cases, root, suite, entry->d_name);
	closedir(folder);
	return status;
}

hy_status onnx_cases_find(const char *root, onnx_cases *out_cases)
{
	onnx_cases cases = {.count = 0};
	hy_status status = HY_OK;
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]) && status == HY_OK; i++)
		status = find_suite(&cases, root, suites[i]);
	if (status != HY_OK) {
		onnx_cases_release(&cases);
		return status;
	}
	if (cases.count > 0) qsort(cases.items, cases.count, sizeof(cases.items[0]), compare_cases);
	*out_cases = cases;
	return HY_OK;
}

void onnx_cases_release(onnx_cases *cases)
{
	for (uint32_t i = 0; i < cases->count; i++) {
		free(cases->items[i].name);
		free(cases->items[i].folder);
	}
	free(cases->items);
	*cases = (onnx_cases){.count = 0};
}

/* ---- loading ---- */

/* Why the model is outside what the IR computes; the text goes to error. */
static hy_status check_eligible(const hy_ir_graph *graph, hy_error *error)
{
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, i);
		if (node->op != NULL || strcmp(node->type, "Upsample") == 0) continue;
		return hy_error_set(error, HY_UNSUPPORTED, "operator %s%s%s", node->domain,
		                    node->domain[0] != '\0' ? "." : "", node->type);
	}
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++)
		if (hy_ir_graph_value(graph, i)->type.dtype == HY_DTYPE_STRING)
			return hy_error_set(error, HY_UNSUPPORTED, "strings");
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++)
		if (hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i])->type.dtype == HY_DTYPE_NONE)
			return hy_error_set(error, HY_UNSUPPORTED, "an input that is no tensor");
	return HY_OK;
}

hy_status onnx_case_load(const onnx_case *item, hy_ir_graph **out_graph, hy_error *error)
{
	char path[PATH_BYTES];
	hy_ir_graph *graph;
	for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++)
		if (strcmp(excluded[i].name, item->name) == 0)
			return hy_error_set(error, HY_UNSUPPORTED, "%s", excluded[i].why);
	snprintf(path, sizeof(path), "%s/model.onnx", item->folder);
	hy_status status = hy_ir_onnx_load(path, &graph, error);
	if (status != HY_OK) return status;
	status = check_eligible(graph, error);
	if (status == HY_OK)
		*out_graph = graph;
	else
		hy_ir_graph_destroy(graph);
	return status;
}

static hy_status load_tensors(const char *pattern, const onnx_case *item, uint32_t set, uint32_t room,
                              hy_ir_tensor *tensors, uint32_t *out_count, hy_error *error)
{
	for (uint32_t i = 0; i < room; i++) {
		char path[PATH_BYTES];
		snprintf(path, sizeof(path), "%s/test_data_set_%u/%s_%u.pb", item->folder, set, pattern, i);
		if (access(path, R_OK) != 0) break;
		const hy_status status = hy_ir_onnx_load_tensor(path, &tensors[i], error);
		if (status != HY_OK) return status;
		*out_count = i + 1;
	}
	return HY_OK;
}

static bool is_read(const hy_ir_graph *graph, uint32_t value)
{
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, i);
		for (uint32_t k = 0; k < node->input_count; k++)
			if (node->inputs[k] == value) return true;
	}
	return false;
}

/* The data was written with NumPy, which has no bfloat16; and what nobody reads doesn't always have its shape. */
static hy_status adapt(const hy_ir_graph *graph, uint32_t value, hy_ir_tensor *tensor)
{
	const hy_ir_type *declared = &hy_ir_graph_value(graph, value)->type;
	if (declared->dtype == HY_DTYPE_BF16 && tensor->type.dtype == HY_DTYPE_U16) tensor->type.dtype = HY_DTYPE_BF16;
	const bool is_output = hy_ir_graph_value(graph, value)->producer != HY_IR_NONE;
	if (is_output || is_read(graph, value) || !hy_ir_type_is_static(declared)) return HY_OK;
	void *zeros = calloc(1, hy_ir_type_bytes(declared) + 1);
	if (zeros == NULL) return HY_NO_MEMORY;
	hy_ir_eval_release(1, tensor);
	*tensor = (hy_ir_tensor){.type = *declared, .data = zeros};
	return HY_OK;
}

hy_status onnx_data_load(const onnx_case *item, uint32_t set, const hy_ir_graph *graph, onnx_data *out_data,
                         hy_error *error)
{
	const uint32_t input_room = hy_ir_graph_input_count(graph), output_room = hy_ir_graph_output_count(graph);
	onnx_data data = {.input_names = calloc(input_room + 1u, sizeof(char *)),
	                  .inputs = calloc(input_room + 1u, sizeof(hy_ir_tensor)),
	                  .outputs = calloc(output_room + 1u, sizeof(hy_ir_tensor))};
	hy_status status = HY_NO_MEMORY;
	if (data.input_names == NULL || data.inputs == NULL || data.outputs == NULL) goto done;
	status = load_tensors("input", item, set, input_room, data.inputs, &data.input_count, error);
	if (status == HY_OK)
		status = load_tensors("output", item, set, output_room, data.outputs, &data.output_count, error);
	for (uint32_t i = 0; i < data.input_count && status == HY_OK; i++) {
		data.input_names[i] = strdup(hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i])->name);
		status = data.input_names[i] != NULL ? adapt(graph, hy_ir_graph_inputs(graph)[i], &data.inputs[i])
		                                     : HY_NO_MEMORY;
	}
	if (status == HY_OK && data.output_count != output_room)
		status = hy_error_set(error, HY_INVALID, "%s: the data has %u outputs, the model %u", item->name,
		                      data.output_count, output_room);
	for (uint32_t i = 0; i < data.output_count && status == HY_OK; i++)
		status = adapt(graph, hy_ir_graph_outputs(graph)[i], &data.outputs[i]);
done:
	if (status == HY_OK)
		*out_data = data;
	else
		onnx_data_release(&data);
	return status;
}

void onnx_data_release(onnx_data *data)
{
	for (uint32_t i = 0; data->input_names != NULL && i < data->input_count; i++)
		free(data->input_names[i]);
	if (data->inputs != NULL) hy_ir_eval_release(data->input_count, data->inputs);
	if (data->outputs != NULL) hy_ir_eval_release(data->output_count, data->outputs);
	free(data->input_names);
	free(data->inputs);
	free(data->outputs);
	*data = (onnx_data){.input_count = 0};
}

/* ---- preparing ---- */

static hy_status bind_dims(const onnx_data *data, hy_ir_graph *graph, hy_error *error)
{
	for (uint32_t i = 0; i < data->input_count; i++) {
		const uint32_t value = hy_ir_graph_find(graph, data->input_names[i]);
		for (uint32_t k = 0; k < data->inputs[i].type.rank; k++) {
			const char *name = hy_ir_graph_value(graph, value)->dim_names[k];
			if (name == NULL || name[0] == '\0') continue;
			const hy_status status = hy_ir_graph_bind_dim(graph, name, data->inputs[i].type.dim[k], error);
			if (status != HY_OK) return status;
		}
	}
	return HY_OK;
}

static bool is_shaping(const char *type, uint32_t input)
{
	for (size_t i = 0; i < sizeof(shaping) / sizeof(shaping[0]); i++)
		if (strcmp(shaping[i].type, type) == 0) return input >= shaping[i].first && input <= shaping[i].last;
	return false;
}

static bool shapes_something(const hy_ir_graph *graph, uint32_t value)
{
	for (uint32_t i = 0; i < hy_ir_graph_node_count(graph); i++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, i);
		for (uint32_t k = 0; k < node->input_count; k++)
			if (node->inputs[k] == value && is_shaping(node->type, k)) return true;
	}
	return false;
}

/* Small integers: what a shape may be computed from. */
static bool may_shape(const hy_ir_type *type)
{
	return !hy_dtype_is_float(type->dtype) && type->rank <= 1;
}

static hy_status bind_inputs(const onnx_data *data, hy_ir_graph *graph, bool all_that_may, hy_error *error)
{
	for (uint32_t i = 0; i < data->input_count; i++) {
		if (!shapes_something(graph, hy_ir_graph_find(graph, data->input_names[i])) &&
		    !(all_that_may && may_shape(&data->inputs[i].type)))
			continue;
		const hy_status status = hy_ir_graph_bind_input(graph, data->input_names[i], &data->inputs[i], error);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}

hy_status onnx_case_prepare(const onnx_case *item, const onnx_data *data, uint32_t flags, hy_ir_graph **out_graph,
                            hy_error *error)
{
	static const struct {
		uint32_t flags;
		bool binds_all;
	} attempts[] = {{HY_IR_PREPARE_NO_FOLD, false}, {0, false}, {0, true}};
	hy_status status = HY_INVALID;
	for (uint32_t i = 0; i < 3 && status == HY_INVALID; i++) {
		hy_ir_graph *graph = NULL;
		status = onnx_case_load(item, &graph, error);
		if (status == HY_OK) status = bind_dims(data, graph, error);
		if (status == HY_OK) status = bind_inputs(data, graph, attempts[i].binds_all, error);
		if (status == HY_OK) status = hy_ir_prepare(graph, flags | attempts[i].flags, error);
		if (status == HY_OK)
			*out_graph = graph;
		else
			hy_ir_graph_destroy(graph);
	}
	return status;
}

hy_status onnx_data_inputs(const onnx_data *data, const hy_ir_graph *graph, hy_ir_tensor *out_inputs, hy_error *error)
{
	for (uint32_t i = 0; i < hy_ir_graph_input_count(graph); i++) {
		const char *name = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i])->name;
		uint32_t k = 0;
		while (k < data->input_count && strcmp(data->input_names[k], name) != 0)
			k++;
		if (k == data->input_count) return hy_error_set(error, HY_INVALID, "no data for input '%s'", name);
		out_inputs[i] = data->inputs[k];
	}
	return HY_OK;
}

/* ---- comparing ---- */

static double float_at(const hy_ir_tensor *tensor, int64_t i)
{
	switch (tensor->type.dtype) {
	case HY_DTYPE_F64:
		return ((const double *)tensor->data)[i];
	case HY_DTYPE_F16:
		return hy_f16_to_float(((const uint16_t *)tensor->data)[i]);
	default:
		return ((const float *)tensor->data)[i];
	}
}

static bool is_close(double actual, double expected)
{
	if (isnan(expected)) return isnan(actual);
	if (isinf(expected) || isinf(actual)) return actual == expected;
	return fabs(actual - expected) <= 1e-7 + 1e-3 * fabs(expected);
}

/* The expected bits were cut off, not rounded: a neighbour is right. */
static bool is_close_bf16(const hy_ir_tensor *actual, const hy_ir_tensor *expected, int64_t i)
{
	const int a = ((const uint16_t *)actual->data)[i], e = ((const uint16_t *)expected->data)[i];
	return abs(a - e) <= 1;
}

hy_status onnx_compare(const hy_ir_tensor *actual, const hy_ir_tensor *expected, hy_error *error)
{
	if (!hy_ir_type_equal(&actual->type, &expected->type)) {
		char got[128], wanted[128];
		return hy_error_set(error, HY_INVALID, "is %s and should be %s",
		                    hy_ir_type_print(&actual->type, got, sizeof(got)),
		                    hy_ir_type_print(&expected->type, wanted, sizeof(wanted)));
	}
	const int64_t count = hy_ir_type_elements(&actual->type);
	const size_t size = hy_dtype_bits(actual->type.dtype) / 8;
	for (int64_t i = 0; i < count; i++) {
		if (actual->type.dtype == HY_DTYPE_BF16) {
			if (!is_close_bf16(actual, expected, i))
				return hy_error_set(error, HY_INVALID, "element %lld differs", (long long)i);
		} else if (hy_dtype_is_float(actual->type.dtype)) {
			const double a = float_at(actual, i), e = float_at(expected, i);
			if (!is_close(a, e))
				return hy_error_set(error, HY_INVALID, "element %lld is %.9g and should be %.9g",
				                    (long long)i, a, e);
		} else if (memcmp((const char *)actual->data + (size_t)i * size,
		                  (const char *)expected->data + (size_t)i * size, size) != 0) {
			return hy_error_set(error, HY_INVALID, "element %lld of %lld differs", (long long)i,
			                    (long long)count);
		}
	}
	return HY_OK;
}
