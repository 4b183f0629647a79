/* The command line of halyard-conformance, parsed by the table <halyard/conform/options.def>. */
#ifndef HY_CONFORM_PRIVATE_OPTIONS_H
#define HY_CONFORM_PRIVATE_OPTIONS_H

#include <halyard/conform.h>

#include <stdio.h>

/* What was asked for; texts are lent by argv, but for joined lists. */
typedef struct conform_cli {
	hy_conform_options run;
	uint32_t verbose;
	bool list, with_cost, merge, self_test, json, version, help;
	const char *verify, *minimise;
	uint32_t operand_count;
	const char *const *operands;
} conform_cli;

/* INVALID says what is wrong and what would be right. Not reentrant (getopt_long). */
hy_status conform__options_parse(int argc, char **argv, conform_cli *out_cli, hy_error *error);
void conform__options_finish(conform_cli *cli);
void conform__options_help(FILE *file);

#endif
