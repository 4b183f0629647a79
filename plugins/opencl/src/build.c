/* Source to program. */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

/* -w: PoCL prints warnings to standard error */
static const char options[] = "-w";

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

/* The program of an earlier time; NULL when there is none or the driver does not want it. */
static cl_program build_cached(hy_device *device, hy_opencl_key key)
{
	const hy_opencl_api *api = device->api;
	size_t length = 0;
	int32_t code = OCL_SUCCESS, state = OCL_SUCCESS;
	void *binary = hy_opencl_cache_load(device, key, &length);
	if (binary == NULL) return NULL;
	const unsigned char *bytes = binary;
	cl_program program = api->clCreateProgramWithBinary(device->context, 1, &device->id, &length, &bytes, &state,
	                                                    &code);
	free(binary);
	if (code != OCL_SUCCESS) return NULL;
	if (state == OCL_SUCCESS) code = api->clBuildProgram(program, 1, &device->id, options, NULL, NULL);
	if (state == OCL_SUCCESS && code == OCL_SUCCESS) return program;
	api->clReleaseProgram(program);
	return NULL;
}

static void keep(hy_device *device, hy_opencl_key key, cl_program program)
{
	const hy_opencl_api *api = device->api;
	size_t length = 0;
	if (api->clGetProgramInfo(program, OCL_PROGRAM_BINARY_SIZES, sizeof(length), &length, NULL) != OCL_SUCCESS ||
	    length == 0)
		return;
	unsigned char *binary = malloc(length);
	if (binary != NULL &&
	    api->clGetProgramInfo(program, OCL_PROGRAM_BINARIES, sizeof(binary), &binary, NULL) == OCL_SUCCESS)
		hy_opencl_cache_store(device, key, binary, length);
	free(binary);
}

hy_status hy_opencl_build(hy_device *device, const char *source, size_t length, cl_program *out_program)
{
	const hy_opencl_api *api = device->api;
	int32_t code = OCL_SUCCESS;
	hy_opencl_key key = {0};
	if (device->cache) {
		key = hy_opencl_cache_key(device, source, length);
		cl_program cached = build_cached(device, key);
		if (cached != NULL) {
			*out_program = cached;
			return HY_OK;
		}
	}
	cl_program program = api->clCreateProgramWithSource(device->context, 1, &source, &length, &code);
	if (code != OCL_SUCCESS) return hy_opencl_fail(device->plugin, code, "no program");
	code = api->clBuildProgram(program, 1, &device->id, options, NULL, NULL);
	if (code != OCL_SUCCESS) {
		const hy_status status = fail_build(device, program, code);
		api->clReleaseProgram(program);
		return status;
	}
	if (device->cache) keep(device, key, program);
	*out_program = program;
	return HY_OK;
}
