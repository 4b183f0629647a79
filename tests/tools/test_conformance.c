#include "program.h"

static void a_plugin_is_judged_by_its_name(void **state)
{
	(void)state;
	const int code = program_run("$halyard conformance template -l L0 --case 'abi.load.*' --out report");
	if (code != 5) fail_msg("exit %d: %s", code, program_err); /* a part of the list: no verdict */
	assert_non_null(strstr(program_out, "NO VERDICT: a partial run of 4 of"));
	program_answers("grep -c '/libhalyard_template.so' report/report.json");
	program_answers("grep -c '<h1>NO VERDICT</h1>' report/report.html");
}

static void a_plugin_is_judged_by_its_path(void **state)
{
	(void)state;
	program_answers("cp $(dirname $halyard)/../lib/halyard/plugins/libhalyard_template.so ./mine.so;"
	                "$halyard conformance ./mine.so --level=L0 --isolation batch:64");
	assert_non_null(strstr(program_out, "CONFORMANT at L0"));
}

static void the_suite_answers_without_a_plugin(void **state)
{
	(void)state;
	program_answers("$halyard conformance --list --json");
	assert_non_null(strstr(program_out, "\"case\": \"abi.load.library_and_symbol\""));
	program_answers("$halyard conformance --help");
	assert_non_null(strstr(program_out, "usage: halyard-conformance"));
	program_answers("$halyard help conformance");
	assert_non_null(strstr(program_out, "--submission FILE.tar.gz"));
}

static void wrong_lines_are_refused(void **state)
{
	(void)state;
	program_refuses("$halyard conformance templat", 2, "no plugin 'templat'; did you mean 'template'?");
	program_refuses("$halyard conformance cpu --levle L1", 2, "did you mean --level?");
	program_refuses("$halyard conformance cpu opencl", 2, "'opencl' is one argument too many");
	assert_int_equal(program_run("$halyard conformance ./nosuch.so"), 2);
	assert_non_null(strstr(program_err, "./nosuch.so can't be read"));
}

static void shards_are_operands_only_of_merge(void **state)
{
	(void)state;
	assert_int_equal(program_run("$halyard conformance template -l L0 -c 'abi.load.*' -o merge"), 5);
	assert_int_equal(program_run("$halyard conformance --merge -o whole merge"), 5);
	program_answers("test -s whole/report.html");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_plugin_is_judged_by_its_name),     CASE(a_plugin_is_judged_by_its_path),
		CASE(the_suite_answers_without_a_plugin), CASE(wrong_lines_are_refused),
		CASE(shards_are_operands_only_of_merge),
	};
	return cmocka_run_group_tests_name("tools.conformance", cases, program_setup, program_teardown);
}
