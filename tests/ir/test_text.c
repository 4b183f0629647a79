#include "test.h"

#include <halyard/ir/pass.h>
#include <halyard/ir/text.h>

#include "ir/same_graph.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hy_error error;

static hy_ir_graph *parse(const char *text)
{
	hy_ir_graph *graph;
	EXPECT_OK(hy_ir_text_parse("t", text, strlen(text), &graph, &error));
	return graph;
}

static char *print(const hy_ir_graph *graph)
{
	char *text;
	EXPECT_OK(hy_ir_text_print(graph, HY_IR_TEXT_FULL, &text, &error));
	return text;
}

/* Every construct of the grammar, in the form that the printer gives. */
static const char golden[] = "graph \"a \\\"graph\\\"\" {\n"
			     "  input %x: f32[N,3,?,\"2 d\"]\n"
			     "  input %\"odd name:\\x01\\n\"\n"
			     "  const %w: f32[2,3] = {1, -0, 0.1, 1e+30, -inf, nan}\n"
			     "  const %bits: f32[1] = {nan(0x7fc00001)}\n"
			     "  const %h: f16[2] = {65504, 6e-08}\n"
			     "  const %b: bool[2] = {0, 1}\n"
			     "  const %i: i64[3] = {-9223372036854775808, 0, 9223372036854775807}\n"
			     "  const %u: u64[1] = {18446744073709551615}\n"
			     "  const %scalar: i8[] = {-128}\n"
			     "  const %none: f64[0,2] = {}\n"
			     "  const %words: string[2] = opaque\n"
			     "  const %far: f32[400] = elsewhere\n"
			     "  %a, _, %c: i32[?,2] = Split@13 \"s 1\" (%x, _, %w)\n"
			     "  %d = com.vendor::\"odd op\"@1 () alpha=0.5, beta=1.0, big=1e+20, down=-inf, n=-3, "
			     "s=\"a\\\"b\\\\\", axes=[1, -2], "
			     "none=[], fl=[1.0, nan], nofl=floats [], st=[\"p\", \"\"], nost=strings [], t=f32[2] {1, "
			     "2}, then_branch=opaque 5\n"
			     "  %e: f32[4] = halyard::Region \"r\" (%a, %w) graph \"body\" {\n"
			     "    input %p\n"
			     "    input %q: f32[2,3]\n"
			     "    %sum = Add (%p, %q)\n"
			     "    output %sum\n"
			     "  }\n"
			     "  = Sink@2 (%e)\n"
			     "  output %e\n"
			     "  output %x\n"
			     "}\n";

static void printing_what_was_parsed_gives_the_text_back(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse(golden);
	char *printed = print(graph);
	assert_string_equal(printed, golden);
	free(printed);
	hy_ir_graph_destroy(graph);
}

static void parsing_what_was_printed_gives_the_graph_back(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse("graph \"g\" { input %x: f32[N] const %w: f32[3] = {1, 2, 3}\n"
	                           "%y: f32[3] = Add \"add\" (%x, %w) output %y }");
	char *printed = print(graph);
	hy_ir_graph *again = parse(printed);
	same_graph(graph, again);
	free(printed);
	hy_ir_graph_destroy(graph);
	hy_ir_graph_destroy(again);
}

static void the_parsed_graph_is_what_the_text_says(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse(
		"# comment\ngraph \"g\" {\n\tinput %x: f32[N,4]\n const %w: f16[2] = {1, 0.5} # here too\n"
		"%y: f32[?,4], _ = Conv@11 \"c\" (%x, _, %w) group=2, pads=[1, 1], mode=\"m\", eps=1e-5\n"
		"output %y }\n");
	EXPECT_OK(hy_ir_verify(graph, &error));
	const hy_ir_value *x = hy_ir_graph_value(graph, hy_ir_graph_find(graph, "x"));
	assert_string_equal(x->dim_names[0], "N");
	assert_int_equal(x->type.dim[0], HY_IR_DIM_UNKNOWN);
	assert_int_equal(x->type.dim[1], 4);
	const hy_ir_value *w = hy_ir_graph_value(graph, hy_ir_graph_find(graph, "w"));
	assert_int_equal(((const uint16_t *)w->data)[1], 0x3800);
	const hy_ir_node *node = hy_ir_graph_node(graph, 0);
	assert_int_equal(node->version, 11);
	assert_int_equal(node->inputs[1], HY_IR_NONE);
	assert_int_equal(node->outputs[1], HY_IR_NONE);
	assert_int_equal(hy_ir_node_attr_int(node, "group", 0), 2);
	assert_true(hy_ir_node_attr_float(node, "eps", 0) == 1e-5f);
	assert_int_equal(hy_ir_node_attr(node, "pads")->kind, HY_ATTR_INTS);
	assert_ptr_equal(node->op, hy_ir_op_find("", "Conv"));
	hy_ir_graph_destroy(graph);
}

static void every_float_prints_short_and_reads_back(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse(
		"graph \"g\" { const %w: f32[5] = {0.1, 3.4028235e+38, 1e-45, 16777216, 0.33333334}\n"
		"const %d: f64[2] = {0.1, 5e-324} const %b: bf16[2] = {0.1, 3e+38} output %w }");
	char *printed = print(graph);
	assert_non_null(strstr(printed, "{0.1, 3.4028235e+38, 1e-45, 16777216, 0.33333334}"));
	assert_non_null(strstr(printed, "{0.1, 5e-324}"));
	assert_non_null(strstr(printed, "{0.1, 3e+38}"));
	free(printed);
	hy_ir_graph_destroy(graph);
}

static void long_constants_print_as_a_hash_that_is_refused(void **state)
{
	(void)state;
	char text[600] = "graph \"g\" { const %w: u8[65] = {7";
	for (int i = 1; i < 65; i++)
		strcat(text, ", 7");
	strcat(text, "} output %w }");
	hy_ir_graph *graph = parse(text), *again;
	char *printed;
	EXPECT_OK(hy_ir_text_print(graph, 0, &printed, &error));
	assert_non_null(strstr(printed, "const %w: u8[65] = hash \""));
	EXPECT_STATUS(HY_INVALID, hy_ir_text_parse("t", printed, strlen(printed), &again, &error));
	assert_string_equal(error.text,
	                    "t:2:22: this constant was printed as a hash: print with HY_IR_TEXT_FULL to read it back");
	free(printed);
	hy_ir_graph_destroy(graph);
}

static void a_locale_with_a_decimal_comma_changes_nothing(void **state)
{
	(void)state;
	if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL && setlocale(LC_NUMERIC, "fr_FR.UTF-8") == NULL) skip();
	hy_ir_graph *graph = parse("graph \"g\" { const %w: f32[1] = {0.5} output %w }");
	char *printed = print(graph);
	assert_non_null(strstr(printed, "{0.5}"));
	setlocale(LC_NUMERIC, "C");
	free(printed);
	hy_ir_graph_destroy(graph);
}

static void errors_name_line_and_column(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"", "t:1:1: expected 'graph', found ''"},
		{"graph x {}", "t:1:7: expected the graph's name, found 'x'"},
		{"graph \"g\" {\n  %y = Neg (%x)\n}", "t:2:13: '%x' is made by nothing before it"},
		{"graph \"g\" {\n  input %x\n  input %x\n}", "t:3:3: two values are named 'x'"},
		{"graph \"g\" { input %x: f33[1] }", "t:1:23: 'f33' is no element type"},
		{"graph \"g\" { input %x: f32[-1] }", "t:1:27: a dimension can't be negative"},
		{"graph \"g\" { input %x: f32[1,1,1,1,1,1,1,1,1] }", "t:1:43: more than 8 dimensions"},
		{"graph \"g\" { input %x: f32[4611686018427387904] }",
	         "t:1:46: the type has dimensions whose product overflows 63 bits"},
		{"graph \"g\" { const %x: f32[2] = {1} }", "t:1:34: expected ',', found '}'"},
		{"graph \"g\" { const %x: u8[1] = {256} }", "t:1:32: '256' is no u8: element 0 of 1"},
		{"graph \"g\" { const %x: i8[1] = {-129} }", "t:1:32: '-129' is no i8: element 0 of 1"},
		{"graph \"g\" { const %x: u8[1000000000] = {1} }",
	         "t:1:41: the text is too short for 1000000000 elements"},
		{"graph \"g\" { const %x: f32[?] = {1} }", "t:1:32: data needs a type without ?"},
		{"graph \"g\" { %y = A@0 () }", "t:1:22: there is no version 0"},
		{"graph \"g\" { %y = A () a=1, a=2 }", "t:1:32: attribute 'a' is given twice"},
		{"graph \"g\" { %y = A () a=[1, 2.5] }", "t:1:29: '2.5' is no integer"},
		{"graph \"g\" { %y, %y = A () }", "t:1:13: two values are named 'y'"},
		{"graph \"g\" { output %y }", "t:1:20: '%y' is made by nothing before it"},
		{"graph \"g\" { \"never closed }", "t:1:13: the string does not end on its line"},
		{"graph \"\\x00\" { }", "t:1:7: the string has a bad escape or control character"},
		{"graph \"g\" { ; }", "t:1:13: byte 0x3b begins nothing"},
		{"graph \"g\" { } more", "t:1:15: expected the end, found 'more'"},
		{"graph \"g\" {", "t:1:12: expected input, const, output, a node or }, found ''"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hy_ir_graph *graph = NULL;
		EXPECT_STATUS(HY_INVALID, hy_ir_text_parse("t", rows[i].text, strlen(rows[i].text), &graph, &error));
		assert_string_equal(error.text, rows[i].says);
		assert_null(graph);
	}
}

static void ten_thousand_nested_graphs_are_refused(void **state)
{
	(void)state;
	static const char level[] = "graph \"g\" { %y = R () ";
	const size_t length = sizeof(level) - 1;
	char *text = malloc(10000 * length);
	for (size_t i = 0; i < 10000; i++)
		memcpy(text + i * length, level, length);
	hy_ir_graph *graph;
	EXPECT_STATUS(HY_INVALID, hy_ir_text_parse("t", text, 10000 * length, &graph, &error));
	assert_non_null(strstr(error.text, "graphs nest more than 64 deep"));
	free(text);
}

static void a_text_cut_anywhere_is_refused(void **state)
{
	(void)state;
	hy_ir_graph *graph = parse(
		"graph \"g\" { input %p const %w: f32[2] = {1, nan(0x7fc00001)} %y = Add \"n\" (%p, %w) "
		"a=[1], b=\"s\", t=i8[1] {1} output %y }");
	char *text = print(graph);
	hy_ir_graph_destroy(graph);
	for (size_t length = 0; length + 2 < strlen(text); length++) {
		char *cut = malloc(length + 1);
		memcpy(cut, text, length);
		EXPECT_STATUS(HY_INVALID, hy_ir_text_parse("t", cut, length, &graph, &error));
		free(cut);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(printing_what_was_parsed_gives_the_text_back),
		CASE(parsing_what_was_printed_gives_the_graph_back),
		CASE(the_parsed_graph_is_what_the_text_says),
		CASE(every_float_prints_short_and_reads_back),
		CASE(long_constants_print_as_a_hash_that_is_refused),
		CASE(a_locale_with_a_decimal_comma_changes_nothing),
		CASE(errors_name_line_and_column),
		CASE(ten_thousand_nested_graphs_are_refused),
		CASE(a_text_cut_anywhere_is_refused),
	};
	return cmocka_run_group_tests_name("ir.text", cases, NULL, NULL);
}
