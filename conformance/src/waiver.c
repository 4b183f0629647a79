/* Waivers. */
#include "waiver.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 256 };

typedef struct waiver {
	char glob[128], reason[256];
} waiver;

struct conform_waivers {
	uint32_t count;
	waiver items[MOST];
};

static char *trimmed(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	return text;
}

/* Days are compared as text: YYYY-MM-DD sorts. */
static bool date_is_legal(const char *text)
{
	int year, month, day, end = 0;
	return sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &end) == 3 && end == 10 && text[10] == '\0' &&
	       month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static const char *read_line(char *line, waiver *out)
{
	char *parts[4] = {line};
	for (int i = 1; i < 4; i++) {
		parts[i] = strchr(parts[i - 1], '|');
		if (parts[i] == NULL) return "four parts are needed: case | expires YYYY-MM-DD | approver | reason";
		*parts[i]++ = '\0';
	}
	for (int i = 0; i < 4; i++)
		parts[i] = trimmed(parts[i]);
	if (strncmp(parts[1], "expires ", 8) != 0 || !date_is_legal(trimmed(parts[1] + 8)))
		return "the second part is not 'expires YYYY-MM-DD'";
	char today[16];
	const time_t now = time(NULL);
	struct tm day;
	strftime(today, sizeof(today), "%Y-%m-%d", gmtime_r(&now, &day));
	if (strcmp(trimmed(parts[1] + 8), today) < 0) return "this waiver has expired";
	if (parts[2][0] == '\0' || parts[3][0] == '\0') return "approver and reason may not be empty";
	if (strncmp(parts[0], "abi.", 4) == 0 || parts[0][0] == '*') return "cases of group abi can't be waived";
	if (strlen(parts[0]) >= sizeof(out->glob)) return "the case name is too long";
	snprintf(out->glob, sizeof(out->glob), "%s", parts[0]);
	snprintf(out->reason, sizeof(out->reason), "%s (%s)", parts[3], parts[2]);
	return NULL;
}

hy_status conform__waivers_load(const char *path, conform_waivers **out_waivers, hy_error *error)
{
	*out_waivers = NULL;
	if (path == NULL) return HY_OK;
	FILE *file = fopen(path, "re");
	if (file == NULL) return hy_error_set(error, HY_NOT_FOUND, "%s can't be read", path);
	conform_waivers *waivers = calloc(1, sizeof(*waivers));
	hy_status status = waivers == NULL ? hy_error_set(error, HY_NO_MEMORY, "no memory for waivers") : HY_OK;
	char line[1024];
	for (int number = 1; status == HY_OK && fgets(line, sizeof(line), file) != NULL; number++) {
		char *text = trimmed(line);
		if (text[0] == '\0' || text[0] == '#') continue;
		const char *fault = waivers->count == MOST ? "too many waivers"
		                                           : read_line(text, &waivers->items[waivers->count]);
		if (fault != NULL)
			status = hy_error_set(error, HY_INVALID, "%s:%d: %s", path, number, fault);
		else
			waivers->count++;
	}
	fclose(file);
	if (status != HY_OK) {
		free(waivers);
		return status;
	}
	*out_waivers = waivers;
	return HY_OK;
}

void conform__waivers_free(conform_waivers *waivers)
{
	free(waivers);
}

const char *conform__waivers_find(const conform_waivers *waivers, const char *id)
{
	for (uint32_t i = 0; waivers != NULL && i < waivers->count; i++)
		if (fnmatch(waivers->items[i].glob, id, 0) == 0) return waivers->items[i].reason;
	return NULL;
}
