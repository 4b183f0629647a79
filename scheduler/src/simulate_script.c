/* Scripts of what happens to devices: "TIME VERB DEVICES [FACTOR]" a line. */
#include <halyard/simulate.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (1u << 20)
#define MOST_EVENTS 4096u
#define MOST_WORDS 5u

typedef struct words {
	const char *name;
	uint32_t number, count;
	const char *words[MOST_WORDS];
	uint32_t lengths[MOST_WORDS], columns[MOST_WORDS];
} words;

typedef struct reading {
	hy_sched_script script;
	uint32_t room;
	char faults[sizeof(((hy_error *)0)->text)];
	size_t faults_length;
	bool no_memory;
} reading;

static void fault(reading *reader, const words *line, uint32_t word, const char *what)
{
	const uint32_t column = word < line->count ? line->columns[word]
	                                           : line->columns[line->count - 1] + line->lengths[line->count - 1];
	const size_t room = sizeof(reader->faults) - reader->faults_length;
	const int length = snprintf(reader->faults + reader->faults_length, room, "%s%s:%u:%u: %s",
	                            reader->faults_length > 0 ? "\n" : "", line->name, line->number, column, what);
	if (length > 0) reader->faults_length += (size_t)length < room ? (size_t)length : room - 1;
}

static bool is_word(const words *line, uint32_t word, const char *text)
{
	return line->lengths[word] == strlen(text) && memcmp(line->words[word], text, line->lengths[word]) == 0;
}

/* A number with a unit of time behind it; seconds without. */
static bool read_time(const words *line, uint64_t *out_ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"min", 60e9}};
	char *end;
	const double number = strtod(line->words[0], &end);
	const size_t used = (size_t)(end - line->words[0]);
	if (used == 0 || used > line->lengths[0] || !(number >= 0)) return false;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		if (line->lengths[0] - used != strlen(units[u].unit)) continue;
		if (memcmp(end, units[u].unit, strlen(units[u].unit)) != 0 || number * units[u].ns > 1e18) continue;
		*out_ns = (uint64_t)(number * units[u].ns + 0.5);
		return true;
	}
	return false;
}

static bool read_kind(const words *line, hy_sched_event_kind *out_kind)
{
	static const char *const verbs[] = {"speed", "dies", "hangs", "returns", "joins"};
	for (uint32_t v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++) {
		if (!is_word(line, 1, verbs[v])) continue;
		*out_kind = (hy_sched_event_kind)v;
		return true;
	}
	return false;
}

static bool read_factor(const words *line, double *out_factor)
{
	char *end;
	const double number = strtod(line->words[3], &end);
	if ((size_t)(end - line->words[3]) != line->lengths[3] || !(number >= 0 && number <= 1e6)) return false;
	*out_factor = number;
	return true;
}

static void add(reading *reader, const words *line, hy_sched_event event)
{
	if (reader->script.count == MOST_EVENTS) {
		if (reader->faults_length == 0) fault(reader, line, 0, "too many events: 4096 is the limit");
		return;
	}
	if (reader->script.count == reader->room) {
		const uint32_t room = reader->room * 2 + 16;
		hy_sched_event *more = realloc(reader->script.events, room * sizeof(*more));
		if (more == NULL) {
			reader->no_memory = true;
			return;
		}
		reader->script.events = more;
		reader->room = room;
	}
	event.devices = strndup(line->words[2], line->lengths[2]);
	if (event.devices == NULL) {
		reader->no_memory = true;
		return;
	}
	uint32_t place = reader->script.count++; /* in the order of time, then of lines */
	for (; place > 0 && reader->script.events[place - 1].at_ns > event.at_ns; place--)
		reader->script.events[place] = reader->script.events[place - 1];
	reader->script.events[place] = event;
}

static void read_line(reading *reader, const words *line)
{
	hy_sched_event event = {.factor = 1};
	const size_t before = reader->faults_length;
	if (!read_time(line, &event.at_ns)) fault(reader, line, 0, "not a time: write 5s, 300ms or 1.5min");
	if (line->count < 2 || !read_kind(line, &event.kind)) {
		fault(reader, line, 1, "what happens? write speed, dies, hangs, returns or joins");
		return;
	}
	if (line->count < 3) {
		fault(reader, line, 2, "which devices? write a name or a pattern, as node01/cuda:*");
		return;
	}
	const bool has_factor = event.kind == HY_SCHED_EVENT_SPEED;
	if (has_factor && (line->count < 4 || !read_factor(line, &event.factor)))
		fault(reader, line, 3, "how fast? write a factor, 0.5 for half the speed");
	if (line->count > (has_factor ? 4u : 3u)) fault(reader, line, has_factor ? 4 : 3, "nothing more is expected");
	if (reader->faults_length == before) add(reader, line, event);
}

/* Splits one line; words are lent by text. Answers the next line, or NULL. */
static const char *split(const char *text, words *line)
{
	const char *begin = text;
	line->count = 0;
	line->number++;
	while (*text != '\0' && *text != '\n' && *text != '#') {
		if (isspace((unsigned char)*text)) {
			text++;
			continue;
		}
		const char *word = text;
		while (*text != '\0' && *text != '#' && !isspace((unsigned char)*text))
			text++;
		if (line->count == MOST_WORDS) continue;
		line->words[line->count] = word;
		line->columns[line->count] = (uint32_t)(word - begin) + 1;
		line->lengths[line->count++] = (uint32_t)(text - word);
	}
	text += strcspn(text, "\n");
	return *text == '\n' ? text + 1 : NULL;
}

hy_status hy_sched_script_parse(const char *name, const char *text, hy_sched_script *out_script, hy_error *error)
{
	reading reader = {.faults_length = 0};
	words line = {.name = name};
	for (const char *next = text; next != NULL && !reader.no_memory;) {
		next = split(next, &line);
		if (line.count > 0) read_line(&reader, &line);
	}
	if (reader.no_memory || reader.faults_length > 0) {
		hy_sched_script_finish(&reader.script);
		return reader.no_memory ? hy_error_set(error, HY_NO_MEMORY, "no memory for the script %s", name)
		                        : hy_error_set(error, HY_INVALID, "%s", reader.faults);
	}
	*out_script = reader.script;
	return HY_OK;
}

hy_status hy_sched_script_load(const char *path, hy_sched_script *out_script, hy_error *error)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) return hy_error_set(error, HY_NOT_FOUND, "%s: %s", path, strerror(errno));
	char *text = malloc(MOST_BYTES + 1);
	const size_t length = text != NULL ? fread(text, 1, MOST_BYTES + 1, file) : 0;
	const bool failed = ferror(file) != 0;
	fclose(file);
	hy_status status = HY_OK;
	if (text == NULL)
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for the script %s", path);
	else if (failed || length > MOST_BYTES || memchr(text, '\0', length) != NULL)
		status = hy_error_set(error, HY_INVALID, "%s:1:1: not a script: lines of text, at most 1 MiB", path);
	if (status == HY_OK) {
		text[length] = '\0';
		status = hy_sched_script_parse(path, text, out_script, error);
	}
	free(text);
	return status;
}

void hy_sched_script_finish(hy_sched_script *script)
{
	for (uint32_t i = 0; i < script->count; i++)
		free((void *)(uintptr_t)script->events[i].devices);
	free(script->events);
	*script = (hy_sched_script){0};
}
