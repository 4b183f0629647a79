/* Inference and evaluation: whatever parses as a text can be inferred, and what is small then evaluated with zeros. */
#include <halyard/ir/eval.h>
#include <halyard/ir/infer.h>
#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include <stdlib.h>

enum { MOST_INPUTS = 16, MOST_OUTPUTS = 16, MOST_ELEMENTS = 4096 };

static bool is_small(const hy_ir_graph *graph)
{
	if (hy_ir_graph_input_count(graph) > MOST_INPUTS || hy_ir_graph_output_count(graph) > MOST_OUTPUTS)
		return false;
	for (uint32_t i = 0; i < hy_ir_graph_value_count(graph); i++) {
		const hy_ir_type *type = &hy_ir_graph_value(graph, i)->type;
		if (!hy_ir_type_is_static(type) || hy_ir_type_elements(type) > MOST_ELEMENTS) return false;
	}
	return true;
}

static void evaluate(const hy_ir_graph *graph)
{
	const uint32_t count = hy_ir_graph_input_count(graph);
	hy_ir_tensor inputs[MOST_INPUTS], outputs[MOST_OUTPUTS];
	hy_error error;
	for (uint32_t i = 0; i < count; i++) {
		inputs[i].type = hy_ir_graph_value(graph, hy_ir_graph_inputs(graph)[i])->type;
		inputs[i].data = calloc(hy_ir_type_bytes(&inputs[i].type) + 1, 1);
	}
	if (hy_ir_eval_graph(graph, inputs, outputs, &error) == HY_OK)
		hy_ir_eval_release(hy_ir_graph_output_count(graph), outputs);
	hy_ir_eval_release(count, inputs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	hy_ir_graph *graph = NULL;
	hy_error error;
	if (hy_ir_text_parse("fuzz", (const char *)data, length, &graph, &error) != HY_OK) return 0;
	if (hy_ir_verify(graph, &error) == HY_OK && hy_ir_infer_graph(graph, &error) == HY_OK && is_small(graph))
		evaluate(graph);
	hy_ir_graph_destroy(graph);
	return 0;
}
