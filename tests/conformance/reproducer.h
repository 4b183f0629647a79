/* One mutant of the reference plugin, a failing case of it made small, and the program that was written of it. */
#ifndef TEST_REPRODUCER_H
#define TEST_REPRODUCER_H

#include <halyard/conform.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct reproducer {
	char folder[64], mutant[128], program[128];
	hy_conform_minimised result;
} reproducer;

/* The exit status of a command without output; 128 and more: a signal. */
static inline int shell(const char *format, const char *a, const char *b, const char *c)
{
	char command[1024];
	snprintf(command, sizeof(command), format, a, b, c);
	const int status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Copies the reference plugin as mutant `number` into a new folder. */
static inline void reproducer_begin(int number, reproducer *out)
{
	snprintf(out->folder, sizeof(out->folder), "/tmp/halyard-minimise-XXXXXX");
	assert_non_null(mkdtemp(out->folder));
	snprintf(out->mutant, sizeof(out->mutant), "%s/reference-%d.so", out->folder, number);
	snprintf(out->program, sizeof(out->program), "%s/reproduce", out->folder);
	assert_int_equal(shell("cp '%s' '%s'%s", getenv("HY_REFERENCE"), out->mutant, ""), 0);
}

static inline hy_status reproducer_minimise(reproducer *self, const char *id, hy_error *error)
{
	const hy_conform_options options = {
		.size = sizeof(options), .plugin = self->mutant, .worker = getenv("HY_WORKER"), .timeout_scale = 0.5};
	return hy_conform_minimise(&options, id, self->folder, &self->result, error);
}

/* Without the suite: compiled against plugin.h alone, the mutant fails and the correct plugin holds. */
static inline void reproducer_prove(const reproducer *self)
{
	assert_int_equal(shell("${CC:-cc} $HY_CFLAGS -std=c11 -Wall -Wextra -Wpedantic -Werror -g -I '%s/hal/include' "
	                       "'%s/reproduce.c' -o '%s' -ldl -lpthread",
	                       HY_SOURCE_DIR, self->folder, self->program),
	                 0);
	const int broken = shell("'%s' >/dev/null 2>&1%s%s", self->program, "", "");
	if (broken != 1 && broken < 128) fail_msg("%s: the mutant gives %d", self->mutant, broken);
	const int correct = shell("'%s' '%s' >/dev/null 2>&1%s", self->program, getenv("HY_REFERENCE"), "");
	if (correct != 0) fail_msg("%s: the correct plugin gives %d", self->mutant, correct);
}

static inline void reproducer_end(const reproducer *self)
{
	assert_int_equal(shell("rm -r '%s'%s%s", self->folder, "", ""), 0);
}

#endif
