/* Graphviz and SVG by hand: few shapes, no script. */
#include "topology_draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Text inside quotes of Graphviz, or between tags. */
static void put_escaped(const char *text, const char *dangerous)
{
	for (; *text != '\0'; text++) {
		if (strchr(dangerous, *text) == NULL)
			putchar(*text);
		else if (*dangerous == '"')
			printf("\\%c", *text);
		else
			printf("&#%d;", *text);
	}
}

static const char *id_of(const hy_sched_cluster *cluster, uint32_t place, bool whole)
{
	const hy_sched_cluster_place *const p = &cluster->places[place];
	return whole && p->node != HY_SCHED_CLUSTER_NONE ? cluster->nodes[p->node].name : p->name;
}

/* The link back with the same numbers, so that one line with two heads is enough. */
static bool has_twin(const hy_sched_cluster *cluster, const hy_sched_cluster_link *link)
{
	for (uint32_t i = 0; i < cluster->link_count; i++) {
		const hy_sched_cluster_link *const other = &cluster->links[i];
		if (other->from == link->to && other->to == link->from &&
		    other->bytes_per_s.value == link->bytes_per_s.value)
			return true;
	}
	return false;
}

static bool is_shown(const hy_sched_cluster *cluster, const hy_sched_cluster_link *link, uint32_t node)
{
	const uint32_t from = cluster->places[link->from].node, to = cluster->places[link->to].node;
	return node == HY_SCHED_CLUSTER_NONE
	               ? from == HY_SCHED_CLUSTER_NONE || to == HY_SCHED_CLUSTER_NONE || from != to
	               : from == node && to == node;
}

static void put_links(const hy_sched_cluster *cluster, uint32_t node)
{
	const bool whole = node == HY_SCHED_CLUSTER_NONE;
	for (uint32_t i = 0; i < cluster->link_count; i++) {
		const hy_sched_cluster_link *const link = &cluster->links[i];
		if (!is_shown(cluster, link, node)) continue;
		const bool twin = has_twin(cluster, link);
		if (twin && link->from > link->to) continue;
		printf("  \"");
		put_escaped(id_of(cluster, link->from, whole), "\"\\");
		printf("\" -> \"");
		put_escaped(id_of(cluster, link->to, whole), "\"\\");
		printf("\" [%slabel=\"%s%s\\n%.3g GB/s\"%s];\n", twin ? "dir=both, " : "", link->class_name,
		       link->staged ? " staged" : "", link->bytes_per_s.value * 1e-9,
		       link->bytes_per_s.origin == HY_SCHED_DEFAULT ? ", style=dashed" : "");
	}
}

void tool_topology_dot(const hy_sched_cluster *cluster, uint32_t node)
{
	static const char *const shapes[] = {
		[HY_SCHED_HOST] = "box", [HY_SCHED_DEVICE] = "box, style=rounded", [HY_SCHED_SWITCH] = "diamond"};
	printf("// dashed: the number is the default of the class\ndigraph \"");
	put_escaped(node == HY_SCHED_CLUSTER_NONE ? cluster->name : cluster->nodes[node].name, "\"\\");
	printf("\" {\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n");
	for (uint32_t i = 0; i < cluster->place_count; i++) {
		const hy_sched_cluster_place *const place = &cluster->places[i];
		const bool whole = node == HY_SCHED_CLUSTER_NONE;
		if (whole ? place->kind == HY_SCHED_DEVICE : place->node != node) continue;
		if (whole && place->kind == HY_SCHED_HOST && i != cluster->nodes[place->node].first_place) continue;
		printf("  \"");
		put_escaped(id_of(cluster, i, whole), "\"\\");
		printf("\" [shape=%s];\n", shapes[place->kind]);
	}
	put_links(cluster, node);
	puts("}");
}

/* White to blue over four decades from 0.1 GB/s. */
static void put_colour(double bytes_per_s)
{
	double part = bytes_per_s > 1e8 ? log10(bytes_per_s / 1e8) / 4 : 0;
	if (part > 1) part = 1;
	printf("#%02x%02x%02x", (unsigned)(255 - 190 * part), (unsigned)(255 - 120 * part),
	       (unsigned)(255 - 25 * part));
}

static void put_cell(const tool_way *way, uint32_t x, uint32_t y)
{
	printf("<rect x=\"%u\" y=\"%u\" width=\"88\" height=\"38\" fill=\"", x, y);
	if (way->same || way->none)
		printf("#eeeeee");
	else
		put_colour(way->bytes_per_s);
	puts("\"/>");
	if (way->same || way->none) {
		printf("<text x=\"%u\" y=\"%u\" text-anchor=\"middle\">%s</text>\n", x + 44, y + 23,
		       way->same ? "-" : "none");
		return;
	}
	printf("<text x=\"%u\" y=\"%u\" text-anchor=\"middle\">%s</text>\n", x + 44, y + 15, way->class_name);
	printf("<text x=\"%u\" y=\"%u\" text-anchor=\"middle\" font-weight=\"%s\">%.3g %c%s</text>\n", x + 44, y + 31,
	       way->origin == HY_SCHED_MEASURED ? "bold" : "normal", way->bytes_per_s * 1e-9,
	       tool_ways_origin(way->origin)[0], way->staged ? "s" : "");
}

static void put_name(const char *name, uint32_t x, uint32_t y, const char *anchor)
{
	printf("<text x=\"%u\" y=\"%u\" text-anchor=\"%s\" font-weight=\"bold\">", x, y, anchor);
	put_escaped(name, "&<>");
	puts("</text>");
}

void tool_topology_svg(const tool_ways *ways)
{
	char legend[16][64];
	const uint32_t lines = tool_ways_legend(ways, 16, legend), edge = 120 + 92 * ways->count;
	const uint32_t height = 40 + 42 * ways->count + 20 * (lines + 3);
	printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" font-family=\"sans-serif\" "
	       "font-size=\"13\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
	       edge < 640 ? 640 : edge, height);
	for (uint32_t i = 0; i < ways->count; i++) {
		put_name(ways->ends[i].name, 120 + 92 * i + 44, 24, "middle");
		put_name(ways->ends[i].name, 110, 34 + 42 * i + 23, "end");
		for (uint32_t j = 0; j < ways->count; j++)
			put_cell(&ways->ways[i * ways->count + j], 120 + 92 * j, 34 + 42 * i);
	}
	uint32_t y = 40 + 42 * ways->count + 20;
	printf("<text x=\"10\" y=\"%u\">class and GB/s from row to column; m measured, g given, d default of the "
	       "class; "
	       "s staged through the host</text>\n",
	       y);
	for (uint32_t i = 0; i < lines; i++)
		printf("<text x=\"10\" y=\"%u\">%s</text>\n", y += 20, legend[i]);
	puts("</svg>");
}
