/* The file of measured costs. JSON lines, because a broken line costs one line. Entries are few (programs x devices),
 * so they are searched one by one. */
#include "cost.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define SCHEMA "halyard.costs/v1"
#define MOST_FILE_BYTES (64u << 20)
#define MOST_LINE_BYTES (4u << 20)
#define MOST_FACTOR 1e6

typedef struct entry {
	char *plugin, *device, *driver, *options, *link_name, *host, *instance;
	uint64_t model;
	hy_sched__cost cost;
	hy_sched__link link;
	double factor; /* of an instance */
	bool added; /* by this process */
} entry;

struct hy_sched__cost_file {
	char *path;
	char ignored[512];
	uint32_t count, room;
	entry *entries;
};

uint64_t hy_sched__cost_hash(const hy_graph *blob)
{
	return XXH3_64bits(blob, blob->total_bytes);
}

static void entry_finish(entry *e)
{
	free(e->plugin);
	free(e->device);
	free(e->driver);
	free(e->options);
	free(e->link_name);
	free(e->host);
	free(e->instance);
	hy_sched__cost_finish(&e->cost);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static entry *find(const hy_sched__cost_file *file, const hy_sched__cost_key *key)
{
	for (uint32_t i = 0; i < file->count; i++) {
		entry *e = &file->entries[i];
		if (e->model == key->model && same(e->link_name, key->link) && same(e->plugin, key->plugin) &&
		    same(e->device, key->device) && same(e->driver, key->driver) && same(e->options, key->options) &&
		    same(e->host, key->host) && same(e->instance, key->instance))
			return e;
	}
	return NULL;
}

static char *copied(const char *text, bool *failed)
{
	if (text == NULL) return NULL;
	char *copy = strdup(text);
	if (copy == NULL) *failed = true;
	return copy;
}

/* The entry of key, new if there was none; NULL without memory. */
static entry *place(hy_sched__cost_file *file, const hy_sched__cost_key *key)
{
	entry *e = find(file, key);
	if (e != NULL) return e;
	if (file->count == file->room) {
		const uint32_t room = file->room > 0 ? 2 * file->room : 16;
		entry *entries = realloc(file->entries, room * sizeof(*entries));
		if (entries == NULL) return NULL;
		file->entries = entries;
		file->room = room;
	}
	bool failed = false;
	const entry fresh = {.plugin = copied(key->plugin, &failed),
	                     .device = copied(key->device, &failed),
	                     .driver = copied(key->driver, &failed),
	                     .options = copied(key->options, &failed),
	                     .link_name = copied(key->link, &failed),
	                     .host = copied(key->host, &failed),
	                     .instance = copied(key->instance, &failed),
	                     .model = key->model};
	e = &file->entries[file->count];
	*e = fresh;
	if (failed) {
		entry_finish(e);
		return NULL;
	}
	file->count++;
	return e;
}

/* ---- reading ---- */

static bool nodes_parse(json_t *nodes, hy_sched__cost *cost)
{
	if (nodes == NULL) return true;
	if (!json_is_array(nodes)) return false;
	const size_t count = json_array_size(nodes);
	uint64_t *node_ns = calloc(count > 0 ? count : 1, sizeof(*node_ns));
	if (node_ns == NULL) return false;
	for (size_t i = 0; i < count; i++) {
		const json_int_t ns = json_integer_value(json_array_get(nodes, i));
		if (!json_is_integer(json_array_get(nodes, i)) || ns < 0) {
			free(node_ns);
			return false;
		}
		node_ns[i] = (uint64_t)ns;
	}
	cost->node_count = (uint32_t)count;
	cost->node_ns = node_ns;
	return true;
}

static bool program_parse(json_t *line, hy_sched__cost *cost)
{
	json_int_t median_ns, mad_ns, count, launches, references, constants, workspace;
	if (json_unpack(line, "{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "median_ns", &median_ns, "mad_ns", &mad_ns, "samples",
	                &count, "launches", &launches, "reference_launches", &references, "constant_bytes", &constants,
	                "workspace_bytes", &workspace) != 0)
		return false;
	if (median_ns <= 0 || mad_ns < 0 || count <= 0 || count > UINT32_MAX || launches < 0 || launches > UINT32_MAX ||
	    references < 0 || references > launches || constants < 0 || workspace < 0)
		return false;
	const hy_sched__cost read = {.median_ns = (uint64_t)median_ns,
	                             .mad_ns = (uint64_t)mad_ns,
	                             .count = (uint32_t)count,
	                             .launches = (uint32_t)launches,
	                             .reference_launches = (uint32_t)references,
	                             .constant_bytes = (uint64_t)constants,
	                             .workspace_bytes = (uint64_t)workspace};
	*cost = read;
	return nodes_parse(json_object_get(line, "node_ns"), cost);
}

static bool link_parse(json_t *line, hy_sched__link *link)
{
	json_int_t latency_ns;
	double ns_per_byte;
	if (json_unpack(line, "{s:I,s:F}", "latency_ns", &latency_ns, "ns_per_byte", &ns_per_byte) != 0) return false;
	if (latency_ns < 0 || !(ns_per_byte >= 0 && ns_per_byte < 1e9)) return false;
	link->latency_ns = (uint64_t)latency_ns;
	link->ns_per_byte = ns_per_byte;
	return true;
}

static bool line_parse(hy_sched__cost_file *file, const char *text, size_t length)
{
	json_t *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	bool good = false;
	hy_sched__cost cost = {0};
	hy_sched__link link = {0, 0};
	double factor = 1;
	hy_sched__cost_key key = {0};
	const char *model = NULL;
	if (line == NULL || json_unpack(line, "{s:s,s:s,s:s,s:s,s?s,s?s,s?s,s?s}", "plugin", &key.plugin, "device",
	                                &key.device, "driver", &key.driver, "options", &key.options, "model", &model,
	                                "link", &key.link, "host", &key.host, "instance", &key.instance) != 0)
		goto done;
	if ((model != NULL) + (key.link != NULL) + (key.instance != NULL) != 1) goto done;
	if (key.instance != NULL) {
		factor = json_number_value(json_object_get(line, "factor"));
		if (!(factor > 0 && factor < MOST_FACTOR)) goto done;
	} else if (model != NULL) {
		char *end;
		key.model = strtoull(model, &end, 16);
		if (*end != '\0' || strlen(model) != 16 || !program_parse(line, &cost)) goto done;
	} else if (!link_parse(line, &link)) {
		goto done;
	}
	if (find(file, &key) != NULL) {
		good = true; /* what this process measured is newer */
		goto done;
	}
	entry *e = place(file, &key);
	if (e == NULL) goto done;
	e->cost = cost;
	e->link = link;
	e->factor = factor;
	cost.node_ns = NULL; /* given away */
	good = true;
done:
	hy_sched__cost_finish(&cost);
	json_decref(line);
	return good;
}

static bool header_check(const char *text, size_t length)
{
	json_t *line = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(line, "schema"));
	const bool good = schema != NULL && strcmp(schema, SCHEMA) == 0;
	json_decref(line);
	return good;
}

static void file_parse(hy_sched__cost_file *file, const char *text, size_t length)
{
	uint32_t number = 0, bad = 0, first_bad = 0;
	for (size_t at = 0; at < length;) {
		const char *end = memchr(text + at, '\n', length - at);
		const size_t line_length = end != NULL ? (size_t)(end - text) - at : length - at;
		number++;
		if (number == 1 && !header_check(text, line_length)) {
			snprintf(file->ignored, sizeof(file->ignored),
			         "%s:1: not a cost file (\"schema\": \"" SCHEMA "\"): ignored, and replaced when saved",
			         file->path);
			return;
		}
		if (number > 1 && line_length > 0 &&
		    (line_length > MOST_LINE_BYTES || !line_parse(file, text + at, line_length)) && bad++ == 0)
			first_bad = number;
		at += line_length + 1;
	}
	if (bad > 0)
		snprintf(file->ignored, sizeof(file->ignored), "%s:%u: %u lines are not measured costs: ignored",
		         file->path, first_bad, bad);
}

static void file_load(hy_sched__cost_file *file)
{
	FILE *stream = fopen(file->path, "rb");
	if (stream == NULL) {
		if (errno != ENOENT)
			snprintf(file->ignored, sizeof(file->ignored), "%s: %s: ignored", file->path, strerror(errno));
		return;
	}
	char *text = NULL;
	if (fseek(stream, 0, SEEK_END) == 0) {
		const long length = ftell(stream);
		if (length > (long)MOST_FILE_BYTES)
			snprintf(file->ignored, sizeof(file->ignored), "%s: larger than 64 MiB: ignored", file->path);
		else if (length > 0 && (text = malloc((size_t)length)) != NULL && fseek(stream, 0, SEEK_SET) == 0)
			file_parse(file, text, fread(text, 1, (size_t)length, stream));
	} else {
		snprintf(file->ignored, sizeof(file->ignored), "%s: not a plain file: ignored", file->path);
	}
	free(text);
	fclose(stream);
}

hy_status hy_sched__cost_file_open(const char *path, hy_sched__cost_file **out_file, const char **out_ignored,
                                   hy_error *error)
{
	*out_ignored = NULL;
	hy_sched__cost_file *file = calloc(1, sizeof(*file));
	if (file == NULL || (path != NULL && (file->path = strdup(path)) == NULL)) {
		free(file);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for the cost file");
	}
	if (path != NULL) file_load(file);
	if (file->ignored[0] != '\0') *out_ignored = file->ignored;
	*out_file = file;
	return HY_OK;
}

void hy_sched__cost_file_close(hy_sched__cost_file *file)
{
	if (file == NULL) return;
	for (uint32_t i = 0; i < file->count; i++)
		entry_finish(&file->entries[i]);
	free(file->entries);
	free(file->path);
	free(file);
}

bool hy_sched__cost_file_find(const hy_sched__cost_file *file, const hy_sched__cost_key *key, hy_sched__cost *out_cost)
{
	const entry *e = find(file, key);
	return e != NULL && hy_sched__cost_copy(&e->cost, out_cost, NULL) == HY_OK;
}

bool hy_sched__cost_file_find_model(const hy_sched__cost_file *file, const char *plugin, uint64_t model,
                                    hy_sched__cost *out_cost)
{
	for (uint32_t i = 0; i < file->count; i++) {
		const entry *e = &file->entries[i];
		if (e->model == model && e->link_name == NULL && same(e->plugin, plugin))
			return hy_sched__cost_copy(&e->cost, out_cost, NULL) == HY_OK;
	}
	return false;
}

bool hy_sched__cost_file_find_link(const hy_sched__cost_file *file, const hy_sched__cost_key *key,
                                   hy_sched__link *out_link)
{
	const entry *e = find(file, key);
	if (e != NULL) *out_link = e->link;
	return e != NULL;
}

double hy_sched__cost_file_factor(const hy_sched__cost_file *file, const hy_sched__cost_key *key)
{
	const entry *e = find(file, key);
	return e != NULL ? e->factor : 1;
}

bool hy_sched__cost_file_is_new(const hy_sched__cost_file *file, const hy_sched__cost_key *key)
{
	const entry *e = find(file, key);
	return e != NULL && e->added;
}

/* ---- writing ---- */

hy_status hy_sched__cost_file_add(hy_sched__cost_file *file, const hy_sched__cost_key *key, const hy_sched__cost *cost,
                                  hy_error *error)
{
	hy_sched__cost copy;
	const hy_status status = hy_sched__cost_copy(cost, &copy, error);
	if (status != HY_OK) return status;
	entry *e = place(file, key);
	if (e == NULL) {
		hy_sched__cost_finish(&copy);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for a cost");
	}
	hy_sched__cost_finish(&e->cost);
	e->cost = copy;
	e->added = true;
	return HY_OK;
}

hy_status hy_sched__cost_file_add_link(hy_sched__cost_file *file, const hy_sched__cost_key *key,
                                       const hy_sched__link *link, hy_error *error)
{
	entry *e = place(file, key);
	if (e == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for a cost");
	e->link = *link;
	e->added = true;
	return HY_OK;
}

hy_status hy_sched__cost_file_add_factor(hy_sched__cost_file *file, const hy_sched__cost_key *key, double factor,
                                         hy_error *error)
{
	entry *e = place(file, key);
	if (e == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for a cost");
	e->factor = factor;
	e->added = true;
	return HY_OK;
}

static json_t *entry_print(const entry *e)
{
	json_t *line = json_pack("{s:s,s:s,s:s,s:s}", "plugin", e->plugin, "device", e->device, "driver", e->driver,
	                         "options", e->options);
	if (e->host != NULL) json_object_set_new(line, "host", json_string(e->host));
	if (e->instance != NULL) {
		json_object_set_new(line, "instance", json_string(e->instance));
		json_object_set_new(line, "factor", json_real(e->factor));
		return line;
	}
	if (e->link_name != NULL) {
		json_object_set_new(line, "link", json_string(e->link_name));
		json_object_set_new(line, "latency_ns", json_integer((json_int_t)e->link.latency_ns));
		json_object_set_new(line, "ns_per_byte", json_real(e->link.ns_per_byte));
		return line;
	}
	char model[17];
	snprintf(model, sizeof(model), "%016llx", (unsigned long long)e->model);
	json_object_set_new(line, "model", json_string(model));
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"median_ns", e->cost.median_ns},
		{"mad_ns", e->cost.mad_ns},
		{"samples", e->cost.count},
		{"launches", e->cost.launches},
		{"reference_launches", e->cost.reference_launches},
		{"constant_bytes", e->cost.constant_bytes},
		{"workspace_bytes", e->cost.workspace_bytes},
	};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_set_new(line, numbers[i].name, json_integer((json_int_t)numbers[i].value));
	if (e->cost.node_count > 0) {
		json_t *nodes = json_array();
		for (uint32_t i = 0; i < e->cost.node_count; i++)
			json_array_append_new(nodes, json_integer((json_int_t)e->cost.node_ns[i]));
		json_object_set_new(line, "node_ns", nodes);
	}
	return line;
}

static bool entries_print(const hy_sched__cost_file *file, FILE *stream)
{
	fputs("{\"schema\": \"" SCHEMA "\"}\n", stream);
	for (uint32_t i = 0; i < file->count; i++) {
		const entry *e = &file->entries[i];
		const bool is_program = e->link_name == NULL && e->instance == NULL;
		if (is_program && !hy_sched__cost_is_trusted(&e->cost)) continue;
		json_t *line = entry_print(e);
		if (line == NULL) continue; /* a name that is no UTF-8: measured again each time */
		const int printed = json_dumpf(line, stream, 0);
		json_decref(line);
		if (printed != 0) return false;
		fputc('\n', stream);
	}
	return ferror(stream) == 0;
}

hy_status hy_sched__cost_file_save(hy_sched__cost_file *file, hy_error *error)
{
	bool changed = false;
	for (uint32_t i = 0; i < file->count; i++)
		changed |= file->entries[i].added;
	if (file->path == NULL || !changed) return HY_OK;
	file_load(file);
	const size_t length = strlen(file->path) + 32;
	char *temporary = malloc(length);
	if (temporary == NULL) return hy_error_set(error, HY_NO_MEMORY, "no memory for the cost file");
	snprintf(temporary, length, "%s.%ld.part", file->path, (long)getpid());
	FILE *stream = fopen(temporary, "wbx");
	bool good = stream != NULL && entries_print(file, stream);
	if (stream != NULL && fclose(stream) != 0) good = false;
	if (good && rename(temporary, file->path) != 0) good = false;
	hy_status status = HY_OK;
	if (!good) {
		status = hy_error_set(error, HY_INVALID, "cannot write the cost file %s: %s", file->path,
		                      strerror(errno));
		if (stream != NULL) unlink(temporary);
	}
	free(temporary);
	return status;
}
