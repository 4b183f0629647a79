/* Which input elements lie under the window of convolutions and pools. */
#include "eval.h"

int64_t hy_ir__window_taps(const hy_ir__window *window)
{
	int64_t taps = 1;
	for (uint32_t i = 0; i < window->rank; i++)
		taps *= window->kernel[i];
	return taps;
}

/* Where on one axis the tap of an output position reads the input; HY_IR__TAP_* beside it. */
typedef int64_t place(const hy_ir__window *w, uint32_t axis, int64_t position, int64_t tap);

static int64_t place_forward(const hy_ir__window *w, uint32_t axis, int64_t position, int64_t tap)
{
	const int64_t at = position * w->stride[axis] - w->begin[axis] + tap * w->dilation[axis];
	if (at >= w->in[axis] + w->end[axis]) return HY_IR__TAP_OUTSIDE;
	return at < 0 || at >= w->in[axis] ? HY_IR__TAP_PADDING : at;
}

static int64_t place_transpose(const hy_ir__window *w, uint32_t axis, int64_t position, int64_t tap)
{
	const int64_t from = position + w->begin[axis] - tap * w->dilation[axis];
	if (from < 0 || from % w->stride[axis] != 0) return HY_IR__TAP_PADDING;
	const int64_t at = from / w->stride[axis];
	return at < w->in[axis] ? at : HY_IR__TAP_PADDING;
}

static int64_t element_under(const hy_ir__window *w, const int64_t *position, const int64_t *tap, place *on_axis)
{
	int64_t element = 0;
	bool padding = false;
	for (uint32_t i = 0; i < w->rank; i++) {
		const int64_t at = on_axis(w, i, position[i], tap[i]);
		if (at == HY_IR__TAP_OUTSIDE) return at;
		padding = padding || at < 0;
		element = element * w->in[i] + at;
	}
	return padding ? HY_IR__TAP_PADDING : element;
}

static void fill_table(const hy_ir__window *w, int64_t first, int64_t count, place *on_axis, int64_t *table)
{
	const int64_t taps = hy_ir__window_taps(w);
	for (int64_t j = 0; j < count; j++) {
		int64_t position[HY_IR__SPATIAL], tap[HY_IR__SPATIAL] = {0}, rest = first + j;
		for (uint32_t i = w->rank; i-- > 0; rest /= w->out[i])
			position[i] = rest % w->out[i];
		for (int64_t t = 0; t < taps; t++) {
			table[t * HY_IR__PANEL + j] = element_under(w, position, tap, on_axis);
			for (uint32_t i = w->rank; i-- > 0;) { /* the next tap */
				if (++tap[i] < w->kernel[i]) break;
				tap[i] = 0;
			}
		}
	}
}

void hy_ir__window_forward_table(const hy_ir__window *window, int64_t first, int64_t count, int64_t *table)
{
	fill_table(window, first, count, place_forward, table);
}

void hy_ir__window_transpose_table(const hy_ir__window *window, int64_t first, int64_t count, int64_t *table)
{
	fill_table(window, first, count, place_transpose, table);
}
