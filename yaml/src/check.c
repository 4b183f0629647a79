/* A tree against a table: what is unknown, missing, of the wrong form or out of its range. Recursion follows the table,
 * never the document. */
#include <halyard/yaml.h>

#include "type.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#define PATTERN_BYTES 256u /* of a text that a pattern looks at */

static void check_value(hy_yaml *document, hy_yaml_node *node, const hy_yaml_field *field);

static void unknown_key(hy_yaml *document, hy_yaml_node *child, const hy_yaml_field *map)
{
	const char *keys[64];
	char all[256] = "";
	size_t used = 0;
	for (uint32_t i = 0; i < map->field_count && i < 64; i++) {
		keys[i] = map->fields[i].key;
		if (used < sizeof(all))
			used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i > 0 ? ", " : "", keys[i]);
	}
	const char *near = hy_yaml_nearest(child->key, map->field_count, keys);
	if (near != NULL)
		hy_yaml_fault_key(document, child, "unknown key '%.64s': did you mean '%s'?", child->key, near);
	else
		hy_yaml_fault_key(document, child, "unknown key '%.64s': the keys here are %s", child->key, all);
}

static const hy_yaml_field *field_of(const hy_yaml_field *map, const char *key)
{
	for (uint32_t i = 0; i < map->field_count; i++)
		if (strcmp(map->fields[i].key, key) == 0) return &map->fields[i];
	return NULL;
}

static bool is_there(const hy_yaml_node *map, const char *key)
{
	for (const hy_yaml_node *child = map->first; child != NULL; child = child->next)
		if (strcmp(child->key, key) == 0) return true;
	return false;
}

static void check_map(hy_yaml *document, hy_yaml_node *node, const hy_yaml_field *map)
{
	for (hy_yaml_node *child = node->first; child != NULL; child = child->next) {
		const hy_yaml_field *field = field_of(map, child->key);
		if (field == NULL)
			unknown_key(document, child, map);
		else
			check_value(document, child, field);
	}
	for (uint32_t i = 0; i < map->field_count; i++)
		if (map->fields[i].required && !document->broken && !is_there(node, map->fields[i].key))
			hy_yaml_fault_at(document, node->line, node->column, "'%s' is missing here",
			                 map->fields[i].key);
}

/* Whether a text has the field's form. */
static bool fits(const char *text, const hy_yaml_field *field)
{
	regex_t pattern;
	char whole[512];
	if (field->pattern == NULL) return true;
	if (strlen(text) >= PATTERN_BYTES) return false;
	snprintf(whole, sizeof(whole), "^(%s)$", field->pattern);
	if (regcomp(&pattern, whole, REG_EXTENDED | REG_NOSUB) != 0) return false;
	const bool found = regexec(&pattern, text, 0, NULL, 0) == 0;
	regfree(&pattern);
	return found;
}

static void check_count(hy_yaml *document, hy_yaml_node *node, const hy_yaml_field *field)
{
	if (field->most > 0 && node->count > field->most)
		hy_yaml_fault_node(document, node, "more than %.0f items", field->most);
	if (node->count < field->least) hy_yaml_fault_node(document, node, "needs %.0f or more items", field->least);
}

static void check_table(hy_yaml *document, hy_yaml_node *node, const hy_yaml_field *field)
{
	check_count(document, node, field);
	for (hy_yaml_node *child = node->first; child != NULL; child = child->next) {
		if (!fits(child->key, field))
			hy_yaml_fault_key(document, child, "'%.64s' is no %s", child->key, field->form);
		check_value(document, child, field->item);
	}
}

static void check_list(hy_yaml *document, hy_yaml_node *node, const hy_yaml_field *field)
{
	check_count(document, node, field);
	for (hy_yaml_node *child = node->first; child != NULL; child = child->next)
		check_value(document, child, field->item);
}

/* One of "a|b|c"; its place becomes the node's number. */
static void check_word(hy_yaml *document, hy_yaml_node *node, const hy_yaml_field *field)
{
	char copy[256], *words[32], *rest = copy;
	uint32_t count = 0;
	snprintf(copy, sizeof(copy), "%s", field->words);
	while (rest != NULL && count < 32)
		words[count++] = strsep(&rest, "|");
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(words[i], node->text) != 0) continue;
		node->number = i;
		return;
	}
	const char *near = hy_yaml_nearest(node->text, count, (const char *const *)words);
	if (near != NULL)
		hy_yaml_fault_node(document, node, "'%.64s': did you mean '%s'?", node->text, near);
	else
		hy_yaml_fault_node(document, node, "'%.64s' is none of %s", node->text, field->words);
}

static void check_number(hy_yaml *document, hy_yaml_node *node, const hy_yaml_field *field)
{
	const hy_yaml__type *type = hy_yaml__type_of(field->type);
	if (!hy_yaml__type_parse(type, node->text, &node->number) ||
	    (field->type == HY_YAML_COUNT && node->number != floor(node->number)))
		hy_yaml_fault_node(document, node, "'%.64s' is no %s", node->text, type->form);
	else if (node->number < field->least || (field->most > 0 && node->number > field->most))
		hy_yaml_fault_node(document, node, "'%.64s' is out of range: from %g to %g%s", node->text, field->least,
		                   field->most > 0 ? field->most : INFINITY, type->unit);
}

static bool expect_kind(hy_yaml *document, hy_yaml_node *node, hy_yaml_kind kind)
{
	static const char *const words[] = {
		[HY_YAML_IS_SCALAR] = "a single value belongs here",
		[HY_YAML_IS_MAP] = "'key: value' pairs belong here",
		[HY_YAML_IS_LIST] = "a list belongs here: [a, b] or '- a' lines",
	};
	if (node->kind == kind) return true;
	hy_yaml_fault_node(document, node, "%s", words[kind]);
	return false;
}

static void check_value(hy_yaml *document, hy_yaml_node *node, const hy_yaml_field *field)
{
	static const hy_yaml_kind kinds[] = {
		[HY_YAML_MAP] = HY_YAML_IS_MAP, [HY_YAML_TABLE] = HY_YAML_IS_MAP, [HY_YAML_LIST] = HY_YAML_IS_LIST};
	if (node->bad) return;
	if (!expect_kind(document, node, field->type < HY_YAML_MAP ? HY_YAML_IS_SCALAR : kinds[field->type])) return;
	switch (field->type) {
	case HY_YAML_MAP:
		check_map(document, node, field);
		return;
	case HY_YAML_TABLE:
		check_table(document, node, field);
		return;
	case HY_YAML_LIST:
		check_list(document, node, field);
		return;
	case HY_YAML_WORD:
		check_word(document, node, field);
		return;
	case HY_YAML_TEXT:
		if (!fits(node->text, field))
			hy_yaml_fault_node(document, node, "'%.64s' is no %s", node->text, field->form);
		return;
	case HY_YAML_COUNT:
	case HY_YAML_NUMBER:
	case HY_YAML_AMOUNT:
	case HY_YAML_RATE:
	case HY_YAML_OPS:
	case HY_YAML_TIME:
		check_number(document, node, field);
		return;
	}
}

void hy_yaml_check(hy_yaml *document, const hy_yaml_field *table)
{
	if (document->root != NULL) check_value(document, document->root, table);
}

hy_yaml_node *hy_yaml_get(const hy_yaml_node *map, const char *key)
{
	if (map == NULL || map->kind != HY_YAML_IS_MAP) return NULL;
	for (hy_yaml_node *child = map->first; child != NULL; child = child->next)
		if (strcmp(child->key, key) == 0) return child->bad ? NULL : child;
	return NULL;
}

bool hy_yaml_is_bad(const hy_yaml_node *map, const char *key)
{
	for (const hy_yaml_node *child = map->first; child != NULL; child = child->next)
		if (strcmp(child->key, key) == 0) return child->bad;
	return false;
}

const char *hy_yaml_text(const hy_yaml_node *map, const char *key, const char *fallback)
{
	const hy_yaml_node *node = hy_yaml_get(map, key);
	return node != NULL && node->text != NULL ? node->text : fallback;
}

double hy_yaml_number(const hy_yaml_node *map, const char *key, double fallback)
{
	const hy_yaml_node *node = hy_yaml_get(map, key);
	return node != NULL ? node->number : fallback;
}
