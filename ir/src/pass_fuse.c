/* Fuses nodes into regions, of which devices make one kernel each.
 *
 * A region has one output, and every value inside is read inside only, so it is convex and can stand at the place of
 * its last node. All elementwise nodes in it have the region's output shape: only its inputs are broadcast.
 *   1. An anchor takes the elementwise nodes behind it. Anchors are asked from the back, so that a residual Add goes
 *      to the convolution that runs last.
 *   2. Such a region takes the elementwise nodes that only feed its epilogue.
 *   3. What is elementwise and left forms regions of its own, each from its last node backwards.
 * needs: opset 18, order, static types, no dead nodes. breaks: node numbers. keeps: value numbers, names. */
#include "pass_fuse.h"

#include "pass_rewrite.h"

#include <halyard/ir/pass.h>

#include <stdlib.h>
#include <string.h>

typedef struct fuser {
	hy_ir_graph *graph;
	uint32_t node_count;
	uint32_t *owner; /* of each node: the node at whose place its region stands, or HY_IR_NONE */
	hy_ir__region *regions; /* of each owner */
	bool *is_output; /* of each value */
	uint32_t *first_reader, *readers; /* readers of value v: readers[first_reader[v]..first_reader[v + 1]) */
} fuser;

static const uint32_t IN_PROGRESS = HY_IR_NONE - 1;

static uint32_t output_of(const fuser *fuse, uint32_t node)
{
	return hy_ir_graph_node(fuse->graph, node)->outputs[0];
}

static const hy_ir_type *type_of(const fuser *fuse, uint32_t node)
{
	return &hy_ir_graph_value(fuse->graph, output_of(fuse, node))->type;
}

static bool is_single(const hy_ir_node *node, hy_ir_class class)
{
	if (node->op == NULL || node->op->fusion != class || node->outputs[0] == HY_IR_NONE) return false;
	for (uint32_t i = 1; i < node->output_count; i++)
		if (node->outputs[i] != HY_IR_NONE) return false;
	return true;
}

/* Elementwise, not taken, and of that shape. */
static bool can_join(const fuser *fuse, uint32_t node, const hy_ir_type *shape)
{
	if (fuse->owner[node] != HY_IR_NONE || !is_single(hy_ir_graph_node(fuse->graph, node), HY_IR_CLASS_ELEMENTWISE))
		return false;
	hy_ir_type type = *type_of(fuse, node);
	type.dtype = shape->dtype; /* a Cast or a comparison may join */
	return hy_ir_type_is_static(&type) && hy_ir_type_equal(&type, shape);
}

/* ---- 1: behind an anchor ---- */

/* The first node outside the group that reads the member's output, or HY_IR_NONE. */
static uint32_t reader_outside(const fuser *fuse, uint32_t member)
{
	const uint32_t value = output_of(fuse, member);
	for (uint32_t i = fuse->first_reader[value]; i < fuse->first_reader[value + 1]; i++)
		if (fuse->owner[fuse->readers[i]] != IN_PROGRESS) return fuse->readers[i];
	return HY_IR_NONE;
}

/* How many members' outputs are read outside; out_next receives the first such reader. */
static uint32_t count_visible(const fuser *fuse, const hy_ir__region *group, uint32_t *out_next)
{
	uint32_t visible = 0;
	*out_next = HY_IR_NONE;
	for (uint32_t i = 0; i < group->count; i++) {
		const uint32_t reader = reader_outside(fuse, group->nodes[i]);
		if (reader < *out_next) *out_next = reader;
		visible += reader != HY_IR_NONE || fuse->is_output[output_of(fuse, group->nodes[i])];
	}
	return visible;
}

static void take(fuser *fuse, hy_ir__region *group, uint32_t node)
{
	fuse->owner[node] = IN_PROGRESS;
	group->nodes[group->count++] = node;
}

/* Takes readers as long as they may join, and keeps the longest group that ended with one visible output. */
static void grow_forward(fuser *fuse, hy_ir__region *group)
{
	const hy_ir_type shape = *type_of(fuse, group->nodes[0]);
	uint32_t good = 1, next;
	uint32_t visible = count_visible(fuse, group, &next);
	while (next != HY_IR_NONE && group->count < HY_IR__REGION_NODES && can_join(fuse, next, &shape)) {
		take(fuse, group, next);
		visible = count_visible(fuse, group, &next);
		if (visible == 1) good = group->count;
	}
	while (group->count > good)
		fuse->owner[group->nodes[--group->count]] = HY_IR_NONE;
}

static uint32_t last_of(const hy_ir__region *group)
{
	uint32_t last = 0;
	for (uint32_t i = 0; i < group->count; i++)
		if (group->nodes[i] > last) last = group->nodes[i];
	return last;
}

/* The group stands at its last node's place; a single node stays what it is. */
static void settle(fuser *fuse, const hy_ir__region *group)
{
	const uint32_t last = last_of(group);
	for (uint32_t i = 0; i < group->count; i++)
		fuse->owner[group->nodes[i]] = group->count > 1 ? last : HY_IR_NONE;
	if (group->count > 1) fuse->regions[last] = *group;
}

static void fuse_anchor(fuser *fuse, uint32_t anchor)
{
	const hy_ir_node *node = hy_ir_graph_node(fuse->graph, anchor);
	if (!is_single(node, HY_IR_CLASS_ANCHOR) || !hy_ir_type_is_static(type_of(fuse, anchor))) return;
	hy_ir__region group = {.count = 0};
	take(fuse, &group, anchor);
	grow_forward(fuse, &group);
	settle(fuse, &group);
}

/* ---- 2 and 3: what only feeds a group ---- */

/* The highest producer below `limit` of anything that the elementwise members read, or HY_IR_NONE. */
static uint32_t producer_below(const fuser *fuse, const hy_ir__region *group, uint32_t first_member, uint32_t limit)
{
	uint32_t best = HY_IR_NONE;
	for (uint32_t i = first_member; i < group->count; i++) {
		const hy_ir_node *node = hy_ir_graph_node(fuse->graph, group->nodes[i]);
		for (uint32_t k = 0; k < node->input_count; k++) {
			if (node->inputs[k] == HY_IR_NONE) continue;
			const uint32_t producer = hy_ir_graph_value(fuse->graph, node->inputs[k])->producer;
			if (producer < limit && (best == HY_IR_NONE || producer > best)) best = producer;
		}
	}
	return best;
}

static bool reads(const fuser *fuse, uint32_t node, uint32_t producer)
{
	const hy_ir_node *reader = hy_ir_graph_node(fuse->graph, node);
	for (uint32_t i = 0; i < reader->input_count; i++)
		if (reader->inputs[i] == output_of(fuse, producer)) return true;
	return false;
}

/* Producers are asked from the back: whoever reads one has been asked before it. Members before `first_member` (an
 * anchor) stay first in the region, so nothing that they read may join. */
static void grow_backward(fuser *fuse, hy_ir__region *group, uint32_t first_member)
{
	const hy_ir_type shape = *type_of(fuse, group->nodes[0]);
	uint32_t producer = fuse->node_count;
	while (group->count < HY_IR__REGION_NODES &&
	       (producer = producer_below(fuse, group, first_member, producer)) != HY_IR_NONE) {
		if (can_join(fuse, producer, &shape) && !fuse->is_output[output_of(fuse, producer)] &&
		    reader_outside(fuse, producer) == HY_IR_NONE &&
		    (first_member == 0 || !reads(fuse, group->nodes[0], producer)))
			take(fuse, group, producer);
	}
}

static void widen_epilogue(fuser *fuse, uint32_t last)
{
	hy_ir__region group = fuse->regions[last];
	if (group.count == 0) return;
	for (uint32_t i = 0; i < group.count; i++)
		fuse->owner[group.nodes[i]] = IN_PROGRESS;
	grow_backward(fuse, &group, 1);
	settle(fuse, &group);
}

static void fuse_elementwise(fuser *fuse, uint32_t root)
{
	const hy_ir_node *node = hy_ir_graph_node(fuse->graph, root);
	if (fuse->owner[root] != HY_IR_NONE || !is_single(node, HY_IR_CLASS_ELEMENTWISE) ||
	    !hy_ir_type_is_static(type_of(fuse, root)))
		return;
	hy_ir__region group = {.count = 0};
	take(fuse, &group, root);
	grow_backward(fuse, &group, 0);
	settle(fuse, &group);
}

/* ---- building ---- */

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void sort_nodes(const hy_ir_graph *graph, hy_ir__region *group)
{
	const bool has_anchor = hy_ir_graph_node(graph, group->nodes[0])->op->fusion == HY_IR_CLASS_ANCHOR;
	const uint32_t first = has_anchor ? 1 : 0;
	qsort(group->nodes + first, group->count - first, sizeof(group->nodes[0]), compare_numbers);
}

static hy_status build_all(fuser *fuse, bool *out_changed, hy_error *error)
{
	hy_ir__rewrite rewrite;
	hy_ir__rewrite_init(&rewrite, fuse->graph, error);
	for (uint32_t i = 0; i < fuse->node_count && rewrite.status == HY_OK; i++) {
		uint32_t region = i;
		if (fuse->owner[i] != HY_IR_NONE && fuse->owner[i] != i) continue;
		if (fuse->owner[i] == i) {
			sort_nodes(fuse->graph, &fuse->regions[i]);
			rewrite.status = hy_ir__fuse_build(fuse->graph, &fuse->regions[i], &region, error);
			rewrite.changed = true;
		}
		hy_ir__rewrite_keep(&rewrite, region);
	}
	return hy_ir__rewrite_finish(&rewrite, out_changed);
}

/* ---- who reads what ---- */

static void list_readers(fuser *fuse, uint32_t value_count)
{
	uint32_t *first = fuse->first_reader;
	for (uint32_t i = 0; i < fuse->node_count; i++) {
		const hy_ir_node *node = hy_ir_graph_node(fuse->graph, i);
		for (uint32_t k = 0; k < node->input_count; k++)
			if (node->inputs[k] != HY_IR_NONE) first[node->inputs[k] + 2]++;
	}
	for (uint32_t v = 0; v < value_count; v++)
		first[v + 2] += first[v + 1];
	for (uint32_t i = 0; i < fuse->node_count; i++) {
		const hy_ir_node *node = hy_ir_graph_node(fuse->graph, i);
		for (uint32_t k = 0; k < node->input_count; k++)
			if (node->inputs[k] != HY_IR_NONE) fuse->readers[first[node->inputs[k] + 1]++] = i;
	}
}

static bool init(fuser *fuse, hy_ir_graph *graph)
{
	const uint32_t value_count = hy_ir_graph_value_count(graph);
	fuse->graph = graph;
	fuse->node_count = hy_ir_graph_node_count(graph);
	size_t input_count = 1;
	for (uint32_t i = 0; i < fuse->node_count; i++)
		input_count += hy_ir_graph_node(graph, i)->input_count;
	fuse->owner = malloc((fuse->node_count + 1u) * sizeof(fuse->owner[0]));
	fuse->regions = calloc(fuse->node_count + 1u, sizeof(fuse->regions[0]));
	fuse->is_output = calloc(value_count + 1u, sizeof(fuse->is_output[0]));
	fuse->first_reader = calloc(value_count + 2u, sizeof(fuse->first_reader[0]));
	fuse->readers = malloc(input_count * sizeof(fuse->readers[0]));
	if (fuse->owner == NULL || fuse->regions == NULL || fuse->is_output == NULL || fuse->first_reader == NULL ||
	    fuse->readers == NULL)
		return false;
	for (uint32_t i = 0; i < fuse->node_count; i++)
		fuse->owner[i] = HY_IR_NONE;
	for (uint32_t i = 0; i < hy_ir_graph_output_count(graph); i++)
		fuse->is_output[hy_ir_graph_outputs(graph)[i]] = true;
	list_readers(fuse, value_count);
	return true;
}

static void finish(fuser *fuse)
{
	free(fuse->owner);
	free(fuse->regions);
	free(fuse->is_output);
	free(fuse->first_reader);
	free(fuse->readers);
}

hy_status hy_ir_pass_fuse(hy_ir_graph *graph, bool *out_changed, hy_error *error)
{
	fuser fuse = {.graph = NULL};
	if (!init(&fuse, graph)) {
		finish(&fuse);
		return hy_ir__no_memory(error);
	}
	for (uint32_t i = fuse.node_count; i-- > 0;)
		fuse_anchor(&fuse, i);
	for (uint32_t i = fuse.node_count; i-- > 0;)
		widen_epilogue(&fuse, i);
	for (uint32_t i = fuse.node_count; i-- > 0;)
		fuse_elementwise(&fuse, i);
	const hy_status status = build_all(&fuse, out_changed, error);
	finish(&fuse);
	return status;
}
