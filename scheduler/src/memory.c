/* Attempts on memory of their own. A device that hangs goes on reading inputs and writing outputs when it likes; where
 * these are the attempt's, its request can start again elsewhere, and end, without waiting for it. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096u /* so that every device can take it in place */

static void **make(uint32_t count, const uint64_t *bytes)
{
	void **blocks = calloc(count + 1, sizeof(*blocks));
	for (uint32_t i = 0; blocks != NULL && i < count; i++) {
		blocks[i] = aligned_alloc(PAGE, (bytes[i] + PAGE) / PAGE * PAGE);
		if (blocks[i] != NULL) continue;
		for (uint32_t k = 0; k < i; k++)
			free(blocks[k]);
		free(blocks);
		return NULL;
	}
	return blocks;
}

hy_status hy_sched__memory_take(hy_sched_session *session, hy_sched__context *context, const hy_sched__request *request,
                                hy_error *error)
{
	if (context->own_inputs == NULL) context->own_inputs = make(session->input_count, session->input_bytes);
	if (context->own_outputs == NULL) context->own_outputs = make(session->output_count, session->output_bytes);
	if (context->own_inputs == NULL || context->own_outputs == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for a request that may start again");
	for (uint32_t i = 0; i < session->input_count; i++)
		memcpy(context->own_inputs[i], request->inputs[i], session->input_bytes[i]);
	memcpy(context->inputs, context->own_inputs, session->input_count * sizeof(void *));
	memcpy(context->outputs, context->own_outputs, session->output_count * sizeof(void *));
	return HY_OK;
}

void hy_sched__memory_give(const hy_sched_session *session, const hy_sched__context *context,
                           const hy_sched__request *request)
{
	for (uint32_t i = 0; i < session->output_count; i++)
		memcpy(request->outputs[i], context->own_outputs[i], session->output_bytes[i]);
}

void hy_sched__memory_finish(const hy_sched_session *session, hy_sched__context *context)
{
	for (uint32_t i = 0; context->own_inputs != NULL && i < session->input_count; i++)
		free(context->own_inputs[i]);
	for (uint32_t i = 0; context->own_outputs != NULL && i < session->output_count; i++)
		free(context->own_outputs[i]);
	free(context->own_inputs);
	free(context->own_outputs);
}
