/* halyard config: what is wrong with descriptions of clusters, and what may stand in them. */
#include "cmd.h"
#include "print.h"
#include "report.h"

#include <halyard/halyard.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one file is, or what is wrong with it. */
typedef struct checked {
	const char *path;
	hy_status status;
	hy_error error;
	hy_sched_cluster *cluster;
	hy_sched_faults faults;
} checked;

static void check_finish(checked *file)
{
	hy_sched_cluster_destroy(file->cluster);
	hy_sched_faults_finish(&file->faults);
}

/* Texts quote what was read, cut anywhere: what is no UTF-8 becomes question marks. */
static json_t *text_of(const char *text)
{
	json_t *const whole = json_string(text);
	if (whole != NULL) return whole;
	char *const plain = strdup(text);
	for (char *at = plain; at != NULL && *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80) *at = '?';
	json_t *const made = json_string(plain != NULL ? plain : "");
	free(plain);
	return made;
}

static json_t *json_of(const checked *file)
{
	json_t *const object = json_pack("{so sb}", "file", text_of(file->path), "valid", file->status == HY_OK);
	json_t *const faults = json_array();
	for (uint32_t i = 0; i < file->faults.count; i++) {
		const hy_sched_fault *const fault = &file->faults.items[i];
		json_array_append_new(faults, json_pack("{si si so}", "line", (int)fault->line, "column",
		                                        (int)fault->column, "text", text_of(fault->text)));
	}
	json_object_set_new(object, "faults", faults);
	if (file->cluster == NULL) return object;
	json_object_set_new(object, "name", text_of(file->cluster->name));
	json_object_set_new(object, "nodes", json_integer(file->cluster->node_count));
	json_object_set_new(object, "devices", json_integer(file->cluster->device_count));
	json_object_set_new(object, "links", json_integer(file->cluster->link_count));
	return object;
}

static void print_text(const checked *file)
{
	const hy_sched_cluster *const cluster = file->cluster;
	for (uint32_t i = 0; i < file->faults.count; i++)
		printf("%s:%u:%u: %s\n", file->path, file->faults.items[i].line, file->faults.items[i].column,
		       file->faults.items[i].text);
	if (cluster != NULL)
		printf("%s: valid: cluster %s, %u node%s, %u device%s of %u type%s, %u links\n", file->path,
		       cluster->name, cluster->node_count, cluster->node_count == 1 ? "" : "s", cluster->device_count,
		       cluster->device_count == 1 ? "" : "s", cluster->type_count, cluster->type_count == 1 ? "" : "s",
		       cluster->link_count);
	else if (file->faults.count == 0)
		printf("%s\n", file->error.text);
}

static tool_exit print_schema(void)
{
	char *const schema = hy_sched_cluster_schema();
	if (schema == NULL) return tool_report(TOOL_EXIT_NO, "host memory exhausted");
	puts(schema);
	free(schema);
	return TOOL_EXIT_OK;
}

static tool_exit check(const tool_options *options)
{
	json_t *const files = json_array();
	tool_exit code = TOOL_EXIT_OK;
	for (uint32_t i = 1; i < options->operand_count; i++) {
		checked file = {.path = options->operands[i]};
		file.status = hy_sched_cluster_load(file.path, &file.cluster, &file.faults, &file.error);
		if (file.status != HY_OK) code = TOOL_EXIT_CONFIGURATION;
		if (tool_options_is(options->format, "json"))
			json_array_append_new(files, json_of(&file));
		else
			print_text(&file);
		check_finish(&file);
	}
	if (!tool_options_is(options->format, "json")) {
		json_decref(files);
		return code;
	}
	const tool_exit printed = tool_json_print(
		json_pack("{ss sb so}", "schema", "halyard.config/v1", "valid", code == TOOL_EXIT_OK, "files", files));
	return printed == TOOL_EXIT_OK ? code : printed;
}

tool_exit tool_cmd_config(const tool_options *options)
{
	const char *const what = options->operands[0];
	if (strcmp(what, "schema") == 0 && options->operand_count == 1) return print_schema();
	if (strcmp(what, "check") == 0 && options->operand_count > 1) return check(options);
	return tool_report(TOOL_EXIT_USAGE, "config: write 'halyard config check FILE...' or 'halyard config schema'");
}
