/* The plan as a drawing: the graph from top to bottom, each node in the colour of its device, values that change devices
 * red with their bytes. Where several lanes run the model the busiest is drawn. */
#include "plan.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODE_WIDTH = 190, NODE_HEIGHT = 26, COLUMN = 210, ROW = 46, MARGIN = 20, LEGEND = 22, MOST_NAME = 26 };

typedef struct drawing {
	const hy_sched_plan *plan;
	const hy_sched__lane *lane; /* NULL: strips, all devices share each node */
	uint32_t *row, *column, *device; /* per node */
	uint32_t rows, columns;
	hy_sched__text text;
} drawing;

/* Hues a golden angle apart. */
static unsigned hue(uint32_t device)
{
	return (unsigned)((device * 13751u / 100u + 200u) % 360u);
}

static void add_escaped(hy_sched__text *text, const char *name, size_t most)
{
	for (size_t i = 0; name[i] != '\0'; i++) {
		if (i == most) {
			hy_sched__text_add(text, "\xe2\x80\xa6");
			return;
		}
		const unsigned char c = (unsigned char)name[i];
		if (c == '<' || c == '>' || c == '&' || c == '"')
			hy_sched__text_add(text, "&#%u;", c);
		else
			hy_sched__text_add(text, "%c", c < 0x20 || c >= 0x7f ? '?' : c);
	}
}

/* A row below all that it needs; columns from left to right. */
static hy_status lay_out(drawing *d, hy_error *error)
{
	const hy_ir_graph *graph = d->plan->graph;
	const uint32_t count = hy_ir_graph_node_count(graph);
	uint32_t *used = calloc((size_t)count + 1, sizeof(*used));
	d->row = calloc(count, sizeof(*d->row));
	d->column = calloc(count, sizeof(*d->column));
	d->device = calloc(count, sizeof(*d->device));
	if (!used || !d->row || !d->column || !d->device) {
		free(used);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for the drawing");
	}
	for (uint32_t n = 0; n < count; n++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, n);
		for (uint32_t i = 0; i < node->input_count; i++) {
			if (node->inputs[i] == HY_IR_NONE) continue;
			const uint32_t from = hy_ir_graph_value(graph, node->inputs[i])->producer;
			if (from != HY_IR_NONE && d->row[from] + 1 > d->row[n]) d->row[n] = d->row[from] + 1;
		}
		d->column[n] = used[d->row[n]]++;
		if (d->row[n] + 1 > d->rows) d->rows = d->row[n] + 1;
		if (d->column[n] + 1 > d->columns) d->columns = d->column[n] + 1;
	}
	free(used);
	for (uint32_t s = 0; d->lane != NULL && s < d->lane->segment_count; s++)
		for (uint32_t i = 0; i < d->lane->segments[s].count; i++)
			d->device[d->lane->segments[s].first + i] = d->lane->segments[s].device;
	return HY_OK;
}

static uint32_t x_of(const drawing *d, uint32_t node)
{
	return MARGIN + d->column[node] * COLUMN;
}

static uint32_t y_of(const drawing *d, uint32_t node)
{
	return 2 * MARGIN + (d->plan->info.device_count + 1) * LEGEND + d->row[node] * ROW;
}

static void draw_legend(drawing *d)
{
	const hy_sched_plan_info *info = &d->plan->info;
	hy_sched__text_add(&d->text, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">", MARGIN, MARGIN + 14);
	add_escaped(&d->text, hy_ir_graph_name(d->plan->graph), 60);
	hy_sched__text_add(&d->text, ": ");
	hy_sched__text_add_ns(&d->text, info->item_ns);
	hy_sched__text_add(&d->text, info->objective == HY_SCHED_LATENCY ? " for one answer</text>\n"
	                                                                 : " between answers</text>\n");
	for (uint32_t i = 0; i < info->device_count; i++) {
		const int y = MARGIN + LEGEND * ((int)i + 1);
		uint32_t device = 0;
		while (d->plan->devices[device].id != info->devices[i].id)
			device++;
		hy_sched__text_add(&d->text,
		                   "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"14\" fill=\"hsl(%u,70%%,80%%)\" "
		                   "stroke=\"#444\"/><text x=\"%d\" y=\"%d\">",
		                   MARGIN, y + 2, hue(device), MARGIN + 22, y + 14);
		add_escaped(&d->text, info->devices[i].id, 60);
		hy_sched__text_add(&d->text, ": %.0f %%</text>\n", 100 * info->devices[i].share);
	}
}

static void draw_value(drawing *d, uint32_t from, uint32_t to, uint64_t bytes)
{
	const bool copied = d->lane != NULL && d->device[from] != d->device[to];
	/* What passes rows goes around them. */
	const uint32_t aside = d->row[to] > d->row[from] + 1 ? NODE_WIDTH / 2 + 16 : 0;
	const uint32_t x1 = x_of(d, from) + NODE_WIDTH / 2, y1 = y_of(d, from) + NODE_HEIGHT;
	const uint32_t x2 = x_of(d, to) + NODE_WIDTH / 2, y2 = y_of(d, to);
	hy_sched__text_add(
		&d->text, "<path d=\"M%u %uC%u %u %u %u %u %u\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"/>\n",
		x1, y1, x1 + aside, y1 + 14, x2 + aside, y2 - 14, x2, y2, copied ? "#c00" : "#999", copied ? "2" : "1");
	if (!copied) return;
	hy_sched__text_add(&d->text, "<text x=\"%u\" y=\"%u\" fill=\"#c00\" font-size=\"10\">", (x1 + x2) / 2 + 4,
	                   (y1 + y2) / 2 + 3);
	hy_sched__text_add_bytes(&d->text, bytes);
	hy_sched__text_add(&d->text, "</text>\n");
}

static void draw_values(drawing *d)
{
	const hy_ir_graph *graph = d->plan->graph;
	for (uint32_t n = 0; n < hy_ir_graph_node_count(graph); n++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, n);
		for (uint32_t i = 0; i < node->input_count; i++) {
			if (node->inputs[i] == HY_IR_NONE) continue;
			const hy_ir_value *value = hy_ir_graph_value(graph, node->inputs[i]);
			if (value->producer == HY_IR_NONE) continue;
			const uint64_t bytes = hy_ir_type_is_static(&value->type) ? hy_ir_type_bytes(&value->type) : 0;
			draw_value(d, value->producer, n, bytes);
		}
	}
}

static void draw_nodes(drawing *d)
{
	const hy_ir_graph *graph = d->plan->graph;
	for (uint32_t n = 0; n < hy_ir_graph_node_count(graph); n++) {
		const hy_ir_node *node = hy_ir_graph_node(graph, n);
		char fill[40] = "#eee";
		if (d->lane != NULL) snprintf(fill, sizeof(fill), "hsl(%u,70%%,80%%)", hue(d->device[n]));
		hy_sched__text_add(&d->text,
		                   "<g><rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"%s\" "
		                   "stroke=\"#444\"/><text x=\"%u\" y=\"%u\">%u ",
		                   x_of(d, n), y_of(d, n), NODE_WIDTH, NODE_HEIGHT, fill, x_of(d, n) + 6,
		                   y_of(d, n) + 17, n);
		add_escaped(&d->text, node->type, MOST_NAME);
		hy_sched__text_add(&d->text, "</text><title>");
		add_escaped(&d->text, node->name, 400);
		hy_sched__text_add(&d->text, "</title></g>\n");
	}
}

hy_status hy_sched_plan_draw(const hy_sched_plan *plan, char **out_text, hy_error *error)
{
	const hy_sched__candidate *candidate = &plan->candidates[plan->chosen];
	drawing d = {.plan = plan};
	for (uint32_t l = 0; l < candidate->lane_count && candidate->strips == NULL; l++)
		if (d.lane == NULL || candidate->lanes[l].rate > d.lane->rate) d.lane = &candidate->lanes[l];
	hy_status status = lay_out(&d, error);
	if (status == HY_OK) {
		const uint32_t wide = d.columns < 2 ? 2 : d.columns;
		hy_sched__text_add(&d.text,
		                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		                   "font-family=\"sans-serif\" font-size=\"12\">\n"
		                   "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		                   2 * MARGIN + wide * COLUMN,
		                   3 * MARGIN + (plan->info.device_count + 1) * LEGEND + d.rows * ROW);
		draw_legend(&d);
		draw_values(&d);
		draw_nodes(&d);
		hy_sched__text_add(&d.text, "</svg>\n");
		if (d.text.failed) status = hy_error_set(error, HY_NO_MEMORY, "no memory for the drawing");
	}
	free(d.row);
	free(d.column);
	free(d.device);
	if (status == HY_OK)
		*out_text = d.text.bytes;
	else
		free(d.text.bytes);
	return status;
}
