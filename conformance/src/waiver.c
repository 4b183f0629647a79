/* Waivers. */
#include "waiver.h"

#include "case.h"
#include "digest.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 256, BYTES_MAX = 1 << 18, PARTS = 5 };

struct conform_waivers {
	uint32_t count;
	char digest[CONFORM_DIGEST];
	char *text;
	conform_waiver items[MOST];
};

static char *trimmed(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	return text;
}

/* ---- a line ---- */

/* Days are compared as text: YYYY-MM-DD sorts. */
static bool date_is_legal(const char *text)
{
	int year, month, day, end = 0;
	return sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3 && end == 10 && text[10] == '\0' &&
	       month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static const char *judge_glob(const char *glob)
{
	uint32_t count, matched = 0;
	const conform_case *cases = conform__suite_cases(&count);
	for (uint32_t i = 0; i < count; i++) {
		if (fnmatch(glob, cases[i].info.id, 0) != 0) continue;
		if (strcmp(cases[i].info.group, "abi") == 0) return "cases of group abi can't be waived";
		matched++;
	}
	return matched == 0 ? "no case of this suite has such a name; --list prints them" : NULL;
}

static const char *const condition_names[] = {"plugin=", "version=", "device=", "driver="};
enum { CONDITIONS = sizeof(condition_names) / sizeof(condition_names[0]) };

/* Which condition a word is, or -1. */
static int condition_of(const char *word)
{
	for (int i = 0; i < CONDITIONS; i++)
		if (strncmp(word, condition_names[i], strlen(condition_names[i])) == 0) return i;
	return -1;
}

static const char *read_conditions(const char *text, conform_waiver *out)
{
	char words[sizeof(out->conditions)], *rest = NULL;
	snprintf(words, sizeof(words), "%s", text);
	for (char *word = strtok_r(words, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
		if (strcmp(word, "allow=crash") == 0)
			out->crash = true;
		else if (condition_of(word) >= 0)
			out->applies = false; /* until the identity is known */
		else
			return "a condition is plugin=, version=, device=, driver= or allow=crash";
	}
	return NULL;
}

static const char *read_line(char *line, const char *today, conform_waiver *out)
{
	char *parts[PARTS] = {line, NULL, NULL, NULL, NULL};
	int count = 1;
	for (char *bar; count < PARTS && (bar = strchr(parts[count - 1], '|')) != NULL; count++) {
		*bar = '\0';
		parts[count] = bar + 1;
	}
	if (count < 4) return "four parts are needed: case | expires YYYY-MM-DD | approver | reason";
	for (int i = 0; i < count; i++)
		parts[i] = trimmed(parts[i]);
	if (strncmp(parts[1], "expires ", 8) != 0 || !date_is_legal(trimmed(parts[1] + 8)))
		return "the second part is not 'expires YYYY-MM-DD'";
	if (strcmp(trimmed(parts[1] + 8), today) < 0) return "this waiver has expired";
	if (parts[2][0] == '\0' || parts[3][0] == '\0') return "approver and reason may not be empty";
	const size_t rooms[PARTS] = {sizeof(out->glob), 64, sizeof(out->approver), sizeof(out->reason),
	                             sizeof(out->conditions)};
	for (int i = 0; i < count; i++)
		if (strlen(parts[i]) >= rooms[i]) return "a part is too long";
	snprintf(out->glob, sizeof(out->glob), "%s", parts[0]);
	snprintf(out->expires, sizeof(out->expires), "%s", trimmed(parts[1] + 8));
	snprintf(out->approver, sizeof(out->approver), "%s", parts[2]);
	snprintf(out->reason, sizeof(out->reason), "%s", parts[3]);
	snprintf(out->conditions, sizeof(out->conditions), "%s", count == PARTS ? parts[4] : "");
	out->crash = false;
	out->applies = true;
	const char *fault = read_conditions(out->conditions, out);
	return fault != NULL ? fault : judge_glob(out->glob);
}

/* ---- a file ---- */

static hy_status parse_lines(conform_waivers *waivers, FILE *lines, const char *name, const char *today,
                             hy_error *error)
{
	char line[2048];
	for (int number = 1; fgets(line, sizeof(line), lines) != NULL; number++) {
		const bool whole = strchr(line, '\n') != NULL || feof(lines);
		char *text = trimmed(line);
		if (whole && (text[0] == '\0' || text[0] == '#')) continue;
		const char *fault = !whole                   ? "the line is too long"
		                    : waivers->count == MOST ? "too many waivers"
		                                             : read_line(text, today, &waivers->items[waivers->count]);
		if (fault != NULL) return hy_error_set(error, HY_INVALID, "%s:%d: %s", name, number, fault);
		waivers->count++;
	}
	return HY_OK;
}

hy_status conform__waivers_parse(const char *text, size_t length, const char *name, const char *today,
                                 conform_waivers **out_waivers, hy_error *error)
{
	*out_waivers = NULL;
	char day[16];
	if (today == NULL) {
		const time_t now = time(NULL);
		struct tm parts;
		strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&now, &parts));
		today = day;
	}
	conform_waivers *waivers = calloc(1, sizeof(*waivers));
	FILE *lines = length > 0 ? fmemopen((void *)(uintptr_t)text, length, "r") : NULL;
	hy_status status = HY_OK;
	if (waivers == NULL || (waivers->text = strndup(text, length)) == NULL || (length > 0 && lines == NULL)) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for waivers");
		goto done;
	}
	conform__digest_pair(text, length, "", 0, waivers->digest);
	if (lines != NULL) status = parse_lines(waivers, lines, name, today, error);
	if (status != HY_OK) goto done;
	*out_waivers = waivers;
	waivers = NULL;
done:
	if (lines != NULL) fclose(lines);
	conform__waivers_free(waivers);
	return status;
}

hy_status conform__waivers_load(const char *path, const char *today, conform_waivers **out_waivers, hy_error *error)
{
	*out_waivers = NULL;
	if (path == NULL) return HY_OK;
	FILE *file = fopen(path, "re");
	if (file == NULL) return hy_error_set(error, HY_NOT_FOUND, "%s can't be read: %s", path, strerror(errno));
	char *text = malloc(BYTES_MAX);
	const size_t length = text == NULL ? 0 : fread(text, 1, BYTES_MAX, file);
	fclose(file);
	hy_status status = HY_OK;
	if (text == NULL)
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for waivers");
	else if (length == BYTES_MAX || memchr(text, '\0', length) != NULL)
		status = hy_error_set(error, HY_INVALID, "%s is no file of waivers: a text of at most %d KiB", path,
		                      BYTES_MAX / 1024);
	else
		status = conform__waivers_parse(text, length, path, today, out_waivers, error);
	free(text);
	return status;
}

void conform__waivers_free(conform_waivers *waivers)
{
	if (waivers == NULL) return;
	free(waivers->text);
	free(waivers);
}

/* ---- whom a waiver is for ---- */

/* value is matched by a glob, or lies in LOW..HIGH. */
static bool fits(const char *pattern, const char *value)
{
	const char *dots = strstr(pattern, "..");
	if (dots == NULL) return fnmatch(pattern, value, 0) == 0;
	char low[sizeof(((conform_waiver *)NULL)->conditions)];
	snprintf(low, sizeof(low), "%.*s", (int)(dots - pattern), pattern);
	return strverscmp(low, value) <= 0 && (dots[2] == '\0' || strverscmp(value, dots + 2) <= 0);
}

void conform__waivers_apply(conform_waivers *waivers, const conform_identity *identity)
{
	const char *const values[CONDITIONS] = {identity->plugin, identity->version, identity->device,
	                                        identity->driver};
	for (uint32_t i = 0; waivers != NULL && i < waivers->count; i++) {
		char words[sizeof(waivers->items[i].conditions)], *rest = NULL;
		snprintf(words, sizeof(words), "%s", waivers->items[i].conditions);
		bool applies = true;
		for (char *word = strtok_r(words, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
			const int condition = condition_of(word);
			if (condition < 0) continue;
			applies = applies && fits(strchr(word, '=') + 1, values[condition]);
		}
		waivers->items[i].applies = applies;
	}
}

uint32_t conform__waivers_items(const conform_waivers *waivers, const conform_waiver **out_items)
{
	*out_items = waivers == NULL ? NULL : waivers->items;
	return waivers == NULL ? 0 : waivers->count;
}

const char *conform__waivers_digest(const conform_waivers *waivers)
{
	return waivers == NULL ? "" : waivers->digest;
}

const char *conform__waivers_text(const conform_waivers *waivers)
{
	return waivers == NULL ? "" : waivers->text;
}

const conform_waiver *conform__waivers_find(const conform_waivers *waivers, const char *id)
{
	for (uint32_t i = 0; waivers != NULL && i < waivers->count; i++)
		if (waivers->items[i].applies && fnmatch(waivers->items[i].glob, id, 0) == 0) return &waivers->items[i];
	return NULL;
}

hy_conform_status conform__waiver_status(const conform_waiver *waiver, hy_conform_status status)
{
	if (waiver == NULL) return status;
	if (status == HY_CONFORM_PASS) return HY_CONFORM_XPASS;
	if (status == HY_CONFORM_FAIL || status == HY_CONFORM_FLAKY) return HY_CONFORM_WAIVED;
	return status == HY_CONFORM_CRASH && waiver->crash ? HY_CONFORM_WAIVED : status;
}
