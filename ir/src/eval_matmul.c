/* Matrix products. Floats are summed in double, a panel of columns at a time; integers wrap in their own type. */
#include "eval.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 256 /* that share a panel */

/* rows * depth times depth * columns; steps say how far apart the elements of a line and of a column lie. */
typedef struct product {
	const hy_ir_tensor *a, *b;
	int64_t rows, depth, columns;
	int64_t a_at, a_row, a_depth;
	int64_t b_at, b_depth, b_column;
} product;

typedef struct buffers {
	double sums[ROWS * HY_IR__PANEL];
	double panel[HY_IR__DEPTH * HY_IR__PANEL];
	double line[HY_IR__DEPTH];
} buffers;

/* The product begins at element `at` of out. For floats: times scale, plus addend (dense, or NULL). */
typedef struct result {
	const hy_ir_tensor *out;
	int64_t at;
	double scale;
	const double *addend;
} result;

static void fill_panel(const product *p, int64_t first_depth, int64_t depth, int64_t first_column, int64_t columns,
                       buffers *b)
{
	const hy_dtype dtype = p->b->type.dtype;
	const int64_t at = p->b_at + first_depth * p->b_depth + first_column * p->b_column;
	memset(b->panel, 0, sizeof(b->panel));
	if (p->b_column == 1) {
		for (int64_t d = 0; d < depth; d++)
			hy_ir__read_reals(dtype, p->b->data, at + d * p->b_depth, 1, columns,
			                  b->panel + d * HY_IR__PANEL);
		return;
	}
	for (int64_t j = 0; j < columns; j++) {
		hy_ir__read_reals(dtype, p->b->data, at + j * p->b_column, p->b_depth, depth, b->line);
		for (int64_t d = 0; d < depth; d++)
			b->panel[d * HY_IR__PANEL + j] = b->line[d];
	}
}

static void multiply_block(const product *p, int64_t first_row, int64_t rows, int64_t first_column, int64_t columns,
                           buffers *b)
{
	memset(b->sums, 0, sizeof(b->sums));
	for (int64_t first = 0; first < p->depth; first += HY_IR__DEPTH) {
		const int64_t rest = p->depth - first, depth = rest < HY_IR__DEPTH ? rest : HY_IR__DEPTH;
		fill_panel(p, first, depth, first_column, columns, b);
		for (int64_t m = 0; m < rows; m++) {
			hy_ir__read_reals(p->a->type.dtype, p->a->data,
			                  p->a_at + (first_row + m) * p->a_row + first * p->a_depth, p->a_depth, depth,
			                  b->line);
			hy_ir__panel_add(depth, b->line, b->panel, b->sums + m * HY_IR__PANEL);
		}
	}
}

static void multiply_reals(const product *p, const result *r, buffers *b)
{
	for (int64_t row = 0; row < p->rows; row += ROWS) {
		const int64_t rows = p->rows - row < ROWS ? p->rows - row : ROWS;
		for (int64_t column = 0; column < p->columns; column += HY_IR__PANEL) {
			const int64_t rest = p->columns - column, columns = rest < HY_IR__PANEL ? rest : HY_IR__PANEL;
			multiply_block(p, row, rows, column, columns, b);
			for (int64_t m = 0; m < rows; m++) {
				double *sums = b->sums + m * HY_IR__PANEL;
				const int64_t at = (row + m) * p->columns + column;
				for (int64_t j = 0; j < columns; j++)
					sums[j] = sums[j] * r->scale + (r->addend != NULL ? r->addend[at + j] : 0);
				hy_ir__write_reals(r->out->type.dtype, r->out->data, r->at + at, columns, sums);
			}
		}
	}
}

static void multiply_wholes(const product *p, const result *r)
{
	const hy_dtype dtype = r->out->type.dtype;
	for (int64_t m = 0; m < p->rows; m++) {
		for (int64_t n = 0; n < p->columns; n++) {
			uint64_t sum = 0;
			for (int64_t d = 0; d < p->depth; d++) {
				const int64_t a_at = p->a_at + m * p->a_row + d * p->a_depth;
				const int64_t b_at = p->b_at + d * p->b_depth + n * p->b_column;
				sum += (uint64_t)hy_ir__read_whole(dtype, p->a->data, a_at) *
				       (uint64_t)hy_ir__read_whole(dtype, p->b->data, b_at);
			}
			hy_ir__write_wholes(dtype, r->out->data, r->at + m * p->columns + n, 1, (const int64_t *)&sum);
		}
	}
}

hy_status hy_ir__eval_matmul(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const hy_ir_type *a = &call->in[0].type, *b = &call->in[1].type;
	product p = {.a = &call->in[0], .b = &call->in[1], .rows = a->rank > 1 ? a->dim[a->rank - 2] : 1};
	result r = {.out = out, .scale = 1};
	p.depth = a->dim[a->rank - 1];
	p.columns = b->rank > 1 ? b->dim[b->rank - 1] : 1;
	p.a_row = p.depth;
	p.a_depth = 1;
	p.b_depth = p.columns;
	p.b_column = 1;

	/* The dims before the matrices broadcast. */
	const uint32_t matrix = (a->rank > 1) + (b->rank > 1);
	hy_ir_type a_batch = *a, b_batch = *b;
	a_batch.rank = a->rank > 2 ? a->rank - 2 : 0;
	b_batch.rank = b->rank > 2 ? b->rank - 2 : 0;
	hy_ir__walk walk;
	hy_ir__walk_box(&walk, out->type.rank - matrix, out->type.dim);
	hy_ir__walk_dense(&walk, 0);
	hy_ir__walk_broadcast(&walk, 1, &a_batch);
	hy_ir__walk_broadcast(&walk, 2, &b_batch);

	buffers *work = hy_ir__alloc(1, sizeof(*work));
	if (work == NULL) return hy_ir__no_memory(call->error);
	for (hy_ir__walk_begin(&walk); walk.more; hy_ir__walk_next(&walk)) {
		for (int64_t i = 0; i < walk.length; i++) {
			r.at = (walk.offset[0] + i * walk.step[0]) * p.rows * p.columns;
			p.a_at = (walk.offset[1] + i * walk.step[1]) * p.rows * p.depth;
			p.b_at = (walk.offset[2] + i * walk.step[2]) * p.depth * p.columns;
			if (hy_dtype_is_float(out->type.dtype))
				multiply_reals(&p, &r, work);
			else
				multiply_wholes(&p, &r);
		}
	}
	free(work);
	return HY_OK;
}

/* beta * C, broadcast to the output; NULL when there is no memory. */
static double *alloc_addend(const hy_ir_tensor *c, const hy_ir_type *shape, double beta)
{
	double *addend = hy_ir__alloc(hy_ir_type_elements(shape), sizeof(double));
	hy_ir__walk walk;
	hy_ir__walk_box(&walk, shape->rank, shape->dim);
	hy_ir__walk_dense(&walk, 0);
	hy_ir__walk_broadcast(&walk, 1, &c->type);
	for (hy_ir__walk_begin(&walk); addend != NULL && walk.more; hy_ir__walk_next(&walk)) {
		double *row = addend + walk.offset[0];
		hy_ir__read_reals(c->type.dtype, c->data, walk.offset[1], walk.step[1], walk.length, row);
		for (int64_t i = 0; i < walk.length; i++)
			row[i] *= beta;
	}
	return addend;
}

/* out += C, broadcast, in the integer type of both. */
static void add_wholes(const hy_ir_tensor *c, const hy_ir_tensor *out)
{
	hy_ir__walk walk;
	hy_ir__walk_box(&walk, out->type.rank, out->type.dim);
	hy_ir__walk_dense(&walk, 0);
	hy_ir__walk_broadcast(&walk, 1, &c->type);
	for (hy_ir__walk_begin(&walk); walk.more; hy_ir__walk_next(&walk)) {
		for (int64_t i = 0; i < walk.length; i++) {
			const int64_t at = walk.offset[0] + i * walk.step[0], c_at = walk.offset[1] + i * walk.step[1];
			const uint64_t sum = (uint64_t)hy_ir__read_whole(out->type.dtype, out->data, at) +
			                     (uint64_t)hy_ir__read_whole(c->type.dtype, c->data, c_at);
			hy_ir__write_wholes(out->type.dtype, out->data, at, 1, (const int64_t *)&sum);
		}
	}
}

hy_status hy_ir__eval_gemm(const hy_ir__call *call, const hy_ir_tensor *out)
{
	const bool turn_a = hy_ir__call_int(call, "transA", 0) != 0, turn_b = hy_ir__call_int(call, "transB", 0) != 0;
	const bool real = hy_dtype_is_float(out->type.dtype), biased = hy_ir__call_has(call, 2);
	const double alpha = hy_ir__call_float(call, "alpha", 1), beta = hy_ir__call_float(call, "beta", 1);
	product p = {.a = &call->in[0], .b = &call->in[1], .rows = out->type.dim[0], .columns = out->type.dim[1]};
	p.depth = call->in[0].type.dim[!turn_a];
	p.a_row = turn_a ? 1 : p.depth;
	p.a_depth = turn_a ? p.rows : 1;
	p.b_depth = turn_b ? 1 : p.columns;
	p.b_column = turn_b ? p.depth : 1;
	if (!real && (alpha != 1 || (biased && beta != 1)))
		return hy_ir__call_unsupported(call, "alpha and beta of integers must be 1");
	buffers *work = hy_ir__alloc(1, sizeof(*work));
	double *addend = biased && real ? alloc_addend(&call->in[2], &out->type, beta) : NULL;
	const result r = {.out = out, .scale = alpha, .addend = addend};
	hy_status status = HY_OK;
	if (work == NULL || (biased && real && addend == NULL))
		status = hy_ir__no_memory(call->error);
	else if (real)
		multiply_reals(&p, &r, work);
	else
		multiply_wholes(&p, &r);
	if (!real && biased) add_wholes(&call->in[2], out);
	free(addend);
	free(work);
	return status;
}
