/* Blob reader: whatever passes the check can be read, verified and written again. */
#include <halyard/ir/blob.h>
#include <halyard/ir/pass.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	uint8_t *copy = malloc(length + 1); /* aligned */
	hy_ir_graph *graph = NULL;
	hy_ir_blob blob = {0};
	hy_error error;
	if (length > 0) memcpy(copy, data, length);
	const hy_graph *read = (const hy_graph *)(const void *)copy;
	if (hy_ir_blob_check(copy, length, &error) == HY_OK && hy_ir_blob_read(read, NULL, &graph, &error) == HY_OK) {
		(void)hy_ir_verify(graph, &error);
		if (hy_ir_blob_create(graph, 0, hy_ir_graph_node_count(graph), &blob, NULL, NULL, NULL, NULL, &error) ==
		    HY_OK)
			hy_ir_blob_finish(&blob);
	}
	hy_ir_graph_destroy(graph);
	free(copy);
	return 0;
}
