/* The lines of results.jsonl as JSON. */
#include "record.h"

#include "digest.h"
#include "machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

json_t *conform__record_text(const char *text)
{
	json_t *made = json_string(text);
	if (made != NULL) return made;
	char *plain = strdup(text);
	for (char *at = plain; at != NULL && *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80) *at = '?';
	made = json_string(plain != NULL ? plain : "");
	free(plain);
	return made;
}

json_t *conform__record_number(double value)
{
	if (isfinite(value)) return json_real(value);
	return json_string(isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

/* ---- the run ---- */

static json_t *plugin_of(const hy_conform_options *options, const worker_description *d)
{
	char digest[CONFORM_DIGEST] = "";
	uint64_t bytes = 0;
	if (conform__digest_file(options->plugin, &bytes, digest, NULL) != HY_OK) digest[0] = '\0';
	char *path = realpath(options->plugin, NULL);
	json_t *plugin = json_pack("{s:o, s:s, s:I}", "path",
	                           conform__record_text(path != NULL ? path : options->plugin), "sha256", digest,
	                           "bytes", (json_int_t)bytes);
	free(path);
	if (d == NULL) return plugin;
	char abi[32];
	snprintf(abi, sizeof(abi), "%u.%u", HY_ABI_MAJOR, d->abi_minor);
	json_object_set_new(plugin, "name", conform__record_text(d->plugin_name));
	json_object_set_new(plugin, "version", conform__record_text(d->plugin_version));
	json_object_set_new(plugin, "abi", json_string(abi));
	return plugin;
}

static json_t *device_of(const hy_conform_options *options, const worker_description *d)
{
	if (d == NULL) return json_null();
	const hy_device_info *info = &d->device;
	const char *given = options->device_options == NULL ? "" : options->device_options;
	json_t *device = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "index", (int)options->device, "options",
	                           conform__record_text(given), "id", conform__record_text(info->id), "name",
	                           conform__record_text(info->name), "arch", conform__record_text(info->arch), "driver",
	                           conform__record_text(info->driver), "pci", conform__record_text(info->pci_address));
	const struct {
		const char *name;
		uint64_t value;
	} peaks[] = {{"memory_bytes", info->memory_bytes},
	             {"flops_f32", info->flops_f32},
	             {"flops_f16", info->flops_f16},
	             {"ops_i8", info->ops_i8},
	             {"memory_bytes_per_s", info->memory_bytes_per_s}};
	for (size_t i = 0; i < sizeof(peaks) / sizeof(peaks[0]); i++)
		json_object_set_new(device, peaks[i].name, json_integer((json_int_t)(peaks[i].value & INT64_MAX)));
	return device;
}

json_t *conform__record_waivers(const conform_waivers *waivers)
{
	json_t *list = json_array();
	const conform_waiver *items;
	const uint32_t count = conform__waivers_items(waivers, &items);
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o, s:o, s:b}", "case",
		                                      conform__record_text(items[i].glob), "expires", items[i].expires,
		                                      "approver", conform__record_text(items[i].approver), "reason",
		                                      conform__record_text(items[i].reason), "conditions",
		                                      conform__record_text(items[i].conditions), "applies",
		                                      items[i].applies ? 1 : 0));
	return list;
}

static void random_id(char out[33])
{
	uint8_t bytes[16] = {0};
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) memset(bytes, 0, sizeof(bytes));
	for (int i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static json_t *isolation_of(uint32_t batch)
{
	if (batch == UINT32_MAX) return json_string("none");
	return batch <= 1 ? json_string("case") : json_sprintf("batch:%u", batch);
}

json_t *conform__record_run(const hy_conform_options *options, const conform_selection *selection,
                            const worker_description *description, const conform_waivers *waivers)
{
	char id[33], started[32], list[17], abi[32], seed[24];
	const time_t now = time(NULL);
	struct tm day;
	random_id(id);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &day));
	snprintf(list, sizeof(list), "%016llx", (unsigned long long)hy_conform_list_hash());
	snprintf(abi, sizeof(abi), "%u.%u", HY_ABI_MAJOR, HY_ABI_MINOR);
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)options->seed);
	json_t *run = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:s, s:b}", "record", "run", "schema",
	                        "halyard.conformance.results/v1", "id", id, "started", started, "suite",
	                        HY_CONFORM_SUITE_VERSION, "list", list, "abi", abi, "level", (int)options->level,
	                        "total", (json_int_t)selection->total, "seed", seed, "strict", options->strict ? 1 : 0);
	json_object_set_new(run, "isolation", isolation_of(options->batch));
	json_object_set_new(run, "timeout_scale", json_real(options->timeout_scale > 0 ? options->timeout_scale : 1));
	json_object_set_new(run, "repeat", json_integer(options->repeat > 1 ? options->repeat : 1));
	json_object_set_new(run, "selection", conform__select_describe(options));
	json_object_set_new(run, "plugin", plugin_of(options, description));
	json_object_set_new(run, "device", device_of(options, description));
	json_object_set_new(run, "machine", conform__machine_facts());
	json_object_set_new(run, "waivers", conform__record_waivers(waivers));
	json_object_set_new(run, "waivers_sha256", conform__record_text(conform__waivers_digest(waivers)));
	return run;
}

/* ---- a case ---- */

static json_t *integers(const int64_t *values, uint32_t count)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer(values[i]));
	return list;
}

static json_t *difference_of(const hy_conform_difference *d)
{
	json_t *shown = json_array();
	for (uint32_t i = 0; i < d->shown; i++) {
		const hy_conform_element *e = &d->first[i];
		json_array_append_new(
			shown,
			json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "index", integers(e->index, d->rank), "expected",
		                  conform__record_number(e->expected), "got", conform__record_number(e->got), "error",
		                  conform__record_number(fabs(e->got - e->expected)), "bound",
		                  conform__record_number(e->bound), "magnitude", conform__record_number(e->magnitude)));
	}
	return json_pack("{s:o, s:o, s:o, s:f, s:f, s:I, s:f, s:f, s:I, s:I, s:o}", "dtype",
	                 conform__record_text(d->dtype), "dims", integers(d->dims, d->rank), "tolerance",
	                 conform__record_text(d->tolerance), "factor", d->factor, "root", d->root, "terms",
	                 (json_int_t)d->terms, "unit", d->unit, "least", d->least, "wrong", (json_int_t)d->wrong,
	                 "total", (json_int_t)d->total, "first", shown);
}

json_t *conform__record_case(const hy_conform_case_info *info, const supervisor_result *result,
                             const conform_waiver *waiver)
{
	json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:f}", "case", info->id, "group", info->group, "rule",
	                         info->rule, "since", info->since, "level", (int)info->level, "status",
	                         hy_conform_status_name(result->status), "ms", (double)(result->time_ns / 1000u) / 1e3);
	if (info->proven_by[0] != '\0') json_object_set_new(line, "proven_by", json_string(info->proven_by));
	if (info->op != NULL) json_object_set_new(line, "op", json_string(info->op));
	if (info->dtype != NULL) json_object_set_new(line, "dtype", json_string(info->dtype));
	if (result->signal != 0) json_object_set_new(line, "signal", json_integer(result->signal));
	if (result->exit_code >= 0) json_object_set_new(line, "exit", json_integer(result->exit_code));
	json_object_set_new(line, "text", conform__record_text(result->text));
	json_object_set_new(line, "output", conform__record_text(result->output));
	if (result->record_kind == WORKER_DIFFERENCE)
		json_object_set_new(line, "difference", difference_of(&result->record.difference));
	if (waiver != NULL)
		json_object_set_new(line, "waiver",
		                    json_pack("{s:o, s:o}", "reason", conform__record_text(waiver->reason), "approver",
		                              conform__record_text(waiver->approver)));
	return line;
}

json_t *conform__record_end(const hy_conform_summary *summary)
{
	return json_pack("{s:s, s:i, s:s, s:f}", "record", "end", "exit", (int)summary->verdict, "verdict",
	                 summary->text, "seconds", (double)(summary->time_ns / 1000u) / 1e6);
}

/* ---- reading back ---- */

const char *conform__record_get(const json_t *record, const char *name)
{
	const char *text = json_string_value(json_object_get(record, name));
	return text == NULL ? "" : text;
}

int64_t conform__record_integer(const json_t *record, const char *name)
{
	return json_integer_value(json_object_get(record, name));
}

double conform__record_real(const json_t *record, const char *name)
{
	const json_t *value = json_object_get(record, name);
	if (!json_is_string(value)) return json_number_value(value);
	const char *text = json_string_value(value);
	return strcmp(text, "inf") == 0 ? INFINITY : strcmp(text, "-inf") == 0 ? -INFINITY : NAN;
}

hy_conform_status conform__record_status(const json_t *record)
{
	const char *name = conform__record_get(record, "status");
	for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++)
		if (strcmp(hy_conform_status_name((hy_conform_status)status), name) == 0)
			return (hy_conform_status)status;
	return HY_CONFORM_STATUS_COUNT;
}

bool conform__record_is_case(const json_t *record)
{
	return json_is_string(json_object_get(record, "case"));
}
