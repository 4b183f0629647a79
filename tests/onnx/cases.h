/* The ONNX project's own test cases, as Debian's libonnx-testdata installs them: find, load, prepare, compare.
 * For every test that computes them: the evaluator's and those of devices. */
#ifndef ONNX_CASES_H
#define ONNX_CASES_H

#include <halyard/ir/graph.h>

#define ONNX_CASES_ROOT "/usr/share/libonnx-testdata/data"

/* One folder with a model and its data sets. */
typedef struct onnx_case {
	char *name; /* "node/test_add": unique */
	char *folder;
	uint32_t set_count;
} onnx_case;

typedef struct onnx_cases {
	uint32_t count;
	onnx_case *items; /* sorted by name */
} onnx_cases;

/* Those below root, or none where it does not exist. Release with onnx_cases_release. Fails: NO_MEMORY. */
hy_status onnx_cases_find(const char *root, onnx_cases *out_cases);
void onnx_cases_release(onnx_cases *cases);

/* Loads the model. UNSUPPORTED: not eligible, and the text says why: "operator X" or what the reader refused.
 * Anything else but OK is a failure of the reader. */
hy_status onnx_case_load(const onnx_case *item, hy_ir_graph **out_graph, hy_error *error);

/* Inputs and expected outputs of one set, in the order of the model's graph inputs and outputs. */
typedef struct onnx_data {
	uint32_t input_count, output_count;
	char **input_names;
	hy_ir_tensor *inputs, *outputs;
} onnx_data;

/* UNSUPPORTED where a file holds no tensor. */
hy_status onnx_data_load(const onnx_case *item, uint32_t set, const hy_ir_graph *graph, onnx_data *out_data,
                         hy_error *error);
void onnx_data_release(onnx_data *data);

/* Makes the graph ready for exactly this data: symbolic dimensions get the sizes of the inputs, and inputs that say
 * how to compute (a shape, axes, pads ...) become constants. Then hy_ir_prepare without folding, so that the operator
 * under test is there, and with it where shapes are computed in the model. flags: HY_IR_PREPARE_NO_FUSE or 0. */
hy_status onnx_case_prepare(const onnx_case *item, const onnx_data *data, uint32_t flags, hy_ir_graph **out_graph,
                            hy_error *error);

/* The inputs that the prepared graph still has, in its order; out_inputs has room for data->input_count. Lent. */
hy_status onnx_data_inputs(const onnx_data *data, const hy_ir_graph *graph, hy_ir_tensor *out_inputs, hy_error *error);

/* ONNX's own rule: types and shapes equal, integers equal, floats |a - e| <= 1e-7 + 1e-3 |e|; bfloat16 within one step. INVALID with the first
 * difference in the text. */
hy_status onnx_compare(const hy_ir_tensor *actual, const hy_ir_tensor *expected, hy_error *error);

#endif
