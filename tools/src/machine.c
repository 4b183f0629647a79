/* Opening the machine and choosing devices, with their failures reported. */
#include "machine.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

tool_exit tool_machine_open(const tool_options *options, bool quiet, hy_hal_machine **out_machine)
{
	hy_error error = {0};
	const hy_hal_machine_options machine = {
		.size = sizeof(machine),
		.log_level = options->verbose ? HY_LOG_DEBUG : HY_LOG_WARN,
		.log = quiet ? NULL : tool_log,
		.log_payload = (void *)(uintptr_t)options,
		.layers = getenv("HALYARD_LAYERS"),
	};
	if (hy_hal_machine_open(&machine, out_machine, &error) == HY_OK) return TOOL_EXIT_OK;
	return tool_report_error(error.status == HY_INVALID ? TOOL_EXIT_CONFIGURATION : TOOL_EXIT_NO_DEVICE, &error);
}

tool_exit tool_machine_select(const hy_hal_machine *machine, const char *selector, hy_hal_selection *out_selection)
{
	hy_error error = {0};
	const hy_status status = hy_hal_machine_select(machine, selector, out_selection, &error);
	if (status == HY_INVALID) return tool_report(TOOL_EXIT_USAGE, "--device: %s", error.text);
	if (status != HY_OK) return tool_report(TOOL_EXIT_NO_DEVICE, "--device: %s", error.text);
	if (out_selection->count > 0) return TOOL_EXIT_OK;
	hy_hal_selection_finish(out_selection);
	return tool_report(TOOL_EXIT_NO_DEVICE, "no usable device: see halyard doctor for the reason");
}

void tool_machine_cache_dir(char *text, size_t length)
{
	const char *const own = getenv("HALYARD_CACHE_DIR"), *const xdg = getenv("XDG_CACHE_HOME");
	const char *const home = getenv("HOME");
	if (own != NULL && *own != '\0')
		snprintf(text, length, "%s", own);
	else if (xdg != NULL && *xdg == '/')
		snprintf(text, length, "%s/halyard", xdg);
	else if (home != NULL && *home == '/')
		snprintf(text, length, "%s/.cache/halyard", home);
	else
		snprintf(text, length, "%s", "");
}
