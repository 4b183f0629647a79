/* The reader of machine files. libyaml finds the events; tables of keys say what may stand where. The first fault ends
 * the reading: its line, column and a way out are the whole message. */
#include "sim_machine.h"

#include <halyard/plugin.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define MOST_BYTES (1u << 20)
#define MOST_KEYS 32u

typedef struct reader {
	const char *name;
	hy_error *error;
	hy_status status;
	yaml_parser_t parser;
	yaml_event_t event;
} reader;

typedef struct field {
	const char *key;
	bool required;
	size_t offset;
	void (*read)(reader *r, void *target); /* the event is the value's first; leaves its last */
} field;

static void fault(reader *r, yaml_mark_t at, const char *format, ...) HY_PRINTF(3, 4);
static void fault(reader *r, yaml_mark_t at, const char *format, ...)
{
	if (r->status != HY_OK) return;
	char text[384];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r->status = hy_error_set(r->error, HY_INVALID, "%s:%zu:%zu: %s", r->name, at.line + 1, at.column + 1, text);
}

static void next(reader *r)
{
	yaml_event_delete(&r->event);
	memset(&r->event, 0, sizeof(r->event));
	if (r->status != HY_OK) return;
	if (!yaml_parser_parse(&r->parser, &r->event)) {
		fault(r, r->parser.problem_mark, "%s", r->parser.problem != NULL ? r->parser.problem : "not YAML");
		return;
	}
	if (r->event.type == YAML_ALIAS_EVENT) fault(r, r->event.start_mark, "an alias (*): write the value out");
}

static const char *text_of(const reader *r)
{
	return (const char *)r->event.data.scalar.value;
}

/* Whether the event is a plain text of at least one character and no NUL inside. */
static bool expect_text(reader *r)
{
	if (r->status != HY_OK) return false;
	if (r->event.type == YAML_SCALAR_EVENT && text_of(r)[0] != '\0' &&
	    strlen(text_of(r)) == r->event.data.scalar.length)
		return true;
	fault(r, r->event.start_mark, "a single value is expected here");
	return false;
}

/* ---- near words ---- */

/* Letters to change, add or take to come from one word to the other; words are short. */
static size_t distance(const char *a, const char *b)
{
	size_t row[HY_SIM_NAME_BYTES + 1], length = strlen(b);
	if (length > HY_SIM_NAME_BYTES || strlen(a) > HY_SIM_NAME_BYTES) return SIZE_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t least = corner + (a[i - 1] != b[j - 1] ? 1 : 0);
			if (row[j] + 1 < least) least = row[j] + 1;
			if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
			corner = row[j];
			row[j] = least;
		}
	}
	return row[length];
}

static void unknown_key(reader *r, yaml_mark_t at, const char *key, size_t count, const field *fields)
{
	char all[256] = "";
	const char *near = NULL;
	size_t nearest = 3;
	for (size_t i = 0; i < count; i++) {
		const size_t length = strlen(all), apart = distance(key, fields[i].key);
		snprintf(all + length, sizeof(all) - length, "%s%s", i > 0 ? ", " : "", fields[i].key);
		if (apart >= nearest) continue;
		nearest = apart;
		near = fields[i].key;
	}
	if (near != NULL)
		fault(r, at, "unknown key '%.64s': did you mean '%s'?", key, near);
	else
		fault(r, at, "unknown key '%.64s': the keys here are %s", key, all);
}

/* ---- mappings and sequences ---- */

static void read_mapping(reader *r, void *target, size_t count, const field *fields)
{
	bool seen[MOST_KEYS] = {false};
	const yaml_mark_t start = r->event.start_mark;
	if (r->status == HY_OK && r->event.type != YAML_MAPPING_START_EVENT)
		fault(r, start, "'key: value' lines are expected here");
	for (next(r); r->status == HY_OK && r->event.type != YAML_MAPPING_END_EVENT; next(r)) {
		if (!expect_text(r)) return;
		const yaml_mark_t at = r->event.start_mark;
		size_t i = 0;
		while (i < count && strcmp(fields[i].key, text_of(r)) != 0)
			i++;
		if (i == count) {
			unknown_key(r, at, text_of(r), count, fields);
			return;
		}
		if (seen[i]) fault(r, at, "'%s' is there twice: keep one", fields[i].key);
		seen[i] = true;
		next(r);
		if (r->status == HY_OK) fields[i].read(r, (char *)target + fields[i].offset);
	}
	for (size_t i = 0; i < count; i++)
		if (fields[i].required && !seen[i]) fault(r, start, "'%s' is missing here", fields[i].key);
}

/* ---- values ---- */

static void copy_text(reader *r, char *target)
{
	if (!expect_text(r)) return;
	if (strlen(text_of(r)) < HY_SIM_NAME_BYTES)
		strcpy(target, text_of(r));
	else
		fault(r, r->event.start_mark, "longer than %u letters", HY_SIM_NAME_BYTES - 1);
}

static void read_name(reader *r, void *target)
{
	const yaml_mark_t at = r->event.start_mark;
	copy_text(r, target);
	if (r->status == HY_OK &&
	    strspn(target, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") != strlen(target))
		fault(r, at, "'%s': a name is letters, digits, '-', '.' and '_'", (const char *)target);
}

/* Decimal numbers with an exponent or a binary unit: 8, 1.5e12, 8GiB. */
static double number_of(reader *r)
{
	static const struct {
		const char *name;
		double factor;
	} units[] = {{"", 1}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}};
	if (!expect_text(r)) return 0;
	const char *text = text_of(r);
	char *end;
	const double value = strspn(text, "0123456789.") > 0 ? strtod(text, &end) : -1;
	for (size_t i = 0; value >= 0 && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].name) == 0 && value * units[i].factor <= 1e18) return value * units[i].factor;
	fault(r, r->event.start_mark, "'%.64s' is no number from 0 to 1e18: write 4096, 1.5e12 or 8GiB", text);
	return 0;
}

static void read_count(reader *r, void *target)
{
	const double value = number_of(r);
	*(uint64_t *)target = (uint64_t)value;
	if (r->status == HY_OK && value != (double)(uint64_t)value)
		fault(r, r->event.start_mark, "'%.64s' is no whole number", text_of(r));
}

static void read_rate(reader *r, void *target)
{
	read_count(r, target);
	if (r->status == HY_OK && *(uint64_t *)target == 0) fault(r, r->event.start_mark, "must be more than 0");
}

static void read_factor(reader *r, void *target)
{
	*(double *)target = number_of(r);
	if (r->status == HY_OK && !(*(double *)target >= 0.001 && *(double *)target <= 1e6))
		fault(r, r->event.start_mark, "must be from 0.001 to 1e6");
}

/* One of a few words; answers its number. */
static uint32_t word_of(reader *r, uint32_t count, const char *const *words)
{
	if (!expect_text(r)) return 0;
	char all[128] = "";
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(text_of(r), words[i]) == 0) return i;
		const size_t length = strlen(all);
		snprintf(all + length, sizeof(all) - length, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	fault(r, r->event.start_mark, "'%.64s' is none of: %s", text_of(r), all);
	return 0;
}

static void read_kind(reader *r, void *target)
{
	static const char *const words[] = {"cpu", "gpu", "npu", "other"};
	static const uint32_t kinds[] = {HY_KIND_CPU, HY_KIND_GPU, HY_KIND_NPU, HY_KIND_OTHER};
	*(uint32_t *)target = kinds[word_of(r, 4, words)];
}

static void read_numbers(reader *r, void *target)
{
	static const char *const words[] = {"none", "real"};
	*(bool *)target = word_of(r, 2, words) == 1;
}

static void read_regions(reader *r, void *target)
{
	static const char *const words[] = {"yes", "no"};
	*(bool *)target = word_of(r, 2, words) == 1;
}

static void read_yes(reader *r, void *target)
{
	static const char *const words[] = {"no", "yes"};
	*(bool *)target = word_of(r, 2, words) == 1;
}

static void read_clock(reader *r, void *target)
{
	static const char *const words[] = {"auto", "manual"};
	*(bool *)target = word_of(r, 2, words) == 1;
}

static void read_refused(reader *r, void *target)
{
	hy_sim_description *device = target;
	if (r->event.type != YAML_SEQUENCE_START_EVENT)
		fault(r, r->event.start_mark, "a list of operators is expected: [TopK, Gelu]");
	for (next(r); r->status == HY_OK && r->event.type != YAML_SEQUENCE_END_EVENT; next(r)) {
		if (device->refused_count == HY_SIM_MOST_REFUSED)
			fault(r, r->event.start_mark, "at most %u operators", HY_SIM_MOST_REFUSED);
		else
			copy_text(r, device->refused[device->refused_count++]);
	}
}

#define KEY(type, key, name, required, read)              \
	{                                                 \
		key, required, offsetof(type, name), read \
	}
#define COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

static const field link_fields[] = {
	KEY(hy_sim_description, "bandwidth", link_bandwidth, true, read_rate),
	KEY(hy_sim_description, "latency_ns", link_latency_ns, false, read_count),
};

static void read_link(reader *r, void *target)
{
	hy_sim_description *device = target;
	device->has_link = true;
	read_mapping(r, device, COUNT(link_fields), link_fields);
}

static const field fault_fields[] = {
	KEY(hy_sim_faults, "lost_after", lost_after, false, read_rate),
	KEY(hy_sim_faults, "alloc_fails_after", alloc_fails_after, false, read_rate),
	KEY(hy_sim_faults, "open_fails", open_fails, false, read_yes),
	KEY(hy_sim_faults, "slow", slow, false, read_factor),
};

static void read_faults(reader *r, void *target)
{
	read_mapping(r, target, COUNT(fault_fields), fault_fields);
}

static const field device_fields[] = {
	KEY(hy_sim_description, "name", name, true, read_name),
	KEY(hy_sim_description, "kind", kind, false, read_kind),
	KEY(hy_sim_description, "flops", flops, true, read_rate),
	KEY(hy_sim_description, "memory", memory_bytes, true, read_rate),
	KEY(hy_sim_description, "bandwidth", bandwidth, true, read_rate),
	KEY(hy_sim_description, "launch_ns", launch_ns, false, read_count),
	{"link", false, 0, read_link},
	KEY(hy_sim_description, "numbers", real_numbers, false, read_numbers),
	KEY(hy_sim_description, "regions", refuses_regions, false, read_regions),
	{"refuse", false, 0, read_refused},
	KEY(hy_sim_description, "faults", faults, false, read_faults),
};

static void read_devices(reader *r, void *target)
{
	hy_sim_machine *machine = target;
	if (r->event.type != YAML_SEQUENCE_START_EVENT)
		fault(r, r->event.start_mark, "a list of devices is expected: '- name: ...' lines");
	for (next(r); r->status == HY_OK && r->event.type != YAML_SEQUENCE_END_EVENT; next(r)) {
		if (machine->device_count == HY_SIM_MOST_DEVICES) {
			fault(r, r->event.start_mark, "at most %u devices", HY_SIM_MOST_DEVICES);
			return;
		}
		hy_sim_description *device = &machine->devices[machine->device_count++];
		const yaml_mark_t at = r->event.start_mark;
		device->kind = HY_KIND_OTHER;
		device->real_numbers = true;
		read_mapping(r, device, COUNT(device_fields), device_fields);
		for (uint32_t i = 0; i + 1 < machine->device_count; i++)
			if (strcmp(machine->devices[i].name, device->name) == 0)
				fault(r, at, "a device '%s' is there already: give each a name", device->name);
	}
}

static const field machine_fields[] = {
	KEY(hy_sim_machine, "clock", manual_clock, false, read_clock),
	{"devices", true, 0, read_devices},
};

/* ---- the whole ---- */

/* libyaml's words about a tab help nobody. */
static void check_tabs(reader *r, const unsigned char *bytes, size_t length)
{
	yaml_mark_t at = {0, 0, 0};
	for (size_t i = 0; i < length; i++, at.column++) {
		if (bytes[i] == '\t') {
			fault(r, at, "a tab: use spaces");
			return;
		}
		if (bytes[i] != '\n') continue;
		at.line++;
		at.column = (size_t)-1;
	}
}

hy_status hy_sim_yaml_parse(const char *name, const void *bytes, size_t length, hy_sim_machine *out_machine,
                            hy_error *error)
{
	reader r = {.name = name, .error = error};
	if (length > MOST_BYTES) return hy_error_set(error, HY_INVALID, "%s:1:1: larger than 1 MiB", name);
	hy_sim_machine *machine = calloc(1, sizeof(*machine));
	if (machine == NULL || !yaml_parser_initialize(&r.parser)) {
		free(machine);
		return hy_error_set(error, HY_NO_MEMORY, "%s: no memory to read it", name);
	}
	yaml_parser_set_input_string(&r.parser, bytes, length);
	check_tabs(&r, bytes, length);
	next(&r); /* stream start */
	next(&r); /* document start */
	if (r.status == HY_OK && r.event.type != YAML_DOCUMENT_START_EVENT)
		fault(&r, r.event.start_mark, "empty: it needs a 'devices:' list");
	next(&r);
	if (r.status == HY_OK) read_mapping(&r, machine, COUNT(machine_fields), machine_fields);
	next(&r); /* document end */
	next(&r);
	if (r.status == HY_OK && r.event.type != YAML_STREAM_END_EVENT)
		fault(&r, r.event.start_mark, "a second document: one file describes one machine");
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	if (r.status == HY_OK) *out_machine = *machine;
	free(machine);
	return r.status;
}

hy_status hy_sim_yaml_load(const char *path, hy_sim_machine *out_machine, hy_error *error)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) return hy_error_set(error, HY_NOT_FOUND, "%s: %s", path, strerror(errno));
	hy_status status = HY_OK;
	char *bytes = malloc(MOST_BYTES + 1);
	const size_t length = bytes != NULL ? fread(bytes, 1, MOST_BYTES + 1, file) : 0;
	if (bytes == NULL)
		status = hy_error_set(error, HY_NO_MEMORY, "%s: no memory to read it", path);
	else if (ferror(file))
		status = hy_error_set(error, HY_INVALID, "%s: cannot be read: %s", path, strerror(errno));
	else
		status = hy_sim_yaml_parse(path, bytes, length, out_machine, error);
	free(bytes);
	fclose(file);
	return status;
}
