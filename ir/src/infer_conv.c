/* Shapes of convolutions and pools. */
#include "infer.h"

/* The bias of a convolution: one number per output channel. */
static hy_status check_bias(const hy_ir__call *call, int64_t channels)
{
	if (!hy_ir__call_has(call, 2)) return HY_OK;
	const hy_ir_type *bias = &call->in[2].type;
	const hy_ir_type wanted = {.dtype = bias->dtype, .rank = 1, .dim = {channels}};
	if (!hy_ir__type_fits(&wanted, bias))
		return hy_ir__call_refuse(call, "the bias must be a list of %lld numbers, one per output channel",
		                          (long long)channels);
	return hy_ir__call_same_dtype(call, 0, 2);
}

/* channels_in, channels_out: of the weights, for all groups; -1: not known. */
static hy_status finish_conv(const hy_ir__call *call, int64_t channels_in, int64_t channels_out,
                             const hy_ir__window *window, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	if (x->dim[1] >= 0 && channels_in >= 0 && x->dim[1] != channels_in)
		return hy_ir__call_refuse(call, "the input has %lld channels, the weights are for %lld",
		                          (long long)x->dim[1], (long long)channels_in);
	const hy_status status = check_bias(call, channels_out);
	if (status != HY_OK) return status;
	out->rank = x->rank;
	out->dim[0] = x->dim[0];
	out->dim[1] = channels_out;
	for (uint32_t i = 0; i < window->rank; i++)
		out->dim[i + 2] = window->out[i];
	return HY_OK;
}

/* Weights and groups; leaves *out unknown and *out_done true where the rank of the input is not known. */
static hy_status begin_conv(const hy_ir__call *call, hy_ir_type *out, int64_t *out_group, bool *out_done)
{
	const hy_ir_type *x = &call->in[0].type, *weights = &call->in[1].type;
	const int64_t group = hy_ir__call_int(call, "group", 1);
	hy_status status = hy_ir__call_same_dtype(call, 0, 1);
	if (status != HY_OK) return status;
	out->dtype = x->dtype;
	*out_done = !hy_ir__ranked(x);
	*out_group = group;
	if (*out_done) return HY_OK;
	if (hy_ir__ranked(weights) && weights->rank != x->rank)
		return hy_ir__call_refuse(call, "the weights have rank %u, the input has %u", weights->rank, x->rank);
	if (group < 1 || group > INT32_MAX)
		return hy_ir__call_refuse(call, "attribute group is %lld", (long long)group);
	if (hy_ir__ranked(weights) && weights->dim[0] % group != 0 && weights->dim[0] >= 0)
		return hy_ir__call_refuse(call, "%lld channels do not split into %lld groups",
		                          (long long)weights->dim[0], (long long)group);
	return HY_OK;
}

static hy_status infer_conv(const hy_ir__call *call, bool transposed, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type, *weights = &call->in[1].type;
	int64_t group, across = HY_IR_DIM_UNKNOWN;
	hy_ir__window window;
	bool done;
	hy_status status = begin_conv(call, out, &group, &done);
	if (status != HY_OK || done) return status;
	status = transposed ? hy_ir__window_transpose(call, x, weights, &window)
	                    : hy_ir__window_forward(call, x, weights, &window);
	if (status != HY_OK) return status;
	const bool ranked = hy_ir__ranked(weights);
	if (ranked && weights->dim[1] >= 0 && !hy_ir__multiply(weights->dim[1], group, &across))
		return hy_ir__call_refuse(call, "attribute group is out of range");
	const int64_t along = ranked ? weights->dim[0] : HY_IR_DIM_UNKNOWN;
	return finish_conv(call, transposed ? along : across, transposed ? across : along, &window, out);
}

hy_status hy_ir__infer_conv(const hy_ir__call *call, hy_ir_type *out)
{
	return infer_conv(call, false, out);
}

hy_status hy_ir__infer_conv_transpose(const hy_ir__call *call, hy_ir_type *out)
{
	return infer_conv(call, true, out);
}

hy_status hy_ir__infer_pool(const hy_ir__call *call, hy_ir_type *out)
{
	const hy_ir_type *x = &call->in[0].type;
	hy_ir__window window;
	const bool indices = call->node->output_count > 1;
	out[0].dtype = x->dtype;
	if (indices) out[1].dtype = HY_DTYPE_I64;
	if (!hy_ir__ranked(x)) return HY_OK;
	const hy_status status = hy_ir__window_forward(call, x, NULL, &window);
	if (status != HY_OK) return status;
	out[0] = *x;
	for (uint32_t i = 0; i < window.rank; i++)
		out[0].dim[i + 2] = window.out[i];
	if (indices) out[1] = out[0];
	if (indices) out[1].dtype = HY_DTYPE_I64;
	return HY_OK;
}

hy_status hy_ir__infer_global_pool(const hy_ir__call *call, hy_ir_type *out)
{
	*out = call->in[0].type;
	if (!hy_ir__ranked(out)) return HY_OK;
	if (out->rank < 2) return hy_ir__call_refuse(call, "input 0 has rank %u, it must have N and C", out->rank);
	for (uint32_t i = 2; i < out->rank; i++)
		out->dim[i] = 1;
	return HY_OK;
}
