/* Convolutions as matrix products: for a panel of output positions the input elements under every tap are gathered,
 * then each output channel is one row of weights times that panel. */
#include "eval.h"

#include <stdlib.h>
#include <string.h>

#define PADDING (-1) /* in a table: no element of the input */

/* Where on one axis a tap of an output position reads the input, or PADDING. */
typedef int64_t place(const hy_ir__window *w, uint32_t axis, int64_t position, int64_t tap);

static int64_t place_forward(const hy_ir__window *w, uint32_t axis, int64_t position, int64_t tap)
{
	const int64_t at = position * w->stride[axis] - w->begin[axis] + tap * w->dilation[axis];
	return at < 0 || at >= w->in[axis] ? PADDING : at;
}

/* The element that reaches the position through the tap. */
static int64_t place_transpose(const hy_ir__window *w, uint32_t axis, int64_t position, int64_t tap)
{
	const int64_t from = position + w->begin[axis] - tap * w->dilation[axis];
	if (from < 0 || from % w->stride[axis] != 0) return PADDING;
	const int64_t at = from / w->stride[axis];
	return at < w->in[axis] ? at : PADDING;
}

static int64_t element_under(const hy_ir__window *w, const int64_t *position, const int64_t *tap, place *on_axis)
{
	int64_t element = 0;
	for (uint32_t i = 0; i < w->rank; i++) {
		const int64_t at = on_axis(w, i, position[i], tap[i]);
		if (at == PADDING) return PADDING;
		element = element * w->in[i] + at;
	}
	return element;
}

typedef struct job job;
/* The weights of one output channel for channels first..first+count-1 of its group. */
typedef void read_weights(const job *j, int64_t group, int64_t channel_out, int64_t first, int64_t count, double *row);

struct job {
	const hy_ir_tensor *weights;
	hy_ir__window window;
	place *on_axis;
	read_weights *row_of;
	int64_t groups, channels_in, channels_out; /* per group */
	int64_t taps, plane_in, plane_out; /* elements */
	int64_t block; /* channels of a panel */
	double *x; /* one sample */
	double *bias; /* or NULL */
	double *panel, *row, *sums;
	int64_t *table; /* the element of the input plane under tap t of position j at [t * HY_IR__PANEL + j] */
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

/* Positions first..first+count-1 of the output plane. */
static void fill_table(const job *j, int64_t first, int64_t count)
{
	const hy_ir__window *w = &j->window;
	for (int64_t column = 0; column < count; column++) {
		int64_t position[HY_IR__SPATIAL], tap[HY_IR__SPATIAL] = {0}, rest = first + column;
		for (uint32_t i = w->rank; i-- > 0; rest /= w->out[i])
			position[i] = rest % w->out[i];
		for (int64_t t = 0; t < j->taps; t++) {
			j->table[t * HY_IR__PANEL + column] = element_under(w, position, tap, j->on_axis);
			for (uint32_t i = w->rank; i-- > 0;) { /* the next tap */
				if (++tap[i] < w->kernel[i]) break;
				tap[i] = 0;
			}
		}
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
	j->taps = j->plane_in = j->plane_out = 1;
	for (uint32_t i = 0; i < j->window.rank; i++) {
		j->taps *= j->window.kernel[i];
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
		j->table[i] = PADDING;
	return HY_OK;
}

static void run_sample(const hy_ir__call *call, job *j, int64_t sample, const hy_ir_tensor *out)
{
	const hy_ir_tensor *x = &call->in[0];
	const int64_t channels = j->groups * j->channels_out, length = x->type.dim[1] * j->plane_in;
	hy_ir__read_reals(x->type.dtype, x->data, sample * length, 1, length, j->x);
	for (int64_t first = 0; first < j->plane_out; first += HY_IR__PANEL) {
		const int64_t rest = j->plane_out - first, count = rest < HY_IR__PANEL ? rest : HY_IR__PANEL;
		fill_table(j, first, count);
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
	job j = {.on_axis = place_forward, .row_of = read_forward};
	const hy_status status = hy_ir__window_forward(call, &call->in[0].type, &call->in[1].type, &j.window);
	return status == HY_OK ? run(call, &j, out) : status;
}

hy_status hy_ir__eval_conv_transpose(const hy_ir__call *call, const hy_ir_tensor *out)
{
	job j = {.on_axis = place_transpose, .row_of = read_transpose};
	const hy_status status = hy_ir__window_transpose(call, &call->in[0].type, &call->in[1].type, &j.window);
	return status == HY_OK ? run(call, &j, out) : status;
}
