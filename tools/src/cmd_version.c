/* halyard version. */
#include "cmd.h"
#include "print.h"

#include <halyard/halyard.h>

#include <stdio.h>

tool_exit tool_cmd_version(const tool_options *options)
{
	char version[32], abi[32];
	snprintf(version, sizeof(version), "%d.%d.%d", HY_VERSION_MAJOR, HY_VERSION_MINOR, HY_VERSION_PATCH);
	snprintf(abi, sizeof(abi), "%u.%u", HY_ABI_MAJOR, HY_ABI_MINOR);
	if (tool_options_is(options->format, "json"))
		return tool_json_print(json_pack("{ss ss ss si}", "schema", "halyard.version/v1", "version", version,
		                                 "plugin_abi", abi, "onnx_opset", (int)HY_IR_OPSET));
	printf("halyard %s  plugin ABI %s  ONNX opset %u\n", version, abi, HY_IR_OPSET);
	return TOOL_EXIT_OK;
}
