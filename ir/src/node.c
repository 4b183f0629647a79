/* Nodes and their attributes. */
#include "graph.h"

#include <string.h>

const hy_ir_attr *hy_ir_node_attr(const hy_ir_node *node, const char *name)
{
	for (uint32_t i = 0; i < node->attr_count; i++)
		if (strcmp(node->attrs[i].name, name) == 0) return &node->attrs[i];
	return NULL;
}

int64_t hy_ir_node_attr_int(const hy_ir_node *node, const char *name, int64_t fallback)
{
	const hy_ir_attr *attr = hy_ir_node_attr(node, name);
	return attr != NULL && attr->kind == HY_ATTR_INT ? attr->i : fallback;
}

float hy_ir_node_attr_float(const hy_ir_node *node, const char *name, float fallback)
{
	const hy_ir_attr *attr = hy_ir_node_attr(node, name);
	return attr != NULL && attr->kind == HY_ATTR_FLOAT ? attr->f : fallback;
}

const char *hy_ir_node_attr_string(const hy_ir_node *node, const char *name, const char *fallback)
{
	const hy_ir_attr *attr = hy_ir_node_attr(node, name);
	return attr != NULL && attr->kind == HY_ATTR_STRING ? attr->s : fallback;
}

hy_ir_attr hy_ir_attr_int(const char *name, int64_t value)
{
	return (hy_ir_attr){.name = name, .kind = HY_ATTR_INT, .count = 1, .i = value};
}

hy_ir_attr hy_ir_attr_float(const char *name, float value)
{
	return (hy_ir_attr){.name = name, .kind = HY_ATTR_FLOAT, .count = 1, .f = value};
}

hy_ir_attr hy_ir_attr_string(const char *name, const char *value)
{
	return (hy_ir_attr){.name = name, .kind = HY_ATTR_STRING, .count = (uint32_t)strlen(value), .s = value};
}

hy_ir_attr hy_ir_attr_ints(const char *name, uint32_t count, const int64_t *values)
{
	return (hy_ir_attr){.name = name, .kind = HY_ATTR_INTS, .count = count, .ints = values};
}

bool hy_ir__attr_is_opaque(const hy_ir_attr *attr)
{
	switch (attr->kind) {
	case HY_ATTR_FLOAT:
	case HY_ATTR_INT:
	case HY_ATTR_STRING:
	case HY_ATTR_TENSOR:
	case HY_ATTR_FLOATS:
	case HY_ATTR_INTS:
	case HY_ATTR_STRINGS:
		return false;
	default:
		return true;
	}
}

void hy_ir__node_find_op(hy_ir_node *node)
{
	node->op = node->body == NULL ? hy_ir_op_find(node->domain, node->type) : NULL;
	for (uint32_t i = 0; i < node->attr_count; i++)
		if (hy_ir__attr_is_opaque(&node->attrs[i])) node->op = NULL;
}

static bool copy_strings(hy_ir__arena *arena, hy_ir_attr *attr)
{
	const char **strings = hy_ir__arena_alloc(arena, attr->count * sizeof(strings[0]));
	if (strings == NULL) return false;
	for (uint32_t i = 0; i < attr->count; i++) {
		strings[i] = hy_ir__arena_text(arena, attr->strings[i], strlen(attr->strings[i]));
		if (strings[i] == NULL) return false;
	}
	attr->strings = strings;
	return true;
}

static bool copy_tensor(hy_ir_graph *graph, hy_ir_attr *attr)
{
	if (attr->tensor.data == NULL) return true;
	for (uint32_t i = 0; i < graph->held_count; i++)
		if (hy_ir__memory_contains(graph->held[i], attr->tensor.data)) return true;
	attr->tensor.data = hy_ir__arena_copy(&graph->arena, attr->tensor.data, hy_ir_type_bytes(&attr->tensor.type));
	return attr->tensor.data != NULL;
}

/* The attribute is a shallow copy already; what it points to becomes the graph's own. */
static bool copy_attr(hy_ir_graph *graph, uint32_t flags, hy_ir_attr *attr)
{
	hy_ir__arena *arena = &graph->arena;
	attr->name = hy_ir__arena_text(arena, attr->name, strlen(attr->name));
	if (attr->name == NULL) return false;
	switch (attr->kind) {
	case HY_ATTR_STRING:
		return (attr->s = hy_ir__arena_text(arena, attr->s, attr->count)) != NULL;
	case HY_ATTR_INTS:
		attr->ints = hy_ir__arena_copy(arena, attr->ints, attr->count * sizeof(attr->ints[0]));
		return attr->ints != NULL;
	case HY_ATTR_FLOATS:
		attr->floats = hy_ir__arena_copy(arena, attr->floats, attr->count * sizeof(attr->floats[0]));
		return attr->floats != NULL;
	case HY_ATTR_STRINGS:
		return copy_strings(arena, attr);
	case HY_ATTR_TENSOR:
		return (flags & HY_IR__LEND_TENSORS) != 0 || copy_tensor(graph, attr);
	default:
		return true;
	}
}

hy_status hy_ir__graph_copy_attrs(hy_ir_graph *graph, uint32_t count, const hy_ir_attr *attrs, uint32_t flags,
                                  const hy_ir_attr **out_attrs, hy_error *error)
{
	hy_ir_attr *own = hy_ir__arena_copy(&graph->arena, attrs, count * sizeof(own[0]));
	if (own == NULL) return hy_ir__no_memory(error);
	for (uint32_t i = 0; i < count; i++)
		if (!copy_attr(graph, flags, &own[i])) return hy_ir__no_memory(error);
	*out_attrs = own;
	return HY_OK;
}
