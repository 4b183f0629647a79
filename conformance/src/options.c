/* Parses argv by the table: one getopt_long table, values checked by kind. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

typedef enum kind { FLAG, TIMES, COUNT, NUMBER, TEXT, LIST, LEVEL, SHARD, ISOLATION, SEED } kind;

typedef struct row {
	const char *heading; /* of a section, else NULL */
	const char *name, *argument, *help;
	int letter;
	kind kind;
	size_t offset; /* in conform_cli */
} row;

static const row rows[] = {
#define SECTION(text) {.heading = text},
#define OPTION(field, name, letter, kind, argument, help) \
	{NULL, name, argument, help, letter, kind, offsetof(conform_cli, field)},
#include <halyard/conform/options.def>
#undef OPTION
#undef SECTION
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), LONG_ONLY = 256 }; /* getopt's value of row i is LONG_ONLY + i */

/* ---- values ---- */

static bool read_count(const char *text, uint64_t most, uint64_t *out_value)
{
	char *end;
	errno = 0;
	*out_value = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0' && strchr(text, '-') == NULL && *out_value <= most;
}

static bool read_shard(const char *text, hy_conform_options *run)
{
	unsigned shard, count;
	int end = 0;
	if (sscanf(text, "%4u/%4u%n", &shard, &count, &end) != 2 || text[end] != '\0') return false;
	run->shard = shard;
	run->shard_count = count;
	return shard >= 1 && shard <= count;
}

static bool read_isolation(const char *text, hy_conform_options *run)
{
	uint64_t batch = 1;
	if (strcmp(text, "none") == 0)
		batch = UINT32_MAX;
	else if (strcmp(text, "case") != 0 &&
	         (strncmp(text, "batch:", 6) != 0 || !read_count(text + 6, 1000000, &batch) || batch == 0))
		return false;
	run->batch = (uint32_t)batch;
	return true;
}

static bool read_seed(const char *text, hy_conform_options *run)
{
	if (strcmp(text, "random") != 0) return read_count(text, UINT64_MAX, &run->seed);
	uint32_t drawn = 0;
	if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn)) return false;
	run->seed = (uint64_t)drawn + 1;
	return true;
}

static bool join(const char **list, const char *text)
{
	char *joined = NULL;
	if (asprintf(&joined, "%s%s%s", *list != NULL ? *list : "", *list != NULL ? "," : "", text) < 0) return false;
	free((void *)(uintptr_t)*list);
	*list = joined;
	return true;
}

static bool store(conform_cli *cli, const row *r, const char *text)
{
	void *const field = (char *)cli + r->offset;
	uint64_t value = 0;
	char *end;
	switch (r->kind) {
	case FLAG:
		*(bool *)field = true;
		return true;
	case TIMES:
		++*(uint32_t *)field;
		return true;
	case COUNT:
		if (!read_count(text, UINT32_MAX, &value)) return false;
		*(uint32_t *)field = (uint32_t)value;
		return true;
	case NUMBER:
		*(double *)field = strtod(text, &end);
		return end != text && *end == '\0' && isfinite(*(double *)field) && *(double *)field > 0;
	case TEXT:
		*(const char **)field = text;
		return true;
	case LIST:
		return join(field, text);
	case LEVEL:
		if (text[0] != 'L' || text[1] < '0' || text[1] > '3' || text[2] != '\0') return false;
		*(hy_conform_level *)field = (hy_conform_level)(text[1] - '0');
		return true;
	case SHARD:
		return read_shard(text, &cli->run);
	case ISOLATION:
		return read_isolation(text, &cli->run);
	case SEED:
		return read_seed(text, &cli->run);
	}
	return false;
}

/* ---- the line ---- */

static const row *row_of(int answer)
{
	if (answer >= LONG_ONLY) return &rows[answer - LONG_ONLY];
	for (int i = 0; i < ROWS; i++)
		if (rows[i].letter == answer) return &rows[i];
	return NULL;
}

static hy_status check(const conform_cli *cli, hy_error *error)
{
	if (cli->help || cli->list || cli->version || cli->self_test) return HY_OK;
	if (cli->merge && (cli->run.out == NULL || cli->operand_count == 0))
		return hy_error_set(error, HY_INVALID, "--merge needs --out DIR and the folders to merge");
	if (!cli->merge && cli->operand_count > 0)
		return hy_error_set(error, HY_INVALID, "'%s' is one argument too many; see --help", cli->operands[0]);
	if (cli->run.formats != NULL && cli->run.out == NULL)
		return hy_error_set(error, HY_INVALID, "--format needs --out DIR");
	if (!cli->merge && cli->verify == NULL && cli->run.plugin == NULL)
		return hy_error_set(error, HY_INVALID, "--plugin PATH is missing; see --help");
	return HY_OK;
}

hy_status conform__options_parse(int argc, char **argv, conform_cli *out_cli, hy_error *error)
{
	struct option table[ROWS + 1] = {{0}};
	char letters[2 * ROWS + 2] = ":";
	size_t count = 0, length = 1;
	for (int i = 0; i < ROWS; i++) {
		if (rows[i].heading != NULL) continue;
		const bool valued = rows[i].argument != NULL;
		table[count++] = (struct option){rows[i].name, valued ? required_argument : no_argument, NULL,
		                                 LONG_ONLY + i};
		if (rows[i].letter == 0) continue;
		letters[length++] = (char)rows[i].letter;
		if (valued) letters[length++] = ':';
	}
	letters[length] = '\0';
	conform_cli cli = {.run = {.size = sizeof(cli.run), .level = HY_CONFORM_L1}};
	hy_status status = HY_OK;
	optind = 0; /* glibc: start afresh */
	opterr = 0;
	for (int answer; status == HY_OK && (answer = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
		const char *word = argv[optind - 1];
		if (answer == '?')
			status = hy_error_set(error, HY_INVALID, "no option %s; see --help", word);
		else if (answer == ':')
			status = hy_error_set(error, HY_INVALID, "%s needs a value; see --help", word);
		else if (!store(&cli, row_of(answer), optarg))
			status = hy_error_set(error, HY_INVALID, "--%s: '%s' is not %s", row_of(answer)->name, optarg,
			                      row_of(answer)->argument);
	}
	cli.operand_count = (uint32_t)(argc - optind);
	cli.operands = (const char *const *)argv + optind;
	if (status == HY_OK) status = check(&cli, error);
	if (status == HY_OK)
		*out_cli = cli;
	else
		conform__options_finish(&cli);
	return status;
}

void conform__options_finish(conform_cli *cli)
{
	for (int i = 0; i < ROWS; i++)
		if (rows[i].heading == NULL && rows[i].kind == LIST) free(*(void **)((char *)cli + rows[i].offset));
	*cli = (conform_cli){.list = false};
}

void conform__options_help(FILE *file)
{
	fputs("usage: halyard-conformance --plugin PATH [option...]\n"
	      "       halyard-conformance --merge --out DIR SHARD-DIR...\n",
	      file);
	for (int i = 0; i < ROWS; i++) {
		const row *const r = &rows[i];
		char left[64], letter[8] = "    ";
		if (r->heading != NULL) {
			fprintf(file, "\n%s\n", r->heading);
			continue;
		}
		if (r->letter != 0) snprintf(letter, sizeof(letter), "-%c, ", r->letter);
		snprintf(left, sizeof(left), "%s--%s %s", letter, r->name, r->argument != NULL ? r->argument : "");
		fprintf(file, "  %-33s %s\n", left, r->help);
	}
	fputs("\nexit status: 0 conformant, 1 not conformant, 2 usage or a file that can't be used, 3 no judgement or "
	      "a\n"
	      "submission refused, 4 plugin not loaded, 5 partial run\n",
	      file);
}
