/* Text to a tree: libyaml's events on a stack of bounded depth, every node with its place. */
#include <halyard/yaml.h>

#include "keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct open_node {
	hy_yaml_node *node;
	hy_yaml_node **end; /* where the next child goes */
} open_node;

typedef struct reader {
	hy_yaml *document;
	yaml_parser_t parser;
	yaml_event_t event;
	uint32_t depth;
	open_node stack[HY_YAML_DEPTH];
	const char *key; /* of the value to come, in a map */
	bool has_key;
	yaml_mark_t key_mark;
} reader;

static uint32_t line_of(yaml_mark_t mark)
{
	return (uint32_t)mark.line + 1;
}

static uint32_t column_of(yaml_mark_t mark)
{
	return (uint32_t)mark.column + 1;
}

_Static_assert(HY_YAML_DEPTH == 16, "the fault says so");

static void stop(reader *r, yaml_mark_t mark, const char *text)
{
	if (!r->document->broken) hy_yaml_fault_at(r->document, line_of(mark), column_of(mark), "%s", text);
	r->document->broken = true;
}

static yaml_event_type_t next(reader *r)
{
	yaml_event_delete(&r->event);
	memset(&r->event, 0, sizeof(r->event));
	if (r->document->broken) return YAML_NO_EVENT;
	if (!yaml_parser_parse(&r->parser, &r->event)) {
		char text[256];
		const yaml_parser_t *p = &r->parser;
		if (p->error == YAML_MEMORY_ERROR) r->document->no_memory = true;
		const char *problem = p->problem != NULL ? p->problem : "not YAML";
		if (p->context != NULL && p->context_mark.line != p->problem_mark.line)
			snprintf(text, sizeof(text), "%s; it began in line %u", problem, line_of(p->context_mark));
		else
			snprintf(text, sizeof(text), "%s", problem);
		stop(r, p->problem_mark, text);
		return YAML_NO_EVENT;
	}
	return r->event.type;
}

/* The same key among the children that are there. */
static const hy_yaml_node *find_twin(const hy_yaml_node *map, const char *key)
{
	for (const hy_yaml_node *child = map->first; child != NULL; child = child->next)
		if (strcmp(child->key, key) == 0) return child;
	return NULL;
}

/* Hangs a node under the open one. */
static void hang(reader *r, hy_yaml_node *node)
{
	if (r->depth == 0) {
		r->document->root = node;
		return;
	}
	open_node *parent = &r->stack[r->depth - 1];
	if (r->has_key) {
		const hy_yaml_node *twin = find_twin(parent->node, r->key);
		node->key = r->key;
		node->key_line = line_of(r->key_mark);
		node->key_column = column_of(r->key_mark);
		r->has_key = false;
		if (twin != NULL) {
			hy_yaml_fault_key(r->document, node, "'%.64s' is there twice: first in line %u", node->key,
			                  twin->key_line);
			return;
		}
	}
	*parent->end = node;
	parent->end = &node->next;
	parent->node->count++;
}

static hy_yaml_node *make(reader *r, hy_yaml_kind kind)
{
	hy_yaml *document = r->document;
	const yaml_mark_t mark = r->event.start_mark;
	if (document->node_count == HY_YAML_NODES) {
		stop(r, mark, "too many values for one file: use ranges, as in node[01-16]");
		return NULL;
	}
	hy_yaml_node *node = hy_yaml__keep(document, sizeof(*node));
	if (node == NULL) {
		r->document->broken = true;
		return NULL;
	}
	document->node_count++;
	node->kind = kind;
	node->line = line_of(mark);
	node->column = column_of(mark);
	return node;
}

/* The scalar of the event; NULL after a fault that leaves nothing to go on with. */
static const char *take_text(reader *r, hy_yaml_node *node)
{
	const char *text = (const char *)r->event.data.scalar.value;
	const size_t length = r->event.data.scalar.length;
	if (strlen(text) != length || strpbrk(text, "\n\r") != NULL)
		hy_yaml_fault_node(r->document, node, "must be one line of text");
	else if (length == 0)
		hy_yaml_fault_node(r->document, node, "is empty: write a value or take the key away");
	char *copy = hy_yaml__keep(r->document, length + 1);
	if (copy == NULL) {
		r->document->broken = true;
		return NULL;
	}
	memcpy(copy, text, length);
	return copy;
}

static bool wants_key(const reader *r)
{
	return r->depth > 0 && r->stack[r->depth - 1].node->kind == HY_YAML_IS_MAP && !r->has_key;
}

static void take_key(reader *r)
{
	const hy_yaml_node *map = r->stack[r->depth - 1].node;
	hy_yaml_node place = {.line = line_of(r->event.start_mark), .column = column_of(r->event.start_mark)};
	if (map->count == HY_YAML_KEYS) {
		stop(r, r->event.start_mark, "too many keys in one mapping");
		return;
	}
	r->key_mark = r->event.start_mark;
	r->key = take_text(r, &place);
	r->has_key = r->key != NULL;
}

static void take_scalar(reader *r)
{
	if (wants_key(r)) {
		take_key(r);
		return;
	}
	hy_yaml_node *node = make(r, HY_YAML_IS_SCALAR);
	if (node == NULL) return;
	node->text = take_text(r, node);
	hang(r, node);
}

static void open_children(reader *r, hy_yaml_kind kind)
{
	if (wants_key(r)) {
		stop(r, r->event.start_mark, "a key must be one word");
		return;
	}
	if (r->depth == HY_YAML_DEPTH) {
		stop(r, r->event.start_mark, "nested deeper than 16 levels");
		return;
	}
	hy_yaml_node *node = make(r, kind);
	if (node == NULL) return;
	hang(r, node);
	r->stack[r->depth++] = (open_node){node, &node->first};
}

static bool has_no_tag(reader *r, const yaml_char_t *tag)
{
	if (tag != NULL) stop(r, r->event.start_mark, "tags (!) are not allowed");
	return tag == NULL;
}

/* One event. False at the end of the document. */
static bool step(reader *r)
{
	switch (next(r)) {
	case YAML_SCALAR_EVENT:
		if (has_no_tag(r, r->event.data.scalar.tag)) take_scalar(r);
		return !r->document->broken;
	case YAML_MAPPING_START_EVENT:
		if (has_no_tag(r, r->event.data.mapping_start.tag)) open_children(r, HY_YAML_IS_MAP);
		return !r->document->broken;
	case YAML_SEQUENCE_START_EVENT:
		if (has_no_tag(r, r->event.data.sequence_start.tag)) open_children(r, HY_YAML_IS_LIST);
		return !r->document->broken;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		return true;
	case YAML_ALIAS_EVENT:
		stop(r, r->event.start_mark, "aliases (*) are not allowed: write the value out");
		return false;
	case YAML_DOCUMENT_START_EVENT:
		return true;
	default:
		return false;
	}
}

static bool has_tab(reader *r, const char *text, size_t length)
{
	yaml_mark_t mark = {0};
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\t') {
			stop(r, mark, "a tab: YAML is indented with spaces");
			return true;
		}
		mark.column += ((unsigned char)text[i] & 0xc0) != 0x80; /* characters, not bytes */
		if (text[i] == '\n') mark = (yaml_mark_t){.line = mark.line + 1};
	}
	return false;
}

hy_status hy_yaml_read(const char *name, const char *text, size_t length, hy_yaml *document)
{
	*document = (hy_yaml){.name = name};
	reader r = {.document = document};
	const yaml_mark_t start = {0};
	if (length > HY_YAML_BYTES) {
		hy_yaml_fault_at(document, 1, 1, "larger than %u bytes", HY_YAML_BYTES);
		return HY_INVALID;
	}
	if (!yaml_parser_initialize(&r.parser)) {
		document->no_memory = true;
		return HY_NO_MEMORY;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
	if (!has_tab(&r, text, length)) {
		next(&r); /* stream start */
		while (step(&r))
			;
		if (!document->broken && document->root == NULL) stop(&r, start, "empty: nothing is described here");
		if (!document->broken && next(&r) == YAML_DOCUMENT_START_EVENT)
			stop(&r, r.event.start_mark, "a second document: one per file");
	}
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	return document->no_memory ? HY_NO_MEMORY : document->fault_count > 0 ? HY_INVALID : HY_OK;
}

hy_status hy_yaml_load(const char *path, hy_yaml *document)
{
	*document = (hy_yaml){.name = path};
	hy_status status = HY_OK;
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		status = errno == ENOENT ? HY_NOT_FOUND : HY_INVALID;
		hy_yaml_fault_at(document, 1, 1, "cannot be opened: %s", strerror(errno));
		return status;
	}
	char *text = malloc(HY_YAML_BYTES + 1);
	const size_t length = text != NULL ? fread(text, 1, HY_YAML_BYTES + 1, file) : 0;
	if (text == NULL) {
		document->no_memory = true;
		status = HY_NO_MEMORY;
	} else if (ferror(file)) {
		hy_yaml_fault_at(document, 1, 1, "cannot be read: %s", strerror(errno));
		status = HY_INVALID;
	} else {
		status = hy_yaml_read(path, text, length, document);
	}
	free(text);
	fclose(file);
	return status;
}
