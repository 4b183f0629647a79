/* A table as a JSON Schema: what editors check while one types. */
#include <halyard/yaml.h>

#include "type.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *schema_of(const hy_yaml_field *field);

static json_t *anchored(const char *pattern)
{
	return json_sprintf("^(%s)$", pattern);
}

static void put(json_t *object, const char *key, json_t *take_value)
{
	json_object_set_new(object, key, take_value);
}

static void put_map(json_t *object, const hy_yaml_field *map)
{
	json_t *const properties = json_object(), *const required = json_array();
	for (uint32_t i = 0; i < map->field_count; i++) {
		put(properties, map->fields[i].key, schema_of(&map->fields[i]));
		if (map->fields[i].required) json_array_append_new(required, json_string(map->fields[i].key));
	}
	put(object, "type", json_string("object"));
	put(object, "properties", properties);
	put(object, "required", required);
	put(object, "additionalProperties", json_false());
}

static void put_table(json_t *object, const hy_yaml_field *field)
{
	put(object, "type", json_string("object"));
	if (field->pattern != NULL)
		put(object, "propertyNames", json_pack("{so}", "pattern", anchored(field->pattern)));
	put(object, "additionalProperties", schema_of(field->item));
	put(object, "minProperties", json_integer((json_int_t)field->least));
	if (field->most > 0) put(object, "maxProperties", json_integer((json_int_t)field->most));
}

static void put_list(json_t *object, const hy_yaml_field *field)
{
	put(object, "type", json_string("array"));
	put(object, "items", schema_of(field->item));
	put(object, "minItems", json_integer((json_int_t)field->least));
	if (field->most > 0) put(object, "maxItems", json_integer((json_int_t)field->most));
}

static void put_words(json_t *object, const char *words)
{
	char copy[256], *rest = copy;
	json_t *const list = json_array();
	snprintf(copy, sizeof(copy), "%s", words);
	while (rest != NULL)
		json_array_append_new(list, json_string(strsep(&rest, "|")));
	put(object, "enum", list);
}

/* Digits and the units of the type; a bare number where there is the unit "". */
static void put_number(json_t *object, const hy_yaml_field *field)
{
	const hy_yaml__type *const type = hy_yaml__type_of(field->type);
	const bool is_count = field->type == HY_YAML_COUNT;
	char pattern[512];
	size_t used = (size_t)snprintf(pattern, sizeof(pattern), "^[0-9]+%s(",
	                               is_count ? "" : "([.][0-9]+)?(e[0-9]+)?");
	for (uint32_t i = 0; i < type->unit_count && used < sizeof(pattern); i++)
		used += (size_t)snprintf(pattern + used, sizeof(pattern) - used, "%s%s", i > 0 ? "|" : "",
		                         type->units[i].name);
	if (used < sizeof(pattern)) snprintf(pattern + used, sizeof(pattern) - used, ")$");
	put(object, "pattern", json_string(pattern));
	if (type->units[0].name[0] != '\0') {
		put(object, "type", json_string("string"));
		return;
	}
	put(object, "type", json_pack("[ss]", is_count ? "integer" : "number", "string"));
	put(object, "minimum", is_count ? json_integer((json_int_t)field->least) : json_real(field->least));
	if (field->most > 0)
		put(object, "maximum", is_count ? json_integer((json_int_t)field->most) : json_real(field->most));
}

static json_t *schema_of(const hy_yaml_field *field)
{
	json_t *const object = json_object();
	if (field->help != NULL) put(object, "description", json_string(field->help));
	switch (field->type) {
	case HY_YAML_MAP:
		put_map(object, field);
		break;
	case HY_YAML_TABLE:
		put_table(object, field);
		break;
	case HY_YAML_LIST:
		put_list(object, field);
		break;
	case HY_YAML_WORD:
		put_words(object, field->words);
		break;
	case HY_YAML_TEXT:
		put(object, "type", json_string("string"));
		if (field->pattern != NULL) put(object, "pattern", anchored(field->pattern));
		break;
	case HY_YAML_COUNT:
	case HY_YAML_NUMBER:
	case HY_YAML_AMOUNT:
	case HY_YAML_RATE:
	case HY_YAML_OPS:
	case HY_YAML_TIME:
		put_number(object, field);
		break;
	}
	return object;
}

char *hy_yaml_schema_print(const hy_yaml_field *table, const char *title)
{
	json_t *const schema = schema_of(table);
	put(schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	put(schema, "title", json_string(title));
	char *const text = json_dumps(schema, JSON_INDENT(2) | JSON_SORT_KEYS);
	json_decref(schema);
	return text;
}
