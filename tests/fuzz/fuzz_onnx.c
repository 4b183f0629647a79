/* ONNX reader: whatever loads can be verified, printed, read back, cloned and written as a blob. */
#include <halyard/ir/blob.h>
#include <halyard/ir/onnx.h>
#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include <stdlib.h>
#include <string.h>

static void require(int holds)
{
	if (!holds) abort();
}

static void survive_text(const hy_ir_graph *graph)
{
	char *text = NULL, *printed = NULL;
	hy_ir_graph *again = NULL;
	require(hy_ir_text_print(graph, HY_IR_TEXT_FULL, &text, NULL) == HY_OK);
	require(hy_ir_text_parse("text", text, strlen(text), &again, NULL) == HY_OK);
	require(hy_ir_text_print(again, HY_IR_TEXT_FULL, &printed, NULL) == HY_OK);
	require(strcmp(text, printed) == 0);
	free(text);
	free(printed);
	hy_ir_graph_destroy(again);
}

static void survive_blob(const hy_ir_graph *graph)
{
	hy_ir_blob blob = {0};
	hy_ir_graph *again = NULL;
	if (hy_ir_blob_create(graph, 0, hy_ir_graph_node_count(graph), &blob, NULL, NULL, NULL, NULL, NULL) != HY_OK)
		return;
	require(hy_ir_blob_check(blob.graph, blob.graph->total_bytes, NULL) == HY_OK);
	if (hy_ir_blob_read(blob.graph, blob.constants, &again, NULL) == HY_OK) hy_ir_graph_destroy(again);
	hy_ir_blob_finish(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	hy_ir_graph *graph = NULL, *clone = NULL;
	hy_error error;
	if (hy_ir_onnx_parse("fuzz", data, length, &graph, &error) != HY_OK) return 0;
	(void)hy_ir_verify(graph, &error);
	require(hy_ir_graph_clone(graph, &clone, NULL) == HY_OK);
	hy_ir_graph_destroy(graph);
	survive_text(clone);
	survive_blob(clone);
	hy_ir_graph_destroy(clone);
	return 0;
}
