/* Source to program. */
#include "opencl.h"

#include <stdlib.h>
#include <string.h>

/* The first line of the log that speaks of an error, or its first line. */
static void first_error(const char *log, char *line, size_t room)
{
	const char *at = strstr(log, "error");
	while (at != NULL && at > log && at[-1] != '\n')
		at--;
	if (at == NULL) at = log + strspn(log, "\n ");
	const size_t length = strcspn(at, "\n");
	const size_t used = length < room - 1 ? length : room - 1;
	memcpy(line, at, used);
	line[used] = '\0';
}

static hy_status fail_build(hy_device *device, cl_program program, int32_t code)
{
	const hy_opencl_api *api = device->api;
	size_t length = 0;
	char line[320] = "no log";
	char *log = NULL;
	api->clGetProgramBuildInfo(program, device->id, OCL_PROGRAM_BUILD_LOG, 0, NULL, &length);
	if (length > 0) log = calloc(1, length + 1);
	if (log != NULL &&
	    api->clGetProgramBuildInfo(program, device->id, OCL_PROGRAM_BUILD_LOG, length, log, NULL) == OCL_SUCCESS)
		first_error(log, line, sizeof(line));
	free(log);
	return hy_opencl_fail(device->plugin, code, "%s: generated source does not compile: %s", device->found->name,
	                      line);
}

hy_status hy_opencl_build(hy_device *device, const char *source, size_t length, cl_program *out_program)
{
	const hy_opencl_api *api = device->api;
	int32_t code = OCL_SUCCESS;
	cl_program program = api->clCreateProgramWithSource(device->context, 1, &source, &length, &code);
	if (code != OCL_SUCCESS) return hy_opencl_fail(device->plugin, code, "no program");
	/* -w: PoCL prints warnings to standard error */
	code = api->clBuildProgram(program, 1, &device->id, "-w", NULL, NULL);
	if (code != OCL_SUCCESS) {
		const hy_status status = fail_build(device, program, code);
		api->clReleaseProgram(program);
		return status;
	}
	*out_program = program;
	return HY_OK;
}
