/* The oracle: matrix products. */
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t run_gemm(const op_spec *s, tensor *out)
{
	const tensor *a = &s->inputs[0], *b = &s->inputs[1];
	const bool turn_a = op_int(s, "transA", 0) != 0, turn_b = op_int(s, "transB", 0) != 0;
	const double alpha = op_float(s, "alpha", 1), beta = op_float(s, "beta", 1);
	const int64_t m = a->dim[turn_a], k = a->dim[!turn_a], n = b->dim[!turn_b];
	tensor_create(out, a->dtype, 2, (const int64_t[]){m, n});
	out->magnitude = calloc((size_t)out->count + 1, sizeof(double));
	out->terms = k + 1;
	const tensor *c = s->input_count > 2 && s->inputs[2].present ? &s->inputs[2] : NULL;
	for (int64_t i = 0; i < m; i++) {
		for (int64_t j = 0; j < n; j++) {
			double sum = 0, size = 0;
			for (int64_t p = 0; p < k; p++) {
				const double term = a->value[turn_a ? p * m + i : i * k + p] *
				                    b->value[turn_b ? j * k + p : p * n + j];
				sum += term;
				size += fabs(term);
			}
			double bias = 0;
			if (c != NULL) {
				const int64_t columns = c->rank == 0 ? 1 : c->dim[c->rank - 1];
				const int64_t rows = c->rank < 2 ? 1 : c->dim[0];
				bias = c->value[(rows == 1 ? 0 : i * columns) + (columns == 1 ? 0 : j)];
			}
			out->value[i * n + j] = alpha * sum + beta * bias;
			out->magnitude[i * n + j] = fabs(alpha) * size + fabs(beta * bias);
		}
	}
	return 1;
}

static uint32_t run_matmul(const op_spec *s, tensor *out)
{
	const tensor *a = &s->inputs[0], *b = &s->inputs[1];
	const uint32_t ra = a->rank == 1 ? 2 : a->rank, rb = b->rank == 1 ? 2 : b->rank, rank = ra > rb ? ra : rb;
	int64_t da[HY_MAX_RANK], db[HY_MAX_RANK], dims[HY_MAX_RANK];
	for (uint32_t i = 0; i < rank; i++)
		da[i] = db[i] = 1;
	for (uint32_t i = 0; i < a->rank; i++)
		da[rank - (a->rank == 1 ? 1 : a->rank) + i] = a->dim[i];
	for (uint32_t i = 0; i < b->rank; i++)
		db[rank - rb + i] = b->dim[i];
	const int64_t m = da[rank - 2], k = da[rank - 1], n = db[rank - 1];
	for (uint32_t i = 0; i + 2 < rank; i++)
		dims[i] = da[i] == 1 ? db[i] : da[i];
	dims[rank - 2] = m;
	dims[rank - 1] = n;
	tensor full;
	tensor_create(&full, a->dtype, rank, dims);
	full.magnitude = calloc((size_t)full.count + 1, sizeof(double));
	full.terms = k;
	int64_t at[HY_MAX_RANK];
	for (int64_t i = 0; i < full.count; i++) {
		tensor_coordinates(&full, i, at);
		int64_t base_a = 0, base_b = 0;
		for (uint32_t d = 0; d + 2 < rank; d++) {
			base_a = base_a * da[d] + (da[d] == 1 ? 0 : at[d]);
			base_b = base_b * db[d] + (db[d] == 1 ? 0 : at[d]);
		}
		const double *row = a->value + (base_a * m + at[rank - 2]) * k,
			     *column = b->value + base_b * k * n + at[rank - 1];
		for (int64_t p = 0; p < k; p++) {
			full.value[i] += row[p] * column[p * n];
			full.magnitude[i] += fabs(row[p] * column[p * n]);
		}
	}
	/* A vector's invented dimension goes away again. */
	if (b->rank == 1) full.rank--;
	if (a->rank == 1) {
		if (b->rank != 1) full.dim[full.rank - 2] = full.dim[full.rank - 1];
		full.rank--;
	}
	*out = full;
	return 1;
}

uint32_t oracle_linear(const op_spec *spec, tensor *outputs)
{
	if (strcmp(spec->op, "Gemm") == 0) return run_gemm(spec, outputs);
	if (strcmp(spec->op, "MatMul") == 0) return run_matmul(spec, outputs);
	return 0;
}
