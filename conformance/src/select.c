/* Which cases of the list a run is about. */
#include "select.h"

#include "record.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calls visit with each comma-separated glob; false when one names nothing. */
typedef struct picker {
	const conform_case *cases;
	uint32_t count;
	bool *wanted;
} picker;

static uint32_t mark(picker *p, const char *glob, bool wanted)
{
	uint32_t matched = 0;
	for (uint32_t i = 0; i < p->count; i++) {
		if (fnmatch(glob, p->cases[i].info.id, 0) != 0) continue;
		p->wanted[i] = wanted;
		matched++;
	}
	return matched;
}

static void mark_all(picker *p, bool wanted)
{
	for (uint32_t i = 0; i < p->count; i++)
		p->wanted[i] = wanted;
}

static hy_status mark_globs(picker *p, const char *globs, bool wanted, hy_error *error)
{
	char glob[256];
	while (*globs != '\0') {
		const size_t length = strcspn(globs, ",");
		snprintf(glob, sizeof(glob), "%.*s", (int)length, globs);
		if (length > 0 && mark(p, glob, wanted) == 0)
			return hy_error_set(error, HY_INVALID, "no case is named '%s'; --list prints them", glob);
		globs += length + (globs[length] == ',');
	}
	return HY_OK;
}

/* A glob a line; # begins a comment. */
static hy_status mark_list(picker *p, const char *path, hy_error *error)
{
	FILE *file = fopen(path, "re");
	if (file == NULL) return hy_error_set(error, HY_NOT_FOUND, "%s can't be read: %s", path, strerror(errno));
	hy_status status = HY_OK;
	char line[512];
	for (int number = 1; status == HY_OK && fgets(line, sizeof(line), file) != NULL; number++) {
		line[strcspn(line, "#\n")] = '\0';
		char *glob = line + strspn(line, " \t\r");
		glob[strcspn(glob, " \t\r")] = '\0';
		if (*glob != '\0' && mark(p, glob, true) == 0)
			status = hy_error_set(error, HY_INVALID, "%s:%d: no case is named '%s'", path, number, glob);
	}
	fclose(file);
	return status;
}

/* "report.json" or "report.json:failed". */
static hy_status mark_report(picker *p, const char *text, hy_error *error)
{
	static const char suffix[] = ":failed";
	char path[4096];
	const size_t length = strlen(text), tail = sizeof(suffix) - 1;
	const bool failed = length > tail && strcmp(text + length - tail, suffix) == 0;
	snprintf(path, sizeof(path), "%.*s", (int)(failed ? length - tail : length), text);
	json_error_t fault;
	json_t *report = json_load_file(path, JSON_REJECT_DUPLICATES, &fault);
	if (report == NULL) return hy_error_set(error, HY_INVALID, "%s:%d: %s", path, fault.line, fault.text);
	const json_t *cases = json_object_get(report, "cases"), *item;
	size_t i;
	hy_status status = json_is_array(cases)
	                           ? HY_OK
	                           : hy_error_set(error, HY_INVALID, "%s is no report of this suite", path);
	json_array_foreach(cases, i, item)
	{
		const hy_conform_status end = conform__record_status(item);
		const bool fine = end == HY_CONFORM_PASS || end == HY_CONFORM_NOT_SUPPORTED || end == HY_CONFORM_WAIVED;
		const conform_case *found = conform__suite_find(conform__record_get(item, "case"));
		if (found == NULL)
			status = hy_error_set(error, HY_INVALID, "%s: this suite has no case '%.200s'", path,
			                      conform__record_get(item, "case"));
		else if (!failed || !fine)
			p->wanted[found - p->cases] = true;
	}
	json_decref(report);
	return status;
}

static hy_status mark_wanted(picker *p, const hy_conform_options *o, hy_error *error)
{
	mark_all(p, o->cases == NULL && o->caselist == NULL && o->rerun == NULL);
	hy_status status = HY_OK;
	if (o->cases != NULL) status = mark_globs(p, o->cases, true, error);
	if (status == HY_OK && o->caselist != NULL) status = mark_list(p, o->caselist, error);
	if (status == HY_OK && o->rerun != NULL) status = mark_report(p, o->rerun, error);
	if (status == HY_OK && o->exclude != NULL) status = mark_globs(p, o->exclude, false, error);
	return status;
}

/* The list's first case says whether the plugin can be loaded: it is in every shard, and stays first. */
static void shuffle(conform_selection *s, uint64_t seed)
{
	for (uint32_t i = s->count; i > 2; i--) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		const uint32_t other = 1 + (uint32_t)((seed >> 33) % (i - 1));
		const conform_case *kept = s->cases[i - 1];
		s->cases[i - 1] = s->cases[other];
		s->cases[other] = kept;
	}
}

hy_status conform__select(const hy_conform_options *options, conform_selection *out_selection, hy_error *error)
{
	const uint32_t shards = options->shard_count == 0 ? 1 : options->shard_count;
	const uint32_t shard = options->shard_count == 0 ? 1 : options->shard;
	if (shard < 1 || shard > shards || shards > 64)
		return hy_error_set(error, HY_INVALID, "a shard is I/N, with I from 1 to N and N at most 64");
	picker p;
	p.cases = conform__suite_cases(&p.count);
	p.wanted = calloc(p.count, sizeof(p.wanted[0]));
	conform_selection s = {.cases = calloc(p.count, sizeof(s.cases[0]))};
	hy_status status = p.wanted == NULL || s.cases == NULL
	                           ? hy_error_set(error, HY_NO_MEMORY, "no memory for a list")
	                           : mark_wanted(&p, options, error);
	for (uint32_t i = 0, position = 0; status == HY_OK && i < p.count; i++) {
		if (p.cases[i].info.level > options->level) continue;
		s.total++;
		if (!p.wanted[i]) continue;
		if (i == 0 || position % shards == shard - 1) s.cases[s.count++] = &p.cases[i];
		position++;
	}
	free(p.wanted);
	if (status == HY_OK && s.count == 0)
		status = hy_error_set(error, HY_INVALID, "no case is left to run at L%d; --list prints them",
		                      (int)options->level);
	if (status != HY_OK) {
		conform__select_finish(&s);
		return status;
	}
	if (options->shuffle) shuffle(&s, options->seed + 1);
	*out_selection = s;
	return HY_OK;
}

void conform__select_finish(conform_selection *selection)
{
	free(selection->cases);
	*selection = (conform_selection){.cases = NULL};
}

json_t *conform__select_describe(const hy_conform_options *options)
{
	const struct {
		const char *name, *value;
	} parts[] = {{"cases", options->cases},
	             {"exclude", options->exclude},
	             {"caselist", options->caselist},
	             {"rerun", options->rerun}};
	json_t *made = json_object();
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].value != NULL)
			json_object_set_new(made, parts[i].name, conform__record_text(parts[i].value));
	if (options->shard_count > 1)
		json_object_set_new(made, "shard", json_sprintf("%u/%u", options->shard, options->shard_count));
	if (options->shuffle) json_object_set_new(made, "shuffle", json_true());
	if (json_object_size(made) > 0) return made;
	json_decref(made);
	return json_null();
}
