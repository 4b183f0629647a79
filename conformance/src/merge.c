/* The results of shards as one run. */
#include "digest.h"
#include "record.h"
#include "report.h"
#include "results.h"
#include "verdict.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SHARDS_MAX = 64, BYTES_MAX = 64 << 20 };

typedef struct shards {
	uint32_t count;
	const char *const *folders;
	json_t *records[SHARDS_MAX];
} shards;

/* The whole file as a text; the caller frees it. */
static char *read_file(const char *path, size_t *out_length, hy_error *error)
{
	struct stat info;
	FILE *file = stat(path, &info) == 0 && S_ISREG(info.st_mode) ? fopen(path, "re") : NULL;
	if (file == NULL || info.st_size > BYTES_MAX) {
		hy_error_set(error, file == NULL ? HY_NOT_FOUND : HY_INVALID, "%s can't be read: %s", path,
		             file == NULL ? "no such file" : "too large");
		if (file != NULL) fclose(file);
		return NULL;
	}
	char *text = malloc((size_t)info.st_size + 1);
	*out_length = text == NULL ? 0 : fread(text, 1, (size_t)info.st_size, file);
	fclose(file);
	if (text == NULL)
		hy_error_set(error, HY_NO_MEMORY, "no memory for %s", path);
	else
		text[*out_length] = '\0';
	return text;
}

static hy_status read_shard(shards *s, uint32_t i, hy_error *error)
{
	char path[PATH_MAX];
	size_t length = 0;
	snprintf(path, sizeof(path), "%s/results.jsonl", s->folders[i]);
	char *text = read_file(path, &length, error);
	if (text == NULL) return HY_NOT_FOUND;
	const hy_status status = conform__results_parse(text, length, path, &s->records[i], error);
	free(text);
	if (status != HY_OK) return status;
	const size_t lines = json_array_size(s->records[i]);
	if (lines < 2 || strcmp(conform__record_get(json_array_get(s->records[i], 0), "record"), "run") != 0 ||
	    strcmp(conform__record_get(json_array_get(s->records[i], lines - 1), "record"), "end") != 0)
		return hy_error_set(error, HY_INVALID, "%s is of a run that did not end: run that shard again", path);
	return HY_OK;
}

/* The first shard is of this very list. */
static hy_status check_list(const shards *s, hy_error *error)
{
	char list[17];
	const char *given = conform__record_get(json_array_get(s->records[0], 0), "list");
	snprintf(list, sizeof(list), "%016llx", (unsigned long long)hy_conform_list_hash());
	if (strcmp(given, list) != 0)
		return hy_error_set(error, HY_INCOMPATIBLE, "%s is of list %.16s; this suite has %s", s->folders[0],
		                    given, list);
	const json_t *run = json_array_get(s->records[0], 0);
	const uint32_t total = conform__suite_total(conform__record_integer(run, "level"));
	if (conform__record_integer(run, "total") == (int64_t)total) return HY_OK;
	return hy_error_set(error, HY_INVALID, "%s: the list has %u cases at this level, not %lld", s->folders[0],
	                    total, (long long)conform__record_integer(run, "total"));
}

/* Shards of one run agree in all of this. */
static hy_status check_alike(const shards *s, uint32_t i, hy_error *error)
{
	static const struct {
		const char *object, *member;
	} same[] = {{NULL, "suite"},       {NULL, "list"},           {NULL, "level"},      {NULL, "seed"},
	            {NULL, "strict"},      {NULL, "waivers_sha256"}, {"plugin", "sha256"}, {"device", "id"},
	            {"device", "options"}, {"device", "name"},       {"device", "driver"}};
	const json_t *first = json_array_get(s->records[0], 0), *other = json_array_get(s->records[i], 0);
	for (size_t m = 0; m < sizeof(same) / sizeof(same[0]); m++) {
		const json_t *a = same[m].object == NULL ? first : json_object_get(first, same[m].object);
		const json_t *b = same[m].object == NULL ? other : json_object_get(other, same[m].object);
		json_t *left = json_object_get(a, same[m].member), *right = json_object_get(b, same[m].member);
		if (left == right || json_equal(left, right) != 0) continue;
		return hy_error_set(error, HY_INVALID, "%s and %s are not of one run: %s%s%s differs", s->folders[0],
		                    s->folders[i], same[m].object == NULL ? "" : same[m].object,
		                    same[m].object == NULL ? "" : " ", same[m].member);
	}
	return HY_OK;
}

/* The case's record from all shards; different answers are FLAKY. The caller releases it; NULL: in none. */
static json_t *record_of(const shards *s, const char *id)
{
	json_t *found = NULL;
	for (uint32_t i = 0; i < s->count; i++) {
		json_t *record;
		size_t line;
		json_array_foreach(s->records[i], line, record)
		{
			if (strcmp(conform__record_get(record, "case"), id) != 0) continue;
			if (found == NULL) {
				found = json_copy(record);
			} else if (conform__record_status(found) != conform__record_status(record)) {
				json_object_set_new(found, "text",
				                    json_sprintf("%s in one shard, %s in another",
				                                 conform__record_get(found, "status"),
				                                 conform__record_get(record, "status")));
				json_object_set_new(found, "status",
				                    json_string(hy_conform_status_name(HY_CONFORM_FLAKY)));
			}
		}
	}
	return found;
}

static void put_together(const shards *s, conform_results *results, hy_conform_summary *summary)
{
	json_t *run = json_copy(json_array_get(s->records[0], 0)), *ids = json_array();
	double seconds = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		const size_t lines = json_array_size(s->records[i]);
		json_array_append(ids, json_object_get(json_array_get(s->records[i], 0), "id"));
		seconds += conform__record_real(json_array_get(s->records[i], lines - 1), "seconds");
	}
	json_object_set_new(run, "merged", ids);
	json_object_set_new(run, "selection", json_null());
	conform__results_add(results, run);
	uint32_t count;
	const conform_case *cases = conform__suite_cases(&count);
	for (uint32_t i = 0; i < count; i++) {
		json_t *record = record_of(s, cases[i].info.id);
		if (record != NULL) conform__results_add(results, record);
	}
	conform__verdict(results->records, summary);
	summary->time_ns = (uint64_t)(seconds * 1e9);
	conform__results_add(results, conform__record_end(summary));
}

static hy_status write_all(const hy_conform_options *options, const shards *s, hy_conform_summary *summary,
                           hy_error *error)
{
	char path[PATH_MAX], mine[PATH_MAX], *waivers = NULL;
	if (mkdir(options->out, 0777) != 0 && errno != EEXIST)
		return hy_error_set(error, HY_NOT_FOUND, "%s can't be made: %s", options->out, strerror(errno));
	for (uint32_t i = 0; i < s->count; i++)
		if (realpath(options->out, mine) != NULL && realpath(s->folders[i], path) != NULL &&
		    strcmp(mine, path) == 0)
			return hy_error_set(error, HY_INVALID, "%s is a shard: name another folder for the whole",
			                    options->out);
	const char *given = conform__record_get(json_array_get(s->records[0], 0), "waivers_sha256");
	char digest[CONFORM_DIGEST];
	conform__digest_pair("", 0, "", 0, digest);
	if (given[0] != '\0' && strcmp(given, digest) != 0) { /* an empty file is not kept */
		size_t length;
		snprintf(path, sizeof(path), "%s/waivers.txt", s->folders[0]);
		waivers = read_file(path, &length, error);
		if (waivers == NULL) return HY_NOT_FOUND;
		conform__digest_pair(waivers, length, "", 0, digest);
		if (strcmp(digest, given) != 0) {
			free(waivers);
			return hy_error_set(error, HY_INVALID, "%s is not what the shards were judged with", path);
		}
	}
	conform_results results = {.file = NULL};
	snprintf(path, sizeof(path), "%s/results.jsonl", options->out);
	hy_status status = conform__results_create(&results, path, error);
	if (status == HY_OK) {
		put_together(s, &results, summary);
		status = conform__report_deliver(options, results.records, waivers == NULL ? "" : waivers, error);
	}
	conform__results_finish(&results);
	free(waivers);
	return status;
}

hy_status hy_conform_merge(const hy_conform_options *options, uint32_t count, const char *const *folders,
                           hy_conform_summary *out_summary, hy_error *error)
{
	if (options == NULL || options->size < sizeof(options->size))
		return hy_error_set(error, HY_INVALID, "options with their size are needed");
	hy_conform_options known = {.size = 0};
	memcpy(&known, options, options->size < sizeof(known) ? options->size : sizeof(known));
	if (known.out == NULL || out_summary == NULL || count < 1 || count > SHARDS_MAX)
		return hy_error_set(error, HY_INVALID,
		                    "a folder for the whole and 1 to %d folders of shards are needed", SHARDS_MAX);
	shards s = {.count = count, .folders = folders};
	hy_conform_summary summary = {.total = 0};
	hy_status status = HY_OK;
	for (uint32_t i = 0; status == HY_OK && i < count; i++) {
		status = read_shard(&s, i, error);
		if (status == HY_OK) status = check_alike(&s, i, error);
	}
	if (status == HY_OK) status = check_list(&s, error);
	if (status == HY_OK) status = write_all(&known, &s, &summary, error);
	for (uint32_t i = 0; i < count; i++)
		json_decref(s.records[i]);
	if (status == HY_OK) *out_summary = summary;
	return status;
}
