/* Manifests: a table of what may stand in them (<halyard/yaml.h>), and what a table can't say. Every fault is reported
 * with its line and column. */
#include "manifest.h"

#include "text.h"

#include <halyard/yaml.h>

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const hy_yaml_field library_item = {.type = HY_YAML_TEXT};
static const hy_yaml_field device_item = {
	.type = HY_YAML_TEXT,
	.pattern = "pci:[0-9a-f*?]+:[0-9a-f*?]+:[0-9a-f*?]+",
	.form = "PCI pattern: write pci:VENDOR:DEVICE:CLASS with lower-case hex or *",
};

static const hy_yaml_field keys[] = {
	{.key = "name", .type = HY_YAML_TEXT, .required = true},
	{.key = "library", .type = HY_YAML_TEXT, .required = true},
	{.key = "abi", .type = HY_YAML_COUNT, .required = true, .most = INT32_MAX},
	{.key = "vendor", .type = HY_YAML_TEXT},
	{.key = "requires", .type = HY_YAML_LIST, .item = &library_item, .most = HY_HAL__MANIFEST_ITEMS},
	{.key = "devices", .type = HY_YAML_LIST, .item = &device_item, .most = HY_HAL__MANIFEST_ITEMS},
	{.key = "isolation", .type = HY_YAML_WORD, .words = "in-process|worker"},
	{.key = "priority",
         .type = HY_YAML_TEXT,
         .pattern = "-?[0-9]{1,9}",
         .form = "whole number: write 10, or -10 for a plugin that is used only when named"},
};
static const hy_yaml_field table = {.type = HY_YAML_MAP, .field_count = sizeof(keys) / sizeof(keys[0]), .fields = keys};

/* What the table can't say. */
static void check_meaning(hy_yaml *document)
{
	hy_yaml_node *name = hy_yaml_get(document->root, "name"), *abi = hy_yaml_get(document->root, "abi");
	const char *slash = strrchr(document->name, '/');
	const char *file = slash != NULL ? slash + 1 : document->name;
	if (name != NULL &&
	    (strncmp(file, name->text, strlen(name->text)) != 0 || strcmp(file + strlen(name->text), ".yaml") != 0))
		hy_yaml_fault_node(document, name, "name is '%.40s' but the file is '%.60s': rename one", name->text,
		                   file);
	if (abi != NULL && abi->number != 1)
		hy_yaml_fault_node(document, abi, "abi %.0f is not known here: this host has abi 1", abi->number);
}

/* A copy of the text of a key; NULL when there is none, or without memory, which *no_memory tells. */
static char *take_text(const hy_yaml_node *root, const char *key, bool *no_memory)
{
	const char *text = hy_yaml_text(root, key, NULL);
	char *copy = text == NULL ? NULL : strdup(text);
	*no_memory |= text != NULL && copy == NULL;
	return copy;
}

static void take_list(const hy_yaml_node *root, const char *key, hy_hal__manifest_list *list, bool *no_memory)
{
	const hy_yaml_node *node = hy_yaml_get(root, key);
	for (const hy_yaml_node *item = node == NULL ? NULL : node->first; item != NULL; item = item->next) {
		char *copy = strdup(item->text);
		*no_memory |= copy == NULL;
		if (copy != NULL) list->items[list->count++] = copy;
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

/* Every fault in order, joined by "; ". */
static char *faults_of(const hy_yaml *document)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	if (stream == NULL) return NULL;
	for (uint32_t i = 0; i < document->fault_count; i++)
		fprintf(stream, "%s%s:%u:%u: %s", i > 0 ? "; " : "", document->name, document->faults[i].line,
		        document->faults[i].column, document->faults[i].text);
	return fclose(stream) == 0 ? text : NULL;
}

static hy_status take(hy_yaml *document, hy_hal__manifest *m)
{
	const hy_yaml_node *root = document->root;
	bool no_memory = false;
	*m = (hy_hal__manifest){.abi = 1};
	hy_yaml_check(document, &table);
	check_meaning(document);
	const hy_status status = hy_yaml_result(document, NULL);
	if (status == HY_INVALID) m->errors = faults_of(document);
	if (status != HY_OK) return status == HY_INVALID && m->errors == NULL ? HY_NO_MEMORY : status;
	const char *library = hy_yaml_text(root, "library", "");
	m->name = take_text(root, "name", &no_memory);
	m->library = absolute_library(document->name, library);
	m->vendor = take_text(root, "vendor", &no_memory);
	m->isolation = take_text(root, "isolation", &no_memory);
	m->priority = strtoll(hy_yaml_text(root, "priority", "0"), NULL, 10);
	take_list(root, "requires", &m->requires, &no_memory);
	take_list(root, "devices", &m->devices, &no_memory);
	return no_memory || m->library == NULL ? HY_NO_MEMORY : HY_OK;
}

hy_status hy_hal__manifest_parse(const char *path, const char *text, size_t length, hy_hal__manifest *out_manifest)
{
	hy_yaml document;
	hy_yaml_read(path, text, length, &document);
	const hy_status status = take(&document, out_manifest);
	hy_yaml_finish(&document);
	return status;
}

hy_status hy_hal__manifest_read(const char *path, hy_hal__manifest *out_manifest)
{
	hy_yaml document;
	const hy_status found = hy_yaml_load(path, &document);
	const hy_status status = take(&document, out_manifest);
	hy_yaml_finish(&document);
	return found == HY_NOT_FOUND ? HY_NOT_FOUND : status;
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
