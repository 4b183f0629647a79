/* halyard-conformance: the suite on the command line, and the worker that it starts. */
#include <halyard/conform.h>

#include "worker.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: halyard-conformance --plugin PATH [option...]\n"
	"\n"
	"  --plugin PATH          the shared object to judge\n"
	"  --device N             its device number (0)\n"
	"  --device-options K=V&K=V\n"
	"  --level L0|L1|L2|L3    how much must hold (L1)\n"
	"  --case GLOB[,GLOB...]  only these cases; gives no verdict\n"
	"  --list                 print the cases and end\n"
	"  --isolation case|batch:N|none\n"
	"                         cases a worker process runs before it is replaced (case)\n"
	"  --seed N               other random numbers; gives no verdict\n"
	"  --timeout-scale X      for slow devices\n"
	"  --waivers FILE         known failures: case | expires YYYY-MM-DD | approver | reason\n"
	"  --strict               a waived case that passes is a failure\n"
	"  --results FILE         a JSON object a line, written as cases end\n"
	"  --minimise CASE        shrink a failing case of operators or regions, and write it to the --out folder\n"
	"                         (minimised) as an ONNX model, its data and a stand-alone C program\n"
	"  --out FOLDER           where --minimise writes\n"
	"  -v, --verbose          every case, not only those that do not hold\n"
	"\n"
	"exit status: 0 conformant, 1 not conformant, 2 usage, 3 no judgement, 4 not loaded, 5 partial run\n";

static void show(void *payload, const hy_conform_result *result)
{
	const bool verbose = *(const bool *)payload;
	const bool fine = result->status == HY_CONFORM_PASS || result->status == HY_CONFORM_NOT_SUPPORTED;
	if (fine && !verbose) return;
	printf("%-13s %s (%s, %.0f ms)%s%s\n", hy_conform_status_name(result->status), result->info->id,
	       result->info->rule, (double)result->time_ns / 1e6, result->text[0] != '\0' ? ": " : "", result->text);
	if (!fine && result->output[0] != '\0') printf("    it printed: %.600s\n", result->output);
}

static int list_cases(void)
{
	printf("# suite %s, list %016llx\n", HY_CONFORM_SUITE_VERSION, (unsigned long long)hy_conform_list_hash());
	for (uint32_t i = 0; i < hy_conform_case_count(); i++) {
		const hy_conform_case_info *info = hy_conform_case_at(i);
		printf("L%d %-3s %s %-46s %s\n", (int)info->level, info->rule, info->since, info->id,
		       info->proven_by[0] != '\0' ? info->proven_by : "-");
	}
	return 0;
}

static bool read_isolation(const char *text, uint32_t *out_batch)
{
	if (strcmp(text, "case") == 0)
		*out_batch = 1;
	else if (strcmp(text, "none") == 0)
		*out_batch = UINT32_MAX;
	else if (strncmp(text, "batch:", 6) == 0 && atoi(text + 6) > 0)
		*out_batch = (uint32_t)atoi(text + 6);
	else
		return false;
	return true;
}

static int minimise(const hy_conform_options *options, const char *id, const char *folder)
{
	hy_conform_minimised result;
	hy_error error = {.text = ""};
	if (hy_conform_minimise(options, id, folder, &result, &error) != HY_OK) {
		fprintf(stderr, "halyard-conformance: %s\n", error.text);
		return HY_CONFORM_NO_JUDGEMENT;
	}
	printf("%s %s: %s\n  from %s\n  to   %s (%u tries%s)\n\n", hy_conform_status_name(result.status), id,
	       result.text, result.before, result.after, result.tries, result.stopped ? ", out of time" : "");
	printf("%s/reproduce.c needs <halyard/plugin.h> only; %s/model.onnx and test_data_set_0 are the same for "
	       "others:\n"
	       "  cc -std=c11 -g -I HALYARD/hal/include %s/reproduce.c -o %s/reproduce -ldl -lpthread\n"
	       "  %s/reproduce %s\n",
	       folder, folder, folder, folder, folder, options->plugin);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--worker") == 0) return conform__worker_main(argc - 2, argv + 2);
	static const struct option names[] = {{"plugin", required_argument, NULL, 'p'},
	                                      {"device", required_argument, NULL, 'd'},
	                                      {"device-options", required_argument, NULL, 'o'},
	                                      {"level", required_argument, NULL, 'l'},
	                                      {"case", required_argument, NULL, 'c'},
	                                      {"list", no_argument, NULL, 'L'},
	                                      {"isolation", required_argument, NULL, 'i'},
	                                      {"seed", required_argument, NULL, 's'},
	                                      {"timeout-scale", required_argument, NULL, 't'},
	                                      {"waivers", required_argument, NULL, 'w'},
	                                      {"strict", no_argument, NULL, 'S'},
	                                      {"results", required_argument, NULL, 'r'},
	                                      {"minimise", required_argument, NULL, 'm'},
	                                      {"out", required_argument, NULL, 'O'},
	                                      {"verbose", no_argument, NULL, 'v'},
	                                      {"help", no_argument, NULL, 'h'},
	                                      {0}};
	bool verbose = false;
	const char *minimised = NULL, *folder = "minimised";
	hy_conform_options options = {
		.size = sizeof(options), .level = HY_CONFORM_L1, .on_result = show, .payload = &verbose};
	for (int name; (name = getopt_long(argc, argv, "vh", names, NULL)) != -1;) {
		switch (name) {
		case 'p':
			options.plugin = optarg;
			break;
		case 'd':
			options.device = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'o':
			options.device_options = optarg;
			break;
		case 'l':
			if (optarg[0] != 'L' || optarg[1] < '0' || optarg[1] > '3' || optarg[2] != '\0') goto wrong;
			options.level = (hy_conform_level)(optarg[1] - '0');
			break;
		case 'c':
			options.cases = optarg;
			break;
		case 'L':
			return list_cases();
		case 'i':
			if (!read_isolation(optarg, &options.batch)) goto wrong;
			break;
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options.timeout_scale = atof(optarg);
			break;
		case 'w':
			options.waivers = optarg;
			break;
		case 'S':
			options.strict = true;
			break;
		case 'r':
			options.results = optarg;
			break;
		case 'm':
			minimised = optarg;
			break;
		case 'O':
			folder = optarg;
			break;
		case 'v':
			verbose = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			goto wrong;
		}
	}
	if (options.plugin == NULL || optind != argc) goto wrong;
	if (minimised != NULL) return minimise(&options, minimised, folder);
	hy_conform_summary summary;
	hy_error error = {.text = ""};
	if (hy_conform_run(&options, &summary, &error) != HY_OK) {
		fprintf(stderr, "halyard-conformance: %s\n", error.text);
		return HY_CONFORM_NO_JUDGEMENT;
	}
	for (int status = 0; status < HY_CONFORM_STATUS_COUNT; status++)
		if (summary.count[status] > 0)
			printf("%6u %s\n", summary.count[status], hy_conform_status_name((hy_conform_status)status));
	printf("%s (suite %s, list %016llx, %.1f s)\n", summary.text, HY_CONFORM_SUITE_VERSION,
	       (unsigned long long)hy_conform_list_hash(), (double)summary.time_ns / 1e9);
	return (int)summary.verdict;
wrong:
	fputs(usage, stderr);
	return 2;
}
