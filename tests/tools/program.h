/* Running the program as a user does: through the shell, in a folder of its own. */
#ifndef HY_TEST_PROGRAM_H
#define HY_TEST_PROGRAM_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIGITS HY_SOURCE_DIR "/models/digits/"

static char program_folder[] = "/tmp/halyard-test-XXXXXX";
static char program_out[1 << 20], program_err[1 << 16];

static int program_setup(void **state)
{
	(void)state;
	return mkdtemp(program_folder) == NULL ? -1 : 0;
}

static int program_teardown(void **state)
{
	(void)state;
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", program_folder);
	return system(command);
}

static void program_read(const char *name, char *text, size_t length)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", program_folder, name);
	FILE *const file = fopen(path, "r");
	text[file != NULL ? fread(text, 1, length - 1, file) : 0] = '\0';
	if (file != NULL) fclose(file);
}

/* Runs a shell line with $halyard as the program; program_out and program_err are what it said. Returns its exit code. */
static int program_run(const char *line)
{
	char command[2048];
	snprintf(command, sizeof(command),
	         "cd %s && export XDG_CACHE_HOME=$PWD/cache halyard=%s/bin/halyard && digits=%s && { %s\n} >out 2>err </dev/null",
	         program_folder, HY_BINARY_DIR, DIGITS, line);
	const int status = system(command);
	program_read("out", program_out, sizeof(program_out));
	program_read("err", program_err, sizeof(program_err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The line exits with this code and says this on standard error. */
static inline void program_refuses(const char *line, int code, const char *says)
{
	const int got = program_run(line);
	if (got != code) fail_msg("%s: exit %d instead of %d: %s", line, got, code, program_err);
	if (strstr(program_err, says) == NULL) fail_msg("%s: does not say '%s' but: %s", line, says, program_err);
	const char *line_of_error = strstr(program_err, "halyard: ");
	if (line_of_error == NULL || (line_of_error != program_err && line_of_error[-1] != '\n'))
		fail_msg("%s: does not begin with its name: %s", line, program_err);
	if (program_out[0] != '\0') fail_msg("%s: a refusal prints no answer: %s", line, program_out);
}

static void program_answers(const char *line)
{
	const int got = program_run(line);
	if (got != 0) fail_msg("%s: exit %d: %s", line, got, program_err);
}

#endif
