/* A folder for a test program's files, removed at its end; and runs of the suite on the built plugins. */
#ifndef HY_CONFORM_TEST_FOLDER_H
#define HY_CONFORM_TEST_FOLDER_H

#include "test.h"

#include <halyard/conform.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static int folder_setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/halyard-conformance-XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int folder_remove(const char *path, const struct stat *info, int kind, struct FTW *level)
{
	(void)info, (void)kind, (void)level;
	return remove(path);
}

static int folder_teardown(void **state)
{
	(void)state;
	return nftw(folder, folder_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* folder/name; lent until the sixteenth call after it. */
static inline const char *in_folder(const char *name)
{
	static char paths[16][256];
	static int next;
	char *path = paths[next++ % 16];
	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* The file's bytes with a zero behind; the caller frees them. */
static inline char *read_whole(const char *path)
{
	FILE *file = fopen(path, "re");
	if (file == NULL) fail_msg("%s is not there", path);
	char *text = calloc(1, 8 << 20);
	assert_true(fread(text, 1, (8 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

static inline void write_whole(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* The reference plugin with one fault (reference/mutants.def); 0: none. Lent as in_folder. */
static inline const char *mutant(int number)
{
	char name[64], block[65536];
	snprintf(name, sizeof(name), "reference-%d.so", number);
	const char *path = in_folder(name);
	FILE *from = fopen(getenv("HY_REFERENCE"), "re"), *to = fopen(path, "we");
	assert_true(from != NULL && to != NULL);
	for (size_t count; (count = fread(block, 1, sizeof(block), from)) > 0;)
		assert_true(fwrite(block, 1, count, to) == count);
	fclose(from);
	fclose(to);
	return path;
}

static inline hy_conform_options options_for(const char *plugin, hy_conform_level level)
{
	return (hy_conform_options){.size = sizeof(hy_conform_options),
	                            .plugin = plugin,
	                            .worker = getenv("HY_WORKER"),
	                            .level = level,
	                            .batch = 64};
}

#endif
