/* The reader and its table: numbers with units, places of faults, and that reader and schema take the same texts. */
#include "test.h"

#include <halyard/yaml.h>

#include "type.h"

#include <locale.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const hy_yaml_field part = {.type = HY_YAML_TEXT, .pattern = "[a-z]+", .form = "word of small letters"};
static const hy_yaml_field fields[] = {
	{.key = "amount", .type = HY_YAML_AMOUNT},
	{.key = "rate", .type = HY_YAML_RATE},
	{.key = "ops", .type = HY_YAML_OPS},
	{.key = "time", .type = HY_YAML_TIME},
	{.key = "number", .type = HY_YAML_NUMBER},
	{.key = "count", .type = HY_YAML_COUNT, .least = 2, .most = 9},
	{.key = "word", .type = HY_YAML_WORD, .words = "red|green"},
	{.key = "parts", .type = HY_YAML_LIST, .item = &part, .least = 1, .most = 2},
};
static const hy_yaml_field table = {.type = HY_YAML_MAP, .field_count = 8, .fields = fields};

/* The number of a one-line document "key: text", or -1 when it is refused. */
static double number_of(const char *key, const char *text)
{
	char line[128];
	hy_yaml document;
	snprintf(line, sizeof(line), "%s: %s\n", key, text);
	hy_yaml_read("x", line, strlen(line), &document);
	hy_yaml_check(&document, &table);
	const double number = document.fault_count == 0 ? hy_yaml_number(document.root, key, -2) : -1;
	hy_yaml_finish(&document);
	return number;
}

static const struct {
	const char *key, *text;
	double number; /* -1: refused */
} numbers[] = {
	{"amount", "4096", 4096},
	{"amount", "80Gi", 85899345920.0},
	{"amount", "25G", 25e9},
	{"amount", "1.5TiB", 1649267441664.0},
	{"amount", "1e3k", 1e6},
	{"amount", "80gi", -1},
	{"amount", "1,5G", -1},
	{"amount", "+1", -1},
	{"amount", "1e", -1},
	{"amount", "1.G", -1},
	{"amount", "0x10", -1},
	{"amount", "nan", -1},
	{"amount", "1234567890123456789012", -1},
	{"rate", "370GB/s", 370e9},
	{"rate", "22GiB/s", 22 * 1073741824.0},
	{"rate", "100Gbit/s", 12.5e9},
	{"rate", "25G", -1},
	{"rate", "25GB", -1},
	{"ops", "989T", 989e12},
	{"ops", "60TFLOP/s", 60e12},
	{"ops", "1e12", 1e12},
	{"ops", "60TF", -1},
	{"time", "500ns", 500},
	{"time", "1.5ms", 1.5e6},
	{"time", "2", -1},
	{"number", "0.5", 0.5},
	{"number", "-1", -1},
	{"count", "9", 9},
	{"count", "1", -1},
	{"count", "10", -1},
	{"count", "2.5", -1},
	{"word", "green", 1},
	{"word", "grene", -1},
};

static void numbers_are_read_with_their_units(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (number_of(numbers[i].key, numbers[i].text) != numbers[i].number)
			fail_msg("%s: %s: %.17g", numbers[i].key, numbers[i].text,
			         number_of(numbers[i].key, numbers[i].text));
}

static void numbers_do_not_follow_the_locale(void **state)
{
	(void)state;
	(void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where there is one */
	assert_true(number_of("time", "1.5us") == 1500);
	(void)setlocale(LC_ALL, "C");
}

/* The pattern that the schema has for a key. */
static void pattern_of(const char *schema, const char *key, char *pattern, size_t length)
{
	char quoted[32];
	snprintf(quoted, sizeof(quoted), "\"%s\": {", key);
	const char *at = strstr(schema, quoted);
	assert_non_null(at);
	at = strstr(at, "\"pattern\": \"") + strlen("\"pattern\": \"");
	snprintf(pattern, length, "%.*s", (int)strcspn(at, "\""), at);
}

static void the_schema_takes_the_texts_that_the_reader_takes(void **state)
{
	(void)state;
	char *schema = hy_yaml_schema_print(&table, "x"), pattern[512];
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		regex_t compiled;
		const bool ranged = strcmp(numbers[i].key, "count") == 0 || strcmp(numbers[i].key, "word") == 0;
		const bool long_digits = strlen(numbers[i].text) > 18; /* a range, not a form */
		if (ranged || long_digits) continue;
		pattern_of(schema, numbers[i].key, pattern, sizeof(pattern));
		assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
		if ((regexec(&compiled, numbers[i].text, 0, NULL, 0) == 0) != (numbers[i].number != -1))
			fail_msg("%s: %s by %s", numbers[i].key, numbers[i].text, pattern);
		regfree(&compiled);
	}
	free(schema);
}

static void faults_come_in_the_order_of_their_places(void **state)
{
	(void)state;
	static const char text[] = "word: blue\n"
				   "parts: [a, B, c]\n"
				   "cuont: 3\n"
				   "time: \"\"\n";
	hy_yaml document;
	hy_error error = {0};
	hy_yaml_read("x", text, strlen(text), &document);
	hy_yaml_check(&document, &table);
	assert_int_equal(hy_yaml_result(&document, &error), HY_INVALID);
	assert_string_equal(error.text, "x:1:7: 'blue' is none of red|green; x:2:8: more than 2 items; "
	                                "x:2:12: 'B' is no word of small letters; "
	                                "x:3:1: unknown key 'cuont': did you mean 'count'?; "
	                                "x:4:7: is empty: write a value or take the key away");
	assert_null(hy_yaml_get(document.root, "word")); /* a bad value is as none */
	assert_true(hy_yaml_is_bad(document.root, "word"));
	hy_yaml_finish(&document);
}

static void columns_are_characters(void **state)
{
	(void)state;
	hy_yaml document;
	hy_error error = {0};
	static const char wide[] = "{\"\xc3\xa4\xc3\xb6\": 1, count: q}\n";
	hy_yaml_read("x", wide, strlen(wide), &document);
	hy_yaml_check(&document, &table);
	(void)hy_yaml_result(&document, &error);
	assert_non_null(strstr(error.text, "x:1:18: 'q' is no whole number"));
	hy_yaml_finish(&document);
}

static void a_hundred_faults_are_enough(void **state)
{
	(void)state;
	char text[8000] = "";
	hy_yaml document;
	for (int i = 0; i < 150; i++)
		snprintf(text + strlen(text), 32, "key%d: 1\n", i);
	hy_yaml_read("x", text, strlen(text), &document);
	hy_yaml_check(&document, &table);
	(void)hy_yaml_result(&document, NULL);
	assert_int_equal(document.fault_count, HY_YAML_FAULTS + 1);
	assert_string_equal(document.faults[HY_YAML_FAULTS].text, "there is more: these are enough for one look");
	hy_yaml_finish(&document);
}

static void the_nearest_word_is_near(void **state)
{
	(void)state;
	const char *const words[] = {"memory", "bandwidth", "id"};
	assert_string_equal(hy_yaml_nearest("memroy", 3, words), "memory");
	assert_string_equal(hy_yaml_nearest("bandwith", 3, words), "bandwidth");
	assert_null(hy_yaml_nearest("colour", 3, words));
	assert_null(hy_yaml_nearest("x", 3, words));
	assert_null(hy_yaml_nearest("a word of more than thirty-one letters", 3, words));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(numbers_are_read_with_their_units),
		CASE(numbers_do_not_follow_the_locale),
		CASE(the_schema_takes_the_texts_that_the_reader_takes),
		CASE(faults_come_in_the_order_of_their_places),
		CASE(columns_are_characters),
		CASE(a_hundred_faults_are_enough),
		CASE(the_nearest_word_is_near),
	};
	return cmocka_run_group_tests_name("yaml.yaml", cases, NULL, NULL);
}
