/* A table as a JSON Schema: what editors check while one types. */
#include <halyard/yaml.h>

#include "type.h"

#include <stdio.h>
#include <string.h>

typedef struct writer {
	FILE *out;
	int depth;
	bool first; /* in the open object or list */
} writer;

static void put_schema(writer *w, const hy_yaml_field *field);

static void put_text(writer *w, const char *text)
{
	fputc('"', w->out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\') fputc('\\', w->out);
		fputc(*text, w->out);
	}
	fputc('"', w->out);
}

/* What stands before the next value: a comma, a new line, a key or NULL. */
static void put_next(writer *w, const char *key)
{
	fprintf(w->out, w->first ? "\n%*s" : ",\n%*s", 2 * w->depth, "");
	w->first = false;
	if (key == NULL) return;
	put_text(w, key);
	fputs(": ", w->out);
}

static void open(writer *w, char bracket)
{
	fputc(bracket, w->out);
	w->depth++;
	w->first = true;
}

static void close(writer *w, char bracket)
{
	w->depth--;
	if (!w->first) fprintf(w->out, "\n%*s", 2 * w->depth, "");
	fputc(bracket, w->out);
	w->first = false;
}

static void put_string(writer *w, const char *key, const char *text)
{
	put_next(w, key);
	put_text(w, text);
}

static void put_value(writer *w, const char *key, double value)
{
	put_next(w, key);
	fprintf(w->out, "%.17g", value);
}

static void put_pattern(writer *w, const char *pattern)
{
	char anchored[512];
	snprintf(anchored, sizeof(anchored), "^(%s)$", pattern);
	put_string(w, "pattern", anchored);
}

static void put_words(writer *w, const char *key, const char *words)
{
	char copy[256], *rest = copy;
	snprintf(copy, sizeof(copy), "%s", words);
	put_next(w, key);
	open(w, '[');
	while (rest != NULL)
		put_string(w, NULL, strsep(&rest, "|"));
	close(w, ']');
}

static void put_map(writer *w, const hy_yaml_field *map)
{
	bool any = false;
	put_string(w, "type", "object");
	put_next(w, "properties");
	open(w, '{');
	for (uint32_t i = 0; i < map->field_count; i++) {
		any |= map->fields[i].required;
		put_next(w, map->fields[i].key);
		put_schema(w, &map->fields[i]);
	}
	close(w, '}');
	if (any) {
		put_next(w, "required");
		open(w, '[');
		for (uint32_t i = 0; i < map->field_count; i++)
			if (map->fields[i].required) put_string(w, NULL, map->fields[i].key);
		close(w, ']');
	}
	put_next(w, "additionalProperties");
	fputs("false", w->out);
}

static void put_counts(writer *w, const hy_yaml_field *field, const char *least, const char *most)
{
	if (field->least > 0) put_value(w, least, field->least);
	if (field->most > 0) put_value(w, most, field->most);
}

static void put_table(writer *w, const hy_yaml_field *field)
{
	put_string(w, "type", "object");
	put_counts(w, field, "minProperties", "maxProperties");
	if (field->pattern != NULL) {
		put_next(w, "propertyNames");
		open(w, '{');
		put_pattern(w, field->pattern);
		close(w, '}');
	}
	put_next(w, "additionalProperties");
	put_schema(w, field->item);
}

static void put_list(writer *w, const hy_yaml_field *field)
{
	put_string(w, "type", "array");
	put_counts(w, field, "minItems", "maxItems");
	put_next(w, "items");
	put_schema(w, field->item);
}

/* Digits and the units of the type; a bare number where there is the unit "". */
static void put_number(writer *w, const hy_yaml_field *field)
{
	const hy_yaml__type *type = hy_yaml__type_of(field->type);
	const bool is_count = field->type == HY_YAML_COUNT;
	char pattern[512];
	size_t used = (size_t)snprintf(pattern, sizeof(pattern), "^[0-9]+%s(",
	                               is_count ? "" : "([.][0-9]+)?(e[0-9]+)?");
	if (type->units[0].name[0] == '\0') {
		put_words(w, "type", is_count ? "integer|string" : "number|string");
		put_counts(w, field, "minimum", "maximum");
	} else {
		put_string(w, "type", "string");
	}
	for (uint32_t i = 0; i < type->unit_count && used < sizeof(pattern); i++)
		used += (size_t)snprintf(pattern + used, sizeof(pattern) - used, "%s%s", i > 0 ? "|" : "",
		                         type->units[i].name);
	if (used < sizeof(pattern)) snprintf(pattern + used, sizeof(pattern) - used, ")$");
	put_string(w, "pattern", pattern);
}

static void put_kind(writer *w, const hy_yaml_field *field)
{
	switch (field->type) {
	case HY_YAML_MAP:
		put_map(w, field);
		return;
	case HY_YAML_TABLE:
		put_table(w, field);
		return;
	case HY_YAML_LIST:
		put_list(w, field);
		return;
	case HY_YAML_WORD:
		put_words(w, "enum", field->words);
		return;
	case HY_YAML_TEXT:
		put_string(w, "type", "string");
		if (field->pattern != NULL) put_pattern(w, field->pattern);
		return;
	case HY_YAML_COUNT:
	case HY_YAML_NUMBER:
	case HY_YAML_AMOUNT:
	case HY_YAML_RATE:
	case HY_YAML_OPS:
	case HY_YAML_TIME:
		put_number(w, field);
		return;
	}
}

static void put_schema(writer *w, const hy_yaml_field *field)
{
	open(w, '{');
	if (field->help != NULL) put_string(w, "description", field->help);
	put_kind(w, field);
	close(w, '}');
}

char *hy_yaml_schema_print(const hy_yaml_field *table, const char *title)
{
	char *text = NULL;
	size_t length;
	writer w = {.out = open_memstream(&text, &length)};
	if (w.out == NULL) return NULL;
	open(&w, '{');
	put_string(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	put_string(&w, "title", title);
	if (table->help != NULL) put_string(&w, "description", table->help);
	put_kind(&w, table);
	close(&w, '}');
	return fclose(w.out) == 0 ? text : NULL;
}
