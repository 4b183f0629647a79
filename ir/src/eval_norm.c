/* Normalisations, LRN and softmax. Each reads its rows as doubles, twice where it needs the mean first. */
#include "eval.h"

#include <math.h>
#include <stdlib.h>

hy_status hy_ir__eval_lrn(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const double alpha = hy_ir__call_float(call, "alpha", 0.0001f), beta = hy_ir__call_float(call, "beta", 0.75f);
	const double bias = hy_ir__call_float(call, "bias", 1);
	const int64_t size = hy_ir__call_int(call, "size", 1);
	const int64_t before = (size - 1) / 2, behind = size - 1 - before;
	const hy_ir__cut cut = hy_ir__cut_at(&out->type, 1);
	double *x = hy_ir__alloc_reals(&call->in[0]), *row = hy_ir__alloc(cut.inner, sizeof(double));
	const bool enough = x != NULL && row != NULL;
	for (int64_t plane = 0; enough && plane < cut.outer * cut.length; plane++) {
		const int64_t c = plane % cut.length;
		const int64_t first = c < before ? 0 : c - before;
		const int64_t last = c > cut.length - 1 - behind ? cut.length - 1 : c + behind;
		const double *sample = x + (plane - c) * cut.inner;
		for (int64_t i = 0; i < cut.inner; i++) {
			double sum = 0;
			for (int64_t k = first; k <= last; k++)
				sum += sample[k * cut.inner + i] * sample[k * cut.inner + i];
			row[i] = sample[c * cut.inner + i] / pow(bias + alpha / (double)size * sum, beta);
		}
		hy_ir__write_reals(out->type.dtype, out->data, plane * cut.inner, cut.inner, row);
	}
	free(x);
	free(row);
	return enough ? HY_OK : hy_ir__no_memory(call->error);
}

typedef struct moments {
	double mean, variance; /* of the population */
} moments;

static moments moments_of(const double *x, int64_t count)
{
	double sum = 0, squares = 0;
	for (int64_t i = 0; i < count; i++)
		sum += x[i];
	const double mean = sum / (double)count;
	for (int64_t i = 0; i < count; i++)
		squares += (x[i] - mean) * (x[i] - mean);
	return (moments){mean, squares / (double)count};
}

/* Training mode: the moments of the batch, and the running ones moved towards them. */
static hy_status train_batch_norm(const hy_ir__call *call, hy_ir__cut cut, moments *batch, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const double momentum = hy_ir__call_float(call, "momentum", 0.9f);
	double *values = hy_ir__alloc(cut.outer * cut.inner, sizeof(double));
	if (values == NULL) return hy_ir__no_memory(call->error);
	for (int64_t c = 0; c < cut.length; c++) {
		for (int64_t n = 0; n < cut.outer; n++)
			hy_ir__read_reals(x->type.dtype, x->data, (n * cut.length + c) * cut.inner, 1, cut.inner,
			                  values + n * cut.inner);
		batch[c] = moments_of(values, cut.outer * cut.inner);
		const double now[2] = {batch[c].mean, batch[c].variance};
		for (uint32_t i = 1; i < call->node->output_count; i++) {
			const hy_ir_tensor *old = &call->in[i + 2];
			const double running = hy_ir__read_real(old->type.dtype, old->data, c);
			const double moved = running * momentum + now[i - 1] * (1 - momentum);
			if (out[i].data != NULL) hy_ir__write_reals(out[i].type.dtype, out[i].data, c, 1, &moved);
		}
	}
	free(values);
	return HY_OK;
}

hy_status hy_ir__eval_batch_norm(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0], *scale = &call->in[1], *bias = &call->in[2];
	const double epsilon = hy_ir__call_float(call, "epsilon", 1e-5f);
	hy_ir__cut cut = hy_ir__cut_at(&x->type, 1);
	if (x->type.rank < 2) cut = (hy_ir__cut){.outer = hy_ir_type_elements(&x->type), .length = 1, .inner = 1};
	double *row = hy_ir__alloc(cut.inner, sizeof(double));
	moments *m = hy_ir__alloc(cut.length, sizeof(*m));
	hy_status status = row != NULL && m != NULL ? HY_OK : hy_ir__no_memory(call->error);
	for (int64_t c = 0; status == HY_OK && c < cut.length; c++)
		m[c] = (moments){hy_ir__read_real(call->in[3].type.dtype, call->in[3].data, c),
		                 hy_ir__read_real(call->in[4].type.dtype, call->in[4].data, c)};
	if (status == HY_OK && hy_ir__call_int(call, "training_mode", 0) != 0)
		status = train_batch_norm(call, cut, m, out);
	for (int64_t plane = 0; status == HY_OK && out[0].data != NULL && plane < cut.outer * cut.length; plane++) {
		const int64_t c = plane % cut.length;
		const double factor = hy_ir__read_real(scale->type.dtype, scale->data, c) /
		                      sqrt(m[c].variance + epsilon);
		const double shift = hy_ir__read_real(bias->type.dtype, bias->data, c);
		hy_ir__read_reals(x->type.dtype, x->data, plane * cut.inner, 1, cut.inner, row);
		for (int64_t i = 0; i < cut.inner; i++)
			row[i] = (row[i] - m[c].mean) * factor + shift;
		hy_ir__write_reals(out->type.dtype, out->data, plane * cut.inner, cut.inner, row);
	}
	free(row);
	free(m);
	return status;
}

hy_status hy_ir__eval_instance_norm(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0], *scale = &call->in[1], *bias = &call->in[2];
	const double epsilon = hy_ir__call_float(call, "epsilon", 1e-5f);
	const hy_ir__cut cut = hy_ir__cut_at(&x->type, 1);
	double *row = hy_ir__alloc(cut.inner, sizeof(double));
	if (row == NULL) return hy_ir__no_memory(call->error);
	for (int64_t plane = 0; plane < cut.outer * cut.length; plane++) {
		const int64_t c = plane % cut.length;
		hy_ir__read_reals(x->type.dtype, x->data, plane * cut.inner, 1, cut.inner, row);
		const moments m = moments_of(row, cut.inner);
		const double factor = hy_ir__read_real(scale->type.dtype, scale->data, c) / sqrt(m.variance + epsilon);
		const double shift = hy_ir__read_real(bias->type.dtype, bias->data, c);
		for (int64_t i = 0; i < cut.inner; i++)
			row[i] = (row[i] - m.mean) * factor + shift;
		hy_ir__write_reals(out->type.dtype, out->data, plane * cut.inner, cut.inner, row);
	}
	free(row);
	return HY_OK;
}

/* Input `input` as doubles, broadcast to the last `rank` dims of the first input; NULL when it is absent (then
 * *out_status stays) or there is no memory. */
static double *alloc_affine(const hy_ir__call *call, uint32_t input, uint32_t rank, hy_status *out_status)
{
	if (!hy_ir__call_has(call, input)) return NULL;
	const hy_ir_tensor *tensor = &call->in[input];
	hy_ir_type shape = {.rank = rank};
	for (uint32_t i = 0; i < rank; i++)
		shape.dim[i] = call->in[0].type.dim[call->in[0].type.rank - rank + i];
	double *values = hy_ir__alloc(hy_ir_type_elements(&shape), sizeof(double));
	if (values == NULL) {
		*out_status = hy_ir__no_memory(call->error);
		return NULL;
	}
	hy_ir__walk walk;
	hy_ir__walk_box(&walk, rank, shape.dim);
	hy_ir__walk_dense(&walk, 0);
	hy_ir__walk_broadcast(&walk, 1, &tensor->type);
	for (hy_ir__walk_begin(&walk); walk.more; hy_ir__walk_next(&walk))
		hy_ir__read_reals(tensor->type.dtype, tensor->data, walk.offset[1], walk.step[1], walk.length,
		                  values + walk.offset[0]);
	return values;
}

hy_status hy_ir__eval_layer_norm(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const double epsilon = hy_ir__call_float(call, "epsilon", 1e-5f);
	uint32_t axis;
	hy_status status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", -1), x->type.rank, &axis);
	if (status != HY_OK) return status;
	const hy_ir__cut cut = hy_ir__cut_at(&x->type, axis);
	const int64_t length = cut.length * cut.inner;
	double *scale = alloc_affine(call, 1, x->type.rank - axis, &status);
	double *bias = alloc_affine(call, 2, x->type.rank - axis, &status);
	double *row = hy_ir__alloc(length, sizeof(double));
	if (row == NULL) status = hy_ir__no_memory(call->error);
	for (int64_t n = 0; status == HY_OK && length > 0 && n < cut.outer; n++) {
		hy_ir__read_reals(x->type.dtype, x->data, n * length, 1, length, row);
		const moments m = moments_of(row, length);
		const double stash[3] = {0, m.mean, 1 / sqrt(m.variance + epsilon)};
		for (int64_t i = 0; i < length; i++)
			row[i] = (row[i] - m.mean) * stash[2] * scale[i] + (bias != NULL ? bias[i] : 0);
		if (out[0].data != NULL) hy_ir__write_reals(out[0].type.dtype, out[0].data, n * length, length, row);
		for (uint32_t i = 1; i < call->node->output_count; i++)
			if (out[i].data != NULL) hy_ir__write_reals(out[i].type.dtype, out[i].data, n, 1, &stash[i]);
	}
	free(scale);
	free(bias);
	free(row);
	return status;
}

hy_status hy_ir__eval_softmax(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const bool logarithm = call->node->op->id == HY_IR_OP_LogSoftmax;
	uint32_t axis = 0;
	hy_status status = HY_OK;
	if (x->type.rank > 0) status = hy_ir__call_axis(call, hy_ir__call_int(call, "axis", -1), x->type.rank, &axis);
	if (status != HY_OK) return status;
	const hy_ir__cut cut = hy_ir__cut_at(&x->type, axis);
	double *row = hy_ir__alloc(cut.length, sizeof(double));
	if (row == NULL) return hy_ir__no_memory(call->error);
	for (int64_t n = 0; n < cut.outer * cut.inner; n++) {
		const int64_t at = n / cut.inner * cut.length * cut.inner + n % cut.inner;
		double largest = -INFINITY, sum = 0;
		hy_ir__read_reals(x->type.dtype, x->data, at, cut.inner, cut.length, row);
		for (int64_t i = 0; i < cut.length; i++)
			if (row[i] > largest) largest = row[i];
		for (int64_t i = 0; i < cut.length; i++)
			sum += exp(row[i] - largest);
		for (int64_t i = 0; i < cut.length; i++) {
			row[i] = logarithm ? row[i] - largest - log(sum) : exp(row[i] - largest) / sum;
			hy_ir__write_reals(out->type.dtype, out->data, at + i * cut.inner, 1, &row[i]);
		}
	}
	free(row);
	return HY_OK;
}
