/* Convolutions as matrix products: for a panel of output positions the input elements under every tap are gathered,
 * then each output channel is one row of weights times that panel. */
#include "eval.h"

#include <stdlib.h>
#include <string.h>

typedef void tabulate(const hy_ir__window *window, int64_t first, int64_t count, int64_t *table);
/* The weights of one output channel for channels first..first+count-1 of its group. */
typedef struct job job;
typedef void read_weights(const job *j, int64_t group, int64_t channel_out, int64_t first, int64_t count, double *row);

struct job {
	const hy_ir_tensor *weights;
	hy_ir__window window;
	tabulate *table_of;
	read_weights *row_of;
	int64_t groups, channels_in, channels_out; /* per group */
	int64_t taps, plane_in, plane_out; /* elements */
	int64_t block; /* channels of a panel */
	double *x; /* one sample */
	double *bias; /* or NULL */
	double *panel, *row, *sums;
	int64_t *table;
};

static void read_forward(const job *j, int64_t group, int64_t channel_out, int64_t first, int64_t count, double *row)
{
	const int64_t at = ((group * j->channels_out + channel_out) * j->channels_in + first) * j->taps;
	hy_ir__read_reals(j->weights->type.dtype, j->weights->data, at, 1, count * j->taps, row);
}

static void read_transpose(const job *j, int64_t group, int64_t channel_out, int64_t first, int64_t count, double *row)
{
	for (int64_t c = 0; c < count; c++) {
		const int64_t at = ((group * j->channels_in + first + c) * j->channels_out + channel_out) * j->taps;
		hy_ir__read_reals(j->weights->type.dtype, j->weights->data, at, 1, j->taps, row + c * j->taps);
	}
}

static void fill_panel(const job *j, int64_t group, int64_t first, int64_t count)
{
	double *line = j->panel;
	for (int64_t c = 0; c < count; c++) {
		const double *plane = j->x + (group * j->channels_in + first + c) * j->plane_in;
		for (int64_t t = 0; t < j->taps * HY_IR__PANEL; t++)
			*line++ = j->table[t] < 0 ? 0 : plane[j->table[t]];
	}
}

/* One group at the positions of the table. */
static void convolve(const job *j, int64_t group)
{
	for (int64_t m = 0; m < j->channels_out; m++) {
		const double start = j->bias != NULL ? j->bias[group * j->channels_out + m] : 0;
		for (int64_t i = 0; i < HY_IR__PANEL; i++)
			j->sums[m * HY_IR__PANEL + i] = start;
	}
	for (int64_t first = 0; first < j->channels_in; first += j->block) {
		const int64_t rest = j->channels_in - first, count = rest < j->block ? rest : j->block;
		fill_panel(j, group, first, count);
		for (int64_t m = 0; m < j->channels_out; m++) {
			j->row_of(j, group, m, first, count, j->row);
			hy_ir__panel_add(count * j->taps, j->row, j->panel, j->sums + m * HY_IR__PANEL);
		}
	}
}

static hy_status prepare(const hy_ir__call *call, job *j, const hy_ir_tensor *out)
{
	const hy_ir_type *x = &call->in[0].type;
	j->weights = &call->in[1];
	j->groups = hy_ir__call_int(call, "group", 1);
	j->channels_in = x->dim[1] / j->groups;
	j->channels_out = out->type.dim[1] / j->groups;
	j->taps = hy_ir__window_taps(&j->window);
	j->plane_in = j->plane_out = 1;
	for (uint32_t i = 0; i < j->window.rank; i++) {
		j->plane_in *= j->window.in[i];
		j->plane_out *= j->window.out[i];
	}
	if (j->channels_in == 0 ||
	    j->plane_in == 0) { /* nothing to sum: no need for tables as large as the kernel says */
		j->taps = 0;
		j->channels_in = 0;
	}
	j->block = j->taps > 0 && j->taps < HY_IR__DEPTH ? HY_IR__DEPTH / j->taps : 1;
	const int64_t depth = j->block * j->taps;
	j->x = hy_ir__alloc(x->dim[1] * j->plane_in, sizeof(double));
	j->panel = hy_ir__alloc(depth * HY_IR__PANEL, sizeof(double));
	j->table = hy_ir__alloc(j->taps * HY_IR__PANEL, sizeof(int64_t));
	j->row = hy_ir__alloc(depth, sizeof(double));
	j->sums = hy_ir__alloc(j->channels_out * HY_IR__PANEL, sizeof(double));
	const bool biased = hy_ir__call_has(call, 2);
	if (biased) j->bias = hy_ir__alloc_reals(&call->in[2]);
	if (j->x == NULL || j->panel == NULL || j->table == NULL || j->row == NULL || j->sums == NULL ||
	    (biased && j->bias == NULL))
		return hy_ir__no_memory(call->error);
	/* Columns behind the last position are computed too, from padding. */
	for (int64_t i = 0; i < j->taps * HY_IR__PANEL; i++)
		j->table[i] = HY_IR__TAP_PADDING;
	return HY_OK;
}

static void run_sample(const hy_ir__call *call, job *j, int64_t sample, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const int64_t channels = j->groups * j->channels_out, length = x->type.dim[1] * j->plane_in;
	hy_ir__read_reals(x->type.dtype, x->data, sample * length, 1, length, j->x);
	for (int64_t first = 0; first < j->plane_out; first += HY_IR__PANEL) {
		const int64_t rest = j->plane_out - first, count = rest < HY_IR__PANEL ? rest : HY_IR__PANEL;
		if (j->taps > 0) j->table_of(&j->window, first, count, j->table);
		for (int64_t g = 0; g < j->groups; g++) {
			convolve(j, g);
			for (int64_t m = 0; m < j->channels_out; m++) {
				const int64_t channel = sample * channels + g * j->channels_out + m;
				hy_ir__write_reals(out->type.dtype, out->data, channel * j->plane_out + first, count,
				                   j->sums + m * HY_IR__PANEL);
			}
		}
	}
}

static hy_status run(const hy_ir__call *call, job *j, const hy_ir_tensor *out)
{
	hy_status status = HY_OK;
	if (hy_ir_type_elements(&out->type) > 0) status = prepare(call, j, out);
	for (int64_t n = 0; status == HY_OK && j->x != NULL && n < out->type.dim[0]; n++)
		run_sample(call, j, n, out);
	free(j->x);
	free(j->bias);
	free(j->panel);
	free(j->table);
	free(j->row);
	free(j->sums);
	return status;
}

hy_status hy_ir__eval_conv(const hy_ir__call *call, const hy_ir_tensor *out)
{
	job j = {.table_of = hy_ir__window_forward_table, .row_of = read_forward};
	const hy_status status = hy_ir__window_forward(call, &call->in[0].type, &call->in[1].type, &j.window);
	return status == HY_OK ? run(call, &j, out) : status;
}

hy_status hy_ir__eval_conv_transpose(const hy_ir__call *call, const hy_ir_tensor *out)
{
	job j = {.table_of = hy_ir__window_transpose_table, .row_of = read_transpose};
	const hy_status status = hy_ir__window_transpose(call, &call->in[0].type, &call->in[1].type, &j.window);
	return status == HY_OK ? run(call, &j, out) : status;
}
