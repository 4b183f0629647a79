#include "test.h"

#include <halyard/conform.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTS HY_SOURCE_DIR "/conformance/lists"

/* "L1 P13 1.0 memory.copy.plain" of each line but the first, which says "# suite 1.0.0, list <hash>". */
typedef struct frozen {
	char head[128];
	char lines[4096][160];
	uint32_t count;
} frozen;

static frozen *read_list(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), LISTS "/%s", name);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	frozen *list = calloc(1, sizeof(*list));
	assert_non_null(list);
	assert_non_null(fgets(list->head, sizeof(list->head), file));
	list->head[strcspn(list->head, "\n")] = '\0';
	while (list->count < 4096 && fgets(list->lines[list->count], sizeof(list->lines[0]), file) != NULL) {
		list->lines[list->count][strcspn(list->lines[list->count], "\n")] = '\0';
		list->count++;
	}
	fclose(file);
	return list;
}

static void print_case(const hy_conform_case_info *info, char *out, size_t length)
{
	snprintf(out, length, "L%d %s %s %s", (int)info->level, info->rule, info->since, info->id);
}

static void list_of_this_version_is_the_frozen_one(void **state)
{
	(void)state;
	char name[32], text[256];
	snprintf(name, sizeof(name), "%.*s.txt",
	         (int)(strrchr(HY_CONFORM_SUITE_VERSION, '.') - HY_CONFORM_SUITE_VERSION), HY_CONFORM_SUITE_VERSION);
	frozen *list = read_list(name);
	snprintf(text, sizeof(text), "# suite %s, list %016llx", HY_CONFORM_SUITE_VERSION,
	         (unsigned long long)hy_conform_list_hash());
	assert_string_equal(list->head, text);
	assert_int_equal(list->count, hy_conform_case_count());
	for (uint32_t i = 0; i < list->count; i++) {
		print_case(hy_conform_case_at(i), text, sizeof(text));
		assert_string_equal(list->lines[i], text);
	}
	free(list);
}

static void cases_of_older_versions_are_still_there(void **state)
{
	(void)state;
	DIR *folder = opendir(LISTS);
	assert_non_null(folder);
	uint32_t lists = 0;
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (strstr(entry->d_name, ".txt") == NULL) continue;
		lists++;
		frozen *list = read_list(entry->d_name);
		for (uint32_t i = 0, at = 0; i < list->count; i++) {
			char text[256] = "";
			uint32_t looked = 0;
			while (looked++ < hy_conform_case_count() && strcmp(text, list->lines[i]) != 0) {
				print_case(hy_conform_case_at(at), text, sizeof(text));
				at = (at + 1) % hy_conform_case_count();
			}
			assert_string_equal(text, list->lines[i]);
		}
		free(list);
	}
	closedir(folder);
	assert_true(lists > 0);
}

static void at_most_15_of_100_cases_are_unproven(void **state)
{
	(void)state;
	uint32_t unproven = 0;
	for (uint32_t i = 0; i < hy_conform_case_count(); i++)
		unproven += hy_conform_case_at(i)->proven_by[0] == '\0';
	assert_true(unproven * 100 <= hy_conform_case_count() * 15);
}

static void every_mutant_is_noticed_by_a_case(void **state)
{
	(void)state;
	static const int mutants[] = {
#define MUTANT(number, name, group) number,
#include "../reference/mutants.def"
#undef MUTANT
	};
	for (size_t m = 0; m < sizeof(mutants) / sizeof(mutants[0]); m++) {
		char number[16], padded[1024];
		bool noticed = false;
		snprintf(number, sizeof(number), " %d ", mutants[m]);
		for (uint32_t i = 0; i < hy_conform_case_count() && !noticed; i++) {
			snprintf(padded, sizeof(padded), " %s ", hy_conform_case_at(i)->proven_by);
			noticed = strstr(padded, number) != NULL;
		}
		assert_string_equal(noticed ? "" : number, "");
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(list_of_this_version_is_the_frozen_one),
		CASE(cases_of_older_versions_are_still_there),
		CASE(at_most_15_of_100_cases_are_unproven),
		CASE(every_mutant_is_noticed_by_a_case),
	};
	return cmocka_run_group_tests_name("conformance.list", cases, NULL, NULL);
}
