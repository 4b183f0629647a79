/* The example of conformance/README.md, compiled. */
/* README: example begin */
#include <halyard/conform.h>
#include <stdio.h>

static void show(void *payload, const hy_conform_result *result)
{
	(void)payload;
	if (result->status != HY_CONFORM_PASS) printf("%s: %s\n", result->info->id, result->text);
}

int main(int argc, char **argv)
{
	const hy_conform_options options = {
		.size = sizeof(options), .plugin = argv[argc - 1], .level = HY_CONFORM_L1, .on_result = show};
	hy_conform_summary summary;
	hy_error error;
	if (hy_conform_run(&options, &summary, &error) != HY_OK) return 2;
	puts(summary.text);
	return summary.verdict;
}
/* README: example end */
