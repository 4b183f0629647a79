/* Text parser: whatever parses prints to a text that parses to the same print. */
#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include <stdlib.h>
#include <string.h>

static void require(int holds)
{
	if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	hy_ir_graph *graph = NULL, *again = NULL;
	char *text = NULL, *printed = NULL;
	hy_error error;
	if (hy_ir_text_parse("fuzz", (const char *)data, length, &graph, &error) != HY_OK) return 0;
	(void)hy_ir_verify(graph, &error);
	require(hy_ir_text_print(graph, HY_IR_TEXT_FULL, &text, NULL) == HY_OK);
	require(hy_ir_text_parse("print", text, strlen(text), &again, &error) == HY_OK);
	require(hy_ir_text_print(again, HY_IR_TEXT_FULL, &printed, NULL) == HY_OK);
	require(strcmp(text, printed) == 0);
	free(text);
	free(printed);
	hy_ir_graph_destroy(graph);
	hy_ir_graph_destroy(again);
	return 0;
}
