/* Runs tests/ir/golden/NAME.ir: each case is a graph, the passes to run on it, and what they must leave.
 *
 *     # run: upgrade fold          the passes, in order
 *     graph "..." { ... }
 *     # >>>                        or "# refused: text", a part of the error's text
 *     graph "..." { ... }
 *
 * White space does not count. HY_GOLDEN_UPDATE=1 writes what the passes left into the file; review reads the diff. */
#include "test.h"

#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	hy_ir_pass pass;
} passes[] = {
	{"upgrade", hy_ir_pass_upgrade},   {"infer", hy_ir_pass_infer},           {"fold", hy_ir_pass_fold},
	{"simplify", hy_ir_pass_simplify}, {"batch_norm", hy_ir_pass_batch_norm}, {"dce", hy_ir_pass_dce},
	{"fuse", hy_ir_pass_fuse},         {"unfuse", hy_ir_pass_unfuse},
};

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) fail_msg("%s can't be opened", path);
	fseek(file, 0, SEEK_END);
	const long length = ftell(file);
	rewind(file);
	char *text = calloc((size_t)length + 1, 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)length, file), length);
	fclose(file);
	return text;
}

static bool same_words(const char *a, const char *b, size_t b_length)
{
	const char *end = b + b_length;
	for (;;) {
		while (isspace((unsigned char)*a))
			a++;
		while (b < end && isspace((unsigned char)*b))
			b++;
		if (*a == '\0' || b == end) return *a == '\0' && b == end;
		if (*a++ != *b++) return false;
	}
}

static hy_status run_pass(hy_ir_graph *graph, const char *name, size_t length, hy_error *error)
{
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		if (strlen(passes[i].name) != length || memcmp(passes[i].name, name, length) != 0) continue;
		const hy_status status = passes[i].pass(graph, NULL, error);
		return status == HY_OK ? hy_ir_verify(graph, error) : status;
	}
	fail_msg("no pass is named '%.*s'", (int)length, name);
	return HY_INTERNAL;
}

/* The text of what the passes leave, or the error's text and *out_refused. */
static char *run_case(const char *path, const char *line, const char *graph_text, size_t length, bool *out_refused)
{
	hy_error error = {.status = HY_OK};
	hy_ir_graph *graph = NULL;
	char *text = NULL;
	EXPECT_OK(hy_ir_text_parse(path, graph_text, length, &graph, &error));
	EXPECT_OK(hy_ir_verify(graph, &error));
	hy_status status = HY_OK;
	for (const char *at = line; status == HY_OK && *at != '\n' && *at != '\0';) {
		const size_t word = strcspn(at, " \n");
		if (word > 0) status = run_pass(graph, at, word, &error);
		at += word;
		at += strspn(at, " ");
	}
	*out_refused = status != HY_OK;
	if (status == HY_OK) {
		EXPECT_OK(hy_ir_text_print(graph, HY_IR_TEXT_FULL, &text, &error));
	} else {
		text = strdup(error.text);
	}
	hy_ir_graph_destroy(graph);
	assert_non_null(text);
	return text;
}

static void check_result(const char *path, const char *line, const char *result, bool refused, const char *marker,
                         const char *end)
{
	static const char refusal[] = "# refused: ", result_follows[] = "# >>>";
	const int line_length = (int)strcspn(line, "\n");
	const bool wants_refusal = strncmp(marker, refusal, sizeof(refusal) - 1) == 0;
	if (refused != wants_refusal) fail_msg("%s: case '%.*s':\n%s", path, line_length, line, result);
	if (refused) {
		char wanted[256];
		const char *text = marker + sizeof(refusal) - 1;
		snprintf(wanted, sizeof(wanted), "%.*s", (int)strcspn(text, "\n"), text);
		if (strstr(result, wanted) == NULL)
			fail_msg("%s: case '%.*s' says '%s', which lacks '%s'", path, line_length, line, result,
			         wanted);
		return;
	}
	const char *wanted = marker + sizeof(result_follows) - 1;
	if (!same_words(result, wanted, (size_t)(end - wanted)))
		fail_msg("%s: case '%.*s' leaves\n%s", path, line_length, line, result);
}

static void write_case(FILE *file, const char *from, const char *marker, const char *result, bool refused)
{
	fprintf(file, "%.*s", (int)(marker - from), from);
	fprintf(file, refused ? "# refused: %s\n" : "# >>>\n%s", result);
	fprintf(file, "\n");
}

static void run_file(void **state)
{
	static const char run[] = "# run:";
	char path[512];
	snprintf(path, sizeof(path), "%s/tests/ir/golden/%s.ir", HY_SOURCE_DIR, (const char *)*state);
	char *text = read_file(path);
	char *at = strstr(text, run);
	assert_non_null(at);
	FILE *update = getenv("HY_GOLDEN_UPDATE") != NULL ? fopen(path, "wb") : NULL;
	if (update != NULL) fprintf(update, "%.*s", (int)(at - text), text);
	while (at != NULL) {
		char *next = strstr(at + 1, run);
		const char *end = next != NULL ? next : at + strlen(at);
		const char *line = at + sizeof(run) - 1;
		const char *graph = line + strcspn(line, "\n");
		const char *marker = strstr(graph, "\n# ");
		marker = marker != NULL && marker < end ? marker + 1 : end;
		bool refused;
		char *result = run_case(path, line + strspn(line, " "), graph, (size_t)(marker - graph), &refused);
		if (update != NULL)
			write_case(update, at, marker, result, refused);
		else
			check_result(path, line, result, refused, marker, end);
		free(result);
		at = next;
	}
	if (update != NULL) fclose(update);
	free(text);
}

#define GOLDEN(name)                             \
	{                                        \
		name, run_file, NULL, NULL, name \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN("upgrade"),    GOLDEN("fold"), GOLDEN("simplify"),
		GOLDEN("batch_norm"), GOLDEN("dce"),  GOLDEN("fuse"),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
