#include "test.h"

#include "help.h"

#include <stdlib.h>
#include <string.h>

/* What a printer prints; free() it. */
static char *text_of(void (*print)(FILE *))
{
	static char *text; /* open_memstream keeps its address */
	static size_t length;
	FILE *const to = open_memstream(&text, &length);
	print(to);
	fclose(to);
	return text;
}

static char *text_of_command(tool_command command)
{
	static char *text; /* open_memstream keeps its address */
	static size_t length;
	FILE *const to = open_memstream(&text, &length);
	tool_help_command(to, command);
	fclose(to);
	return text;
}

static void the_program_lists_every_command(void **state)
{
	(void)state;
	char *const text = text_of(tool_help_program);
	for (int i = 0; i < TOOL_COMMAND_COUNT; i++)
		assert_non_null(strstr(text, tool_options_commands[i].name));
	free(text);
}

static void a_command_lists_its_options_and_no_others(void **state)
{
	(void)state;
	for (int c = 0; c < TOOL_COMMAND_COUNT; c++) {
		char *const text = text_of_command((tool_command)c);
		for (uint32_t i = 0; i < tool_options_row_count; i++) {
			char spelled[64];
			const tool_option_row *const row = &tool_options_rows[i];
			snprintf(spelled, sizeof(spelled), " --%s%s%s\n", row->name, row->argument != NULL ? " " : "",
			         row->argument != NULL ? row->argument : "");
			spelled[strlen(spelled) - 1] = '\0';
			if (tool_options_has((tool_command)c, row)) assert_non_null(strstr(text, spelled));
		}
		free(text);
	}
}

static void no_line_of_help_is_longer_than_a_terminal(void **state)
{
	(void)state;
	for (int c = 0; c < TOOL_COMMAND_COUNT; c++) {
		char *const text = text_of_command((tool_command)c);
		for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
			assert_in_range(strcspn(line, "\n"), 0, 100);
		free(text);
	}
}

/* An option as roff spells it: every hyphen escaped. */
static void spell_for_man(const char *name, char *text)
{
	text += strlen(strcpy(text, "\\fB\\-\\-"));
	for (; *name != '\0'; name++) {
		if (*name == '-') *text++ = '\\';
		*text++ = *name;
	}
	strcpy(text, "\\fR");
}

static void the_man_page_has_every_option_and_exit_code(void **state)
{
	(void)state;
	char *const text = text_of(tool_man_page);
	for (uint32_t i = 0; i < tool_options_row_count; i++) {
		char spelled[128];
		spell_for_man(tool_options_rows[i].name, spelled);
		assert_non_null(strstr(text, spelled));
	}
	assert_non_null(strstr(text, ".TP\n.B 124\n"));
	assert_non_null(strstr(text, ".SH ENVIRONMENT\n"));
	free(text);
}

static void completion_has_every_option_of_every_command(void **state)
{
	(void)state;
	char *const text = text_of(tool_completion_bash);
	for (int c = 0; c < TOOL_COMMAND_COUNT; c++) {
		char start[64], list[2048] = " ";
		snprintf(start, sizeof(start), "\t\t%s) words='", tool_options_commands[c].name);
		const char *const at = strstr(text, start);
		assert_non_null(at);
		const char *const words = at + strlen(start);
		snprintf(list + 1, sizeof(list) - 1, "%.*s ", (int)strcspn(words, "'"), words);
		for (uint32_t i = 0; i < tool_options_row_count; i++) {
			char word[64];
			snprintf(word, sizeof(word), " --%s ", tool_options_rows[i].name);
			const bool has = strstr(list, word) != NULL;
			bool wanted = false;
			for (uint32_t j = 0; j < tool_options_row_count; j++) /* two rows may share a name */
				if (strcmp(tool_options_rows[i].name, tool_options_rows[j].name) == 0 &&
				    tool_options_has((tool_command)c, &tool_options_rows[j]))
					wanted = true;
			assert_int_equal(has, wanted);
		}
	}
	free(text);
}

/* The shell itself is the judge. */
static void bash_accepts_the_completion_script(void **state)
{
	(void)state;
	FILE *const shell = popen("bash -n", "w");
	tool_completion_bash(shell);
	assert_int_equal(pclose(shell), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_program_lists_every_command),
		CASE(a_command_lists_its_options_and_no_others),
		CASE(no_line_of_help_is_longer_than_a_terminal),
		CASE(the_man_page_has_every_option_and_exit_code),
		CASE(completion_has_every_option_of_every_command),
		CASE(bash_accepts_the_completion_script),
	};
	return cmocka_run_group_tests_name("tools.help", cases, NULL, NULL);
}
