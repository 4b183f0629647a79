/* Judges JSON by the schemas of this project: only the words that they use. */
#ifndef HY_TEST_SCHEMA_H
#define HY_TEST_SCHEMA_H

#include "test.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What is wrong stands in fault, with the way to it. */
static bool judge(const json_t *schema, const json_t *value, const char *way, char *fault, size_t length);

static bool is_type(const char *type, const json_t *value)
{
	if (strcmp(type, "number") == 0) return json_is_number(value);
	if (strcmp(type, "integer") == 0) return json_is_integer(value);
	if (strcmp(type, "string") == 0) return json_is_string(value);
	if (strcmp(type, "boolean") == 0) return json_is_boolean(value);
	if (strcmp(type, "null") == 0) return json_is_null(value);
	if (strcmp(type, "object") == 0) return json_is_object(value);
	return strcmp(type, "array") == 0 && json_is_array(value);
}

static bool is_one_of(const json_t *list, const json_t *value)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) if (json_equal(item, value)) return true;
	return false;
}

static bool has_type(const json_t *types, const json_t *value)
{
	size_t i;
	json_t *type;
	if (types == NULL) return true;
	if (json_is_string(types)) return is_type(json_string_value(types), value);
	json_array_foreach(types, i, type) if (is_type(json_string_value(type), value)) return true;
	return false;
}

static bool judge_object(const json_t *schema, const json_t *value, const char *way, char *fault, size_t length)
{
	json_t *const properties = json_object_get(schema, "properties");
	const json_t *const others = json_object_get(schema, "additionalProperties");
	const char *key;
	json_t *item;
	size_t i;
	json_array_foreach(json_object_get(schema, "required"), i, item)
	{
		if (json_object_get(value, json_string_value(item)) != NULL) continue;
		snprintf(fault, length, "%s: no %s", way, json_string_value(item));
		return false;
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		char deeper[256];
		snprintf(deeper, sizeof(deeper), "%.200s.%.40s", way, key);
		const json_t *const known = json_object_get(properties, key);
		const json_t *const rule = known != NULL ? known : others;
		if (!json_is_object(rule)) {
			snprintf(fault, length, "%s: not in the schema", deeper);
			return false;
		}
		if (!judge(rule, item, deeper, fault, length)) return false;
	}
	return true;
}

static bool judge(const json_t *schema, const json_t *value, const char *way, char *fault, size_t length)
{
	const json_t *const only = json_object_get(schema, "const"), *const words = json_object_get(schema, "enum");
	const json_t *const least = json_object_get(schema, "minimum");
	snprintf(fault, length, "%s: has the wrong type or value", way);
	if (!has_type(json_object_get(schema, "type"), value)) return false;
	if (only != NULL && !json_equal(only, value)) return false;
	if (words != NULL && !is_one_of(words, value)) return false;
	if (least != NULL && json_is_number(value) && json_number_value(value) < json_number_value(least)) return false;
	if (json_is_object(value)) return judge_object(schema, value, way, fault, length);
	size_t i;
	json_t *item;
	json_array_foreach(value, i, item)
	{
		if (!judge(json_object_get(schema, "items"), item, way, fault, length)) return false;
	}
	return true;
}

/* Fails the case when value does not fit ROOM/schema/halyard.NAME.v1.json. */
static void fits(const json_t *value, const char *room, const char *name)
{
	char path[512], fault[512] = "";
	json_error_t error;
	snprintf(path, sizeof(path), "%s/%s/schema/halyard.%s.v1.json", HY_SOURCE_DIR, room, name);
	json_t *const schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (schema == NULL) fail_msg("%s:%d: %s", path, error.line, error.text);
	if (!judge(schema, value, name, fault, sizeof(fault))) fail_msg("%s", fault);
	json_decref(schema);
}

#endif
