/* Manifests: libyaml events checked against one table of keys; every fault is reported with its line and column. */
#include "manifest.h"

#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_LIMIT 16u

typedef enum kind { KIND_TEXT, KIND_NUMBER, KIND_LIST } kind;

typedef struct entry {
	const char *name;
	kind kind;
	bool required;
	size_t offset;
} entry;

#define KEY(name, kind, required)                                       \
	{                                                               \
#name, kind, required, offsetof(hy_hal__manifest, name) \
	}
static const entry keys[] = {
	KEY(name, KIND_TEXT, true),       KEY(library, KIND_TEXT, true),     KEY(abi, KIND_NUMBER, true),
	KEY(vendor, KIND_TEXT, false),    KEY(requires, KIND_LIST, false),   KEY(devices, KIND_LIST, false),
	KEY(isolation, KIND_TEXT, false), KEY(priority, KIND_NUMBER, false),
};
#undef KEY
enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

typedef struct reader {
	const char *path;
	hy_hal__manifest *manifest;
	yaml_parser_t parser;
	yaml_event_t event;
	FILE *errors; /* memory stream */
	uint32_t error_count;
	yaml_mark_t seen[KEY_COUNT]; /* where each key's value began; line 0 column 0 index 0: not seen */
	bool is_seen[KEY_COUNT];
	bool broken; /* the parser cannot go on */
} reader;

static void fault(reader *r, yaml_mark_t mark, const char *format, ...) HY_PRINTF(3, 4);
static void fault(reader *r, yaml_mark_t mark, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(r->errors, "%s%s:%zu:%zu: %s", r->error_count++ > 0 ? "; " : "", r->path, mark.line + 1,
	        mark.column + 1, text);
}

static yaml_event_type_t next(reader *r)
{
	yaml_event_delete(&r->event);
	if (r->broken || !yaml_parser_parse(&r->parser, &r->event)) {
		if (!r->broken)
			fault(r, r->parser.problem_mark, "%s",
			      r->parser.problem != NULL ? r->parser.problem : "not YAML");
		r->broken = true;
		r->event.type = YAML_NO_EVENT;
	}
	return r->event.type;
}

/* Skips the value whose first event is the current one. */
static void skip(reader *r)
{
	uint32_t depth = 0;
	do {
		switch (r->event.type) {
		case YAML_MAPPING_START_EVENT:
		case YAML_SEQUENCE_START_EVENT:
			depth++;
			break;
		case YAML_MAPPING_END_EVENT:
		case YAML_SEQUENCE_END_EVENT:
			depth--;
			break;
		default:
			break;
		}
		if (depth > DEPTH_LIMIT) {
			fault(r, r->event.start_mark, "nested deeper than %u levels", DEPTH_LIMIT);
			r->broken = true;
			return;
		}
	} while (depth > 0 && next(r) != YAML_NO_EVENT);
}

/* The current scalar as a new string, or NULL after a fault. */
static char *scalar(reader *r, const char *where)
{
	const yaml_mark_t mark = r->event.start_mark;
	if (r->event.type == YAML_ALIAS_EVENT) {
		fault(r, mark, "%s: aliases are not allowed here: write the value out", where);
		return NULL;
	}
	if (r->event.type != YAML_SCALAR_EVENT) {
		fault(r, mark, "%s: a single value belongs here", where);
		skip(r);
		return NULL;
	}
	const char *text = (const char *)r->event.data.scalar.value;
	if (text[0] == '\0') {
		fault(r, mark, "%s: empty", where);
		return NULL;
	}
	if (strlen(text) != r->event.data.scalar.length || strpbrk(text, "\n\r") != NULL) {
		fault(r, mark, "%s: must be one line of text", where);
		return NULL;
	}
	char *copy = strdup(text);
	if (copy == NULL) fault(r, mark, "host memory exhausted");
	return copy;
}

static void read_number(reader *r, const entry *key)
{
	const yaml_mark_t mark = r->event.start_mark;
	char *text = scalar(r, key->name);
	if (text == NULL) return;
	char *end = NULL;
	errno = 0;
	const long long value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < INT32_MIN || value > INT32_MAX)
		fault(r, mark, "%s: '%.40s' is not a whole number", key->name, text);
	else
		*(int64_t *)(void *)((char *)r->manifest + key->offset) = value;
	free(text);
}

static void read_list(reader *r, const entry *key)
{
	hy_hal__manifest_list *list = (hy_hal__manifest_list *)(void *)((char *)r->manifest + key->offset);
	if (r->event.type != YAML_SEQUENCE_START_EVENT) {
		fault(r, r->event.start_mark, "%s: a list belongs here: [a, b]", key->name);
		skip(r);
		return;
	}
	while (next(r) != YAML_SEQUENCE_END_EVENT && !r->broken) {
		const yaml_mark_t mark = r->event.start_mark;
		char *text = scalar(r, key->name);
		if (text == NULL) continue;
		if (list->count == HY_HAL__MANIFEST_ITEMS) {
			fault(r, mark, "%s: more than %u items", key->name, HY_HAL__MANIFEST_ITEMS);
			free(text);
			return;
		}
		list->items[list->count++] = text;
	}
}

static void read_value(reader *r, size_t index)
{
	const entry *key = &keys[index];
	r->is_seen[index] = true;
	r->seen[index] = r->event.start_mark;
	switch (key->kind) {
	case KIND_TEXT:
		*(char **)(void *)((char *)r->manifest + key->offset) = scalar(r, key->name);
		return;
	case KIND_NUMBER:
		read_number(r, key);
		return;
	case KIND_LIST:
		read_list(r, key);
		return;
	}
}

static void read_entry(reader *r)
{
	const yaml_mark_t mark = r->event.start_mark;
	char *name = scalar(r, "key");
	size_t index = KEY_COUNT;
	for (size_t i = 0; i < KEY_COUNT && name != NULL; i++)
		if (strcmp(keys[i].name, name) == 0) index = i;
	if (name != NULL && index == KEY_COUNT) {
		const char *names[KEY_COUNT];
		for (size_t i = 0; i < KEY_COUNT; i++)
			names[i] = keys[i].name;
		const char *near = hy_hal__text_nearest(name, names, KEY_COUNT);
		if (near != NULL)
			fault(r, mark, "unknown key '%.40s': did you mean '%s'?", name, near);
		else
			fault(r, mark, "unknown key '%.40s'", name);
	} else if (name != NULL && r->is_seen[index]) {
		fault(r, mark, "key '%s' appears twice (first in line %zu)", name, r->seen[index].line + 1);
		index = KEY_COUNT;
	}
	free(name);
	if (next(r) == YAML_NO_EVENT) return;
	if (index == KEY_COUNT)
		skip(r);
	else
		read_value(r, index);
}

static void read_document(reader *r)
{
	const yaml_mark_t start = {0};
	if (next(r) == YAML_STREAM_START_EVENT) next(r);
	if (r->broken) return;
	if (r->event.type != YAML_DOCUMENT_START_EVENT) {
		fault(r, start, "empty file: a manifest has at least name, library and abi");
		r->broken = true;
		return;
	}
	if (next(r) != YAML_MAPPING_START_EVENT) {
		if (!r->broken) fault(r, r->event.start_mark, "a manifest is a list of 'key: value' lines");
		r->broken = true;
		return;
	}
	while (next(r) != YAML_MAPPING_END_EVENT && !r->broken)
		read_entry(r);
	if (!r->broken) next(r);
	if (!r->broken && next(r) == YAML_DOCUMENT_START_EVENT)
		fault(r, r->event.start_mark, "a second document: one manifest per file");
}

static bool is_pattern(const char *text)
{
	uint32_t colons = 0;
	if (strncmp(text, "pci:", 4) != 0) return false;
	for (const char *c = text + 4; *c != '\0'; c++) {
		if (*c == ':')
			colons++;
		else if (strchr("0123456789abcdef*?", *c) == NULL)
			return false;
	}
	return colons == 2;
}

static yaml_mark_t mark_of(const reader *r, const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, name) == 0) return r->seen[i];
	return (yaml_mark_t){0};
}

/* What the table of keys can't say. */
static void check_meaning(reader *r)
{
	const hy_hal__manifest *m = r->manifest;
	for (size_t i = 0; i < KEY_COUNT && !r->broken; i++)
		if (keys[i].required && !r->is_seen[i]) fault(r, (yaml_mark_t){0}, "key '%s' is missing", keys[i].name);
	const char *slash = strrchr(r->path, '/');
	const char *file = slash != NULL ? slash + 1 : r->path;
	if (m->name != NULL &&
	    (strncmp(file, m->name, strlen(m->name)) != 0 || strcmp(file + strlen(m->name), ".yaml") != 0))
		fault(r, mark_of(r, "name"), "name is '%.40s' but the file is '%.60s': rename one", m->name, file);
	if (m->abi != 1) fault(r, mark_of(r, "abi"), "abi %" PRId64 " is not known here: this host has abi 1", m->abi);
	if (m->isolation != NULL && strcmp(m->isolation, "in-process") != 0 && strcmp(m->isolation, "worker") != 0)
		fault(r, mark_of(r, "isolation"), "isolation is '%.40s': use in-process or worker", m->isolation);
	for (uint32_t i = 0; i < m->devices.count; i++)
		if (!is_pattern(m->devices.items[i]))
			fault(r, mark_of(r, "devices"),
			      "'%.60s': write pci:VENDOR:DEVICE:CLASS with lower-case hex or *", m->devices.items[i]);
}

static void check_tabs(reader *r, const char *text, size_t length)
{
	yaml_mark_t mark = {0};
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\t') {
			fault(r, mark, "a tab: YAML is indented with spaces");
			r->broken = true;
			return;
		}
		mark.column++;
		if (text[i] == '\n') mark = (yaml_mark_t){.line = mark.line + 1};
	}
}

static char *absolute_library(const char *path, const char *library)
{
	if (library[0] == '/') return strdup(library);
	char *copy = strdup(path);
	char *joined = copy == NULL ? NULL : hy_hal__text_format("%s/%s", dirname(copy), library);
	char *real = joined == NULL ? NULL : realpath(joined, NULL);
	free(copy);
	if (real == NULL) return joined; /* opening it says what is wrong */
	free(joined);
	return real;
}

/* The file's bytes and a NUL, or NULL with errno; EFBIG above the size limit. */
static char *slurp(const char *path, size_t *out_length)
{
	FILE *file = fopen(path, "re");
	if (file == NULL) return NULL;
	char *text = malloc(HY_HAL__MANIFEST_BYTES + 1);
	const size_t length = text == NULL ? 0 : fread(text, 1, HY_HAL__MANIFEST_BYTES + 1, file);
	const int failure = text == NULL ? ENOMEM : ferror(file) ? errno : length > HY_HAL__MANIFEST_BYTES ? EFBIG : 0;
	fclose(file);
	if (failure != 0) {
		free(text);
		errno = failure;
		return NULL;
	}
	text[length] = '\0';
	*out_length = length;
	return text;
}

hy_status hy_hal__manifest_parse(const char *path, const char *text, size_t length, hy_hal__manifest *out_manifest)
{
	hy_hal__manifest *m = out_manifest;
	*m = (hy_hal__manifest){.abi = 1};
	size_t errors_length = 0;
	reader r = {.path = path, .manifest = m};
	r.errors = open_memstream(&m->errors, &errors_length);
	if (r.errors == NULL) return HY_NO_MEMORY;
	if (!yaml_parser_initialize(&r.parser)) {
		fclose(r.errors);
		return HY_NO_MEMORY;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
	check_tabs(&r, text, length);
	if (!r.broken) read_document(&r);
	check_meaning(&r);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (fclose(r.errors) != 0) return HY_NO_MEMORY;
	if (r.error_count > 0) return HY_INVALID;
	free(m->errors);
	m->errors = NULL;
	char *library = absolute_library(path, m->library);
	free(m->library);
	m->library = library;
	return library == NULL ? HY_NO_MEMORY : HY_OK;
}

hy_status hy_hal__manifest_read(const char *path, hy_hal__manifest *out_manifest)
{
	size_t length = 0;
	char *text = slurp(path, &length);
	if (text == NULL) {
		const int failure = errno;
		*out_manifest = (hy_hal__manifest){0};
		out_manifest->errors = failure == EFBIG ? hy_hal__text_format("%s:1:1: larger than %u bytes", path,
		                                                              HY_HAL__MANIFEST_BYTES)
		                                        : hy_hal__text_format("%s: %s", path, strerror(failure));
		return failure == ENOENT ? HY_NOT_FOUND : HY_INVALID;
	}
	const hy_status status = hy_hal__manifest_parse(path, text, length, out_manifest);
	free(text);
	return status;
}

static void list_finish(hy_hal__manifest_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		free(list->items[i]);
}

void hy_hal__manifest_finish(hy_hal__manifest *manifest)
{
	free(manifest->name);
	free(manifest->library);
	free(manifest->vendor);
	free(manifest->isolation);
	free(manifest->errors);
	list_finish(&manifest->requires);
	list_finish(&manifest->devices);
	*manifest = (hy_hal__manifest){0};
}
