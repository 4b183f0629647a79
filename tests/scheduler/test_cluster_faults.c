/* Wrong descriptions: each file in cluster/ ends in comments that say what must be said about it, "# >>> LINE:COLUMN:
 * text", all of it and in that order. `scheduler_test_cluster_faults --update` writes them anew; read the difference. */
#include "test.h"

#include <halyard/cluster.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER HY_SOURCE_DIR "/tests/scheduler/cluster"
#define MARK "# >>> "

static bool update;

static char *slurp(const char *path, size_t *out_length)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	char *text = calloc(1, 65536);
	*out_length = fread(text, 1, 65535, file);
	fclose(file);
	return text;
}

/* What is said about a description, as the comments have it. */
static char *faults_of(const char *text, size_t length)
{
	hy_error error = {0};
	hy_sched_cluster *cluster = NULL;
	hy_sched_faults faults;
	char *said = NULL;
	size_t said_length;
	FILE *stream = open_memstream(&said, &said_length);
	EXPECT_STATUS(HY_INVALID, hy_sched_cluster_parse("x", text, length, &cluster, &faults, &error));
	assert_null(cluster);
	assert_true(faults.count > 0);
	for (uint32_t i = 0; i < faults.count; i++)
		fprintf(stream, MARK "%u:%u: %s\n", faults.items[i].line, faults.items[i].column, faults.items[i].text);
	fclose(stream);
	hy_sched_faults_finish(&faults);
	return said;
}

static void judge(const char *name)
{
	char path[512];
	size_t length;
	snprintf(path, sizeof(path), "%s/%s", FOLDER, name);
	char *text = slurp(path, &length), *wanted = strstr(text, MARK);
	const size_t body = wanted == NULL ? length : (size_t)(wanted - text);
	char *said = faults_of(text, body);
	if (update) {
		FILE *file = fopen(path, "wb");
		fwrite(text, 1, body, file);
		fputs(said, file);
		fclose(file);
	} else if (wanted == NULL || strcmp(wanted, said) != 0) {
		fail_msg("%s: wanted\n%snot\n%s", name, wanted == NULL ? "" : wanted, said);
	}
	free(said);
	free(text);
}

static void every_fault_of_every_file_is_told_at_its_place(void **state)
{
	(void)state;
	struct dirent **entries = NULL;
	const int count = scandir(FOLDER, &entries, NULL, alphasort);
	uint32_t judged = 0;
	for (int i = 0; i < count; i++) {
		const size_t length = strlen(entries[i]->d_name);
		if (length > 5 && strcmp(entries[i]->d_name + length - 5, ".yaml") == 0) {
			judge(entries[i]->d_name);
			judged++;
		}
		free(entries[i]);
	}
	free(entries);
	assert_true(judged >= 30);
}

static void a_file_that_is_not_there_or_no_text_is_refused(void **state)
{
	(void)state;
	hy_error error = {0};
	hy_sched_cluster *cluster = NULL;
	EXPECT_STATUS(HY_NOT_FOUND, hy_sched_cluster_load("/nowhere.yaml", &cluster, NULL, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_cluster_load("/", &cluster, NULL, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_cluster_parse("x", "kind: \0", 7, &cluster, NULL, &error));
	EXPECT_STATUS(HY_INVALID, hy_sched_cluster_parse("x", "kind: \xff", 7, &cluster, NULL, &error));
}

static void a_file_beyond_the_caps_is_refused_at_once(void **state)
{
	(void)state;
	hy_error error = {0};
	hy_sched_cluster *cluster = NULL;
	const size_t length = (1u << 20) + 1;
	char *text = malloc(length);
	memset(text, ' ', length);
	EXPECT_STATUS(HY_INVALID, hy_sched_cluster_parse("x", text, length, &cluster, NULL, &error));
	assert_string_equal(error.text, "x:1:1: larger than 1048576 bytes");
	memset(text, '[', length);
	EXPECT_STATUS(HY_INVALID, hy_sched_cluster_parse("x", text, length - 1, &cluster, NULL, &error));
	assert_non_null(strstr(error.text, "nested deeper than 16 levels"));
	for (size_t i = 0; i + 1 < length; i += 2)
		memcpy(text + i, i == 0 ? "[1" : ",1", 2);
	EXPECT_STATUS(HY_INVALID, hy_sched_cluster_parse("x", text, length - 1, &cluster, NULL, &error));
	assert_non_null(strstr(error.text, "too many values for one file"));
	free(text);
}

static void the_shipped_schema_is_what_the_table_says(void **state)
{
	(void)state;
	const char *path = HY_SOURCE_DIR "/scheduler/schema/halyard.cluster.v1.json";
	size_t length;
	char *schema = hy_sched_cluster_schema();
	assert_non_null(schema);
	if (update) {
		FILE *file = fopen(path, "wb");
		fprintf(file, "%s\n", schema);
		fclose(file);
	}
	char *shipped = slurp(path, &length);
	shipped[length - 1] = '\0'; /* the last line's end */
	assert_string_equal(shipped, schema);
	free(shipped);
	free(schema);
}

int main(int argc, char **argv)
{
	update = argc > 1 && strcmp(argv[1], "--update") == 0;
	const struct CMUnitTest cases[] = {
		CASE(every_fault_of_every_file_is_told_at_its_place),
		CASE(a_file_that_is_not_there_or_no_text_is_refused),
		CASE(a_file_beyond_the_caps_is_refused_at_once),
		CASE(the_shipped_schema_is_what_the_table_says),
	};
	return cmocka_run_group_tests_name("scheduler.cluster_faults", cases, NULL, NULL);
}
