/* halyard-conformance: the suite on the command line, and the worker that it starts. */
#include "case.h"
#include "options.h"
#include "show.h"
#include "starve.h"
#include "worker.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { USAGE = 2 };

static int print_json(json_t *take_value)
{
	json_dumpf(take_value, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(take_value);
	return 0;
}

static json_t *about_list(void)
{
	char list[17], abi[32];
	snprintf(list, sizeof(list), "%016llx", (unsigned long long)hy_conform_list_hash());
	snprintf(abi, sizeof(abi), "%u.%u", HY_ABI_MAJOR, HY_ABI_MINOR);
	return json_pack("{s:s, s:s, s:s, s:i}", "suite", HY_CONFORM_SUITE_VERSION, "list", list, "abi", abi, "cases",
	                 (int)hy_conform_case_count());
}

static int print_version(const conform_cli *cli)
{
	if (cli->json) return print_json(about_list());
	printf("halyard-conformance: suite %s, list %016llx of %u cases, ABI %u.%u\n", HY_CONFORM_SUITE_VERSION,
	       (unsigned long long)hy_conform_list_hash(), hy_conform_case_count(), HY_ABI_MAJOR, HY_ABI_MINOR);
	return 0;
}

static int print_list(const conform_cli *cli)
{
	uint32_t count;
	const conform_case *cases = conform__suite_cases(&count);
	json_t *list = json_array();
	if (!cli->json)
		printf("# suite %s, list %016llx\n", HY_CONFORM_SUITE_VERSION,
		       (unsigned long long)hy_conform_list_hash());
	for (uint32_t i = 0; i < count; i++) {
		const hy_conform_case_info *info = &cases[i].info;
		const uint32_t seconds = cases[i].seconds == 0 ? 10 : cases[i].seconds;
		if (cli->json) {
			json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s, s:s, s:s*, s:s*, s:i, s:s}", "case",
			                                      info->id, "group", info->group, "level", (int)info->level,
			                                      "rule", info->rule, "since", info->since, "op", info->op,
			                                      "dtype", info->dtype, "seconds", (int)seconds,
			                                      "proven_by", info->proven_by));
			continue;
		}
		printf("L%d %-3s %s %-46s %s", (int)info->level, info->rule, info->since, info->id,
		       info->proven_by[0] != '\0' ? info->proven_by : "-");
		printf(cli->with_cost ? "  %u s\n" : "\n", seconds);
	}
	if (!cli->json) {
		json_decref(list);
		return 0;
	}
	json_t *whole = about_list();
	json_object_set_new(whole, "list_of_cases", list);
	return print_json(whole);
}

static int self_test(void)
{
	const char *fault = hy_conform_self_test();
	printf("%s\n", fault == NULL ? "the comparator can be trusted" : fault);
	return fault == NULL ? 0 : HY_CONFORM_NO_JUDGEMENT;
}

/* What a file or a plugin says does not reach the terminal as commands. */
static void make_printable(char *text)
{
	for (char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
}

static int complain(const hy_error *error, int code)
{
	char text[sizeof(error->text)];
	snprintf(text, sizeof(text), "%s", error->text);
	make_printable(text);
	fprintf(stderr, "halyard-conformance: %s\n", text);
	return code;
}

static int verify(const conform_cli *cli)
{
	hy_conform_summary summary;
	hy_error error = {.text = ""};
	if (hy_conform_verify(cli->verify, cli->run.plugin, &summary, &error) != HY_OK)
		return complain(&error, HY_CONFORM_NO_JUDGEMENT);
	make_printable(summary.text);
	printf("%s\n%s: every line, the list, the waivers and the report agree with this\n", summary.text, cli->verify);
	return (int)summary.verdict;
}

static int minimise(const conform_cli *cli)
{
	const char *folder = cli->run.out != NULL ? cli->run.out : "minimised";
	hy_conform_minimised result;
	hy_error error = {.text = ""};
	if (hy_conform_minimise(&cli->run, cli->minimise, folder, &result, &error) != HY_OK)
		return complain(&error, HY_CONFORM_NO_JUDGEMENT);
	make_printable(result.text);
	printf("%s %s: %s\n  from %s\n  to   %s (%u tries%s)\n\n", hy_conform_status_name(result.status), cli->minimise,
	       result.text, result.before, result.after, result.tries, result.stopped ? ", out of time" : "");
	printf("%s/reproduce.c needs <halyard/plugin.h> only; %s/model.onnx and test_data_set_0 are the same for "
	       "others:\n"
	       "  cc -std=c11 -g -I HALYARD/hal/include %s/reproduce.c -o %s/reproduce -ldl -lpthread\n"
	       "  %s/reproduce %s\n",
	       folder, folder, folder, folder, folder, cli->run.plugin);
	return 0;
}

static int run(conform_cli *cli)
{
	static show shown;
	shown = (show){.verbose = cli->verbose, .progress = isatty(STDERR_FILENO) != 0};
	hy_conform_summary summary = {.total = 0};
	hy_error error = {.text = ""};
	cli->run.on_result = conform__show_result;
	cli->run.payload = &shown;
	const hy_status status = cli->merge ? hy_conform_merge(&cli->run, cli->operand_count, cli->operands, &summary,
	                                                       &error)
	                                    : hy_conform_run(&cli->run, &summary, &error);
	if (summary.total > 0) conform__show_summary(&shown, &cli->run, &summary);
	if (status == HY_OK) {
		if (summary.perf_findings > 0)
			printf("%u measurements failed or can't be true: \"findings\" of the report's \"perf\"\n",
			       summary.perf_findings);
		if (cli->run.out != NULL)
			printf("report: %s/%s\n", cli->run.out, cli->run.formats == NULL ? "report.html" : "");
		if (cli->run.submission != NULL) printf("submission: %s\n", cli->run.submission);
		return (int)summary.verdict;
	}
	return complain(&error, status == HY_INVALID || status == HY_NOT_FOUND ? USAGE : HY_CONFORM_NO_JUDGEMENT);
}

int main(int argc, char **argv)
{
#ifdef HY_STARVE
	conform__starve_offer(&conform__starve_malloc);
#endif
	if (argc > 1 && strcmp(argv[1], "--worker") == 0) return conform__worker_main(argc - 2, argv + 2);
	conform_cli cli;
	hy_error error = {.text = ""};
	if (conform__options_parse(argc, argv, &cli, &error) != HY_OK) return complain(&error, USAGE);
	int code = 0;
	if (cli.help)
		conform__options_help(stdout);
	else if (cli.version)
		code = print_version(&cli);
	else if (cli.list)
		code = print_list(&cli);
	else if (cli.self_test)
		code = self_test();
	else if (cli.minimise != NULL)
		code = minimise(&cli);
	else if (cli.verify != NULL)
		code = verify(&cli);
	else
		code = run(&cli);
	conform__options_finish(&cli);
	return code;
}
