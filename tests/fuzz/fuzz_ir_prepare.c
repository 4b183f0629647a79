/* Preparing: whatever parses is prepared into a sound graph or refused, and un-fusing keeps it sound. */
#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	hy_ir_graph *graph = NULL;
	hy_error error;
	bool changed;
	if (hy_ir_text_parse("fuzz", (const char *)data, length, &graph, &error) != HY_OK) return 0;
	if (hy_ir_prepare(graph, 0, &error) == HY_OK) {
		if (hy_ir_verify(graph, &error) != HY_OK) abort();
		if (hy_ir_pass_unfuse(graph, &changed, &error) == HY_OK && hy_ir_verify(graph, &error) != HY_OK)
			abort();
	}
	hy_ir_graph_destroy(graph);
	return 0;
}
