/* results.jsonl, written line by line and read back with its chain. */
#include "results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 20, LINES_MAX = 100000 };

static const char chain_head[] = ",\"chain\":\"";

static void chain_begin(char chain[CONFORM_DIGEST])
{
	memset(chain, '0', CONFORM_DIGEST - 1);
	chain[CONFORM_DIGEST - 1] = '\0';
}

hy_status conform__results_create(conform_results *out_results, const char *path, hy_error *error)
{
	conform_results results = {.records = json_array()};
	chain_begin(results.chain);
	if (path != NULL && (results.file = fopen(path, "we")) == NULL) {
		json_decref(results.records);
		return hy_error_set(error, HY_NOT_FOUND, "%s can't be written: %s", path, strerror(errno));
	}
	*out_results = results;
	return HY_OK;
}

static void write_line(FILE *file, const char *body, size_t length, const char *chain)
{
	if (file == NULL) return;
	fwrite(body, 1, length, file);
	fprintf(file, "%s%s\"}\n", chain_head, chain);
	fflush(file);
}

/* Writes a record's line to file, if there is one, and takes the chain further; false: no memory. */
static bool put_record(const json_t *record, FILE *file, char chain[CONFORM_DIGEST])
{
	char *body = record == NULL ? NULL : json_dumps(record, JSON_COMPACT);
	if (body == NULL) return false;
	conform__digest_pair(chain, CONFORM_DIGEST - 1, body, strlen(body), chain);
	write_line(file, body, strlen(body) - 1, chain);
	free(body);
	return true;
}

void conform__results_add(conform_results *results, json_t *take_record)
{
	if (put_record(take_record, results->file, results->chain))
		json_array_append_new(results->records, take_record);
	else
		json_decref(take_record);
}

char *conform__results_print(const json_t *records, char out_chain[CONFORM_DIGEST])
{
	char *text = NULL;
	size_t length = 0, i;
	const json_t *record;
	FILE *file = open_memstream(&text, &length);
	if (file == NULL) return NULL;
	bool whole = true;
	chain_begin(out_chain);
	json_array_foreach(records, i, record) whole = put_record(record, file, out_chain) && whole;
	if (fclose(file) == 0 && whole) return text;
	free(text);
	return NULL;
}

void conform__results_finish(conform_results *results)
{
	if (results->file != NULL) fclose(results->file);
	json_decref(results->records);
	*results = (conform_results){.file = NULL};
}

/* A line without its end of line; chain is that of the line before, and becomes that of this one. */
static const char *parse_line(const char *line, size_t length, char chain[CONFORM_DIGEST], json_t **out_record)
{
	const size_t head = sizeof(chain_head) - 1, tail = head + CONFORM_DIGEST - 1 + 2;
	if (length > LINE_MAX_BYTES) return "the line is longer than a mebibyte";
	if (length < tail + 2 || memcmp(line + length - tail, chain_head, head) != 0 || line[length - 1] != '}')
		return "the line does not end with its chain";
	char *body = malloc(length - tail + 2);
	if (body == NULL) return "no memory";
	memcpy(body, line, length - tail);
	body[length - tail] = '}';
	conform__digest_pair(chain, CONFORM_DIGEST - 1, body, length - tail + 1, chain);
	const bool holds = memcmp(chain, line + length - tail + head, CONFORM_DIGEST - 1) == 0;
	*out_record = holds ? json_loadb(body, length - tail + 1, JSON_REJECT_DUPLICATES, NULL) : NULL;
	free(body);
	if (!holds) return "its chain does not fit: this line was changed, or one before it added or left out";
	return json_is_object(*out_record) ? NULL : "the line is no JSON object";
}

hy_status conform__results_parse(const char *text, size_t length, const char *name, json_t **out_records,
                                 hy_error *error)
{
	char chain[CONFORM_DIGEST];
	const char *fault = NULL;
	json_t *records = json_array();
	chain_begin(chain);
	size_t number = 1;
	for (const char *line = text; fault == NULL && line < text + length; number++) {
		const char *end = memchr(line, '\n', (size_t)(text + length - line));
		json_t *record = NULL;
		if (end == NULL)
			fault = "the last line is not ended";
		else if (number > LINES_MAX)
			fault = "too many lines";
		else
			fault = parse_line(line, (size_t)(end - line), chain, &record);
		if (fault == NULL)
			json_array_append(records, record);
		else
			hy_error_set(error, HY_INVALID, "%s:%zu: %s", name, number, fault);
		json_decref(record);
		if (end != NULL) line = end + 1;
	}
	if (fault != NULL) {
		json_decref(records);
		return HY_INVALID;
	}
	*out_records = records;
	return HY_OK;
}
