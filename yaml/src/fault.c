/* Faults: kept with their places, told in order. */
#include <halyard/yaml.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(hy_yaml *document, uint32_t line, uint32_t column, const char *format, va_list args)
{
	if (document->fault_count > HY_YAML_FAULTS) return;
	hy_yaml_fault *fault = &document->faults[document->fault_count];
	const bool last = document->fault_count == HY_YAML_FAULTS;
	*fault = (hy_yaml_fault){.line = line, .column = column};
	if (last) {
		fault->text = strdup("there is more: these are enough for one look");
	} else if (vasprintf(&fault->text, format, args) < 0) {
		fault->text = NULL;
	}
	if (fault->text == NULL)
		document->no_memory = true;
	else
		document->fault_count++;
}

void hy_yaml_fault_at(hy_yaml *document, uint32_t line, uint32_t column, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(document, line, column, format, args);
	va_end(args);
}

void hy_yaml_fault_node(hy_yaml *document, hy_yaml_node *node, const char *format, ...)
{
	va_list args;
	node->bad = true;
	va_start(args, format);
	add(document, node->line, node->column, format, args);
	va_end(args);
}

void hy_yaml_fault_key(hy_yaml *document, hy_yaml_node *node, const char *format, ...)
{
	va_list args;
	node->bad = true;
	va_start(args, format);
	add(document, node->key_line, node->key_column, format, args);
	va_end(args);
}

static int by_place(const void *a, const void *b)
{
	const hy_yaml_fault *x = a, *y = b;
	if (x->line != y->line) return x->line < y->line ? -1 : 1;
	if (x->column != y->column) return x->column < y->column ? -1 : 1;
	return strcmp(x->text, y->text);
}

hy_status hy_yaml_result(hy_yaml *document, hy_error *error)
{
	char line[HY_ERROR_TEXT_BYTES] = "";
	size_t used = 0;
	if (document->no_memory) return hy_error_set(error, HY_NO_MEMORY, "%s: no memory to read it", document->name);
	if (document->fault_count == 0) return HY_OK;
	const uint32_t sorted = document->fault_count > HY_YAML_FAULTS ? HY_YAML_FAULTS : document->fault_count;
	qsort(document->faults, sorted, sizeof(document->faults[0]), by_place);
	for (uint32_t i = 0; i < document->fault_count && used < sizeof(line); i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s:%u:%u: %s", i > 0 ? "; " : "",
		                         document->name, document->faults[i].line, document->faults[i].column,
		                         document->faults[i].text);
	return hy_error_set(error, HY_INVALID, "%s", line);
}
