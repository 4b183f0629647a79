#include "test.h"

#include "options.h"

#include <string.h>

/* Parses literal words; argv[0] is put in front. */
static hy_status parse(int count, const char *const *words, tool_options *options, hy_error *error)
{
	static char store[32][128];
	static char *argv[33];
	argv[0] = (char *)(uintptr_t) "halyard";
	for (int i = 0; i < count; i++)
		argv[i + 1] = strncpy(store[i], words[i], sizeof(store[i]) - 1);
	argv[count + 1] = NULL;
	*error = (hy_error){0};
	return tool_options_parse(count + 1, argv, options, error);
}
#define PARSE(...)                                                                                              \
	parse(sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *), (const char *const[]){__VA_ARGS__}, \
	      &options, &error)

static tool_options options;
static hy_error error;

static void no_words_ask_for_help(void **state)
{
	(void)state;
	EXPECT_OK(parse(0, NULL, &options, &error));
	assert_int_equal(options.command, TOOL_COMMAND_help);
}

static void options_may_stand_anywhere(void **state)
{
	(void)state;
	EXPECT_OK(PARSE("run", "--batch=4", "model.onnx", "-o", "json", "--check"));
	assert_int_equal(options.command, TOOL_COMMAND_run);
	assert_int_equal(options.operand_count, 1);
	assert_string_equal(options.operands[0], "model.onnx");
	assert_int_equal(options.batch, 4);
	assert_string_equal(options.format, "json");
	assert_true(options.check);
	assert_false(options.no_fuse);
}

static void options_not_given_have_their_defaults(void **state)
{
	(void)state;
	EXPECT_OK(PARSE("bench", "m.onnx"));
	assert_string_equal(options.format, "table");
	assert_string_equal(options.scenario, "single-stream");
	assert_true(options.seconds == 5);
	assert_int_equal(options.seed, 1);
	assert_null(options.device);
}

static void lists_keep_every_word_in_order(void **state)
{
	(void)state;
	EXPECT_OK(PARSE("run", "m.onnx", "-i", "a=1.npy", "--input", "b=2.npy"));
	assert_int_equal(options.input.count, 2);
	assert_string_equal(options.input.items[0], "a=1.npy");
	assert_string_equal(options.input.items[1], "b=2.npy");
}

static void the_same_letter_means_the_commands_own_option(void **state)
{
	(void)state;
	EXPECT_OK(PARSE("zoo", "resnet50", "-o", "here.onnx"));
	assert_string_equal(options.file, "here.onnx");
	EXPECT_OK(PARSE("topology", "-o", "hwloc"));
	assert_string_equal(options.topology_format, "hwloc");
}

static void help_needs_no_operands(void **state)
{
	(void)state;
	EXPECT_OK(PARSE("run", "--help"));
	assert_true(options.help);
}

static void mistakes_are_named_with_their_remedy(void **state)
{
	(void)state;
	EXPECT_STATUS(HY_INVALID, PARSE("rum", "m.onnx"));
	assert_string_equal(error.text, "no command 'rum'; did you mean 'run'?");
	EXPECT_STATUS(HY_INVALID, PARSE("rnu"));
	assert_string_equal(error.text, "no command 'rnu'; did you mean 'run'?");
	EXPECT_STATUS(HY_INVALID, PARSE("qqqqqq"));
	assert_string_equal(error.text, "no command 'qqqqqq'; see halyard help");
	EXPECT_STATUS(HY_INVALID, PARSE("run", "m.onnx", "--devcie=cpu:0"));
	assert_string_equal(error.text, "run: no option --devcie=cpu:0; did you mean --device?");
	EXPECT_STATUS(HY_INVALID, PARSE("run", "m.onnx", "-Z"));
	assert_string_equal(error.text, "run: no option -Z; see halyard run --help");
	EXPECT_STATUS(HY_INVALID, PARSE("run", "m.onnx", "--batch"));
	assert_string_equal(error.text, "run: --batch needs a value");
	EXPECT_STATUS(HY_INVALID, PARSE("run", "m.onnx", "--batch", "-4"));
	assert_string_equal(error.text, "--batch: '-4' is not a whole number");
	EXPECT_STATUS(HY_INVALID, PARSE("run", "m.onnx", "--tolerance", "inf"));
	assert_string_equal(error.text, "--tolerance: 'inf' is not a number");
	EXPECT_STATUS(HY_INVALID, PARSE("run", "m.onnx", "-o", "yaml"));
	assert_string_equal(error.text, "--output: 'yaml' is none of table|json");
	EXPECT_STATUS(HY_INVALID, PARSE("run"));
	assert_string_equal(error.text, "run: MODEL is missing: halyard run MODEL");
	EXPECT_STATUS(HY_INVALID, PARSE("devices", "cpu"));
	assert_string_equal(error.text, "devices: 'cpu' is one argument too many: halyard devices ");
}

static void no_two_options_of_a_command_share_a_name_or_letter(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < tool_options_row_count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			const tool_option_row *const a = &tool_options_rows[i], *const b = &tool_options_rows[j];
			if ((a->commands & b->commands) == 0) continue;
			assert_string_not_equal(a->name, b->name);
			if (a->letter != 0) assert_int_not_equal(a->letter, b->letter);
		}
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(no_words_ask_for_help),
		CASE(options_may_stand_anywhere),
		CASE(options_not_given_have_their_defaults),
		CASE(lists_keep_every_word_in_order),
		CASE(the_same_letter_means_the_commands_own_option),
		CASE(help_needs_no_operands),
		CASE(mistakes_are_named_with_their_remedy),
		CASE(no_two_options_of_a_command_share_a_name_or_letter),
	};
	return cmocka_run_group_tests_name("tools.options", cases, NULL, NULL);
}
